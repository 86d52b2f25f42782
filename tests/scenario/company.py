"""A company of twenty-two colleagues and four machines, and logins to put before its engine.

Times are days after ``DAY0`` (a Monday) and hours UTC. Forty days of ordinary life are learned
once and copied for each test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

from msgspec import structs

from quivive.app.policy_file import shipped
from quivive.app.registry import signals
from quivive.app.scoring import decode_state, encode_state
from quivive.engine.engine import Engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import (
    OCSF_VERSION,
    Activity,
    AuthEvent,
    AutonomousSystem,
    Device,
    DeviceType,
    Endpoint,
    HttpRequest,
    Location,
    Metadata,
    Os,
    OsType,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.ocsf import encode_event
from quivive.policy.decider import Decider
from quivive.scoring.assess import FINDING

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAY0 = 1_762_732_800_000  # Monday 2025-11-10
DAYS = 40  # so that day 40 is a Saturday, day 42 a Monday

_MOZILLA = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
CHROME_MAC = _MOZILLA.format("Macintosh; Intel Mac OS X 10_15_7")
CHROME_WINDOWS = _MOZILLA.format("Windows NT 10.0; Win64; x64")
UNKNOWN_CLIENT = "-/-"
PYTHON = "python-requests/2.31.0"


@dataclass(frozen=True)
class Place:
    """A city with an operator; ``net`` is the /24 its addresses come from."""

    country: str
    city: str
    lat: float
    long: float
    asn: int
    operator: str
    net: str

    def ip(self, host: int = 10) -> str:
        return f"{self.net}.{host}"


TORONTO = Place("CA", "Toronto", 43.65, -79.38, 577, "Bell Canada", "70.24.10")
MISSISSAUGA = Place("CA", "Mississauga", 43.59, -79.64, 812, "Rogers", "99.224.7")
HAMILTON = Place("CA", "Hamilton", 43.26, -79.87, 812, "Rogers", "99.224.9")
OFFICE = Place("CA", "Toronto", 43.65, -79.38, 6461, "Zayo", "64.124.5")
LONDON = Place("GB", "London", 51.51, -0.13, 2856, "British Telecom", "81.130.4")
LONDON_OFFICE = Place("GB", "London", 51.51, -0.13, 5400, "Colt", "62.7.44")
BUCHAREST = Place("RO", "Bucharest", 44.43, 26.1, 8708, "Digi Romania", "86.120.33")
BUCHAREST_HOTEL = Place("RO", "Bucharest", 44.43, 26.1, 12302, "Vodafone Romania", "82.76.5")
LISBON = Place("PT", "Lisbon", 38.72, -9.14, 3243, "MEO", "85.240.1")
VANCOUVER = Place("CA", "Vancouver", 49.28, -123.12, 6327, "Shaw", "24.80.6")
FAR = tuple(
    Place(country, city, lat, long, asn, operator, net)
    for country, city, lat, long, asn, operator, net in [
        ("NG", "Lagos", 6.45, 3.4, 29465, "MTN Nigeria", "105.112.3"),
        ("BR", "Sao Paulo", -23.55, -46.63, 28573, "Claro Brasil", "187.10.5"),
        ("RU", "Moscow", 55.76, 37.62, 12389, "Rostelecom", "95.24.8"),
        ("VN", "Hanoi", 21.03, 105.85, 45899, "VNPT", "113.160.2"),
        ("ZA", "Johannesburg", -26.2, 28.05, 3741, "Dimension Data", "196.25.1"),
        ("TR", "Istanbul", 41.01, 28.98, 9121, "Turk Telekom", "78.160.4"),
        ("ID", "Jakarta", -6.2, 106.85, 7713, "Telkom Indonesia", "36.68.2"),
        ("IN", "Mumbai", 19.08, 72.88, 24560, "Bharti Airtel", "122.160.9"),
        ("UA", "Kyiv", 50.45, 30.52, 15895, "Kyivstar", "46.211.7"),
        ("CO", "Bogota", 4.71, -74.07, 10620, "Claro Colombia", "181.48.3"),
    ]
)
EGRESS = Place("US", "Ashburn", 39.04, -77.49, 54113, "Zenlayer Secure Edge", "151.101.9")


@dataclass(frozen=True)
class Person:
    """A colleague: where she lives and works, and with what."""

    name: str
    homes: tuple[Place, ...]
    office: Place
    host: int
    agent: str
    shift: int = 0  # hours that her day begins after 14 UTC, Toronto's morning
    vpn: bool = False
    apps: tuple[str, ...] = ("Office 365", "SharePoint")

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def device(self) -> Device:
        macos = self.agent is CHROME_MAC
        return Device(
            type_id=DeviceType.LAPTOP,
            uid=f"dev-{self.name}",
            name=f"LAPTOP-{self.name}",
            os=Os(name="MacOs" if macos else "Windows 11",
                  type_id=OsType.MACOS if macos else OsType.WINDOWS),
            is_managed=True,
        )  # fmt: skip


DANA = Person("dana", (TORONTO, MISSISSAUGA, HAMILTON), OFFICE, 10, CHROME_MAC)
ERIC = Person("eric", (TORONTO,), OFFICE, 11, CHROME_WINDOWS)
PEOPLE = (
    DANA,
    ERIC,
    *(
        Person(f"ca{n}", (TORONTO if n % 3 else MISSISSAUGA,), OFFICE, 20 + n,
               CHROME_MAC if n % 3 == 0 else CHROME_WINDOWS, shift=n % 3 - 1, vpn=n % 2 == 0)
        for n in range(14)
    ),
    *(
        Person(f"uk{n}", (LONDON,), LONDON_OFFICE, 50 + n, CHROME_WINDOWS, shift=-5)
        for n in range(6)
    ),
)  # fmt: skip


def at(day: float, hour: float = 0.0) -> int:
    """Milliseconds of a day and hour of the story."""
    return DAY0 + round(day * DAY_MS + hour * HOUR_MS)


def login(
    who: str,
    time: int,
    place: Place | None,
    *,
    ip: str | None = None,
    agent: str | None = CHROME_MAC,
    device: Device | None = None,
    status: int = Status.SUCCESS,
    app: str = "Office 365",
    mfa: bool | None = True,
    uid: str | None = None,
    activity: int = Activity.LOGON,
    kind: int = UserType.USER,
    claim: bool | None = None,
) -> AuthEvent:
    """One Entra-like sign-in; ``place`` None is a record without an address."""
    source = None
    if place is not None:
        source = Endpoint(
            ip=ip or place.ip(),
            location=Location(
                country=place.country, city=place.city, lat=place.lat, long=place.long
            ),
            autonomous_system=AutonomousSystem(number=place.asn, name=place.operator),
        )
    human = kind == UserType.USER
    return AuthEvent(
        time=time,
        activity_id=activity,
        status_id=status,
        status_code="50126" if status == Status.FAILURE else None,
        user=User(
            name=f"{who}@example.com" if human else who,
            email_addr=f"{who}@example.com" if human else None,
            type_id=kind,
        ),
        metadata=Metadata(
            version=OCSF_VERSION,
            product=Product(name="Entra ID", vendor_name="Microsoft"),
            uid=uid,
            log_name="signIns",
        ),
        service=Service(name=app),
        src_endpoint=source,
        device=device,
        http_request=HttpRequest(user_agent=agent) if agent else None,
        is_mfa=mfa,
        unmapped=Unmapped(mfa_by_claim=claim) if claim else None,
    )


def usual(person: Person, time: int, place: Place | None = None, **changes: object) -> AuthEvent:
    """A login of a colleague with her own laptop and client, from home unless said otherwise."""
    where = place or person.homes[0]
    given: dict[str, object] = {
        "ip": where.ip(1 if where in (OFFICE, LONDON_OFFICE, EGRESS) else person.host),
        "agent": person.agent,
        "device": person.device,
        **changes,
    }
    return login(person.name, time, where, **given)  # type: ignore[arg-type]


def working_day(person: Person, day: int, rng: Random) -> list[AuthEvent]:
    """Three to five logins over a day at home or in the office, now and then a mistyped one."""
    at_office = rng.random() < 0.5
    where = person.office if at_office else person.homes[rng.randrange(len(person.homes))]
    start = 14 + person.shift + rng.random() * 0.7
    found = []
    for n in range(rng.randint(3, 5)):
        hour = start + n * 1.9 + rng.random()
        place = EGRESS if person.vpn and rng.random() < 0.25 else where
        app = person.apps[rng.random() < 0.35]
        if rng.random() < 0.02:
            found.append(usual(person, at(day, hour) - 40_000, place, app=app,
                               status=Status.FAILURE))  # fmt: skip
        found.append(usual(person, at(day, hour), place, app=app, claim=n > 0))
    return found


def ordinary(
    first: int, last: int, seed: int = 1, people: tuple[Person, ...] = PEOPLE
) -> list[AuthEvent]:
    """Everybody's working days from ``first`` up to and without ``last``, in order of time."""
    rng = Random(seed)
    found = [
        event
        for day in range(first, last)
        if day % 7 < 5
        for person in people
        for event in working_day(person, day, rng)
    ]
    return sorted(found, key=lambda event: event.time)


