"""Budgets: what an operator may write, and thresholds that hold it whatever the scores do."""

from collections import Counter
from contextlib import suppress
from math import log10
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.model.assessment import FINDING
from quivive.policy.budget import (
    Budget,
    BudgetError,
    Budgets,
    Telling,
    Thresholds,
    judge,
    parse_budgets,
)

DAY = 86_400_000
BEGIN = 1_700_000_000_000


@pytest.mark.parametrize(
    ("written", "of", "budget"),
    [
        ("20/day", "all", Budget(20, daily=True)),
        ("20 findings a day", "all", Budget(20, daily=True)),
        ("human=2.5 per day", "human", Budget(2.5, daily=True)),
        ("service=0.1%", "service", Budget(0.001, daily=False)),
        ("0.3 %", "all", Budget(0.003, daily=False)),
        (".5%", "all", Budget(0.005, daily=False)),
        ("Human = 1%", "human", Budget(0.01, daily=False)),
    ],
)
def test_a_budget_is_read(written: str, of: str, budget: Budget) -> None:
    found = parse_budgets([written]).by_class
    assert list(found) == [of]
    assert found[of].daily == budget.daily
    assert found[of].amount == pytest.approx(budget.amount)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (["lots"], "not understood"),
        (["20"], "not understood"),
        (["guests=1%"], "no class of identities 'guests'"),
        (["0%"], "between 0.001 and 50 %"),
        (["80%"], "between 0.001 and 50 %"),
        (["0/day"], "findings a day"),
        (["human=1%", "human=2/day"], "a second one for human"),
        (["1%", "human=1%", "service=2%"], "leave it out"),
    ],
)
def test_a_budget_that_cannot_be_held_is_refused(written: list[str], says: str) -> None:
    with pytest.raises(BudgetError, match=says):
        parse_budgets(written)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(BudgetError):
        assert len(parse_budgets([text]).by_class) == 1


# --- holding it

WEEKDAYS = {"human": 500, "service": 400}
WEEKENDS = {"human": 60, "service": 400}


def logins(
    first: int, last: int, shift: float = 0.0, seed: int = 1
) -> list[tuple[str, str, float, int]]:
    """Identity, kind, risk and time of the logins of some days, people mostly on weekdays.

    Risks are as calibrated (a thousandth above 60), and ``shift`` higher where calibration is off.
    """
    rng = Random(seed * 1000 + first)
    found = []
    for day in range(first, last):
        volumes = WEEKENDS if day % 7 >= 5 else WEEKDAYS
        for kind, volume in volumes.items():
            for _ in range(volume):
                risk = -20 * log10(1 - rng.random()) + shift - 8.0 * (rng.random() < 0.2)
                time = BEGIN + day * DAY + rng.randrange(DAY)
                found.append((f"{kind}-{rng.randrange(60)}", kind, max(0.0, risk), time))
    return sorted(found, key=lambda login: login[3])


