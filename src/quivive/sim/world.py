"""An invented internet: who owns which addresses, and where they are said to be.

Places are real, operators and numbers are not. ``write`` puts the plan down as two tables in the
CSV form of ip-location-db, so that a simulated log is scored with the world it was made in.
"""

import csv
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from quivive.sim.places import CITIES, City, city, countries, in_country


class Kind(StrEnum):
    """What an operator sells."""

    RESIDENTIAL = "residential"
    MOBILE = "mobile"
    HOSTING = "hosting"
    VPN = "vpn"
    CORPORATE = "corporate"
    TOR = "tor"


@dataclass(frozen=True, slots=True)
class Network:
    """An autonomous system."""

    number: int
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Prefix:
    """A run of addresses of one network, all said to be in one city."""

    network: Network
    city: City
    start: int
    size: int
    version: int = 4
    before: City | None = None
    corrected: float = 0.0

    def said(self, time: float) -> City:
        """Where a geolocation database put the prefix then: some are wrong until corrected."""
        return self.before if self.before and time < self.corrected else self.city

    def spot(self, index: int) -> "Spot":
        """The address at ``index``, wrapping round."""
        number = self.start + index % self.size
        ip = IPv4Address(number) if self.version == 4 else IPv6Address(number)
        return Spot(str(ip), self)

    def any(self, rng: random.Random) -> "Spot":
        """An address out of this prefix, neither the first nor the last."""
        return self.spot(rng.randrange(1, max(2, self.size - 1)))


@dataclass(frozen=True, slots=True)
class Spot:
    """An address somebody logs in from. ``prefix`` is None for private space."""

    ip: str
    prefix: Prefix | None = None


@dataclass(slots=True)
class World:
    """The address plan, findable by kind, country and city."""

    prefixes: list[Prefix] = field(default_factory=list)
    _index: dict[tuple[Kind, str], list[Prefix]] = field(default_factory=dict)

    def add(self, prefix: Prefix) -> Prefix:
        """Put a prefix into the plan."""
        self.prefixes.append(prefix)
        kind = prefix.network.kind
        for key in ("", prefix.city.country, prefix.city.name):
            self._index.setdefault((kind, key), []).append(prefix)
        return prefix

    def find(self, kind: Kind, where: str = "", version: int | None = 4) -> list[Prefix]:
        """The prefixes of a kind in a country code or city name, in the plan's order."""
        found = self._index.get((kind, where), [])
        return [p for p in found if version is None or p.version == version]

    def spot(self, rng: random.Random, kind: Kind, where: str = "") -> Spot:
        """Any IPv4 address of that kind there; somewhere else if the kind has none there."""
        return rng.choice(self.find(kind, where) or self.find(kind)).any(rng)

    def write(self, folder: Path) -> None:
        """Write ``places.csv`` and ``networks.csv``: IPv4 before IPv6, each in address order."""
        ordered = sorted(self.prefixes, key=lambda p: (p.version, p.start))
        _write(
            folder / "places.csv",
            (
                (
                    *_range(p),
                    p.city.country,
                    p.city.region,
                    "",
                    p.city.name,
                    p.city.postcode,
                    f"{p.city.lat:.4f}",
                    f"{p.city.long:.4f}",
                    p.city.zone,
                )
                for p in ordered
            ),
        )
        _write(
            folder / "networks.csv",
            ((*_range(p), str(p.network.number), p.network.name) for p in ordered),
        )


def _range(prefix: Prefix) -> tuple[str, str]:
    return prefix.spot(0).ip, prefix.spot(prefix.size - 1).ip


def _write(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)


# First octets that public networks commonly have; every reserved block lies elsewhere.
_OCTETS = (
    5, 23, 24, 31, 37, 45, 46, 50, 62, 66, 71, 73, 77, 78, 79, 80, 81, 82, 84, 85, 86, 87, 88, 89,
    90, 91, 92, 93, 94, 95, 98, 99, 101, 103, 109, 110, 113, 118, 122, 124, 136, 138, 141, 146,
    149, 151, 154, 159, 165, 173, 174, 176, 177, 178, 181, 184, 185, 186, 187, 188, 189, 190, 193,
    194, 195, 197, 199, 200, 201, 207, 209, 212, 213, 216, 217,
)  # fmt: skip
_NUMBERS = ((12_000, 23_000), (28_000, 49_000), (131_100, 140_000), (197_000, 212_000))
_V6_REGION = {"CA": 0x2600, "US": 0x2600, "MX": 0x2800, "BR": 0x2800, "AR": 0x2800, "CO": 0x2800}
_V6_REGION |= dict.fromkeys(("SG", "IN", "JP", "AU", "KR", "TH", "VN", "ID", "HK", "CN"), 0x2400)