BACKUP = "svc-backup"


def backup_run(
    day: int, place: Place = OFFICE, ip: str | None = None, hour: float = 2.0
) -> AuthEvent:
    """The nightly login of the one service account, at two o'clock sharp."""
    return login(BACKUP, at(day, hour), place, ip=ip or place.ip(200), agent=PYTHON, app="Backup",
                 mfa=None, kind=UserType.SERVICE)  # fmt: skip


def machines(first: int, last: int) -> list[AuthEvent]:
    """Three service accounts that log in every third hour, each at its own minute."""
    return [
        login(f"svc-sync{n}", at(day, hour + n / 5), OFFICE, ip=OFFICE.ip(201 + n), agent=PYTHON,
              app="Sync", mfa=None, kind=UserType.SERVICE)
        for day in range(first, last)
        for hour in range(0, 24, 3)
        for n in range(3)
    ]  # fmt: skip


def numbered(events: list[AuthEvent], prefix: str = "u-") -> list[AuthEvent]:
    """The same events, each with an id of its own."""
    return [
        structs.replace(event, metadata=structs.replace(event.metadata, uid=f"{prefix}{number}"))
        for number, event in enumerate(events)
    ]


def written(path: Path, events: Iterable[AuthEvent]) -> Path:
    """A log of these events, in their order, as OCSF."""
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    return path


