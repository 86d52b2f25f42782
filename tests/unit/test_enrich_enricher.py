"""One login's origin and client, from databases, lists and what the vendor states."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.enrich.enricher import Enriched, Enricher
from quivive.enrich.lists import AddressLists
from quivive.enrich.places import PlaceDatabase
from quivive.model.event import (
    AuthEvent,
    AutonomousSystem,
    Endpoint,
    HttpRequest,
    Location,
    Metadata,
    Product,
    Unmapped,
    User,
)
from tests.unit.place_files import BERLIN, write, write_mmdb


def event(
    ip: str | None = None,
    location: Location | None = None,
    system: AutonomousSystem | None = None,
    kind: str | None = None,
    agent: str | None = None,
) -> AuthEvent:
    return AuthEvent(
        time=1_700_000_000_000,
        activity_id=1,
        status_id=1,
        user=User(name="alice"),
        metadata=Metadata(version="1.8.0", product=Product(name="Example")),
        src_endpoint=Endpoint(ip=ip, location=location, autonomous_system=system),
        http_request=HttpRequest(user_agent=agent) if agent is not None else None,
        unmapped=Unmapped(network_kind=kind) if kind else None,
    )


@pytest.fixture
def places(tmp_path: Path) -> PlaceDatabase:
    city = write_mmdb(tmp_path / "city.mmdb", {"203.0.113.0/24": BERLIN, "10.0.0.0/8": BERLIN})
    asn = write(tmp_path / "asn.csv", "203.0.113.0,203.0.113.255,64500,Example Hosting\n")
    return PlaceDatabase.open([city, asn])


@pytest.fixture
def lists(tmp_path: Path) -> AddressLists:
    folder = tmp_path / "lists"
    folder.mkdir()
    write(folder / "vpn.txt", "203.0.113.128/25\n")
    write(folder / "corporate.txt", "10.0.0.0/8\n")
    write(folder / "bad.txt", "203.0.113.66\n")
    return AddressLists.open(folder)


def test_the_database_places_a_login(places: PlaceDatabase) -> None:
    found = Enricher(places).enrich(event("203.0.113.9", agent="curl/8.1"))
    assert (found.ip, found.scope, found.network) == ("203.0.113.9", "public", "203.0.113.0/24")
    assert (found.country, found.city, found.lat, found.long) == ("DE", "Berlin", 52.52, 13.405)
    assert (found.asn, found.as_name) == (64500, "Example Hosting")
    assert (found.network_kind, found.kind_source) == ("hosting", "as_name")
    assert found.place_source == "database"
    assert found.client.family == "curl"
    assert not found.bad_address


def test_the_database_comes_before_the_vendor(places: PlaceDatabase) -> None:
    stated = Location(country="FR", city="Paris", lat=48.85, long=2.35)
    enricher = Enricher(places)
    found = enricher.enrich(event("203.0.113.9", stated))
    assert (found.country, found.city, found.place_source) == ("DE", "Berlin", "database")
    unknown = enricher.enrich(event("198.51.100.1", stated))
    assert (unknown.country, unknown.city, unknown.place_source) == ("FR", "Paris", "vendor")
    alone = Enricher().enrich(event("203.0.113.9", stated, AutonomousSystem(number=1, name="X")))
    assert (alone.country, alone.lat, alone.asn, alone.place_source) == ("FR", 48.85, 1, "vendor")


def test_private_addresses_have_no_place_unless_stated(places: PlaceDatabase) -> None:
    enricher = Enricher(places)
    found = enricher.enrich(event("10.1.2.3"))
    assert (found.scope, found.country, found.place_source) == ("private", None, None)
    stated = enricher.enrich(event("10.1.2.3", Location(country="FR")))
    assert (stated.country, stated.place_source) == ("FR", "vendor")


def test_who_is_believed_about_the_kind(places: PlaceDatabase, lists: AddressLists) -> None:
    enricher = Enricher(places, lists)

    def told(ip: str, kind: str | None) -> tuple[str | None, str | None]:
        found = enricher.enrich(event(ip, kind=kind))
        return found.network_kind, found.kind_source

    assert told("203.0.113.200", "residential") == ("vpn", "list")
    assert told("203.0.113.1", "residential") == ("residential", "vendor")
    assert told("203.0.113.1", "nonsense") == ("hosting", "as_name")
    assert told("10.0.0.1", None) == ("corporate", "list")
    assert told("198.51.100.1", None) == (None, None)
    assert enricher.enrich(event("203.0.113.66")).bad_address


def test_impossible_vendor_values_are_left_out() -> None:
    stated = Location(country="Germany", city="Berlin", lat=400.0, long=float("inf"))
    found = Enricher().enrich(event("203.0.113.9", stated))
    assert (found.country, found.city, found.lat, found.long) == (None, "Berlin", None, None)


def test_a_login_without_address_or_source() -> None:
    assert Enricher().enrich(event()) == Enriched(client=Enricher().enrich(event()).client)
    bare = AuthEvent(
        time=1, activity_id=1, status_id=1, user=User(name="a"), metadata=event().metadata
    )
    assert Enricher().enrich(bare).scope is None


ENRICHER = Enricher()


@given(
    st.text(max_size=60) | st.ip_addresses().map(str),
    st.text(max_size=600),
    st.none() | st.builds(Location, lat=st.floats(), long=st.floats(), country=st.text(max_size=3)),
)
def test_enrich_never_raises(ip: str, agent: str, location: Location | None) -> None:
    login = event(ip, location, AutonomousSystem(number=-1, name=agent[:50]), agent, agent)
    found = ENRICHER.enrich(login)
    assert (found.lat is None) == (found.long is None)