class _Registry:
    """Hands out AS numbers and address blocks, none of them twice."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.blocks = [(a << 24) | (b << 16) for a in _OCTETS for b in range(256)]
        rng.shuffle(self.blocks)
        self.numbers: set[int] = set()
        self.open: dict[Network, tuple[int, int]] = {}
        self.v6: dict[Network, tuple[int, int]] = {}
        self.v6_count = 0x2A0

    def network(self, name: str, kind: Kind) -> Network:
        number = 0
        while not number or number in self.numbers:
            number = self.rng.randrange(*self.rng.choice(_NUMBERS))
        self.numbers.add(number)
        return Network(number, name, kind)

    def v4(self, network: Network, where: City, bits: int) -> Prefix:
        size = 1 << (32 - bits)
        at, end = self.open.get(network, (0, 0))
        at = -(-at // size) * size
        if at + size > end:
            at = self.blocks.pop()
            end = at + 65_536
        self.open[network] = (at + size, end)
        return Prefix(network, where, at, size)

    def v6_for(self, network: Network, where: City) -> Prefix:
        """A /40 for one city out of the network's /32."""
        if network not in self.v6:
            self.v6_count += self.rng.randrange(1, 40)
            top = _V6_REGION.get(where.country, 0x2A02)
            self.v6[network] = ((top << 112) | (self.v6_count << 96), 0)
        base, used = self.v6[network]
        self.v6[network] = (base, used + 1)
        return Prefix(network, where, base | (used << 88), 1 << 88, 6)


_HOSTING = {
    "Nimbus Cloud Services Inc.": "Ashburn,Dublin,Frankfurt am Main,Singapore,Sydney,Seattle",
    "Azimuth Cloud Computing": "Amsterdam,Ashburn,Dallas,Tokyo,London",
    "Hetvik Online Hosting": "Frankfurt am Main,Helsinki",
    "Octoplane Droplets LLC": "New York,San Francisco,Amsterdam,Bengaluru,Toronto",
    "OVL Datacenters SAS": "Paris,Montreal,Warsaw",
    "Cantabile VPS Hosting": "Miami,Chicago,London,Tokyo,Seattle",
    "Serverius Nord Hosting": "Stockholm,Amsterdam",
    "Bulletline Hosting SRL": "Bucharest,Sofia",
    "KeyFrame Hosting LLC": "Moscow,Saint Petersburg",
    "LagoServ Data Centers": "Sao Paulo,Mexico City",
    "Contabyte Servers GmbH": "Munich,Denver",
    "Pearl River IDC": "Hong Kong,Shenzhen,Singapore",
    "Gulf Rack Hosting FZE": "Dubai,Istanbul",
    "RackNorth Colocation": "Toronto,Vancouver,Chicago",
}
_VPN = {
    "Veilnet VPN S.A.": "Amsterdam,London,New York,Los Angeles,Singapore,Zurich,Paris,Toronto",
    "Packet Tunnel Networks": "Bucharest,Miami,Frankfurt am Main,Tokyo,Sydney,Madrid,Milan",
    "Obscura Privacy AB": "Stockholm,Copenhagen,Helsinki,Zurich,Amsterdam,Chicago",
    "Datahop Transit Ltd": "London,Dallas,Prague,Warsaw,Hong Kong,Montreal,Vienna,Brussels",
}
_RESIDENTIAL = ("{} Telecom", "{} Broadband", "{} Fibre Net")
_MOBILE = ("{} Mobile", "{} Wireless Communications")
_COUNTRY_NAMES = {
    "CA": "Maple|Laurentide", "US": "Comstar|Westlink", "MX": "Aztel|Regio", "BR": "Vivaz|Tupi",
    "AR": "Platanet", "CO": "Andina", "GB": "Albion|Skyward", "IE": "Eirlink",
    "DE": "Rheinnetz|Vodakom", "FR": "Hexagone|Bouclier", "NL": "Polder|Ziggurat", "BE": "Scaldis",
    "CH": "Helvicom", "AT": "Donaunet", "ES": "Iberia Movil|Naranjo", "PT": "Lusonet",
    "IT": "Tirrena|Ventotene", "GR": "Hellas Link", "PL": "Wisla|Orlik", "CZ": "Vltava",
    "RO": "Digicarpat", "BG": "Balkanet", "UA": "Dnipro", "RU": "Rossvyaz|Nevalink",
    "SE": "Telenord", "DK": "Sundnet", "FI": "Suomiverkko", "TR": "Bosfor", "IL": "Carmel",
    "AE": "Emirnet", "NG": "Nairacom", "ZA": "Highveld", "KE": "Safaritel", "IN": "Deccan|Bharati",
    "SG": "Merlion", "TH": "Siamnet", "VN": "Mekong", "PH": "Luzon", "ID": "Nusantara",
    "CN": "Huadong", "HK": "Harbour Telecom", "JP": "Sakura|Kanto", "KR": "Hangang",
    "AU": "Coral|Outback",
}  # fmt: skip
_TOR = ("Relay Foundation for Privacy", "Onion Exit Operators e.V.", "Free Speech Transit")
_TOR_CITIES = ("Frankfurt am Main", "Amsterdam", "Zurich", "Bucharest", "Ashburn", "Stockholm")
SASE_CITIES = (
    "London", "Frankfurt am Main", "Ashburn", "Dallas", "San Francisco", "Singapore", "Toronto",
    "Mumbai", "Sydney", "Paris", "Amsterdam", "Sao Paulo", "Tokyo",
)  # fmt: skip
MISPLACED = 0.02
SASE = "Harbourgate Security Cloud"
HOTELS = "Lodgeline Hospitality Networks"