def in_order(*streams: list[AuthEvent]) -> list[AuthEvent]:
    return sorted((e for stream in streams for e in stream), key=lambda event: event.time)


@dataclass
class Company:
    """An engine over the company's state, and what it said."""

    engine: Engine = field(default_factory=lambda: engine())
    said: list[Scored] = field(default_factory=list)

    def sees(self, *streams: list[AuthEvent]) -> list[Scored]:
        """Judges the events in order of time."""
        found = [s for s in map(self.engine.step, in_order(*streams)) if s is not None]
        self.said += found
        return found

    def judges(self, event: AuthEvent) -> Scored:
        (found,) = self.sees([event])
        return found


def engine(state: State | None = None) -> Engine:
    return Engine(state or State(), Enricher(None, None), signals(), decider=Decider(shipped()))


@cache
def _learned() -> bytes:
    """The state after forty days, with the nightly backup and three machines that run hourly."""
    made = Company()
    made.sees(ordinary(0, DAYS), [backup_run(day) for day in range(DAYS)], machines(0, DAYS))
    return encode_state(made.engine.state)


def company() -> Company:
    """A fresh copy of the company after its forty ordinary days."""
    return Company(engine(decode_state(_learned(), "test")))


def is_finding(scored: Scored) -> bool:
    return scored.assessment.risk_score >= FINDING


def findings(said: list[Scored], who: str | None = None) -> list[Scored]:
    name = who and (who if who == BACKUP else f"{who}@example.com")
    return [s for s in said if is_finding(s) and name in (None, s.login.identity)]


def texts(scored: Scored) -> str:
    return " | ".join(reason.text for reason in scored.assessment.reasons)


def moved(person: Person, *homes: Place) -> Person:
    return replace(person, homes=homes, office=homes[0])
