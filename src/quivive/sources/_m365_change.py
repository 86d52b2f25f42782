"""Changes of passwords, factors and credentials in the Microsoft 365 audit log."""

from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    HttpRequest,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError
from quivive.sources._m365_record import (
    NAME,
    OTHER,
    STATUS,
    UPN,
    WORKLOADS,
    first,
    ids,
    is_guid,
    metadata_of,
    pairs,
    source_of,
    time_of,
)
from quivive.sources._microsoft import (
    MFA_CHALLENGE,
    directory_change,
    embedded_items,
    person,
    same_user,
)
from quivive.sources.fields import field


def parse_directory_change(
    record: RawRecord, row: dict[str, Any], operation: str
) -> AuthEvent | None:
    """The event of a change of passwords, factors or credentials; None for any other change.

    Raises RejectError for such a change without a time or a target.
    """
    activity = directory_change(operation, embedded_items(row, "modifiedproperties"))
    if activity is None:
        return None
    initiating = _initiator(row)
    user = _target(row) or (initiating.user if initiating else None)
    if user is None:
        raise RejectError("Target: no user and no service principal")
    if initiating and initiating.user and same_user(initiating.user, user):
        initiating = None
    denied = activity == MFA_CHALLENGE
    word = (field(row, "resultstatus") or "").lower()
    agent = field(pairs(row, "extendedproperties"), "UserAgent")
    return AuthEvent(
        time=time_of(record, row),
        activity_id=Activity.OTHER,
        activity_name=activity,
        status_id=Status.FAILURE if denied else STATUS.get(word, Status.UNKNOWN),
        user=user,
        actor=initiating,
        service=Service(name=WORKLOADS["azureactivedirectory"]),
        src_endpoint=source_of(row),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        unmapped=Unmapped(
            operation=operation.rstrip(". "), credential_accepted=True if denied else None
        ),
        metadata=metadata_of(record, row, operation),
    )


def _target(row: dict[str, Any]) -> User | None:
    """The identity that was changed, which Target names several times over."""
    upn = first(ids(row, "target", UPN))
    for found in ids(row, "target", OTHER):
        kind, _, uid = found.partition("_")
        if kind == "User" and uid:
            return person(upn, uid)
        if kind in ("ServicePrincipal", "Application") and uid:
            name = first(ids(row, "target", NAME))
            return User(name=name, uid=uid, type_id=UserType.SERVICE)
    name = upn or field(row, "objectid")
    if name is None:
        return None
    return person(None, name) if is_guid(name) else person(name, None)


def _initiator(row: dict[str, Any]) -> Actor | None:
    name = field(row, "userid")
    kind, _, uid = (name or "").partition("_")
    if kind == "ServicePrincipal" and uid:
        return Actor(app_name=first(ids(row, "actor", NAME)), app_uid=uid)
    if name is None or is_guid(name):
        name = first(ids(row, "actor", UPN))
    if name is None:
        return None
    uids = [found[5:] for found in ids(row, "actor", OTHER) if found.startswith("User_")]
    return Actor(user=person(name, first(uids)))
