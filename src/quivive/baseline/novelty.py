"""Something new to many at once: one event of the organisation, not so many surprises.

A new office, another exit of the VPN, a browser that was rolled out or an application that was
introduced show the same category, new to the identity and rare in the organisation, on many
identities within a day. Identities count only if all else about their logins is as ever and they
are not new themselves, and an operator from where accounts fail as well is a campaign. This is a
record; it changes no risk.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, field

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.windows import DistinctWindow

AT_LEAST = 5  # identities within a day
OF_ALL = 0.02  # or this share of the identities known
MORE_THAN = 2  # times as many as were at home in a network before
AT_HOME = 16  # identities at home in a network, up to which many more are worth an event
MEMBERS_KEPT = 64
CANDIDATES_KEPT = 256
FAILING_KEPT = 128
EVENTS_KEPT = 64
EXAMPLES = 5
KEYS_KEPT = 4  # networks of one new office, systems of one new browser
RARE = 0.002  # share of the organisation's logins up to which a category is new to it
SETTLED = 10.0  # learned logins from which an identity is not new itself
SETTLED_AFTER = 14 * DAY_MS
GOES_ON = 14 * DAY_MS  # for how long further identities still join an event
DOUBTED_FOR = 2 * DAY_MS
OF_CAMPAIGN = 0.25  # of the identities that came, as many failing make it a campaign
KNOWN = 0.45  # decayed count from which a category is the identity's own
ANONYMOUS = frozenset({"tor", "proxy", "vpn", "hosting"})
PLACE, CLIENT, APPLICATION = "place", "client", "application"
DOMAIN = {
    "network": PLACE,
    "operator": PLACE,
    "country": PLACE,
    "client": CLIENT,
    "application": APPLICATION,
}
_NOBODY = DistinctWindow(MEMBERS_KEPT)


class First(NamedTuple):
    """A category that an identity shows for the first time.

    rare: it is new, or nearly so, to the organisation as well; before: how many identities are at
    home there, for a network.
    """

    kind: str
    key: str
    rare: bool
    before: int = 0


class Candidate(Struct, gc=False):
    """A category new to several: who showed it when, and who of them with an anchor; before: how
    many were at home there when it began.

    An anchor is what a stolen password does not bring: the own device, a phishing-resistant
    factor, the own key; for a client or an application, the own network.
    """

    members: dict[str, int] = field(default_factory=dict)
    anchored: dict[str, bool] = field(default_factory=dict)
    before: int = 0

    def forget(self, time: int) -> None:
        """Drops those who came more than a day before ``time``."""
        if self.members and next(iter(self.members.values())) <= time - DAY_MS:
            self.members = {m: t for m, t in self.members.items() if t > time - DAY_MS}
            self.anchored = {m: a for m, a in self.anchored.items() if m in self.members}


class OrganisationEvent(Struct, gc=False):
    """Many identities that showed the same new thing at about the same time.

    domain: "place", "client" or "application"; what: the new categories by kind; operator: its
    name, where known; kind: that of the identity that made it enough. identities and anchored
    count them; doubted: accounts failed from there.
    """

    domain: str
    what: dict[str, list[str]]
    operator: str | None
    kind: str
    first: int
    last: int
    identities: int
    anchored: int
    examples: list[str]
    members: dict[str, bool]
    doubted: bool = False


class Novelty(Struct):
    """What is new to several just now, and the events that came of it, oldest first."""

    candidates: dict[str, Candidate] = field(default_factory=dict)
    failing: dict[str, DistinctWindow] = field(default_factory=dict)
    events: list[OrganisationEvent] = field(default_factory=list)

    def failed(self, login: Observation) -> None:
        """Notes that a known identity failed from somewhere that is not its own."""
        for kind, key in (("network", login.network), ("operator", login.asn)):
            if key is None:
                continue
            name = f"{kind} {key}"
            window = self.failing.pop(name, None) or DistinctWindow(MEMBERS_KEPT)
            window.add(login.identity, login.time)
            self.failing[name] = window
            if len(self.failing) > FAILING_KEPT:
                self.failing.pop(next(iter(self.failing)))
        for event in self.events:
            if not event.doubted and login.time - event.first < DOUBTED_FOR:
                event.doubted = self._campaign(event.what, len(event.members), login.time)

    def note(
        self, login: Observation, new: Sequence[First], anchored: bool, population: int
    ) -> OrganisationEvent | None:
        """Counts a login that is usual but for ``new``; the event that this makes or prolongs.

        ``population`` is the number of identities known.
        """
        found = None
        for kind, key, rare, before in new:
            name = f"{kind} {key}"
            event = self._event(kind, key, login.time)
            if event is not None:
                _join(event, login.identity, login.time, anchored)
                found = event
                continue
            candidate = self.candidates.pop(name, None) or Candidate()
            candidate.forget(login.time)
            if not candidate.members:
                if not rare:
                    continue
                candidate.before = before
            candidate.members[login.identity] = login.time
            candidate.anchored[login.identity] = anchored
            self.candidates[name] = candidate
            if len(self.candidates) > CANDIDATES_KEPT:
                self.candidates.pop(next(iter(self.candidates)))
            enough = max(AT_LEAST, OF_ALL * population, MORE_THAN * candidate.before)
            enough = min(MEMBERS_KEPT, enough)
            if len(candidate.members) >= enough and not self._campaign(
                {kind: [key]}, len(candidate.members), login.time
            ):
                del self.candidates[name]
                found = self._declare(kind, key, login, candidate)
        return found

    def _event(self, kind: str, key: str, time: int) -> OrganisationEvent | None:
        for event in self.events:
            if time - event.last < GOES_ON and key in event.what.get(kind, ()):
                return event
        return None

    def _campaign(self, what: dict[str, list[str]], came: int, time: int) -> bool:
        """Whether accounts fail from the same network or operator as well."""
        for kind, keys in what.items():
            for key in keys:
                failing = self.failing.get(f"{kind} {key}", _NOBODY).members(time)
                if len(failing) >= max(2, OF_CAMPAIGN * came):
                    return True
        return False

    def _declare(
        self, kind: str, key: str, login: Observation, candidate: Candidate
    ) -> OrganisationEvent:
        """A new event, or another side of one: an office is a country and a network at once."""
        members = candidate.members
        for event in reversed(self.events):
            common = sum(member in event.members for member in members)
            same = 2 * common >= len(members) or _same_program(event, kind, key)
            near = login.time - event.first < 2 * DAY_MS
            if event.domain == DOMAIN[kind] and near and same:
                keys = event.what.setdefault(kind, [])
                event.what[kind] = [*keys[-(KEYS_KEPT - 1) :], key]
                event.operator = event.operator or login.as_name
                for member in members:
                    _join(event, member, login.time, candidate.anchored[member])
                return event
        event = OrganisationEvent(
            domain=DOMAIN[kind],
            what={kind: [key]},
            operator=login.as_name if DOMAIN[kind] == PLACE else None,
            kind=login.kind,
            first=min(members.values()),
            last=login.time,
            identities=len(members),
            anchored=sum(candidate.anchored.values()),
            examples=list(members)[:EXAMPLES],
            members=dict.fromkeys(members, True),
        )
        self.events = [*self.events[-(EVENTS_KEPT - 1) :], event]
        return event


def _same_program(event: OrganisationEvent, kind: str, key: str) -> bool:
    """Whether it is the browser of the event on another system."""
    browser = key.rpartition("/")[2]
    known = event.what.get("client", ())
    return kind == "client" and any(k.rpartition("/")[2] == browser for k in known)


def _join(event: OrganisationEvent, identity: str, time: int, anchored: bool) -> None:
    event.last = max(event.last, time)
    if identity not in event.members:
        event.identities += 1
        event.anchored += anchored
        event.members[identity] = True
        if len(event.members) > MEMBERS_KEPT:
            event.members.pop(next(iter(event.members)))


def first_times(login: Observation, scene: Scene, levels: Levels) -> list[First]:
    """The categories of a login that are new to its identity.

    Nothing for a newcomer, to whom everything is new.
    """
    own = levels.own.tables
    candidates: list[tuple[str, str, str]] = []
    subnets = own.get("subnet")
    if subnets is None:
        return []
    if login.network is not None and login.public and login.network not in subnets.values:
        candidates.append(("network", "subnet", login.network))
    if login.asn is not None and _new(levels.own, "operator", login.asn):
        candidates.append(("operator", "operator", login.asn))
    if login.country is not None and _new(levels.own, "country", login.country):
        candidates.append(("country", "country", login.country))
    if login.os is not None or login.browser is not None:
        client = client_key(login)
        if _new(levels.own, "client", client):
            candidates.append(("client", "client", client))
    if login.application is not None:
        application = f"{login.log}/{login.application}"
        if _new(levels.own, "application", application):
            candidates.append(("application", "application", application))
    if not candidates:
        return []
    profile = scene.profile
    settled = (
        profile.effective_logins(login.time) >= SETTLED
        and login.time - profile.first_seen > SETTLED_AFTER
    )
    if not settled:
        return []
    return [
        _home(scene, key) if kind == "network" else First(kind, key, _rare(levels, table, key))
        for kind, table, key in candidates
    ]


def _without_device(login: Observation, levels: Levels) -> bool:
    """Whether the identity is used to coming without a device, or its log never names one."""
    if login.device is not None:
        return False
    named = levels.own.tables.get("device")
    return named is None or not named.total or _own(levels, "device?", f"{login.log}/missing")


def client_key(login: Observation) -> str:
    """The category of a login's client, as it is learned."""
    return f"{login.log}/{login.os or '?'}/{login.browser or '?'}"


