"""Telling open pages that something has changed: server-sent events, with polling to fall back on.

Pages are told only *that* something is new; each then asks for its own part, as its visitor may
see it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from sqlalchemy.exc import DBAPIError
from starlette.responses import Response, StreamingResponse

from quivive.model.errors import ConfigurationError
from quivive.server.context import Context
from quivive.store import console

LOOK_SECONDS = 1.0
BEAT_SECONDS = 15.0  # so that proxies do not take a quiet stream for a dead one
LONGEST_SECONDS = 900.0  # then the browser comes again, and its session is looked at anew
MOST_LISTENERS = 200


class Pulse:
    """Looks for changes while anybody listens, once for all."""

    def __init__(self, context: Context) -> None:
        """Nobody listens yet."""
        self.context = context
        self.stopping: Callable[[], bool] = lambda: False
        self.number = 0
        self.listeners = 0
        self._mark: object = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def listen(self, most: float = LONGEST_SECONDS) -> AsyncIterator[bytes]:
        """The stream of one page: an event for every change, a comment when it is quiet."""
        self.listeners += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        loop = asyncio.get_running_loop()
        begun = beaten = loop.time()
        known = self.number
        try:
            yield b"retry: 3000\n\n"
            while not self.stopping() and loop.time() - begun < most:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
                if self.number != known:
                    known = self.number
                    yield b"event: change\ndata: %d\n\n" % known
                    beaten = loop.time()
                elif loop.time() - beaten >= BEAT_SECONDS:
                    yield b": still here\n\n"
                    beaten = loop.time()
        finally:
            self.listeners -= 1

    async def look(self) -> bool:
        """Looks once; whether something is new."""
        try:
            mark = await self.context.aside(lambda: console.mark(self.context.store))
        except (ConfigurationError, DBAPIError):
            return False
        fresh = self._mark is not None and mark != self._mark
        self._mark = mark
        if fresh:
            self.number += 1
            self._changed.set()
            self._changed = asyncio.Event()
        return fresh

    async def _watch(self) -> None:
        while self.listeners and not self.stopping():
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)


def stream(pulse: Pulse) -> Response:
    """The answer to a page that listens; 204, which browsers take for good, when too many do."""
    if pulse.listeners >= MOST_LISTENERS:
        return Response(status_code=204)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(pulse.listen(), media_type="text/event-stream", headers=headers)
