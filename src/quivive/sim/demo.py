"""The demo's company, and the takeover that its console shows.

After the account by ActZero: somebody in Canada who logs in from a few nearby cities, always with
Chrome on macOS, in business hours; then, after failures from many countries, successful logins
from around the world, the first from Romania at an unusual hour with an unknown browser and
operating system, until an administrator resets the account about two weeks later.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from quivive.sim import organisation
from quivive.sim.action import Action, Outcome, SignIn
from quivive.sim.apps import APPS, usual
from quivive.sim.build import ordinary
from quivive.sim.clients import UNKNOWN, Client, personal, uuid
from quivive.sim.organisation import Organisation
from quivive.sim.people import Person
from quivive.sim.places import DAY, city
from quivive.sim.staging import Incident, stage
from quivive.sim.world import Kind
from quivive.sim.writing import VENDORS, Summary, write

FIRST_DAY = date(2025, 12, 8)
DAYS = 45
_ONSET = date(2026, 1, 2)
_RESET = date(2026, 1, 15)
_NEARBY = ("Toronto", "Mississauga", "Hamilton")
_COUNTRIES = ("RO", "NG", "BR", "RU", "VN", "ZA", "TR", "ID", "US", "NL", "IN", "UA", "CO", "TH")
_KINDS = ("stolen_kubeconfig", "leaked_access_key", "mfa_fatigue", "cluster_token_outside",
          "same_country", "ssh_stolen_key")  # fmt: skip


UNFOLDING_DAYS = 61  # of the demo that goes on: its last day is today
UNFOLDED = 3 * 3600  # seconds that the takeover is under way at the least

HOUR_OF_ONSET = 8.2  # UTC: the middle of the night in Toronto


@dataclass(frozen=True, slots=True)
class Plan:
    """When the demo begins, for how many days; when (Unix time) the account is taken and reset."""

    first: date
    days: int
    onset: float
    reset: float


def told() -> Plan:
    """The demo that is told: always the same dates."""
    toronto = city("Toronto")
    return Plan(
        FIRST_DAY,
        DAYS,
        toronto.midnight(_ONSET) + 3.2 * 3600,
        toronto.midnight(_RESET) + 10.6 * 3600,
    )


def unfolding(now: float) -> Plan:
    """The demo that goes on at ``now`` (Unix time): two months until today, and a takeover that
    began before the last working day and that nobody has ended.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    night = datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp()
    onset = night + HOUR_OF_ONSET * 3600
    while onset > now - UNFOLDED or datetime.fromtimestamp(onset, UTC).weekday() > 4:
        onset -= DAY
    first = today - timedelta(days=UNFOLDING_DAYS - 1)
    return Plan(first, UNFOLDING_DAYS, onset, now + 13 * DAY)


@dataclass(frozen=True, slots=True)
class Story:
    """The takeover shown: whose account, and when (Unix time) what happened to it."""

    identity: str
    first_failure: float
    first_success: float
    reset: float
    summary: Summary


def simulate_demo(out: Path, *, seed: int = 7, people: int = 60, plan: Plan | None = None) -> Story:
    """Write the demo's logs, labels and address plan into ``out``; by default those of ``told``."""
    plan = plan or told()
    onset, reset = plan.onset, plan.reset
    org = organisation.build(
        seed, people, 10, plan.days, first=plan.first, sites=("Toronto", "London", "Berlin")
    )
    rng = org.rng("demo")
    victim = _victim(rng, org)
    takeover = list(_takeover(rng, org, victim, onset, reset))
    usual_life = [
        replace(a, protocol="browser")
        if isinstance(a, SignIn) and a.identity == victim.email
        else a
        for a in ordinary(org)
        if a.identity != victim.email or _fits(a, victim)
    ]
    others, incidents = stage(org, usual_life, len(_KINDS), _KINDS, VENDORS, spare=(victim.email,))
    name = f"i{len(incidents) + 1:02d}"
    for action in takeover:
        action.incident = name
    first = min(action.time for action in takeover)
    incidents.append(
        Incident(name, "demo_takeover", ("T1110", "T1078.004"), victim.email, first, reset)
    )
    everything = [*usual_life, *others, *takeover, *_recovery(rng, victim, reset)]
    summary = write(out, org, everything, incidents, VENDORS)
    return Story(victim.email, first, onset, reset, summary)


