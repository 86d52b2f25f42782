"""Fetching by itself: every connection's log in turn, judged as ``POST /v1/events`` would.

A page is asked for only when what was fetched before is judged and kept, so nothing piles up. Its
cursor is written in the transaction that keeps the last of it.
"""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from quivive.app import fetching
from quivive.app.fetches import Connection, load_fetches
from quivive.app.ingest import choose
from quivive.fetch.fetcher import Cursor
from quivive.fetch.pulling import Pulled
from quivive.model.record import Reject
from quivive.respond.client import Client, Clock
from quivive.respond.errors import UnavailableError
from quivive.server.context import Context
from quivive.server.fetched import Fetched
from quivive.server.inflow import MOST_POSITION, Inflow, Sleep
from quivive.server.reading import Read, read
from quivive.store import cursors

LONGEST_PAUSE = 900.0  # seconds between two attempts at a vendor that fails


class StoppingError(UnavailableError):
    """The server stops: no vendor is waited for."""


class Fetching(Inflow[Connection]):
    """The connections of one server to vendors."""

    kind = "fetch"
    verb = "fetched"

    def __init__(
        self, context: Context, config: Path | None, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        """For the section ``fetch`` of a settings file. Raises UsageError for a bad one."""
        self._stopping = threading.Event()
        super().__init__(context, load_fetches(config) if config is not None else (), sleep)

    def _forget(self) -> None:
        known = self.context.fetched
        self.context.fetched = {c.name: known.get(c.name, Fetched()) for c in self.connections}

    def start(self) -> None:
        """Begins to fetch."""
        self._stopping = threading.Event()
        super().start()

    def _cancel(self) -> None:
        self._stopping.set()
        super()._cancel()

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
            except Exception as error:  # noqa: BLE001 - the next round may be better
                failed[self.words(name, error, f"{stream}: ")] = error
        if failed:
            self.failed(state, name, "; ".join(failed))
            return self._pause(connection, state, list(failed.values()))
        self.succeeded(state, name)
        return connection.every

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
            await self.room()
            page = await asyncio.to_thread(fetching.one_page, connection, stream, cursor, client)
            for text in fetching.told(connection, stream, cursor, page):
                self.log.warning("fetch", connection=connection.name, what=text)
            await self._judge(connection, stream, cursor, page)
            cursor, more = page.cursor, page.more
            state.records += len(page.records)
        state.cursors[stream] = cursor

    async def _judge(
        self, connection: Connection, stream: str, before: Cursor, page: Pulled
    ) -> None:
        """Has a page judged, and returns once that and the new cursor are kept."""
        context, name = self.context, f"fetch:{connection.name}"
        found = Read()
        if page.records:
            found = await context.parsing(lambda: self._read(connection.fetcher.source, name, page))
        found.rejects = [_placed(reject, before.records, stream) for reject in found.rejects]
        key = fetching.cursor_name("serve", connection, stream)
        kept = fetching.encoded(page.cursor)
        await self.judged(name, found, lambda to: cursors.write(to, key, kept))

    def _read(self, source: str, name: str, page: Pulled) -> Read:
        """The events of a page, in order of event time."""
        context, body = self.context, b"\n".join(page.records)
        with context.memories.lent(source) as memory:
            now, rules = context.clock(), context.rules
            found = read(body, choose(source), name, now, memory=memory, rules=rules)
        found.events.sort(key=lambda event: event.time)
        return found


def _placed(reject: Reject, before: int, stream: str) -> Reject:
    """A reject with its number among all records that were fetched of the stream."""
    number = (before + reject.sequence) % MOST_POSITION
    return replace(reject, log=f"{reject.log}/{stream}", sequence=number, line=number)
