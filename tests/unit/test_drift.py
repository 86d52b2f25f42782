"""Drift is found where it was planted, named rightly, and nowhere else."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.baseline.monitor import BUCKETS_KEPT, DAYS_KEPT, OTHER, Day, Monitor
from quivive.learn.adwin import PER_SIZE, Adwin
from quivive.learn.distance import expected_psi, kolmogorov_smirnov, ks_chance, psi
from quivive.learn.drift import find_drift
from tests.unit.monitored import DAY, MONDAY, machine, some, weeks


@pytest.mark.parametrize(("seed", "days"), [(0, 36), (1, 39), (2, 42), (3, 42), (4, 42)])
def test_an_organisation_that_stays_as_it_is_has_no_drift(seed: int, days: int) -> None:
    assert find_drift(weeks(days, seed)) == []


@pytest.mark.parametrize(
    ("changes", "feature", "words"),
    [
        ({"os": "macOS"}, "os", "OS: Windows 67% → "),
        ({"mfa": "single"}, "mfa", "MFA: single 9% → "),
        ({"network_kind": "vpn"}, "network_kind", "kind of network: vpn 0% → "),
        ({"country": "DE"}, "country", "country: DE 0% → "),
        ({"browser": "Edge"}, "client", "client: Edge 0% → "),
        ({"hour": 3}, "hour", "hour of the day (UTC): 00-04h 0% → "),
    ],
)
def test_a_planted_drift_is_found_and_named(
    changes: dict[str, object], feature: str, words: str
) -> None:
    (found, *more) = find_drift(weeks(change=some(0.45, **changes), since=35))
    assert found.severity == "act"
    assert (found.test, found.feature, found.kind) == ("psi", feature, "human")
    assert found.text.startswith(words)
    assert "of Entra ID signIns logins by people; PSI " in found.text
    assert all(drift.feature == feature for drift in more)


def test_a_small_drift_is_worth_watching_only() -> None:
    (found,) = find_drift(weeks(change=some(0.25, os="macOS", browser="Chrome"), since=35))
    assert (found.severity, found.feature) == ("watch", "os")


def test_machines_drift_apart_from_people() -> None:
    (found,) = find_drift(weeks(change=some(0.6, "service", os="Windows"), since=35))
    assert (found.kind, found.source, found.severity) == ("service", "AWS CloudTrail", "act")
    assert "by machines" in found.text


def test_higher_scores_are_found_by_both_tests_and_dated() -> None:
    found = {drift.test: drift for drift in find_drift(weeks(score=4.0, since=37))}
    assert found["adwin"].severity == "act"
    assert abs(found["adwin"].since - (MONDAY + 37 * DAY)) <= DAY
    assert "score above" in found["adwin"].text
    assert found["ks"].feature == "score"
    assert "nats" in found["ks"].text


def test_too_little_history_says_nothing() -> None:
    assert find_drift(weeks(13, change=some(1.0, os="Linux"), since=7)) == []


def test_a_feature_moves_only_with_enough_logins() -> None:
    assert find_drift(weeks(people=2, change=some(0.5, os="Linux"), since=35)) == []


# --- the statistics


def test_psi_is_its_definition() -> None:
    was, now = {"a": 6100, "b": 3900}, {"a": 3400, "b": 6600}
    assert psi(was, now) == pytest.approx(0.3005, abs=0.001)
    assert psi(was, was) == 0.0


def test_by_chance_psi_is_what_is_expected_of_it() -> None:
    rng = Random(4)

    def draw(n: int) -> Counter[str]:
        return Counter(rng.choices("abcdef", [30, 25, 20, 15, 6, 4], k=n))

    mean = sum(psi(draw(1000), draw(250)) for _ in range(300)) / 300
    assert mean == pytest.approx(expected_psi(6, 1000, 250), rel=0.15)


def test_kolmogorov_smirnov_of_histograms() -> None:
    assert kolmogorov_smirnov({0: 10, 1: 10}, {0: 20}) == 0.5
    assert kolmogorov_smirnov({0: 10}, {5: 3}) == 1.0
    assert ks_chance(0.0304, 4000, 4000) == pytest.approx(0.05, abs=0.002)  # the table's 1.36
    assert ks_chance(0.0, 200, 200) == 1.0


@given(st.lists(st.floats(0, 1), max_size=400))
def test_adwin_keeps_the_mean_of_its_window_in_little_memory(values: list[float]) -> None:
    window = Adwin()
    for value in values:
        window.add(value)
    kept = values[window.since :]
    assert window.size == len(kept)
    if kept:
        assert window.mean == pytest.approx(sum(kept) / len(kept))
    sizes = Counter(bucket.size for bucket in window.buckets)
    assert all(count <= PER_SIZE for count in sizes.values())


def test_adwin_cuts_where_the_mean_changed_and_not_elsewhere() -> None:
    rng = Random(2)
    window = Adwin()
    steady = [window.add(float(rng.random() < 0.05)) for _ in range(3000)]
    assert sum(steady) <= 1
    cuts = [n for n in range(600) if window.add(float(rng.random() < 0.3))]
    assert cuts
    assert cuts[0] < 150
    assert abs(window.since - 3000) < 300
    assert window.mean == pytest.approx(0.3, abs=0.06)


# --- what is kept


def test_a_monitor_is_bounded_and_takes_late_events_as_long_as_their_day_is_kept() -> None:
    monitor = weeks(60, people=5)
    for series in monitor.series.values():
        assert len(series.days) <= DAYS_KEPT
        assert max(series.days) - min(series.days) < DAYS_KEPT
    series = monitor.series["human/Entra ID signIns"]
    assert series.day(min(series.days) - 1) is None
    day = Day()
    for number in range(100):
        day.meet("country", str(number))
    assert len(day.features["country"]) == BUCKETS_KEPT + 1
    assert day.features["country"][OTHER] == 100 - BUCKETS_KEPT


def test_an_identity_counts_once_in_four_hours() -> None:
    monitor, login = Monitor(), machine(0, 0, 0, Random(1))[0]
    for minute in range(0, 480, 20):
        for identity in ("svc-a", "svc-b"):
            call = replace(login, identity=identity, time=MONDAY + minute * 60_000)
            monitor.note(call, "AWS CloudTrail", None, [], 0.0)
    (day,) = monitor.series["service/AWS CloudTrail"].days.values()
    assert (day.events, day.counted) == (48, 4)
    assert day.absent["uid"] == 4
    assert day.hours == 0b11111111


def test_attempts_that_failed_say_nothing_of_what_is_usual() -> None:
    monitor, login = Monitor(), machine(0, 0, 0, Random(1))[0]
    monitor.note(replace(login, outcome="failure", os="Plan 9"), "log", None, [], 0.0)
    (day,) = monitor.series["service/log"].days.values()
    assert (day.events, day.failures, day.counted) == (1, 1, 0)
    assert day.features == {}
