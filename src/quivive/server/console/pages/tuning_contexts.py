"""Contexts: what is in order for a while, added and ended with a reason."""

from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.app.contexts import LISTS, NEEDS, Shared, from_fields, safelisted, shared_egress
from quivive.app.errors import UsageError
from quivive.app.keeping import load_state
from quivive.app.policies import record
from quivive.model.context import Context
from quivive.model.errors import ConfigurationError
from quivive.model.verdict import MOST_WHY
from quivive.policy.actions import ACTIONS
from quivive.policy.contexts import EFFECTS
from quivive.server.console.page import Page
from quivive.server.console.pages.tuning import taken_over
from quivive.server.console.visit import Visit
from quivive.store.database import StoreUnavailable
from quivive.store.models import Author
from quivive.store.policies import Policies

ENDED = 100
SHARED = 100
HARD = frozenset(("override", "break_glass", "safelist"))  # kinds that only an admin adds
TEXTS = ("kind", "reason", "owner", "from", "until", "id", "margin", "action")


class Asked(Struct, frozen=True):
    """identity: the handle of one to fill in; kind: the same of a kind."""

    identity: Annotated[str, Meta(max_length=64)] = ""
    kind: Annotated[str, Meta(max_length=32)] = ""


async def contexts(visit: Visit) -> Response:
    """What holds, will hold and held, and a form for another."""
    asked = visit.query(Asked)
    given = {"kind": asked.kind}
    if asked.identity and not visit.veil.drawn:
        given["identities"] = await visit.identity_of(asked.identity)
    return await _page(visit, given)


async def _page(visit: Visit, given: dict[str, str], problem: str = "") -> Response:
    found = await visit.aside(lambda: Policies(visit.store).contexts())
    now = visit.now
    ended = [c for c in found if c.ends <= now]
    return visit.page(
        "tuning_contexts.html",
        422 if problem else 200,
        holding=sorted((c for c in found if c.begins <= now < c.ends), key=lambda c: c.ends),
        coming=sorted((c for c in found if c.begins > now), key=lambda c: c.begins),
        ended=sorted(ended, key=lambda c: -c.ends)[:ENDED],
        kinds=[(kind, EFFECTS.get(kind, ""), NEEDS.get(kind, ())) for kind in EFFECTS],
        lists=LISTS,
        actions=ACTIONS,
        given={name: given.get(name, "") for name in (*TEXTS, *LISTS)},
        problem=problem,
        hard=HARD,
        most_why=MOST_WHY,
    )


async def add(visit: Visit) -> Response:
    """Adds one."""
    fields = await visit.form()
    given = {name: fields.get(name, "").strip() for name in (*TEXTS, *LISTS)}
    kind = given["kind"]
    if kind in HARD and not visit.may("admin"):
        said = kind.replace("_", " ")
        return await _page(visit, given, f"A {said} takes the role admin: it stops what rules do.")
    wanted: dict[str, object] = {name: given[name] for name in TEXTS if given[name]}
    wanted |= {name: _several(given[name]) for name in LISTS if given[name]}
    wanted.setdefault("owner", visit.name)
    try:
        if given["margin"]:
            wanted["margin"] = _margin(given["margin"])
        context = from_fields(wanted, visit.now)
        author = Author(visit.name, context.reason, visit.now)
        await visit.aside(lambda: Policies(visit.store).add([context], author, record))
    except StoreUnavailable:
        raise
    except ConfigurationError as error:
        return await _page(visit, given, str(error))
    await taken_over(visit)
    return visit.to("/tuning/contexts", said="context")


def _several(text: str) -> list[str]:
    """Values one a line, or with commas between them."""
    return [part.strip() for line in text.splitlines() for part in line.split(",") if part.strip()]


def _margin(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"margin {text[:20]!r}: no number; write 10") from None


async def end(visit: Visit) -> Response:
    """Ends one now."""
    fields = await visit.form()
    why = " ".join(fields.get("why", "").split())[:MOST_WHY]
    if not why:
        return await _page(visit, {}, "Say why it ends: the history keeps it.")
    name = visit.path["name"]

    def over() -> Context:
        return Policies(visit.store).end(name, Author(visit.name, why, visit.now), record)

    try:
        await visit.aside(over)
    except StoreUnavailable:
        raise
    except ConfigurationError as error:
        return await _page(visit, {}, str(error))
    await taken_over(visit)
    return visit.to("/tuning/contexts", said="ended-context")


async def shared(visit: Visit) -> Response:
    """Addresses that many are at home on, as they were learned, and which safelist covers them."""

    def look() -> list[tuple[Shared, list[str]]]:
        state = load_state(visit.store)
        if state is None:
            return []
        listed = Policies(visit.store).contexts()
        return [(s, list(safelisted(s.place, listed))) for s in shared_egress(state)[:SHARED]]

    found = await visit.console.context.parsing(look)
    return visit.page("tuning_shared.html", found=found)


PAGES = (
    Page("/tuning/contexts", contexts, "analyst"),
    Page("/tuning/contexts", add, "responder", method="POST"),
    Page("/tuning/contexts/shared", shared, "analyst"),
    Page("/tuning/contexts/{name}/end", end, "responder", method="POST"),
)
