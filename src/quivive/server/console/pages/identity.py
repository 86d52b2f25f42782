"""Identities: finding one, everything known of it, its logins, and one login taken apart."""

from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.server.console import breakdown, cursor, person
from quivive.server.console.called import line_of
from quivive.server.console.console import Nav
from quivive.server.console.login import read
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.store import identities

DAY = 86_400_000
RECENT = 30 * DAY
LISTED = 50
STREAM = 20
PAGE = 50
BY = (
    ("country", "country"),
    ("city", "city"),
    ("network", "network"),
    ("device", "device"),
    ("hour", "hour"),
)


class Search(Struct, frozen=True):
    """who: a part of a name, or a handle."""

    who: Annotated[str, Meta(max_length=1_024)] = ""


class Shown(Struct, frozen=True):
    """by: what the figure has down its side; of: which logins; at: where the page begins."""

    by: Literal["country", "city", "network", "device", "hour"] = "country"
    of: Literal["all", "findings"] = "all"
    at: Annotated[str, Meta(max_length=4_096)] = ""


async def index(visit: Visit) -> Response:
    """Finding an identity: by name, or among those with findings lately."""
    asked = visit.query(Search).who.strip()
    names, drawn, store = visit.console.names, visit.veil.drawn, visit.store
    if asked:
        is_handle = names.is_handle(asked)
        exact = await visit.aside(lambda: names.identity(asked) if is_handle else None)
        if exact is not None:
            return visit.to(f"/identities/{names.handle(exact)}")
        if drawn:
            raise RefusedError(404, "No such identity", "Your role sees no names: follow a link.")
        found = await visit.aside(lambda: identities.named(store, asked, LISTED))
    else:
        newest = await visit.newest()
        found = await visit.aside(lambda: identities.told_of(store, newest - RECENT, LISTED))
    known = await visit.aside(lambda: identities.known(store))
    return visit.page("identities.html", asked=asked, found=found, known=known, most=LISTED)


async def identity(visit: Visit) -> Response:
    """Everything of one identity."""
    handle = visit.path["handle"]
    name = await visit.identity_of(handle)
    shown, land = visit.query(Shown), visit.console.land
    found = await visit.aside(lambda: person.of(visit.store, name, shown.by, visit.veil, land))
    if found is None:
        raise RefusedError(404, "No such identity", "It has no login that is kept.")
    logins, more = await visit.aside(
        lambda: person.stream(visit.store, name, STREAM, None, findings=False, veil=visit.veil)
    )
    await visit.looked("identity", name)
    return visit.page(
        "identity.html", person=found, handle=handle, logins=logins, more=more, by=BY,
        most=person.DRAWN,
    )  # fmt: skip


async def logins(visit: Visit) -> Response:
    """The stream of one identity's logins, by page."""
    handle = visit.path["handle"]
    name = await visit.identity_of(handle)
    shown = visit.query(Shown)
    after, findings = cursor.read(shown.at), shown.of == "findings"
    found, more = await visit.aside(
        lambda: person.stream(visit.store, name, PAGE, after, findings=findings, veil=visit.veil)
    )
    await visit.looked("identity", name)
    older = ""
    if more:
        at = cursor.written(found[-1].time, found[-1].id)
        older = f"/identities/{handle}/logins?{urlencode({'of': shown.of, 'at': at})}"
    return visit.page(
        "identity_logins.html", identity=name, handle=handle, logins=found, older=older,
        of=shown.of, begun=not shown.at,
    )  # fmt: skip


async def login(visit: Visit) -> Response:
    """One login taken apart."""
    name = await visit.identity_of(visit.path["handle"])
    found = read(await line_of(visit), visit.veil)
    if found.identity != name:
        raise RefusedError(404, "No such login", "It may be older than what the store keeps.")
    told = await visit.aside(lambda: breakdown.of(visit.store, found))
    await visit.looked("login", name, event=found.id)
    return visit.page(
        "breakdown.html", login=found, told=told, handle=visit.path["handle"],
        event=quote(found.id),
    )  # fmt: skip


PAGES = (
    Page("/identities", index, "viewer"),
    Page("/identities/{handle}", identity, "viewer"),
    Page("/identities/{handle}/logins", logins, "viewer"),
    Page("/identities/{handle}/logins/{id:path}", login, "viewer"),
)
NAV = (Nav(30, "Identities", "/identities"),)
