"""The people of a simulated organisation: where they live, work and travel, and with what."""

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from quivive.sim.action import Account
from quivive.sim.clients import Client
from quivive.sim.places import DAY, City
from quivive.sim.world import Kind, Prefix, Spot, World

T = TypeVar("T")


@dataclass(slots=True)
class Office:
    """A building with its own few egress addresses; ``moves`` to a new line on that day."""

    city: City
    egress: tuple[Spot, ...]
    moves: date | None = None
    later: tuple[Spot, ...] = ()
    kiosks: tuple[Client, ...] = ()

    def spot(self, rng: random.Random, day: date) -> Spot:
        """An egress address of the building that day."""
        return rng.choice(self.later if self.moves and day >= self.moves else self.egress)


@dataclass(slots=True)
class Trip:
    """Days away from home. ``kind`` is business, holiday or family."""

    first: date
    last: date
    city: City
    kind: str
    hotel: Spot
    works: float


@dataclass(slots=True)
class Person:
    """One human account, with habits."""

    short: str
    account: Account
    department: str
    home: City
    office: Office | None
    joins: date
    leaves: date
    laptops: list[tuple[float, Client]]
    phones: list[tuple[float, Client]]
    leases: list[tuple[float, Spot]]
    carrier: Prefix
    apps: dict[str, float]
    v6: Prefix | None = None
    v6_site: int = 0
    pc: Client | None = None
    factor: str = "push"
    start: float = 9.0
    length: float = 8.0
    jitter: float = 0.5
    weekdays: frozenset[int] = frozenset(range(5))
    office_share: float = 0.5
    weekend: float = 0.01
    deadlines: tuple[date, ...] = ()
    evening: float = 0.1
    sase: float = 0.0
    sase_pop: Prefix | None = None
    tunnel: float = 0.0
    tunnels: tuple[Spot, ...] = ()
    privacy_vpn: float = 0.0
    vpn_exits: tuple[Prefix, ...] = ()
    trips: list[Trip] = field(default_factory=list)
    absences: list[tuple[date, date]] = field(default_factory=list)
    pace: float = 1.0
    engineer: bool = False
    admin: bool = False
    contractor: bool = False
    imap: bool = False
    frontline: bool = False
    dormant: bool = False
    aws_roles: tuple[str, ...] = ()
    iam_user: bool = False
    cluster_user: str = ""
    namespaces: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    key_prints: list[tuple[float, str]] = field(default_factory=list)
    tools: str = ""

    @property
    def email(self) -> str:
        """The account's e-mail address, by which the person is known."""
        return self.account.email

    def laptop(self, time: float) -> Client:
        """The laptop in use then."""
        return _current(self.laptops, time)

    def phone(self, time: float) -> Client:
        """The phone in use then."""
        return _current(self.phones, time)

    def fingerprint(self, time: float) -> str:
        """The fingerprint of the ssh key in use then."""
        return _current(self.key_prints, time)

    def at_home(self, rng: random.Random, time: float) -> Spot:
        """The home line's address then: IPv4, or one of the IPv6 addresses of a device there."""
        if self.v6 and rng.random() < 0.5:
            device = random.Random(f"{self.short}{int(time // DAY)}{rng.randrange(2)}")
            return self.v6.spot((self.v6_site << 64) | device.getrandbits(64))
        return _current(self.leases, time)

    def on_mobile(self, rng: random.Random) -> Spot:
        """An address of the carrier's gateway."""
        return self.carrier.any(rng)

    def trip(self, day: date) -> Trip | None:
        """The trip of that day."""
        return next((t for t in self.trips if t.first <= day <= t.last), None)

    def absent(self, day: date) -> bool:
        """Whether the person is ill or on leave at home that day."""
        return any(first <= day <= last for first, last in self.absences)

    def employed(self, day: date) -> bool:
        """Whether the account is in use that day."""
        return self.joins <= day < self.leaves and not self.dormant

    def hours(self, day: date, city: City) -> tuple[float, float]:
        """When the working day begins and ends, in Unix time, by the clock of ``city``."""
        begin = city.midnight(day) + self.start * 3600
        return begin, begin + self.length * 3600


def _current(timeline: list[tuple[float, T]], time: float) -> T:
    at = bisect_right(timeline, time, key=lambda entry: entry[0]) - 1
    return timeline[max(at, 0)][1]


def leases(
    rng: random.Random, prefixes: list[Prefix], begin: float, end: float
) -> list[tuple[float, Spot]]:
    """A home line's addresses over time: fixed, changing every few weeks, or every night."""
    kind = rng.random()
    low, high = (1000, 2000) if kind < 0.3 else (6, 40) if kind < 0.85 else (1, 1)
    time = begin - rng.uniform(0, low) * DAY
    found = []
    while time < end:
        found.append((time, rng.choice(prefixes).any(rng)))
        time += rng.uniform(low, high) * DAY
    return found


def home_prefixes(rng: random.Random, world: World, city: City) -> tuple[list[Prefix], Prefix]:
    """One operator's IPv4 prefixes and its IPv6 prefix in a city."""
    chosen = rng.choice(world.find(Kind.RESIDENTIAL, city.name)).network
    same = [p for p in world.find(Kind.RESIDENTIAL, city.name, None) if p.network == chosen]
    return [p for p in same if p.version == 4], next(p for p in same if p.version == 6)


def trip(rng: random.Random, world: World, city: City, first: date, days: int, kind: str) -> Trip:
    """A journey; the hotel's Wi-Fi is a hospitality network or a local line."""
    corporate = rng.random() < 0.6 and kind != "family"
    found = world.find(Kind.CORPORATE if corporate else Kind.RESIDENTIAL, city.name)
    works = {"business": 0.9, "holiday": 0.08, "family": 0.35}[kind]
    return Trip(first, first + timedelta(days=days), city, kind, rng.choice(found).any(rng), works)
