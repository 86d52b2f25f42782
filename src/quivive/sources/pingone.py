"""PingOne audit activities: of the platform's API, and of webhooks in their formats."""

from typing import Any

from msgspec.structs import replace

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Endpoint,
    HttpRequest,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._pingone_words import (
    CALL,
    CHALLENGE,
    FAILURES,
    PROFILE,
    STEPS,
    SUCCESSES,
    Kind,
    kind_of,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="PingOne", vendor_name="Ping Identity")
_PINGONE = Service(name="PingOne")
_NOTHING = Unmapped()
_EMPTY: dict[str, Any] = {}
_LONGEST_ACTION = 80
_MOST_RESOURCES = 16
_CONSOLE = "PingOne Admin Console"
_OF_ADMINISTRATORS = "adminIdentityEvent"
_NO_LOGIN = Skip("no authentication event")
_STEP = Skip("a step of a sign-on that its own record tells")
_OF_ENVIRONMENT = Skip("a setting of the environment, of no user")
_NOBODY = Skip("names nobody: refused before anyone was known")
_PLATFORM = Skip("done by PingOne itself, for no named user")


def recognise(record: RawRecord) -> bool:
    """A type of action in capitals, its result, and the time that PingOne recorded it."""
    log = _log_of(record.fields)
    action = log.get("action")
    word = action.get("type") if type(action) is dict else None
    if type(word) is not str or not 2 < len(word) <= _LONGEST_ACTION or not word.isascii():
        return False
    if "." not in word or not word.replace(".", "").replace("_", "").isalpha():
        return False
    if word != word.upper() or type(log.get("result")) is not dict:
        return False
    return "recordedAt" in log or ("createdAt" in log and type(log.get("resources")) is list)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The sign-on, challenge, change of an account or administrator's deed of an activity."""
    log = _log_of(record.fields)
    action = fields.text(log, "action", "type")
    if action is None:
        raise RejectError("action.type: missing")
    kind = kind_of(action)
    if kind is None:
        return _STEP if action.partition(".")[0] in STEPS else _NO_LOGIN
    result = fields.mapping(log, "result")
    word = field(result, "status")
    told = _status(word)
    status = told if kind.status is None else kind.status
    if kind.only_failures and status != Status.FAILURE:
        return _STEP
    name = "createdAt" if log.get("recordedAt") in (None, "") else "recordedAt"
    written = log.get(name)
    time = fields.timestamp(written, name, default=record.reference_time)
    resources = [item for item in fields.items(log, "resources") if type(item) is dict]
    resources = resources[:_MOST_RESOURCES]
    actors = fields.mapping(log, "actors")
    client = fields.mapping(actors, "client")
    acting = _user(fields.mapping(actors, "user"), log)
    target = next((_user(item, log) for item in resources if item.get("type") == "USER"), None)
    if kind.of_user and target is None:
        return _OF_ENVIRONMENT
    if action == PROFILE and acting is not None and acting == target:
        return _NO_LOGIN
    user = acting or _machine(client) if kind.by_actor else target or acting
    if user is None:
        if kind.by_actor:
            return _PLATFORM
        if status != Status.SUCCESS or kind.activity == Activity.LOGOFF:
            return _NOBODY
        raise RejectError("actors.user: no name or id of the user")
    actor = None if kind.by_actor else _actor(kind, user, acting, client)
    own = kind.own if acting is not None and actor is None else None
    if status == Status.SUCCESS and kind.activity == Activity.LOGON:
        if field(client, "name") == _CONSOLE and not kind.by_actor:
            user = replace(user, type_id=UserType.ADMIN)
    agent = fields.text(log, "source", "userAgent")
    ip = _address(fields.dig(log, "source", "ipAddress"))
    session = _session(log, resources)
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=own or kind.name,
        status_id=status,
        status=word if told == status else None,
        status_detail=field(result, "description") if status != Status.SUCCESS else None,
        user=user,
        actor=actor,
        service=_service(kind, client),
        src_endpoint=Endpoint(ip=ip) if ip else None,
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=Session(uid=session) if session else None,
        is_mfa=True if kind.mfa and status == Status.SUCCESS else None,
        auth_factors=(kind.factor,) if kind.factor else None,
        auth_protocol=kind.protocol,
        auth_protocol_id=kind.protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(log, "id"),
            log_name="PingOne audit activities",
            original_time=written,
            event_code=action,
            correlation_uid=field(log, "correlationId"),
            tenant_uid=_environment(actors, resources),
        ),
        unmapped=_unmapped(kind, action, status, acting, resources),
    )


