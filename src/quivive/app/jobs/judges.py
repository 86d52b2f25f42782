"""The process that reads the logs, shares the logins out, and puts what comes back in order.

It finds out what follows from the logs alone (engine/arrive.py), sends each login to the process of
its identity, and hands every process the deltas of the others. A login waits only for deltas of
five minutes before (engine/shared.py), so the processes need not go in step. What depends on the
order of all logins, budgets of findings and of rules, is decided here.
"""

import selectors
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Raw

from quivive.app.errors import UsageError
from quivive.app.jobs.hall import Hall
from quivive.app.jobs.wire import (
    NOTHING,
    Back,
    Broken,
    Channel,
    Done,
    Fact,
    Forward,
    FromWorker,
    Saved,
    Sent,
    Sweep,
    Take,
    Taken,
)
from quivive.app.keeping import Saver
from quivive.app.kept import sourced, stratum_of
from quivive.app.naming import Names
from quivive.app.notices import Known
from quivive.app.output import encode, told_later
from quivive.app.results import Result, Step
from quivive.baseline.profile import Organisation
from quivive.engine.arrive import Arrival, arrive, failed_at
from quivive.engine.observe import observed
from quivive.engine.shared import Delta, Pending, Repeat
from quivive.engine.state import State
from quivive.engine.watch import record
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent, Status
from quivive.policy.actions import ALLOW
from quivive.policy.budget import Budgets, judge
from quivive.policy.decider import Decider
from quivive.scoring.calibrate import Calibration
from quivive.store.batch import Batch, EntryRow, Row
from quivive.store.errors import StoreUnavailable

AT_ONCE = 64  # events sent to a process in one message
LISTEN_EVERY = 8  # events read before it is looked whether somebody waits for something
AHEAD = 4_096  # events that are sent out before the first of them is back

_decoder = msgspec.msgpack.Decoder(FromWorker)
_parts: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "organisation": msgspec.msgpack.Decoder(Organisation),
    "calibrations": msgspec.msgpack.Decoder(dict[str, Calibration]),
    "deltas": msgspec.msgpack.Decoder(list[Delta | Repeat]),
}


class Waiting(NamedTuple):
    """An event whose turn to be given has not come; number 0: it needs no judgement."""

    log: str
    event: AuthEvent
    number: int
    identity: str
    name: str


