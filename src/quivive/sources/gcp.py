"""Google Cloud Audit Logs: every API call as a use of its credential, and token exchanges."""

from typing import Any

from quivive.model.event import (
    Activity,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    Product,
    Status,
    Unmapped,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._gcp_call import (
    BAD_CREDENTIAL,
    CODES,
    CREDENTIALS,
    PROTOCOLS,
    PROXY,
    TOKEN_SERVICE,
    destination_of,
    inside,
    operation_of,
    request_of,
    resource_of,
    service_name,
    service_of,
)
from quivive.sources._gcp_caller import assumed, behind, caller
from quivive.sources._google_activity import is_log_entry
from quivive.sources.fields import clean, field
from quivive.sources.source import Source
from quivive.sources.varying import Varying

_PRODUCT = Product(name="Cloud Audit Logs", vendor_name="Google Cloud")
_AUDIT_LOG = "google.cloud.audit.AuditLog"
_AUDIT = "cloudaudit.googleapis.com"
_SYSTEM_EVENT = Skip("an event of Google Cloud's own, without a caller")
_NOBODY = Skip("a call whose caller the log does not name")
_ENDED = Skip("the end of an operation, whose beginning is the call")


def recognise(record: RawRecord) -> bool:
    """A log entry with an AuditLog; those of Google Workspace are another source's."""
    row = record.fields
    if row is None:
        return False
    payload = _payload(row)
    if payload is None or is_log_entry(row):
        return False
    kind = payload.get("@type") or payload.get("at_sign_type")
    if type(kind) is str:
        return kind.endswith(_AUDIT_LOG)
    if _AUDIT in (field(row, "logName") or field(row, "logname") or ""):
        return True
    return type(payload.get("methodName")) is str and "authenticationInfo" in payload


def _payload(row: dict[str, Any]) -> dict[str, Any] | None:
    """The AuditLog, also under the name that it has in a BigQuery sink's table."""
    payload = row.get("protoPayload") or row.get("protopayload_auditlog")
    return payload if type(payload) is dict else None


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The use of a credential that an audit log entry tells of."""
    row = record.fields or {}
    payload = _payload(row)
    if payload is None:
        raise RejectError("protoPayload: missing")
    log = field(row, "logName") or field(row, "logname") or ""
    if log.endswith("system_event"):
        return _SYSTEM_EVENT
    operation = fields.mapping(row, "operation")
    if operation.get("last") is True and operation.get("first") is not True:
        return _ENDED
    user = caller(payload)
    if user is None:
        return _NOBODY
    method = field(payload, "methodName")
    if method is None:
        raise RejectError("protoPayload.methodName: missing")
    written = row.get("timestamp")
    full = field(payload, "serviceName")
    service = service_name(full, method)
    status, code = _status(payload)
    request = fields.mapping(payload, "requestMetadata")
    protocol, protocol_id = _protocol(payload) if full == TOKEN_SERVICE else (None, None)
    through_proxy = fields.mapping(payload, "metadata") if full == PROXY else {}
    device = field(through_proxy, "device_id")
    ended = fields.text(through_proxy, "iap_tcp_session_info", "phase") == "SESSION_END"
    return AuthEvent(
        time=fields.timestamp(_without_zone(written), "timestamp", default=record.reference_time),
        activity_id=Activity.LOGOFF if ended else Activity.LOGON,
        status_id=status,
        status_code=code,
        status_detail=fields.text(payload, "status", "message") if code else None,
        user=user,
        actor=behind(payload),
        service=service_of(service),
        dst_endpoint=destination_of(full, _region(row, payload)),
        src_endpoint=_source_endpoint(request),
        device=Device(type_id=DeviceType.UNKNOWN, uid=device) if device else None,
        http_request=request_of(field(request, "callerSuppliedUserAgent")),
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(row, "insertId") or field(row, "insertid"),
            log_name="Cloud Audit Logs",
            original_time=written,
            event_code=method,
            tenant_uid=_project(row, log),
        ),
        unmapped=Unmapped(
            credential_accepted=_accepted(full, status, code),
            operation=operation_of(service, method),
            resource=resource_of(field(payload, "resourceName")),
            role=assumed(payload) if full == CREDENTIALS else None,
        ),
    )


def _without_zone(written: Any) -> Any:
    """The time; BigQuery writes " UTC" behind it."""
    return written.removesuffix(" UTC") if type(written) is str else written


def _status(payload: dict[str, Any]) -> tuple[Status, str | None]:
    """google.rpc.Status: no code, and code 0, are success."""
    status = payload.get("status")
    if status is None or status == {}:
        return Status.SUCCESS, None
    if type(status) is not dict:
        raise RejectError("protoPayload.status: not an object")
    number = fields.whole(status.get("code"))
    if number is None:
        if status.get("code") is not None:
            raise RejectError("protoPayload.status.code: not a number")
        return Status.SUCCESS, None
    if number == 0:
        return Status.SUCCESS, None
    return Status.FAILURE, CODES.get(number, str(number))


def _accepted(service: str | None, status: Status, code: str | None) -> bool | None:
    """Whoever is told that a call failed was let in, but at the door itself."""
    if status == Status.SUCCESS or service == TOKEN_SERVICE or code in BAD_CREDENTIAL:
        return None
    return True


def _protocol(payload: dict[str, Any]) -> tuple[str | None, int | None]:
    """How a federated identity proved itself: "urn:ietf:params:oauth:token-type:id_token"."""
    kind = fields.text(payload, "request", "subjectTokenType")
    return PROTOCOLS.get(kind.rpartition(":")[2], (None, None)) if kind else (None, None)


def _source_endpoint(request: dict[str, Any]) -> Endpoint | None:
    written = request.get("callerIp") or request.get("callerIP")
    ip = fields.address(written)
    return Endpoint(ip=ip) if ip else inside(clean(written))


def _region(row: dict[str, Any], payload: dict[str, Any]) -> str | None:
    """Where the resource is: by the audit log, else by the labels of what was monitored."""
    places = fields.items(payload, "resourceLocation", "currentLocations")
    labels = fields.mapping(row, "resource", "labels")
    found = clean(places[0]) if places else None
    return found or field(labels, "location") or field(labels, "region") or field(labels, "zone")


def _project(row: dict[str, Any], log: str) -> str | None:
    """The project, folder, organisation or billing account whose log it is."""
    named = fields.text(row, "resource", "labels", "project_id")
    if named:
        return named
    words = log.split("/", 2)
    return words[1] or None if len(words) > 2 else None


SOURCE = Source(
    name="gcp",
    title="Google Cloud Audit Logs",
    reads=(
        "Admin Activity, Data Access and Policy Denied entries: every call, as a use of an account",
        "impersonation: credentials made for a service account, and calls through one",
        "token exchanges of workload and workforce identity federation",
        "access through Identity-Aware Proxy, with its device",
        "entries as Cloud Logging writes them, and rows of a BigQuery sink",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.uid_alt",
        "user.email_addr",
        "user.type_id",
        "user.account.uid",
        "user.credential_uid",
        "actor.user",
        "actor.app_uid",
        "actor.invoked_by",
        "src_endpoint.ip",
        "src_endpoint.svc_name",
        "http_request.user_agent",
        "device.uid",
        "service.name",
        "dst_endpoint.location.region",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://cloud.google.com/logging/docs/audit/understanding-audit-logs",
    recognise=recognise,
    parse=parse,
    varying=Varying(time="timestamp", uid="insertId", unread=("receiveTimestamp", "time")),
)
