"""What a condition may ask about, with its types, and how each fact is found.

An absent fact is absent: nothing is made up for it, and a comparison with it is never true.
"""

import types
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from quivive.baseline.observation import Observation
from quivive.model.assessment import Assessment, level_of
from quivive.model.context import ContextKind
from quivive.model.event import AuthEvent, UserType
from quivive.signals import pinned, sigma

Type = Literal["text", "number", "bool", "list"]
MOST_CHARACTERS = 4096  # of a fact
MOST_ELEMENTS = 64
LARGEST = 2**63 - 1
LEVELS = ("low", "medium", "high", "critical")
PINNED = frozenset(pinned.SIGNAL.tells) | sigma.PINNED
CONTEXT_KINDS: tuple[str, ...] = typing.get_args(ContextKind)
HOUR_MS = 3_600_000
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


class Hours(Struct, frozen=True):
    """Business hours: from ``first`` until just before ``last`` on some weekdays (0: Monday).

    offset: of the office from UTC, in hours; daylight saving time is not followed.
    """

    first: float = 8.0
    last: float = 18.0
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    offset: float = 0.0

    def local(self, time: int) -> tuple[float, int]:
        """Hour (0-24) and weekday of a time in ms UTC."""
        hours = time / HOUR_MS + self.offset
        return hours % 24, int(hours // 24 + EPOCH_WEEKDAY) % 7

    def business(self, time: int) -> bool:
        """Whether a time lies within them."""
        hour, weekday = self.local(time)
        return weekday in self.days and self.first <= hour < self.last


class Facts(Struct, frozen=True):
    """All that a condition can look at.

    risk: the risk that rules see, after a campaign's margin. contexts: kinds that apply.
    """

    event: AuthEvent
    login: Observation
    assessment: Assessment
    risk: float
    privileged: bool
    contexts: frozenset[str]
    names: tuple[str, ...]
    hours: Hours


class Fact(Struct, frozen=True):
    """A field of conditions. values: all that it can be, where that is known."""

    type: Type
    meaning: str
    get: Callable[[Facts], object]
    values: tuple[str, ...] = ()


def _event_fields(struct: type, path: tuple[str, ...]) -> Iterator[tuple[str, Fact]]:
    """The scalars and lists of texts below a struct of the event, by their OCSF paths."""
    for field in msgspec.structs.fields(struct):
        hint = field.type
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
            hint = next(a for a in typing.get_args(hint) if a is not type(None))
        here = (*path, field.encode_name)
        if typing.get_origin(hint) is tuple:
            if typing.get_args(hint)[0] is str:
                yield ".".join(("event", *here)), Fact("list", "", _walk(here))
        elif isinstance(hint, type) and issubclass(hint, Struct):
            yield from _event_fields(hint, here)
        else:
            kinds: dict[object, Type] = {str: "text", int: "number", float: "number", bool: "bool"}
            yield ".".join(("event", *here)), Fact(kinds[hint], "", _walk(here))


def _walk(path: tuple[str, ...]) -> Callable[[Facts], object]:
    def get(facts: Facts) -> object:
        found: object = facts.event
        for name in path:
            found = getattr(found, name)
            if found is None:
                return None
        return found

    return get


def _place(name: str, of_event: Callable[[Facts], object]) -> Callable[[Facts], object]:
    """A part of the place as the written event gives it: what it was judged by, where the log
    states none.
    """

    def get(facts: Facts) -> object:
        source = facts.event.src_endpoint
        if source is None or source.location is not None or facts.login.country is None:
            return of_event(facts)
        return getattr(facts.login, name)

    return get


def _operator(facts: Facts) -> object:
    source, asn = facts.event.src_endpoint, facts.login.asn
    if source is None:
        return None
    if source.autonomous_system is not None:
        return source.autonomous_system.number
    known = source.location is None and facts.login.country is not None
    return int(asn) if known and asn is not None and asn.isdecimal() else None


def _login(name: str) -> Callable[[Facts], object]:
    return lambda facts: getattr(facts.login, name)


def _said(name: str) -> Callable[[Facts], object]:
    return lambda facts: getattr(facts.assessment, name)


def _applies(kind: str) -> Callable[[Facts], object]:
    return lambda facts: kind in facts.contexts


def _groups(facts: Facts) -> object:
    return [name for g in facts.event.user.groups or () if (name := g.name or g.uid) is not None]


def _attack(facts: Facts) -> object:
    return list(dict.fromkeys(t for reason in facts.assessment.reasons for t in reason.attack))


def is_pinned(assessment: Assessment) -> bool:
    """Whether a rule that needs no statistics spoke: a listed address, a leaked credential…"""
    return any(reason.signal in PINNED for reason in assessment.reasons)


def is_admin(event: AuthEvent) -> bool:
    """Whether the record itself calls the identity an administrator."""
    return event.user.type_id == UserType.ADMIN


FACTS: dict[str, Fact] = {
    "assessment.risk": Fact(
        "number",
        "Risk, 0 to 100, before it ranks lower for having been told already; a campaign's margin"
        " is off.",
        lambda f: f.risk,
    ),
    "assessment.level": Fact("text", "The word for that risk.", lambda f: level_of(f.risk), LEVELS),
    "assessment.confidence": Fact("number", "Confidence, 0 to 1.", _said("confidence")),
    "assessment.risk_score": Fact(
        "number", "`risk_score` as it is told: repeats rank lower.", _said("risk_score")
    ),
    "assessment.score": Fact("number", "The score in nats.", _said("score")),
    "assessment.repeated": Fact(
        "number", "About how many times it was told already.", _said("repeated")
    ),
    "assessment.low_history": Fact(
        "bool", "Fewer than five learned logins stood behind it.", _said("low_history")
    ),
    "assessment.signals": Fact(
        "list",
        "The signals of its strongest reasons.",
        lambda f: [reason.signal for reason in f.assessment.reasons],
    ),
    "assessment.attack": Fact("list", "Their ATT&CK technique ids.", _attack),
    "assessment.pinned": Fact(
        "bool",
        "A rule that needs no statistics spoke: a listed address, a leaked credential, a sprayed"
        " address that got in, a machine with a browser.",
        lambda f: is_pinned(f.assessment),
    ),
    "identity.name": Fact("text", "The person or machine, joined across logs.", _login("identity")),
    "identity.kind": Fact("text", "A person or a machine.", _login("kind"), ("human", "service")),
    "identity.guest": Fact("bool", "A guest of the tenant.", _login("guest")),
    "identity.privileged": Fact(
        "bool",
        "The record calls it an administrator, or the policy's `privileged` names it.",
        lambda f: f.privileged,
    ),
    "identity.groups": Fact("list", "Its groups, as the record names them.", _groups),
    "login.outcome": Fact(
        "text", "How it ended.", _login("outcome"), ("success", "failure", "interrupt")
    ),
    "login.accepted": Fact("bool", "The credential was right.", _login("accepted")),
    "login.interactive": Fact("bool", "A person was present.", _login("interactive")),
    "login.country": Fact("text", "ISO code of the country it was judged by.", _login("country")),
    "login.asn": Fact("text", "Number of the network's operator.", _login("asn")),
    "login.managed": Fact("bool", "The device is managed.", _login("managed")),
    "login.mfa": Fact(
        "text",
        "How the second factor was shown.",
        _login("mfa"),
        ("fresh", "claim", "single", "phishing-resistant"),
    ),
    "login.around": Fact("text", "What surrounds a login: Password Reset…", _login("around")),
    "time.hour": Fact(
        "number", "Hour of the day, 0 to 23.", lambda f: int(f.hours.local(f.login.time)[0])
    ),
    "time.weekday": Fact(
        "number", "Weekday, 0 is Monday.", lambda f: f.hours.local(f.login.time)[1]
    ),
    "time.business_hours": Fact(
        "bool", "Within the policy's business hours.", lambda f: f.hours.business(f.login.time)
    ),
    **{
        f"context.{kind}": Fact("bool", f"A context of the kind {kind} applies.", _applies(kind))
        for kind in CONTEXT_KINDS
    },
    "context.names": Fact("list", "The ids of the contexts that apply.", lambda f: list(f.names)),
    **dict(_event_fields(AuthEvent, ())),
}

_LOCATION = "event.src_endpoint.location"
for _name in ("country", "region", "city", "lat", "long"):
    _fact = FACTS[f"{_LOCATION}.{_name}"]
    FACTS[f"{_LOCATION}.{_name}"] = Fact(_fact.type, "", _place(_name, _fact.get))
FACTS["event.src_endpoint.autonomous_system.number"] = Fact("number", "", _operator)


def variables(facts: Facts, paths: Iterable[str]) -> dict[str, object]:
    """The facts of some fields, nested as conditions name them, bounded in size."""
    found: dict[str, object] = {}
    for path in paths:
        *parents, last = path.split(".")
        inner = found
        for parent in parents:
            inner = typing.cast("dict[str, object]", inner.setdefault(parent, {}))
        value = _bounded(FACTS[path].get(facts))
        if value is not None:
            inner[last] = value
    return found


def _bounded(value: object) -> object:
    if isinstance(value, str):
        return value[:MOST_CHARACTERS]
    if isinstance(value, (list, tuple)):
        return [_bounded(v) for v in value[:MOST_ELEMENTS]]
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return None
    return value
