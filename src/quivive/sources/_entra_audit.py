"""One Entra ID audit record, flattened to Graph's names: changes of passwords and factors."""

from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Endpoint,
    HttpRequest,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._entra_signin import DIRECTORY, PRODUCT, tenant
from quivive.sources._microsoft import (
    MFA_CHALLENGE,
    client,
    directory_change,
    embedded_items,
    embedded_object,
    person,
    same_user,
)
from quivive.sources.fields import field, mapping, metadata, text, timestamp

_NOT_A_LOGIN = Skip("directory change without bearing on logins")
_STATUS = {
    "success": Status.SUCCESS,
    "failure": Status.FAILURE,
    "timeout": Status.FAILURE,
}
_APPLICATIONS = frozenset({"ServicePrincipal", "Application"})


def parse_audit(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    """The event of an audit record about passwords, factors or credentials, else a Skip.

    Raises RejectError for such a record without a time or a target.
    """
    operation = field(row, "activityDisplayName") or field(row, "operationName")
    if operation is None:
        raise RejectError("activityDisplayName: missing")
    targets = embedded_items(row, "targetResources")
    modified = [
        entry for target in targets for entry in embedded_items(target, "modifiedProperties")
    ]
    activity = directory_change(operation, modified)
    if activity is None:
        return _NOT_A_LOGIN
    original_time = row.get("activityDateTime") or row.get("time") or row.get("timeGenerated")
    initiator = embedded_object(row, "initiatedBy")
    by_user = mapping(initiator, "user")
    initiating = _person(by_user)
    user = _target(targets) or initiating
    if user is None:
        raise RejectError("targetResources: no user and no service principal")
    denied = activity == MFA_CHALLENGE
    word = (field(row, "result") or field(row, "resultSignature") or "").lower()
    agent = field(row, "userAgent") or _additional(row, "User-Agent")
    return AuthEvent(
        time=timestamp(original_time, "activityDateTime", default=record.reference_time),
        activity_id=Activity.OTHER,
        activity_name=activity,
        status_id=Status.FAILURE if denied else _STATUS.get(word, Status.UNKNOWN),
        status_detail=field(row, "resultReason") or field(row, "resultDescription"),
        user=user,
        actor=_actor(initiator, initiating, user),
        service=DIRECTORY,
        src_endpoint=_source(row, by_user),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        unmapped=Unmapped(
            operation=operation.rstrip(), credential_accepted=True if denied else None
        ),
        metadata=metadata(
            record,
            PRODUCT,
            uid=field(row, "id"),
            log_name=field(row, "type") or "AuditLogs",
            original_time=original_time,
            event_code=field(row, "loggedByService"),
            correlation_uid=field(row, "correlationId"),
            tenant_uid=tenant(row),
        ),
    )


def _source(row: dict[str, Any], by_user: dict[str, Any]) -> Endpoint | None:
    return (
        client(by_user.get("ipAddress"))
        or client(_additional(row, "ipaddr"))
        or client(row.get("callerIpAddress"))
        or client(row.get("ipAddress"))
    )


def _additional(row: dict[str, Any], key: str) -> str | None:
    """A value of ``additionalDetails``, a list of keys and values."""
    for entry in embedded_items(row, "additionalDetails"):
        if text(entry, "key") == key:
            return text(entry, "value")
    return None


def _person(found: Any) -> User | None:
    name, uid = text(found, "userPrincipalName"), text(found, "id")
    if not (name or uid):
        return None
    return person(name, uid, text(found, "displayName"))


def _target(targets: list[Any]) -> User | None:
    """The identity whose credential changed: the first user or application named."""
    for target in targets:
        kind = text(target, "type")
        if kind == "User" and (found := _person(target)) is not None:
            return found
        if kind in _APPLICATIONS:
            name, uid = text(target, "displayName"), text(target, "id")
            if name or uid:
                return User(name=name, uid=uid, type_id=UserType.SERVICE)
    return None


def _actor(initiator: dict[str, Any], initiating: User | None, user: User) -> Actor | None:
    app_name = text(initiator, "app", "displayName")
    app_uid = text(initiator, "app", "servicePrincipalId") or text(initiator, "app", "appId")
    other = None if same_user(initiating, user) else initiating
    if other is None and not (app_name or app_uid):
        return None
    return Actor(user=other, app_name=app_name, app_uid=app_uid)
