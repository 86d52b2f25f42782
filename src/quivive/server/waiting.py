"""From the event loop to the judging thread and back."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from quivive.model.event import AuthEvent
from quivive.model.origin import Origin
from quivive.model.record import Reject
from quivive.server.asks import Ask
from quivive.server.http import Problem
from quivive.server.judge import Judge
from quivive.server.judging import Answer, Judging
from quivive.store.access import Kept
from quivive.store.batch import Writes

T = TypeVar("T")


class LateError(Exception):
    """There was no answer in time; it is judged all the same."""


class FullError(Exception):
    """Too many wait already."""


async def answers(
    judge: Judge,
    name: str,
    events: Sequence[AuthEvent],
    *,
    urgent: bool,
    within: float | None = None,
    rejects: Sequence[Reject] = (),
    answer: Callable[[Sequence[Answer]], Kept] | None = None,
    origin: Origin | None = None,
    also: Writes | None = None,
) -> Sequence[Answer]:
    """What became of some events, once that is kept. within: seconds. also: writes with it.

    Raises FullError, LateError, StoreUnavailable, FaultError.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    ask = Ask(
        name, events, _to(loop, future), rejects=rejects, answer=answer, origin=origin, also=also
    )
    if not judge.ask(ask, urgent=urgent):
        raise FullError
    return await _result(loop, future, within)  # type: ignore[no-any-return]


async def act(judge: Judge, what: Callable[[Judging], T]) -> T:
    """What came of something done between two groups. Raises what it raised."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    if not judge.act(what, _to(loop, future)):
        raise Problem(503, "the server is stopping", "try again", {"retry-after": "5"})
    return await _result(loop, future, None)  # type: ignore[no-any-return]


def _to(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]") -> Callable[[Any], None]:
    def deliver(result: object) -> None:
        if future.done():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    thread = threading.get_ident()

    def done(result: object) -> None:
        if threading.get_ident() == thread:
            deliver(result)
            return
        try:
            loop.call_soon_threadsafe(deliver, result)
        except RuntimeError:  # the loop has ended: nobody waits any more
            return

    return done


async def _result(
    loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", within: float | None
) -> Any:
    if within is None:
        return await future

    def late() -> None:
        if not future.done():
            future.set_exception(LateError())

    timer = loop.call_later(within, late)
    try:
        return await future
    finally:
        timer.cancel()
