"""OneLogin events: of the Events API, and of event webhooks as arrays or lines for a SIEM."""

from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    AuthFactor,
    Device,
    DeviceType,
    Endpoint,
    HttpRequest,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._onelogin_words import (
    ASSUMED,
    CLIENTS,
    KINDS,
    NEW_KEY,
    NOTE,
    PASSWORD_CHANGE,
    PASSWORD_RESET,
    PROTOCOLS,
    PUSH,
    PUSH_REFUSED,
    REVEALED,
    Kind,
    factor_of,
    risk_of,
)
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="OneLogin", vendor_name="One Identity")
_ONELOGIN = Service(name="OneLogin")
_NOTHING = Unmapped()
_EMPTY: dict[str, Any] = {}
_HIGHEST_TYPE = 99_999
_HINTS = (
    *("actor_user_id", "actor_user_name", "actor_system", "account_id", "user_name", "user_id"),
    *("assuming_acting_user_id", "otp_device_id", "directory_sync_run_id", "risk_score", "ipaddr"),
)
_ENOUGH = 2
_ABOUT_FACTORS = frozenset({"MFA Challenge", "Factor Enroll", "Factor Reset"})
_NO_LOGIN = Skip("no authentication event")
_NOBODY = Skip("names nobody: refused before anyone was known")


def recognise(record: RawRecord) -> bool:
    """The number of an event type beside the members that only OneLogin's events have."""
    log = _log_of(record.fields)
    number = fields.integer(log, "event_type_id")
    if number is None or not 0 < number <= _HIGHEST_TYPE:
        return False
    return sum(name in log for name in _HINTS) >= _ENOUGH


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, challenge, change of an account or use of the API that an event tells of."""
    log = _log_of(record.fields)
    number = fields.integer(log, "event_type_id")
    if number is None:
        raise RejectError("event_type_id: missing or no number")
    kind = KINDS.get(number)
    if kind is None:
        return _NO_LOGIN
    written, time = _time(record, log)
    target = _user(log, "user_id", "user_name", fields.mapping(log, "user_attributes"))
    acting = _user(log, "actor_user_id", "actor_user_name", _EMPTY)
    if acting is not None and acting.uid is None and acting.name == field(log, "actor_system"):
        acting = None
    user = _identity(kind, number, log, target, acting)
    if user is None:
        if kind.status != Status.SUCCESS:
            return _NOBODY
        raise RejectError("user_id: no name or id of the user")
    actor = _actor(kind, log, user, acting)
    if kind is PASSWORD_CHANGE and actor is not None and actor.user is not None:
        kind = PASSWORD_RESET
    factor = _factor(kind, log)
    protocol, protocol_id = _protocol(kind, log)
    agent = field(log, "user_agent")
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        status_detail=_words(log) if kind.status != Status.SUCCESS else None,
        user=user,
        actor=actor,
        service=_service(kind, log),
        src_endpoint=_source_endpoint(log),
        device=_device(log),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        is_mfa=True if kind.mfa or (factor and kind.activity == Activity.LOGON) else None,
        auth_factors=(factor,) if factor else None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(log, "uuid") or field(log, "id"),
            log_name="OneLogin events",
            original_time=written,
            event_code=str(number),
            tenant_uid=field(log, "account_id"),
        ),
        unmapped=_unmapped(kind, log, target),
    )


def _log_of(value: dict[str, Any] | None) -> dict[str, Any]:
    """The event itself; a line for a SIEM has it as its only member."""
    if value is None:
        return _EMPTY
    inner = value.get("event")
    if type(inner) is dict and "event_type_id" not in value:
        return inner
    return value


def _time(record: RawRecord, log: dict[str, Any]) -> tuple[Any, int]:
    """As written and in ms UTC; a webhook writes "2026-03-02 08:14:05 UTC"."""
    name = "event_timestamp" if log.get("created_at") in (None, "") else "created_at"
    written = log.get(name)
    iso = f"{written[:-4]}Z" if type(written) is str and written.endswith(" UTC") else written
    return written, fields.timestamp(iso, name, default=record.reference_time)


def _user(
    log: dict[str, Any], uid_name: str, name_name: str, attributes: dict[str, Any]
) -> User | None:
    """A user goes by first and last name, or by address where there are none; a webhook may be
    set to tell the user's attributes."""
    uid, shown = field(log, uid_name), field(log, name_name)
    login, mail = field(attributes, "username"), fields.email(field(attributes, "email"))
    name = login or mail or shown
    if uid is None and (name is None or "::" in name):  # "OneLogin::Provisioning"
        return None
    return User(
        name=name,
        uid=uid,
        email_addr=mail or fields.email(name),
        full_name=shown if shown != name else None,
        # A failed login may name anything at all.
        type_id=UserType.USER if uid else None,
    )


def _client(log: dict[str, Any]) -> User | None:
    """The API credential that the call was made with."""
    uid, name = field(log, "client_id"), field(log, "api_credential_name")
    if uid is None and name is None:
        return None
    return User(name=name or uid, uid=uid, type_id=UserType.SERVICE, credential_uid=uid)


