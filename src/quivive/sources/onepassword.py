"""1Password: sign-in attempts, item usages and audit events of the Events API."""

from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Device,
    DeviceType,
    HttpRequest,
    Metadata,
    Product,
    Session,
    Status,
    Unmapped,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._onepassword_event import (
    EMPTY,
    ONEPASSWORD,
    agent_of,
    application_of,
    device_of,
    party,
    place_of,
    section,
    source_of,
    user_of,
)
from quivive.sources._onepassword_words import (
    ANONYMOUS,
    CATEGORIES,
    MFA_OK,
    REPORTED,
    deed_of,
    factor_of,
    is_unanswered,
)
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="1Password", vendor_name="1Password")
_NOTHING = Unmapped()
_NO_LOGIN = Skip("no authentication event")


def recognise(record: RawRecord) -> bool:
    """The members of one of the three kinds of event."""
    event = record.fields
    if event is None or "uuid" not in event:
        return False
    if "client" in event:
        return _is_sign_in(event) or _is_usage(event)
    return _is_audit(event)


def _is_sign_in(event: dict[str, Any]) -> bool:
    return "target_user" in event and "category" in event


def _is_usage(event: dict[str, Any]) -> bool:
    return "item_uuid" in event and "vault_uuid" in event


def _is_audit(event: dict[str, Any]) -> bool:
    return "actor_uuid" in event and "object_type" in event and "action" in event


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The sign-in, the use of an item or the change of an account that an event tells of."""
    event = record.fields or EMPTY
    if _is_sign_in(event):
        return _sign_in(record, event)
    if _is_usage(event):
        return _usage(record, event)
    return _audit(record, event)


def _sign_in(record: RawRecord, event: dict[str, Any]) -> AuthEvent:
    category, kind = field(event, "category"), field(event, "type")
    outcome = CATEGORIES.get(category) if category else None
    status = outcome.status if outcome else Status.UNKNOWN
    mfa = outcome is not None and outcome.mfa
    if mfa and is_unanswered(kind):
        status = Status.OTHER
    time = fields.timestamp(event.get("timestamp"), "timestamp", default=record.reference_time)
    client = section(event, "client")
    source = source_of(client.get("ip_address"), place_of(event))
    factor = factor_of(kind) if mfa else None
    session = field(event, "session_uuid")
    agent = agent_of(client)
    return AuthEvent(
        time=time,
        activity_id=Activity.OTHER if mfa else Activity.LOGON,
        activity_name="MFA Challenge" if mfa else None,
        status_id=status,
        status=category,
        status_code=kind,
        status_detail=field(section(event, "details"), "value"),
        user=user_of(section(event, "target_user"), "target_user"),
        service=application_of(client),
        src_endpoint=source,
        device=device_of(client, source),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=Session(uid=session) if session else None,
        is_mfa=True if kind == MFA_OK and status == Status.SUCCESS else None,
        auth_factors=(factor,) if factor else None,
        metadata=_metadata(record, event, "1Password sign-in attempts", category),
        unmapped=_judged(category, kind, mfa),
    )


def _judged(category: str | None, kind: str | None, mfa: bool) -> Unmapped | None:
    """What the account's firewall says, and whether the first factor was right."""
    found = Unmapped(
        credential_accepted=mfa or None,
        network_kind="vpn" if kind == ANONYMOUS else None,
        vendor_risk="firewall_reported" if category == REPORTED else None,
    )
    return None if found == _NOTHING else found


def _usage(record: RawRecord, event: dict[str, Any]) -> AuthEvent:
    """An item of a shared vault that somebody filled in, copied or looked at."""
    time = fields.timestamp(event.get("timestamp"), "timestamp", default=record.reference_time)
    client = section(event, "client")
    source = source_of(client.get("ip_address"), place_of(event))
    action = field(event, "action")
    agent = agent_of(client)
    return AuthEvent(
        time=time,
        activity_id=Activity.LOGON,
        status_id=Status.SUCCESS,
        user=user_of(section(event, "user"), "user"),
        service=application_of(client),
        src_endpoint=source,
        device=device_of(client, source),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        metadata=_metadata(record, event, "1Password item usages", action),
        unmapped=Unmapped(
            operation=f"{action or 'use'} item",
            resource=field(event, "item_uuid") or field(event, "vault_uuid"),
        ),
    )


def _audit(record: RawRecord, event: dict[str, Any]) -> AuthEvent | Skip:
    action, about = field(event, "action"), field(event, "object_type")
    if action is None:
        raise RejectError("action: missing")
    deed = deed_of(action, about or "")
    if deed is None:
        return _NO_LOGIN
    time = fields.timestamp(event.get("timestamp"), "timestamp", default=record.reference_time)
    actor = user = party(event, "actor")
    if deed.name is not None and about == "user":
        user = party(event, "object")
        if user is None:
            raise RejectError("object_uuid: no name or id of the user")
        if actor is not None and user.uid == actor.uid:
            user = actor
    if user is None:
        raise RejectError("actor_uuid: no name or id of the user")
    own = user is actor
    session = section(event, "session")
    source = source_of(session.get("ip"), place_of(event))
    device = field(session, "device_uuid") if own else None
    return AuthEvent(
        time=time,
        activity_id=deed.activity,
        activity_name=deed.name,
        status_id=deed.status,
        user=user,
        actor=Actor(user=actor) if actor and not own else None,
        service=ONEPASSWORD,
        src_endpoint=source,
        device=Device(type_id=DeviceType.UNKNOWN, uid=device) if device else None,
        session=_session(session) if own else None,
        metadata=_metadata(record, event, "1Password audit events", action),
        unmapped=_done(event, action, about, deed.name),
    )


def _done(
    event: dict[str, Any], action: str, about: str | None, name: str | None
) -> Unmapped | None:
    if name is None:
        return Unmapped(operation=f"{action} {about}", resource=field(event, "object_uuid"))
    if name == "Token Create" and (token := field(event, "object_uuid")):
        return Unmapped(resource=token)
    return None


def _session(row: dict[str, Any]) -> Session | None:
    uid = field(row, "uuid")
    if uid is None:
        return None
    try:
        created = fields.timestamp(row.get("login_time"), "session.login_time")
    except RejectError:
        return Session(uid=uid)
    return Session(uid=uid, created_time=created)


def _metadata(
    record: RawRecord, event: dict[str, Any], log_name: str, code: str | None
) -> Metadata:
    return fields.metadata(
        record,
        _PRODUCT,
        uid=field(event, "uuid"),
        log_name=log_name,
        original_time=event.get("timestamp"),
        event_code=code,
        tenant_uid=field(event, "account_uuid"),
    )


SOURCE = Source(
    name="onepassword",
    title="1Password",
    reads=(
        "sign-in attempts of the Events API, one an object or in its pages",
        "item usages: what somebody filled in, copied or looked at in a shared vault",
        "audit events: MFA, recovery, suspension, service accounts, access to vaults, exports",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.account",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "service.name",
        "session.uid",
        "device.name",
        "device.uid",
        "device.os",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "status_code",
        "status_detail",
        "unmapped.credential_accepted",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.network_kind",
        "unmapped.vendor_risk",
    ),
    documentation="https://developer.1password.com/docs/events-api/reference/",
    recognise=recognise,
    parse=parse,
)
