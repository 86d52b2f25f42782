"""Atlassian: the audit log of an organisation, over Jira, Confluence, Bitbucket and the rest."""

from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    Endpoint,
    Location,
    Product,
    Service,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._atlassian_actions import IMPERSONATION, TOKEN, Kind, kind_of
from quivive.sources.countries import country_code
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="Atlassian", vendor_name="Atlassian")
_ATLASSIAN = Service(name="Atlassian")
_NOTHING = Unmapped()
_EMPTY: dict[str, Any] = {}
_OTHER_KIND = Skip("no event of the audit log")
_LONGEST = 128
_SERVICE_ACCOUNT = "@serviceaccount.atlassian.com"
_USERS = frozenset({"users", "user"})
_SITES = frozenset({"sites", "site"})


def recognise(record: RawRecord) -> bool:
    """The attributes of an event: its action, its actor, and what it was done in."""
    event = record.fields
    if event is None:
        return False
    inner = event.get("attributes")
    if type(inner) is not dict or type(inner.get("action")) is not str:
        return False
    return type(inner.get("actor")) is dict and ("container" in inner or "context" in inner)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, the use of a session or token, or the change of an account that an event is."""
    event = record.fields or _EMPTY
    if event.get("type") not in ("events", None):
        return _OTHER_KIND
    inner = _section(event, "attributes")
    action = field(inner, "action")
    if action is None:
        raise RejectError("attributes.action: missing")
    kind = kind_of(action[:_LONGEST])
    written = inner.get("time")
    time = fields.timestamp(written, "attributes.time", default=record.reference_time)
    user, actor = _parties(inner, kind)
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        status_detail=field(_section(event, "message"), "content"),
        user=user,
        actor=Actor(user=actor) if actor else None,
        service=_service(inner),
        src_endpoint=_source_endpoint(_section(inner, "location")),
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "id"),
            log_name="Atlassian organisation audit log",
            original_time=written,
            event_code=action,
        ),
        unmapped=_unmapped(inner, kind, action),
    )


def _section(row: dict[str, Any], name: str) -> dict[str, Any]:
    value = row.get(name)
    return value if type(value) is dict else _EMPTY


def _first(inner: dict[str, Any], name: str, types: frozenset[str] | None) -> dict[str, Any]:
    """The first thing of these types in the context or the container."""
    for item in fields.items(inner, name):
        if type(item) is dict and (types is None or field(item, "type") in types):
            return item
    return _EMPTY


def _parties(inner: dict[str, Any], kind: Kind) -> tuple[User, User | None]:
    """Whose account, session or token it is, and who acted where that is somebody else."""
    row = _section(inner, "actor")
    actor = _person(row, row, kind)
    about = None
    if kind.of_context or actor is None:
        target = _first(inner, "context", _USERS)
        about = _person(_section(target, "attributes"), target, None)
        if target and about is None:
            raise RejectError("attributes.context: no name or id of the user")
    if about is not None and (actor is None or _id(about) != _id(actor)):
        return about, actor
    if actor is None:
        raise RejectError("attributes.actor: no name or id of the user")
    # An app or an agent uses what its user has granted it.
    behalf = _section(row, "onBehalfOf")
    user = _person(behalf, behalf, None)
    return (actor, None) if user is None or _id(user) == _id(actor) else (user, actor)


def _id(user: User) -> str | None:
    return user.email_addr or user.uid or user.name


def _person(row: dict[str, Any], of: dict[str, Any], kind: Kind | None) -> User | None:
    """A user by e-mail address; with the token that is used, where the record names one."""
    uid, told, shown = field(of, "id"), field(row, "email"), field(row, "name")
    if uid is None and told is None and shown is None:
        return None
    name = told or shown
    mail = fields.email(name)
    type_id = UserType.ADMIN if kind is IMPERSONATION else None
    if field(row, "accountType") == "app" or (mail and mail.endswith(_SERVICE_ACCOUNT)):
        type_id = UserType.SERVICE
    return User(
        name=name,
        uid=uid,
        email_addr=mail,
        full_name=shown if shown != name else None,
        type_id=type_id,
        credential_uid=field(_section(row, "auth"), "tokenId"),
    )


def _service(inner: dict[str, Any]) -> Service:
    """The site, where it was one."""
    site = _first(inner, "container", _SITES)
    told = _section(site, "attributes")
    host = field(told, "siteHostName")
    name = host.removeprefix("https://") if host else field(told, "siteName")
    uid = field(site, "id")
    return Service(name=name, uid=uid) if name or uid else _ATLASSIAN


def _source_endpoint(location: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(location.get("ip"))
    if ip is None:
        return None
    place = Location(
        city=field(location, "city"),
        region=field(location, "regionName"),
        country=country_code(location.get("countryName")),
    )
    return Endpoint(ip=ip, location=place if place.country or place.region or place.city else None)


def _unmapped(inner: dict[str, Any], kind: Kind, action: str) -> Unmapped | None:
    operation = resource = role = None
    if kind is IMPERSONATION:
        role = _called(_first(inner, "context", _USERS))
    elif kind.use or kind is TOKEN:
        operation = action if kind.use else None
        resource = _called(_first(inner, "context", None))
    by_token = field(_section(_section(inner, "actor"), "auth"), "tokenId") is not None
    found = Unmapped(
        operation=operation, resource=resource, role=role, non_interactive=by_token or None
    )
    return None if found == _NOTHING else found


def _called(item: dict[str, Any]) -> str | None:
    told = _section(item, "attributes")
    return field(told, "email") or field(told, "name") or field(item, "id")


SOURCE = Source(
    name="atlassian",
    title="Atlassian",
    reads=("events of an organisation's audit log, of the admin API, one an object",),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.full_name",
        "user.type_id",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "service.name",
        "service.uid",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.non_interactive",
    ),
    documentation="https://developer.atlassian.com/cloud/admin/organization/rest/api-group-events/",
    recognise=recognise,
    parse=parse,
)