def _application(log: dict[str, Any]) -> User | None:
    uid, name = field(log, "app_id"), field(log, "app_name")
    if uid is None and name is None:
        return None
    return User(name=name or uid, uid=uid, type_id=UserType.SERVICE)


def _identity(
    kind: Kind, number: int, log: dict[str, Any], target: User | None, acting: User | None
) -> User | None:
    if number in CLIENTS:
        return _client(log) or _application(log)
    if kind.by_client:
        return _client(log) or acting
    if kind.by_actor:
        return acting or _client(log) or (None if kind is ASSUMED else target)
    return target or acting


def _actor(kind: Kind, log: dict[str, Any], user: User, acting: User | None) -> Actor | None:
    """Whoever assumed the user or acted on them; a program goes by the name of its credential."""
    assuming = field(log, "assuming_acting_user_id")
    if assuming is not None and assuming != user.uid:
        return Actor(user=User(uid=assuming))
    if log.get("assumed_by_superadmin_or_reseller") in (True, 1, "1", "true"):
        return Actor(app_name="superadmin or reseller")
    if kind.by_client or kind.by_actor:
        return None
    other = acting is not None and acting.uid is not None and acting.uid != user.uid
    if other and user.uid is not None:
        return Actor(user=acting)
    if not kind.of_target or (acting is not None and acting.uid is not None):
        return None
    uid = field(log, "client_id")
    name = field(log, "api_credential_name") or field(log, "actor_system")
    return Actor(app_name=name, app_uid=uid) if name or uid else None


def _service(kind: Kind, log: dict[str, Any]) -> Service:
    """The application that the user logs in to, or what asks OneLogin over RADIUS."""
    if kind.operation is not None or kind.by_actor:
        return _ONELOGIN
    name, uid = field(log, "app_name"), field(log, "app_id")
    if name is None and uid is None:
        name, uid = field(log, "radius_config_name"), field(log, "radius_config_id")
    return Service(name=name, uid=uid) if name or uid else _ONELOGIN


def _source_endpoint(log: dict[str, Any]) -> Endpoint | None:
    ip, proxy = fields.address(log.get("ipaddr")), fields.address(log.get("proxy_ip"))
    if ip is None:
        return None
    return Endpoint(ip=ip, intermediate_ips=(proxy,) if proxy and proxy != ip else None)


def _device(log: dict[str, Any]) -> Device | None:
    """The browser, by the cookie of OneLogin's risk service or by its fingerprint."""
    uid = field(log, "risk_cookie_id") or field(log, "browser_fingerprint")
    return Device(type_id=DeviceType.BROWSER, uid=uid) if uid else None


def _factor(kind: Kind, log: dict[str, Any]) -> AuthFactor | None:
    """The second factor that a login was completed with, or that was asked for or changed."""
    if kind is PUSH_REFUSED:
        return PUSH
    if kind.activity == Activity.LOGON:
        if kind.status != Status.SUCCESS or kind.operation or kind.by_actor or kind.background:
            return None
    elif kind.name not in _ABOUT_FACTORS:
        return None
    name = field(log, "otp_device_name") or field(log, "authentication_factor_type")
    if name is None and field(log, "otp_device_id") is not None:
        name = "OTP device"
    return factor_of(name) if name else None


def _protocol(kind: Kind, log: dict[str, Any]) -> tuple[str | None, int | None]:
    """OneLogin notes "Initiated by OneLogin via SAML" beside a login to an application."""
    if kind.protocol is not None or kind.activity != Activity.LOGON:
        return kind.protocol, kind.protocol_id
    notes = (field(log, "notes") or "").lower()
    return next((found for words, found in PROTOCOLS if words in notes), (None, None))


def _words(log: dict[str, Any]) -> str | None:
    return field(log, "error_description") or field(log, "custom_message") or field(log, "notes")


def _unmapped(kind: Kind, log: dict[str, Any], target: User | None) -> Unmapped | None:
    on = (target.name or target.uid) if target else None
    resource = None
    if kind is REVEALED:
        app = field(log, "app_name")
        resource = f"{app} of {on}" if app and on else app or on
    elif kind is NOTE:
        resource = field(log, "note_title")
    elif kind is NEW_KEY:
        resource = field(log, "api_credential_name")
    elif kind.operation is not None:
        resource = on
    found = Unmapped(
        credential_accepted=kind.accepted or None,
        operation=kind.operation,
        resource=resource,
        role=on if kind is ASSUMED else None,
        vendor_risk=risk_of(fields.integer(log, "risk_score")),
        non_interactive=kind.background or None,
    )
    return None if found == _NOTHING else found


SOURCE = Source(
    name="onelogin",
    title="OneLogin events",
    reads=(
        "events of the Events API (/api/1/events), one an object",
        "event webhooks, in the formats JSON Array and SIEM (NDJSON)",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.credential_uid",
        "actor.user",
        "actor.app_name",
        "src_endpoint.ip",
        "src_endpoint.intermediate_ips",
        "service.name",
        "device.uid",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_detail",
        "unmapped.credential_accepted",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.vendor_risk",
        "unmapped.non_interactive",
    ),
    documentation="https://developers.onelogin.com/api-docs/1/events/event-resource",
    recognise=recognise,
    parse=parse,
)
