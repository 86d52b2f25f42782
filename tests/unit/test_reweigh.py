"""Weights from verdicts: the exact gradient, planted weights, and the bound on single sources."""

from math import exp
from random import Random
from time import process_time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.learn.evidence import Example, Raw, compiled, gradient, raw_of, score
from quivive.learn.linear import inverse_diagonal, solve
from quivive.learn.reweigh import (
    STEP,
    _cases,
    loss,
    reweigh,
    slope_and_curvature,
)
from quivive.scoring.model import SHIPPED, Model
from quivive.scoring.stories import GROUPS, ORDINARY, score_of
from tests.scenario.company import BUCHAREST, DANA, UNKNOWN_CLIENT, at, company, login, usual

SIGNALS = ("country", "network", "client", "device", "hour", "role", "travel")
NUMBERS = {name: n for n, name in enumerate(SIGNALS)}
PLACED = dict(
    zip(SIGNALS, ("place", "carrier", "client", "credential", "time", "access", "journey"),
        strict=True)
)  # fmt: skip

raws = st.builds(
    Raw,
    st.sampled_from(SIGNALS),
    st.sampled_from(GROUPS),
    st.floats(-3, 6).map(lambda x: round(x, 3)),
    st.floats(-3, 6).map(lambda x: round(x, 3)),
)
weights_ = st.lists(st.floats(0.1, 3), min_size=len(SIGNALS), max_size=len(SIGNALS))


def smooth(items, weights) -> bool:
    """Away from the corner where an alarming weight begins to be explained."""
    return all(abs(weights[i.signal] * i.nats - i.residual) > 1e-3 for i in items if i.nats > 0)


@given(st.lists(raws, max_size=12), weights_, st.sampled_from(sorted(ORDINARY)))
def test_the_gradient_of_the_score_is_its_slope(evidence, weights, kind) -> None:
    items = compiled(evidence, NUMBERS)
    assume(smooth(items, weights))
    value, by = gradient(items, weights, kind)
    assert value == score(items, weights, kind)
    for n in range(len(SIGNALS)):
        up, down = list(weights), list(weights)
        up[n] += 1e-5
        down[n] -= 1e-5
        slope = (score(items, up, kind) - score(items, down, kind)) / 2e-5
        assert by.get(n, 0.0) == pytest.approx(slope, abs=1e-4)


