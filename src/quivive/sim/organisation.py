"""A simulated organisation: its world, its offices, its people and its programs."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from quivive.sim import clients, world
from quivive.sim.people import Office, Person
from quivive.sim.places import DAY, city
from quivive.sim.services import Machines, Service
from quivive.sim.staff import Hiring
from quivive.sim.world import Kind, World

FIRST_DAY = date(2026, 2, 2)
DOMAIN = "northfold.example"
_SITES = ("Toronto", "Berlin", "London", "Austin", "Singapore", "Dublin", "Bengaluru", "Paris")
_HOLIDAYS = {
    "CA": ((2, 16), (4, 3), (12, 25), (12, 26), (1, 1)),
    "US": ((2, 16), (5, 25), (12, 25), (1, 1)),
    "GB": ((4, 3), (4, 6), (12, 25), (12, 26), (1, 1)),
    "DE": ((4, 3), (4, 6), (12, 25), (12, 26), (1, 1)),
    "IE": ((2, 2), (3, 17), (4, 6), (12, 25), (1, 1)),
    "SG": ((2, 17), (2, 18), (12, 25), (1, 1)),
    "IN": ((3, 4), (1, 26)),
    "CN": tuple((2, day) for day in range(16, 24)),
}
_COMMON = ((12, 25), (1, 1))


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
    launch: date | None = None
    rollout: date | None = None
    failover: date | None = None

    @property
    def begin(self) -> float:
        """The window's start in Unix time."""
        return datetime.combine(self.first, time(), UTC).timestamp()

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


def holiday(country: str, day: date) -> bool:
    """Whether nobody is expected to work there that day."""
    return (day.month, day.day) in _HOLIDAYS.get(country, _COMMON)


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
    return made


def _office(rng: random.Random, plan: World, name: str) -> Office:
    where = city(name)
    lines = [p for p in plan.find(Kind.CORPORATE, name) if p.network.name.endswith("Networks")]
    old, new = (
        tuple(rng.choice(lines).spot(rng.randrange(8, 900) + n) for n in range(3)) for _ in "ab"
    )
    kiosks = tuple(clients.laptop(rng, os="Windows10") for _ in range(2))
    return Office(where, old, None, new, kiosks)