def _victim(rng: Random, org: Organisation) -> Person:
    """Somebody in finance at the Toronto office, given the habits of the account told of."""
    person = next(
        p
        for p in org.people
        if p.home.country == "CA" and not (p.engineer or p.admin or p.frontline or p.dormant)
    )
    laptop = Client(kind="laptop", os="MacOs", browser="Chrome", device_id=uuid(rng),
                    device_name="MBP-JK4T7QX", managed=True, lag=5 * DAY)  # fmt: skip
    found = org.world.find(Kind.RESIDENTIAL, "Toronto")
    operator = rng.choice(found).network
    lines = [
        p
        for place in _NEARBY
        for p in org.world.find(Kind.RESIDENTIAL, place)
        if p.network == operator and p.before is None
    ]
    person.department, person.apps = "Finance", usual("Finance")
    person.home = city("Toronto")
    person.office = next(o for o in org.offices if o.city == person.home)
    person.office_share = 0.4
    person.laptops = [(0.0, laptop)]
    person.phones = [(0.0, laptop)]
    person.leases = [
        (org.begin + day * DAY, rng.choice(lines).any(rng)) for day in range(0, org.days, 4)
    ]
    person.v6, person.pc, person.sase, person.privacy_vpn = None, None, 0.0, 0.0
    person.tunnel, person.absences = 0.0, []
    person.imap, person.contractor, person.deadlines, person.trips = False, False, (), []
    person.carrier = next(p for p in org.world.find(Kind.MOBILE, "CA"))
    person.joins, person.leaves = date.min, date.max
    person.start, person.length, person.jitter = 8.9, 8.2, 0.4
    person.weekdays, person.weekend, person.evening = frozenset(range(5)), 0.0, 0.0
    person.factor, person.pace = "", 1.4
    return person


def _fits(action: Action, victim: Person) -> bool:
    """Whether this is the victim on the one laptop, in the few nearby cities, by day."""
    hour = (action.time % DAY) / 3600 + victim.home.offset / 60
    return (
        7 < hour < 20
        and isinstance(action, SignIn)
        and action.client == victim.laptops[0][1]
        and action.spot.prefix is not None
        and action.spot.prefix.city.name in _NEARBY
    )


def _takeover(
    rng: Random, org: Organisation, victim: Person, onset: float, reset: float
) -> Iterator[SignIn]:
    """A day of guesses from many countries, then two weeks of visits among more guesses."""
    agents = (UNKNOWN, UNKNOWN, personal(rng), replace(personal(rng), os="Windows10"))

    def visit(time: float, country: str, outcome: Outcome, client: Client) -> SignIn:
        kind = rng.choice((Kind.RESIDENTIAL, Kind.RESIDENTIAL, Kind.HOSTING, Kind.VPN))
        found = org.world.find(kind, country) or org.world.find(Kind.RESIDENTIAL, country)
        return SignIn(
            time=time,
            identity=victim.email,
            spot=rng.choice(found).any(rng),
            outcome=outcome,
            account=victim.account,
            app=APPS[rng.choice(("One Outlook Web", "OfficeHome", "Office 365 Exchange Online"))],
            client=client,
            session=uuid(rng) if outcome is Outcome.SUCCESS else "",
        )

    for _ in range(26):
        time = onset - rng.uniform(0.01, 0.95) * DAY
        yield visit(time, rng.choice(_COUNTRIES), Outcome.BAD_PASSWORD, rng.choice(agents))
    yield visit(onset, "RO", Outcome.SUCCESS, UNKNOWN)
    for time in sorted(rng.uniform(onset + 3600, reset) for _ in range(88)):
        outcome = Outcome.SUCCESS if rng.random() < 0.5 else Outcome.BAD_PASSWORD
        yield visit(time, rng.choice(_COUNTRIES), outcome, rng.choice(agents))


def _recovery(rng: Random, victim: Person, reset: float) -> Iterator[Action]:
    """After the reset the owner's old sessions end, and a new one begins with MFA."""
    spot, client = victim.at_home(rng, reset), victim.laptop(reset)
    session = uuid(rng)
    for offset, outcome, factor, app in (
        (240.0, Outcome.EXPIRED_TOKEN, "", "Microsoft Teams"),
        (1500.0, Outcome.SUCCESS, "push", "My Signins"),
        (1720.0, Outcome.SUCCESS, "push", "One Outlook Web"),
    ):
        yield SignIn(
            time=reset + offset,
            identity=victim.email,
            spot=spot,
            outcome=outcome,
            account=victim.account,
            app=APPS[app],
            client=client,
            factor=factor,
            session=session,
            interactive=outcome is Outcome.SUCCESS,
            protocol="browser",
        )
