"""One activity of a Google Workspace log, whatever form it came in."""

from typing import Any

from msgspec import Struct

from quivive.model.event import Actor, User, UserType
from quivive.sources import fields
from quivive.sources._google_words import KINDS, SERVICES
from quivive.sources.fields import clean, field

ACTIVITY = "admin#reports#activity"
_PROTO = "ccc_hosted_reporting.ActivityProto"
_ROBOT = ".gserviceaccount.com"
_VALUES = ("value", "multiValue", "multiStrValue", "boolValue", "intValue", "multiIntValue")


class Entry(Struct, frozen=True, kw_only=True):
    """An activity: who did it, from where, when, and its events with their parameters.

    application is the applicationName; events are pairs of a name and its parameters, unread.
    ``time`` is the value of the member ``time_field``; ``code`` is the status of an audit log.
    """

    application: str | None
    events: list[tuple[str, Any]]
    time: Any
    time_field: str
    uid: str | None
    tenant: str | None
    actor: User | None
    app: Actor | None
    ip: Any
    network: dict[str, Any]


def entry_of(row: dict[str, Any]) -> Entry:
    """The activity of a record of one of the three forms."""
    if is_log_entry(row):
        return _from_log_entry(row)
    if is_table_row(row):
        return _from_table(row)
    return _from_report(row)


def is_log_entry(row: dict[str, Any]) -> bool:
    """Whether a Cloud Logging entry holds a Workspace activity."""
    payload = row.get("protoPayload")
    if type(payload) is not dict or field(payload, "serviceName") not in SERVICES:
        return False
    metadata = payload.get("metadata")
    if type(metadata) is not dict:
        return False
    kind = metadata.get("@type") or metadata.get("type")
    return "activityId" in metadata or (type(kind) is str and kind.endswith(_PROTO))


def is_table_row(row: dict[str, Any]) -> bool:
    """Whether it is a row of the BigQuery export's activity table."""
    kind = row.get("record_type")
    return type(kind) is str and "event_name" in row and "time_usec" in row


def is_report(row: dict[str, Any]) -> bool:
    """Whether it is an activity of the Reports API, with its kind or without."""
    ident = row.get("id")
    if type(ident) is not dict or type(ident.get("applicationName")) is not str:
        return False
    return row.get("kind") == ACTIVITY or "events" in row or "name" in row


def parameters(raw: Any) -> dict[str, Any]:
    """Parameters by name: of the API's list, or already an object."""
    if type(raw) is dict:
        return raw
    found: dict[str, Any] = {}
    for entry in raw if type(raw) is list else ():
        if type(entry) is not dict or type(entry.get("name")) is not str:
            continue
        for key in _VALUES:
            if key in entry:
                found[entry["name"]] = entry[key]
                break
    return found


def words(value: Any) -> list[str]:
    """The words of a parameter of one value or several, each once."""
    several = value if type(value) is list else [value]
    found: list[str] = []
    for item in several:
        # Some clients show each value as an object of its own.
        word = clean(item.get("value") if type(item) is dict else item)
        if word is not None and word not in found:
            found.append(word)
    return found


def person(email: str | None, uid: str | None = None, *, machine: bool = False) -> User | None:
    """A user by the primary address, the profile's number or both."""
    if email is None and uid is None:
        return None
    kind = UserType.SERVICE if machine or (email or "").lower().endswith(_ROBOT) else None
    return User(name=email or uid, uid=uid, email_addr=fields.email(email), type_id=kind)


def _from_report(row: dict[str, Any]) -> Entry:
    ident, actor = fields.mapping(row, "id"), fields.mapping(row, "actor")
    events = row.get("events", row)  # a flattened activity is its only event
    listed = events if type(events) is list else [events]
    client = fields.mapping(actor, "applicationInfo")
    app = Actor(app_name=field(client, "applicationName"), app_uid=field(client, "oauthClientId"))
    return Entry(
        application=field(ident, "applicationName"),
        events=_named(listed, "name", "parameters"),
        time=ident.get("time"),
        time_field="id.time",
        uid=field(ident, "uniqueQualifier"),
        tenant=field(ident, "customerId"),
        actor=_actor(actor),
        app=app if app.app_name or app.app_uid else None,
        ip=row.get("ipAddress"),
        network=fields.mapping(row, "networkInfo"),
    )


def _actor(actor: dict[str, Any]) -> User | None:
    """Whoever did it: a person, a robot account by its key, or Google's own system."""
    email, uid, key = field(actor, "email"), field(actor, "profileId"), field(actor, "key")
    if email is None and key is not None:
        kind = UserType.SYSTEM if key == "SYSTEM" else UserType.SERVICE
        return User(name=key, uid=uid, type_id=kind)
    found = person(email, uid)
    if found is not None and found.type_id is None and actor.get("callerType") == "USER":
        return User(name=found.name, uid=uid, email_addr=found.email_addr, type_id=UserType.USER)
    return found


def _from_log_entry(row: dict[str, Any]) -> Entry:
    payload = fields.mapping(row, "protoPayload")
    metadata = fields.mapping(payload, "metadata")
    ident, request = fields.mapping(metadata, "activityId"), payload.get("requestMetadata")
    resource = field(payload, "resourceName") or ""
    return Entry(
        application=SERVICES.get(field(payload, "serviceName") or ""),
        events=_named(fields.items(metadata, "event"), "eventName", "parameter"),
        time=row.get("timestamp") or ident.get("timeUsec"),
        time_field="timestamp",
        uid=field(ident, "uniqQualifier") or field(row, "insertId"),
        tenant=resource.split("/")[1] if resource.startswith("organizations/") else None,
        actor=person(fields.text(payload, "authenticationInfo", "principalEmail")),
        app=None,
        ip=fields.dig(request, "callerIp") or fields.dig(request, "callerIP"),
        network={},
    )


def _from_table(row: dict[str, Any]) -> Entry:
    kind = field(row, "record_type")
    name = field(row, "event_name")
    given = fields.mapping(row, kind) if kind in KINDS else {}
    if kind == "admin":
        # The columns are in small letters, and so are all parameters but the admin log's.
        given = {name.upper(): value for name, value in given.items()}
    return Entry(
        application=kind,
        events=[(name, given)] if name else [],
        time=row.get("time_usec"),
        time_field="time_usec",
        uid=field(row, "unique_identifier"),
        tenant=None,
        actor=person(field(row, "email")),
        app=None,
        ip=row.get("ip_address"),
        network={},
    )


def _named(listed: list[Any], name: str, given: str) -> list[tuple[str, Any]]:
    return [
        (word, event.get(given))
        for event in listed
        if type(event) is dict and (word := field(event, name))
    ]
