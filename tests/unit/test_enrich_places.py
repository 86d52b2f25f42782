"""Place databases: both mmdb schemas, CSV ranges, merging, and files that cannot be used."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.enrich.place import Place, fill
from quivive.enrich.places import PlaceDatabase, PlaceDatabaseError
from quivive.enrich.ranges import Ranges
from tests.unit.place_files import BERLIN, LAGOS, unusable, write, write_mmdb


def test_nested_schema(tmp_path: Path) -> None:
    places = PlaceDatabase.open([write_mmdb(tmp_path / "a.mmdb", {"203.0.113.0/24": BERLIN})])
    assert places.find("203.0.113.9") == Place(
        country="DE",
        region="State of Berlin",
        city="Berlin",
        lat=52.52,
        long=13.405,
        postal_code="10115",
    )
    assert places.find("::ffff:203.0.113.9") == places.find("203.0.113.9")
    assert places.find("198.51.100.1") is None
    assert places.find("2001:db8::1") is None
    assert places.files[0].kind == "city"
    assert places.files[0].versions == (4,)
    assert places.warnings == []


def test_flat_schema_of_both_ip_versions(tmp_path: Path) -> None:
    four = write_mmdb(tmp_path / "ipv4.mmdb", {"203.0.113.0/24": LAGOS})
    six = write_mmdb(tmp_path / "ipv6.mmdb", {"2001:db8::/32": LAGOS}, version=6)
    places = PlaceDatabase.open([four, six])
    lagos = Place(country="NG", region="Lagos State", city="Lagos", lat=6.4541, long=3.3947)
    assert places.find("203.0.113.9") == places.find("2001:db8::9") == lagos
    assert [info.versions for info in places.files] == [(4,), (6,)]


def test_one_file_of_both_ip_versions(tmp_path: Path) -> None:
    records = {"203.0.113.0/24": BERLIN, "2001:db8::/32": LAGOS}
    places = PlaceDatabase.open([write_mmdb(tmp_path / "a.mmdb", records, version=6)])
    berlin, lagos = places.find("203.0.113.9"), places.find("2001:db8::9")
    assert berlin is not None
    assert lagos is not None
    assert (berlin.country, lagos.country) == ("DE", "NG")
    assert places.files[0].versions == (4, 6)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"},
            Place(asn=64500, as_name="Example"),
        ),
        (
            {"country": "US", "asn": "AS64500", "as_name": "Ex"},
            Place(country="US", asn=64500, as_name="Ex"),
        ),
        ({"is_anonymous": True, "is_tor_exit_node": True}, Place(network_kind="tor")),
        ({"is_anonymous": True, "is_hosting_provider": True}, Place(network_kind="hosting")),
        ({"connection_type": "Cellular"}, Place(network_kind="mobile")),
        (
            {"country": {"iso_code": "FR"}, "traits": {"user_type": "residential"}},
            Place(country="FR", network_kind="residential"),
        ),
        ({"registered_country": {"iso_code": "fr"}}, Place(country="FR")),
        (
            {
                "country": {"iso_code": "US"},
                "location": {"latitude": 37.751, "longitude": -97.822, "accuracy_radius": 1000},
            },
            Place(country="US"),
        ),
        ({"country_code": "FR", "latitude": 0.0, "longitude": 0.0}, Place(country="FR")),
        ({"country_code": "FR", "city": 7, "latitude": "north"}, Place(country="FR")),
        ({"country": {"iso_code": "FR"}, "subdivisions": [], "city": {}}, Place(country="FR")),
    ],
)
def test_what_a_record_tells(tmp_path: Path, record: dict[str, Any], expected: Place) -> None:
    places = PlaceDatabase.open([write_mmdb(tmp_path / "a.mmdb", {"203.0.113.0/24": record})])
    assert places.find("203.0.113.1") == expected


NETWORKS = """203.0.113.0,203.0.113.255,64500,"Example, Inc."
2001:db8::,2001:db8::ffff,64501,Six
"""
NUMBERED = """3405803776,3405804031,64500,"Example, Inc."\r
42540766411282592856903984951653826560,42540766411282592856903984951653892095,64501,Six"""


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("text", [NETWORKS, NUMBERED, "start,end,number,name\n" + NETWORKS + "\n"])
def test_csv_of_networks(tmp_path: Path, text: str, packed: bool) -> None:
    path = tmp_path / ("asn.csv.gz" if packed else "asn.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    places = PlaceDatabase.open([path])
    assert places.find("203.0.113.255") == Place(asn=64500, as_name="Example, Inc.")
    assert places.find("2001:db8::5") == Place(asn=64501, as_name="Six")
    assert places.find("203.0.114.0") is None
    assert places.find("203.0.112.255") is None
    assert places.files[0].versions == (4, 6)
    assert places.files[0].ranges == 2


@pytest.mark.parametrize(
    "row",
    [
        "NG,Lagos State,,Lagos,,6.4541,3.3947,Africa/Lagos",
        "AF,NG,Lagos State,Lagos,6.4541,3.3947",
    ],
)
def test_csv_of_cities(tmp_path: Path, row: str) -> None:
    path = write(tmp_path / "city.csv", f"203.0.113.0,203.0.113.255,{row}\n")
    assert PlaceDatabase.open([path]).find("203.0.113.7") == Place(
        country="NG", region="Lagos State", city="Lagos", lat=6.4541, long=3.3947
    )


def test_unsorted_and_nested_ranges_give_the_narrowest(tmp_path: Path) -> None:
    rows = (
        "203.0.113.64,203.0.113.127,FR\n203.0.113.0,203.0.113.255,DE\n198.51.100.0,198.51.100.9,NG"
    )
    places = PlaceDatabase.open([write(tmp_path / "country.csv", rows)])
    found = [places.find(f"203.0.113.{last}") for last in (1, 64, 127, 128)]
    assert [place and place.country for place in found] == ["DE", "FR", "FR", "DE"]
    assert places.find("198.51.100.3") == Place(country="NG")


def test_files_fill_each_other_in_order(tmp_path: Path) -> None:
    city = write_mmdb(tmp_path / "a.mmdb", {"203.0.113.0/24": BERLIN})
    asn = write(tmp_path / "b.csv", "203.0.113.0,203.0.113.255,64500,Example\n")
    country = write(tmp_path / "c.csv", "203.0.113.0,203.0.114.255,FR\n")
    found = PlaceDatabase.open([city, asn, country]).find("203.0.113.1")
    assert found is not None
    assert (found.country, found.city, found.asn) == ("DE", "Berlin", 64500)
    assert PlaceDatabase.open([city, country]).find("203.0.114.1") == Place(country="FR")


def test_a_folder_gives_its_databases(tmp_path: Path) -> None:
    write_mmdb(tmp_path / "b.mmdb", {"203.0.113.0/24": BERLIN})
    write(tmp_path / "asn.csv", "203.0.113.0,203.0.113.255,64500,Example\n")
    write(tmp_path / "asn-num.csv", "broken, but the same as asn.csv")
    write(tmp_path / "README.md", "no database")
    names = [info.path.name for info in PlaceDatabase.open([tmp_path]).files]
    assert names == ["asn.csv", "b.mmdb"]


def test_fill_never_mixes_two_places() -> None:
    first = Place(country="DE", asn=64500)
    second = Place(
        country="FR", city="Paris", lat=48.8, long=2.3, asn=64501, as_name="X", network_kind="vpn"
    )
    assert fill(first, second) == Place(country="DE", asn=64500, network_kind="vpn")
    assert fill(Place(), second) == second
    other_city = Place(country="FR", city="Lyon")
    assert fill(other_city, second).lat is None


def test_old_files_are_told(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "a.mmdb", {"203.0.113.0/24": BERLIN})
    built = PlaceDatabase.open([path]).files[0].built_ms
    assert built is not None
    day = 86_400_000
    assert PlaceDatabase.open([path], now_ms=built + 180 * day).warnings == []
    (warning,) = PlaceDatabase.open([path], now_ms=built + 181 * day).warnings
    assert warning.startswith(f"{path}: built ")
    assert "181 days ago" in warning


def test_unusable_files_are_refused_with_path_and_reason(tmp_path: Path) -> None:
    for name, (path, message) in unusable(tmp_path).items():
        with pytest.raises(PlaceDatabaseError) as caught:
            PlaceDatabase.open([path])
        assert str(caught.value).startswith(str(path)), name
        assert message in str(caught.value), name


def test_damage_met_by_a_lookup_is_told_and_not_raised(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "a.mmdb", {"203.0.113.0/24": BERLIN})
    places = PlaceDatabase.open([path])
    content = path.read_bytes()
    data = content.index(b"\0" * 16) + 16
    end = content.rindex(b"\xab\xcd\xefMaxMind.com")
    with path.open("r+b") as file:
        file.seek(data)
        file.write(b"\xff" * (end - data))
    assert places.find("203.0.113.1") is None
    assert places.warnings == [f"{path}: damaged inside; download it again"]


@given(st.text(max_size=60))
def test_find_takes_any_text(text: str) -> None:
    assert PlaceDatabase([]).find(text) is None


bounds = st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(0, 3))


@given(st.lists(bounds, max_size=12), st.sampled_from([4, 6]))
def test_overlaps_resolve_to_the_narrowest(drawn: list[tuple[int, int, int]], ver: int) -> None:
    rows = [(first, first + width, value) for first, width, value in drawn]
    ranges = Ranges((ver, row) for row in rows)
    for number in range(82):
        holding = [(last - first, value) for first, last, value in rows if first <= number <= last]
        assert ranges.find(ver, number) == (min(holding)[1] if holding else None)
    assert ranges.find(10 - ver, 1) is None
