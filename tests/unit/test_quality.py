"""Precision and false positives from verdicts of uneven weight, with their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.learn.quality import FEWEST, Judged, quality, weights, wilson
from quivive.model.verdict import BENIGN_TRUE_POSITIVE, FALSE_POSITIVE, TRUE_POSITIVE

HUMAN, MACHINE = "human/Entra ID", "service/CloudTrail"


def judged(kind, count: int, *, stratum=HUMAN, band="finding", at_random=False) -> list[Judged]:
    return [Judged(stratum, band, kind, at_random)] * count


def test_wilsons_interval_is_the_known_one() -> None:
    share = wilson(8, 10)
    assert (share.value, round(share.low, 3), round(share.high, 3)) == (0.8, 0.490, 0.943)
    assert (wilson(0, 10).low, wilson(10, 10).high) == (0.0, 1.0)


@given(st.integers(1, 400), st.floats(0, 1))
def test_an_interval_holds_its_share_and_narrows(count: int, share: float) -> None:
    found, more = wilson(share * count, count), wilson(share * 4 * count, 4 * count)
    assert 0 <= found.low <= found.value + 1e-12 <= found.high + 1e-9 <= 1 + 1e-9
    assert more.high - more.low < found.high - found.low


def test_too_few_verdicts_give_no_share_and_say_how_many_it_takes() -> None:
    (whole, *_) = quality(judged(TRUE_POSITIVE, FEWEST - 1), {(HUMAN, "finding"): 40})
    assert whole.precision is None
    assert whole.missing == f"too early to say how right they are: that takes {FEWEST} verdicts"


def test_verdicts_on_the_top_alone_count_for_themselves() -> None:
    found = judged(TRUE_POSITIVE, 9) + judged(BENIGN_TRUE_POSITIVE, 2) + judged(FALSE_POSITIVE, 1)
    whole, human, product = quality(found, {(HUMAN, "finding"): 12, (HUMAN, "low"): 9_000})
    assert whole.precision is not None
    assert whole.false_positives is not None
    assert whole.precision.value == pytest.approx(9 / 12)
    assert whole.false_positives.value == pytest.approx(1 / 12)
    assert (human.of, product.of, human.findings) == ("human", "Entra ID", 12)
    assert whole.precision == human.precision == product.precision


def test_the_random_slice_stands_for_what_nobody_looked_at() -> None:
    """Ten right at the top; of ninety others four were drawn, and three of them were nothing."""
    found = judged(TRUE_POSITIVE, 11) + judged(FALSE_POSITIVE, 3, at_random=True)
    found = found[1:] + judged(TRUE_POSITIVE, 1, at_random=True)
    population = {(HUMAN, "finding"): 100}
    assert sum(weight for _, weight in weights(found, population)) == pytest.approx(100)
    whole = quality(found, population)[0]
    assert whole.precision is not None
    assert whole.precision.value == pytest.approx((10 + 90 / 4) / 100)
    even = wilson(14 * whole.precision.value, 14)
    assert whole.precision.high - whole.precision.low > even.high - even.low


def test_kinds_of_identity_and_products_are_told_apart_and_lows_left_out() -> None:
    found = judged(TRUE_POSITIVE, 10) + judged(FALSE_POSITIVE, 10, stratum=MACHINE)
    found += judged(FALSE_POSITIVE, 30, band="low", at_random=True)
    population = {(HUMAN, "finding"): 10, (MACHINE, "finding"): 10, (HUMAN, "low"): 5_000}
    named = {q.of: q for q in quality(found, population)}
    assert set(named) == {"all", "human", "service", "Entra ID", "CloudTrail"}
    assert named["human"].precision is not None
    assert named["service"].precision is not None
    assert (named["human"].precision.value, named["service"].precision.value) == (1.0, 0.0)
    assert named["all"].verdicts == 20
