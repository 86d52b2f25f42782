"""A simulated organisation: its world, its offices, its people and its programs."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from quivive.sim import clients, code, leave, world
from quivive.sim.action import Login
from quivive.sim.code import Codebase
from quivive.sim.people import Office, Person
from quivive.sim.places import DAY, city
from quivive.sim.services import Machines, Service
from quivive.sim.staff import Hiring
from quivive.sim.world import Kind, Spot, World

FIRST_DAY = date(2026, 2, 2)
DOMAIN = "northfold.example"
DEFAULT_PEOPLE = 600
_SITES = ("Toronto", "Berlin", "London", "Austin", "Singapore", "Dublin", "Bengaluru", "Paris")


@dataclass(slots=True)
class Organisation:
    """Everything that stays the same while a simulation runs.

    ``launch`` brings a surge of guests, ``rollout`` a new application for all; on the day of
    ``failover`` everybody behind the security cloud leaves it somewhere else.
    """

    seed: int
    world: World
    first: date
    days: int
    domain: str
    offices: tuple[Office, ...]
    people: list[Person] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    code: Codebase = field(default_factory=lambda: Codebase([], {}, [], Login("", 0), Spot("")))
    launch: date | None = None
    rollout: date | None = None
    failover: date | None = None

    @property
    def begin(self) -> float:
        """The window's start in Unix time."""
        return _start(self.first)

    @property
    def end(self) -> float:
        """The window's end in Unix time."""
        return self.begin + self.days * DAY

    def rng(self, *key: object) -> random.Random:
        """A generator of its own for whatever the key names, so that nothing disturbs another."""
        return random.Random(":".join(str(part) for part in (self.seed, *key)))

    def dates(self) -> list[date]:
        """The days of the window."""
        return [self.first + timedelta(days=n) for n in range(self.days)]


@cache
def _start(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def build(
    seed: int,
    people: int,
    services: int,
    days: int,
    *,
    first: date = FIRST_DAY,
    sites: tuple[str, ...] = (),
) -> Organisation:
    """An organisation for a seed. ``sites`` names its offices' cities; drawn if empty."""
    rng = random.Random(f"{seed}:organisation")
    begin = datetime.combine(first, time(), UTC).timestamp()
    plan = world.build(random.Random(f"{seed}:world"), begin, begin + days * DAY)
    places = sites or tuple(rng.sample(_SITES, rng.randint(3, 5)))
    offices = tuple(_office(rng, plan, name) for name in places)
    moved = offices[-1]
    moved.moves = first + timedelta(days=rng.randint(days // 2, max(days // 2, days - 10)))
    made = Organisation(seed, plan, first, days, DOMAIN, offices)
    hiring = Hiring(rng, plan, offices, DOMAIN, first, days)
    made.people = [hiring.person() for _ in range(people)]
    hiring.conference(made.people)
    made.people += [hiring.guest(date.min, date.max) for _ in range(people // 20)]
    made.rollout = first + timedelta(days=rng.randrange(days // 3, days))
    made.failover = first + timedelta(days=rng.randrange(days // 3, days))
    if days > 30:
        made.launch = first + timedelta(days=days * 2 // 3)
        made.people += [
            hiring.guest(made.launch + timedelta(days=min(int(rng.expovariate(0.5)), 9)), date.max)
            for _ in range(people // 8)
        ]
    made.services = Machines(rng, plan, made.begin, days).draw(services)
    _quieten(made, people)
    for person in made.people:
        leave.plan(made.rng("leave", person.short), person, first, days)
    _tunnels(made)
    made.code = code.build(made.rng("code"), plan, made.people, made.begin, days)
    return made


def _quieten(made: Organisation, people: int) -> None:
    """In a small organisation programs have less to do, and people fewer applications to open.

    What runs a few times a day anyway stays.
    """
    share = min(1.0, max(0.13, people / DEFAULT_PEOPLE))
    for service in made.services:
        if service.every < 6 * 3600:
            service.every /= share
    for person in made.people:
        person.pace *= share ** (1 / 6)


def _tunnels(made: Organisation) -> None:
    """The oldest office's VPN: some of those at home leave through its own two addresses."""
    prefix = made.offices[0].egress[0].prefix
    assert prefix is not None
    exits = tuple(prefix.spot(4 + n) for n in range(2))
    for person in made.people:
        rng = made.rng("vpn", person.short)
        if not (person.sase or person.contractor or person.frontline) and rng.random() < 0.12:
            person.tunnel, person.tunnels = rng.uniform(0.3, 0.9), exits


def _office(rng: random.Random, plan: World, name: str) -> Office:
    where = city(name)
    lines = [p for p in plan.find(Kind.CORPORATE, name) if p.network.name.endswith("Networks")]
    old, new = (
        tuple(rng.choice(lines).spot(rng.randrange(8, 900) + n) for n in range(3)) for _ in "ab"
    )
    kiosks = tuple(clients.laptop(rng, os="Windows10") for _ in range(2))
    return Office(where, old, None, new, kiosks)
