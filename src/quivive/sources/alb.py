"""AWS Application Load Balancer: connection logs, which name the client by its certificate."""

import re
from functools import lru_cache
from typing import Any

from quivive.model.event import Activity, AuthEvent, Endpoint, Product, Service, Status, Unmapped
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._proxy_caller import certified
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="Elastic Load Balancing", vendor_name="AWS")
_UNNAMED = Service(name="Application Load Balancer")
_CONNECT = Unmapped(operation="connect")
_MAX_LINE = 32_768
_SUCCESS = "Success"
_FAILED = "Failed:"
# What says nothing of the certificate: the list of revoked ones could not be read, or no reason.
_UNDECIDED = frozenset({"ClientCertCrlProcessingError", "UnmappedConnectionError"})

_REQUEST = Skip("a request, of which the access log names no user")
_SIGNED_IN = Skip("a request of a session, of which the access log names no user")
_REFUSED = Skip("a refused sign-in, of which the access log names no user")
_NO_CERTIFICATE = Skip("a connection without a client certificate")

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_ACCESS = re.compile(
    rf"(?:https?|h2|grpcs?|wss?) {_TIME} app/\S+ \S+ \S+"
    r"(?: -?[\d.]+){3} (?:\d{3}|-) (?:\d{3}|-) \d+ \d+ \""
)
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# What follows the two quoted texts that a client chooses; new fields may come behind.
_DONE = re.compile(
    rf' \S+ \S+ \S+ {_QUOTED} "[^"]*" "[^"]*" \S+ \S+ "(?P<actions>[^"]*)" {_QUOTED}'
    r' "(?P<reason>[^"]*)"'
)
_ACCESS_TEXTS = re.compile(rf" {_QUOTED} {_QUOTED}")
_BEGIN = re.compile(rf"{_TIME} [\d.a-fA-F:]+ \d{{1,5}} \d{{1,5}} (?:(?:TLS|SSL)v[\d.]+|-) ")
_CONNECTION = re.compile(
    rf"(?P<time>{_TIME}) (?P<client_ip>\S+) (?P<client_port>\d+) (?P<listener_port>\d+)"
    r' (?P<tls_protocol>\S+) \S+ \S+ (?:-|"(?P<leaf_client_cert_subject>.*)")'
    r" (?:-|NotBefore=\S+) (?P<leaf_client_cert_serial_number>\S+) (?P<tls_verify_status>\S+)"
    r"(?: (?P<conn_trace_id>\S+)(?: \S+(?: (?P<elb>\S+)(?: (?P<ip_address>\S+).*)?)?)?)?"
)
_CONNECTION_NAMES = ("tls_verify_status", "leaf_client_cert_subject")
_ACCESS_NAMES = ("elb_status_code", "target_group_arn")


def recognise(record: RawRecord) -> bool:
    """A line of either log by its first fields, or a row with the names of its fields."""
    row = record.fields
    if row is not None:
        return all(name in row for name in _CONNECTION_NAMES) or all(
            name in row for name in _ACCESS_NAMES
        )
    line = _line(record.body)
    return _ACCESS.match(line) is not None or _BEGIN.match(line) is not None


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The connection of a client with a certificate; a Skip for every request."""
    row = record.fields
    if row is None:
        line = _line(record.body)
        if _ACCESS.match(line):
            return _of_access(*_access_fields(line))
        found = _CONNECTION.fullmatch(line)
        if found is None:
            raise RejectError("line: neither an access log nor a connection log, or it breaks off")
        row = found.groupdict()
    elif "elb_status_code" in row:
        return _of_access(field(row, "actions_executed"), field(row, "error_reason"))
    return _of_connection(record, row)


@lru_cache(maxsize=16)
def _line(body: bytes) -> str:
    return body[:_MAX_LINE].decode("utf-8", "replace").strip()


def _access_fields(line: str) -> tuple[str | None, str | None]:
    """Actions and error reason of an access log's line; older lines end before them."""
    start = line.index(' "')
    texts = _ACCESS_TEXTS.match(line, start)
    if texts is None:
        raise RejectError("line: breaks off in the request or the user agent")
    found = _DONE.match(line, texts.end())
    return (found["actions"], fields.clean(found["reason"])) if found else (None, None)


def _of_access(actions: str | None, reason: str | None) -> Skip:
    if reason is not None and reason.startswith(("Auth", "JWT")):
        return _REFUSED
    if actions is not None and ("authenticate" in actions or "jwt-validation" in actions):
        return _SIGNED_IN
    return _REQUEST


def _of_connection(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    subject = field(row, "leaf_client_cert_subject")
    if subject is None:
        return _NO_CERTIFICATE
    said = field(row, "tls_verify_status")
    if said is None or not (said == _SUCCESS or said.startswith(_FAILED)):
        raise RejectError(f"tls_verify_status: neither Success nor Failed: {str(said)[:40]!r}")
    key = next((name for name in ("time", "timestamp") if row.get(name)), "time")
    caller = certified(subject, field(row, "leaf_client_cert_serial_number"))
    balancer = field(row, "elb")
    protocol, protocol_id = caller.protocol or (None, None)
    code = said.removeprefix(_FAILED) if said != _SUCCESS else None
    return AuthEvent(
        time=fields.timestamp(row.get(key), key, default=record.reference_time),
        activity_id=Activity.LOGON,
        status_id=_status(code),
        status_code=code,
        user=caller.user,
        service=Service(name=balancer[:255]) if balancer else _UNNAMED,
        src_endpoint=_endpoint(row.get("client_ip"), row.get("client_port")),
        dst_endpoint=_endpoint(row.get("ip_address"), row.get("listener_port")),
        auth_factors=caller.factors,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(row, "conn_trace_id"),
            log_name="ALB connection log",
            original_time=row.get(key),
        ),
        unmapped=_CONNECT,
    )


def _status(code: str | None) -> Status:
    if code is None:
        return Status.SUCCESS
    return Status.OTHER if code in _UNDECIDED else Status.FAILURE


def _endpoint(address: Any, port: Any) -> Endpoint | None:
    ip = fields.address(address)
    return Endpoint(ip=ip, port=fields.port(port)) if ip else None


SOURCE = Source(
    name="alb",
    title="AWS Application Load Balancer",
    reads=(
        "connection logs: clients that show a certificate (mutual TLS), let in or refused",
        "access logs, which name no user: every request is skipped, a refused sign-in told apart",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.credential_uid",
        "src_endpoint.ip",
        "src_endpoint.port",
        "dst_endpoint.ip",
        "dst_endpoint.port",
        "service.name",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "unmapped.operation",
    ),
    documentation="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html",
    recognise=recognise,
    parse=parse,
)
