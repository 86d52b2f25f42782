"""The public data set for risk-based authentication, read row by row.

Wiefling, Jørgensen, Thunem and Lo Iacono, "Login Data Set for Risk-Based Authentication", 2022, CC
BY 4.0, https://github.com/das-group/rba-dataset: synthesised from 31.3 million logins of 3.3
million users of an online service in Norway. Places are made up within the country, so that of
what the address tells only country, operator and address relate to each other; some networks are
beyond 500,000 and some addresses in 10.0.0.0/8, which no real ones are.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from quivive.learn.protocols.reading import Advance, lines, silent
from quivive.learn.protocols.result import ProtocolError
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
    Service,
    Status,
    User,
    UserType,
)

COLUMNS = (
    "index",
    "Login Timestamp",
    "User ID",
    "IP Address",
    "Country",
    "Region",
    "City",
    "ASN",
    "User Agent String",
    "Browser Name and Version",
    "OS Name and Version",
    "Device Type",
    "Login Successful",
    "Is Attack IP",
    "Is Account Takeover",
)
PRODUCT = Product(name="RBA dataset", vendor_name="das-group")
SERVICE = Service(name="RBA online service")
_ABSENT = frozenset({"", "-", "nan", "NaN"})
_TRUE = frozenset({"True", "true", "1"})
_FALSE = frozenset({"False", "false", "0"})


class Login(NamedTuple):
    """One row. ``time`` is ms UTC; what the row leaves empty is None."""

    uid: str
    time: int
    user: str
    ip: str | None
    country: str | None
    region: str | None
    city: str | None
    asn: str | None
    agent: str | None
    browser: str | None
    os: str | None
    device: str | None
    success: bool
    attack_ip: bool
    takeover: bool


Wanted = Callable[[str, int], bool]


class Rows:
    """The rows of a file, as lists of their ``COLUMNS`` in that order; ``login`` reads one whole.

    ``read`` counts all rows, ``broken`` those left out; ``first_broken`` says where the first of
    these stand and why.
    """

    KEPT = 5

    def __init__(self, path: Path, advance: Advance = silent, wanted: Wanted | None = None) -> None:
        """Opens nothing yet. ``advance`` is told the bytes read.

        wanted: whether a row is given, by its user and its number from 1. Taking rows apart costs
        most of the reading, so that most should not be.
        """
        self.path = path
        self.read = 0
        self.broken = 0
        self.first_broken: list[str] = []
        self._advance = advance
        self._wanted = wanted

    def __iter__(self) -> Iterator[list[str]]:
        """Every wanted row. Raises ProtocolError naming file and line where columns are missing."""
        content = lines(self.path, self._advance)
        header = _header(self.path, next(content, ""))
        picked = [header.index(name) for name in COLUMNS]
        at = header.index("User ID")  # nothing before it is quoted
        for line in content:
            self.read += 1
            start = line.split(",", at + 1)
            wanted = self._wanted
            if wanted is not None and len(start) > at and not wanted(start[at], self.read):
                continue
            row = _cells(line)
            if len(row) != len(header):
                self.drop(f"{len(row)} columns where the header has {len(header)}")
                continue
            yield [row[number] for number in picked]

    @property
    def line(self) -> int:
        """The line of the row last read."""
        return self.read + 1

    def drop(self, reason: str) -> None:
        """Counts the row last read as broken."""
        self.broken += 1
        if len(self.first_broken) < self.KEPT:
            self.first_broken.append(f"{self.path}:{self.line}: {reason}")

    def login(self, row: list[str]) -> Login | None:
        """The row as a login; None, counted as broken, where a value cannot be read."""
        try:
            moment = datetime.fromisoformat(row[1])
        except ValueError:
            self.drop(f"Login Timestamp: no time: {row[1][:40]!r}")
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        flags = []
        for number in (12, 13, 14):
            if row[number] not in _TRUE and row[number] not in _FALSE:
                self.drop(f"{COLUMNS[number]}: neither True nor False: {row[number][:40]!r}")
                return None
            flags.append(row[number] in _TRUE)
        ip, country, region, city, asn, agent, browser, os, device = (
            None if text in _ABSENT else text for text in row[3:12]
        )
        return Login(
            uid=row[0],
            time=round(moment.timestamp() * 1000),
            user=row[2],
            ip=ip,
            country=country,
            region=region,
            city=city,
            asn=asn,
            agent=agent,
            browser=browser,
            os=os,
            device=device,
            success=flags[0],
            attack_ip=flags[1],
            takeover=flags[2],
        )


def taken_over(path: Path, limit: int | None = None, advance: Advance = silent) -> frozenset[str]:
    """Users with a labelled takeover among the first ``limit`` rows. Raises ProtocolError.

    They are about a hundred in all the data: too few to leave to a sample.
    """
    content = lines(path, advance)
    header = _header(path, next(content, ""))
    at = header.index("Is Account Takeover")
    from_right = len(header) - at  # a user agent may hold commas, but stands before it
    user = header.index("User ID")
    found = set()
    for number, line in enumerate(content, start=1):
        if limit is not None and number > limit:
            break
        end = line.rsplit(",", from_right)
        if len(end) > from_right and end[1].strip() in _TRUE:
            row = _cells(line)
            if len(row) == len(header):
                found.add(row[user])
    return frozenset(found)


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader((line,)), [])
    except csv.Error:
        return []


def _header(path: Path, line: str) -> list[str]:
    header = [name.strip() for name in _cells(line.removeprefix("\ufeff"))]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ProtocolError(
            f"{path}:1: no column {', '.join(map(repr, missing))}; this protocol reads"
            " rba-dataset.csv of https://github.com/das-group/rba-dataset, header included"
        )
    return header


def event_of(login: Login, sequence: int | None = None) -> AuthEvent:
    """The login as an event, as the field map ``rba`` gives it. Labels are left out."""
    location = system = http = None
    if login.country or login.region or login.city:
        location = Location(country=login.country, region=login.region, city=login.city)
    if login.asn is not None and login.asn.partition(".")[0].isdecimal():
        system = AutonomousSystem(number=int(login.asn.partition(".")[0]))
    if login.agent is not None:
        http = HttpRequest(user_agent=login.agent)
    ip = login.ip
    if ip is not None and ip.startswith("10."):
        ip = "11" + ip[2:]  # stands for a public address that could not be made up: no private one
    source = None
    if ip is not None or location is not None or system is not None:
        source = Endpoint(ip=ip, location=location, autonomous_system=system)
    return AuthEvent(
        time=login.time,
        activity_id=Activity.LOGON,
        status_id=Status.SUCCESS if login.success else Status.FAILURE,
        user=User(uid=login.user, type_id=UserType.USER),
        metadata=Metadata(
            version=OCSF_VERSION, product=PRODUCT, uid=login.uid or None, sequence=sequence
        ),
        service=SERVICE,
        src_endpoint=source,
        http_request=http,
    )
