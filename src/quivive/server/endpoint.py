"""What one route is: from this the router and the OpenAPI description are made."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from quivive.server.context import Context
from quivive.server.http import Reply, Request

Handler = Callable[[Context, Request], Awaitable[Reply]]


class Endpoint(Struct, frozen=True, kw_only=True):
    """One method of one path.

    scope: what a token needs, None for nobody. query, body, answer: structs, or None. raw: the
    body is a record as its vendor writes it. errors: statuses beside those that every route has.
    """

    method: str
    path: str
    scope: str | None
    handler: Handler
    title: str
    query: type | None = None
    body: Any = None
    raw: bool = False
    answer: Any = None
    statuses: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = ()
    text: bool = False
    headers: tuple[str, ...] = ()