def build(rng: random.Random, begin: float = 0.0, end: float = 0.0) -> World:
    """A new world. Its operators stay, its numbers follow from the generator.

    Some prefixes are placed wrongly at first and corrected between ``begin`` and ``end``.
    """
    registry = _Registry(rng)
    world = World()
    for country in countries():
        _country(world, registry, country, begin, end)
    for kind, table in ((Kind.HOSTING, _HOSTING), (Kind.VPN, _VPN)):
        for name, where in table.items():
            network = registry.network(name, kind)
            for place in where.split(","):
                world.add(registry.v4(network, city(place), 20 if kind is Kind.HOSTING else 24))
                if kind is Kind.HOSTING and rng.random() < 0.4:
                    world.add(registry.v6_for(network, city(place)))
    for name in _TOR:
        network = registry.network(name, Kind.TOR)
        for place in rng.sample(_TOR_CITIES, 3):
            world.add(registry.v4(network, city(place), 26))
    sase = registry.network(SASE, Kind.CORPORATE)
    for place in SASE_CITIES:
        world.add(registry.v4(sase, city(place), 24))
    hotels = registry.network(HOTELS, Kind.CORPORATE)
    for place_ in CITIES:
        world.add(registry.v4(hotels, place_, 23))
        business = registry.network(f"{place_.name} Business Networks", Kind.CORPORATE)
        world.add(registry.v4(business, place_, 22))
    return world


def _country(world: World, registry: _Registry, country: str, begin: float, end: float) -> None:
    """Home and mobile operators of one country; carriers are seen only at their gateways."""
    rng = registry.rng
    places = in_country(country)
    names = _COUNTRY_NAMES[country].split("|")
    for name, pattern in zip([*names, names[0]], _RESIDENTIAL, strict=False):
        network = registry.network(pattern.format(name), Kind.RESIDENTIAL)
        for place in places:
            for _ in range(2):
                prefix = registry.v4(network, place, 19)
                if rng.random() < MISPLACED:
                    wrong = rng.choice(places if rng.random() < 0.7 else CITIES)
                    prefix = replace(prefix, before=wrong, corrected=rng.uniform(begin, end))
                world.add(prefix)
            world.add(registry.v6_for(network, place))
    for name, pattern in zip([*names, names[0]], _MOBILE, strict=False):
        network = registry.network(pattern.format(name), Kind.MOBILE)
        for gateway in rng.sample(places, min(len(places), 2)):
            world.add(registry.v4(network, gateway, 21))
            world.add(registry.v6_for(network, gateway))
