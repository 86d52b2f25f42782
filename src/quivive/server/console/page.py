"""What modules in ``pages/`` consist of."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from quivive.server.console.visit import Visit


class Page(NamedTuple):
    """One method of one path.

    role: the least that may; None for everybody, signed in or not. passive: asked by the page by
    itself, so it does not keep a session alive.
    """

    path: str
    handler: Callable[[Visit], Awaitable[Response]]
    role: str | None
    method: str = "GET"
    passive: bool = False
