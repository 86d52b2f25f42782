"""One incident from beginning to end: logins of many logs, decisions, actions, people's acts."""

import msgspec
from markupsafe import Markup
from msgspec import Struct

from quivive.app.intents import requests_of_line
from quivive.app.worldmap import Visit, draw, spots_of
from quivive.baseline.profile import AddressState
from quivive.model.audit import Record
from quivive.model.incident import Incident
from quivive.server.console.gather import Action, Case, actions_of, cases, lines
from quivive.server.console.login import Login, as_told, facts, read
from quivive.server.console.veil import Veil
from quivive.server.console.words import short
from quivive.store import console
from quivive.store.database import Store
from quivive.store.incidents import Incidents, earlier_lines

HOUR = 3_600_000
BEFORE = 12 * HOUR  # how much of the identities' logins is shown before the first finding…
AFTER = 24 * HOUR  # …and after the last
MOST_LOGINS = 400
MOST_RECORDS = 200
MOST_FINDINGS = 100
MOST_IDENTITIES = 20
AROUND = 24 * HOUR
MOST_LOOKED = 60_000  # logins that are looked through for an address
MOST_ELSEWHERE = 40
ADDRESSES = 3
_address = msgspec.msgpack.Decoder(AddressState)


class Moment(Struct, kw_only=True):
    """One line of the timeline. what: login, action, decision, person or told; login and text as
    there are. odd: it is a finding, or something failed. times: how many alike in a row, the last
    at ``until``; later: after the last finding.
    """

    time: int
    what: str
    login: Login | None = None
    text: str = ""
    by: str = ""
    odd: bool = False
    later: bool = False
    times: int = 1
    until: int = 0


class Place(Struct, kw_only=True):
    """Where logins of the timeline came from. number: on the map; 0 for what is not on it."""

    name: str
    network: str
    number: int = 0
    count: int = 0
    failed: int = 0
    findings: int = 0
    first: int = 0
    last: int = 0


class Elsewhere(Struct, kw_only=True):
    """What else an address did: its logins around the incident, who is at home there."""

    address: str
    others: list[Login]
    looked: int
    home: int
    identities: int
    failing: int


class Story(Struct, kw_only=True):
    """Everything of one incident."""

    case: Case
    findings: list[Login]
    verdicts: dict[str, str]
    before: Login | None
    facts: list[tuple[str, str, str, bool]]
    timeline: list[Moment]
    places: list[Place]
    map: Markup
    actions: list[Action]
    would: list[Login]
    records: list[Record]
    after: list[Login]
    home: list[str]
    cut: bool

    @property
    def incident(self) -> Incident:
        """The incident itself."""
        return self.case.incident


def of(store: Store, incident: Incident, veil: Veil, land: str = "") -> Story:
    """Reads everything of an incident. It blocks. land: the URL of the map's outline."""
    case = cases(store, [incident], veil)[0]
    members = Incidents(store).findings(incident.id)[:MOST_FINDINGS]
    bodies = lines(store, [event_id for event_id, _, _ in members])
    told = (as_told(read(body, veil)) for body in bodies.values())
    findings = sorted(told, key=lambda f: (f.time, f.id))
    names = case.names[:MOST_IDENTITIES]
    around = console.logins_of(
        store, names, incident.opened - BEFORE, incident.last + AFTER, MOST_LOGINS + 1
    )
    logins = [read(body, veil) for body in around[:MOST_LOGINS]]
    ids = [f.id for f in findings]
    asked = actions_of(store, bodies.values(), veil)
    records = console.recorded(store, [incident.id, *ids], MOST_RECORDS)
    before = _before(store, case.best, veil)
    known = {login.id for login in logins}
    every = logins + [f for f in findings if f.id not in known]
    own = set(ids)
    every = [as_told(x) if x.id in own else x for x in every]
    spots, ways = spots_of(_visits(every))
    last = findings[-1].time if findings else incident.last
    return Story(
        case=case,
        findings=findings,
        verdicts=console.verdicts_on(store, ids),
        before=before,
        facts=facts(case.best, before) if case.best else [],
        timeline=_timeline(incident, every, asked, records),
        places=_places(every, {spot.name: spot.number for spot in spots}),
        map=draw(spots, ways, land),
        actions=asked,
        would=[
            f for f in findings
            if f.decision.mode == "shadow" and requests_of_line(bodies[f.id], acting=False)
        ],
        records=records,
        after=[each for each in logins if each.time > last and each.success],
        home=_home(store, case.best),
        cut=len(around) > MOST_LOGINS,
    )  # fmt: skip


