"""How the logs and what was learned of them stand: drift, gaps, events of the organisation."""

from datetime import UTC, datetime

from msgspec import Struct

from quivive.baseline.monitor import Monitor
from quivive.baseline.novelty import Novelty, OrganisationEvent
from quivive.learn.drift import PEOPLE, Drift, find_drift
from quivive.learn.gaps import Gap, find_gaps

_WHAT = {
    "country": "country",
    "operator": "operator AS",
    "network": "network",
    "client": "client",
    "application": "application",
}
_LOOKS_LIKE = {
    "place": "a new office or another exit of the VPN",
    "client": "a client that was rolled out",
    "application": "an application that was introduced",
}


class Event(Struct, frozen=True, kw_only=True):
    """An event of the organisation, as it is told.

    identities: how many showed it; anchored: how many of them with something that a stolen
    password does not bring. first and last: ms UTC. doubted: accounts failed from there as well.
    """

    domain: str
    what: dict[str, list[str]]
    kind: str
    first: int
    last: int
    identities: int
    anchored: int
    examples: list[str]
    doubted: bool
    text: str


class Health(Struct, frozen=True, kw_only=True):
    """The whole report, in ms UTC: since, when the first of all logs began, and until, the newest
    event of all; 0 for none.
    """

    since: int = 0
    until: int
    drift: list[Drift]
    gaps: list[Gap]
    events: list[Event]

    @property
    def acts(self) -> bool:
        """Whether anything asks for action."""
        severities = [d.severity for d in self.drift] + [g.severity for g in self.gaps]
        return "act" in severities


def health(monitor: Monitor, novelty: Novelty, now: int | None = None) -> Health:
    """The report on what a state holds. ``now`` (ms UTC): as in find_gaps.

    A field that went missing is told as a gap, not as a drift of what is read from it too.
    """
    gaps = find_gaps(monitor, now)
    missing = {
        (gap.source, gap.identity_kind, feature)
        for gap in gaps
        for feature in _READ_FROM.get(gap.field or "", ())
    }
    return Health(
        since=min((series.first for series in monitor.series.values()), default=0),
        until=monitor.newest,
        drift=[d for d in find_drift(monitor) if (d.source, d.kind, d.feature) not in missing],
        gaps=gaps,
        events=[_told(event) for event in reversed(novelty.events)],
    )


_READ_FROM = {
    "ip": ("country", "network_kind", "operator?", "address?"),
    "place": ("country", "operator?", "address?"),
    "device": ("device?", "os"),
    "user_agent": ("os", "client"),
    "mfa": ("mfa",),
    "application": ("application?",),
}


def _told(event: OrganisationEvent) -> Event:
    what = ", ".join(
        f"{_WHAT[kind]}{'' if kind == 'operator' else ' '}{' and '.join(keys)}"
        + (f" {event.operator}" if kind == "operator" and event.operator else "")
        for kind, keys in event.what.items()
    )
    who = PEOPLE.get(event.kind, event.kind)
    if event.doubted:
        looks = "accounts failed from there as well: look at it as a campaign"
    elif 2 * event.anchored >= event.identities:
        looks = f"looks like {_LOOKS_LIKE[event.domain]}"
    else:
        looks = "few of them with a device, key or network of their own: make sure that it is yours"
    return Event(
        domain=event.domain,
        what=event.what,
        kind=event.kind,
        first=event.first,
        last=event.last,
        identities=event.identities,
        anchored=event.anchored,
        examples=event.examples,
        doubted=event.doubted,
        text=f"{what}: new to {event.identities} {who} from {_minute(event.first)} to"
        f" {_minute(event.last)}; {looks}",
    )


def _minute(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")
