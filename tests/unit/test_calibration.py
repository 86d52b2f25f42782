"""Scores become risks that mean what they say."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.baseline.observation import Observation
from quivive.baseline.profile import SETTLED_AFTER, Profile
from quivive.baseline.tables import DAY_MS
from quivive.scoring.assess import LATER_DISCOUNT, NEWCOMER_DISCOUNT, risk_of
from quivive.scoring.calibrate import (
    EVERY_PRODUCT,
    POOL_LOGINS,
    REFIT_EVERY,
    Calibration,
    calibration_of,
    class_of,
    count,
)

T0 = 1_760_000_000_000
MINUTE = 60_000


def trained(
    logins: int, mean: float = -8.0, spread: float = 3.0
) -> tuple[Calibration, list[float]]:
    rng = random.Random(7)
    calibration = Calibration()
    scores = [rng.gauss(mean, spread) + rng.expovariate(1.0) for _ in range(logins)]
    for n, score in enumerate(scores):
        calibration.observe(score, T0 + n * MINUTE)
    return calibration, scores


def test_risk_60_is_one_login_in_a_thousand() -> None:
    calibration, scores = trained(40_000)
    share = sum(calibration.risk(s) >= 60 for s in scores) / len(scores)
    assert 0.0005 < share < 0.002


def test_risk_46_is_five_in_a_thousand() -> None:
    calibration, scores = trained(40_000)
    share = sum(calibration.risk(s) >= 46.02 for s in scores) / len(scores)
    assert 0.004 < share < 0.006


def test_the_gate_closes_on_one_in_a_hundred() -> None:
    calibration, scores = trained(40_000)
    share = sum(calibration.gated(s) for s in scores) / len(scores)
    assert 0.008 < share < 0.012


def test_before_history_only_the_very_unusual_is_a_finding() -> None:
    calibration = Calibration()
    assert calibration.risk(2.0) < 46 < calibration.risk(15.0)


@given(st.floats(-60, 90), st.floats(-60, 90))
def test_risk_is_bounded_and_never_falls_with_the_score(one: float, other: float) -> None:
    calibration, _ = trained(2_000)
    low, high = sorted((one, other))
    assert 0 <= calibration.risk(low) <= calibration.risk(high) + 1e-9 <= 100


# classes: newcomers among themselves, small products beside the others


def of(log: str = "signIns", n: int = 0, kind: str = "human") -> Observation:
    return Observation(
        time=T0 + n * MINUTE, identity="dana", kind=kind, log=log, outcome="success",
        accepted=True, hour=9, weekday=1,
    )  # fmt: skip


def counted(*streams: tuple[str, bool, list[float]]) -> dict[str, Calibration]:
    """The calibrations after streams of (log, newcomers, scores) that came side by side."""
    found: dict[str, Calibration] = {}
    for n in range(max(len(scores) for *_, scores in streams)):
        for log, newcomer, scores in streams:
            if n < len(scores):
                login = of(log, n)
                count(found, login.kind, log, newcomer, scores[n], login.time)
    return found


def drawn(number: int, mean: float = -8.0, seed: int = 7) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(mean, 3.0) + rng.expovariate(1.0) for _ in range(number)]


def fitted(calibration: Calibration) -> tuple[Any, ...]:
    return (
        calibration.threshold,
        calibration.share,
        calibration.shape,
        calibration.width,
        calibration.body,
    )


def known(days: float, logins: float) -> Profile:
    """Somebody first seen so many days ago, with so many logins learned today."""
    profile = Profile(first_seen=T0 - round(days * DAY_MS))
    profile.own.add("log", "signIns", logins * profile.own.scale(T0))
    return profile


@pytest.mark.parametrize(
    ("days", "logins", "new"),
    [(0, 0, True), (3.9, 100, True), (4, 1, False), (30, 4.9, False), (400, 50, False)],
)
def test_a_newcomer_has_few_days_however_many_logins(days: float, logins: float, new: bool) -> None:
    assert SETTLED_AFTER == 4 * DAY_MS
    assert known(days, logins).newcomer(T0) is new


def test_somebody_never_seen_is_a_newcomer_but_not_who_was_gone_for_long() -> None:
    assert Profile().newcomer(T0)
    gone = known(30, 20)
    assert not gone.newcomer(T0)
    assert not gone.newcomer(T0 + 90 * DAY_MS)  # whatever of its logins has faded


def test_a_distribution_is_young_for_a_half_life_and_never_again() -> None:
    found = Calibration()
    assert found.young(T0)
    found.observe(0.0, T0)
    assert found.young(T0 + 13 * DAY_MS)
    assert not found.young(T0 + 14 * DAY_MS)
    for day in range(14, 1_500, 14):
        found.observe(0.0, T0 + day * DAY_MS)
        assert not found.young(T0 + day * DAY_MS)
    # Forty half-lives on, its counts were expressed anew: a login a half-life is worth two in all.
    assert found.total / found.scale(T0 + 1_498 * DAY_MS) == pytest.approx(2.0, rel=0.01)


def test_newcomers_are_discounted_less_once_it_is_known_what_newcomers_do_here() -> None:
    found, login = Calibration(), of("signIns")
    found.observe(0.0, login.time - 13 * DAY_MS)
    early = risk_of(20.0, login, (), 0.0, found)
    found.anchor -= DAY_MS
    late = risk_of(20.0, login, (), 0.0, found)
    known = risk_of(20.0, login, (), 500.0, found)
    assert early == pytest.approx(known * (1 - NEWCOMER_DISCOUNT))
    assert late == pytest.approx(known * (1 - LATER_DISCOUNT))


def test_the_class_of_a_newcomer_ends_in_new() -> None:
    assert class_of(of("signIns/background"), newcomer=False) == "human/signIns"
    assert class_of(of("signIns/background"), newcomer=True) == "human/signIns/new"
    assert class_of(of("aws", kind="service"), newcomer=True) == "service/aws/new"


def test_newcomers_do_not_move_the_calibration_of_the_others() -> None:
    others = ("signIns", False, drawn(2_000))
    alone, beside = counted(others), counted(others, ("signIns", True, drawn(2_000, mean=9.0)))
    assert set(beside) == {
        "human/signIns",
        "human/signIns/new",
        f"human/{EVERY_PRODUCT}",
        f"human/{EVERY_PRODUCT}/new",
    }
    for name in alone:
        assert beside[name] == alone[name]
    new, old = beside["human/signIns/new"], beside["human/signIns"]
    assert new.threshold > old.threshold + 10
    assert new.risk(12.0) < 46 < old.risk(12.0)


def test_before_history_a_newcomer_is_expected_to_be_odder_than_others() -> None:
    found: dict[str, Calibration] = {}
    new, old = (calibration_of(found, of(), newcomer) for newcomer in (True, False))
    assert all(new.risk(score) < old.risk(score) for score in (4.0, 10.0, 16.0, 25.0))
    assert not found, "to look is not to count"


def test_every_login_counts_in_its_product_and_in_all_products_together() -> None:
    found = counted(("signIns", False, drawn(300)), ("aws", False, drawn(200, seed=8)))
    time = of(n=300).time
    sizes = {name: c.total / c.scale(time) for name, c in found.items()}
    assert set(sizes) == {"human/signIns", "human/aws", "human/*"}
    assert sizes["human/*"] == pytest.approx(sizes["human/signIns"] + sizes["human/aws"])
    for slot in found["human/*"].bins:
        parts = [found[f"human/{log}"].bins.get(slot, 0.0) for log in ("signIns", "aws")]
        assert found["human/*"].bins[slot] == pytest.approx(sum(parts))


def test_a_single_product_is_as_if_there_were_no_pool() -> None:
    scores = drawn(4 * REFIT_EVERY + 3)
    alone = Calibration()
    for n, score in enumerate(scores):
        alone.observe(score, of(n=n).time)
    found = counted(("signIns", False, scores))
    assert fitted(found["human/signIns"]) == fitted(alone)
    assert found["human/*"].bins == found["human/signIns"].bins


def test_a_small_product_leans_on_the_others() -> None:
    """Their logins say how far a score may go, which its own few cannot."""
    few = ("aws", False, drawn(REFIT_EVERY, seed=9))
    alone = counted(few)["human/aws"]
    calm = counted(("signIns", False, drawn(4_000, mean=-12.0)), few)
    wild = counted(("signIns", False, drawn(4_000, mean=4.0)), few)
    assert calm["human/aws"].threshold < alone.threshold < wild["human/aws"].threshold
    assert calm["human/aws"].risk(6.0) > alone.risk(6.0) > wild["human/aws"].risk(6.0)


def test_it_leans_on_no_more_than_ten_thousand_of_their_logins() -> None:
    def leaning(others: int, own: int) -> float:
        """The share of an aws login's expectation that others' scores (4 % at 20) make up."""
        lent, found = Calibration(), Calibration()
        for n in range(others):
            lent.observe(-10.0 if n % 25 else 20.0, T0 + n)
        for n in range(own):
            found.observe(-10.0, T0 + others + n, lent)
        found.pending = 1
        found.observe(-10.0, T0 + others + own, lent)
        return found.exceedance(15.0)

    assert POOL_LOGINS == 10_000.0
    assert leaning(0, 2_000) < 0.001
    some, many, far_more = leaning(600, 500), leaning(11_000, 500), leaning(16_000, 500)
    assert 0.002 < some < many
    # As of 500 logins of its own, and the prior, beside 10,000 of theirs, however many there are.
    assert many == pytest.approx(far_more, rel=0.02)
    assert far_more == pytest.approx(0.04 * 10_000 / (10_000 + 501 + 112), rel=0.03)
    assert leaning(9_000, 6_000) < 0.5 * far_more


def test_what_it_borrows_is_the_shape_of_their_tail_from_where_its_own_begins() -> None:
    """Another product's scores may all be higher, or lower: its own index says by how much."""
    others, own = drawn(8_000), drawn(4 * REFIT_EVERY, seed=9)

    def both(ahead: float) -> tuple[Calibration, Calibration]:
        aws = ("aws", False, [score + ahead for score in own])
        found = counted(aws, ("signIns", False, others))
        return found["human/aws"], found["human/signIns"]

    odd, usual = both(5.0)
    moved = odd.threshold - usual.threshold
    assert 3.0 < moved <= 5.0  # as far as its own logins tell
    for score in (2.0, 4.0):
        assert odd.risk(score + moved) == pytest.approx(usual.risk(score), abs=12.0)
    calm, usual = both(-5.0)
    assert -5.0 <= calm.threshold - usual.threshold < -1.0


