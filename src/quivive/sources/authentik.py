"""authentik events: objects of its API, and the JSON lines of its containers."""

from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    AuthFactor,
    AutonomousSystem,
    Endpoint,
    HttpRequest,
    Location,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._authentik_words import (
    APPLICATION,
    CHALLENGE,
    CHANGES,
    DEVICES,
    ENROLL,
    FAILED,
    IMPERSONATION,
    KINDS,
    LOGIN,
    OTHERS,
    PASSKEY,
    PASSWORD,
    PASSWORD_CHANGE,
    PASSWORD_RESET,
    RESET,
    REVOKED,
    SECOND,
    SOURCES,
    TOKEN,
    USE,
    Kind,
    device_class,
)
from quivive.sources.fields import field, mapping
from quivive.sources.source import Source

_PRODUCT = Product(name="authentik", vendor_name="Authentik Security")
_AUTHENTIK = Service(name="authentik")
_NOTHING = Unmapped()
_ANONYMOUS = "AnonymousUser"
_OUTPOST = "ak-outpost-"
_CLIENT = "-client_credentials"
_UNKNOWN_IP = "255.255.255.255"
_INVALID = "invalid_login"
_CREATED = "Created Event"
_LAST_ASN = 2**32 - 1

_OTHER_LINE = Skip("another line of a container")
_NO_LOGIN = Skip("no authentication event")
_BY_FLOW = Skip("a change that no administrator made")
_NO_USER = Skip("an attempt without a user")
_BY_NOBODY = Skip("a change by nobody who is logged in")


