"""Service accounts: a schedule, exact sets, and no step-up."""

import pytest

from quivive.engine.engine import Scored
from quivive.model.event import UserType
from tests.scenario.company import (
    BACKUP,
    CHROME_WINDOWS,
    FAR,
    LISBON,
    OFFICE,
    PYTHON,
    Company,
    at,
    backup_run,
    company,
    findings,
    is_finding,
    login,
    machines,
    texts,
)


def test_a_month_of_scheduled_runs_is_silent() -> None:
    said = company().sees([backup_run(day) for day in range(40, 70)], machines(40, 70))
    assert findings(said) == []
    assert {s.login.kind for s in said} == {"service"}


@pytest.mark.parametrize("place", [FAR[0], LISBON], ids=["Lagos", "Lisbon"])
def test_a_new_network_off_schedule_is_a_finding_with_a_machines_reasons(place) -> None:  # type: ignore[no-untyped-def]
    said = company().judges(backup_run(42, place, place.ip(77), hour=11.62))
    assert is_finding(said)
    signals = {reason.signal for reason in said.assessment.reasons}
    assert {"country", "schedule"} <= signals
    assert "hour" in signals
    assert "weekday" not in signals
    assert "minutes 35 to 39 of the hour: 0 of its" in texts(said)
    assert said.decision.action in ("notify", "rotate")


def test_the_only_machine_of_a_small_company_is_guarded_too() -> None:
    made = Company()
    made.sees([backup_run(day, hour=hour) for day in range(40) for hour in (2.0, 8.0, 20.0)])
    assert is_finding(made.judges(backup_run(42, FAR[0], FAR[0].ip(77), hour=11.62)))


def schedule_of(said: Scored) -> list[float]:
    return [w.weight for w in said.gathered.weighed if w.feature.signal == "schedule"]


def test_a_job_that_runs_all_the_time_has_no_minute_of_its_own() -> None:
    """Of each hour only its first login is learned in full: that is no schedule."""
    made = Company()
    made.sees(
        [
            backup_run(day, OFFICE, OFFICE.ip(200 + turn % 2), hour=hour + turn / 12)
            for day in range(4)
            for hour in range(24)
            for turn in range(12)
        ]
    )
    for minute in range(0, 60, 5):
        (weight,) = schedule_of(made.judges(backup_run(5, FAR[0], hour=3 + minute / 60)))
        assert weight < 0.7, minute


def test_off_schedule_from_the_usual_host_is_less_than_from_elsewhere() -> None:
    at_home = company().judges(backup_run(42, hour=11.62)).assessment
    elsewhere = company().judges(backup_run(42, FAR[0], FAR[0].ip(77), hour=11.62)).assessment
    assert at_home.score < elsewhere.score - 2
    assert at_home.risk_level in ("low", "medium")


def test_a_machine_with_a_browser_is_pinned() -> None:
    said = company().judges(
        login(BACKUP, at(42, 2), OFFICE, ip=OFFICE.ip(200), agent=CHROME_WINDOWS, app="Backup",
              mfa=None, kind=UserType.SERVICE)
    )  # fmt: skip
    assert said.assessment.risk_score >= 80
    assert "a machine identity logs in with Chrome" in texts(said)
    assert said.decision.action != "step_up"


def test_a_machine_is_never_asked_for_a_second_factor() -> None:
    made = company()
    for day, place in enumerate(FAR, start=42):
        said = made.judges(login(BACKUP, at(day, 13.3), place, agent=PYTHON, app="Backup",
                                 mfa=None, kind=UserType.SERVICE))  # fmt: skip
        assert said.decision.action in ("allow", "notify", "rotate")
