"""What modules in ``pages/`` consist of."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response

if TYPE_CHECKING:
    from quivive.server.console.visit import Visit


class Page(NamedTuple):
    """One method of one path.

    role: the least that may; None for everybody, signed in or not. passive: asked by the page by
    itself, so it does not keep a session alive.
    """

    path: str
    handler: "Callable[[Visit], Awaitable[Response]]"
    role: str | None
    method: str = "GET"
    passive: bool = False


class Nav(NamedTuple):
    """An entry of the menu, by order; shown to whoever has the role."""

    order: int
    label: str
    path: str
    role: str = "viewer"


class RefusedError(Exception):
    """A request that is answered with an error page: what is wrong, and what to do."""

    def __init__(self, status: int, title: str, text: str = "") -> None:
        """``status`` is HTTP's."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text


def found() -> tuple[list[Page], list[Nav]]:
    """Every page and menu entry of the modules in ``pages/``."""
    from quivive.server.console import pages

    all_pages: list[Page] = []
    menu: list[Nav] = []
    for info in pkgutil.iter_modules(pages.__path__):
        module = importlib.import_module(f"{pages.__name__}.{info.name}")
        all_pages += getattr(module, "PAGES", ())
        menu += getattr(module, "NAV", ())
    all_pages.sort(key=lambda page: page.path.endswith("}"))  # what is named comes before any name
    return all_pages, sorted(menu)
