"""nginx access logs: every request with a user as a use of that user's credential."""

from typing import Any

from quivive.model.event import Activity, AuthEvent, Endpoint, Product, Status, Unmapped
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._access_log import (
    TLS,
    client_of,
    operation_of,
    outcome,
    request_of,
    service_of,
)
from quivive.sources._nginx_record import entry_time, is_entry, read_entry
from quivive.sources._proxy_caller import Caller, caller_of, certified
from quivive.sources._proxy_entry import Entry, fingerprint_of
from quivive.sources.source import Source

_PRODUCT = Product(name="nginx", vendor_name="nginx")
_ERROR_LOG = Skip("a line of the error log, whose refusals the access log has too")
_NOBODY = Skip("a request without a user")
_VERIFIED = "SUCCESS"
_NONE = "NONE"
_BAD_CERTIFICATE = frozenset({495, 496})
_WHEN = ("time_iso8601", "msec", "time_local", "time", "timestamp")
_TARGET = ("request_uri", "uri", "path", "request_path", "url")


def recognise(record: RawRecord) -> bool:
    """The combined format, a line of the error log, or an object of three of nginx's variables."""
    return is_entry(record)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The use of a credential in one request; a Skip for a request of nobody."""
    entry = read_entry(record)
    if entry is None:
        return _ERROR_LOG
    caller = caller_of(entry, _peer(entry))
    if caller is None:
        return _NOBODY
    key, written = _written(entry)
    method, target = _request(entry)
    status, accepted, code = _outcome(entry, caller)
    protocol, protocol_id = caller.protocol or (None, None)
    return AuthEvent(
        time=entry_time(written, key, record.reference_time),
        activity_id=Activity.LOGON,
        status_id=status,
        status_code=code,
        status_detail=_failed_certificate(entry),
        user=caller.user,
        actor=caller.actor,
        service=service_of(_host(entry), "nginx"),
        src_endpoint=_client(entry),
        http_request=request_of(entry.word("http_user_agent", "user_agent", "agent")),
        session=caller.session,
        is_mfa=caller.is_mfa,
        auth_factors=caller.factors,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="nginx access log",
            original_time=written,
            event_code=method,
            # A client may have chosen it, so that it is no id of the record.
            correlation_uid=entry.word("request_id", "req_id", "x_request_id"),
        ),
        unmapped=Unmapped(
            credential_accepted=accepted,
            mfa_by_claim=True if caller.is_mfa else None,
            operation=operation_of(method, target) or "HTTP",
            tls_fingerprint=fingerprint_of(entry),
        ),
    )


def _written(entry: Entry) -> tuple[str, Any]:
    """The first member that has a time, and its name."""
    for key in _WHEN:
        if entry.row.get(key) not in (None, ""):
            return key, entry.row[key]
    return "time_local", None


def _request(entry: Entry) -> tuple[str | None, str | None]:
    """Method and target, of their own members or of the whole request line."""
    method = entry.word("request_method", "method")
    if method is not None:
        return method[:64], entry.word(*_TARGET)
    line = entry.word("request")
    if line is None:
        return None, entry.word(*_TARGET)
    method, _, rest = line.partition(" ")
    target, _, protocol = rest.rpartition(" ")
    if not protocol.startswith("HTTP/"):
        return None, None  # no request at all, such as a TLS handshake on a plain port
    return method[:64], target


def _outcome(entry: Entry, caller: Caller) -> tuple[Status, bool | None, str | None]:
    """Status, whether the credential was right, and the answer's code."""
    row = entry.row
    said = row.get("status", row.get("response_code"))
    code = fields.whole(said)
    if code is None and said not in (None, "-", ""):
        raise RejectError(f"status: not a number: {str(said)[:40]!r}")
    shown = None if code is None else str(code)
    if caller.protocol is TLS and (code in _BAD_CERTIFICATE or _failed_certificate(entry)):
        return Status.FAILURE, None, shown
    status, accepted = outcome(code, caller.proven)
    return status, accepted, shown


def _peer(entry: Entry) -> Caller | None:
    """Whose certificate the client showed; it counts when nginx says that it verified it."""
    subject = entry.word("ssl_client_s_dn", "ssl_client_s_dn_legacy", "ssl_client_subject_dn")
    verified = entry.word("ssl_client_verify")
    if subject is None or verified == _NONE:
        return None
    key = entry.word("ssl_client_fingerprint", "ssl_client_serial")
    return certified(subject, key, verified == _VERIFIED)


def _failed_certificate(entry: Entry) -> str | None:
    """Why nginx refused the certificate: "FAILED:certificate has expired"."""
    verified = entry.word("ssl_client_verify")
    return verified if verified is not None and verified.startswith("FAILED") else None


def _host(entry: Entry) -> str | None:
    """The host that was asked; in the ingress's lines, the service behind it."""
    for name in ("host", "http_host", "vhost", "server_name", "ssl_server_name"):
        host = entry.word(name)
        if host is not None and host != "_":
            return host
    return entry.word("proxy_upstream_name")


def _client(entry: Entry) -> Endpoint | None:
    remote = entry.word("remote_addr", "client_ip", "client")
    port = entry.word("remote_port")
    if remote is not None and port is not None and fields.address(remote) == remote:
        remote = f"[{remote}]:{port}"
    return client_of(remote, entry.word("http_x_forwarded_for", "x_forwarded_for", "xff"))


SOURCE = Source(
    name="nginx",
    title="nginx access log",
    reads=(
        "the combined format, also with an X-Forwarded-For or name=value behind it, and Apache's",
        "ingress-nginx's lines",
        "JSON access logs whose members have the names of nginx's variables",
        "requests of a basic-auth user, a client certificate, a token's claims or a header's user",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.credential_uid",
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.intermediate_ips",
        "http_request.user_agent",
        "service.name",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.tls_fingerprint",
        "unmapped.credential_accepted",
    ),
    documentation="https://nginx.org/en/docs/http/ngx_http_log_module.html",
    recognise=recognise,
    parse=parse,
)
