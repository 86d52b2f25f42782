"""The desk: findings become incidents, and what is to be told of them goes to the outbox.

``take`` and ``tick`` only change memory; ``write`` keeps all of it inside the transaction of the
batch, the notifications in the outbox among it; ``kept`` is called once that is through.
A batch that failed is written again with the same content.
"""

import time
from collections.abc import Iterable

import sqlalchemy as sa
from msgspec.structs import replace

from quivive.app.audit import sign
from quivive.app.contexts import SHARED_FROM
from quivive.app.errors import UsageError
from quivive.app.notices import Known, Scored, finding_of, notice, previous_of, read_line
from quivive.app.notifying import outgoing
from quivive.engine.state import State
from quivive.incidents.book import Book
from quivive.incidents.rules import Rules
from quivive.model.assessment import level_of
from quivive.model.audit import Entry
from quivive.model.canary import is_canary
from quivive.model.context import Context
from quivive.model.event import AuthEvent, UserType
from quivive.model.incident import Change, Finding, Incident
from quivive.model.notification import Notification
from quivive.model.origin import Origin
from quivive.model.verdict import Verdict
from quivive.policy.rules import Policy
from quivive.store import audit
from quivive.store.database import Store
from quivive.store.incidents import Incidents, earlier_lines, finding_lines, line_of, write
from quivive.store.outbox import add

REACHED = ("application", "host", "resource", "role")  # tables of a profile
SILENCING = ("maintenance", "deploy")  # kinds of contexts in which nobody is told


class Desk:
    """Everything that is open, between the engine and the outbox."""

    def __init__(
        self,
        store: Store,
        known: Known | None = None,
        rules: Rules | None = None,
        *,
        tell: bool = True,
        oldest_ms: int | None = None,
    ) -> None:
        """Goes on from what ``store`` keeps.

        ``tell``: False for history that is only read, of which nobody is to be told; oldest_ms: of
        findings longer ago than that neither, so that an old log can be sent in peace.
        """
        self.store = store
        self.tell = tell
        self.oldest_ms = oldest_ms
        self.known = known or Known()
        self.book = Book(Incidents(store).open(), rules)
        self.taken: list[tuple[Finding, Scored]] = []
        self.changes: list[Change] = []
        self._origins: dict[str, Origin] = {}

    def take(self, line: bytes, origin: Origin | None = None) -> None:
        """A scored line, in the order of scoring. Anything is left alone but a finding, and what is
        only ranked lower as a repeat and is the worst of its incident: the incident gets worse.

        origin: the request that brought it.
        """
        scored = read_line(line)
        told = scored if scored.finding else self._worse(scored)
        if told is None:
            return
        scored, finding = told, finding_of(told, self.known)
        self.changes += self.book.take(finding)
        self.taken.append((finding, scored))
        if origin is not None:
            self._origins[finding.id] = origin

    @property
    def behind(self) -> bool:
        """Whether somebody acknowledged or closed an incident beside it, from the command line."""
        mine = self.book.incidents
        stored = Incidents(self.store).open()
        return any(i.id in mine and _said(mine[i.id]) != _said(i) for i in stored)

    def _worse(self, scored: Scored) -> Scored | None:
        incident = self.book.going_on(scored.identity)
        risk = scored.undamped
        if not scored.repeated or risk is None or incident is None or risk <= incident.risk:
            return None
        return replace(scored, risk_score=risk, risk_level=level_of(risk))

    def tick(self, now: int) -> None:
        """Time (ms UTC, that of events) has come this far: what is quiet closes."""
        self.changes += self.book.tick(now)

    def failed(self, event_id: str, now: int, why: str) -> None:
        """A response to a login has failed: its incident says so, and is the most urgent there is.

        The page is the responder's own, which has the vendor's words and is kept with the response.
        """
        self.book.containment_failed(event_id, now, why)

    def judged(self, event_id: str, kind: str, by: str, now: int) -> None:
        """A verdict was given on a login."""
        self.changes += self.book.judged(event_id, kind, by, now)

    def acknowledge(self, incident_id: str, by: str, now: int, note: str = "") -> Incident:
        """Somebody takes an incident on. Raises UsageError for one that is not open."""
        try:
            self.book.acknowledge(incident_id, by, now, note)
        except KeyError:
            raise _not_open(incident_id) from None
        return self.book.incidents[incident_id]

    def close(self, incident_id: str, by: str, now: int, why: str) -> Incident:
        """Somebody closes an incident. Raises UsageError for one that is not open."""
        try:
            self.changes += self.book.close(incident_id, by, now, why)
        except KeyError:
            raise _not_open(incident_id) from None
        return self.book.incidents[incident_id]

    def write(self, connection: sa.Connection, now: int | None = None) -> None:
        """Keeps what has changed, and puts what is to be told of it into the outbox.

        ``connection`` is inside the transaction that keeps the scored lines. ``now``: wall time,
        ms UTC.
        """
        at = time.time_ns() // 1_000_000 if now is None else now
        write(connection, self.book.dirty.values(), _members(self.book, (f for f, _ in self.taken)))
        lines = {f.id: scored for f, scored in self.taken}
        told = [c for c in self.changes if self._is_news(lines.get(c.finding), at)]
        notes = [self._notice(connection, c, lines.get(c.finding)) for c in told]
        add(connection, [outgoing(note, at) for note in notes if note is not None])

    def _is_news(self, scored: Scored | None, now: int) -> bool:
        if not self.tell:
            return False
        # What changes without a finding of its own (an escalation, a close) is of today.
        return self.oldest_ms is None or scored is None or now - scored.event.time <= self.oldest_ms

    def kept(self) -> None:
        """The transaction of ``write`` is through."""
        self.book.dirty.clear()
        self.taken.clear()
        self.changes.clear()
        self._origins.clear()

    def _notice(
        self, connection: sa.Connection, change: Change, scored: Scored | None
    ) -> Notification | None:
        book = self.book
        incident = book.incidents.get(change.incident) or book.dirty.get(change.incident)
        if incident is None:
            return None
        if scored is None:
            line = line_of(connection, change.finding)
            scored = read_line(line) if line is not None else None
        previous = None
        if scored is not None:
            before = earlier_lines(connection, scored.identity, scored.event.time)
            previous = previous_of(before)
        note = notice(change, incident, scored, previous)
        note = replace(note, origin=self._origins.get(change.finding))
        if scored is not None and is_canary(scored.identity):
            # It must be told of, to be seen coming out; nobody is woken by it.
            return replace(note, about="canary", route="ticket", priority="P4")
        return note


