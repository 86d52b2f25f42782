"""JumpCloud Directory Insights: events of portals, SSO, LDAP, RADIUS and systems."""

from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    HttpRequest,
    Product,
    Service,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._jumpcloud_event import (
    EMPTY,
    agent_of,
    device_of,
    initiator_of,
    is_same,
    methods_of,
    resource_of,
    section,
    shown,
    source_of,
    system_named,
)
from quivive.sources._jumpcloud_words import (
    API_KEY,
    CALL,
    CHALLENGE,
    FACTOR_RESET,
    FACTORS,
    KINDS,
    MFA_REQUIRED,
    PASSWORD,
    PASSWORD_CHANGE,
    PROFILE,
    PROTOCOLS,
    REFUSED,
    SECOND,
    SERVICES,
    SSO,
    SYSTEM,
    Kind,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="JumpCloud", vendor_name="JumpCloud")
_JUMPCLOUD = Service(name="JumpCloud")
_NOTHING = Unmapped()
_LONGEST_TYPE = 80
_MOST_CHANGES = 64
_NO_LOGIN = Skip("no authentication event")
_NOBODY = Skip("names nobody: refused before anyone was known")
_PLATFORM = Skip("done by JumpCloud itself, for no named user")


def recognise(record: RawRecord) -> bool:
    """The type, the service and the organisation that stand in every event."""
    log = record.fields
    if log is None:
        return False
    event_type = log.get("event_type")
    if type(event_type) is not str or not 2 < len(event_type) <= _LONGEST_TYPE:
        return False
    if not event_type.replace("_", "").isalnum() or type(log.get("organization")) is not str:
        return False
    service = log.get("service")
    return type(service) is str and service in SERVICES and "timestamp" in log


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, change of an account or administrator's deed of one event."""
    log = record.fields or EMPTY
    event_type = field(log, "event_type")
    if event_type is None:
        raise RejectError("event_type: missing")
    kind = KINDS.get(event_type)
    if kind is None:
        return _NO_LOGIN
    written = log.get("timestamp")
    time = fields.timestamp(written, "timestamp", default=record.reference_time)
    initiator = initiator_of(log)
    target = resource_of(section(log.get("resource")))
    if event_type == PROFILE and target is not None:
        if _frees_of_mfa(log):
            kind = FACTOR_RESET
        elif initiator is not None and initiator.uid == target.uid:
            return _NO_LOGIN
    status, login = _status(kind, log), kind
    methods = methods_of(log)
    passed, refused = shown(methods, log, status)
    if kind.second and status == Status.FAILURE and refused and PASSWORD in passed:
        # The password was right, and the second factor was not.
        kind, passed = CHALLENGE, refused
    around = kind.activity == Activity.OTHER and kind is not CHALLENGE and not kind.by_initiator
    user = (target or initiator) if around else initiator
    if user is None:
        if kind.by_initiator:
            return _PLATFORM
        if status != Status.SUCCESS:
            return _NOBODY
        raise RejectError("initiated_by: no name or id of the user")
    actor = None
    if around and initiator is not None and target is not None and not is_same(initiator, target):
        actor = Actor(user=initiator)
    src = source_of(log, kind is SYSTEM)
    agent = section(log.get("useragent"))
    words = agent_of(agent)
    name = kind.name
    if kind is PASSWORD_CHANGE and actor is not None:
        name = "Password Reset"
    protocol, protocol_id = _protocol(login, log)
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=name,
        status_id=status,
        status_code=field(log, "error_code") if status == Status.FAILURE else None,
        status_detail=_words(log) if status != Status.SUCCESS else None,
        user=user,
        actor=actor,
        service=_service(login, log),
        dst_endpoint=system_named(log) if kind is SYSTEM else None,
        src_endpoint=src,
        device=device_of(log, agent, src),
        http_request=HttpRequest(user_agent=words) if words else None,
        is_mfa=_is_mfa(kind, log, status, passed),
        auth_factors=None if around else tuple(FACTORS[word] for word in passed) or None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(log, "id"),
            log_name="JumpCloud Directory Insights",
            original_time=written,
            event_code=event_type,
            tenant_uid=field(log, "organization"),
        ),
        unmapped=_unmapped(kind, log, event_type, target, status == Status.FAILURE, bool(passed)),
    )


