"""One process of several: it judges the logins of its identities, and tells the others of them."""

import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from quivive.app.incidents import known_of
from quivive.app.jobs.wire import (
    BUFFER,
    NOTHING,
    Back,
    Broken,
    Done,
    Fact,
    Forward,
    Frames,
    Noticed,
    Sent,
    Sweep,
    Table,
    Take,
    Taken,
    ToWorker,
    Weighty,
    framed,
)
from quivive.app.kept import lesson_of
from quivive.app.memory import seldom, settled
from quivive.app.output import NOT_TOLD, encode
from quivive.app.scoring import LOOK_EVERY, spill_of
from quivive.app.spill import Spill
from quivive.engine.arrive import Arrival, Failed, fail
from quivive.engine.engine import Engine
from quivive.engine.judged import Judged
from quivive.engine.publish import publish
from quivive.policy.decider import Decider
from quivive.store.errors import StoreUnavailable

AT_ONCE = 8  # logins told of in one message, at most: others may wait for them
SHARED = ("organisation", "calibrations")  # parts of the state that every process has alike

_decoder = msgspec.msgpack.Decoder(ToWorker)
_encoder = msgspec.msgpack.Encoder()


class Bench(NamedTuple):
    """What a process judges with. keeps: a store will want to know what was learned."""

    engine: Engine
    decider: Decider
    keeps: bool


def run(end: socket.socket, first: bool, make: Callable[[], Bench]) -> None:
    """The life of the process; ``first`` speaks for what all have alike. Never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked for it tells this process
    try:
        Worker(end, first, make()).work()
    except StoreUnavailable as error:
        _tell(end, Broken(True, str(error)))
    except (BrokenPipeError, ConnectionResetError):
        pass  # nobody waits for an answer any more
    except Exception as error:  # noqa: BLE001 - the other process raises it
        _tell(end, Broken(False, f"{type(error).__name__}: {error}"))
    # Not the ordinary way out: what was opened before the fork belongs to the other process.
    os._exit(0)


def _tell(end: socket.socket, message: Broken) -> None:
    with suppress(OSError):  # perhaps nobody listens any more
        end.sendall(framed(message))


class Worker:
    """Takes logins and facts in the order of the logs, and waits where others have to be heard."""

    def __init__(self, end: socket.socket, first: bool, bench: Bench) -> None:
        """``end`` is the process's end of the socket."""
        self.end = end
        self.first = first
        self.engine, self.decider, self.keeps = bench
        self.state = bench.engine.state
        self.known = known_of(self.state)
        self._frames = Frames()
        self._inbox: deque[bytes] = deque()
        self._items: deque[Sent | Fact | Sweep] = deque()
        self._complete = self.state.pending.pace.number
        self._done: list[Back] = []
        self._spill: Spill | None = None
        self._judged = 0

    def work(self) -> None:
        """Until the other side ends it."""
        seldom()
        while True:
            while self._items:
                item = self._items[0]
                if not isinstance(item, Fact) and item.due > self._complete:
                    self._say()
                    self._hear()
                    continue
                if isinstance(item, Sent):
                    self._judge(self._ready())
                else:
                    self._items.popleft()
                    self._take(item)
            self._say()
            self._hear()

    def _hear(self) -> None:
        """The next message. Ends the process when there are no more."""
        while not self._inbox:
            data = self.end.recv(BUFFER)
            if not data:
                os._exit(0)
            self._inbox.extend(self._frames.feed(data))
        message = _decoder.decode(self._inbox.popleft())
        if isinstance(message, Forward):
            self._items.extend(message.items)
            self.state.pending.merge(message.deltas)
            self._complete = max(self._complete, message.complete)
        elif isinstance(message, Take):
            publish(self.state, message.due)
            self._give()
        else:
            for table in self.state.tables:
                table.saved()
            settled()

    def _ready(self) -> list[Sent]:
        """The logins that come next, as far as all is there that they have to know."""
        found: list[Sent] = []
        items = self._items
        while items and isinstance(item := items[0], Sent) and item.due <= self._complete:
            found.append(item)
            items.popleft()
            if len(found) == AT_ONCE:
                break
        return found

    def _take(self, item: Fact | Sweep) -> None:
        if isinstance(item, Fact):
            fail(Failed(item.identity, item.ip, item.network, item.time, item.times), self.state)
        else:
            publish(self.state, item.due)
            self.state.sweep(item.time)

    def _judge(self, sent: Sequence[Sent]) -> None:
        enrich = self.engine.enricher.enrich
        arrivals = [
            Arrival(
                one.event,
                enrich(one.event),
                one.identity,
                one.lent,
                one.former,
                one.number,
                one.due,
                one.swept,
            )
            for one in sent
        ]
        named = iter(sent)
        for piece in self.engine.judge_all(arrivals):
            self._done += [
                self._back(one.number, judged, one.name)
                for judged, one in zip(piece, named, strict=False)
            ]
        if len(self._done) >= AT_ONCE:
            self._say()
        looked = self._judged // LOOK_EVERY
        self._judged += len(sent)
        if not self.keeps and self._judged // LOOK_EVERY > looked and self.state.is_over_bounds:
            self._spill = self._spill or spill_of(self.state)
            self._spill.relieve()

    def _back(self, number: int, judged: Judged, name: str) -> Back:
        event, login, assessment = judged.event, judged.login, judged.assessment
        line = encode(event, login, assessment, self.decider.allow, NOT_TOLD, name)
        weighty = None
        if not self.decider.allows(event, login, assessment):
            weighty = Weighty(event, login, assessment)
        lesson = held = noticed = None
        reach, shared = 1, False
        if self.keeps:
            lesson, held = lesson_of(judged.taught, login)
            noticed = Noticed(login, judged.watched)
            reach = self.known.reach(login.identity)
            shared = login.ip is not None and self.known.shared(login.ip)
        delta = judged.delta
        return Back(
            number,
            line,
            login.kind,
            assessment.risk_score,
            assessment.repeated > 0,
            lesson,
            held,
            reach,
            shared,
            weighty,
            noticed,
            NOTHING if delta is None else msgspec.Raw(_encoder.encode(delta)),
        )

    def _say(self) -> None:
        if self._done:
            self.end.sendall(framed(Done(self._done)))
            self._done = []

    def _give(self) -> None:
        """What has changed since the last time; of what all have alike only the first speaks."""
        state, tables = self.state, []
        for table in (state.profiles, state.addresses, state.networks):
            changes = table.take()
            if table is state.profiles or self.first:
                tables.append(Table(table.name, changes.rows, changes.dropped))
        parts: dict[str, bytes] = {}
        if self.first:
            parts = {name: _encoder.encode(getattr(state, name)) for name in SHARED}
            parts["deltas"] = _encoder.encode(state.pending.deltas)
        self.end.sendall(framed(Taken(tables, parts)))
