"""The days of people: where they are, on which network, and what they sign in to."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from quivive.sim import clients
from quivive.sim.action import Action, Outcome, SignIn
from quivive.sim.apps import APPS, BACKGROUND, NEW
from quivive.sim.behaviour.code import coding
from quivive.sim.behaviour.engineers import engineering
from quivive.sim.behaviour.login import Sessions, by_mail_client, login, renewal
from quivive.sim.clients import Client, pick
from quivive.sim.holidays import holiday
from quivive.sim.organisation import Organisation
from quivive.sim.people import Office, Person, Trip
from quivive.sim.places import DAY, City
from quivive.sim.world import Kind, Spot, World

LOGINS = 0.62
RENEWALS = 2.0
ELSEWHERE = 0.005


@dataclass(slots=True)
class Day:
    """One person's day: the place, and whether work is done."""

    person: Person
    date: date
    world: World
    city: City
    office: Office | None
    trip: Trip | None
    working: bool
    cafe: Spot | None = None
    sase_away: Spot | None = None

    def spot(self, rng: random.Random, time: float, client: Client) -> Spot:
        """The address the device has then."""
        person = self.person
        if client.kind == "phone":
            return self._phone(rng, time)
        if rng.random() < person.privacy_vpn:
            return rng.choice(person.vpn_exits[:1] * 4 + person.vpn_exits).any(rng)
        if person.sase and client.managed and not self.office and rng.random() < person.sase:
            assert person.sase_pop is not None
            return self.sase_away or person.sase_pop.spot(20 + rng.randrange(6))
        if person.tunnel and client.managed and not self.office and rng.random() < person.tunnel:
            return rng.choice(person.tunnels)
        if rng.random() < 0.015:
            return person.on_mobile(rng)
        if self.trip:
            return self.trip.hotel if rng.random() < 0.8 else self._local_mobile(rng)
        if self.office:
            return self.office.spot(rng, self.date)
        return self.cafe or person.at_home(rng, time)

    def _phone(self, rng: random.Random, time: float) -> Spot:
        """Wi-Fi of the place or a carrier; abroad, roaming often comes out at home."""
        if self.trip:
            roll = rng.random()
            if roll < 0.4:
                return self.trip.hotel
            return self.person.on_mobile(rng) if roll < 0.75 else self._local_mobile(rng)
        if self.office and rng.random() < 0.45:
            return self.office.spot(rng, self.date)
        if not self.office and rng.random() < 0.7:
            return self.person.at_home(rng, time)
        return self.person.on_mobile(rng)

    def _local_mobile(self, rng: random.Random) -> Spot:
        assert self.trip is not None
        return self.world.spot(rng, Kind.MOBILE, self.trip.city.country)


def days(org: Organisation, person: Person) -> Iterator[Action]:
    """Everything one person does in the window, unordered within a day."""
    rng, coding_rng = org.rng("person", person.short), org.rng("coding", person.short)
    sessions = Sessions()
    coder = org.code.coders.get(person.email)
    for day in org.dates():
        if not person.employed(day):
            continue
        today = plan(rng, org, person, day)
        if person.absent(day) and not today.trip:
            # The day is drawn and thrown away, so that other days stay as they were.
            deque(_day(rng, org, today, sessions), 0)
            ill = org.rng("absent", person.short, day)
            yield from _background(ill, replace(today, working=False, office=None), sessions)
            continue
        yield from _day(rng, org, today, sessions)
        if today.working and coder:
            yield from coding(coding_rng, today.spot, coder, person, today.city, day)
    if org.first < person.leaves < date.max:
        yield from _left(org, person)


def _day(rng: random.Random, org: Organisation, today: Day, sessions: Sessions) -> Iterator[Action]:
    """What somebody does on a day at work or at home."""
    if today.working:
        yield from _work(rng, org, today, sessions)
        if today.person.engineer:
            yield from engineering(rng, today.spot, today.person, today.city, today.date)
    yield from _background(rng, today, sessions)


def _left(org: Organisation, person: Person) -> Iterator[Action]:
    """A phone goes on asking for mail for a few days after its owner has left."""
    rng = org.rng("left", person.short)
    time = float(person.home.midnight(person.leaves))
    for _ in range(rng.choice((0, 2, 5, 9))):
        time += rng.expovariate(1 / 30_000)
        spot = person.at_home(rng, time) if rng.random() < 0.6 else person.on_mobile(rng)
        yield SignIn(
            time=time, identity=person.email, spot=spot, outcome=Outcome.DISABLED,
            account=person.account, app=APPS["Outlook Mobile"], client=person.phone(time),
            interactive=False, protocol="app",
        )  # fmt: skip


