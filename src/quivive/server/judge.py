"""Who judges: asks come in, answers go out once they are kept, one group at a time.

Logins asked about in their own path go first; events sent in bulk are judged in slices between
them. Whatever was judged together is kept in one transaction (a group commit).

A thread does what takes long: bulk events, verdicts, the state's checkpoint, waiting for a store
that is gone. While it has nothing to do, logins are judged where they came in, in the event loop:
one thread at work needs no hand-over of the interpreter, which costs most when processors are busy.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter, thread_time
from typing import Any, TypeVar

import structlog

from quivive.model.errors import ConfigurationError
from quivive.model.event import AuthEvent
from quivive.model.record import Reject
from quivive.server.asks import Ask, Asks
from quivive.server.faults import FaultError, where
from quivive.server.figures import Figures
from quivive.server.judging import Judging
from quivive.store.access import keep_answer
from quivive.store.database import StoreError, StoreUnavailable

MOST_URGENT = 64  # asks a group
SLICE_SECONDS = 0.02  # of bulk events while somebody waits
BULK_SECONDS = 0.25  # while nobody does
RETRY_SECONDS = 1.0
CHECKPOINT_LOGINS = 20_000  # what is judged again after a crash, about

T = TypeVar("T")
log = structlog.get_logger("quivive.server")


class Judge:
    """The two queues, the thread, and the state of health."""

    def __init__(
        self,
        make: Callable[[], Judging],
        figures: Figures,
        most_events: int,
        checkpoint: int = CHECKPOINT_LOGINS,
    ) -> None:
        """``make`` is called in the thread; most_events: bulk events that may wait."""
        self.checkpoint = checkpoint
        self._since = self._judged = 0
        self._work = threading.Lock()  # held by whoever judges
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking = self._handed = False
        self._make = make
        self.figures = figures
        self.asks = Asks(most_events)
        self.judging: Judging
        self.problem: str | None = "the state is being loaded"
        self.told: Callable[[], None] = lambda: None  # something is to be sent
        self._changed = threading.Condition()
        self._acts: deque[Callable[[], None]] = deque()
        self._stopping = False
        self._down = False
        self._thread = threading.Thread(target=self._main, name="judge", daemon=True)
        self._loaded = threading.Event()
        self._error: BaseException | None = None

    def start(self) -> None:
        """Starts the thread and waits for the state. Raises what loading it raised."""
        self._thread.start()
        self._loaded.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Judges what waits, keeps everything, ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def here(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on logins are judged in ``loop`` while the thread has nothing to do. For a store
        on this machine: one across a network would keep the loop waiting.
        """
        self._loop = loop

    @property
    def waiting(self) -> tuple[int, int]:
        """Logins asked about, and bulk events, that wait."""
        return len(self.asks.urgent), self.asks.bulk_events

    @property
    def unsettled(self) -> float:
        """For how many seconds answered logins are not where they are read, and could be."""
        return self.judging.live.unsettled if self.problem is None else 0.0

    def ask(self, ask: Ask, *, urgent: bool) -> bool:
        """Puts an ask in its queue. False when the queue is full or the server stops.

        After ``here``: only to be called in that loop.
        """
        if urgent and self._loop is not None and not self._stopping:
            if not self.asks.put(ask, urgent=True):
                return False
            if not self._looking:
                self._looking = True
                self._loop.call_soon(self._look)  # after all requests that are here already
            return True
        with self._changed:
            if self._stopping or not self.asks.put(ask, urgent=urgent):
                return False
            self._changed.notify()
        return True

    def act(self, what: Callable[[Judging], T], done: Callable[["T | Exception"], None]) -> bool:
        """Does something between two groups; ``done`` gets what came of it. False when stopping."""

        def run() -> None:
            result: Any
            try:
                result = what(self.judging)
                self._keep()
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                result = error
                if isinstance(error, StoreUnavailable):
                    self._unavailable(error)
            done(result)

        with self._changed:
            if self._stopping:
                return False
            self._acts.append(run)
            self._changed.notify()
        return True

    # --- in the event loop

    def _look(self) -> None:
        """Judges what waits, here if nobody else is at it."""
        self._looking = False
        if not (self._down or self._acts or self.asks.bulk) and self._work.acquire(blocking=False):
            try:
                while self.asks.urgent and not self._down:
                    self._group()
                self._due()
            finally:
                self._work.release()
            if not self.asks.urgent:
                return
        with self._changed:
            self._handed = True
            self._changed.notify()

    def _due(self) -> None:
        """Has the thread make a checkpoint when one is due."""
        if self._since >= self.checkpoint:
            self._since = 0
            self.act(lambda judging: judging.checkpoint(), lambda _: None)

    # --- in the thread

    def _main(self) -> None:
        try:
            self.judging = self._make()
        except BaseException as error:  # noqa: BLE001 - raised again where the thread was started
            self._error = error
            return
        finally:
            self._loaded.set()
        self.problem = None
        while self._wait():
            with self._work:
                if self._down and not self._recovered():
                    self._refuse()
                    continue
                while self._acts:
                    self._acts.popleft()()
                if not self._down:
                    self._group()
                self._due()
        with self._work:
            self._end()

    def _wait(self) -> bool:
        """Waits for something to do; False when all is done and the server stops."""
        with self._changed:
            handed = self._handed or self._loop is None
            asks = self.asks
            if not ((asks.urgent and handed) or asks.bulk or self._acts or self._stopping):
                self._changed.wait(RETRY_SECONDS if self._down else None)
            self._handed = False
            return not self._stopping or bool(
                (asks.urgent or asks.bulk or self._acts) and not self._down
            )

    def _group(self) -> None:
        asks: list[Ask] = []
        begun, before, spent = perf_counter(), self._judged, thread_time()
        while self.asks.urgent and len(asks) < MOST_URGENT:
            ask = self.asks.urgent.popleft()
            self.figures.waited(begun - ask.at)
            asks.append(ask)
        self._since += len(asks)
        try:
            for ask in asks:
                for event in ask.events:
                    self._judge(ask, event)
            if self.asks.bulk:
                self._slice(perf_counter(), asks)
            for ask in asks:
                self._finish(ask)
            judged = perf_counter()
            self._keep()
        except ConfigurationError as error:  # StoreUnavailable among them
            self._unavailable(error)
            self._deliver(asks, error)
            return
        self.figures.group(
            judged - begun,
            perf_counter() - judged,
            self._judged - before,
            thread_time() - spent,
        )
        self._deliver(asks)

    def _judge(self, ask: Ask, event: AuthEvent) -> None:
        self._judged += 1
        try:
            ask.answers.append(self.judging.judge(ask.name, event, ask.origin))
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - one login must not end the server
            number, kind = event.metadata.sequence or 0, type(error).__name__
            log.error("fault", log=ask.name, record=number, error=kind, where=where(error))
            self.judging.recover()
            ask.failed = FaultError(f"record {number}: a fault of Quivive ({kind})")
            ask.faults += 1
            why = f"could not be judged: a fault of Quivive ({kind}); please report it"
            self.judging.reject([Reject(log=ask.name, sequence=number, line=number, reason=why)])

    def _slice(self, begun: float, done: list[Ask]) -> None:
        """Judges bulk events for a while; the asks that are through are added to ``done``."""
        count = 0
        while self.asks.bulk:
            ask = self.asks.bulk[0]
            for event in ask.events[len(ask.answers) + ask.faults :]:
                self._judge(ask, event)
                count += 1
                self._since += 1
                spent = perf_counter() - begun
                if spent > BULK_SECONDS or (spent > SLICE_SECONDS and self.asks.urgent):
                    break
            else:
                done.append(self.asks.bulk.popleft())
                continue
            break
        with self._changed:
            self.asks.bulk_events = max(0, self.asks.bulk_events - count)

    def _finish(self, ask: Ask) -> None:
        """What is kept of a request beside its logins."""
        if ask.rejects:
            self.judging.reject(ask.rejects)
        if ask.answer is not None:
            kept = ask.answer(ask.answers)
            self.judging.note(lambda connection: keep_answer(connection, kept))
        if ask.also is not None:
            self.judging.note(ask.also)

    def _keep(self) -> None:
        if self.judging.keep():
            self.told()

    def _deliver(self, asks: Sequence[Ask], error: Exception | None = None) -> None:
        for ask in asks:
            urgent_fault = ask.failed if len(ask.events) == 1 else None
            ask.done(error or urgent_fault or ask.answers)

    def _unavailable(self, error: Exception) -> None:
        if not self._down:
            log.error("store unavailable", error=str(error))
        self._down = True
        self.problem = str(error)
        self.figures.store_failed()

    def _recovered(self) -> bool:
        try:
            self._keep()
        except StoreError as error:
            self._unavailable(error)
            return False
        log.info("store available again")
        self._down, self.problem = False, None
        return True

    def _refuse(self) -> None:
        """Nothing can be kept: whoever waits is told, and comes again."""
        error = StoreUnavailable(self.problem or "the store is unavailable")
        with self._changed:
            asks = self.asks.clear()
            acts = list(self._acts)
            self._acts.clear()
        self._deliver(asks, error)
        for act in acts:
            act()

    def _end(self) -> None:
        try:
            self.judging.checkpoint()
        except ConfigurationError as error:
            log.error("not kept at the end", error=str(error))
        self._refuse()
