"""Everything an address and a client tell about one login, from databases, lists and vendors."""

from functools import lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct

from quivive.enrich.as_names import guess_kind
from quivive.enrich.client import Client, ClientParser
from quivive.enrich.lists import KINDS, AddressLists
from quivive.enrich.place import NOWHERE, Place, clean_country, clean_point, fill
from quivive.enrich.places import PlaceDatabase
from quivive.enrich.private import Scope, address_scope, network_of
from quivive.model.event import (
    OCSF_VERSION,
    Activity,
    AuthEvent,
    AutonomousSystem,
    Endpoint,
    HttpRequest,
    Location,
    Metadata,
    Product,
    Status,
    User,
)

CACHE_SIZE = 65536
_FIRST = AuthEvent(
    time=0,
    activity_id=int(Activity.LOGON),
    status_id=int(Status.SUCCESS),
    user=User(name="nobody"),
    metadata=Metadata(version=OCSF_VERSION, product=Product(name="Quivive")),
    src_endpoint=Endpoint(ip="192.0.2.1"),
    http_request=HttpRequest(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Firefox/130.0"),
)

KindSource = Literal["list", "database", "vendor", "as_name"]
PlaceSource = Literal["database", "vendor"]


class Enriched(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """What the signals need about a login's origin and client; None is "not evaluable".

    scope: where the address is valid ("public", "private", …); network: its /24 or /48.
    country is ISO 3166-1 alpha-2; lat and long are degrees and come together.
    network_kind: "hosting", "vpn", "tor", "mobile", "residential", "corporate" or "proxy";
    kind_source: who says so, "as_name" being a weak guess from the operator's name.
    bad_address: the address or its autonomous system stands in a list of confirmed-bad ones.
    place_source: who stated the place; None where there is none.
    """

    client: Client
    ip: str | None = None
    scope: Scope | None = None
    network: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    lat: float | None = None
    long: float | None = None
    asn: int | None = None
    as_name: str | None = None
    network_kind: str | None = None
    kind_source: KindSource | None = None
    bad_address: bool = False
    place_source: PlaceSource | None = None


class _Origin(NamedTuple):
    """The part of Enriched that the address decides."""

    scope: Scope | None
    network: str | None
    place: Place
    network_kind: str | None
    kind_source: KindSource | None
    bad_address: bool
    place_source: PlaceSource | None


class Enricher:
    """Adds place, network and client to logins.

    Remembers the last 65,536 addresses (with what their vendor said of them) and user agents, and
    the last quarter as many pairs of them.
    """

    def __init__(
        self,
        places: PlaceDatabase | None = None,
        lists: AddressLists | None = None,
        *,
        cache_size: int = CACHE_SIZE,
    ) -> None:
        """``cache_size`` bounds both caches, in entries."""
        self._places = places
        self._lists = lists
        self._clients = ClientParser(cache_size)
        self._origin = lru_cache(maxsize=cache_size)(self._look_up)
        self._together = lru_cache(maxsize=cache_size // 4)(self._joined)

    def enrich(self, event: AuthEvent) -> Enriched:
        """What is known of the login's origin and client. Never raises."""
        source, device, extra = event.src_endpoint, event.device, event.unmapped
        http, system = event.http_request, device.os if device is not None else None
        agent = http.user_agent if http is not None else None
        hint = system.name if system is not None else None
        if source is None:
            return Enriched(client=self._clients.parse(agent, hint))
        stated = extra.network_kind if extra is not None else None
        return self._together(
            source.ip, source.location, source.autonomous_system, stated, agent, hint
        )

    def _joined(
        self,
        ip: str | None,
        location: Location | None,
        system: AutonomousSystem | None,
        stated: str | None,
        agent: str | None,
        hint: str | None,
    ) -> Enriched:
        scope, network, place, kind, kind_source, bad, place_source = self._origin(
            ip, location, system, stated
        )
        return Enriched(
            client=self._clients.parse(agent, hint),
            ip=ip,
            scope=scope,
            network=network,
            country=place.country,
            region=place.region,
            city=place.city,
            lat=place.lat,
            long=place.long,
            asn=place.asn,
            as_name=place.as_name,
            network_kind=kind,
            kind_source=kind_source,
            bad_address=bad,
            place_source=place_source,
        )

    def warm_up(self) -> None:
        """Reads what is read once, before somebody waits for a login."""
        self.enrich(_FIRST)

    def _look_up(
        self,
        ip: str | None,
        location: Location | None,
        system: AutonomousSystem | None,
        stated_kind: str | None,
    ) -> _Origin:
        scope = address_scope(ip) if ip is not None else None
        found = None
        if ip is not None and scope == "public" and self._places is not None:
            found = self._places.find(ip)
        stated = _as_place(location, system)
        place = stated if found is None else fill(found, stated) if stated != NOWHERE else found
        place_source: PlaceSource | None = None
        if _has_place(found or NOWHERE):
            place_source = "database"
        elif _has_place(place):
            place_source = "vendor"
        kind, kind_source = self._kind(ip, place, stated_kind)
        bad = ip is not None and self._lists is not None and self._lists.is_bad(ip, place.asn)
        network = network_of(ip) if ip is not None else None
        return _Origin(scope, network, place, kind, kind_source, bad, place_source)

    def _kind(
        self, ip: str | None, place: Place, stated: str | None
    ) -> tuple[str | None, KindSource | None]:
        """The operator's lists are believed first, the guess from a name last."""
        if self._lists is not None and ip is not None:
            listed = self._lists.kind(ip, place.asn)
            if listed is not None:
                return listed, "list"
        if place.network_kind is not None:
            return place.network_kind, "database"
        if stated is not None and stated.lower() in KINDS:
            return stated.lower(), "vendor"
        guessed = guess_kind(place.as_name) if place.as_name is not None else None
        return guessed, "as_name" if guessed is not None else None


def _as_place(location: Location | None, system: AutonomousSystem | None) -> Place:
    """What the vendor states, with impossible values left out."""
    if location is None and system is None:
        return NOWHERE
    asn = system.number if system is not None else None
    as_name = system.name if system is not None else None
    if location is None:
        return Place(asn=asn, as_name=as_name)
    lat, long = clean_point(location.lat, location.long)
    return Place(
        country=clean_country(location.country),
        region=location.region,
        city=location.city,
        lat=lat,
        long=long,
        postal_code=location.postal_code,
        asn=asn,
        as_name=as_name,
    )


def _has_place(place: Place) -> bool:
    return place.country is not None or place.city is not None or place.lat is not None
