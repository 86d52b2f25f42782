"""Findings by page, one finding, and the verdict on it."""

from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.app.errors import UsageError
from quivive.model.verdict import KINDS, MOST_WHY, VerdictError, VerdictKind
from quivive.server.console import cursor
from quivive.server.console.called import line_of
from quivive.server.console.console import Nav
from quivive.server.console.gather import Action, actions_of
from quivive.server.console.login import Login, facts, read
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit, local
from quivive.server.verdicts import GivenVerdict, give
from quivive.store import console, named, views
from quivive.store.incidents import earlier_lines
from quivive.store.named import Named
from quivive.store.verdicts import Given

PAGE = 50
Date = Annotated[str, Meta(max_length=32)]


class Filter(Struct, frozen=True):
    """What to list. all: logins that were no findings, too. who: an identity's name or handle;
    since and until: dates or times in UTC; at: where the page begins.
    """

    all: Literal["yes", "no"] = "no"
    who: Annotated[str, Meta(max_length=1_024)] = ""
    min_risk: Annotated[float, Meta(ge=0, le=100)] | None = None
    kind: Literal["human", "service", ""] = ""
    since: Date = ""
    until: Date = ""
    at: Annotated[str, Meta(max_length=4_096)] = ""


async def findings(visit: Visit) -> Response:
    """A page of findings."""
    chosen = visit.query(Filter)
    identity = await _identity(visit, chosen.who.strip())
    wanted = views.Wanted(
        identity=identity,
        since=_time(chosen.since, "since"),
        until=_time(chosen.until, "until"),
        min_risk=chosen.min_risk,
        finding=None if chosen.all == "yes" else True,
        limit=PAGE + 1,
        after=cursor.read(chosen.at),
        kind=chosen.kind or None,
    )
    lines = await visit.aside(lambda: views.page(visit.store, wanted))
    logins = await visit.aside(lambda: [read(line.body, visit.veil) for line in lines[:PAGE]])
    standing = await visit.aside(lambda: console.verdicts_on(visit.store, [i.id for i in logins]))
    if identity is not None:
        await visit.looked("identity", identity)
    older = ""
    if len(lines) > PAGE:
        last = lines[PAGE - 1]
        at = cursor.written(last.time, last.id)
        older = f"/findings?{urlencode(_kept(visit) | {'at': at})}"
    known = bool(logins) or await visit.aside(lambda: console.newest(visit.store)) is not None
    return visit.page(
        "findings.html", chosen=chosen, logins=logins, standing=standing, older=older, known=known
    )


async def finding(visit: Visit) -> Response:
    """One login with everything that is said of it."""
    login, line = await _login(visit)
    await visit.looked("login", login.identity, event=login.id)

    def more() -> tuple[Login | None, Given | None, str | None, list[Action], list[Named]]:
        store = visit.store
        with store.reading() as connection:
            before = earlier_lines(connection, login.identity, login.time)
        earlier = [read(each, visit.veil) for each in before]
        former = next((e for e in earlier if e.success), earlier[0] if earlier else None)
        verdict = console.verdict_on(store, login.id)
        return former, verdict, console.incident_of(store, login.id), actions_of(
            store, [line], visit.veil
        ), named.others(store, login.id)  # fmt: skip

    former, verdict, incident, asked, others = await visit.aside(more)
    return visit.page(
        "finding.html",
        login=login,
        former=former,
        facts=facts(login, former),
        verdict=verdict,
        incident=incident,
        asked=asked,
        others=others,
        event=msgspec.json.format(msgspec.json.encode(login.event)).decode(),
    )


async def verdict(visit: Visit) -> Response:
    """The form that asks for a verdict."""
    login, _ = await _login(visit)
    kind = visit.request.query_params.get("kind", "")
    return await _form(visit, login, kind if kind in KINDS else "")


async def _form(
    visit: Visit, login: Login, kind: str, why: str = "", problem: str = "", next_: str = ""
) -> Response:
    standing = await visit.aside(lambda: console.verdict_on(visit.store, login.id))
    return visit.page(
        "verdict.html",
        422 if problem else 200,
        login=login,
        kind=kind,
        why=why,
        problem=problem,
        standing=standing,
        most=MOST_WHY,
        next=local(next_ or visit.request.query_params.get("next", f"/findings/{login.id}")),
    )


async def judge(visit: Visit) -> Response:
    """Takes a verdict."""
    fields = await visit.form()
    login, _ = await _login(visit)
    kind, why = fields.get("kind", ""), " ".join(fields.get("why", "").split())
    next_ = fields.get("next", "/")
    if kind not in KINDS:
        return await _form(visit, login, "", why, "Choose what it was.", next_)
    if not why:
        problem = "Say why, so that a colleague can follow it."
        return await _form(visit, login, kind, problem=problem, next_=next_)
    chosen: VerdictKind = next(k for k in KINDS if k == kind)
    amend = fields.get("amend") == "yes"
    try:
        said = GivenVerdict(event_id=login.full, verdict=chosen, why=why[:MOST_WHY], by=visit.name)
        await give(visit.console.context, [said], visit.name, amend=amend)
    except (VerdictError, UsageError) as error:
        return await _form(visit, login, kind, why, str(error), next_)
    return visit.to(local(next_), said="verdict")


async def _login(visit: Visit) -> tuple[Login, bytes]:
    line = await line_of(visit)
    return read(line, visit.veil), line


async def _identity(visit: Visit, given: str) -> str | None:
    """The identity that is meant: by its name, for those who may see names, or by its handle."""
    if not given:
        return None
    names, drawn = visit.console.names, visit.veil.drawn
    found = await visit.aside(lambda: names.identity(given) if names.is_handle(given) else None)
    if found is None and drawn:
        raise RefusedError(
            404, "No such identity", "Follow a link to one: your role sees no names."
        )
    return found or given


def _time(text: str, name: str) -> int | None:
    from datetime import UTC, datetime

    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise RefusedError(
            400, "That is no time", f"{name}: write 2026-11-22 or 2026-11-22T08:00"
        ) from None


def _kept(visit: Visit) -> dict[str, str]:
    """The filters of the page shown, for the link to the next."""
    names = Filter.__struct_fields__
    asked = visit.request.query_params
    return {name: asked[name] for name in names if asked.get(name) and name != "at"}


PAGES = (
    Page("/findings", findings, "viewer"),
    Page("/findings/{id:path}/verdict", verdict, "analyst"),
    Page("/findings/{id:path}/verdict", judge, "analyst", method="POST"),
    Page("/findings/{id:path}", finding, "viewer"),
)
NAV = (Nav(20, "Findings", "/findings"),)
