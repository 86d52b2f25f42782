"""Bars under detection: on a small simulated company it finds about what it once did, or more.

Each bar is what was measured less two incidents of fourteen: a change of the scoring that costs
more than chance is noticed here. `make bench-detection` measures properly.
"""

from pathlib import Path

from quivive.app.evaluate import simulated
from quivive.app.evaluation import Settings, evaluate
from quivive.learn.evaluation.metrics import AtBudget, DetectorResult
from quivive.sim.build import simulate

SHAPE = {"seed": 52, "people": 80, "services": 4, "days": 40, "incidents": 14}
MEASURED_FOUND_AT_HALF_A_PERCENT = 10
MEASURED_FOUND_AT_ONE_PERCENT = 11
FAIR_MARGIN = 2


def at(detector: DetectorResult, budget: float) -> AtBudget:
    return next(at for at in detector.at if at.budget == budget)


def everywhere(detector: DetectorResult) -> int:
    """Incidents found, added up over all budgets."""
    return sum(at.incidents.found for at in detector.at)


def test_bars(tmp_path: Path) -> None:
    """One test, because the company is scored once for all of it."""
    simulate(tmp_path / "company", **SHAPE)  # type: ignore[arg-type]
    found = evaluate([simulated(tmp_path / "company")], Settings(resamples=0))
    ours, *others = found.detectors

    (company,) = found.organisations
    assert 5_000 < company.logins <= 12_000
    assert company.incidents == SHAPE["incidents"]
    assert company.attack_logins < company.judged / 50

    half, one = at(ours, 0.005).incidents.found, at(ours, 0.01).incidents.found
    assert half >= MEASURED_FOUND_AT_HALF_A_PERCENT - FAIR_MARGIN
    assert one >= MEASURED_FOUND_AT_ONE_PERCENT - FAIR_MARGIN

    assert {"new-country", "impossible-travel", "freeman", "ecod"} <= {d.name for d in others}
    for other in others:
        assert everywhere(other) < everywhere(ours), other.title

    for budget in (0.003, 0.005, 0.01):  # by the thresholds of the days before
        assert 0.5 * budget < at(ours, budget).realised_rate < 2 * budget

    metrics = {metric.id: metric.value or 0.0 for metric in found.metrics}
    assert 0 < metrics["M1"] < 0.01
    assert metrics["M6"] < 0.005
    assert metrics["M9"] > 0.3
