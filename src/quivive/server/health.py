"""Whether the process lives, and whether it can judge."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from quivive.app.access import allows
from quivive.server import consumed, fetched
from quivive.server.consumed import KafkaState
from quivive.server.context import Context
from quivive.server.fetched import FetchState
from quivive.server.http import Reply, Request, json
from quivive.store.views import reachable

BEHIND = 0.9  # of the queue: not ready for more


class Alive(Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Ready(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether logins are judged: ready, or what is in the way. Details are for tokens with the
    scope metrics: the store's own words, events that wait, seconds since the newest login, why
    changed files were refused, and by connection how far vendors' logs are fetched and topics are
    read. spares: what the guardrail of cost leaves out. files: "refused" while the server works by
    those of before.
    """

    status: str
    store: str
    state: str = "loaded"
    files: Literal["current", "refused"] = "current"
    problem: str | None = None
    reload_problem: str | None = None
    spares: tuple[str, ...] = ()
    waiting: int | None = None
    lag_seconds: float | None = None
    fetch: dict[str, FetchState] = {}
    kafka: dict[str, KafkaState] = {}


async def healthz(_: Context, __: Request) -> Reply:
    """The process lives."""
    return json(Alive())


async def readyz(context: Context, request: Request) -> Reply:
    """200 when logins are judged, 503 when not."""
    problem = context.judge.problem
    if problem is None:
        try:
            await context.aside(lambda: reachable(context.store))
        except Exception as error:  # noqa: BLE001 - whatever the database says, it is not reachable
            problem = f"the store cannot be read ({type(error).__name__})"
    waiting = context.judge.waiting[1]
    full = waiting >= BEHIND * context.judge.asks.most_events
    store = "unavailable" if problem is not None else "ok"
    status = "store unavailable" if problem is not None else "behind" if full else "ready"
    said = Ready(
        status=status,
        store=store,
        files="current" if context.refused is None else "refused",
        spares=tuple(step.name for step in context.figures.guardrail.in_force),
    )
    if request.token is not None and allows(request.token, "metrics"):
        newest = context.figures.newest
        lag = max(0.0, (context.clock() - newest) / 1000) if newest else None
        said = replace(
            said,
            problem=problem,
            reload_problem=context.refused,
            waiting=waiting,
            lag_seconds=lag,
            fetch=fetched.states(context.fetched, context.clock()),
            kafka=consumed.states(context.consumed),
        )
    return json(said, 200 if status == "ready" else 503)