@given(
    st.lists(st.tuples(st.lists(raws, max_size=6), st.booleans()), min_size=1, max_size=5),
    weights_,
    st.floats(-4, 4),
)
def test_the_gradient_of_the_loss_is_its_slope(found, weights, intercept) -> None:
    examples = [
        Example(evidence=tuple(e), kind="human", attack=attack, source="a", incident=str(n // 2))
        for n, (e, attack) in enumerate(found)
    ]
    cases = _cases(examples, NUMBERS)
    assume(all(smooth(case.items, weights) for case in cases))
    start = [1.0, 0.5, 0.8, 1.0, 1.0, 2.0, 1.0]
    slope, _ = slope_and_curvature(cases, weights, intercept, start, 0.5)
    for n in range(len(SIGNALS) + 1):
        ends = []
        for step in (1e-5, -1e-5):
            moved = [w + step * (k == n) for k, w in enumerate(weights)]
            other = intercept + step * (n == len(SIGNALS))
            ends.append(loss(cases, moved, other, start, 0.5))
        assert slope[n] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-3)


@pytest.mark.parametrize("factors", [{}, {"country": 2.5, "client": 0.3, "device": 4.0}])
def test_raw_evidence_gives_the_score_of_any_model(factors: dict[str, float]) -> None:
    """What is kept of a login scores as the engine would with another model, and as it did."""
    shipped, other = company(), company()
    other.engine.gathering.model = Model(weights={**SHIPPED.weights, **factors})
    for event in (
        login("dana", at(43, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False),
        usual(DANA, at(43, 15)),
    ):
        one, two = shipped.judges(event), other.judges(event)
        evidence = raw_of(one.gathered, SHIPPED.weights)
        names = {e.signal: n for n, e in enumerate(evidence)}
        model = other.engine.gathering.model.weights
        weights = [0.0] * len(evidence)
        for name, n in names.items():
            weights[n] = model.get(name, 1.0)
        expected = score_of(two.gathered.sums(), "human")
        found = score(compiled(evidence, names), weights, "human")
        assert found == pytest.approx(expected, abs=1e-9)


# fitting


PLANTED = {"country": 1.0, "network": 0.35, "client": 1.7, "device": 1.0, "role": 1.0}


def planted(count: int, seed: int = 5, sources: int = 3) -> list[Example]:
    """Logins whose labels are drawn from the planted weights."""
    rng = Random(seed)
    found = []
    for n in range(count):
        evidence = tuple(
            Raw(name, PLACED[name], rng.uniform(-1.5, 4), rng.uniform(-1, 1)) for name in PLANTED
        )
        items = compiled(evidence, {name: n for n, name in enumerate(PLANTED)})
        odds = score(items, list(PLANTED.values()), "human") - 3
        found.append(
            Example(
                evidence=evidence,
                kind="human",
                attack=rng.random() < 1 / (1 + exp(-odds)),
                source=f"analyst-{n % sources}",
                incident=str(n),
            )
        )
    return found


def test_planted_weights_are_found_within_their_errors() -> None:
    found = reweigh(planted(500), SHIPPED)
    assert found.learned
    moved = {m.signal: m for m in found.moved}
    for name, truth in PLANTED.items():
        assert abs(moved[name].weight - truth) < 3 * moved[name].error + 0.05, moved[name].why()
    assert moved["network"].weight < 0.6
    assert moved["client"].weight > 1.3
    assert found.model.weights["network"] == pytest.approx(moved["network"].weight, abs=1e-4)
    assert found.model.weights["weekday"] == SHIPPED.weights["weekday"]
    assert "network: down from 1.00 to" in moved["network"].why()


def test_the_same_verdicts_give_the_same_weights_in_any_order() -> None:
    examples = planted(120)
    one, two = reweigh(examples, SHIPPED), reweigh(examples[::-1], SHIPPED)
    assert one.model.weights == pytest.approx(two.model.weights, abs=1e-3)
    assert reweigh(examples, SHIPPED) == one


def test_five_hundred_verdicts_take_no_two_seconds() -> None:
    examples = planted(500)
    began = process_time()
    reweigh(examples, SHIPPED)
    assert process_time() - began < 2


def test_before_eight_incidents_nothing_is_learned() -> None:
    examples = planted(200)
    attacks = [e for e in examples if e.attack][:7]
    benign = [e for e in examples if not e.attack]
    found = reweigh([*attacks, *benign], SHIPPED)
    assert (found.learned, found.model, found.moved) == (False, SHIPPED, ())
    assert "7 confirmed incidents" in found.why
    assert not reweigh([e for e in examples if e.attack], SHIPPED).learned
    assert not reweigh([], SHIPPED).learned


def test_the_logins_of_one_incident_count_as_one() -> None:
    examples = planted(60)
    repeated = [e for e in examples for _ in range(1 + 9 * (e.incident in ("3", "4")))]
    assert len(repeated) == 78
    one, two = reweigh(examples, SHIPPED), reweigh(repeated, SHIPPED)
    assert one.model.weights == pytest.approx(two.model.weights, abs=1e-3)


def test_few_verdicts_move_less_than_many() -> None:
    few, many = reweigh(planted(40), SHIPPED), reweigh(planted(400), SHIPPED)
    assert few.learned

    def furthest(found) -> float:
        return max(abs(m.weight - m.prior) for m in found.moved)

    assert furthest(few) < furthest(many)


# poisoning


def poisoned(examples: list[Example], by: str) -> list[Example]:
    """Somebody calls every attack harmless and every harmless login an attack."""
    return [replace(e, attack=not e.attack) if e.source == by else e for e in examples]


def within(one: Model, other: Model, most: float) -> None:
    for name, weight in one.weights.items():
        prior = SHIPPED.weights.get(name, 1.0)
        assert abs(weight - other.weights.get(name, prior)) <= most * prior + 2e-4, name


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(40, 160))
def test_one_persons_verdicts_move_no_weight_beyond_the_bound(seed, sources, count) -> None:
    examples = planted(count, seed, sources)
    without = [e for e in examples if e.source != "analyst-0"]
    spared = reweigh(without, SHIPPED).model if without else SHIPPED
    for found in (examples, poisoned(examples, "analyst-0")):
        within(reweigh(found, SHIPPED).model, spared, STEP)


def test_one_person_alone_moves_a_weight_by_a_quarter_at_most() -> None:
    found = reweigh(planted(400, sources=1), SHIPPED)
    within(found.model, SHIPPED, STEP)
    capped = [m for m in found.moved if m.capped]
    assert {m.signal for m in capped} >= {"network", "client"}
    assert "held back" in capped[0].why()


def test_many_people_share_three_groups() -> None:
    examples = planted(300, sources=9)
    found = reweigh(examples, SHIPPED)
    within(found.model, reweigh(poisoned(examples, "analyst-4"), SHIPPED).model, 2 * STEP)
    within(found.model, SHIPPED, 3 * STEP)


# algebra


@given(st.integers(1, 6), st.integers(0, 1000))
def test_a_small_system_is_solved(size: int, seed: int) -> None:
    rng = Random(seed)
    half = [[rng.uniform(-1, 1) for _ in range(size)] for _ in range(size)]
    matrix = [
        [sum(half[k][a] * half[k][b] for k in range(size)) + (a == b) for b in range(size)]
        for a in range(size)
    ]
    right = [rng.uniform(-1, 1) for _ in range(size)]
    found = solve(matrix, right)
    for row, wanted in zip(matrix, right, strict=True):
        assert sum(a * x for a, x in zip(row, found, strict=True)) == pytest.approx(wanted)
    unit = [solve(matrix, [float(n == m) for n in range(size)])[m] for m in range(size)]
    assert inverse_diagonal(matrix) == pytest.approx(unit)
    with pytest.raises(ValueError, match="positive"):
        solve([[-1.0]], [1.0])
