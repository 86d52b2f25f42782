"""OpenSSH server messages, from syslog files of any common format and from the systemd journal."""

from functools import lru_cache
from ipaddress import ip_address

from quivive.model.event import (
    AuthEvent,
    Endpoint,
    Product,
    Service,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._sshd_messages import Attempt, of_sshd, read_attempt
from quivive.sources._syslog import Line, is_journal, journal_entry, line_time, syslog_line
from quivive.sources.fields import address, email, metadata, port
from quivive.sources.source import Source

PRODUCT = Product(name="OpenSSH", vendor_name="OpenBSD")
SERVICE = Service(name="sshd")
PROTOCOL_OTHER = 99
MAX_NAME = 256
# What fills an auth.log beside sshd: no source reads it, so none is asked.
BESIDE = frozenset({"CRON", "cron", "crond", "su", "sudo", "systemd", "systemd-logind"})

NO_USER = Skip("an attempt without a user name")
ACCEPTED_CREDENTIAL = Unmapped(credential_accepted=True)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one line. Raises RejectError for one that is no syslog line."""
    if record.fields is not None:
        line: Line | None = journal_entry(record.fields)
    else:
        line = syslog_line(record.body)
    if line is None:
        raise RejectError("line: neither RFC 3164, RFC 5424 nor ISO-dated syslog")
    attempt, repeats = read_attempt(line)
    if isinstance(attempt, Skip):
        return attempt
    # sshd escapes what it logs: a domain's backslash comes doubled.
    user = (attempt.user or "").strip().replace("\\\\", "\\")[:MAX_NAME]
    if not user:
        return NO_USER
    return AuthEvent(
        time=line_time(line.when, record.reference_time),
        activity_id=attempt.activity,
        activity_name=attempt.activity_name,
        status_id=attempt.status,
        status_detail=attempt.detail,
        user=User(
            name=user,
            email_addr=email(user),
            domain=user.partition("\\")[0] if "\\" in user else None,
            type_id=UserType.ADMIN if user == "root" else None,
            credential_uid=attempt.credential,
            uid_alt=attempt.certificate,
        ),
        metadata=metadata(
            record,
            PRODUCT,
            uid=line.uid,
            log_name="sshd",
            original_time=line.when,
            event_code=attempt.code,
            correlation_uid=f"{line.host}:{line.pid}" if line.host and line.pid else None,
        ),
        service=SERVICE,
        dst_endpoint=_server(line.host),
        src_endpoint=_client(attempt),
        auth_factors=attempt.factors,
        auth_protocol="SSH",
        auth_protocol_id=PROTOCOL_OTHER,
        is_remote=True,
        count=repeats or int(attempt.count or 0) or None,
        unmapped=ACCEPTED_CREDENTIAL if attempt.credential_accepted else None,
    )


@lru_cache(maxsize=4096)
def _server(host: str | None) -> Endpoint | None:
    if not host:
        return None
    ip, hostname = _ip_or_name(host)
    return Endpoint(ip=ip, hostname=hostname) if ip or hostname else None


def _client(attempt: Attempt) -> Endpoint | None:
    if not attempt.client:
        return None
    ip, hostname = _ip_or_name(attempt.client)
    if ip is None and hostname is None:
        return None
    return Endpoint(ip=ip, port=port(attempt.port), hostname=hostname)


@lru_cache(maxsize=65536)
def _ip_or_name(value: str) -> tuple[str | None, str | None]:
    """An address, or the name that UseDNS put in its place; neither for loopback "::1" and for
    "UNKNOWN", which sshd writes when there is no peer address."""
    if ip := address(value):
        return ip, None
    try:
        ip_address(value)
    except ValueError:
        return None, None if value == "UNKNOWN" else value[:255]
    return None, None


def recognise(record: RawRecord) -> bool:
    """Whether this is a syslog line or a journal entry, of sshd or of a program beside it."""
    if record.fields is not None:
        return is_journal(record.fields)
    return syslog_line(record.body) is not None


def _foreign(record: RawRecord) -> bool:
    """A line of another program, which may have a source of its own."""
    if record.fields is not None:
        return False
    line = syslog_line(record.body)
    return line is not None and line.program not in BESIDE and not of_sshd(line)


SOURCE = Source(
    name="sshd",
    title="OpenSSH server",
    reads=(
        "syslog lines with BSD dates (RFC 3164), such as /var/log/auth.log and /var/log/secure",
        "syslog lines of RFC 5424 and of rsyslog with ISO 8601 dates",
        "journal entries (journalctl -o json)",
    ),
    gives=(
        "user.name",
        "user.credential_uid",
        "src_endpoint.ip",
        "src_endpoint.port",
        "dst_endpoint.hostname",
        "auth_factors",
        "status_detail",
        "count",
    ),
    documentation="https://man.openbsd.org/sshd.8",
    foreign=_foreign,
    recognise=recognise,
    parse=parse,
)
