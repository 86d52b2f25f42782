"""Verdicts by signed link: opening one shows a page that asks, only the form on it acts."""

from starlette.responses import Response

from quivive.app.keys import random_key
from quivive.app.notifying import VERDICT_KEY
from quivive.model.verdict import MOST_WHY, VerdictError
from quivive.notify.buttons import LABELS, Asked, TokenError, verify
from quivive.server.console.login import Login, read
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.server.verdicts import GivenVerdict, give
from quivive.store.incidents import link_used, use_link


async def shown(visit: Visit) -> Response:
    """What the link asks for."""
    asked = _asked(visit)
    return await _page(visit, asked)


async def _page(visit: Visit, asked: Asked, problem: str = "") -> Response:
    login = await _login(visit, asked)
    return visit.page(
        "link.html",
        422 if problem else 200,
        login=login,
        label=LABELS[asked.verdict],
        expires=asked.expires,
        problem=problem,
    )


async def take(visit: Visit) -> Response:
    """Gives the verdict, and uses up the link.

    Whoever sends the form twice at once gives the same verdict twice, which changes nothing.
    """
    asked = _asked(visit)
    fields = await visit.fields()
    why = " ".join(fields.get("why", "").split())[:MOST_WHY]
    if not why:
        return await _page(visit, asked, "Say why, so that a colleague can follow it.")
    if await visit.aside(lambda: link_used(visit.store, asked.serial)):
        raise RefusedError(410, "This link was used before", "Its first answer counts.")
    login = await _login(visit, asked)
    by = visit.name or f"link to {asked.audience}"
    said = GivenVerdict(event_id=login.full, verdict=asked.verdict, why=why, by=by)
    try:
        await give(visit.console.context, [said], by)
    except VerdictError as error:
        raise RefusedError(409, "No verdict was taken", str(error)) from None

    def use() -> None:
        with visit.store.transaction() as connection:
            use_link(connection, asked.serial, asked.event_id, visit.now)

    await visit.aside(use)
    return visit.page("link_done.html", label=LABELS[asked.verdict])


def _asked(visit: Visit) -> Asked:
    try:
        return verify(random_key(visit.store, VERDICT_KEY), visit.path["token"], visit.now)
    except TokenError as error:
        raise RefusedError(410, "This link cannot be used", f"{error}.".capitalize()) from None


async def _login(visit: Visit, asked: Asked) -> Login:
    line = await visit.aside(lambda: visit.store.assessment(asked.event_id))
    if line is None:
        raise RefusedError(404, "No such login", "It may be older than what the store keeps.")
    return read(line, visit.veil)


PAGES = (
    Page("/verdict/{token}", shown, None),
    Page("/verdict/{token}", take, None, method="POST"),
)