def _status(kind: Kind, log: dict[str, Any]) -> Status:
    told = fields.boolean(log, "success")
    if told is None:
        told = fields.boolean(log, "sso_token_success")
    if told is None or (told and kind.fixed):
        return kind.status
    return Status.SUCCESS if told else Status.FAILURE


def _frees_of_mfa(log: dict[str, Any]) -> bool:
    """Whether an update of a user takes the need for a second factor away."""
    changes = fields.items(log, "changes")[:_MOST_CHANGES]
    return any(
        type(change) is dict and change.get("field") == MFA_REQUIRED and change.get("to") is False
        for change in changes
    )


def _is_mfa(kind: Kind, log: dict[str, Any], status: Status, passed: list[str]) -> bool | None:
    if kind.activity != Activity.LOGON or kind.by_initiator or status != Status.SUCCESS:
        return None
    told = fields.boolean(log, "mfa")
    if told or (PASSWORD in passed and not SECOND.isdisjoint(passed)):
        return True
    # JumpCloud Go and passkeys are more than one factor that replaces the password.
    single = not passed or PASSWORD in passed
    return False if told is False and kind.states_mfa and single else None


def _service(kind: Kind, log: dict[str, Any]) -> Service:
    if kind.service is not None:
        return kind.service
    if kind is SSO:
        application = section(log.get("application"))
        name = field(application, "display_label") or field(application, "name")
        uid = field(application, "id")
        if name or uid:
            return Service(name=name, uid=uid)
    if kind is SYSTEM:
        process = field(log, "process_name")
        return Service(name=process) if process else _JUMPCLOUD
    return _JUMPCLOUD


def _protocol(kind: Kind, log: dict[str, Any]) -> tuple[str | None, int | None]:
    if kind is not SSO:
        return kind.protocol, kind.protocol_id
    word = fields.text(log, "application", "sso_type")
    return PROTOCOLS.get(word.lower(), (None, None)) if word else (None, None)


def _words(log: dict[str, Any]) -> str | None:
    return field(log, "error_message") or field(log, "message")


def _unmapped(
    kind: Kind,
    log: dict[str, Any],
    event_type: str,
    target: User | None,
    failed: bool,
    shown_right: bool,
) -> Unmapped | None:
    """What a call was for, and whether a refusal came after the credential was right."""
    accepted = failed and (
        kind is CHALLENGE
        or kind is CALL
        or (kind.activity == Activity.LOGON and shown_right)
        or (kind is SSO and _words(log) == REFUSED)
    )
    resource = None
    if kind.by_initiator:
        thing = section(log.get("resource"))
        resource = (
            (target.name or target.uid if target else None)
            or clean(thing.get("name"))
            or clean(thing.get("displayName"))
            or clean(thing.get("id"))
            or fields.text(log, "association", "connection", "to", "name")
        )
    found = Unmapped(
        credential_accepted=accepted or None,
        operation=event_type if kind is CALL else None,
        resource=resource,
        non_interactive=(kind.by_initiator and field(log, "auth_method") == API_KEY) or None,
    )
    return None if found == _NOTHING else found


SOURCE = Source(
    name="jumpcloud",
    title="JumpCloud Directory Insights",
    reads=(
        "events of the Directory Insights API (/insights/directory/v1/events)",
        "JSON exports of the Admin Portal, of PowerShell and to S3",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "dst_endpoint.hostname",
        "service.name",
        "device.uid",
        "device.hostname",
        "device.os",
        "device.is_managed",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.credential_accepted",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.non_interactive",
    ),
    documentation="https://docs.jumpcloud.com/api/insights/directory/1.0/index.html",
    recognise=recognise,
    parse=parse,
)
