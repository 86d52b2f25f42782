"""Box: events of an enterprise, with the alerts of Box Shield."""

from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    AutonomousSystem,
    Endpoint,
    Location,
    Product,
    Service,
    Session,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._box_events import (
    ALERT,
    ANONYMOUS,
    AUTOMATION,
    CODE,
    KINDS,
    TOKEN,
    Kind,
    suspect_of,
)
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="Box", vendor_name="Box")
_BOX = Service(name="Box")
_NOTHING = Unmapped()
_EMPTY: dict[str, Any] = {}
_NO_LOGIN = Skip("no authentication event")
_ANONYMOUS = Skip("done by nobody who is logged in")
_CONTENT = Skip("an alert about a file's content")


def recognise(record: RawRecord) -> bool:
    """An event of Box: its type in capitals, and who made it or what it came from."""
    event = record.fields
    if event is None or event.get("type") != "event":
        return False
    kind = event.get("event_type")
    if type(kind) is not str or kind != kind.upper():
        return False
    return type(event.get("created_by")) is dict or "source" in event


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, the use of a session or the change of an account that an event tells of."""
    event = record.fields or _EMPTY
    name = field(event, "event_type")
    if name is None:
        raise RejectError("event_type: missing")
    kind = KINDS.get(name)
    if kind is None:
        return _NO_LOGIN
    if kind is ALERT:
        return _alert(record, event)
    written = event.get("created_at")
    time = fields.timestamp(written, "created_at", default=record.reference_time)
    found = _parties(event, kind)
    if isinstance(found, Skip):
        return found
    user, actor = found
    ip = fields.address(event.get("ip_address"))
    session = field(event, "session_id")
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        user=user,
        actor=Actor(user=actor) if actor else None,
        service=_service(event),
        src_endpoint=Endpoint(ip=ip) if ip else None,
        # Of whoever acts.
        session=Session(uid=session) if session and actor is None else None,
        auth_protocol="OAUTH 2.0" if kind.token else None,
        auth_protocol_id=6 if kind.token else None,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "event_id"),
            log_name="Box events",
            original_time=written,
            event_code=name,
        ),
        unmapped=_unmapped(event, kind, name),
    )


def _section(row: dict[str, Any], name: str) -> dict[str, Any]:
    value = row.get(name)
    return value if type(value) is dict else _EMPTY


def _parties(event: dict[str, Any], kind: Kind) -> tuple[User, User | None] | Skip:
    """Whose account or session it is, and who acted where that is somebody else."""
    made = _section(event, "created_by")
    actor = _person(made, kind)
    source = _section(event, "source")
    about = None
    if kind.of_source and field(source, "type") == "user":
        about = _person(source, kind)
    if about is not None and actor is not None and _id(about) == _id(actor):
        about = actor
    user = about or actor
    if user is None:
        if field(made, "id") == ANONYMOUS:
            return _ANONYMOUS
        raise RejectError("created_by: no name or id of the user")
    return user, actor if actor is not user else None


def _id(user: User) -> str | None:
    return user.uid or user.name


def _person(row: dict[str, Any], kind: Kind | None = None) -> User | None:
    """A user by login; None for whoever is not logged in."""
    uid, login, shown = field(row, "id"), field(row, "login"), field(row, "name")
    if uid == ANONYMOUS or (uid is None and login is None and shown is None):
        return None
    name = login or shown
    machine = login is not None and login.startswith(AUTOMATION)
    type_id = UserType.ADMIN if kind is not None and kind.admin else None
    return User(
        name=name,
        uid=uid,
        email_addr=fields.email(login),
        full_name=shown if shown != name else None,
        type_id=UserType.SERVICE if machine else type_id,
    )


def _service(event: dict[str, Any]) -> Service:
    """The application that it was done with, where Box names it."""
    details = _section(event, "additional_details")
    name, uid = field(details, "service_name"), field(details, "service_id")
    return Service(name=name, uid=uid) if name or uid else _BOX


def _unmapped(event: dict[str, Any], kind: Kind, name: str) -> Unmapped | None:
    source = _section(event, "source")
    resource = None
    # Of the things it is done to, only these: every file is another one, and new to everybody.
    if kind.use and field(source, "type") == "user":
        resource = field(source, "login") or field(source, "id")
    elif kind is TOKEN:
        resource = field(source, "name") or field(source, "id")
    operation = name if kind.use else None
    found = Unmapped(operation=operation, resource=resource, vendor_risk=kind.risk)
    return None if found == _NOTHING else found


def _alert(record: RawRecord, event: dict[str, Any]) -> AuthEvent | Skip:
    """What Box Shield found a user's session suspicious for, at the time and place of that."""
    alert = _section(_section(event, "additional_details"), "shield_alert")
    category = field(alert, "rule_category")
    if category is not None and category.lower() == CODE:
        return _CONTENT
    row = _section(alert, "user")
    told = {"id": row.get("id"), "login": row.get("email"), "name": row.get("name")}
    user = _person(told)
    if user is None:
        raise RejectError("additional_details.shield_alert.user: no name or id of the user")
    suspect = suspect_of(alert)
    written = suspect.get("occurred_at") or alert.get("created_at") or event.get("created_at")
    app = field(suspect, "service_name")
    return AuthEvent(
        time=fields.timestamp(written, "created_at", default=record.reference_time),
        activity_id=ALERT.activity,
        status_id=ALERT.status,
        status_detail=fields.text(alert, "alert_summary", "description")
        or field(alert, "rule_name"),
        user=user,
        service=Service(name=app) if app else _BOX,
        src_endpoint=_place(_section(suspect, "ip_info")),
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "event_id"),
            log_name="Box Shield alerts",
            original_time=written,
            event_code="SHIELD_ALERT",
        ),
        unmapped=Unmapped(vendor_risk=category or "shield_alert"),
    )


def _place(info: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(info.get("ip"))
    if ip is None:
        return None
    place = Location(
        city=field(info, "city_name"),
        region=field(info, "region_name"),
        country=fields.country(info.get("country_code")),
    )
    holder = field(info, "registrant")
    return Endpoint(
        ip=ip,
        location=place if place.country or place.city or place.region else None,
        autonomous_system=AutonomousSystem(name=holder) if holder else None,
    )


SOURCE = Source(
    name="box",
    title="Box",
    reads=(
        "events of an enterprise (admin_logs, admin_logs_streaming), one an object",
        "alerts of Box Shield about sessions, locations and downloads",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "service.name",
        "session.uid",
        "auth_protocol",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.vendor_risk",
    ),
    documentation="https://developer.box.com/guides/events/enterprise-events/for-enterprise/",
    recognise=recognise,
    parse=parse,
)
