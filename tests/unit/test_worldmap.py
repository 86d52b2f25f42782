"""The map of places: what is on it, where, in which order, and what it escapes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.app.worldmap import HEIGHT, MARKED, WIDTH, Visit, draw, spots_of

LAND = "/assets/land.0.svg#land"


def visits(*given: tuple[str, float, float, bool, bool]) -> list[Visit]:
    return [Visit(n, *one) for n, one in enumerate(given)]


def drawn(*given: tuple[str, float, float, bool, bool]) -> str:
    return str(draw(*spots_of(visits(*given)), LAND))


def marks(svg: str) -> dict[str, tuple[float, float]]:
    """Where each number stands."""
    found = re.findall(r'<text class="number" x="([\d.-]+)" y="([\d.-]+)">(\d+)</text>', svg)
    return {number: (float(x), float(y)) for x, y, number in found}


OSLO = ("Oslo, NO", 59.9, 10.7, True, False)
LIMA = ("Lima, PE", -12.0, -77.0, True, True)
KYIV = ("Kyiv, UA", 50.4, 30.5, False, False)


def test_places_are_numbered_by_their_first_login_and_counted() -> None:
    spots, ways = spots_of(visits(OSLO, KYIV, LIMA, KYIV, OSLO, LIMA))
    assert [(s.number, s.name, s.got_in, s.failed, s.findings, s.kind) for s in spots] == [
        (1, "Oslo, NO", 2, 0, 0, "in"),
        (2, "Kyiv, UA", 0, 2, 0, "out"),
        (3, "Lima, PE", 2, 0, 2, "told"),
    ]
    # an attempt is no journey: the way goes past Kyiv, each way once, there and back are two
    assert [tuple(way) for way in ways] == [(1, 3, True), (3, 1, False)]


def test_order_of_time_counts_and_not_that_of_the_list() -> None:
    late, early = Visit(9, *OSLO), Visit(1, *LIMA)
    assert [s.name for s in spots_of([late, early])[0]] == ["Lima, PE", "Oslo, NO"]


def test_north_is_up_and_east_is_right_and_the_damning_one_is_marked() -> None:
    svg = drawn(OSLO, KYIV, LIMA)
    at = marks(svg)
    assert at["2"][0] > at["1"][0] > at["3"][0]
    assert at["1"][1] < at["2"][1] < at["3"][1]
    assert svg.count('class="ring"') == 1
    assert '<g class="spot told"><title>3 Lima, PE: 1 got in, 1 finding</title>' in svg
    assert 'class="way told"' in svg
    assert "with a finding: 3 Lima, PE" in svg


def test_a_journey_over_the_180th_meridian_does_not_go_around_the_world() -> None:
    svg = drawn(("Suva", -18.1, 178.4, True, False), ("Apia", -13.8, -171.8, True, False))
    at = marks(svg)
    assert 0 < at["2"][0] - at["1"][0] < WIDTH / 2
    assert svg.count("<use") == 2  # the land on either side


def test_names_find_room_or_are_left_out_and_no_mark_covers_another() -> None:
    near = [(f"Town {n}", 50 + n / 100, 8 + n / 100, True, n == 5) for n in range(20)]
    svg = drawn(*near)
    at = list(marks(svg).values())
    assert len(at) == 20
    apart = [(a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for n, a in enumerate(at) for b in at[n + 1 :]]
    assert min(apart) > 10**2
    assert 0 < svg.count('class="name"') < 20


def test_beyond_the_numbered_ones_there_are_dots_and_the_told_one_keeps_its_number() -> None:
    many = [(f"City {n}", n % 60, n, True, n == 39) for n in range(40)]
    svg = drawn(*many)
    assert len(marks(svg)) == MARKED
    assert "40" in marks(svg)
    assert svg.count('class="dot"') == 40 - MARKED


def test_what_logs_say_is_escaped_cut_and_cannot_turn_the_writing() -> None:
    name = "<script>\u202e\"'&" + "x" * 10_000
    svg = drawn((name, 1.0, 2.0, True, True))
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert len(svg) < 3_000
    assert "style=" not in svg


@pytest.mark.parametrize(("lat", "long"), [(91, 0), (-90.5, 0), (0, 181), (0, -999)])
def test_what_is_not_on_earth_is_not_on_the_map(lat: float, long: float) -> None:
    assert drawn(("Nowhere", lat, long, True, True)) == ""
    assert drawn() == ""


PLACES = st.tuples(
    st.sampled_from("abcdefghij"),
    st.floats(-90, 90, allow_nan=False),
    st.floats(-180, 180, allow_nan=False),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(PLACES, min_size=1, max_size=12))
def test_every_mark_is_in_sight_wherever_places_are(some: list[tuple]) -> None:
    svg = drawn(*some)
    assert drawn(*some) == svg
    for x, y in marks(svg).values():
        assert 0 < x < WIDTH
        assert 0 < y < HEIGHT + 4
    assert "nan" not in svg
    assert "inf" not in svg
    assert 1 <= svg.count("<use") <= 3
