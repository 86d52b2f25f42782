"""The parts of an event of 1Password: who, with which app, on which machine, from where."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Account,
    Device,
    DeviceType,
    Endpoint,
    Location,
    Service,
    User,
    UserType,
)
from quivive.model.record import RejectError
from quivive.sources import fields
from quivive.sources._onepassword_words import BROWSERS, SERVICE_ACCOUNT
from quivive.sources._systems import system_of
from quivive.sources.countries import country_code
from quivive.sources.fields import field

ONEPASSWORD = Service(name="1Password")
EMPTY: dict[str, Any] = {}


def section(event: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested object, or an empty one."""
    value = event.get(name)
    return value if type(value) is dict else EMPTY


def party(event: dict[str, Any], role: str) -> User | None:
    """The actor or the object of an audit event, by id, with the details where they are told."""
    details = section(event, f"{role}_details")
    account = field(event, f"{role}_account_uuid")
    return _person(details, field(event, f"{role}_uuid") or field(details, "uuid"), account)


def user_of(row: dict[str, Any], name: str) -> User:
    """The user that an object describes; RejectError with its ``name`` where it is of nobody."""
    user = _person(row, field(row, "uuid"), field(row, "user_account_uuid"))
    if user is None:
        raise RejectError(f"{name}: no name or id of the user")
    return user


def _person(row: dict[str, Any], uid: str | None, account: str | None) -> User | None:
    """A user by e-mail address; a service account, whose address is an id, by its name."""
    shown, told = field(row, "name"), field(row, "email")
    mail = fields.email(told)
    service = mail is not None and mail.endswith(SERVICE_ACCOUNT)
    name = shown or told if service else told or shown
    if name is None and uid is None:
        return None
    return User(
        name=name,
        uid=uid,
        email_addr=mail,
        full_name=shown if shown != name else None,
        type_id=UserType.SERVICE if service else None,
        account=Account(uid=account) if account else None,
    )


def application_of(client: dict[str, Any]) -> Service:
    """The app that the vaults are opened with."""
    name = field(client, "app_name")
    return Service(name=name) if name else ONEPASSWORD


def _platform(client: dict[str, Any]) -> tuple[str | None, bool]:
    """The browser that an extension runs in, else the name of the machine."""
    name = field(client, "platform_name")
    word = name.partition(" ")[0].lower() if name else ""
    return name, word in BROWSERS


def agent_of(client: dict[str, Any]) -> str | None:
    """The app and the browser that it runs in, written as a user agent."""
    app, version = field(client, "app_name"), field(client, "app_version")
    parts = [f"{app}/{version}" if version else app] if app else []
    platform, is_browser = _platform(client)
    if platform and is_browser:
        number = field(client, "platform_version")
        browser = platform.partition(" ")[0]
        parts.append(f"{browser}/{number}" if number else browser)
    return " ".join(parts) or None


def device_of(client: dict[str, Any], source: Endpoint | None) -> Device | None:
    """The machine, which an app tells and an extension does not, and its system."""
    words = field(client, "os_name")
    system = system_of(words, field(client, "os_version")) if words else None
    platform, is_browser = _platform(client)
    name = None if is_browser else platform
    ip = source.ip if source else None
    if name is None and (system is None or ip is None):
        return None
    return Device(type_id=DeviceType.UNKNOWN, name=name, ip=ip, os=system)


def source_of(address: Any, place: Location | None) -> Endpoint | None:
    """Where it comes from; None without an address."""
    ip = fields.address(address)
    return Endpoint(ip=ip, location=place) if ip else None


def place_of(event: dict[str, Any]) -> Location | None:
    """The place that 1Password found for the address."""
    row = section(event, "location")
    return _location(
        field(row, "country") or field(event, "country"),
        field(row, "region"),
        field(row, "city"),
        fields.number(row, "latitude"),
        fields.number(row, "longitude"),
    )


@lru_cache(maxsize=4096)
def _location(
    country: str | None,
    region: str | None,
    city: str | None,
    lat: float | None,
    long: float | None,
) -> Location | None:
    code = country_code(country)
    if code is None and city is None and region is None:
        return None
    known = lat is not None and long is not None and -90 <= lat <= 90 and -180 <= long <= 180
    return Location(
        country=code,
        region=region,
        city=city,
        lat=lat if known else None,
        long=long if known else None,
    )