def test_a_product_larger_than_all_others_together_leans_on_them_but_little() -> None:
    large = ("signIns", False, drawn(6_000))
    alone = counted(large)["human/signIns"]
    beside = counted(large, ("aws", False, drawn(200, mean=4.0)))["human/signIns"]
    assert beside.threshold == pytest.approx(alone.threshold, abs=1.0)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["signIns", "aws", "sshd"]),
            st.booleans(),
            st.floats(-30, 25),
            st.floats(0.1, 8.0),
            st.integers(1, 2 * REFIT_EVERY),
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.floats(-60, 90), min_size=2, max_size=12),
)
def test_whatever_was_counted_exceedance_never_rises_with_the_score(
    streams: list[tuple[str, bool, float, float, int]], scores: list[float]
) -> None:
    found: dict[str, Calibration] = {}
    time = 0
    for log, newcomer, mean, spread, number in streams:
        rng = random.Random(f"{log}{number}")
        for _ in range(number):
            time += 1
            login = of(log, time)
            count(found, login.kind, log, newcomer, rng.gauss(mean, spread), login.time)
    for calibration in found.values():
        ordered = sorted(scores)
        shares = [calibration.exceedance(score) for score in ordered]
        assert all(0 < share <= 1 for share in shares)
        assert all(one >= other - 1e-12 for one, other in pairwise(shares))
        risks = [calibration.risk(score) for score in ordered]
        assert all(one <= other + 1e-9 for one, other in pairwise(risks))
        assert risks[0] >= 0
        assert risks[-1] <= 100
