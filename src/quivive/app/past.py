"""What one identity did: its logins as points of a figure, its devices, sessions and addresses.

Read from the stored lines of its newest logins, of which only a few words are decoded.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from quivive.app.worldmap import Visit
from quivive.model.event import Status

UNKNOWN = "not known"
MOST_LISTED = 200


class _Place(Struct):
    city: str | None = None
    country: str | None = None
    lat: float | None = None
    long: float | None = None


class _Operator(Struct):
    number: int | None = None
    name: str | None = None


class _Source(Struct):
    ip: str | None = None
    location: _Place | None = None
    autonomous_system: _Operator | None = None


class _System(Struct):
    name: str | None = None


class _Device(Struct):
    name: str | None = None
    hostname: str | None = None
    uid: str | None = None
    os: _System | None = None


class _Uid(Struct):
    uid: str | None = None


class _Named(Struct):
    name: str | None = None


class _Metadata(Struct):
    product: _Named = field(default_factory=_Named)


class _Event(Struct):
    time: int
    status_id: int = 0
    src_endpoint: _Source | None = None
    device: _Device | None = None
    session: _Uid | None = None
    service: _Named | None = None
    metadata: _Metadata = field(default_factory=_Metadata)


class _Line(Struct):
    event: _Event


class Point(NamedTuple):
    """One login: when (ms UTC), in which category, whether it got in and whether it was told."""

    time: int
    category: str
    success: bool
    finding: bool


class Login(NamedTuple):
    """What of a login the history shows; None for what its log does not say."""

    time: int
    success: bool
    finding: bool
    country: str | None
    city: str | None
    network: str | None
    ip: str | None
    device: str | None
    os: str | None
    session: str | None
    product: str
    service: str | None
    asn: int | None
    lat: float | None = None
    long: float | None = None


class Seen(Struct):
    """A device, session, address or category: how often, between when, and with what beside it."""

    name: str
    got_in: int = 0
    failed: int = 0
    findings: int = 0
    first: int = 0
    last: int = 0
    beside: Counter[str] = field(default_factory=Counter)

    def add(self, login: Login, beside: str | None) -> None:
        """One more login with it."""
        self.got_in += login.success
        self.failed += not login.success
        self.findings += login.finding
        self.first = min(self.first or login.time, login.time)
        self.last = max(self.last, login.time)
        if beside:
            self.beside[beside] += 1

    @property
    def also(self) -> list[str]:
        """What most often stood beside it, at most three."""
        return [name for name, _ in sorted(self.beside.items(), key=lambda b: (-b[1], b[0]))[:3]]


_decoder = msgspec.json.Decoder(_Line)


def read(line: bytes, finding: bool) -> Login:
    """What the history shows of a stored line. Raises msgspec.DecodeError for a damaged one."""
    event = _decoder.decode(line).event
    source = event.src_endpoint or _Source()
    place = source.location or _Place()
    operator = source.autonomous_system
    device = event.device
    return Login(
        time=event.time,
        success=event.status_id == Status.SUCCESS,
        finding=finding,
        country=place.country,
        city=f"{place.city}, {place.country or '?'}" if place.city else None,
        network=_network(operator) if operator is not None else None,
        ip=source.ip,
        device=(device.name or device.hostname or device.uid) if device is not None else None,
        os=device.os.name if device is not None and device.os is not None else None,
        session=event.session.uid if event.session is not None else None,
        product=event.metadata.product.name or UNKNOWN,
        service=event.service.name if event.service is not None else None,
        asn=operator.number if operator is not None else None,
        lat=place.lat,
        long=place.long,
    )


def _network(operator: _Operator) -> str | None:
    number = f"AS{operator.number}" if operator.number else ""
    return " ".join(part for part in (number, operator.name or "") if part) or None


# What a figure can have down its side.
BY: dict[str, Callable[[Login], str | None]] = {
    "country": lambda login: login.country,
    "city": lambda login: login.city,
    "network": lambda login: login.network,
    "device": lambda login: login.device or login.os,
    "hour": lambda login: f"{login.time // 3_600_000 % 24:02}:00",
}


def points(logins: Iterable[Login], by: str) -> list[Point]:
    """Logins as points of a figure; ``by`` is a key of BY."""
    of = BY[by]
    return [Point(i.time, of(i) or UNKNOWN, i.success, i.finding) for i in logins]


def visits(logins: Iterable[Login]) -> list[Visit]:
    """Logins as points of a map: those whose city and place on earth are known."""
    return [
        Visit(i.time, i.city, i.lat, i.long, i.success, i.finding)
        for i in logins
        if i.city is not None and i.lat is not None and i.long is not None
    ]


def seen(
    logins: Iterable[Login],
    of: Callable[[Login], str | None],
    beside: Callable[[Login], str | None],
) -> list[Seen]:
    """What logins had in common by ``of``, the last seen first; at most MOST_LISTED."""
    found: dict[str, Seen] = {}
    for login in logins:
        name = of(login)
        if name is not None:
            one = found.get(name)
            if one is None:
                one = found[name] = Seen(name)
            one.add(login, beside(login))
    return sorted(found.values(), key=lambda s: (-s.last, s.name))[:MOST_LISTED]


def categories(drawn: Iterable[Point]) -> list[Seen]:
    """The rows of a figure as numbers, busiest first."""
    found: dict[str, Seen] = {}
    for point in drawn:
        one = found.setdefault(point.category, Seen(point.category))
        one.got_in += point.success
        one.failed += not point.success
        one.findings += point.finding
        one.first = min(one.first or point.time, point.time)
        one.last = max(one.last, point.time)
    return sorted(found.values(), key=lambda s: (-(s.got_in + s.failed), s.name))
