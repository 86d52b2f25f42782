"""Scores become risks that mean what they say."""

import random

from hypothesis import given
from hypothesis import strategies as st

from quivive.scoring.calibrate import Calibration

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
