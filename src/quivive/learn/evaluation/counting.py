"""Counts of one organisation: what each detector finds in it at each alert budget.

Nothing is divided yet, so that the counts of several organisations can be added up.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from heapq import nlargest
from math import inf

from msgspec import Struct

from quivive.baseline.tables import DAY_MS
from quivive.learn.evaluation.rows import QUIVIVE, Rows
from quivive.learn.evaluation.split import Trial
from quivive.model.assessment import HIGH
from quivive.policy.budget import ALL, Budget, Budgets, Thresholds, judge

BUDGETS = (0.001, 0.003, 0.005, 0.01)
ONLINE_DAYS = 14
WEEK_MS = 7 * DAY_MS


class Counted(Struct, frozen=True):
    """What one detector found at one budget, a share of the test window's logins.

    alerts: the logins told; hits: those that were an attacker's; cold: those on an identity with
    little history. found, delay, at_first: for each incident whether it was told, how long after
    its first login (ms), and whether by that login. identities: (hits, alerts) of each identity
    told. realised, realised_found: alerts and incidents as in operation: Quivive's own controller
    holds the budget; for others the fourteen days before each day set its threshold.
    """

    budget: float
    alerts: int
    hits: int
    cold: int
    found: list[bool]
    delay: list[int | None]
    at_first: list[bool]
    identities: list[tuple[int, int]]
    realised: int
    realised_found: list[bool]


class Ranked(Struct, frozen=True):
    """One detector in one organisation: counts by budget, and the best rank of each incident.

    best: 0 for the most suspicious login; None for an incident it said nothing about.
    """

    name: str
    title: str
    at: list[Counted]
    best: list[int | None]


class Operated(Struct, frozen=True):
    """Quivive with its own threshold, as counts for the metrics M1 to M10.

    week_challenged, week_active: people of each week with a login of their own at high risk, and
    all people who got in. detected: ms from the first login to the first finding.
    """

    logins: int
    findings: int
    true_findings: int
    service_logins: int
    service_findings: int
    week_challenged: int
    week_active: int
    incidents: int
    detected: list[int]
    days: float


def allowance(logins: int, budget: float) -> int:
    """How many alerts a budget (a share) allows for so many logins."""
    return int(logins * budget + 1e-9)


def ranking(rows: Rows, trial: Trial, detector: str) -> list[int]:
    """The judged rows, most suspicious first, without those the detector cannot judge.

    Equal scores stand in the order of a hash of the event's id: by chance, and never by label.
    """
    scores, event = rows.scores[detector], rows.event
    judged = [row for row in trial.rows if scores[row] != -inf]
    return sorted(judged, key=lambda row: (-scores[row], event[row]))


def count(
    rows: Rows, trial: Trial, detector: str, title: str, budgets: Sequence[float] = BUDGETS
) -> Ranked:
    """Everything about one detector that is measured."""
    ranked = ranking(rows, trial, detector)
    best: list[int | None] = [None] * len(trial.incidents)
    for rank, row in enumerate(ranked):
        incident = trial.incident.get(row)
        if incident is not None and best[incident] is None:
            best[incident] = rank
    online = (
        [_controlled(rows, trial, budget) for budget in budgets]
        if detector == QUIVIVE
        else _online(rows, trial, detector, budgets)
    )
    at = []
    for budget, told in zip(budgets, online, strict=True):
        top = ranked[: allowance(len(trial.rows), budget)]
        identities: dict[int, list[int]] = {}
        for row in top:
            mine = identities.setdefault(rows.identity[row], [0, 0])
            mine[0] += row in trial.incident
            mine[1] += 1
        delay, at_first = _first_told(rows, trial, top)
        at.append(
            Counted(
                budget,
                len(top),
                sum(row in trial.incident for row in top),
                sum(rows.cold[row] for row in top),
                [time is not None for time in delay],
                delay,
                at_first,
                [(hits, alerts) for hits, alerts in identities.values()],
                len(told),
                [time is not None for time in _first_told(rows, trial, told)[0]],
            )
        )
    return Ranked(detector, title, at, best)


def operated(rows: Rows, trial: Trial) -> Operated:
    """What Quivive tells by its own threshold."""
    told = [row for row in trial.rows if rows.finding[row]]
    delay, _ = _first_told(rows, trial, told)
    weeks = max(1, int((trial.end - trial.split) / WEEK_MS))  # the rest of a week is left out
    challenged: set[tuple[int, int]] = set()
    active: set[tuple[int, int]] = set()
    for row in trial.rows:
        week = (rows.time[row] - trial.split) // WEEK_MS
        if week < weeks and rows.got_in[row] and not rows.service[row]:
            if row not in trial.incident:
                active.add((week, rows.identity[row]))
                if rows.undamped[row] >= HIGH:
                    challenged.add((week, rows.identity[row]))
    return Operated(
        len(trial.rows),
        len(told),
        sum(row in trial.incident for row in told),
        sum(rows.service[row] for row in trial.rows),
        sum(rows.service[row] for row in told),
        len(challenged),
        len(active),
        len(trial.incidents),
        [time for time in delay if time is not None],
        trial.days,
    )


def _first_told(
    rows: Rows, trial: Trial, told: Sequence[int]
) -> tuple[list[int | None], list[bool]]:
    """For each incident: from its first login to the first one told (ms), and if they are one."""
    first: dict[int, int] = {}
    for row in told:
        mine = trial.incident.get(row)
        if mine is not None:
            first[mine] = min(row, first.get(mine, row))
    delay: list[int | None] = []
    at_first = []
    for number, incident in enumerate(trial.incidents):
        row = first.get(number, -1)
        delay.append(rows.time[row] - rows.time[incident.rows[0]] if row >= 0 else None)
        at_first.append(row >= 0 and row == incident.rows[0])
    return delay, at_first


def _controlled(rows: Rows, trial: Trial, share: float) -> list[int]:
    """The rows that Quivive tells when its own controller holds the budget from the first day."""
    judged, budgets = set(trial.rows), Budgets({ALL: Budget(share, daily=False)})
    names, thresholds, told = rows.identity_names.names, Thresholds(), []
    for row, risk in enumerate(rows.scores[QUIVIVE]):
        kind = "service" if rows.service[row] else "human"
        identity = names[rows.identity[row]]
        if judge(risk, identity, kind, rows.time[row], thresholds, budgets).finding:
            told.append(row)
    return [row for row in told if row in judged]


def _online(rows: Rows, trial: Trial, detector: str, budgets: Sequence[float]) -> list[list[int]]:
    """By budget, the rows told when each day's threshold comes from the days before it alone."""
    scores, event = rows.scores[detector], rows.event
    judged = set(trial.rows)
    days = _days(rows)
    # No more of one day can matter than the budget of a whole fortnight.
    keep = allowance(ONLINE_DAYS * max(map(len, days)), max(budgets))
    told: list[list[int]] = [[] for _ in budgets]
    past: deque[tuple[int, list[tuple[float, int]]]] = deque(maxlen=ONLINE_DAYS)
    for day in days:
        evaluable = [row for row in day if scores[row] != -inf]
        if rows.time[day[-1]] >= trial.split and past:
            total = sum(logins for logins, _ in past)
            ranked = sorted((rank for _, top in past for rank in top), reverse=True)
            for budget, mine in zip(budgets, told, strict=True):
                allowed = allowance(total, budget)
                last = ranked[allowed - 1] if 0 < allowed <= len(ranked) else (-inf, 0)
                mine.extend(
                    row
                    for row in evaluable
                    if allowed and row in judged and (scores[row], event[row]) > last
                )
        past.append((len(day), nlargest(keep, ((scores[row], event[row]) for row in evaluable))))
    return told


def _days(rows: Rows) -> list[range]:
    """The rows of each day (UTC) that has any."""
    found = []
    start = 0
    while start < len(rows):
        midnight = (rows.time[start] // DAY_MS + 1) * DAY_MS
        end = bisect_right(rows.time, midnight - 1, start)
        found.append(range(start, end))
        start = end
    return found