def told(
    stream: list[tuple[str, str, float, int]], budgets: Budgets, thresholds: Thresholds
) -> list[tuple[str, int, Telling]]:
    return [
        (kind, (time - BEGIN) // DAY, judge(risk, who, kind, time, thresholds, budgets))
        for who, kind, risk, time in stream
    ]


def realised(found: list[tuple[str, int, Telling]], kind: str | None = None) -> tuple[float, float]:
    """The share of logins told, and findings a day."""
    of = [f for f in found if kind in (None, f[0])]
    findings = sum(telling.finding for _, _, telling in of)
    return findings / len(of), findings / (1 + of[-1][1] - of[0][1])


@pytest.mark.parametrize("shift", [0.0, 9.0, -9.0])
def test_each_class_keeps_its_budget_of_either_kind(shift: float) -> None:
    budgets = parse_budgets(["human=6/day", "service=1%"])
    thresholds = Thresholds()
    told(logins(0, 14, shift), budgets, thresholds)
    after = told(logins(14, 49, shift), budgets, thresholds)
    assert realised(after, "human")[1] == pytest.approx(6, rel=0.1)
    assert realised(after, "service")[0] == pytest.approx(0.01, rel=0.1)


def test_one_budget_holds_for_all_together() -> None:
    budgets, thresholds = parse_budgets(["10/day"]), Thresholds()
    told(logins(0, 14), budgets, thresholds)
    after = told(logins(14, 42), budgets, thresholds)
    assert realised(after)[1] == pytest.approx(10, rel=0.1)
    assert set(thresholds.by_class) == {"all"}


def test_after_a_drift_of_the_scores_the_budget_holds_again_within_days() -> None:
    budgets, thresholds = parse_budgets(["human=6/day", "service=1%"]), Thresholds()
    told(logins(0, 21), budgets, thresholds)
    drifted = told(logins(21, 49, shift=10.0), budgets, thresholds)
    first = [f for f in drifted if f[1] < 25]
    later = [f for f in drifted if f[1] >= 25]
    assert realised(first, "human")[1] > 7  # it is noticed
    assert realised(later, "human")[1] == pytest.approx(6, rel=0.1)
    assert realised(later, "service")[0] == pytest.approx(0.01, rel=0.1)


def test_a_burst_raises_the_threshold_by_so_much_and_no_more() -> None:
    budgets, thresholds = parse_budgets(["human=6/day"]), Thresholds()
    told(logins(0, 21), budgets, thresholds)
    before = thresholds.by_class["human"].value
    time = BEGIN + 21 * DAY
    burst = [(f"victim-{n}", "human", 90.0 + n / 1000, time + n * 1000) for n in range(500)]
    assert all(telling.finding for _, _, telling in told(burst, budgets, thresholds))
    held = thresholds.by_class["human"]
    assert before < held.value < before + 25
    after = told(logins(21, 28), budgets, thresholds)
    assert realised([f for f in after if f[1] >= 24], "human")[1] == pytest.approx(6, rel=0.5)


def test_another_budget_is_taken_over_from_where_the_old_one_stood() -> None:
    thresholds = Thresholds()
    old = parse_budgets(["human=1%"])
    told(logins(0, 21, shift=9.0), old, thresholds)
    stood = thresholds.by_class["human"].value
    new = parse_budgets(["human=0.1%"])
    judge(0.0, "somebody", "human", BEGIN + 21 * DAY, thresholds, new)
    assert thresholds.by_class["human"].value == pytest.approx(stood + 20, abs=0.1)
    after = told(logins(21, 28, shift=9.0), new, thresholds)
    assert realised(after, "human")[0] < 0.003


def test_without_a_budget_a_finding_is_what_it_always_was() -> None:
    thresholds = Thresholds()
    for risk, expected in ((FINDING - 0.01, False), (FINDING, True), (99.0, True)):
        found = judge(risk, f"who-{risk}", "human", BEGIN, thresholds, Budgets())
        assert found == Telling(finding=expected, threshold=FINDING, capped=False)
    assert not thresholds.by_class


def test_an_identity_is_told_of_five_times_a_day_at_most() -> None:
    thresholds = Thresholds()
    hours = range(0, 48, 2)
    found = [
        judge(80.0, "priya", "human", BEGIN + hour * DAY // 24, thresholds, Budgets())
        for hour in hours
    ]
    by_day = Counter(hour // 24 for hour, f in zip(hours, found, strict=True) if f.finding)
    assert by_day == {0: 5, 1: 5}
    assert all(f.finding != f.capped for f in found)
    other = judge(80.0, "marek", "human", BEGIN, thresholds, Budgets())
    assert other.finding
    more = judge(80.0, "marek", "human", BEGIN, thresholds, Budgets(alerts=1))
    assert more.capped


def test_the_same_logins_give_the_same_state() -> None:
    budgets = parse_budgets(["human=6/day", "service=1%"])
    states = []
    for _ in range(2):
        thresholds = Thresholds()
        half = logins(0, 10)
        told(half[:4000], budgets, thresholds)
        thresholds = msgspec.msgpack.decode(msgspec.msgpack.encode(thresholds), type=Thresholds)
        told(half[4000:], budgets, thresholds)
        states.append(msgspec.msgpack.encode(thresholds))
    whole = Thresholds()
    told(logins(0, 10), budgets, whole)
    assert states == [msgspec.msgpack.encode(whole)] * 2
