"""Runbooks, and which key does what; and the stream that tells open pages to look again."""

import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from markupsafe import Markup
from starlette.responses import Response

from quivive.server.console.gather import Case, cases
from quivive.server.console.live import stream
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.store import console

_NAME = re.compile(r"[a-z0-9-]{1,64}(\.md)?")
_LINK = re.compile(r"\]\((?:\.\./runbooks/)?([a-z0-9-]+)\.md(#[a-z0-9-]+)?\)")
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")


@cache
def _folder() -> Traversable:
    """Where the runbooks are: in the package, or beside it where it is run from its repository."""
    inside = resources.files("quivive").joinpath("runbooks")
    if inside.is_dir():
        return inside
    return Path(__file__).parents[5] / "docs" / "runbooks"


@cache
def books() -> dict[str, str]:
    """The titles of all runbooks by name."""
    found = {}
    folder = _folder()
    for file in sorted(folder.iterdir(), key=lambda f: f.name) if folder.is_dir() else ():
        if file.name.endswith(".md"):
            head = file.read_text(encoding="utf-8").partition("\n")[0]
            found[file.name.removesuffix(".md")] = head.lstrip("# ").removeprefix("Runbook: ")
    return found


@cache
def _rendered(name: str) -> str:
    from markdown_it import MarkdownIt

    text = _folder().joinpath(f"{name}.md").read_text(encoding="utf-8")
    text = _OUTSIDE.sub(r"\1", _LINK.sub(r"](/runbooks/\1\2)", text))
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


async def index(visit: Visit) -> Response:
    """All runbooks."""
    found = await visit.aside(books)
    return visit.page("runbooks.html", books=list(found.items()))


async def runbook(visit: Visit) -> Response:
    """One runbook as HTML."""
    name = visit.path["name"]
    known = await visit.aside(books)
    if not _NAME.fullmatch(name) or name.removesuffix(".md") not in known:
        raise RefusedError(404, "No such runbook", "See the list of all of them.")
    name = name.removesuffix(".md")
    body = await visit.aside(lambda: _rendered(name))
    return visit.page("runbook.html", title=known[name], body=Markup(body))  # noqa: S704 - our own


async def keys(visit: Visit) -> Response:
    """Which key does what."""
    return visit.page("keys.html")


async def tour(visit: Visit) -> Response:
    """Four steps for whoever is new, with an incident that waits as the example."""

    def look() -> Case | None:
        found = cases(visit.store, console.urgent(visit.store, 1), visit.veil)
        return found[0] if found else None

    return visit.page("tour.html", case=await visit.aside(look))


async def live(visit: Visit) -> Response:
    """The stream of changes."""
    return stream(visit.console.pulse)


PAGES = (
    Page("/runbooks", index, "viewer"),
    Page("/runbooks/{name}", runbook, "viewer"),
    Page("/keys", keys, "viewer"),
    Page("/tour", tour, "viewer"),
    Page("/live", live, "viewer", passive=True),
)
