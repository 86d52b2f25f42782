"""Incidents by page, one incident, and what people do to it."""

from collections import Counter
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.model.errors import ConfigurationError
from quivive.model.incident import Incident
from quivive.model.verdict import MOST_WHY
from quivive.server.console import cursor, story
from quivive.server.console.console import Nav
from quivive.server.console.gather import Case, cases
from quivive.server.console.page import Page
from quivive.server.console.postmortem import markdown
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit, local
from quivive.server.verdicts import settle
from quivive.store import console
from quivive.store.database import StoreUnavailable
from quivive.store.incidents import Incidents

PAGE = 50


class Filter(Struct, frozen=True):
    """What to list; at: where the page begins."""

    status: Literal["open", "acknowledged", "closed", ""] = ""
    priority: Literal["P1", "P2", "P3", "P4", ""] = ""
    at: Annotated[str, Meta(max_length=256)] = ""


async def incidents(visit: Visit) -> Response:
    """A page of incidents."""
    chosen = visit.query(Filter)
    wanted = console.IncidentsWanted(
        statuses=(chosen.status,) if chosen.status else (),
        priority=chosen.priority or None,
        limit=PAGE + 1,
        after=cursor.read(chosen.at),
    )

    def look() -> tuple[list[Case], list[Incident], bool, Counter[str]]:
        found = console.incident_page(visit.store, wanted)
        known = bool(found) or console.any_incident(visit.store)
        counts: Counter[str] = Counter()
        for (status, _), count in console.open_by_priority(visit.store).items():
            counts[status] += count
        return cases(visit.store, found[:PAGE], visit.veil), found, known, counts

    shown, found, known, counts = await visit.aside(look)
    older = ""
    if len(found) > PAGE:
        last = found[PAGE - 1]
        at = cursor.written(last.last, last.id)
        kept = {"status": chosen.status, "priority": chosen.priority, "at": at}
        older = f"/incidents?{urlencode({k: v for k, v in kept.items() if v})}"
    return visit.page(
        "incidents.html", chosen=chosen, cases=shown, older=older, known=known,
        waiting=counts["open"], acknowledged=counts["acknowledged"],
    )  # fmt: skip


async def incident(visit: Visit) -> Response:
    """One incident, with all that belongs to it."""
    found = await _incident(visit)
    land = visit.console.land
    told = await visit.aside(lambda: story.of(visit.store, found, visit.veil, land))
    await visit.looked("incident", found.id, identities=sorted(found.identities)[:20])
    return visit.page("incident.html", story=told, incident=found)


async def address(visit: Visit) -> Response:
    """What else came from the incident's addresses: looked for when it is asked for."""
    found = await _incident(visit)
    others = await visit.aside(lambda: story.elsewhere(visit.store, found, visit.veil))
    return visit.page("incident_address.html", others=others, incident=found)


async def post_mortem(visit: Visit) -> Response:
    """A draft of the post-mortem, filled with what is known."""
    found = await _incident(visit)
    told = await visit.aside(lambda: story.of(visit.store, found, visit.veil))
    others = await visit.aside(lambda: story.elsewhere(visit.store, found, visit.veil))
    await visit.looked("post-mortem", found.id)
    return Response(
        markdown(told, others, visit.veil, visit.now),
        media_type="text/markdown; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{quote(found.id)}.md"'},
    )


async def acknowledge(visit: Visit) -> Response:
    """Somebody looks at it."""
    return await _settle(visit, close=False)


async def close(visit: Visit) -> Response:
    """It is over."""
    return await _settle(visit, close=True)


async def _settle(visit: Visit, *, close: bool) -> Response:
    fields = await visit.form()
    incident_id = visit.path["id"]
    why = " ".join(fields.get("why", "").split())[:MOST_WHY]
    if close and not why:
        raise RefusedError(422, "Say why", "A colleague wants to follow why it was closed.")
    context = visit.console.context
    try:
        await settle(context, incident_id, visit.name, why, {"console": True}, close=close)
    except StoreUnavailable:
        raise
    except ConfigurationError:
        raise RefusedError(
            409, "It is not open any more", "A colleague was faster, or it was closed already."
        ) from None
    back = local(fields.get("next", f"/incidents/{quote(incident_id)}"))
    return visit.to(back, said="closed" if close else "acknowledged")


async def _incident(visit: Visit) -> Incident:
    incident_id = visit.path["id"]
    found = await visit.aside(lambda: Incidents(visit.store).get(incident_id))
    if found is None:
        raise RefusedError(404, "No such incident", "It may have gone into another one.")
    return found


PAGES = (
    Page("/incidents", incidents, "viewer"),
    Page("/incidents/{id}", incident, "viewer"),
    Page("/incidents/{id}/address", address, "viewer", passive=True),
    Page("/incidents/{id}/post-mortem.md", post_mortem, "analyst"),
    Page("/incidents/{id}/acknowledge", acknowledge, "analyst", method="POST"),
    Page("/incidents/{id}/close", close, "analyst", method="POST"),
)
NAV = (Nav(15, "Incidents", "/incidents"),)
