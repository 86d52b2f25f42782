"""Hiring: draws the people of an organisation and what happens to them in the window."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from quivive.sim import apps, clients, people
from quivive.sim.action import Account
from quivive.sim.names import Names
from quivive.sim.people import Office, Person
from quivive.sim.places import CITIES, DAY, City, in_country
from quivive.sim.world import SASE, Kind, World

HOSTS = ("bastion-1", "bastion-2", "app-1", "app-2", "app-3", "db-1", "git-1", "backup-1")
NAMESPACES = ("web", "payments", "search", "data", "platform", "monitoring")
_AGENTS = {"MacOs": "darwin/arm64", "Linux": "linux/amd64"}
_PARTNERS = ("acme-consulting.example", "brightlake.example", "ortho-systems.example",
             "quarrystone.example", "delphine-design.example")  # fmt: skip
_SHORT_STAYS = ("London", "Berlin", "Paris", "Amsterdam", "New York", "San Francisco", "Singapore",
                "Dublin", "Toronto", "Barcelona", "Milan", "Bengaluru", "Dubai", "Tokyo", "Chicago",
                "Warsaw", "Stockholm", "Austin")  # fmt: skip


class Hiring:
    """Draws people for one world, window and set of offices."""

    def __init__(
        self,
        rng: random.Random,
        world: World,
        offices: Sequence[Office],
        domain: str,
        first: date,
        days: int,
    ) -> None:
        """``first`` is the window's first day, ``days`` its length."""
        self.rng = rng
        self.world = world
        self.offices = offices
        self.domain = domain
        self.first = first
        self.days = days
        self.begin = datetime.combine(first, time(), UTC).timestamp()
        self.end = self.begin + days * DAY
        self.names = Names(rng)

    def person(self, department: str = "") -> Person:
        """One employee."""
        rng = self.rng
        department = department or clients.pick(rng, apps.DEPARTMENTS)
        engineer = department in ("Engineering", "Platform", "Data")
        office = rng.choices(self.offices, range(len(self.offices) + 1, 1, -1))[0]
        home = self._home(office)
        remote = home.country != office.city.country or rng.random() < 0.08
        hired = self._basics(department, None if remote else office, home, engineer=engineer)
        hired.frontline = department in ("Operations", "Support") and rng.random() < 0.25
        hired.admin = (department == "IT" and rng.random() < 0.5) or (
            department == "Platform" and rng.random() < 0.3)  # fmt: skip
        self._hours(hired)
        self._networks(hired)
        if engineer:
            self._tools(hired)
        self._changes(hired)
        self._travel(hired)
        return hired

    def guest(self, first: date, last: date) -> Person:
        """Somebody from a partner, invited for a while."""
        rng = self.rng
        home = rng.choice(CITIES)
        found = self._basics("Guest", None, home, engineer=False)
        partner = rng.choice(_PARTNERS)
        found.account = Account(
            f"{found.short.replace('.', '_')}_{partner}#EXT#@{self.domain.split('.')[0]}"
            ".onmicrosoft.com",
            found.account.uid,
            found.account.name,
            guest=True,
        )
        found.joins, found.leaves = first, last
        found.pace = rng.choice((0.15, 0.3, 0.5))
        found.factor = rng.choice(("push", "otp", ""))
        found.contractor = True
        self._hours(found)
        return found

    def _home(self, office: Office) -> City:
        rng = self.rng
        roll = rng.random()
        if roll < 0.70:
            return office.city
        if roll < 0.90:
            return rng.choice(in_country(office.city.country))
        return rng.choice(CITIES)

    def _basics(
        self, department: str, office: Office | None, home: City, *, engineer: bool
    ) -> Person:
        rng = self.rng
        name, short = self.names.next()
        account = Account(f"{short}@{self.domain}", clients.uuid(rng), name)
        v4, v6 = people.home_prefixes(rng, self.world, home)
        carriers = self.world.find(Kind.MOBILE, home.country)
        factor = {"push": 7.0, "otp": 1.5, "fido": 0.8, "sms": 0.4, "": 0.3}
        return Person(
            short=short,
            account=account,
            department=department,
            home=home,
            office=office,
            joins=date.min,
            leaves=date.max,
            laptops=[(0.0, clients.laptop(rng, engineer=engineer))]
            if department != "Guest"
            else [(0.0, clients.personal(rng))],
            phones=[(0.0, clients.phone(rng))],
            leases=people.leases(rng, v4, self.begin, self.end),
            carrier=rng.choice(carriers),
            apps=self._apps(department),
            v6=v6 if rng.random() < 0.3 else None,
            v6_site=rng.getrandbits(22),
            pc=clients.personal(rng) if rng.random() < 0.12 else None,
            factor=clients.pick(rng, factor),
            engineer=engineer,
            contractor=department != "Guest" and rng.random() < 0.05,
        )

    def _apps(self, department: str) -> dict[str, float]:
        """The department's applications, some of them unused by this one, in their own mix."""
        rng = self.rng
        table = {
            name: weight * rng.uniform(0.3, 1.7)
            for name, weight in apps.usual(department).items()
            if weight > 1.9 or rng.random() < 0.75
        }
        extra = rng.choice([name for name in apps.APPS if name != apps.NEW])
        return table | ({extra: 0.05} if rng.random() < 0.3 and department != "Guest" else {})

    def _hours(self, hired: Person) -> None:
        rng = self.rng
        hired.start = rng.gauss(8.8, 0.8)
        hired.length = rng.gauss(8.3, 0.5)
        hired.jitter = rng.uniform(0.2, 0.8)
        hired.pace = rng.lognormvariate(0.0, 0.35) if not hired.account.guest else hired.pace
        hired.office_share = rng.choice((0.1, 0.3, 0.5, 0.6, 0.9))
        hired.evening = rng.choice((0.0, 0.05, 0.1, 0.3))
        hired.imap = rng.random() < 0.015
        roll = rng.random()
        if roll < 0.03:
            hired.start, hired.length = rng.choice((21.5, 22.0, 14.0)), 8.0
        elif roll < 0.10:
            hired.weekdays = frozenset(rng.sample(range(5), rng.choice((2, 3, 4))))
        elif roll < 0.13:
            hired.weekdays = frozenset({1, 2, 3, 5, 6})
        elif roll < 0.20:
            hired.weekend = 0.3
        if rng.random() < 0.05:
            saturday = self.first + timedelta(days=5 - self.first.weekday())
            hired.deadlines = tuple(
                saturday + timedelta(days=rng.randrange(self.days // 7 + 1) * 7 + extra)
                for extra in (0, 1)
            )

    def _networks(self, hired: Person) -> None:
        rng = self.rng
        if rng.random() < 0.4:
            hired.sase = rng.uniform(0.4, 1.0)
        pops = [p for p in self.world.find(Kind.CORPORATE) if p.network.name == SASE]
        hired.sase_pop = min(pops, key=lambda p: _apart(p.city, hired.home))
        if hired.contractor:
            hired.sase = 0.0
        roll = rng.random()
        hired.privacy_vpn = 0.95 if roll < 0.015 else rng.uniform(0.01, 0.12) if roll < 0.07 else 0
        exits = self.world.find(Kind.VPN)
        brand = rng.choice(exits).network
        same = sorted(
            (p for p in exits if p.network == brand), key=lambda p: _apart(p.city, hired.home)
        )
        hired.vpn_exits = tuple(same[:4])
        if hired.frontline:
            hired.office_share, hired.sase, hired.pc = 0.97, 0.0, None

    def _tools(self, hired: Person) -> None:
        rng = self.rng
        if rng.random() < 0.75:
            roles = ["Engineer-ReadOnly", "Engineer-PowerUser"]
            roles = ["Data-Analyst"] if hired.department == "Data" else roles
            roles = ["Platform-Admin", *roles] if hired.department == "Platform" else roles
            hired.aws_roles = tuple(roles)
            hired.iam_user = rng.random() < 0.12
        if hired.department != "Data" and rng.random() < 0.75:
            hired.cluster_user = hired.email if rng.random() < 0.6 else hired.short
            hired.namespaces = tuple(rng.sample(NAMESPACES, rng.randint(1, 3)))
        if rng.random() < 0.6:
            hired.hosts = tuple(rng.sample(HOSTS, rng.randint(1, 4)))
            hired.key_prints = [(0.0, fingerprint(rng))]
        hired.tools = _AGENTS.get(hired.laptops[0][1].os, "windows/amd64")

    def _changes(self, hired: Person) -> None:
        """New laptops and phones, another line at home, a move, joining and leaving."""
        rng = self.rng
        if rng.random() < 0.07:
            when = self._some_time()
            old = hired.laptops[0][1]
            new = clients.laptop(rng, os="Windows11" if old.os == "Windows10" else old.os)
            hired.laptops.append((when, new))
            if hired.key_prints:
                hired.key_prints.append((when + 3600, fingerprint(rng)))
        if rng.random() < 0.06:
            hired.phones.append((self._some_time(), clients.phone(rng)))
        if rng.random() < 0.04:
            where = hired.home
            if rng.random() < 0.3:
                where = rng.choice(in_country(hired.home.country))
            v4, hired.v6 = people.home_prefixes(rng, self.world, where)
            when = self._some_time()
            later = people.leases(rng, v4, when, self.end)
            hired.leases = [entry for entry in hired.leases if entry[0] < when]
            hired.leases += [(max(when, since), spot) for since, spot in later]
        roll = rng.random()
        if roll < 0.06:
            hired.joins = self._some_day()
        elif roll < 0.10:
            hired.leaves = self._some_day()
        elif roll < 0.12:
            hired.dormant = True

    def _travel(self, hired: Person) -> None:
        rng = self.rng
        odds = 0.30 if hired.department in ("Sales", "Marketing") else 0.10
        for kind, chance in (("business", odds), ("holiday", 0.14), ("family", 0.20)):
            if (hired.frontline and kind == "business") or rng.random() > chance:
                continue
            if kind == "family":
                where = rng.choice(in_country(hired.home.country))
            elif kind == "business":
                where = rng.choice([c for c in CITIES if c.name in _SHORT_STAYS])
            else:
                where = rng.choice(CITIES)
            if where == hired.home:
                continue
            length = rng.randint(1, 4) if kind != "holiday" else rng.randint(4, 14)
            begin = self._some_day()
            hired.trips.append(people.trip(rng, self.world, where, begin, length, kind))

    def conference(self, staff: Sequence[Person]) -> None:
        """A fair that some of the staff go to together."""
        rng = self.rng
        where = rng.choice([c for c in CITIES if c.name in _SHORT_STAYS])
        begin = self._some_day()
        for person in rng.sample(list(staff), max(1, len(staff) // 50)):
            if person.home != where and not person.frontline:
                person.trips.insert(0, people.trip(rng, self.world, where, begin, 3, "business"))

    def _some_day(self) -> date:
        return self.first + timedelta(days=self.rng.randrange(1, max(2, self.days - 2)))

    def _some_time(self) -> float:
        return self.begin + self.rng.uniform(1, self.days) * DAY


def fingerprint(rng: random.Random) -> str:
    """An ssh key's fingerprint as OpenSSH prints it."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    kind = "ED25519" if rng.random() < 0.7 else "RSA"
    return f"{kind} SHA256:{''.join(rng.choices(alphabet, k=43))}"


def _apart(one: City, other: City) -> float:
    """A rough order of distance, enough to find what is nearest."""
    return (one.lat - other.lat) ** 2 + ((one.long - other.long) * 0.7) ** 2
