"""What logs that come by themselves have in common: a task a connection, and the way to the judge.

Nothing is asked for while too much waits, and how far a connection is stands in the transaction
that keeps the last of what it brought.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog

from quivive.model.errors import ConfigurationError
from quivive.server.context import Context
from quivive.server.events import count
from quivive.server.faults import FaultError, where
from quivive.server.reading import Read
from quivive.server.standing import Standing
from quivive.server.waiting import FullError, answers
from quivive.store.batch import Writes

ROOM_SECONDS = 1.0  # after which it is looked again whether events may be put in
MOST_POSITION = 1 << 31  # of a dead letter

Sleep = Callable[[float], Awaitable[None]]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


C = TypeVar("C", bound=_Named)


class Inflow(Generic[C]):
    """The connections of one kind of one server, each with a task of its own in the event loop."""

    kind: ClassVar[str]  # as the section of the settings is called
    verb: ClassVar[str]  # what is done, in the log: "fetched"

    def __init__(self, context: Context, connections: Sequence[C], sleep: Sleep) -> None:
        """Nothing is started yet."""
        self.context = context
        self.connections = tuple(connections)
        self.log = structlog.get_logger(f"quivive.{self.kind}")
        self._sleep = sleep
        self._tasks: list[asyncio.Task[None]] = []
        self._begun = False
        self._forget()

    def _forget(self) -> None:
        """Keeps how those stand that are still connected."""
        raise NotImplementedError

    async def attempt(self, connection: C) -> float:
        """Takes what there is, or all that comes; returns the seconds until the next attempt."""
        raise NotImplementedError

    async def _run(self, connection: C) -> None:
        while True:
            await self._sleep(await self.attempt(connection))

    # --- in the event loop

    def start(self) -> None:
        """Begins."""
        self._begun = True
        self._tasks = [asyncio.create_task(self._run(each)) for each in self.connections]

    def adopt(self, connections: Sequence[C]) -> None:
        """Goes on with other connections; what is on its way may come again."""
        begun = self._begun
        self._cancel()
        self.connections = tuple(connections)
        self._forget()
        if begun:
            self.start()

    async def stop(self) -> None:
        """Ends: what is not kept comes again with the next server."""
        tasks = self._tasks
        self._cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cancel(self) -> None:
        self._begun = False
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def words(self, name: str, error: Exception, before: str = "") -> str:
        """What went wrong, in words; a fault of ours is logged with its place. before: put there
        when it is one.
        """
        if isinstance(error, ConfigurationError):
            return str(error)
        kind = type(error).__name__
        self.log.error("fault", connection=name, error=kind, where=where(error))
        return f"{before}a fault of Quivive ({kind}); please report it"

    def failed(self, state: Standing, name: str, why: str) -> None:
        """An attempt came to nothing: it is said, and the next one may be better."""
        state.failed(why)
        self.log.warning(f"not {self.verb}", connection=name, error=why, in_a_row=state.in_a_row)

    def succeeded(self, state: Standing, name: str) -> None:
        """All is well."""
        failures = state.succeeded(self.context.clock())
        if failures:
            self.log.info(f"{self.verb} again", connection=name, after_failures=failures)

    # --- the way to the judge

    @property
    def full(self) -> bool:
        """Whether the store is out of order, or too many events wait."""
        judge = self.context.judge
        return judge.problem is not None or judge.waiting[1] >= judge.asks.most_events

    async def room(self) -> None:
        """Waits until there is room."""
        while self.full:
            await self._sleep(ROOM_SECONDS)

    async def judged(self, name: str, found: Read, also: Writes) -> None:
        """Has events judged, in their order, and returns once that, rejects and ``also`` are kept.

        Raises StoreUnavailable when nothing can be.
        """
        while True:
            try:
                given = await answers(
                    self.context.judge,
                    name,
                    found.events,
                    urgent=False,
                    rejects=found.rejects,
                    also=also,
                )
            except FullError:
                await self._sleep(ROOM_SECONDS)
                continue
            except FaultError:  # of its only event, which is a dead letter now
                given = ()
            break
        count(self.context, found, given, by=self.kind)
