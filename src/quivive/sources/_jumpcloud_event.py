"""Who, with what and from where: the parts of a JumpCloud event."""

from typing import Any

from quivive.model.event import (
    Device,
    DeviceType,
    Endpoint,
    Location,
    Status,
    User,
    UserType,
)
from quivive.sources import fields
from quivive.sources._jumpcloud_words import FACTORS, SECOND, USER_TYPES
from quivive.sources._systems import system_of
from quivive.sources.fields import field

EMPTY: dict[str, Any] = {}
_OTHER = "Other"  # an agent that JumpCloud does not know


def section(value: Any) -> dict[str, Any]:
    """An object as it is, anything else as an empty one."""
    return value if type(value) is dict else EMPTY


def initiator_of(log: dict[str, Any]) -> User | None:
    """Whoever logs in or acts. A system's login may name the system beside the user's name."""
    found = section(log.get("initiated_by"))
    word = field(found, "type")
    kind = USER_TYPES.get(word) if word else None
    name = field(found, "username")
    mail = fields.email(field(found, "email"))
    uid = field(found, "id") if kind is not None or word is None else None
    if name is None and mail is None:
        name = field(log, "username")
    return _named(name, mail, uid, kind)


def resource_of(found: dict[str, Any]) -> User | None:
    word = field(found, "type")
    kind = USER_TYPES.get(word) if word else None
    if kind is None:
        return None
    mail = fields.email(field(found, "email"))
    return _named(field(found, "username"), mail, field(found, "id"), kind)


def _named(
    name: str | None, mail: str | None, uid: str | None, kind: UserType | None
) -> User | None:
    name = name or mail
    if name is None and uid is None:
        return None
    return User(
        name=name,
        uid=uid,
        email_addr=mail or fields.email(name),
        # A failed login may name anything at all.
        type_id=kind if uid else None,
    )


def is_same(one: User, other: User) -> bool:
    return one.uid == other.uid if one.uid and other.uid else one.name == other.name


def methods_of(log: dict[str, Any]) -> dict[str, bool]:
    """What was shown of each method in this login: right or wrong."""
    found = section(section(log.get("auth_context")).get("auth_methods"))
    if not found:
        found = section(section(log.get("auth_meta")).get("auth_methods"))
    told: dict[str, bool] = {}
    for word in FACTORS:
        right = fields.boolean(found.get(word), "success")
        if right is not None:
            told[word] = right
    return told


def shown(
    methods: dict[str, bool], log: dict[str, Any], status: Status
) -> tuple[list[str], list[str]]:
    """The methods that were right, and the second factors that were wrong."""
    passed = [word for word, right in methods.items() if right]
    refused = [word for word, right in methods.items() if not right and word in SECOND]
    if not methods and status == Status.SUCCESS:
        told = (fields.text(log, "mfa_meta", "type"), field(log, "auth_method"))
        passed = list(dict.fromkeys(w.lower() for w in told if w and w.lower() in FACTORS))
    return passed, refused


def source_of(log: dict[str, Any], to_system: bool) -> Endpoint | None:
    """The client. Over the network a system is reached from ``src_ip``; JumpCloud places
    ``client_ip``."""
    client = fields.address(log.get("client_ip"))
    source = fields.address(log.get("src_ip")) if to_system else None
    ip = source or client
    place = _location(section(log.get("geoip"))) if ip == client else None
    return Endpoint(ip=ip, location=place) if ip or place else None


def _location(place: dict[str, Any]) -> Location | None:
    found = Location(
        city=field(place, "city_name"),
        region=field(place, "region_name"),
        country=fields.country(place.get("country_code")),
        lat=_degrees(place.get("latitude"), 90),
        long=_degrees(place.get("longitude"), 180),
    )
    # OCSF has no place of coordinates alone.
    return found if found.country or found.city or found.region else None


def _degrees(value: Any, limit: int) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) <= limit else None


def agent_of(agent: dict[str, Any]) -> str | None:
    name, version = field(agent, "name"), field(agent, "version")
    if name is None or name == _OTHER:
        return None
    return f"{name} {version}" if version else name


def device_of(log: dict[str, Any], agent: dict[str, Any], src: Endpoint | None) -> Device | None:
    """The managed system that the login came from, else the browser's own words."""
    system = section(section(log.get("auth_context")).get("system"))
    uid, host = field(system, "id"), field(system, "hostname") or field(system, "displayName")
    words = field(system, "os") or field(agent, "os_name") or field(agent, "os")
    version = field(system, "version") if field(system, "os") else field(agent, "os_version")
    family = system_of(words, version) if words else None
    ip = src.ip if src else None
    if uid is None and host is None and (family is None or ip is None):
        return None
    return Device(
        type_id=DeviceType.UNKNOWN,
        uid=uid,
        hostname=host,
        ip=ip,
        os=family,
        is_managed=True if uid else None,
    )


def system_named(log: dict[str, Any]) -> Endpoint | None:
    """The machine that is logged in to."""
    system = section(log.get("system"))
    host, uid = field(system, "hostname"), field(system, "id")
    name = field(system, "displayName")
    if host is None and uid is None and name is None:
        return None
    return Endpoint(hostname=host, uid=uid, name=name if name != host else None)
