"""Reading OCSF objects value by value, tolerantly.

The types of ``AuthEvent`` say what is read. Each value is normalised as a vendor's raw field
would be (addresses, e-mail addresses, placeholders), and one of the wrong type is left out, not
its record.
"""

from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Struct

from quivive.model.event import (
    Account,
    Activity,
    Actor,
    AuthEvent,
    AuthFactor,
    AutonomousSystem,
    Device,
    DeviceType,
    Endpoint,
    FactorType,
    HttpRequest,
    Location,
    Metadata,
    Os,
    OsType,
    Product,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RejectError
from quivive.sources import fields as read

Reader = Callable[[Any], Any]

ENDPOINT_NAMES = frozenset({"ip", "uid", "name", "hostname", "domain", "svc_name"})
PLACE_NAMES = frozenset({"city", "country", "region", "postal_code"})
LARGEST_COUNT = 2**53  # what JSON numbers hold exactly

# Before 1.7 OCSF had no number for a service identity; AWS writes CloudTrail's words.
USER_TYPES = {
    "user": UserType.USER,
    "iamuser": UserType.USER,
    "identitycenteruser": UserType.USER,
    "admin": UserType.ADMIN,
    "administrator": UserType.ADMIN,
    "root": UserType.ADMIN,
    "system": UserType.SYSTEM,
    "awsservice": UserType.SYSTEM,
    "service": UserType.SERVICE,
    "service account": UserType.SERVICE,
    "serviceaccount": UserType.SERVICE,
    "service principal": UserType.SERVICE,
    "serviceprincipal": UserType.SERVICE,
    "guest": UserType.OTHER,
}


def values(struct: type[Struct], value: Any) -> dict[str, Any]:
    """What is usable of an object: arguments to build the struct from."""
    if type(value) is not dict:
        return {}
    readers = _READERS[struct]
    found = {}
    for key, inner in value.items():
        reader = readers.get(key)
        if reader is not None and inner is not None:
            usable = reader(inner)
            if usable is not None:
                found[key] = usable
    return found


def identity(value: Any) -> User | None:
    """A user with a name or id, under today's field names or those of OCSF 1.0."""
    found = values(User, {"name": value} if type(value) is str else value)
    if "uid" not in found and (uuid := read.text(value, "uuid")):
        found["uid"] = uuid
    if "name" not in found and "domain" in found and (literal := _word(value.get("name"))):
        found["name"] = literal  # DOMAIN\\unknown is an account, "unknown" alone is none
    if "name" not in found and "uid" not in found:
        if "email_addr" in found:
            found["name"] = found["email_addr"]
        elif "uid_alt" in found:
            found["uid"] = found["uid_alt"]
        else:
            return None
    if "email_addr" not in found and (email := read.email(found.get("name"))):
        found["email_addr"] = email
    if "account" not in found and (account := read.text(value, "account_uid")):
        found["account"] = Account(uid=account)
    if found.get("type_id") in (None, UserType.UNKNOWN, UserType.OTHER):
        kind = USER_TYPES.get(found.get("type", "").lower())
        if kind is not None:
            found["type_id"] = kind
    return User(**found)


def moment(value: Any) -> int | None:
    """A time in ms UTC, or None where the value is none."""
    try:
        return read.timestamp(value, "")
    except RejectError:
        return None


def target_paths() -> frozenset[str]:
    """The OCSF path of every single value that an event is read from."""
    return frozenset(_leaves(AuthEvent)) - {"time", "metadata.sequence", "metadata.version"}


_OURS = frozenset({(Unmapped, "sigma")})  # what no record can say of itself


def _leaves(struct: type[Struct], prefix: str = "") -> Iterable[str]:
    for name, kind in _kinds(struct).items():
        if isinstance(kind, type) and issubclass(kind, Struct):
            yield from _leaves(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def _kinds(struct: type[Struct]) -> dict[str, Any]:
    """The type of each field that may be read, without its "or None"."""
    found = {}
    for name, hint in get_type_hints(struct).items():
        if (struct, name) in _OURS:
            continue
        parts = [part for part in get_args(hint) if part is not NoneType]
        found[name] = parts[0] if NoneType in get_args(hint) else hint
    return found


def _object(struct: type[Struct]) -> Reader:
    needed = _NEEDED.get(struct)
    defaults = _DEFAULTS.get(struct, {})

    def build(value: Any) -> Struct | None:
        found = values(struct, value)
        if not found or (needed is not None and needed.isdisjoint(found)):
            return None
        return struct(**(defaults | found))

    return build


def _array(reader: Reader) -> Reader:
    def build(value: Any) -> tuple[Any, ...] | None:
        inner = value if type(value) is list else [value]
        return tuple(usable for usable in map(reader, inner) if usable is not None) or None

    return build


def _one_of(numbers: Iterable[int]) -> Reader:
    known = frozenset(map(int, numbers))

    def choose(value: Any) -> int | None:
        found = 99 if value == -1 else read.integer(value)  # OCSF 0.x wrote "other" as -1
        return found if found in known else None

    return choose


def _addresses(value: Any) -> tuple[str, ...] | None:
    """A list of addresses, also as the header writes it ("client, proxy")."""
    if type(value) is str:
        value = value.split(",")
    if type(value) is not list:
        return None
    return tuple(found for found in map(read.address, value) if found is not None) or None


def _word(value: Any) -> str | None:
    return value.strip() if type(value) is str and value.strip().isalpha() else None


def _text(value: Any) -> str | None:
    return read.clean(value) if type(value) is str else read.text(value)


def _count(value: Any) -> int | None:
    found = read.integer(value)
    return found if found is not None and 0 <= found < LARGEST_COUNT else None


def _as_number(value: Any) -> int | None:
    """The number of an autonomous system, also written "AS64500"."""
    if type(value) is str:
        value = value.strip().upper().removeprefix("AS")
    return _count(value) or None  # 0 is reserved: producers write it for "unknown"


def _email(value: Any) -> str | None:
    return read.email(read.clean(value))


def _location(value: Any) -> Location | None:
    """A place; its coordinates also as the pair [longitude, latitude] of OCSF before 1.2."""
    found = values(Location, value)
    pair = read.items(value, "coordinates")
    if len(pair) == 2 and "lat" not in found and "long" not in found:
        found |= values(Location, {"long": pair[0], "lat": pair[1]})
    if not ("lat" in found and "long" in found):
        found.pop("lat", None)
        found.pop("long", None)
    return None if PLACE_NAMES.isdisjoint(found) else Location(**found)


def _degrees(limit: int) -> Reader:
    def angle(value: Any) -> float | None:
        found = read.number(value)
        return found if found is not None and -limit <= found <= limit else None

    return angle


def _session(value: Any) -> Session | None:
    found = values(Session, value)
    stated = read.boolean(value, "mfa")  # OCSF 1.0's name
    if "is_mfa" not in found and stated is not None:
        found["is_mfa"] = stated
    return Session(**found) if found else None


_BY_TYPE: dict[Any, Reader] = {
    str: _text,
    int: _count,
    float: read.number,
    bool: read.boolean,
}
_SPECIAL: dict[tuple[type[Struct], str], Reader] = {
    (AuthEvent, "activity_id"): _one_of(Activity),
    (AuthEvent, "status_id"): _one_of(Status),
    (AuthEvent, "auth_protocol_id"): _one_of([*range(13), 99]),
    (AuthEvent, "logon_type_id"): _one_of([*range(6), *range(7, 14), 99]),
    (AuthEvent, "session"): _session,
    (User, "type_id"): _one_of(UserType),
    (User, "email_addr"): _email,
    (Actor, "user"): identity,
    (AuthFactor, "factor_type_id"): _one_of(FactorType),
    (Device, "type_id"): _one_of([*range(16), 99]),
    (Device, "ip"): read.address,
    (Os, "type_id"): _one_of([*OsType, 400, 401, 402]),
    (Endpoint, "ip"): read.address,
    (Endpoint, "port"): read.port,
    (Endpoint, "intermediate_ips"): _addresses,
    (Endpoint, "location"): _location,
    (HttpRequest, "x_forwarded_for"): _addresses,
    (Location, "country"): read.country,
    (Location, "lat"): _degrees(90),
    (Location, "long"): _degrees(180),
    (AutonomousSystem, "number"): _as_number,
    (Session, "created_time"): moment,
    (Metadata, "logged_time"): moment,
}
# Read by ocsf_object, from more than one place.
_APART = frozenset({"time", "user", "actor", "metadata"})
# OCSF demands one of these; without it the rest of the object says nothing.
_NEEDED: dict[type[Struct], frozenset[str]] = {
    Endpoint: ENDPOINT_NAMES | {"intermediate_ips"},
    Device: frozenset({"uid", "name", "hostname", "ip"}),
    Os: frozenset({"name"}),
    Product: frozenset({"name"}),
}
_DEFAULTS: dict[type[Struct], dict[str, Any]] = {
    Device: {"type_id": DeviceType.UNKNOWN},
    Os: {"type_id": OsType.UNKNOWN},
    AuthFactor: {"factor_type_id": FactorType.UNKNOWN},
}
_READERS: dict[type[Struct], dict[str, Reader]] = {}


def _reader(kind: Any) -> Reader:
    if get_origin(kind) is tuple:
        return _array(_reader(get_args(kind)[0]))
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    _prepare(kind)
    return _object(kind)


def _prepare(struct: type[Struct]) -> None:
    if struct in _READERS:
        return
    _READERS[struct] = {
        name: _SPECIAL.get((struct, name)) or _reader(kind)
        for name, kind in _kinds(struct).items()
        if struct is not AuthEvent or name not in _APART
    }


for _struct in (AuthEvent, User, Actor, Metadata, Location, Session):
    _prepare(_struct)
