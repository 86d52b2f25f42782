"""One LogEvent of Okta: its sections, who did it to whom, and the factors they showed."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.event import Actor, AuthFactor, FactorType, User, UserType
from quivive.model.record import RejectError
from quivive.sources import fields
from quivive.sources._okta_words import FACTORS, GRANT, USER_TYPES, Kind
from quivive.sources.fields import clean

EMPTY: dict[str, Any] = {}
_FRESH_MS = 5 * 60 * 1000


class Log(Struct, frozen=True, kw_only=True):
    """The sections of one LogEvent, empty where it has none."""

    actor: Any
    client: dict[str, Any]
    device: dict[str, Any]
    context: dict[str, Any]
    security: dict[str, Any]
    debug: dict[str, Any]
    outcome: dict[str, Any]
    targets: list[dict[str, Any]]
    hops: list[dict[str, Any]]

    def target(self, kind: str) -> dict[str, Any]:
        """The first target of a type."""
        for target in self.targets:
            if target.get("type") == kind:
                return target
        return EMPTY


def sections(event: dict[str, Any]) -> Log:
    """The LogEvent taken apart; what has not the type it should have counts as missing."""
    targets = event.get("target")
    hops = section(event.get("request")).get("ipChain")
    return Log(
        actor=event.get("actor"),
        client=section(event.get("client")),
        device=section(event.get("device")),
        context=section(member(event, "authenticationContext")),
        security=section(member(event, "securityContext")),
        debug=section(section(member(event, "debugContext")).get("debugData")),
        outcome=section(event.get("outcome")),
        targets=[t for t in targets if type(t) is dict] if type(targets) is list else [],
        hops=[hop for hop in hops if type(hop) is dict] if type(hops) is list else [],
    )


def member(event: dict[str, Any], name: str) -> Any:
    """A top-level member; some lakes write its name in lower case."""
    value = event.get(name)
    return event.get(name.lower()) if value is None else value


def section(value: Any) -> dict[str, Any]:
    """An object as it is, anything else as an empty one."""
    return value if type(value) is dict else EMPTY


def parties(kind: Kind, log: Log) -> tuple[User, Actor | None]:
    """The user the event is about, and whoever did it where that is somebody else."""
    actor = user = _user(log.actor)
    # Okta System sends push notifications; an OAuth client redeems what its user was granted.
    by_system = actor is None or actor.type_id == UserType.SYSTEM
    delegated = kind is GRANT and log.debug.get("grantType") != "client_credentials"
    if kind.of_target or by_system or delegated:
        user = _user(log.target("User")) or actor
    if user is None:
        raise RejectError("actor: no name or id of the user")
    if actor is None or user is actor or actor.uid == user.uid or actor.name == user.name:
        return user, None
    if actor.type_id == UserType.SERVICE:
        return user, Actor(app_name=actor.name, app_uid=actor.uid)
    return user, Actor(user=actor)


def _user(party: Any) -> User | None:
    if type(party) is not dict or not party:
        return None
    uid = fields.text(party, "id")
    login = clean(party.get("alternateId"))
    shown = clean(party.get("displayName"))
    kind = clean(party.get("type"))
    type_id = USER_TYPES.get(kind) if kind else None
    if login == "system@okta.com":
        type_id = UserType.SYSTEM
    name = login or shown
    if type_id == UserType.SERVICE:
        name = shown or login
    if name is None and uid is None:
        return None
    return User(
        name=name,
        uid=uid,
        email_addr=fields.email(login),
        full_name=shown if shown != name else None,
        type_id=type_id,
    )


def factors_shown(log: Log, time: int) -> tuple[tuple[AuthFactor, ...], bool | None, bool | None]:
    """The factors shown now, whether there was more than one, and whether earlier ones did it."""
    word = clean(log.debug.get("factor"))
    if word and (factor := _factor(word)):
        return (factor,), None, None
    if log.debug.get("authMethodFirstType"):
        return _session_factors(log.debug, time)
    words = [clean(log.context.get("credentialType"))]
    enrolled = [t for t in log.targets if t.get("type") == "AuthenticatorEnrollment"]
    if enrolled:
        words = [
            clean(section(target.get("detailEntry")).get("methodTypeUsed"))
            or clean(target.get("displayName"))
            for target in enrolled
        ]
    found = tuple(factor for word in words if word and (factor := _factor(word)))
    return found, len({factor.factor_type_id for factor in found}) > 1 or None, None


def _session_factors(
    debug: dict[str, Any], time: int
) -> tuple[tuple[AuthFactor, ...], bool | None, bool | None]:
    """The same from the methods that the session holds: "okta_verify:signed_nonce:…" and since
    when, often from hours before this event."""
    fresh = []
    held = []
    for which in ("First", "Second"):
        method = clean(debug.get(f"authMethod{which}Type"))
        if method is None:
            continue
        factor = _factor(method.partition(":")[2].partition(":")[0])
        held.append(factor)
        try:
            shown = fields.timestamp(debug.get(f"authMethod{which}VerificationTime"), which)
        except RejectError:
            continue
        if factor and abs(time - shown) <= _FRESH_MS:
            fresh.append(factor)
    if len(held) > 1:
        return tuple(fresh), True, None if fresh else True
    # One method may be two factors (FastPass, a passkey with PIN); a password is one.
    password = held and held[0] and held[0].factor_type_id == FactorType.PASSWORD
    return tuple(fresh), False if password else None, None


@lru_cache(maxsize=1024)
def _factor(word: str) -> AuthFactor | None:
    kind = FACTORS.get(word.upper())
    return None if kind is None else AuthFactor(factor_type_id=kind, factor_type=word)
