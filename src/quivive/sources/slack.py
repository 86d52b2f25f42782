"""Slack: events of the Audit Logs API, and the access logs of workspaces without it."""

from typing import Any

from quivive.model.event import (
    Account,
    Activity,
    Actor,
    AuthEvent,
    AutonomousSystem,
    Endpoint,
    HttpRequest,
    Location,
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
from quivive.sources._slack_actions import (
    ANOMALY,
    BOT_DOMAIN,
    BULK,
    KINDS,
    PLACEHOLDER,
    REASONS,
    SLACK_SECURITY,
    TOKEN,
    Kind,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="Slack", vendor_name="Slack")
_SLACK = Service(name="Slack")
_NOTHING = Unmapped()
_EMPTY: dict[str, Any] = {}
_NO_LOGIN = Skip("no authentication event")
_MANY = Skip("sessions of many are ended, and none of them is named")
_PLACES = ("workspace", "enterprise")
_MOST_WORDS = 16
_SCOPES = 400


def recognise(record: RawRecord) -> bool:
    """An action, its actor, and the workspace, address or client that it was done from."""
    event = record.fields
    if event is None:
        return False
    if _is_access(event):
        return True
    actor, context = event.get("actor"), event.get("context")
    if type(event.get("action")) is not str or type(actor) is not dict or "type" not in actor:
        return False
    if type(context) is not dict:
        return False
    if fields.dig(context, "location", "type") in _PLACES:
        return True
    return "ip_address" in context and "ua" in context


def _is_access(event: dict[str, Any]) -> bool:
    return "date_first" in event and "date_last" in event and "user_id" in event and "ip" in event


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, the use of a session or the change of an account that a record tells of."""
    event = record.fields or _EMPTY
    if _is_access(event):
        return _access(record, event)
    action = field(event, "action")
    if action is None:
        raise RejectError("action: missing")
    kind = KINDS.get(action)
    if kind is None:
        return _NO_LOGIN
    details, context = _section(event, "details"), _section(event, "context")
    found = _parties(event, kind)
    if found is None:
        return _MANY
    user, actor = found
    created = event.get("date_create")
    time = fields.timestamp(created, "date_create", default=record.reference_time)
    if kind is ANOMALY and details.get("action_timestamp") not in (None, ""):
        # What is unusual was done before Slack found it so.
        created = details["action_timestamp"]
        time = fields.timestamp(created, "details.action_timestamp")
    app = _app(context)
    if app is not None:
        actor = Actor(user=actor.user if actor else None, app_name=app.name, app_uid=app.uid)
    agent = field(context, "ua")
    session = field(context, "session_id")
    ip = fields.address(context.get("ip_address"))
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        status_detail=_words(details),
        user=user,
        actor=actor,
        service=_SLACK,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        http_request=HttpRequest(user_agent=agent) if agent else None,
        # Of whoever acts.
        session=Session(uid=session) if session and not _is_another(actor) else None,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "id"),
            log_name="Slack audit log",
            original_time=created,
            event_code=action,
            tenant_uid=fields.text(context, "location", "id"),
        ),
        unmapped=_unmapped(event, kind, action, details, app is not None),
    )


def _section(fields_of: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields_of.get(name)
    return value if type(value) is dict else _EMPTY


def _is_another(actor: Actor | None) -> bool:
    return actor is not None and actor.user is not None


def _parties(event: dict[str, Any], kind: Kind) -> tuple[User, Actor | None] | None:
    """Whose account or session it is, and who acted where that is somebody else.

    None for the sessions of a whole workspace.
    """
    actor = _person(_section(_section(event, "actor"), "user"), kind)
    entity = _section(event, "entity")
    told = field(entity, "type")
    if kind is ANOMALY and told == "app":
        app = _app_of(_section(entity, "app"))
        if app is not None:
            return app, None
    about = _person(_section(entity, "user"), None) if told in ("user", None) else None
    if kind.of_entity and about is not None:
        if actor is None or (actor.uid or actor.name) == (about.uid or about.name):
            return about, None
        return about, Actor(user=actor)
    if kind is BULK:
        return None
    if kind.by_admin:
        raise RejectError("entity.user: no name or id of the user")
    actor = actor or about
    if actor is None:
        raise RejectError("actor.user: no name or id of the user")
    return actor, None


def _person(row: dict[str, Any], kind: Kind | None) -> User | None:
    """A user of Slack, whose name there is a shown name; None for the actor that is none."""
    uid, shown, told = field(row, "id"), field(row, "name"), field(row, "email")
    if uid == PLACEHOLDER or (uid is None and shown is None and told is None):
        return None
    mail = fields.email(told)
    type_id = UserType.ADMIN if kind is not None and kind.by_admin else None
    if uid == SLACK_SECURITY:
        type_id = UserType.SYSTEM
    elif mail is not None and mail.endswith(BOT_DOMAIN):
        # The address is the bot's id in another form.
        return User(name=shown or uid or mail, uid=uid, type_id=UserType.SERVICE)
    name = told or shown
    team = field(row, "team")
    return User(
        name=name,
        uid=uid,
        email_addr=mail,
        full_name=shown if shown != name else None,
        type_id=type_id,
        account=Account(uid=team) if team else None,
    )


def _app_of(row: dict[str, Any]) -> User | None:
    name, uid = field(row, "name"), field(row, "id")
    if name is None and uid is None:
        return None
    return User(name=name, uid=uid, type_id=UserType.SERVICE)


def _app(context: dict[str, Any]) -> User | None:
    """The app that did it with a token, on somebody's behalf or as its bot."""
    return _app_of(_section(context, "app"))


def _words(details: dict[str, Any]) -> str | None:
    """Slack's reasons, of an anomaly with what it saw in the address and the client."""
    told = details.get("reason")
    if type(told) is not list:
        return clean(told)
    words = _list(told) + _list(details.get("ip_address_details"))
    words += [w for w in (field(details, "detected_client"), field(details, "scraping_tool")) if w]
    return ", ".join(words) or None


def _list(value: Any) -> list[str]:
    if type(value) is not list:
        word = clean(value)
        return [word] if word else []
    return [word for item in value[:_MOST_WORDS] if (word := clean(item))]


def _unmapped(
    event: dict[str, Any], kind: Kind, action: str, details: dict[str, Any], by_app: bool
) -> Unmapped | None:
    operation = resource = risk = network = None
    if kind.use:
        operation, resource = action, _resource(_section(event, "entity"))
    elif kind is TOKEN:
        entity = _section(_section(event, "entity"), "app")
        scopes = _list(details.get("new_scopes")) or _list(entity.get("scopes"))
        operation = " ".join(scopes)[:_SCOPES] or None
        resource = field(entity, "name") or field(entity, "id")
    elif kind is ANOMALY:
        reasons = _list(details.get("reason"))
        risk = next((r for r in REASONS if r in reasons), reasons[0] if reasons else "anomaly")
        if "tor" in reasons:
            network = "tor"
        elif "cloud-asn" in _list(details.get("ip_address_details")):
            network = "hosting"
    found = Unmapped(
        operation=operation,
        resource=resource,
        vendor_risk=risk,
        network_kind=network,
        non_interactive=by_app or None,
    )
    return None if found == _NOTHING else found


def _resource(entity: dict[str, Any]) -> str | None:
    """What it was done to: a channel, an app, a workspace, a user. Every file is another one, so
    that their names would say nothing of what is usual.
    """
    told = field(entity, "type")
    if told is None or told == "file":
        return None
    row = _section(entity, told)
    mail = field(row, "email") if told == "user" else None
    return mail or field(row, "name") or field(row, "title") or field(row, "id")


def _access(record: RawRecord, row: dict[str, Any]) -> AuthEvent:
    """One client at one address, since when and how often: what the workspace's access log keeps
    in place of each login.
    """
    name, uid = field(row, "username"), field(row, "user_id")
    if name is None and uid is None:
        raise RejectError("user_id: no name or id of the user")
    written = row.get("date_first")
    time = fields.timestamp(written, "date_first", default=record.reference_time)
    count = fields.whole(row.get("count"))
    ip, agent = fields.address(row.get("ip")), field(row, "user_agent")
    country, operator = fields.country(row.get("country")), field(row, "isp")
    region = field(row, "region") if country else None
    place = Location(country=country, region=region) if country else None
    network = AutonomousSystem(name=operator) if operator else None
    source = Endpoint(ip=ip, location=place, autonomous_system=network) if ip else None
    return AuthEvent(
        time=time,
        activity_id=Activity.LOGON,
        status_id=Status.SUCCESS,
        user=User(name=name, uid=uid, email_addr=fields.email(name)),
        service=_SLACK,
        src_endpoint=source,
        http_request=HttpRequest(user_agent=agent) if agent else None,
        count=count if count is not None and 0 < count < 1 << 31 else None,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="Slack access log",
            original_time=written,
        ),
    )


SOURCE = Source(
    name="slack",
    title="Slack",
    reads=(
        "events of the Audit Logs API of an Enterprise organisation, with the anomalies it finds",
        "access logs of a workspace (team.accessLogs): the first time of each client and address",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.account",
        "actor.user",
        "actor.app_name",
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "http_request.user_agent",
        "session.uid",
        "status_detail",
        "count",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.vendor_risk",
        "unmapped.network_kind",
        "unmapped.non_interactive",
    ),
    documentation="https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference",
    recognise=recognise,
    parse=parse,
)