def _log_of(value: dict[str, Any] | None) -> dict[str, Any]:
    """The activity itself; the format for Splunk wraps it."""
    if value is None:
        return _EMPTY
    inner = value.get("event")
    if type(inner) is dict and "action" not in value:
        return inner
    return value


def _status(word: str | None) -> Status:
    if word is None:
        return Status.UNKNOWN
    if word.lower() in SUCCESSES:
        return Status.SUCCESS
    return Status.FAILURE if word.lower() in FAILURES else Status.OTHER


def _user(found: dict[str, Any], log: dict[str, Any]) -> User | None:
    """A user goes by what they type to sign on; PingOne marks what is about administrators."""
    name, uid = field(found, "name"), field(found, "id")
    if name is None and uid is None:
        return None
    tags = log.get("tags")
    admin = type(tags) is list and _OF_ADMINISTRATORS in tags
    kind = UserType.ADMIN if admin else UserType.USER if uid else None
    return User(name=name, uid=uid, email_addr=fields.email(name), type_id=kind)


def _machine(client: dict[str, Any]) -> User | None:
    """A worker application that acts in nobody's name."""
    name, uid = field(client, "name"), field(client, "id")
    if name is None and uid is None:
        return None
    return User(name=name or uid, uid=uid, type_id=UserType.SERVICE)


def _actor(kind: Kind, user: User, acting: User | None, client: dict[str, Any]) -> Actor | None:
    """Somebody else, or a program, who did it to the user's account."""
    name, uid = field(client, "name"), field(client, "id")
    if acting is not None:
        same = acting.uid == user.uid if acting.uid and user.uid else acting.name == user.name
        return None if same else Actor(user=acting, app_name=name, app_uid=uid)
    if kind.activity == Activity.LOGON or kind.name == CHALLENGE or not (name or uid):
        return None
    return Actor(app_name=name, app_uid=uid)


def _service(kind: Kind, client: dict[str, Any]) -> Service:
    """The application that the user signs on to."""
    if kind.by_actor or (kind.activity == Activity.OTHER and kind.name != CHALLENGE):
        return _PINGONE
    name, uid = field(client, "name"), field(client, "id")
    return Service(name=name, uid=uid) if name or uid else _PINGONE


def _address(value: Any) -> str | None:
    """The first of a list is the client."""
    return fields.address(value.partition(",")[0] if type(value) is str else value)


def _session(log: dict[str, Any], resources: list[dict[str, Any]]) -> str | None:
    for item in resources:
        if item.get("type") == "SESSION":
            return field(item, "id")
    return fields.text(log, "internalCorrelation", "sessionId")


def _environment(actors: dict[str, Any], resources: list[dict[str, Any]]) -> str | None:
    for item in (*resources, actors.get("user"), actors.get("client")):
        found = fields.text(item, "environment", "id")
        if found is not None:
            return found
    return None


def _unmapped(
    kind: Kind,
    action: str,
    status: Status,
    acting: User | None,
    resources: list[dict[str, Any]],
) -> Unmapped | None:
    resource = None
    if kind.by_actor and resources:
        resource = clean(resources[0].get("name")) or clean(resources[0].get("id"))
    call = kind is CALL
    refused = call and status == Status.FAILURE
    found = Unmapped(
        credential_accepted=True if kind.accepted or refused else None,
        operation=action if call else None,
        resource=resource,
        vendor_risk=kind.risk,
        non_interactive=True if kind.by_actor and acting is None else None,
    )
    return None if found == _NOTHING else found


SOURCE = Source(
    name="pingone",
    title="PingOne audit activities",
    reads=(
        "audit activities of the platform's API (/environments/{id}/activities), one an object",
        "webhooks in the Ping Activity format, and in that for Splunk",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "actor.user",
        "actor.app_name",
        "src_endpoint.ip",
        "service.name",
        "session.uid",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_detail",
        "unmapped.credential_accepted",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.vendor_risk",
        "unmapped.non_interactive",
    ),
    documentation="https://developer.pingidentity.com/pingone-api/platform/audit-activities.html",
    recognise=recognise,
    parse=parse,
)
