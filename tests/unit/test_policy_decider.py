"""Decisions: the shipped ladder, modes, canaries, budgets, and the short road beside the long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.app.policy_file import shipped
from quivive.model.assessment import Decision, Reason, level_of
from quivive.model.context import Context
from quivive.model.event import AuthEvent, Group
from quivive.policy.contexts import NOTHING, Contexts
from quivive.policy.decider import Decider
from quivive.policy.rules import in_cohort
from quivive.policy.spending import Spent
from tests.unit import policies
from tests.unit.policies import DAY, HOUR, NOON, assessed, event, login, policy

HIGH = {"id": "high", "when": "assessment.risk >= 66", "action": "block", "mode": "enforce"}


def decided(decider: Decider, risk: float, **changes: object) -> Decision:
    return decider.decide(event(), login(**changes), assessed(risk))


def ladder(risk: float, confidence: float, kind: str, corroborated: bool) -> str:
    """The shipped policy in plain words: risk by undamped, told already or not."""
    sure = level_of(risk) == "critical" and confidence >= 0.6
    if level_of(risk) == "low":
        return "allow"
    if kind == "service":
        return ("rotate" if corroborated else "page") if sure else "notify"
    if sure and (corroborated or risk >= 96):
        return "revoke"
    return "notify" if level_of(risk) == "medium" else "step_up"


@given(
    st.floats(0, 100) | st.sampled_from((46.0, 66.0, 80.0, 96.0)),
    st.floats(0, 1) | st.just(0.6),
    st.sampled_from(("human", "service")),
    st.booleans(),
)
@settings(max_examples=200)
def test_the_shipped_policy_is_a_ladder(
    risk: float, confidence: float, kind: str, corroborated: bool
) -> None:
    signal = "travel" if not corroborated else "recovery" if kind == "human" else "client"
    reasons = (Reason(signal=signal, text="1 of 9", weight=2.0),)
    one = replace(assessed(risk, confidence), reasons=reasons)
    said = Decider(shipped()).decide(event(), login(kind=kind), one)
    assert said.action == ladder(risk, confidence, kind, corroborated)
    assert said.mode == "shadow"


def test_a_low_risk_is_allowed_without_asking_any_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    decider = Decider(shipped())
    monkeypatch.setattr(decider, "judge", None)
    assert decided(decider, 45.9) is decider.allow
    assert decider.least == 46.0


@given(
    st.lists(
        st.tuples(
            policies.conditions(),
            st.sampled_from(("allow", "notify", "step_up", "revoke")),
            st.sampled_from(("shadow", "enforce")),
        ),
        min_size=1,
        max_size=4,
    ),
    policies.logins(),
    st.sampled_from((None, "travel", "campaign", "vip")),
)
@settings(max_examples=200)
def test_the_short_road_ends_where_the_long_one_does(
    rules: list[tuple[str, str, str]],
    one: tuple[AuthEvent, object, object],
    kind: str | None,
) -> None:
    made = policy(
        *(
            {"id": f"r{n}", "when": when, "action": action, "mode": mode}
            for n, (when, action, mode) in enumerate(rules)
        )
    )
    contexts = Contexts(
        [
            Context(
                id="c1",
                kind=kind,  # type: ignore[arg-type]
                reason="r",
                owner="o",
                begins=0,
                ends=NOON + 30 * DAY,
                identities=("ana@example.com",),
                margin=10.0 if kind == "campaign" else 0.0,
            )
        ]
        if kind
        else []
    )
    decider = Decider(made, contexts)
    what, seen, said = one
    met = contexts.met(what, seen) if kind else NOTHING  # type: ignore[arg-type]
    short = decider.decide(what, seen, said)  # type: ignore[arg-type]
    assert short == decider.judge(what, seen, said, met)  # type: ignore[arg-type]


def test_a_rule_in_shadow_does_not_stop_one_that_acts() -> None:
    decider = Decider(
        policy(
            HIGH | {"mode": "shadow", "action": "revoke", "id": "new"},
            HIGH,
            HIGH | {"id": "later", "action": "disable"},
        )
    )
    said = decided(decider, 70)
    assert (said.action, said.mode, said.rule) == ("block", "enforce", "test/high")
    assert said.would is not None
    assert (said.would.action, said.would.mode, said.would.rule) == ("revoke", "shadow", "test/new")
    assert said.policy == "test@1"


def test_a_rule_in_shadow_alone_says_what_it_would_do() -> None:
    said = decided(Decider(policy(HIGH | {"mode": "shadow"})), 70)
    assert (said.action, said.mode, said.would) == ("block", "shadow", None)


def test_rules_beside_tell_and_do_not_decide() -> None:
    also = {"id": "tell", "when": "identity.privileged", "action": "page", "also": True}
    decider = Decider(policy(also, HIGH, privileged=["group:admins", "root*"]))
    admin = event(user={"groups": (Group(name="Admins"),)})
    said = decider.decide(admin, login(), assessed(70))
    assert (said.action, [a.rule for a in said.also]) == ("block", ["test/tell"])
    low = decider.decide(admin, login(), assessed(1))
    assert (low.action, [a.action for a in low.also]) == ("allow", ["page"])
    assert decided(decider, 70).also == ()


def test_a_canary_acts_on_its_cohort_and_is_in_shadow_for_the_rest() -> None:
    decider = Decider(policy(HIGH | {"mode": "canary", "canary": "25%"}))
    names = [f"user{n}@example.com" for n in range(400)]
    modes = {n: decided(decider, 70, identity=n).mode for n in names}
    acted = {n for n, mode in modes.items() if mode == "canary"}
    assert set(modes.values()) == {"canary", "shadow"}
    assert 60 < len(acted) < 140
    assert acted == {n for n in names if in_cohort(n, "high", 0.25)}


@given(st.text(min_size=1), st.text(min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_cohort_keeps_whom_it_had(who: str, rule: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert in_cohort(who, rule, less) <= in_cohort(who, rule, more)
    assert in_cohort(who, rule, 1.0)
    assert not in_cohort(who, rule, 0.0)


def test_a_budget_is_counted_in_event_time_and_then_a_person_is_called() -> None:
    spent = Spent()
    decider = Decider(policy(HIGH | {"budget": "2/hour, then page"}), spent=spent)

    def at(minutes: int) -> Decision:
        return decided(decider, 70, time=NOON + minutes * 60_000)

    assert [at(0).action, at(10).action] == ["block", "block"]
    third = at(20)
    assert (third.action, third.spent, third.rule) == ("page", "2/hour, then page", "test/high")
    assert third.instead_of is None
    assert at(-30).action == "block"  # a late login belongs to an hour that had room
    assert at(60).action == "block"  # the first is an hour old
    assert at(65).action == "page"
    assert len(spent.times["high"]) <= 4


def test_budgets_go_on_where_they_were() -> None:
    import msgspec

    rule = policy(HIGH | {"budget": "1/day, then ticket"})
    first = Decider(rule)
    decided(first, 70)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first.spent), type=Spent)
    assert decided(Decider(rule, spent=kept), 70, time=NOON + HOUR).action == "ticket"


def test_no_machine_is_asked_for_a_factor() -> None:
    decider = Decider(policy(HIGH | {"action": "step_up"}))
    assert decided(decider, 70).action == "step_up"
    said = decided(decider, 70, kind="service")
    assert (said.action, said.instead_of) == ("notify", "step_up")


def test_a_rule_ends_on_its_day_and_sleeps_with_its_flag() -> None:
    expiring = policy(HIGH | {"expires": "2026-03-03"})
    assert decided(Decider(expiring), 70).action == "block"
    assert decided(Decider(expiring), 70, time=NOON + DAY).action == "allow"
    flagged = policy(HIGH | {"flag": "blocking"}, flags={"blocking": False})
    assert decided(Decider(flagged), 70).action == "allow"
    assert decided(Decider(flagged.with_flags({"blocking": True})), 70).action == "block"


def test_priority_goes_before_order() -> None:
    decider = Decider(policy(HIGH, HIGH | {"id": "first", "action": "revoke", "priority": 5}))
    assert decided(decider, 70).rule == "test/first"


def test_what_was_told_already_is_decided_as_before() -> None:
    said = Decider(shipped()).decide(event(), login(), assessed(97, 0.9, off=42))
    assert said.action == "revoke"