def _new(level: Level, factor: str, key: str) -> bool:
    table = level.tables.get(factor)
    return table is None or key not in table.values


def _home(scene: Scene, network: str) -> First:
    before = len(scene.network.good) if scene.network is not None else 0
    return First("network", network, before < AT_HOME, before)


def _rare(levels: Levels, factor: str, key: str) -> bool:
    table = levels.everyone.tables.get(factor)
    if table is None:
        return True
    count = table.values.get(key, 0.0) / levels.everyone_scale
    return count <= max(AT_LEAST, RARE * table.total / levels.everyone_scale)


def usual_but_for(
    login: Observation, scene: Scene, levels: Levels, new: list[First]
) -> tuple[list[First], bool]:
    """Of the new categories those beside which all else is as ever, and whether with an anchor.

    A client of its own is enough from an ordinary network, for those who often come without a
    device; from a hosting, VPN or proxy network, where anybody can be, only an anchor is.
    """
    profile, time = scene.profile, login.time
    quiet = (
        login.learnable
        and not login.bad_address
        and profile.failures.total(time) < 3
        and not profile.denied(time)
        and all(time - recovery.time > DAY_MS for recovery in profile.recoveries)
    )
    if not quiet or login.network_kind == "tor":
        return [], False
    domains = {DOMAIN[first.kind] for first in new}
    device = login.device is not None and _own(levels, "device", login.device)
    key = login.credential is not None and _own(levels, "credential", login.credential)
    anchored = device or key or login.mfa == "phishing-resistant"
    if PLACE in domains:
        if CLIENT in domains:
            # Another client from another place is as ever in nothing, unless on the own device.
            return (new if device else []), device
        client = _without_device(login, levels) and _own(levels, "client", client_key(login))
        usual = anchored or (client and login.network_kind not in ANONYMOUS)
        return (new if usual else []), anchored
    at_home = login.network is not None and _own(levels, "subnet", login.network)
    usual = at_home or device or (login.asn is not None and _own(levels, "operator", login.asn))
    return (new if usual else []), at_home or device


def elsewhere(login: Observation, levels: Levels) -> bool:
    """Whether an attempt comes over an operator that the identity never used."""
    return login.asn is not None and not _own(levels, "operator", login.asn)


def _own(levels: Levels, factor: str, key: str) -> bool:
    table = levels.own.tables.get(factor)
    return table is not None and table.values.get(key, 0.0) / levels.own_scale > KNOWN
