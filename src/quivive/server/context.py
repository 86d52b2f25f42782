"""What every endpoint may use."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct

from quivive.app import ingest
from quivive.app.access import Door
from quivive.app.errors import UsageError
from quivive.app.measures import Measures
from quivive.app.sigma import Marking
from quivive.app.ssf import Transmitter
from quivive.app.telemetry import Telemetry
from quivive.server.consumed import Consumed
from quivive.server.fetched import Fetched
from quivive.server.figures import Figures
from quivive.server.http import Problem
from quivive.server.judge import Judge
from quivive.server.remembered import Edges
from quivive.server.repeating import Memories
from quivive.server.settings import ServerSettings
from quivive.server.waiting import act
from quivive.server.workers import Sender
from quivive.sources.source import Source
from quivive.store.access import Access
from quivive.store.database import Store, StoreError

T = TypeVar("T")
PARSING = 2  # bodies parsed at a time


class Arrivals:
    """Tells requests that wait, in the event loop, that something came, from any thread."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def expect(self) -> "asyncio.Future[None]":
        """Done when something came after this. In the event loop."""
        loop = asyncio.get_running_loop()
        made = loop.create_future()
        with self._lock:
            self._waiting = {f: at for f, at in self._waiting.items() if not f.done()}
            self._waiting[made] = loop
        return made

    def come(self) -> None:
        """Something came."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for future, loop in waiting.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class Context:
    """One server. ``store`` is for reading beside the judge, who has its own."""

    def __init__(
        self,
        judge: Judge,
        store: Store,
        settings: ServerSettings,
        figures: Figures,
        clock: Callable[[], int],
        sender: Sender | None = None,
    ) -> None:
        """Everything is made already; nothing is started here."""
        self.judge = judge
        self.store = store
        self.settings = settings
        self.figures = figures
        self.clock = clock
        self.sender = sender
        self.access = Access(store)
        self.door = Door(self.access.all())
        self.edges = Edges()
        self.memories = Memories(PARSING)
        self.measures = Measures()
        self.rules: Marking | None = None  # Sigma rules that mark what is read
        self.telemetry: Telemetry | None = None
        self.openapi = b""
        self.fetched: dict[str, Fetched] = {}  # by connection
        self.consumed: dict[str, Consumed] = {}  # the same
        self.ssf: Transmitter | None = None
        self.reload: Callable[[str], Awaitable[Struct]] | None = None  # for whom; see reload.py
        self.refused: str | None = None  # why changed files were, the last time
        self.arrivals = Arrivals()
        self.stopping: Callable[[], bool] = lambda: False
        self._parsing: asyncio.Semaphore | None = None

    def rule_by(self, rules: Marking | None) -> None:
        """Marks what is read by these rules from now on."""
        self.rules = rules
        self.memories.forget()  # events that are remembered carry what the former rules said

    async def aside(self, what: Callable[[], T], *, settled: float = 0.0) -> T:
        """Something that blocks, in another thread; once everything that was judged more than
        ``settled`` seconds ago is where it is read, unless the store is out of order.
        """
        if self.judge.unsettled > settled:
            with suppress(StoreError, Problem):
                await act(self.judge, lambda judging: judging.settle())
        return await asyncio.to_thread(what)

    async def parsing(self, what: Callable[[], T]) -> T:
        """Something that needs much of the processor, in another thread, a few at a time."""
        if self._parsing is None:
            self._parsing = asyncio.Semaphore(PARSING)
        async with self._parsing:
            return await asyncio.to_thread(what)


def source_of(name: str) -> Source | None:
    """The source of ``?source=``. Raises Problem for an unknown one."""
    try:
        return ingest.choose(name)
    except UsageError as error:
        raise Problem(400, "unknown source", str(error).replace("--source", "source")) from None
