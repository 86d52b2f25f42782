"""One tenant log of Auth0: out of its envelopes, whom it is about, where from, by which factors."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Account,
    AuthFactor,
    Device,
    DeviceType,
    Endpoint,
    Location,
    Status,
    User,
    UserType,
)
from quivive.sources import fields
from quivive.sources._auth0_types import FACTORS, PASSWORD, PASSWORD_STAGES, Kind
from quivive.sources._systems import system_of
from quivive.sources.countries import country_code
from quivive.sources.fields import clean, field

EMPTY: dict[str, Any] = {}
_WRAPPINGS = ("data", "detail", "event")
_DEEPEST = 3
_UNTOLD = "Other"  # what Auth0 makes of a client it does not know: "Other 0.0.0"
_NOWHERE = Location()


def section(value: Any) -> dict[str, Any]:
    """An object as it is, anything else as an empty one."""
    return value if type(value) is dict else EMPTY


def log_of(record: dict[str, Any] | None) -> dict[str, Any]:
    """The log itself: an object of the Management API, or what a stream wraps it in ("data", in
    "detail" on EventBridge, in "event" at a collector)."""
    found = record or EMPTY
    for _ in range(_DEEPEST):
        if type(found.get("type")) is str and "log_id" in found:
            break
        inner = next((found[key] for key in _WRAPPINGS if type(found.get(key)) is dict), None)
        if inner is None:
            break
        found = inner
    return found


def user_of(log: dict[str, Any], details: dict[str, Any]) -> User | None:
    """The user that the log names; None where it names nobody."""
    uid = field(log, "user_id")
    name = field(log, "user_name")
    mail = fields.email(name)
    if name is None:
        # The reset of a password has the address it is for.
        mail = fields.email(field(details, "email"))
        name = mail
    if name is None and uid is None:
        return None
    return User(
        name=name,
        uid=uid,
        email_addr=mail,
        # A failed login may name anything at all.
        type_id=UserType.USER if uid else None,
        account=_organisation(log),
    )


def client_of(log: dict[str, Any], details: dict[str, Any]) -> User | None:
    """The application as the identity that it is, machine to machine."""
    uid = field(log, "client_id")
    name = field(log, "client_name")
    if uid is None and name is None:
        return None
    return User(
        name=name or uid,
        uid=uid,
        type_id=UserType.SERVICE,
        credential_uid=field(log, "mtls_thumbprint_sha256")
        or field(details, "token_endpoint_auth_signing_kid"),
        account=_organisation(log),
    )


def _organisation(log: dict[str, Any]) -> Account | None:
    uid = field(log, "organization_id")
    return Account(uid=uid, name=field(log, "organization_name")) if uid else None


def source_of(log: dict[str, Any]) -> Endpoint | None:
    """The end user's address; one that its request came through stands in ``client_ip``."""
    ip = fields.address(log.get("ip"))
    peer = fields.address(log.get("client_ip"))
    if ip is None:
        ip, peer = peer, None
    if ip is None:
        return None
    place = log.get("location_info")
    return Endpoint(
        ip=ip,
        intermediate_ips=(peer,) if peer and peer != ip else None,
        location=_location(place) if type(place) is dict and place else None,
    )


def _degrees(value: Any, limit: int) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) <= limit else None


def _location(place: dict[str, Any]) -> Location | None:
    found = Location(
        city=clean(place.get("city_name")),
        country=fields.country(place.get("country_code"))
        or country_code(place.get("country_name")),
        lat=_degrees(place.get("latitude"), 90),
        long=_degrees(place.get("longitude"), 180),
    )
    # OCSF has no place of coordinates alone.
    return found if found.country or found.city else None


def client_words(log: dict[str, Any], details: dict[str, Any]) -> tuple[str | None, str | None]:
    """The client's own words, and the system it runs on where Auth0 tells them apart: mostly it
    keeps but "Chrome 145.0.0 / Mac OS X 10.15.7" of them."""
    whole = clean(section(details.get("request")).get("userAgent"))
    if whole is not None and "/" in whole and " / " not in whole:
        return whole, None
    return _halves(field(log, "user_agent"))


@lru_cache(maxsize=4096)
def _halves(agent: str | None) -> tuple[str | None, str | None]:
    if agent is None:
        return None, None
    client, mark, system = agent.partition(" / ")
    if not mark:
        return agent, None
    return (
        None if client.startswith(_UNTOLD) else client,
        None if system.startswith(_UNTOLD) else system,
    )


def device_of(log: dict[str, Any], source: Endpoint | None, system: str | None) -> Device | None:
    """The system that the user agent tells and whether it is a mobile one, at its address."""
    os = system_of(system) if system else None
    mobile = fields.boolean(log, "isMobile") or fields.boolean(log, "is_mobile")
    if source is None or not (os or mobile):
        return None
    return Device(type_id=DeviceType.MOBILE if mobile else DeviceType.UNKNOWN, ip=source.ip, os=os)


def factors_of(
    kind: Kind, code: str, details: dict[str, Any]
) -> tuple[tuple[AuthFactor, ...] | None, bool | None]:
    """The factors shown, and whether there was more than one behind the login."""
    if code == "s":
        return _stages(details)
    if kind.status == Status.OTHER:
        return None, None
    factor = kind.factor
    if kind.mfa or kind.name == "MFA Challenge":
        word = clean(section(details.get("authenticator")).get("type"))
        if factor is None and word is not None:
            factor = FACTORS.get(word.lower())
    if kind.name == "MFA Challenge" and details.get("first_factor") is True:
        return ((factor,) if factor else None), None
    passed = kind.mfa and kind.status == Status.SUCCESS
    return ((factor,) if factor else None), passed or None


def _stages(details: dict[str, Any]) -> tuple[tuple[AuthFactor, ...] | None, bool | None]:
    """What a login went through: its prompts, each with the way it was answered.

    All stages are told, so a password with no second factor after it was the only one.
    """
    found: list[AuthFactor] = []
    mfa = False
    for stage in fields.items(details, "prompts"):
        if type(stage) is not dict:
            continue
        name = stage.get("name")
        performed = stage.get("performed_amr")
        if name == "mfa" or (type(performed) is list and "mfa" in performed):
            mfa = True
            provider = clean(stage.get("provider"))
            factor = FACTORS.get(provider.lower()) if provider else None
        elif type(name) is str and name in PASSWORD_STAGES:
            factor = PASSWORD
        else:
            word = clean(stage.get("passwordless_amr"))
            factor = FACTORS.get(word.lower()) if word else None
        if factor is not None and factor not in found:
            found.append(factor)
    if mfa:
        return tuple(found) or None, True
    return tuple(found) or None, False if found == [PASSWORD] else None