def plan(rng: random.Random, org: Organisation, person: Person, day: date) -> Day:
    """Where somebody is that day, and whether they work."""
    trip = person.trip(day)
    where = trip.city if trip else person.home
    free = day.weekday() not in person.weekdays or holiday(person.home.country, day)
    odds = 0.93 if not free else person.weekend
    if day in person.deadlines:
        odds = 0.9
    if trip:
        odds = trip.works if not free else 0.05
    working = rng.random() < odds
    office = None
    if not trip and working and not free and person.office:
        office = person.office if rng.random() < person.office_share else None
    if trip and trip.kind == "business":
        office = next((o for o in org.offices if o.city == trip.city), None)
    cafe = away = None
    if working and not office and rng.random() < 0.025:
        cafe = org.world.spot(rng, Kind.CORPORATE, where.name)
    if person.sase and (day == org.failover or rng.random() < 0.012):
        pops = [p for p in org.world.find(Kind.CORPORATE) if person.sase_pop
                and p.network == person.sase_pop.network]  # fmt: skip
        away = rng.choice(pops).spot(20 + rng.randrange(6))
    return Day(person, day, org.world, where, office, trip, working, cafe, away)


def _work(
    rng: random.Random, org: Organisation, today: Day, sessions: Sessions
) -> Iterator[Action]:
    """The interactive logins of a working day: one when it begins, some more, some late."""
    person = today.person
    begin, end = person.hours(today.date, today.city)
    times = []
    if rng.random() < 0.8 * min(1.0, person.pace):
        times.append(rng.gauss(begin, person.jitter * 3600))
    times += [rng.uniform(begin, end) for _ in range(_poisson(rng, LOGINS * person.pace))]
    if rng.random() < person.evening:
        times.append(end + rng.uniform(0.5, 5.0) * 3600)
    enrols = person.joins == today.date or any(
        0 <= since - today.city.midnight(today.date) < DAY for since, _ in person.phones[1:]
    )
    for time in sorted(times):
        client = _device(rng, today, time)
        app = APPS[pick(rng, person.apps)]
        if enrols:
            enrols, app = False, APPS["My Signins"]
        elif org.rollout and today.date >= org.rollout and rng.random() < 0.06:
            app = APPS[NEW]
        yield from login(rng, person, sessions, time, today.spot(rng, time, client), client, app)


def _device(rng: random.Random, today: Day, time: float) -> Client:
    """The laptop as a rule; the kiosk, the phone or the machine at home now and then."""
    person = today.person
    if person.frontline and today.office:
        return rng.choice(today.office.kiosks)
    roll = rng.random()
    if today.trip and today.trip.kind == "holiday":
        return person.phone(time) if roll < 0.8 else person.laptop(time)
    if roll < 0.08:
        return person.phone(time)
    if roll > 1 - ELSEWHERE:
        other = clients.personal(rng)
        laptop = person.laptop(time)
        return (
            other
            if roll > 1 - ELSEWHERE / 2
            else replace(laptop, browser=other.browser if other.browser != "Safari" else "Firefox")
        )
    late = today.office is None and not today.trip
    if person.pc and late and roll < 0.22:
        return person.pc
    return person.laptop(time)


def _background(rng: random.Random, today: Day, sessions: Sessions) -> Iterator[Action]:
    """Tokens renewed by mail, chat and file clients, on free days by the phone alone."""
    person = today.person
    rate = RENEWALS * person.pace * (1.0 if today.working else 0.3)
    if person.account.guest:
        rate *= 0.3
    midnight = today.city.midnight(today.date)
    begin, end = person.hours(today.date, today.city)
    for _ in range(_poisson(rng, rate)):
        if today.working and not person.frontline and rng.random() < 0.6:
            client = person.laptop(time := rng.uniform(begin, end + 1800))
        else:
            time = midnight + min(23.9, max(0.0, rng.gauss(14.0, 5.0))) * 3600
            client = person.phone(time)
        app = APPS[rng.choice(BACKGROUND)]
        yield renewal(rng, person, sessions, time, today.spot(rng, time, client), client, app)
    if person.imap:
        for _ in range(_poisson(rng, 1.5)):
            time = midnight + rng.uniform(0, 24) * 3600
            yield by_mail_client(person, time, person.at_home(rng, time))


def _poisson(rng: random.Random, mean: float) -> int:
    """A Poisson draw, by waiting times."""
    count, passed = 0, rng.expovariate(1.0)
    while passed < mean:
        count += 1
        passed += rng.expovariate(1.0)
    return count