def elsewhere(store: Store, incident: Incident, veil: Veil) -> list[Elsewhere]:
    """What else the addresses of an incident did, of identities that are not its own."""
    found = []
    addresses = [link.removeprefix("address ") for link in incident.links if link[:8] == "address "]
    best = store.assessment(incident.best) if incident.best else None
    if best is not None:
        own = read(best, veil).address
        addresses = [a for a in ([own] if own else []) + addresses if a]
    for address in list(dict.fromkeys(addresses))[:ADDRESSES]:
        bodies, looked = console.logins_from(
            store, address, incident.opened - AROUND, incident.last + AROUND, MOST_LOOKED,
            MOST_ELSEWHERE + incident.count,
        )  # fmt: skip
        logins = [login for login in (read(b, veil) for b in bodies) if login.address == address]
        others = [each for each in logins if each.identity not in incident.identities]
        state = _state(store, address)
        found.append(
            Elsewhere(
                address=address,
                others=others[:MOST_ELSEWHERE],
                looked=looked,
                home=len(state.good) if state else 0,
                identities=len({each.identity for each in others}),
                failing=len(state.failing.last_seen) if state else 0,
            )
        )
    return found


def _home(store: Store, best: Login | None) -> list[str]:
    """Who else is at home at the address of the finding: identities whose logins were learned."""
    state = _state(store, best.address) if best is not None and best.address else None
    if state is None or best is None:
        return []
    return sorted(name for name in state.good if name != best.identity)


def _state(store: Store, address: str) -> AddressState | None:
    row = store.read("addresses", address)
    try:
        return None if row is None else _address.decode(row.body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _before(store: Store, best: Login | None, veil: Veil) -> Login | None:
    """The identity's last ordinary login before the one shown."""
    if best is None:
        return None
    with store.reading() as connection:
        found = earlier_lines(connection, best.identity, best.time)
    earlier = [read(line, veil) for line in found]
    return next((e for e in earlier if e.success), earlier[0] if earlier else None)


def _timeline(
    incident: Incident,
    every: list[Login],
    asked: list[Action],
    records: list[Record],
) -> list[Moment]:
    """Everything in order of time. Acts of people have the wall clock's time, logins their own."""
    last = incident.last
    made = [
        Moment(time=x.time, what="login", login=x, odd=x.finding, later=x.time > last)
        for x in every
    ]
    for act in asked:
        for result in act.results:
            odd = result.status in ("failed", "refused")
            text = f"{act.intended.request.action}:{result.status}:{result.connection}"
            made.append(
                Moment(time=result.ended or act.row.created, what="action", text=text, odd=odd,
                       by=result.detail)
            )  # fmt: skip
    told = [("incident:", "person"), ("verdict:", "person")]
    for record in records:
        for prefix, what in told:
            if record.action.startswith(prefix):
                why = _why(record)
                made.append(Moment(time=record.time, what=what, text=record.action, by=record.actor,
                                   login=None, odd=False))  # fmt: skip
                if why:
                    made[-1].text = f"{record.action}: {why}"
    made += [Moment(time=n.time, what="note", text=n.text, by=n.by) for n in incident.notes]
    return _folded(sorted(made, key=lambda moment: moment.time))


def _folded(moments: list[Moment]) -> list[Moment]:
    """The same with ordinary logins that are alike, in a row, as one."""
    found: list[Moment] = []
    for each in moments:
        before = found[-1] if found else None
        if before is not None and not each.odd and not before.odd and _alike(before, each):
            before.times += 1
            before.until = each.time
        else:
            found.append(each)
    return found


def _alike(one: Moment, other: Moment) -> bool:
    a, b = one.login, other.login
    if a is None or b is None or one.later != other.later:
        return False
    return (a.identity, a.what, a.place, a.outcome) == (b.identity, b.what, b.place, b.outcome)


def _why(record: Record) -> str:
    try:
        return str(msgspec.json.decode(record.details, type=dict[str, object]).get("why") or "")
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ""


def _visits(logins: list[Login]) -> list[Visit]:
    found = []
    for login in logins:
        source = login.event.src_endpoint
        where = source.location if source else None
        if where and where.city and where.lat is not None and where.long is not None:
            name = short(login.place)
            visit = Visit(login.time, name, where.lat, where.long, login.success, login.finding)
            found.append(visit)
    return found


def _places(logins: list[Login], numbers: dict[str, int]) -> list[Place]:
    found: dict[tuple[str, str], Place] = {}
    for login in logins:
        key = (login.place or "unknown place", login.network.partition(" ")[0])
        place = found.get(key)
        if place is None:
            number = numbers.get(short(login.place), 0)
            place = found[key] = Place(name=key[0], network=key[1], number=number, first=login.time)
        place.network = max(place.network, login.network, key=len)
        place.count += 1
        place.failed += not login.success
        place.findings += login.finding
        place.last = login.time
    return sorted(found.values(), key=lambda p: (-p.findings, -p.count, p.name))
