"""What an attack is, and what an attacker can see and use in a simulated organisation."""

import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from quivive.sim import clients
from quivive.sim.action import Action, CloudCall, Outcome, Principal, SignIn
from quivive.sim.apps import APPS
from quivive.sim.clients import Client
from quivive.sim.code import Coder, Repo
from quivive.sim.organisation import Organisation
from quivive.sim.people import Person
from quivive.sim.places import DAY, City, countries
from quivive.sim.services import Service
from quivive.sim.world import Kind, Spot

HISTORY = 12

T = TypeVar("T")


class NoTargetError(Exception):
    """Nobody in this organisation fits the attack."""


@dataclass(slots=True)
class Scene:
    """One incident being staged: the organisation so far, and a day to begin.

    ``past`` holds what everybody did by themselves, in time order. ``taken`` are the identities
    of other incidents; whoever an attack picks is added.
    """

    org: Organisation
    rng: random.Random
    start: float
    past: Mapping[str, Sequence[Action]]
    taken: set[str]

    # Whom.

    def person(
        self, wants: Callable[[Person], bool] = lambda _: True, *, active: bool = True
    ) -> Person:
        """A person for whom ``wants`` holds; with ``active``, one with a history by then."""
        day = self.day
        return self._choose(
            [
                p
                for p in self.org.people
                if p.email not in self.taken
                and wants(p)
                and (not active or (p.employed(day) and len(self.before(p.email)) >= HISTORY))
            ],
            lambda p: p.email,
        )

    def employee(self, wants: Callable[[Person], bool] = lambda _: True) -> Person:
        """A person on the staff for whom ``wants`` holds."""
        return self.person(lambda p: not p.account.guest and wants(p))

    def service(self, log: str, wants: Callable[[Service], bool] = lambda _: True) -> Service:
        """A service of that log for which ``wants`` holds."""
        return self._choose(
            [
                s
                for s in self.org.services
                if s.log == log and s.name not in self.taken and wants(s)
            ],
            lambda s: s.name,
        )

    def coder(self, wants: Callable[[Coder], bool] = lambda _: True) -> tuple[Person, Coder]:
        """Somebody who works at the code host, with their habits there."""
        coders = self.org.code.coders
        person = self.employee(lambda p: p.email in coders and wants(coders[p.email]))
        return person, coders[person.email]

    def repo(self, wants: Callable[[Repo], bool], name: Callable[[Repo], str]) -> Repo:
        """A repository in use whose identity of that ``name`` nobody has attacked."""
        return self._choose(
            [
                repo
                for repo in self.org.code.repos
                if repo.created < self.start and name(repo) not in self.taken and wants(repo)
            ],
            name,
        )

    def helper(self) -> Person:
        """Somebody of the help desk, who is not the target."""
        day = self.day
        found = [p for p in self.org.people if p.department == "IT" and p.employed(day)]
        if not found:
            raise NoTargetError
        return self.rng.choice(found)

    def _choose(self, found: list[T], name: Callable[[T], str]) -> T:
        if not found:
            raise NoTargetError
        chosen = self.rng.choice(found)
        self.taken.add(name(chosen))
        return chosen

    def others(self, count: int) -> list[Person]:
        """Up to ``count`` people whose accounts exist, attacked in passing."""
        staff = [p for p in self.org.people if p.email not in self.taken and not p.account.guest]
        return self.rng.sample(staff, min(count, len(staff)))

    def before(self, identity: str) -> Sequence[Action]:
        """What the identity did by itself before the incident's day."""
        done = self.past.get(identity, ())
        return done[: bisect_left(done, self.start, key=lambda action: action.time)]

    def last_login(self, person: Person, time: float) -> SignIn:
        """The person's last successful sign-in with a session before ``time``."""
        for action in reversed(self.past.get(person.email, ())):
            if action.time < time and isinstance(action, SignIn) and action.session:
                return action
        raise NoTargetError

    def last_role(self, identity: str, time: float) -> Principal:
        """The role session that the identity opened last before ``time``."""
        for action in reversed(self.past.get(identity, ())):
            if action.time < time and isinstance(action, CloudCall):
                if action.principal.kind == "AssumedRole":
                    return action.principal
        raise NoTargetError

    def next_login(self, person: Person) -> SignIn:
        """The person's first successful interactive login from the incident's day on."""
        for action in self.past.get(person.email, ()):
            if action.time > self.start and isinstance(action, SignIn) and action.interactive:
                if action.outcome is Outcome.SUCCESS:
                    return action
        raise NoTargetError

    # When.

    @property
    def day(self) -> date:
        """The incident's first day."""
        return self.org.dates()[int((self.start - self.org.begin) // DAY)]

    def hour(self, place: City, low: float, high: float, day: int = 0) -> float:
        """A moment between two hours on the ``day``-th day, by the clock of ``place``."""
        index = min(int((self.start - self.org.begin) // DAY) + day, self.org.days - 1)
        return place.midnight(self.org.dates()[index]) + self.rng.uniform(low, high) * 3600

    def night(self, person: Person, day: int = 0) -> float:
        """A moment when the person sleeps."""
        low = person.start + person.length + 4.5
        return self.hour(person.home, low, low + 5, day) if low < 19 else self.hour(
            person.home, low - 24, low - 19, day)  # fmt: skip

    def at_work(self, person: Person, day: int = 0) -> float:
        """A moment inside the person's usual hours, on a working day."""
        weekday = int((self.start - self.org.begin) // DAY) + self.org.first.weekday()
        while (weekday + day) % 7 not in person.weekdays:
            day += 1
        return self.hour(person.home, person.start, person.start + person.length, day)

    def any_hour(self, person: Person, day: int = 0) -> float:
        """Any moment; the attacker lives somewhere else."""
        return self.hour(person.home, 0, 24, day)

    # Whence.

    def abroad(self, person: Person) -> str:
        """A country the person neither lives nor travels in."""
        known = {person.home.country, *(t.city.country for t in person.trips)}
        return self.rng.choice([code for code in countries() if code not in known])

    def hosting(self, where: str = "") -> Spot:
        """A rented server."""
        return self.org.world.spot(self.rng, Kind.HOSTING, where)

    def vpn(self, where: str = "") -> Spot:
        """An exit of a commercial VPN."""
        return self.org.world.spot(self.rng, Kind.VPN, where)

    def tor(self) -> Spot:
        """A Tor exit."""
        return self.org.world.spot(self.rng, Kind.TOR)

    def proxy(self, where: str) -> Spot:
        """A stranger's home line in a city or country, rented out; one in five is IPv6."""
        if self.rng.random() < 0.2:
            lines = self.org.world.find(Kind.RESIDENTIAL, where, version=6)
            return self.rng.choice(lines).any(self.rng)
        return self.org.world.spot(self.rng, Kind.RESIDENTIAL, where)

    def cheap(self, person: Person) -> Spot:
        """What attackers use most: a server, a VPN or a proxy somewhere else."""
        where = self.abroad(person)
        roll = self.rng.random()
        if roll < 0.4:
            return self.hosting(where)
        return self.vpn(where) if roll < 0.6 else self.proxy(where)

    # With what.

    def lookalike(self, person: Person, time: float) -> Client:
        """A browser that names itself as the victim's does, on an unknown device."""
        return replace(person.laptop(time), device_id="", device_name="", managed=False)

    def stranger(self) -> Client:
        """The attacker's own machine: ordinary, or one that says nothing of itself."""
        return clients.UNKNOWN if self.rng.random() < 0.25 else clients.personal(self.rng)

    def factor(self, person: Person) -> str:
        """How the attacker passes MFA: not asked for it, with a stolen claim, or by a push."""
        if not person.factor:
            return ""
        return "claim" if self.rng.random() < 0.6 or person.factor == "fido" else person.factor

    # What.

    def sign_in(
        self,
        person: Person,
        time: float,
        spot: Spot,
        client: Client,
        *,
        app: str = "",
        outcome: Outcome = Outcome.SUCCESS,
        factor: str = "",
        session: str = "",
        interactive: bool = True,
        protocol: str = "browser",
    ) -> SignIn:
        """An attempt on a person's account; mail, files or the portal unless ``app`` is named."""
        return SignIn(
            time=time,
            identity=person.email,
            spot=spot,
            outcome=outcome,
            account=person.account,
            app=APPS[app or self.rng.choice(_LOOT)],
            client=client,
            factor=factor,
            session=session or (clients.uuid(self.rng) if outcome is Outcome.SUCCESS else ""),
            interactive=interactive,
            protocol=protocol,
        )

    def come_back(
        self,
        person: Person,
        since: float,
        whence: Callable[[], Spot],
        client: Client,
        factor: str,
        visits: int,
        days: float = 12,
    ) -> Iterator[SignIn]:
        """Later visits over days, each from another address, a few of them renewals."""
        session = clients.uuid(self.rng)
        for time in sorted(since + self.rng.uniform(0.1, days) * DAY for _ in range(visits)):
            interactive = self.rng.random() < 0.7
            yield self.sign_in(
                person, time, whence(), client, factor=factor, session=session,
                interactive=interactive, protocol="browser" if interactive else "app",
            )  # fmt: skip


_LOOT = ("One Outlook Web", "OfficeHome", "Office 365 Exchange Online", "Microsoft Office",
         "SharePoint Online Web Client Extensibility")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """One kind of incident: its ATT&CK techniques, the logs it shows in, and how it goes.

    ``story`` says who suffers what, in a few words; ``covers`` which of the field guide's use cases
    (U) and scenarios (S) it is one of; ``weight`` how often it is drawn.
    """

    techniques: tuple[str, ...]
    logs: tuple[str, ...]
    story: str
    run: Callable[[Scene], Iterator[Action]]
    covers: tuple[str, ...] = ()
    weight: float = 1.0