def recognise(record: RawRecord) -> bool:
    """A line of authentik's own loggers, or an event of the API with its members."""
    row = record.fields
    if row is None:
        return False
    logger = row.get("logger")
    if type(logger) is str and logger.startswith("authentik."):
        return "event" in row and ("timestamp" in row or "level" in row)
    action = row.get("action")
    if type(action) is not str or not (
        action in KINDS or action in CHANGES or action in OTHERS or action.startswith("custom_")
    ):
        return False
    return "app" in row and "context" in row and "created" in row and "user" in row


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login or the change around one that an event tells of; a Skip for all else."""
    row = record.fields or {}
    logged = "logger" in row and "created" not in row
    if logged and row.get("event") not in (_CREATED, _INVALID):
        return _OTHER_LINE
    action = field(row, "action")
    if action is None:
        raise RejectError("action: missing")
    context = mapping(row, "context")
    http = mapping(context, "http_request")
    kind = _kind(action, context, field(http, "path") or "")
    if isinstance(kind, Skip):
        return kind
    user, actor, taken = _parties(row, context, kind)
    if user is None:
        if kind.status == Status.FAILURE:
            return _NO_USER
        if action in CHANGES or kind.use or kind is TOKEN:
            return _BY_NOBODY
        raise RejectError("user: no name or id of the user")
    method = field(context, "auth_method")
    if kind is LOGIN:
        user = _with_credential(user, context, method)
    factors, is_mfa = _factors(kind, context, method)
    protocol, protocol_id = _protocol(row, kind, context)
    written = row.get("timestamp") if logged else row.get("created")
    agent = field(http, "user_agent")
    return AuthEvent(
        time=fields.timestamp(
            written, "timestamp" if logged else "created", default=record.reference_time
        ),
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        status_code="invalid_identifier" if action == "invalid_identifier" else None,
        status_detail=field(context, "reason") or field(context, "message"),
        user=user,
        actor=actor,
        service=_service(context),
        src_endpoint=_source_endpoint(row, context),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        is_mfa=is_mfa,
        auth_factors=factors or None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(row, "pk") if not logged else None,
            log_name="authentik events",
            original_time=written,
            event_code=action,
            correlation_uid=field(http, "request_id") or field(row, "request_id"),
        ),
        unmapped=_unmapped(kind, action, context, method, taken),
    )


def _kind(action: str, context: dict[str, Any], path: str) -> Kind | Skip:
    if action in CHANGES:
        return _change(action, field(mapping(context, "model"), "model_name"), path)
    kind = KINDS.get(action)
    if kind is None:
        return _NO_LOGIN
    if kind is FAILED and (
        "device_class" in context
        or field(mapping(context, "stage"), "app") == "authentik_stages_authenticator_validate"
    ):
        return CHALLENGE
    if kind is REVOKED and "token" not in (field(context, "message") or "").lower():
        return _NO_LOGIN
    # Through the API, an administrator sets another's password.
    if kind is PASSWORD_CHANGE and path.rstrip("/").endswith("/set_password"):
        return PASSWORD_RESET
    return kind


def _change(action: str, model: str | None, path: str) -> Kind | Skip:
    """A change of a second factor or a token; else what an administrator did by the API."""
    by_admin = path.startswith("/api/") and "/flows/" not in path
    if device_class(model) is not None and "/authenticators/admin/" not in path:
        if action == "model_updated":
            return _NO_LOGIN
        return ENROLL if action == "model_created" else RESET
    if model == "token" and action == "model_created":
        return TOKEN
    return USE if by_admin and model is not None else _BY_FLOW


def _parties(
    row: dict[str, Any], context: dict[str, Any], kind: Kind
) -> tuple[User | None, Actor | None, str | None]:
    """The user, whoever acts as them, and the account that an impersonation takes."""
    if kind is FAILED or kind is CHALLENGE:
        # Nobody is logged in yet, and the record's own user is nobody.
        name = field(context, "username") or field(row, "identifier")
        if name is None:
            return None, None, None
        return User(name=name, email_addr=fields.email(name)), None, None
    by = mapping(row, "user")
    user = _user(by)
    behalf = mapping(by, "on_behalf_of")
    other = _user(behalf)
    if other is None:
        return user, None, None
    if kind is IMPERSONATION:
        return user, None, other.name or other.uid
    return other, Actor(user=user) if user else None, None


def _user(party: dict[str, Any]) -> User | None:
    name, number = field(party, "username"), field(party, "pk")
    if name == _ANONYMOUS or (name is None and number is None):
        return None
    # Users are numbered from 1; elsewhere, the number alone would be somebody else's.
    uid = f"pk:{number}" if number is not None else None
    mail = fields.email(field(party, "email")) or fields.email(name)
    type_id = None
    if name is not None and name.startswith(_OUTPOST):
        type_id = UserType.SYSTEM
    elif name is not None and name.endswith(_CLIENT):
        type_id = UserType.SERVICE
    return User(name=name, uid=uid, email_addr=mail, type_id=type_id)


def _with_credential(user: User, context: dict[str, Any], method: str | None) -> User:
    """The user with the token, or the passkey, that was used."""
    args = mapping(context, "auth_method_args")
    credential = field(args, "identifier") if method == "token" else None
    device = mapping(args, "device")
    number = field(device, "pk")
    if credential is None and number is not None:
        credential = f"{field(device, 'model_name') or 'device'}:{number}"
    type_id = user.type_id
    if type_id is None and method == "jwt":
        type_id = UserType.SERVICE
    elif type_id is None and method in ("password", "ldap", "auth_mfa", PASSKEY):
        type_id = UserType.USER
    return User(
        name=user.name,
        uid=user.uid,
        email_addr=user.email_addr,
        type_id=type_id,
        credential_uid=credential,
    )


def _factors(
    kind: Kind, context: dict[str, Any], method: str | None
) -> tuple[tuple[AuthFactor, ...], bool | None]:
    """The factors of a login, failed challenge or change, and whether they are more than one."""
    if kind is CHALLENGE:
        found = DEVICES.get(field(context, "device_class") or "")
        return (found,) if found else (), None
    if kind is ENROLL or kind is RESET:
        word = device_class(field(mapping(context, "model"), "model_name"))
        return (DEVICES[word],) if word else (), None
    if kind is not LOGIN:
        return (), None
    args = mapping(context, "auth_method_args")
    listed = fields.items(args, "mfa_devices")
    words = [device_class(fields.text(device, "model_name")) for device in listed]
    if method == PASSKEY:
        words.append(device_class(field(mapping(args, "device"), "model_name")) or "webauthn")
    first = (PASSWORD,) if method in ("password", "ldap") else ()
    shown = first + tuple(DEVICES[word] for word in dict.fromkeys(words) if word)
    if listed and (first or method == PASSKEY or "source" in context):
        return shown, True
    return shown, False if first and "source" not in context else None


def _protocol(
    row: dict[str, Any], kind: Kind, context: dict[str, Any]
) -> tuple[str | None, int | None]:
    if kind is APPLICATION:
        app = field(row, "app") or ""
        scopes = (field(context, "scopes") or "").split()
        if "openid" in scopes:
            return "OpenID", 4
        if scopes or ".oauth2" in app:
            return "OAUTH 2.0", 6
        return ("SAML", 5) if ".saml" in app else (None, None)
    if kind is REVOKED or (kind is LOGIN and "application" in context):
        return "OAUTH 2.0", 6
    source = field(mapping(context, "source"), "app")
    return SOURCES.get(source or "", (None, None)) if kind is LOGIN else (None, None)


def _service(context: dict[str, Any]) -> Service:
    for member in ("authorized_application", "application", "provider"):
        found = mapping(context, member)
        name, uid = field(found, "name"), field(found, "pk")
        if name or uid:
            return Service(name=name, uid=uid)
    return _AUTHENTIK


def _source_endpoint(row: dict[str, Any], context: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(row.get("client_ip"))
    if ip is None or ip == _UNKNOWN_IP:
        return None
    geo, network = mapping(context, "geo"), mapping(context, "asn")
    country, city = fields.country(geo.get("country")), field(geo, "city")
    number, operator = fields.integer(network, "asn"), field(network, "as_org")
    if number is not None and not 0 < number <= _LAST_ASN:
        number = None
    location = None
    if country or city:
        location = Location(
            city=city,
            country=country,
            lat=_degrees(geo.get("lat"), 90),
            long=_degrees(geo.get("long"), 180),
        )
    system = AutonomousSystem(number=number, name=operator) if number or operator else None
    return Endpoint(ip=ip, location=location, autonomous_system=system)


def _degrees(value: Any, limit: int) -> float | None:
    found = fields.number(value)
    return found if found is not None and abs(found) <= limit else None


def _unmapped(
    kind: Kind, action: str, context: dict[str, Any], method: str | None, taken: str | None
) -> Unmapped | None:
    model = mapping(context, "model")
    operation = resource = None
    if kind.use:
        operation = " ".join(filter(None, (action, field(model, "model_name"))))
        resource = field(model, "name") or field(mapping(context, "secret"), "name")
    elif kind is APPLICATION:
        operation = field(context, "scopes")
    elif kind is TOKEN or kind is ENROLL or kind is RESET:
        resource = field(model, "name") or field(mapping(context, "source"), "name")
    proven = kind is CHALLENGE and field(context, "device_class") in SECOND
    machine = kind is REVOKED or (kind is LOGIN and method in ("token", "jwt"))
    found = Unmapped(
        credential_accepted=proven or None,
        operation=operation,
        resource=resource,
        role=taken,
        non_interactive=machine or None,
    )
    return None if found == _NOTHING else found


SOURCE = Source(
    name="authentik",
    title="authentik",
    reads=(
        "events of the API (/api/v3/events/events/)",
        "the JSON lines of the server's and the worker's containers",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "service.name",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://docs.goauthentik.io/sys-mgmt/events/event-actions",
    recognise=recognise,
    parse=parse,
)
