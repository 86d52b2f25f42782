"""How much is told: what another budget of findings would have told; and what to look into next."""

from collections import Counter
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.responses import Response

from quivive.app.asking import next_questions
from quivive.app.errors import UsageError
from quivive.model.assessment import FINDING
from quivive.model.verdict import MOST_WHY
from quivive.policy.budget import ALL, BudgetError
from quivive.server.console.gather import lines
from quivive.server.console.login import Login, read
from quivive.server.console.page import Page
from quivive.server.console.visit import Visit
from quivive.server.waiting import act
from quivive.store import budgets
from quivive.store.budgets import Risky
from quivive.store.models import Author
from quivive.store.verdicts import Asked, Verdicts

DAY = 86_400_000
NAMED = 25
QUESTIONS = 10
SHOWN = 50
USUAL = {"human": 4, "service": 2}  # steps that the sliders stand at where nothing holds
STEPS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)  # percent, what the sliders stand for
KINDS = (("human", "people"), ("service", "machines"))
_Step = Annotated[int, Meta(ge=0, le=len(STEPS) - 1)]


class Wanted(Struct, frozen=True):
    """human, service: the number of a step, None for the one nearest to what holds; days: how much
    history to look at.
    """

    human: _Step | None = None
    service: _Step | None = None
    days: Annotated[int, Meta(ge=1, le=366)] = 14


class Told(NamedTuple):
    """What a budget would have told of one kind of identity: how many, from which risk on, and
    whom most; now: how many were told; fresh, gone: told by one of both alone. holds: the budget
    in force, as it is written; "" for none. threshold: the risk from which is told by now.
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
    holds: str
    threshold: float


async def alerts(visit: Visit) -> Response:
    """What other budgets would have told, beside those that hold."""
    return await _page(visit, visit.query(Wanted))


async def _page(visit: Visit, wanted: Wanted, problem: str = "") -> Response:
    since = await visit.newest() - wanted.days * DAY
    judging = visit.console.context.judge.judging

    def look() -> list[Told]:
        return [told(visit, kind, title, getattr(wanted, kind), since) for kind, title in KINDS]

    found = await visit.aside(look)
    return visit.page(
        "tuning_alerts.html", 422 if problem else 200, found=found, wanted=wanted, steps=STEPS,
        last=len(STEPS) - 1, given=judging.own_budgets, problem=problem, most_why=MOST_WHY,
    )  # fmt: skip


def told(visit: Visit, kind: str, title: str, asked: int | None, since: int) -> Told:
    """The riskiest share of the logins since a time, beside what was told."""
    judging = visit.console.context.judge.judging
    budgets_now = judging.budgets.by_class
    holds = budgets_now.get(kind) or budgets_now.get(ALL)
    held = judging.live.state.thresholds.by_class.get(kind if kind in budgets_now else ALL)
    share = None
    if holds is not None and not holds.daily:
        share = holds.amount * 100
    elif holds is not None and held is not None:
        share = held.share * 100
    step = _nearest(share, kind) if asked is None else asked
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
        str(holds) if holds is not None else "",
        held.value if held is not None and holds is not None else FINDING,
    )


def _nearest(percent: float | None, kind: str) -> int:
    if percent is None:
        return USUAL[kind]
    return min(range(len(STEPS)), key=lambda n: abs(STEPS[n] - percent))


async def hold(visit: Visit) -> Response:
    """Saves a budget: what is told moves there from the next login on."""
    fields = await visit.form()
    of, text = fields.get("of", ""), fields.get("budget", "").strip()
    why = " ".join(fields.get("why", "").split())[:MOST_WHY]
    wanted = Wanted()
    if fields.get("step", "").isdecimal() and int(fields["step"]) < len(STEPS) and of in USUAL:
        wanted = replace(wanted, **{of: int(fields["step"])})
    if not why:
        return await _page(visit, wanted, "Say why: the history keeps it.")
    author = Author(visit.name, why, visit.now)
    judge = visit.console.context.judge
    try:
        await act(judge, lambda judging: judging.save_budget(of, text, author))
    except (BudgetError, UsageError) as error:
        return await _page(visit, wanted, str(error))
    return visit.to("/tuning/alerts", said="budget")


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
    Page("/tuning/alerts", hold, "admin", method="POST"),
    Page("/tuning/verdicts", queue, "analyst"),
    Page("/tuning/verdicts/ask", ask, "analyst", method="POST"),
)