def known_of(state: State, policy: Policy | None = None, contexts: Iterable[Context] = ()) -> Known:
    """What the engine's state, the active policy and the contexts say besides a line."""
    kinds = {context.id: context.kind for context in contexts}

    def reach(identity: str) -> int:
        profile = state.profiles.get(identity)
        tables = profile.own.tables if profile is not None else {}
        return max(1, sum(len(tables[name].values) for name in REACHED if name in tables))

    def shared(address: str) -> bool:
        found = state.addresses.get(address)
        return found is not None and len(found.good) >= SHARED_FROM

    def privileged(identity: str, event: AuthEvent) -> bool:
        if policy is not None:
            return policy.is_privileged(identity, event)
        return event.user.type_id == UserType.ADMIN

    def silencing(names: tuple[str, ...]) -> str | None:
        return next((f"{kinds[n]} {n}" for n in names if kinds.get(n) in SILENCING), None)

    return Known(reach=reach, shared=shared, privileged=privileged, silencing=silencing)


def decision_entries(lines: Iterable[bytes]) -> list[Entry]:
    """What the audit trail keeps of some scored lines: every decision but to allow."""
    entries = []
    for line in lines:
        scored = read_line(line)
        decision = scored.decision
        if decision.action == "allow":
            continue
        details: dict[str, object] = {
            "identity": scored.identity,
            "risk_score": scored.risk_score,
            "confidence": scored.confidence,
            "mode": decision.mode,
            "rule": decision.rule,
        }
        if decision.contexts:
            details["contexts"] = list(decision.contexts)
        entries.append(
            Entry(
                time=scored.event.time,
                actor="policy",
                action=f"decision:{decision.action}",
                subject=scored.id,
                details=details,
            )
        )
    return entries


def act(store: Store, incident_id: str, by: str, why: str, now: int, *, close: bool) -> Incident:
    """Somebody acknowledges or closes an incident, kept with its record in the audit trail.

    Raises UsageError for an incident that is not open.
    """
    desk = Desk(store)
    incident = (desk.close if close else desk.acknowledge)(incident_id, by, now, why)
    entry = Entry(
        time=now,
        actor=by,
        action="incident:closed" if close else "incident:acknowledged",
        subject=incident_id,
        details={"why": why} if why else {},
    )
    with store.transaction() as connection:
        desk.write(connection, now)
        audit.append(connection, [entry])
    desk.kept()
    sign(store)
    return incident


def judged(store: Store, verdicts: Iterable[Verdict]) -> None:
    """Verdicts were given: what is all in order closes, what is confirmed is acknowledged."""
    desk = Desk(store)
    for verdict in verdicts:
        desk.judged(verdict.event_id, verdict.kind, verdict.by, verdict.when)
    if desk.book.dirty:
        with store.transaction() as connection:
            desk.write(connection)
        desk.kept()


def containment_failed(store: Store, event_id: str, now: int, why: str) -> None:
    """The same in a store that nobody judges on just now."""
    desk = Desk(store)
    desk.failed(event_id, now, why)
    if desk.book.dirty:
        with store.transaction() as connection:
            desk.write(connection, now)
        desk.kept()


def rebuild(store: Store, known: Known | None = None, rules: Rules | None = None) -> int:
    """Groups all findings of a store anew, telling nobody; returns how many there were.

    Acknowledgements and notes of before are kept where the incident has the same id.
    """
    kept = Incidents(store)
    former = {i.id: i for i in kept.listed(limit=1_000_000)}
    book = Book((), rules)
    members = []
    for line in finding_lines(store):
        finding = finding_of(read_line(line), known or Known())
        book.take(finding)
        members.append(finding)
    for incident in book.dirty.values():
        before = former.get(incident.id)
        if before is not None:
            incident.notes = before.notes
            incident.acknowledged_by = before.acknowledged_by
            incident.acknowledged_at = before.acknowledged_at
            if before.status == "acknowledged" and incident.status == "open":
                incident.status = "acknowledged"
    with store.transaction() as connection:
        write(connection, book.dirty.values(), _members(book, members))
    return len(members)


def _members(book: Book, findings: Iterable[Finding]) -> list[tuple[str, str, int, str]]:
    """Event id, incident id, time and identity of findings."""
    made = []
    for each in findings:
        of = book.by_finding.get(each.id) or book.by_identity.get(each.identity)
        if of is not None:
            made.append((each.id, of, each.time, each.identity))
    return made


def _said(incident: Incident) -> tuple[object, ...]:
    return incident.status, incident.acknowledged_at, incident.containment_failed


def _not_open(incident_id: str) -> UsageError:
    return UsageError(
        f"{incident_id}: no open incident; quivive incidents list names those that are open"
    )
