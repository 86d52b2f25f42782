"""Erasing an identity, or putting a pseudonym in its place: an administrator's page."""

from contextlib import nullcontext

from starlette.responses import Response

from quivive.app.erasing import Erased, erase, pseudonymise, stand_in
from quivive.app.errors import UsageError
from quivive.model.verdict import MOST_WHY
from quivive.server.console.page import Page
from quivive.server.console.visit import Visit
from quivive.server.judging import Judging
from quivive.server.waiting import act
from quivive.store import views
from quivive.store.models import Author


async def asked(visit: Visit) -> Response:
    """Says what would go and what would stay."""
    return await _form(visit)


async def _form(visit: Visit, problem: str = "", why: str = "") -> Response:
    handle = visit.path["handle"]
    name = await visit.identity_of(handle)
    summary = await visit.aside(lambda: views.summary(visit.store, name))
    return visit.page(
        "erase.html", 422 if problem else 200, identity=name, handle=handle, summary=summary,
        stand_in=await visit.aside(lambda: stand_in(visit.store, name)), problem=problem, why=why,
        most=MOST_WHY,
    )  # fmt: skip


async def done(visit: Visit) -> Response:
    """Does it, once the name was typed."""
    fields = await visit.form()
    name = await visit.identity_of(visit.path["handle"])
    what, why = fields.get("what", ""), " ".join(fields.get("why", "").split())[:MOST_WHY]
    if what not in ("erase", "pseudonymise"):
        return await _form(visit, "Choose one of the two.", why)
    if fields.get("name", "").strip() != name:
        return await _form(visit, "Type its name exactly, so that it is the right one.", why)
    if not why:
        return await _form(visit, "Say why: the audit trail keeps it.")
    author = Author(visit.name, why, visit.now)

    telemetry = visit.console.context.telemetry

    def change(judging: Judging) -> Erased:
        do = erase if what == "erase" else pseudonymise
        folder = str(telemetry.folder) if telemetry is not None else None
        with telemetry.lock if telemetry is not None else nullcontext():
            found = judging.changing(lambda store: do(store, name, author, folder))
        judging.forget()
        visit.console.context.memories.forget()
        return found

    try:
        found = await act(visit.console.context.judge, change)
    except UsageError as error:
        return await _form(visit, str(error), why)
    return visit.page("erased.html", done=found, what=what)


PAGES = (
    Page("/identities/{handle}/erase", asked, "admin"),
    Page("/identities/{handle}/erase", done, "admin", method="POST"),
)