class Judges:
    """Judges with the processes of a hall; gives the same as one alone, byte for byte."""

    def __init__(
        self,
        hall: Hall,
        state: State,
        enricher: Enricher,
        decider: Decider,
        budgets: Budgets,
        names: Names | None = None,
    ) -> None:
        """``state`` is what this process needs of it: names, places, ids and budgets; ``names``
        are those of its store.
        """
        self._names = names or Names()
        self.state = state
        self.enricher = enricher
        self.decider = decider
        self.budgets = budgets
        self._selector = selectors.DefaultSelector()
        for end in hall.ends:
            end.sendall(b"!")
        self._channels = [Channel(end, self._selector) for end in hall.ends]
        count = len(self._channels)
        self._items: list[list[Sent | Fact | Sweep]] = [[] for _ in range(count)]
        self._deltas: list[list[Raw]] = [[] for _ in range(count)]
        self._order: deque[Waiting] = deque()
        self._owners: deque[int] = deque()  # of the numbers after ``_complete``
        self._back: dict[int, Back] = {}
        self._taken: list[Taken] = []
        self._complete = state.pending.pace.number
        self._said = [self._complete] * count  # the same, as each process knows it
        self._saver = Saver(state)
        self._run = self._lines = 0
        self._reach, self._shared = 1, False
        self.known = Known(reach=lambda _: self._reach, shared=lambda _: self._shared)

    def judge(
        self, events: Iterable[tuple[str, AuthEvent]], run: int = 0, lines: int = 0
    ) -> Iterator[Step]:
        """Judges events, in order; nothing for duplicates and log-offs."""
        order = self._order
        self._run, self._lines = run, lines
        for count, (log, event) in enumerate(events, 1):
            arrival = arrive(event, self.enricher.enrich(event), self.state)
            if arrival is None:
                order.append(Waiting(log, event, 0, "", ""))
            else:
                name = self._names.name(log, event)
                order.append(Waiting(log, event, arrival.number, arrival.identity, name))
                self._send(name, arrival)
            if count % LISTEN_EVERY == 0:
                self._pump(wait=False)
                while len(order) > AHEAD:
                    yield from self._ready()
                    self._exchange()
        while order:
            yield from self._ready()
            self._exchange()

    def take(self, others: Mapping[str, bytes]) -> Batch:
        """What has to be written to keep the state as it is after the events so far."""
        state, pace = self.state, self.state.pending.pace
        due = pace.number - len(pace.waiting)
        for n, channel in enumerate(self._channels):
            self._forward(n)
            channel.send(Take(due))
        while len(self._taken) < len(self._channels):
            self._pump()
        taken, self._taken = self._taken, []
        parts = next(t.parts for t in taken if t.parts)
        state.organisation = _parts["organisation"].decode(parts["organisation"])
        state.calibrations = _parts["calibrations"].decode(parts["calibrations"])
        state.pending = Pending(pace)
        state.pending.merge(_parts["deltas"].decode(parts["deltas"]))
        batch = self._saver.take(others)
        changed: dict[str, tuple[list[EntryRow], list[str]]] = {}
        for table in (table for t in taken for table in t.tables):
            rows, dropped = changed.setdefault(table.name, ([], []))
            rows += [EntryRow(*row) for row in table.rows]
            dropped += table.dropped
        batch.changed = {**batch.changed, **changed}
        state.pending = Pending(pace)
        return batch

    def saved(self) -> None:
        """What was taken is committed."""
        self._saver.saved()
        for channel in self._channels:
            channel.send(Saved())

    def _send(self, name: str, arrival: Arrival) -> None:
        """Shares an event out: to the process of its identity, and what of it all have to know."""
        event, identity, lent = arrival.event, arrival.identity, arrival.lent
        owner = self._owner(identity)
        self._owners.append(owner)
        told: list[Fact | Sweep] = []
        if arrival.swept:
            self.state.sweep(event.time)
            told.append(Sweep(arrival.due, event.time))
        if event.status_id != Status.SUCCESS:
            failed = failed_at(observed(event, arrival.enriched, identity, lent, "human"))
            if failed is not None:
                told.append(Fact(*failed))
        for n, items in enumerate(self._items):
            if n == owner:
                items.append(
                    Sent(
                        arrival.number,
                        arrival.due,
                        name,
                        event,
                        identity,
                        lent,
                        arrival.former,
                        arrival.swept,
                    )
                )
            else:
                items += told
            if len(items) >= AT_ONCE:
                self._forward(n)

    def _owner(self, identity: str) -> int:
        """Which process knows an identity: that of its bare name too, for they may be one."""
        name = identity.partition("@")[0]
        return crc32(name.encode("utf-8", "surrogatepass")) % len(self._channels)

    def _forward(self, n: int) -> None:
        items, deltas = self._items[n], self._deltas[n]
        if not items and self._said[n] == self._complete:
            return
        passed_on: Any = deltas
        self._channels[n].send(Forward(items, self._complete, passed_on))
        self._items[n], self._deltas[n], self._said[n] = [], [], self._complete

    def _exchange(self) -> None:
        """Sends what there is, and hears what comes back."""
        for n in range(len(self._channels)):
            self._forward(n)
        if self._order:
            self._pump()

    def _pump(self, *, wait: bool = True) -> None:
        """Reads and writes what can be; waits until there is something."""
        for key, events in self._selector.select(None if wait else 0):
            channel: Channel = key.data
            if events & selectors.EVENT_WRITE:
                channel.write()
            if events & selectors.EVENT_READ:
                frames = channel.read()
                if frames is None:
                    raise UsageError(
                        "a process of --jobs has ended, perhaps for want of memory; try fewer"
                        " --jobs (with --state it goes on after what was kept)"
                    )
                for frame in frames:
                    self._hear(frame)
        self._advance()

    def _hear(self, frame: bytes) -> None:
        message = _decoder.decode(frame)
        if isinstance(message, Done):
            for back in message.logins:
                self._back[back.number] = back
        elif isinstance(message, Taken):
            self._taken.append(message)
        else:
            _raise(message)

    def _advance(self) -> None:
        """Passes on what the processes have to know of each other, as far as all is judged."""
        before, back = self._complete, self._back
        while self._complete + 1 in back:
            self._complete += 1
            owner, delta = self._owners.popleft(), back[self._complete].delta
            if delta != NOTHING:
                for n, deltas in enumerate(self._deltas):
                    if n != owner:
                        deltas.append(delta)
        if self._complete > before:
            for n in range(len(self._channels)):
                self._forward(n)

    def _ready(self) -> Iterator[Step]:
        """What is judged, in order, as far as it goes."""
        order = self._order
        while order and order[0].number <= self._complete:
            first = order.popleft()
            result = self._result(first, self._back.pop(first.number)) if first.number else None
            yield first.log, first.event, result

    def _result(self, waiting: Waiting, back: Back) -> Result:
        """A login that is judged, with what depends on the order of all logins."""
        _, event, _, identity, name = waiting
        thresholds, decided = self.state.thresholds, back.weighty
        telling = judge(back.risk, identity, back.kind, event.time, thresholds, self.budgets)
        if decided is None:
            line, acts = told_later(back.line, telling), False
        else:
            decision = self.decider.decide(decided.event, decided.login, decided.assessment)
            line = encode(decided.event, decided.login, decided.assessment, decision, telling, name)
            acts = decision.action != ALLOW
        if back.noticed is not None:
            record(back.noticed.watched, back.noticed.login, self.state)
        self._reach, self._shared = back.reach, back.shared
        self._lines += 1
        row = Row(
            name,
            event.time,
            identity,
            back.risk,
            line,
            back.lesson,
            back.held,
            stratum_of(back.kind, event),
            telling.finding,
            self._run,
            self._lines,
            *sourced(name, event),
        )
        return Result(row, back.repeated, acts)


def _raise(broken: Broken) -> None:
    if broken.unavailable:
        raise StoreUnavailable(broken.text)
    raise RuntimeError(f"a process of --jobs: {broken.text}")
