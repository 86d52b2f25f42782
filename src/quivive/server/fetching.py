"""Fetching by itself: every connection's log in turn, judged as ``POST /v1/events`` would.

A page is asked for only when what was fetched before is judged and kept, so nothing piles up. Its
cursor is written in the transaction that keeps the last of it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
from msgspec.structs import replace

from quivive.app import fetching
from quivive.app.fetches import Connection, load_fetches
from quivive.app.ingest import choose
from quivive.fetch.fetcher import Cursor
from quivive.fetch.pulling import Pulled
from quivive.model.errors import ConfigurationError
from quivive.model.record import Reject
from quivive.respond.client import Client, Clock
from quivive.respond.errors import UnavailableError
from quivive.server.context import Context
from quivive.server.events import count
from quivive.server.faults import FaultError, where
from quivive.server.fetched import Fetched
from quivive.server.reading import Read, read
from quivive.server.waiting import FullError, answers
from quivive.store import cursors

LONGEST_PAUSE = 900.0  # seconds between two attempts at a vendor that fails
ROOM_SECONDS = 1.0  # after which it is looked again whether events may be put in
MOST_POSITION = 1 << 31  # of a dead letter

log = structlog.get_logger("quivive.fetch")


class StoppingError(UnavailableError):
    """The server stops: no vendor is waited for."""


class Fetching:
    """The connections of one server, each with a task of its own in the event loop."""

    def __init__(
        self,
        context: Context,
        config: Path | None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """For the section ``fetch`` of a settings file. Raises UsageError for a bad one."""
        self.context = context
        self.connections = load_fetches(config) if config is not None else ()
        self._sleep = sleep
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = threading.Event()
        self._begun = False
        self._forget()

    def _forget(self) -> None:
        known = self.context.fetched
        self.context.fetched = {c.name: known.get(c.name, Fetched()) for c in self.connections}

    # --- in the event loop

    def start(self) -> None:
        """Begins to fetch."""
        self._begun = True
        self._tasks = [asyncio.create_task(self._run(each)) for each in self.connections]

    def adopt(self, connections: Sequence[Connection]) -> None:
        """Goes on with other connections; a page that is on its way may come again."""
        begun = self._begun
        self._cancel()
        self.connections = tuple(connections)
        self._forget()
        if begun:
            self._stopping = threading.Event()
            self.start()

    async def stop(self) -> None:
        """Ends: pages that are not kept come again with the next server."""
        tasks = self._tasks
        self._cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cancel(self) -> None:
        self._stopping.set()
        self._begun = False
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _run(self, connection: Connection) -> None:
        client = fetching.connected(connection, self._clock())
        try:
            while True:
                await self._sleep(await self.round(connection, client))
        finally:
            client.close()

    def _clock(self) -> Clock:
        stopping = self._stopping

        def sleep(seconds: float) -> None:
            if stopping.wait(seconds):
                raise StoppingError("the server stops")

        return Clock(now=self.context.clock, sleep=sleep)

    async def round(self, connection: Connection, client: Client) -> float:
        """Fetches what there is of one connection; returns the seconds until the next round."""
        state, name = self.context.fetched[connection.name], connection.name
        failed: dict[str, Exception] = {}  # one log that cannot be had does not hold up the others
        for stream in connection.fetcher.streams(connection.settings):
            try:
                await self._stream(connection, stream, client, state)
            except ConfigurationError as error:
                failed[str(error)] = error
            except Exception as error:  # noqa: BLE001 - the next round may be better
                kind = type(error).__name__
                log.error("fault", connection=name, error=kind, where=where(error))
                failed[f"{stream}: a fault of Quivive ({kind}); please report it"] = error
        if failed:
            self._failed(state, name, "; ".join(failed))
            return self._pause(connection, state, list(failed.values()))
        if state.in_a_row:
            log.info("fetched again", connection=name, after_failures=state.in_a_row)
        state.success, state.problem, state.in_a_row = self.context.clock(), None, 0
        return connection.every

    def _failed(self, state: Fetched, name: str, why: str) -> None:
        state.failures += 1
        state.in_a_row += 1
        state.problem = why
        log.warning("not fetched", connection=name, error=why, in_a_row=state.in_a_row)

    @staticmethod
    def _pause(connection: Connection, state: Fetched, errors: Sequence[Exception]) -> float:
        """Doubled with each failure; never shorter than the vendor asks for."""
        asked = max(getattr(error.__cause__, "retry_after", None) or 0.0 for error in errors)
        doubled = connection.every * 2 ** min(state.in_a_row - 1, 10)
        return float(max(asked, connection.every, min(doubled, LONGEST_PAUSE)))

    async def _stream(
        self, connection: Connection, stream: str, client: Client, state: Fetched
    ) -> None:
        context, now = self.context, self.context.clock()
        cursor = await context.aside(
            lambda: fetching.cursor_of(context.store, "serve", connection, stream, now),
            settled=float("inf"),
        )
        more = True
        while more:
            state.cursors[stream] = cursor
            await self._room()
            page = await asyncio.to_thread(fetching.one_page, connection, stream, cursor, client)
            for text in fetching.told(connection, stream, cursor, page):
                log.warning("fetch", connection=connection.name, what=text)
            await self._judge(connection, stream, cursor, page)
            cursor, more = page.cursor, page.more
            state.records += len(page.records)
        state.cursors[stream] = cursor

    async def _room(self) -> None:
        """Waits while the store is out of order, or too many events wait."""
        judge = self.context.judge
        while judge.problem is not None or judge.waiting[1] >= judge.asks.most_events:
            await self._sleep(ROOM_SECONDS)

    async def _judge(
        self, connection: Connection, stream: str, before: Cursor, page: Pulled
    ) -> None:
        """Has a page judged, and returns once that and the new cursor are kept."""
        context, name = self.context, f"fetch:{connection.name}"
        found = Read()
        if page.records:
            found = await context.parsing(lambda: self._read(connection.fetcher.source, name, page))
        rejects = [_placed(reject, before.records, stream) for reject in found.rejects]
        key = fetching.cursor_name("serve", connection, stream)
        kept = fetching.encoded(page.cursor)
        while True:
            try:
                given = await answers(
                    context.judge,
                    name,
                    found.events,
                    urgent=False,
                    rejects=rejects,
                    also=lambda connection: cursors.write(connection, key, kept),
                )
            except FullError:
                await self._sleep(ROOM_SECONDS)
                continue
            except FaultError:  # of its only event, which is a dead letter now
                given = ()
            break
        count(context, found, given, by="fetch")

    def _read(self, source: str, name: str, page: Pulled) -> Read:
        """The events of a page, in order of event time."""
        context, body = self.context, b"\n".join(page.records)
        with context.memories.lent(source) as memory:
            found = read(body, choose(source), name, context.clock(), memory=memory)
        found.events.sort(key=lambda event: event.time)
        return found


def _placed(reject: Reject, before: int, stream: str) -> Reject:
    """A reject with its number among all records that were fetched of the stream."""
    number = (before + reject.sequence) % MOST_POSITION
    return replace(reject, log=f"{reject.log}/{stream}", sequence=number, line=number)
