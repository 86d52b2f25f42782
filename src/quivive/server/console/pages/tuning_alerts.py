"""How much is told: what another budget of findings would have told; and what to look into next."""

from collections import Counter
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from starlette.responses import Response

from quivive.app.asking import next_questions
from quivive.server.console.gather import lines
from quivive.server.console.login import Login, read
from quivive.server.console.page import Page
from quivive.server.console.visit import Visit
from quivive.store import budgets
from quivive.store.budgets import Risky
from quivive.store.verdicts import Asked, Verdicts

DAY = 86_400_000
NAMED = 25
QUESTIONS = 10
SHOWN = 50
STEPS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)  # percent, what the sliders stand for
KINDS = (("human", "people"), ("service", "machines"))
_Step = Annotated[int, Meta(ge=0, le=len(STEPS) - 1)]


class Wanted(Struct, frozen=True):
    """human, service: the number of a step; days: how much history to look at."""

    human: _Step = 4
    service: _Step = 2
    days: Annotated[int, Meta(ge=1, le=366)] = 14


class Told(NamedTuple):
    """What a budget would have told of one kind of identity: how many, from which risk on, and
    whom most; now: how many were told; fresh, gone: told by one of both alone.
    """

    kind: str
    title: str
    step: int
    percent: float
    logins: int
    told: int
    risk: float | None
    now: int
    identities: int
    often: list[tuple[str, int]]
    fresh: list[Risky]
    gone: int


async def alerts(visit: Visit) -> Response:
    """What other budgets would have told."""
    wanted = visit.query(Wanted)
    since = await visit.newest() - wanted.days * DAY

    def look() -> list[Told]:
        return [told(visit, kind, title, getattr(wanted, kind), since) for kind, title in KINDS]

    found = await visit.aside(look)
    return visit.page(
        "tuning_alerts.html", found=found, wanted=wanted, steps=STEPS, last=len(STEPS) - 1
    )


def told(visit: Visit, kind: str, title: str, step: int, since: int) -> Told:
    """The riskiest share of the logins since a time, beside what was told."""
    largest = STEPS[-1] / 100
    count, _ = budgets.riskiest(visit.store, kind, since, 1)
    _, found = budgets.riskiest(visit.store, kind, since, max(1, round(count * largest)) + 1_000)
    many = round(count * STEPS[step] / 100)
    chosen = found[:many]
    often = Counter(one.identity for one in chosen)
    visit.veil.know(*often)
    return Told(
        kind,
        title,
        step,
        STEPS[step],
        count,
        len(chosen),
        chosen[-1].risk if chosen else None,
        sum(one.finding for one in found),
        len(often),
        sorted(often.items(), key=lambda item: (-item[1], item[0]))[:NAMED],
        [one for one in chosen if not one.finding][:NAMED],
        sum(one.finding for one in found[many:]),
    )


class Question(NamedTuple):
    """A login to look into, and why that one."""

    login: Login
    asked: Asked


async def queue(visit: Visit) -> Response:
    """Logins that were drawn and that nobody has judged yet."""

    def look() -> tuple[list[Question], int, int]:
        kept = Verdicts(visit.store)
        standing, asked = kept.standing(), kept.asked()
        waiting = [one for one in asked.values() if one.event_id not in standing]
        bodies = lines(visit.store, [one.event_id for one in waiting[:500]])
        found = [
            Question(read(bodies[one.event_id], visit.veil), one)
            for one in waiting
            if one.event_id in bodies
        ]
        found.sort(key=lambda q: (q.asked.at_random, -q.login.risk_score, q.login.id))
        return found[:SHOWN], len(standing), sum(a.at_random for a in asked.values())

    found, verdicts, at_random = await visit.aside(look)
    return visit.page(
        "tuning_verdicts.html", found=found, verdicts=verdicts, at_random=at_random,
        draw=QUESTIONS,
    )  # fmt: skip


async def ask(visit: Visit) -> Response:
    """Draws the next ones: the most telling, and one in ten at random."""
    await visit.form()
    await visit.console.context.parsing(lambda: next_questions(visit.store, QUESTIONS))
    return visit.to("/tuning/verdicts", said="drawn")


PAGES = (
    Page("/tuning/alerts", alerts, "analyst"),
    Page("/tuning/verdicts", queue, "analyst"),
    Page("/tuning/verdicts/ask", ask, "analyst", method="POST"),
)
