"""Acting by hand, and taking back what was done."""

from urllib.parse import quote

import msgspec
from starlette.responses import Response

from quivive.app.audit import sign
from quivive.app.errors import UsageError
from quivive.app.intents import requests_of_line, row_of
from quivive.model.audit import Entry
from quivive.model.response import CONTAINMENT, ResponseRequest
from quivive.model.verdict import MOST_WHY
from quivive.server.console.called import line_of
from quivive.server.console.gather import find_action
from quivive.server.console.login import read
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit, local
from quivive.server.workers import Sender
from quivive.store.audit import append
from quivive.store.outbox import add


async def undo(visit: Visit) -> Response:
    """Asks whether something is to be taken back."""
    return await _undo_form(visit)


async def _undo_form(visit: Visit, problem: str = "") -> Response:
    key = visit.path["key"]
    found = await visit.aside(lambda: find_action(visit.store, key, visit.veil))
    if found is None:
        raise RefusedError(404, "No such action", "It may have been forgotten.")
    return visit.page("undo.html", 422 if problem else 200, act=found, problem=problem)


async def take_back(visit: Visit) -> Response:
    """Asks the vendors to take it back."""
    fields = await visit.form()
    why = _why(fields)
    if not why:
        return await _undo_form(visit, "Say why, so that a colleague can follow it.")
    key, sender = visit.path["key"], _sender(visit)
    try:
        results = await visit.aside(lambda: sender.responder.undo(key, by=visit.name, why=why))
    except UsageError as error:
        return await _undo_form(visit, str(error))
    await visit.aside(lambda: sign(visit.store))
    done = all(result.status == "undone" for result in results)
    return visit.to(f"/actions/{quote(key)}/undo", said="undone" if done else "not-undone")


async def respond(visit: Visit) -> Response:
    """Asks what is to be done about a login."""
    return await _respond_form(visit)


async def _respond_form(visit: Visit, problem: str = "", chosen: str = "") -> Response:
    line = await line_of(visit)
    login = await visit.aside(lambda: read(line, visit.veil))
    sender = visit.console.context.sender
    able = []
    for action in sorted(CONTAINMENT - {"block"}):
        for request in requests_of_line(line, decided=visit.now, action=action):
            served = sender.responder.settings.choose(request) if sender is not None else []
            able.append((action, [connection.name for connection in served]))
    next_ = local(visit.request.query_params.get("next", f"/findings/{quote(login.id)}"))
    return visit.page(
        "respond.html",
        422 if problem else 200,
        login=login,
        able=able,
        any_served=any(served for _, served in able),
        problem=problem,
        chosen=chosen,
        next=next_,
    )


async def ask(visit: Visit) -> Response:
    """Puts what a person asks for into the outbox, with its record."""
    fields = await visit.form()
    action, why = fields.get("action", ""), _why(fields)
    if action not in CONTAINMENT or not why:
        problem = "Say why, so that a colleague can follow it." if action else "Choose what to do."
        return await _respond_form(visit, problem, action)
    line = await line_of(visit)
    sender, now = _sender(visit), visit.now
    wanted = [
        # Of now, not of the login: what a person asks for is not too late.
        msgspec.structs.replace(request, time=now, reason=f"{visit.name}: {why}")
        for request in requests_of_line(line, decided=now, action=action)
    ]
    await visit.aside(lambda: _keep(visit, wanted, why))
    sender.wake()
    return visit.to(local(fields.get("next", "/")), said="asked")


def _keep(visit: Visit, wanted: list[ResponseRequest], why: str) -> None:
    entries = [
        Entry(
            time=visit.now,
            actor=visit.name,
            action="response:asked",
            subject=request.event_id,
            details={
                "action": request.action,
                "identity": request.target.identity,
                "why": why,
                "key": request.key,
            },
        )
        for request in wanted
    ]
    with visit.store.transaction() as connection:
        add(connection, [row_of(request) for request in wanted])
        append(connection, entries)
    sign(visit.store)


def _sender(visit: Visit) -> Sender:
    sender = visit.console.context.sender
    if sender is None:
        raise RefusedError(409, "Nothing is sent from here", "Another process empties the outbox.")
    return sender


def _why(fields: dict[str, str]) -> str:
    return " ".join(fields.get("why", "").split())[:MOST_WHY]


PAGES = (
    Page("/actions/{key}/undo", undo, "responder"),
    Page("/actions/{key}/undo", take_back, "responder", method="POST"),
    Page("/findings/{id:path}/respond", respond, "responder"),
    Page("/findings/{id:path}/respond", ask, "responder", method="POST"),
)
