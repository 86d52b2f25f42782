"""Contexts: which apply, when they end, what they do to a decision, and what they never hide."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.app.contexts import from_fields, read_file, safelisted, shared_egress
from quivive.app.policy_file import read, shipped
from quivive.baseline.profile import AddressState
from quivive.engine.state import State
from quivive.model.assessment import FINDING, Assessment, Decision
from quivive.model.context import Context
from quivive.model.errors import ConfigurationError
from quivive.model.event import AuthEvent, Group
from quivive.policy.actions import RANK
from quivive.policy.contexts import CEILINGS, EFFECTS, Contexts, _covers, settle
from quivive.policy.decider import Decider
from quivive.policy.environment import CONTEXT_KINDS, is_pinned
from tests.conftest import DATA
from tests.unit import policies
from tests.unit.policies import DAY, HOUR, NOON, assessed, event, login

ANA = ("ana@example.com",)
# In force, by risk and confidence alone.
LADDER = read(DATA / "policies/uncorroborated.yaml").policy()


def context(kind: str, name: str = "c1", **changes: Any) -> Context:
    fields = {"reason": "r", "owner": "o", "begins": NOON - DAY, "ends": NOON + DAY}
    return Context(id=name, kind=kind, **(fields | changes))  # type: ignore[arg-type]


def decided(
    contexts: list[Context], risk: float = 90, signals: tuple[str, ...] = (), **changes: Any
) -> Decision:
    decider = Decider(LADDER, Contexts(contexts))
    return decider.decide(event(), login(**changes), assessed(risk, signals=signals))


@pytest.mark.parametrize(
    ("criteria", "applies"),
    [
        ({"identities": ANA}, True),
        ({"identities": ("ANA@example.com",)}, True),
        ({"identities": ("@example.com",)}, True),
        ({"identities": ("@example.org", "bob@example.com")}, False),
        ({"addresses": ("192.0.2.7",)}, True),
        ({"addresses": ("192.0.2.0/24", "2001:db8::/32")}, True),
        ({"addresses": ("192.0.2.8/30",)}, False),
        ({"networks": (64500,)}, True),
        ({"devices": ("laptop-1",)}, True),
        ({"devices": ("laptop-2",)}, False),
        ({"services": ("mail",)}, True),
        ({"services": ("APP-1",), "identities": ANA}, True),
        ({"identities": ANA, "addresses": ("198.51.100.0/24",)}, False),
        ({"addresses": ("192.0.2.0/24",), "identities": ("bob@example.com",)}, False),
        ({"groups": ("staff",)}, False),
    ],
)
def test_a_context_applies_to_what_meets_all_it_names(
    criteria: dict[str, Any], applies: bool
) -> None:
    met = Contexts([context("safelist", **criteria)]).met(event(), login())
    assert met.names == (("c1",) if applies else ())


def test_groups_are_the_records() -> None:
    of_staff = context("vip", groups=("staff",))
    met = Contexts([of_staff]).met(event(user={"groups": (Group(name="staff"),)}), login())
    assert met.names == ("c1",)


@pytest.mark.parametrize(
    ("time", "applies"),
    [(NOON - DAY - 1, False), (NOON - DAY, True), (NOON + DAY - 1, True), (NOON + DAY, False)],
)
def test_a_context_holds_by_the_logins_own_time(time: int, applies: bool) -> None:
    said = decided([context("safelist", identities=ANA)], time=time)
    assert said.action == ("allow" if applies else "revoke")


@pytest.mark.parametrize(
    ("kind", "changes", "risk", "action"),
    [
        ("safelist", {}, 90, "allow"),
        ("travel", {"countries": ("RO",)}, 90, "step_up"),
        ("travel", {"countries": ("RO",)}, 70, "notify"),
        ("travel", {"countries": ("RO",)}, 50, "notify"),
        ("travel", {"countries": ("DE",)}, 90, "revoke"),
        ("maintenance", {}, 90, "notify"),
        ("deploy", {}, 70, "notify"),
        ("grace", {}, 90, "step_up"),
        ("campaign", {"margin": 20.0}, 60, "allow"),
        ("campaign", {"margin": 20.0}, 70, "notify"),
        ("campaign", {"margin": 20.0}, 85, "notify"),
        ("campaign", {"margin": 10.0}, 99, "revoke"),
        ("vip", {}, 50, "page"),
        ("vip", {}, 90, "revoke"),
        ("vip", {}, 10, "allow"),
        ("countries", {"countries": ("DE",)}, 10, "step_up"),
        ("countries", {"countries": ("DE", "RO")}, 10, "allow"),
        ("override", {"action": "allow"}, 90, "allow"),
        ("override", {"action": "block"}, 1, "block"),
        ("break_glass", {}, 1, "page"),
        ("break_glass", {}, 95, "page"),
    ],
)
def test_what_a_kind_does(kind: str, changes: dict[str, Any], risk: float, action: str) -> None:
    said = decided([context(kind, identities=ANA, **changes)], risk)
    assert said.action == action
    if said.instead_of is not None:
        assert said.contexts == ("c1",)


def test_every_kind_is_described() -> None:
    assert set(EFFECTS) == set(CONTEXT_KINDS)


@pytest.mark.parametrize("kind", ["safelist", "maintenance", "override"])
def test_what_is_pinned_is_never_hidden(kind: str) -> None:
    changes = {"action": "allow"} if kind == "override" else {}
    said = decided([context(kind, identities=ANA, **changes)], 92, ("bad_address",))
    assert (said.action, said.instead_of, said.contexts) == ("notify", "revoke", ("c1",))


def test_the_risk_itself_never_changes() -> None:
    whole = assessed(90)
    Decider(shipped(), Contexts([context("campaign", identities=ANA, margin=20.0)])).decide(
        event(), login(), whole
    )
    assert (whole.undamped, whole.risk_score, whole.risk_level) == (90, 90, "critical")


def test_a_campaign_leaves_no_blind_spot() -> None:
    launch = context("campaign", identities=("@example.com",), margin=20.0)
    assert decided([launch], 82).action != "allow"
    assert decided([launch], 60).action == "allow"
    assert decided([launch], 60, time=NOON + DAY).action == "notify"  # and when it is over


def test_overlapping_contexts_are_taken_together() -> None:
    both = [
        context("travel", "trip", identities=ANA, countries=("RO",)),
        context("grace", "grace", identities=ANA),
        context("countries", "home", countries=("DE",)),
        context("countries", "office", identities=ANA, countries=("RO",)),
        context("safelist", "over", identities=ANA, ends=NOON - HOUR),
    ]
    said = decided(both)
    assert (said.action, said.contexts) == ("step_up", ("grace", "trip"))


def test_a_machine_outside_its_countries_is_told_of() -> None:
    outside = [context("countries", countries=("DE",))]
    assert decided(outside, 10, kind="service").action == "notify"
    assert decided(outside, 10, accepted=False).action == "allow"
    assert decided(outside, 10, country=None).action == "allow"  # unknown is not outside


@st.composite
def _contexts(draw: st.DrawFn) -> Context:
    kind = draw(st.sampled_from(CONTEXT_KINDS))
    criteria = {
        "identities": draw(st.sampled_from(((), ANA, ("@example.com",), ("bob@x.org",)))),
        "addresses": draw(st.sampled_from(((), ("192.0.2.0/24",), ("10.0.0.0/8", "192.0.2.7")))),
        "networks": draw(st.sampled_from(((), (64500,), (1,)))),
        "devices": draw(st.sampled_from(((), ("laptop-1",)))),
        "services": draw(st.sampled_from(((), ("Mail",)))),
        "countries": draw(st.sampled_from(((), ("RO",), ("DE",)))),
    }
    begins = draw(st.integers(NOON - 2 * DAY, NOON + DAY))
    action = draw(st.sampled_from(("allow", "block"))) if kind == "override" else None
    return context(
        kind,
        f"c{draw(st.integers(0, 999))}",
        begins=begins,
        ends=begins + draw(st.integers(1, 3 * DAY)),
        action=action,
        margin=15.0 if kind == "campaign" else 0.0,
        **criteria,
    )


@given(st.lists(_contexts(), max_size=6, unique_by=lambda c: c.id), policies.logins())
@settings(max_examples=150)
def test_the_index_finds_what_a_search_finds(
    some: list[Context], one: tuple[AuthEvent, Any, Assessment]
) -> None:
    what, seen, said = one
    met = Contexts(some).met(what, seen)
    plain = [c for c in some if c.begins <= seen.time < c.ends and _covers(c, what, seen)]
    inside = {c.id for c in plain if c.kind == "countries" and seen.country in c.countries}
    if inside or seen.country is None:
        plain = [c for c in plain if c.kind != "countries"]
    assert set(met.names) == {c.id for c in plain}
    ceilings = [CEILINGS[c.kind] for c in plain if c.kind in CEILINGS]
    harsh = settle("disable", met, seen, said)
    if ceilings and not met.kinds & {"override", "countries", "campaign", "vip", "break_glass"}:
        # What is pinned is told all the same.
        told = ["notify"] if said.undamped >= FINDING and is_pinned(said) else []
        assert RANK[harsh] <= max(RANK[action] for action in (*ceilings, *told))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "safelst"}, "did you mean safelist"),
        ({"adresses": ["10.0.0.1"]}, "did you mean addresses"),
        ({"addresses": []}, "has to name addresses"),
        ({"reason": " "}, "reason is missing"),
        ({"owner": None}, "owner is missing"),
        ({"until": "2020-01-01"}, "before it begins"),
        ({"from": "2020-01-01", "until": "2020-02-01"}, "ended already"),
        ({"until": "2099-01-01"}, "366 days are the most"),
        ({"until": "9999d"}, "366 days are the most"),
        ({"until": "soon"}, "no time"),
        ({"addresses": ["0.0.0.0/0"]}, "most of the internet"),
        ({"addresses": ["office"]}, "no address and no CIDR"),
        ({"networks": ["AS0"]}, "no AS number"),
        ({"countries": ["Romania"]}, "two letters"),
        ({"margin": 5}, "only a campaign"),
        ({"kind": "campaign", "services": ["shop"]}, "margin is what it takes off"),
        ({"kind": "campaign", "services": ["shop"], "margin": 50}, "20 at most"),
        ({"kind": "override", "identities": ["a"]}, "needs an action"),
        ({"action": "allow"}, "only an override"),
        ({"kind": "travel", "identities": ["a"]}, "has to name countries"),
        ({"id": "a b"}, "letters, digits"),
        ({"identities": ["a\x1b[2J"]}, "not printable"),
    ],
)
def test_a_context_is_refused(fields: dict[str, Any], says: str) -> None:
    given_all = {"kind": "safelist", "addresses": ["10.0.0.1"], "reason": "r", "owner": "o"}
    with pytest.raises(ConfigurationError, match=says):
        from_fields(given_all | fields, NOON)


def test_a_context_ends_by_itself() -> None:
    made = from_fields(
        {"kind": "safelist", "addresses": ["::ffff:192.0.2.1"], "reason": "r", "owner": "o"}, NOON
    )
    assert (made.begins, made.ends) == (NOON, NOON + 30 * DAY)
    assert made.addresses == ("192.0.2.1",)
    grace = {"kind": "grace", "identities": ["a"], "reason": "r", "owner": "o"}
    assert from_fields(grace, NOON).ends == NOON + DAY
    assert from_fields(grace | {"until": "12h"}, NOON).ends == NOON + 12 * HOUR


def test_a_file_of_contexts_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "contexts.yaml"
    file.write_text(
        "contexts:\n"
        "  - {kind: travel, identities: [a@x.org], countries: [ro], reason: r, owner: o}\n"
        "  - {kind: vip, identities: [b@x.org], reason: r, ownr: o}\n"
    )
    with pytest.raises(ConfigurationError, match=r"contexts.yaml:3:5: .*did you mean owner"):
        read_file(file, NOON)
    file.write_text("- {kind: travel, identities: [a], countries: [ro], reason: r, owner: o}\n")
    assert read_file(file, NOON)[0].countries == ("RO",)


def test_learned_shared_egress_stands_beside_safelists() -> None:
    state = State()
    for place, count in (("192.0.2.7", 9), ("10.0.0.1", 30), ("198.51.100.9", 2)):
        known = state.addresses[place] = AddressState()
        for n in range(count):
            known.welcome(f"user{n}", NOON)
    state.networks["192.0.2.0/24"] = state.addresses["192.0.2.7"]
    found = shared_egress(state)
    assert [(s.place, s.identities) for s in found] == [("192.0.2.0/24", 9), ("192.0.2.7", 9)]
    office = context("safelist", "office", addresses=("192.0.2.0/25",))
    assert [list(safelisted(s.place, [office])) for s in found] == [[], ["office"]]
