"""Azure Monitor activity log: every call of the control plane as a use of its credential."""

from functools import lru_cache

from quivive.model.event import Activity, AuthEvent, Product, Service, Status, Unmapped
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._azure_caller import DEVICE, caller, session_of
from quivive.sources._azure_record import (
    CALLS,
    Call,
    error_of,
    is_activity,
    operation_of,
    provider_of,
    read,
    resource_of,
)
from quivive.sources._microsoft import client, device
from quivive.sources.fields import field, metadata, timestamp
from quivive.sources.source import Source
from quivive.sources.varying import Varying

_PRODUCT = Product(name="Azure Activity Log", vendor_name="Microsoft")
_NO_CALL = Skip("an event of Azure's own, without a call")
_POLICY = Skip("what a policy makes of a call that is told apart")
_STARTED = Skip("the start of a call, whose answer is recorded apart")
_ENDED = Skip("the course of an operation that was answered before")
_NOBODY = Skip("a call whose caller the log does not name")
_STATUS = {
    "accept": Status.SUCCESS,
    "accepted": Status.SUCCESS,
    "success": Status.SUCCESS,
    "succeeded": Status.SUCCESS,
    "failure": Status.FAILURE,
    "failed": Status.FAILURE,
}
_BEGUN = frozenset({"start", "started"})
_COURSE = frozenset({"canceled", "cancelled", "in progress", "inprogress", "running"})
_BAD_CREDENTIAL = frozenset({"unauthorized", "401"})
_ELEVATE = "microsoft.authorization/elevateaccess/action"
_ELEVATED = "User Access Administrator"
_PROVEN_OTHERWISE = 99


def recognise(record: RawRecord) -> bool:
    """A record of the activity log, in any of its shapes."""
    return record.fields is not None and is_activity(record.fields)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The use of a credential that a record tells of: a call, by its answer."""
    call = read(record.fields or {})
    if call.category not in CALLS:
        return _POLICY if call.category == "policy" else _NO_CALL
    word = (call.status or "").lower()
    if word in _BEGUN:
        return _STARTED
    source = client(call.address)
    if word in _COURSE or (source is None and call.substatus == "" and word in _STATUS):
        return _ENDED
    who = caller(call)
    if who is None:
        return _NOBODY
    if call.operation is None:
        raise RejectError("operationName: missing")
    operation = operation_of(call.operation)
    status = _STATUS.get(word, Status.UNKNOWN)
    code, detail = _failure(call) if status == Status.FAILURE else (None, None)
    uid = field(call.claims, DEVICE)
    return AuthEvent(
        time=timestamp(call.written, call.clock, default=record.reference_time),
        activity_id=Activity.LOGON,
        status_id=status,
        status=call.status,
        status_code=code,
        status_detail=detail,
        user=who.user,
        actor=who.actor,
        service=_service(provider_of(operation)),
        src_endpoint=source,
        device=device(uid, None, None, None) if uid else None,
        session=session_of(call),
        is_mfa=who.is_mfa,
        auth_protocol=who.protocol,
        auth_protocol_id=_PROVEN_OTHERWISE if who.protocol else None,
        metadata=metadata(
            record,
            _PRODUCT,
            uid=call.uid,
            log_name="Activity log",
            original_time=call.written,
            event_code=call.operation,
            correlation_uid=call.correlation,
            tenant_uid=call.tenant,
        ),
        unmapped=_unmapped(
            True if status == Status.FAILURE and not _refused_at_the_door(code) else None,
            True if who.is_mfa else None,
            operation,
            resource_of(call.resource) if call.resource else None,
        ),
    )


@lru_cache(16384)
def _unmapped(
    accepted: bool | None, by_claim: bool | None, operation: str, resource: str | None
) -> Unmapped:
    return Unmapped(
        credential_accepted=accepted,
        mfa_by_claim=by_claim,
        operation=operation,
        resource=resource,
        role=_ELEVATED if operation == _ELEVATE else None,
    )


@lru_cache(4096)
def _service(provider: str) -> Service:
    return Service(name=provider)


def _failure(call: Call) -> tuple[str | None, str | None]:
    """The answer ("Forbidden"), and the error behind it with its words."""
    error, message = error_of(call)
    code = call.substatus or field(call.properties, "statusCode") or error
    if error and message:
        return code, f"{error}: {message}"
    return code, message or call.description or (error if error != code else None)


def _refused_at_the_door(code: str | None) -> bool:
    return code is not None and code.lower() in _BAD_CREDENTIAL


SOURCE = Source(
    name="azure_activity",
    title="Azure activity log",
    reads=(
        "administrative events: every call that changes something, as a use of its token",
        "people with their client, service principals, managed identities and guests",
        "records of a diagnostic setting, in storage or from an event hub",
        "events of the REST API and of `az monitor activity-log list`",
        "rows of the Log Analytics table AzureActivity",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.uid_alt",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.account.uid",
        "actor.app_name",
        "actor.app_uid",
        "src_endpoint.ip",
        "service.name",
        "device.uid",
        "session.uid",
        "session.uid_alt",
        "is_mfa",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
    ),
    documentation="https://learn.microsoft.com/en-us/azure/azure-monitor/platform/activity-log-schema",
    recognise=recognise,
    parse=parse,
    varying=Varying(time="time", uid="eventDataId", correlation="correlationId"),
)
