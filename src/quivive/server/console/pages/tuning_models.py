"""Model versions: what they would change, and which of them scores."""

from collections.abc import Callable

from starlette.responses import Response

from quivive.app import promoting
from quivive.app.errors import UsageError
from quivive.model.errors import ConfigurationError
from quivive.model.verdict import MOST_WHY
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.server.waiting import act
from quivive.store.database import Store, StoreUnavailable
from quivive.store.models import Author, Models

CHANGES = 40


async def models(visit: Visit) -> Response:
    """All versions."""
    return await _page(visit)


async def _page(visit: Visit, problem: str = "") -> Response:
    def look() -> dict[str, object]:
        kept = Models(visit.store)
        return {
            "versions": list(reversed(kept.names())),
            "active": kept.active(),
            "before": kept.before(),
            "history": list(reversed(kept.history()))[:CHANGES],
        }

    found = await visit.aside(look)
    return visit.page(
        "tuning_models.html", 422 if problem else 200, **found, problem=problem, most_why=MOST_WHY
    )


async def model(visit: Visit) -> Response:
    """One version: on history, in shadow, and what the gate says."""
    return await _one(visit, visit.path["name"])


async def _one(visit: Visit, name: str, problem: str = "") -> Response:
    versions = {v.name: v for v in await visit.aside(lambda: Models(visit.store).names())}
    if name not in versions:
        raise RefusedError(404, "No such version", "See the list of all of them.")
    standing = await visit.console.context.parsing(lambda: promoting.standing(visit.store, name))
    return visit.page(
        "tuning_model.html", 422 if problem else 200, version=versions[name], standing=standing,
        problem=problem, most_why=MOST_WHY,
    )  # fmt: skip


async def change(visit: Visit) -> Response:
    """Promotes a version, puts it in shadow, or retires it."""
    fields = await visit.form()
    name, what = visit.path["name"], fields.get("what", "")
    author, force = _author(visit, fields), fields.get("force") == "yes"
    if author is None:
        return await _one(visit, name, "Say why: the history keeps it.")

    def promote(store: Store) -> str:
        gate = promoting.promote(store, name, author, force=force)
        if gate.outcome != "promote" and not force:
            raise UsageError(f"The gate bars it: {'; '.join(gate.reasons)}")
        return name

    def shadow(store: Store) -> str:
        promoting.put_in_shadow(store, name, author)
        return name

    def retire(store: Store) -> str:
        promoting.retire(store, name, author)
        return name

    wanted = {"promote": promote, "shadow": shadow, "retire": retire}.get(what)
    if wanted is None:
        return await _one(visit, name, "Choose what to do.")
    try:
        await _changing(visit, wanted)
    except StoreUnavailable:
        raise
    except ConfigurationError as error:
        return await _one(visit, name, str(error))
    return visit.to("/tuning/models", said="model")


async def roll_back(visit: Visit) -> Response:
    """Returns to the version that scored before, or to another that once did."""
    fields = await visit.form()
    author = _author(visit, fields)
    if author is None:
        return await _page(visit, "Say why: the history keeps it.")
    to = fields.get("to", "").strip() or None
    try:
        await _changing(visit, lambda store: promoting.roll_back(store, author, to)[1])
    except StoreUnavailable:
        raise
    except ConfigurationError as error:
        return await _page(visit, str(error))
    return visit.to("/tuning/models", said="model")


def _author(visit: Visit, fields: dict[str, str]) -> Author | None:
    why = " ".join(fields.get("why", "").split())[:MOST_WHY]
    return Author(visit.name, why, visit.now) if why else None


async def _changing(visit: Visit, what: Callable[[Store], str]) -> None:
    """Between two logins, with the state kept before and taken anew after."""
    await act(visit.console.context.judge, lambda judging: judging.changing(what))


PAGES = (
    Page("/tuning/models", models, "analyst"),
    Page("/tuning/models/roll-back", roll_back, "admin", method="POST"),
    Page("/tuning/models/{name}", model, "analyst"),
    Page("/tuning/models/{name}", change, "admin", method="POST"),
)
