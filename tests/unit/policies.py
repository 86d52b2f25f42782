"""Logins, assessments and conditions for the tests of policy."""

from typing import Any

from hypothesis import strategies as st

from quivive.baseline.observation import Observation
from quivive.model.assessment import Assessment, Reason, level_of
from quivive.model.event import (
    AuthEvent,
    Device,
    Endpoint,
    Group,
    Location,
    Metadata,
    Product,
    Service,
    User,
)
from quivive.policy.environment import FACTS
from quivive.policy.file import parse
from quivive.policy.rules import Policy

NOON = 1_772_452_800_000  # Monday, 2026-03-02 12:00 UTC
HOUR = 3_600_000
DAY = 24 * HOUR


def event(**changes: Any) -> AuthEvent:
    user = {"name": "ana@example.com", "type_id": 1} | changes.pop("user", {})
    fields = {
        "time": NOON,
        "activity_id": 1,
        "status_id": 1,
        "metadata": Metadata(version="1.8.0", product=Product(name="Entra ID")),
        "src_endpoint": Endpoint(ip="192.0.2.7", location=Location(country="RO", city="Cluj")),
        "service": Service(name="Mail", uid="app-1"),
    }
    return AuthEvent(user=User(**user), **(fields | changes))


def login(**changes: Any) -> Observation:
    fields = {
        "time": NOON,
        "identity": "ana@example.com",
        "kind": "human",
        "log": "Entra ID",
        "outcome": "success",
        "accepted": True,
        "hour": 12,
        "weekday": 0,
        "ip": "192.0.2.7",
        "public": True,
        "country": "RO",
        "asn": "64500",
        "device": "laptop-1",
        "application": "Mail",
    }
    return Observation(**(fields | changes))


def assessed(
    risk: float, confidence: float = 0.9, *, off: float = 0.0, signals: tuple[str, ...] = ()
) -> Assessment:
    """An assessment; ``off`` is what repeats took from the risk that is told."""
    return Assessment(
        score=5.0,
        risk_score=risk - off,
        risk_level=level_of(risk - off),
        confidence=confidence,
        reasons=tuple(Reason(signal=s, text=s, weight=0.0, attack=("T1078",)) for s in signals),
        reassuring=(),
        counterfactual=None,
        looks_like="",
        otherwise="",
        not_evaluable=(),
        low_history=False,
        undamped=risk,
    )


def policy(*rules: dict[str, object], **keys: object) -> Policy:
    """A policy of some rules, through the file format. Fails where a rule has a problem."""
    import yaml

    text = yaml.safe_dump(
        {"name": "test", "version": 1, "owner": "security", **keys, "rules": list(rules)},
        sort_keys=False,
    )
    parsed = parse(text)
    assert parsed.policy is not None, parsed.problems
    return parsed.policy


EVENTS = [
    event(),
    event(src_endpoint=None, service=None),
    event(device=Device(type_id=3, uid="laptop-1", is_managed=True), is_mfa=True),
    event(user={"type_id": 2, "groups": (Group(name="admins"), Group(name="staff"))}),
]
_FIELDS = (
    "assessment.risk assessment.level assessment.risk_score assessment.confidence"
    " assessment.signals assessment.pinned identity.kind identity.guest identity.privileged"
    " identity.groups login.country login.accepted time.hour time.business_hours"
    " context.travel context.vip event.device.uid event.device.is_managed event.is_mfa"
    " event.src_endpoint.location.country"
).split()
_WORDS = ("admins", "staff", "RO", "DE", "laptop-1", 'it\'s "odd" \\ \n', "ünï")
_NUMBERS = st.sampled_from((0, 12, 45.5, 46, 66, 66.5, 80, 100, -3, 1e3))


def _term(path: str) -> st.SearchStrategy[str]:
    fact = FACTS[path]
    words = st.sampled_from(fact.values or _WORDS).map(_quoted)
    if fact.type == "bool":
        return st.sampled_from((path, f"!{path}", f"{path} == true", f"false != {path}"))
    if fact.type == "list":
        made = [words.map(lambda w: f"{w} in {path}"), st.just(f"size({path}) > 1")]
        made += [words.map(lambda w, e=e: f"{path}.{e}(g, g == {w})") for e in ("exists", "all")]
    elif fact.type == "text":
        made = [words.map(lambda w, o=o: f"{path} {o} {w}") for o in ("==", "!=")]
        made.append(
            st.lists(words, min_size=1, max_size=3).map(lambda w: f"{path} in [{', '.join(w)}]")
        )
        if not fact.values:
            made.append(words.map(lambda w: f"{path}.startsWith({w})"))
    else:
        made = [_NUMBERS.map(lambda n, o=o: f"{path} {o} {n}") for o in ("<", "<=", ">", ">=")]
        made += [_NUMBERS.map(lambda n, o=o: f"{n} {o} {path}") for o in ("==", "!=", "<", ">=")]
    return st.one_of([*made, st.just(f"has({path})")])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def conditions() -> st.SearchStrategy[str]:
    """Conditions that are right, of any shape."""
    terms = st.sampled_from(_FIELDS).flatmap(_term) | st.sampled_from(("true", "false"))
    return st.recursive(
        terms,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda p: f"({p[0]}) && ({p[1]})"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]}) || ({p[1]})"),
            inner.map(lambda c: f"!({c})"),
            st.tuples(inner, inner, inner).map(lambda p: f"(({p[0]}) ? ({p[1]}) : ({p[2]}))"),
        ),
        max_leaves=6,
    )


def logins() -> st.SearchStrategy[tuple[AuthEvent, Observation, Assessment]]:
    """Logins of every kind and risk."""
    risks = st.floats(0, 100) | st.sampled_from((45.99, 46.0, 66.0, 79.99, 80.0, 100.0))
    assessments = st.builds(
        assessed,
        risks,
        st.sampled_from((0.0, 0.59, 0.6, 1.0)),
        off=st.sampled_from((0.0, 35.0, -10.0)),
        signals=st.sampled_from(((), ("bad_address",), ("country", "device"))),
    )
    observed = st.builds(
        login,
        kind=st.sampled_from(("human", "service")),
        country=st.sampled_from((None, "RO", "DE")),
        accepted=st.booleans(),
        time=st.integers(NOON, NOON + 7 * DAY),
    )
    return st.tuples(st.sampled_from(EVENTS), observed, assessments)
