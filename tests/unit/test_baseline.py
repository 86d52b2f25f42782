"""Decayed counts, back-off and windows."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.baseline.backoff import Levels
from quivive.baseline.geometry import distance_km
from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.tails import tail
from quivive.baseline.windows import HOUR_MS, DistinctWindow, Window

T0 = 1_760_000_000_000


def level(counts: dict[str, int], half_life: float = 30 * DAY_MS) -> Level:
    made = Level(half_life, 48)
    for key, count in counts.items():
        for _ in range(count):
            made.add("country", key, made.scale(T0))
    return made


def levels(own: Level, peers: Level, everyone: Level, time: int = T0) -> Levels:
    return Levels(own, peers, everyone, own.scale(time), peers.scale(time), everyone.scale(time))


def test_a_count_halves_with_its_half_life() -> None:
    made = level({"DE": 8})
    assert isclose(made.count("country", "DE", T0 + 30 * DAY_MS), 4.0)


def test_rebasing_changes_no_count() -> None:
    made = level({"DE": 8, "FR": 2}, half_life=DAY_MS)
    later = T0 + 45 * DAY_MS
    made.add("country", "DE", made.scale(later))
    before = made.count("country", "DE", later)
    made.rebase(later)
    assert made.anchor == later
    assert isclose(made.count("country", "DE", later), before)


@given(st.lists(st.sampled_from([f"c{n}" for n in range(200)]), max_size=300))
def test_tables_stay_bounded_and_keep_their_total(keys: list[str]) -> None:
    made = Level(DAY_MS, 16)
    for key in keys:
        made.add("f", key, made.scale(T0))
    if keys:
        table = made.tables["f"]
        assert len(table.values) <= 16
        assert isclose(table.total, len(keys))
        assert isclose(sum(table.values.values()), len(keys))


def test_merging_two_levels_adds_their_decayed_counts() -> None:
    early, late = level({"DE": 4}), Level(30 * DAY_MS, 48)
    later = T0 + 30 * DAY_MS
    late.add("country", "DE", late.scale(later))
    early.merge(late)
    assert isclose(early.count("country", "DE", later), 2.0 + 1.0)


def test_without_history_an_identity_looks_like_its_peers() -> None:
    found = levels(level({}), level({"DE": 90, "FR": 10}), level({"DE": 500, "FR": 500}))
    usual = found.usual("country", "DE")
    assert 0.75 < usual.probability < 0.9
    assert usual.own_total == 0


def test_own_history_outweighs_the_organisation() -> None:
    found = levels(level({"DE": 100}), level({"DE": 50, "FR": 50}), level({"DE": 50, "FR": 50}))
    assert found.usual("country", "DE").probability > 0.95
    assert found.usual("country", "FR").probability < 0.02


def test_a_country_nobody_came_from_is_the_most_surprising() -> None:
    found = levels(level({"DE": 200}), level({"DE": 900}), level({"DE": 9000, "NG": 3}))
    usual = {c: found.usual("country", c).probability for c in ("DE", "NG", "KP")}
    assert usual["DE"] > 0.9 > 0.025 > usual["NG"] >= usual["KP"]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40)),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40)),
    st.sampled_from("abcdefg"),
)
def test_probabilities_are_probabilities(
    own: dict[str, int], org: dict[str, int], key: str
) -> None:
    usual = levels(level(own), level(org), level(org)).usual("country", key)
    assert 0 < usual.probability <= 1


def test_window_forgets_after_a_day() -> None:
    window = Window()
    window.add(T0, 3)
    assert window.total(T0 + HOUR_MS) == 3
    assert window.total(T0 + 25 * HOUR_MS) == 0
    window.add(T0 + 30 * HOUR_MS)
    assert window.total(T0 + 30 * HOUR_MS) == 1


def test_distinct_window_stays_bounded() -> None:
    window = DistinctWindow(limit=4)
    for n in range(50):
        window.add(f"m{n}", T0 + n)
    assert window.members(T0 + 50) == ["m46", "m47", "m48", "m49"]


def test_tail_grows_with_the_count_and_shrinks_with_the_mean() -> None:
    assert tail(0, 1.0) == 0
    assert tail(1, 0.05) < tail(5, 0.05) < tail(50, 0.05)
    assert tail(5, 10.0) < tail(5, 0.1)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [((52.52, 13.40), (48.86, 2.35), 878), ((0, 179.5), (0, -179.5), 111), ((10, 10), (10, 10), 0)],
)
def test_distance(one: tuple[float, float], other: tuple[float, float], km: float) -> None:
    assert abs(distance_km(*one, *other) - km) < 3
