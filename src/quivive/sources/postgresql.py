"""PostgreSQL server log: connections and refusals, in jsonlog, csvlog and stderr lines."""

from functools import lru_cache
from ipaddress import ip_address

from quivive.model.event import (
    AuthEvent,
    Endpoint,
    HttpRequest,
    Product,
    Service,
    Session,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._postgresql_lines import Entry, entry_time, is_entry, read_entry
from quivive.sources._postgresql_messages import Attempt, read_attempt
from quivive.sources.source import Source

_PRODUCT = Product(name="PostgreSQL", vendor_name="PostgreSQL")
_SERVICE = Service(name="PostgreSQL")
_NOTHING = Unmapped()
_CONTINUED = Skip("goes on with the line before")
_MAX_NAME = 256
_LOCAL = "[local]"
_SUCCESSFUL = "00000"
# The users by which Amazon, Google and Microsoft run the servers that they host.
_PLATFORM = frozenset({"rdsadmin", "cloudsqladmin", "cloudsqlagent", "alloydbadmin", "azuresu"})


def recognise(record: RawRecord) -> bool:
    """Whether this is an entry of PostgreSQL's log, about whatever."""
    return is_entry(record)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, log-off or refusal of one entry; nothing is taken from another line."""
    entry = read_entry(record)
    if entry is None:
        return _CONTINUED
    attempt = read_attempt(entry)
    if isinstance(attempt, Skip):
        return attempt
    if entry.is_forged:
        raise RejectError("log_line_prefix: a name in it imitates the log")
    name = attempt.user if attempt.is_identity else entry.user or fields.clean(attempt.user)
    if not name:
        prefix = "; put %u into log_line_prefix" if record.fields is None else ""
        raise RejectError(f"user: no name of the user{prefix}")
    host = entry.host or attempt.host
    agent = attempt.application or entry.application
    return AuthEvent(
        time=entry_time(entry, record.reference_time),
        activity_id=attempt.activity,
        status_id=attempt.status,
        status_code=entry.code if entry.code != _SUCCESSFUL else None,
        status_detail=attempt.detail,
        user=_user(name[:_MAX_NAME]),
        service=_SERVICE,
        src_endpoint=_client(host, fields.port(entry.port) or fields.port(attempt.port)),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=Session(uid=entry.session) if entry.session else None,
        is_remote=None if host is None else host != _LOCAL,
        auth_factors=attempt.method.factors,
        auth_protocol=attempt.method.protocol,
        auth_protocol_id=attempt.method.protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="postgresql",
            original_time=entry.when,
            event_code=attempt.code,
            correlation_uid=entry.session,
        ),
        unmapped=_unmapped(entry, attempt),
    )


@lru_cache(maxsize=4096)
def _user(name: str) -> User:
    return User(
        name=name,
        email_addr=fields.email(name),
        type_id=UserType.SYSTEM if name in _PLATFORM else None,
    )


@lru_cache(maxsize=4096)
def _client(host: str | None, port: int | None) -> Endpoint | None:
    if host is None or host == _LOCAL:
        return None
    ip = fields.address(host)
    if ip is None:
        try:
            ip_address(host)
        except ValueError:
            return Endpoint(hostname=host[:255], port=port)  # log_hostname
        return None
    return Endpoint(ip=ip, port=port)


def _unmapped(entry: Entry, attempt: Attempt) -> Unmapped | None:
    """The database is the resource; a replication connection has none."""
    found = Unmapped(
        credential_accepted=attempt.accepted or None,
        resource=entry.database or attempt.database,
        role=attempt.role,
    )
    return None if found == _NOTHING else found


SOURCE = Source(
    name="postgresql",
    title="PostgreSQL server log",
    reads=(
        "jsonlog (PostgreSQL 15 and later), also as CloudNativePG wraps it",
        "csvlog",
        "stderr lines with the usual prefixes: %m [%p] %u@%d %r, Amazon RDS, pgBadger",
    ),
    gives=(
        "user.name",
        "user.email_addr",
        "user.type_id",
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.hostname",
        "http_request.user_agent",
        "session.uid",
        "service.name",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://www.postgresql.org/docs/current/runtime-config-logging.html",
    recognise=recognise,
    parse=parse,
)
