"""A log that falls silent, dwindles or loses a field says so, and a weekend says nothing."""

from random import Random

import pytest

from quivive.app.registry import signals
from quivive.baseline.monitor import Monitor
from quivive.baseline.observation import Observation
from quivive.learn.gaps import COSTS, TITLES, find_gaps
from tests.unit.monitored import DAY, HOUR, MONDAY, some, weeks

PEOPLE = "Entra ID signIns"
MACHINES = "AWS CloudTrail"


def cut(monitor: Monitor, kind: str, after: float) -> Monitor:
    """The monitor as if nothing of a kind had come after a day (and a part of one)."""
    end = MONDAY + round(after * DAY)
    for series in monitor.series.values():
        if series.kind == kind:
            first, rest = divmod(end, DAY)
            series.days = {n: d for n, d in series.days.items() if n <= first}
            if first in series.days:
                series.days[first].hours &= (1 << rest // HOUR) - 1
            latest = max(n for n, d in series.days.items() if d.hours)
            series.last = latest * DAY + (series.days[latest].hours.bit_length() * HOUR) - 1
    return monitor


@pytest.mark.parametrize("days", [35, 36, 37, 40, 41, 42])  # on any day of the week
@pytest.mark.parametrize("seed", [1, 2])
def test_an_undisturbed_log_has_no_gaps(days: int, seed: int) -> None:
    assert find_gaps(weeks(days, seed)) == []


def test_a_log_that_ends_on_a_working_morning_is_silent_by_the_afternoon() -> None:
    monitor = cut(weeks(39), "human", 37 + 10 / 24)  # Wednesday, ten o'clock
    (gap,) = find_gaps(monitor)
    assert (gap.gap, gap.source, gap.severity) == ("silent", PEOPLE, "act")
    assert abs(gap.since - (MONDAY + 37 * DAY + 10 * HOUR)) <= HOUR
    assert "silent for 37 hours" in gap.text
    assert gap.costs == ("everything in this log",)


def test_a_day_off_is_worth_watching_only() -> None:
    (gap,) = find_gaps(cut(weeks(39), "human", 37.9))  # nobody on Thursday
    assert (gap.gap, gap.severity) == ("silent", "watch")


def test_at_the_weekend_people_may_be_silent() -> None:
    assert find_gaps(cut(weeks(41), "human", 39.9)) == []  # Friday evening, to Sunday morning


def test_machines_may_not() -> None:
    (gap,) = find_gaps(cut(weeks(41), "service", 39.9))
    assert (gap.gap, gap.source) == ("silent", MACHINES)


def test_silence_of_all_logs_shows_only_against_a_clock() -> None:
    monitor = weeks(40)
    assert find_gaps(monitor) == []
    found = find_gaps(monitor, now=monitor.newest + 4 * DAY)
    assert {gap.source for gap in found} == {PEOPLE, MACHINES}


@pytest.mark.parametrize(
    ("changes", "field", "signal"),
    [
        ({"ip": None}, "ip", "address"),
        ({"country": None}, "place", "country"),
        ({"device": None}, "device", "device"),
        ({"os": None, "browser": None}, "user_agent", "client"),
        ({"session": None}, "session", "session"),
        ({"mfa": None}, "mfa", "auth_method"),
        ({"application": None}, "application", "application"),
    ],
)
def test_a_field_gone_null_is_named_with_its_day_and_what_it_costs(
    changes: dict[str, object], field: str, signal: str
) -> None:
    (gap,) = find_gaps(weeks(40, change=some(1.0, **changes), since=37))
    assert (gap.gap, gap.field, gap.identity_kind) == ("field", field, "human")
    assert gap.severity == "act"
    assert gap.since == MONDAY + 37 * DAY
    assert signal in gap.costs
    assert "missing in 100% of the logins by people" in gap.text
    assert gap.remedy


def test_a_field_that_was_never_there_is_no_gap() -> None:
    assert find_gaps(weeks(change=some(1.0, device=None, session=None))) == []


def test_a_field_missing_more_often_is_worth_watching() -> None:
    (gap,) = find_gaps(weeks(change=some(0.4, device=None), since=35))
    assert (gap.field, gap.severity) == ("device", "watch")


def test_a_collapse_of_volume_is_found_and_dated() -> None:
    def most_lost(login: Observation, rng: Random) -> Observation | None:
        return login if login.kind == "service" or rng.random() < 0.05 else None

    (gap,) = find_gaps(weeks(change=most_lost, since=35))
    assert (gap.gap, gap.source, gap.severity) == ("volume", PEOPLE, "act")
    assert gap.since == MONDAY + 35 * DAY


def test_a_kind_of_identity_that_vanishes_from_a_log_that_goes_on() -> None:
    # Machines that sign in beside the people, until an export's filter leaves them out.
    monitor = weeks()
    machines = monitor.series.pop(f"service/{MACHINES}")
    machines.source = PEOPLE
    monitor.series[f"service/{PEOPLE}"] = machines
    monitor = cut(monitor, "service", 34.9)
    (gap,) = find_gaps(monitor)
    assert (gap.gap, gap.identity_kind, gap.severity) == ("kind", "service", "act")
    assert gap.since < MONDAY + 35 * DAY
    assert "no login by machines for a week" in gap.text


def test_costs_are_signals_that_exist() -> None:
    known = {name for family in signals() for name in family.tells}
    assert set(TITLES) == set(COSTS)
    for costs, remedy in COSTS.values():
        assert remedy
        assert set(costs) <= known


def test_a_young_log_has_no_usual_silence_yet() -> None:
    assert find_gaps(cut(weeks(6), "human", 2.0)) == []
