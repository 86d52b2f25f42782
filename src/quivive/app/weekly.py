"""What a stretch of time came to, for those who answer for it: M1 to M10, trends, incidents.

Everything is computed from the store, in event time, so that the same store gives the same report.
Where a metric cannot be computed, its note says why, and what would make it so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median

from msgspec import Struct

from quivive.app.measures import measure
from quivive.app.weekly_findings import Notable, notable
from quivive.app.weekly_metrics import DAY, Line, Point, actions_within, metrics
from quivive.incidents.rules import Rules
from quivive.model.incident import PRIORITIES, Incident
from quivive.store import trends
from quivive.store.database import Store
from quivive.store.verdicts import Verdicts

WEEK = 7 * DAY
WEEKS = 8  # of the trends
IN_TIME = 5 * 60_000  # M4, of what is critical
MOST_INCIDENTS = 5_000
SERVICES = 10


class Judged(Struct, frozen=True, kw_only=True):
    """The findings of one week that somebody judged: begin in ms UTC."""

    begin: int
    verdicts: int
    false_positives: int
    attacks: int

    @property
    def rate(self) -> float | None:
        """M2 of the week, by its verdicts alone."""
        return self.false_positives / self.verdicts if self.verdicts else None


class Service(Struct, frozen=True, kw_only=True):
    """A service that incidents were about."""

    name: str
    incidents: int
    findings: int
    urgent: int
    got_in: int


class Answering(Struct, frozen=True, kw_only=True):
    """How incidents of one priority were answered: within, of all. patience: ms; None for none.

    answered: somebody acknowledged or judged it; late: after its patience; open: nobody has.
    """

    priority: str
    incidents: int
    answered: int
    late: int
    open: int
    patience: int | None
    median: int | None = None


class Weekly(Struct, frozen=True, kw_only=True):
    """The whole report. since, until: ms UTC, until exclusive. before: the stretch before it."""

    since: int
    until: int
    made: int
    logins: int
    findings: int
    metrics: list[Line]
    daily: list[Point]
    judged: list[Judged]
    incidents: dict[str, int]
    incidents_before: int
    campaigns: int
    got_in: int
    containment_failed: int
    answering: list[Answering]
    services: list[Service]
    notable: list[Notable]
    contained: int
    contained_in_time: int
    failed_actions: int
    verdicts: int

    @property
    def days(self) -> float:
        """How many days it is about."""
        return (self.until - self.since) / DAY

    @property
    def rate(self) -> float | None:
        """M1."""
        return self.findings / self.logins if self.logins else None


def span(store: Store, since: int | None, until: int | None) -> tuple[int, int]:
    """The stretch of a report: by default the seven days up to the newest login's day."""
    horizon = Verdicts(store).horizon()
    newest = horizon[1] if horizon is not None else 0
    end = until if until is not None else (newest // DAY + 1) * DAY
    return (since if since is not None else end - WEEK), end


def weekly(
    store: Store, made: int, since: int | None = None, until: int | None = None,
    rules: Rules | None = None,
) -> Weekly:  # fmt: skip
    """Computes a report. made: ms UTC, when it is made. It blocks."""
    since, until = span(store, since, until)
    length = until - since
    daily = _daily(store, min(since, until - WEEKS * WEEK), until)
    mine = [p for p in daily if since <= p.begin < until]
    before = _daily(store, since - length, since)
    found = trends.incidents_within(store, since, until, MOST_INCIDENTS)
    earlier = trends.incidents_within(store, since - length, since, MOST_INCIDENTS)
    actions = actions_within(store, since, until)
    measured = measure(store)
    return Weekly(
        since=since,
        until=until,
        made=made,
        logins=sum(p.logins for p in mine),
        findings=sum(p.findings for p in mine),
        metrics=metrics(mine, before, actions, measured, found, length),
        daily=daily,
        judged=_judged(store, until),
        incidents={p: sum(i.priority == p for i in found) for p in PRIORITIES},
        incidents_before=len(earlier),
        campaigns=sum(i.campaign for i in found),
        got_in=sum(i.got_in for i in found),
        containment_failed=sum(i.containment_failed for i in found),
        answering=_answering(found, rules or Rules()),
        services=_services(found),
        notable=notable(store, since, until),
        contained=len(actions.took),
        contained_in_time=sum(took <= IN_TIME for took in actions.took),
        failed_actions=actions.failed,
        verdicts=measured.verdicts,
    )


# --- parts


def _daily(store: Store, since: int, until: int) -> list[Point]:
    """Every day, those without a login too."""
    found: dict[int, dict[str, int]] = {}
    for day in trends.days(store, since, until):
        mine = found.setdefault(day.number, {})
        mine["logins"] = mine.get("logins", 0) + day.logins
        mine["findings"] = mine.get("findings", 0) + day.findings
        if day.kind == "service":
            mine["service_logins"], mine["service_findings"] = day.logins, day.findings
    if not found:
        return []
    first = max(since // DAY, min(found))
    return [Point(begin=n * DAY, **found.get(n, {})) for n in range(first, -(-until // DAY))]


def _judged(store: Store, until: int) -> list[Judged]:
    """Verdicts on findings by the week of the login, the oldest week first."""
    standing = Verdicts(store).standing()
    weeks: dict[int, Counter[str]] = {}
    for event_id, (time, finding) in trends.verdict_times(store, list(standing)).items():
        back = (until - 1 - time) // WEEK
        if finding and 0 <= back < WEEKS:
            weeks.setdefault(back, Counter())[standing[event_id].verdict.kind] += 1
    return [
        Judged(
            begin=until - (back + 1) * WEEK,
            verdicts=sum(weeks[back].values()),
            false_positives=weeks[back]["false_positive"],
            attacks=weeks[back]["true_positive"],
        )
        for back in sorted(weeks, reverse=True)
    ]


def _answering(found: Sequence[Incident], rules: Rules) -> list[Answering]:
    made = []
    for priority in PRIORITIES:
        mine = [i for i in found if i.priority == priority]
        if not mine:
            continue
        patience = rules.patience.get(priority) or None
        waits = [i.acknowledged_at - i.opened for i in mine if i.acknowledged_at]
        live = [wait for wait in waits if 0 <= wait <= WEEK]
        late = sum(i.escalated > 0 for i in mine) if patience else 0
        made.append(
            Answering(
                priority=priority,
                incidents=len(mine),
                answered=sum(bool(i.acknowledged_at or i.judged) for i in mine),
                late=late,
                open=sum(i.status == "open" for i in mine),
                patience=patience,
                median=int(median(live)) if live else None,
            )
        )
    return made


def _services(found: Iterable[Incident]) -> list[Service]:
    by_name: dict[str, list[tuple[Incident, int]]] = {}
    for incident in found:
        for name, count in incident.services.items():
            by_name.setdefault(name, []).append((incident, count))
    services = [
        Service(
            name=name,
            incidents=len(mine),
            findings=sum(count for _, count in mine),
            urgent=sum(i.priority in ("P1", "P2") for i, _ in mine),
            got_in=sum(i.got_in for i, _ in mine),
        )
        for name, mine in by_name.items()
    ]
    return sorted(services, key=lambda s: (-s.urgent, -s.findings, s.name))[:SERVICES]


def day(time: int) -> str:
    """A day in words."""
    at = datetime.fromtimestamp(time / 1000, UTC)
    return f"{at.day} {at:%b %Y}"
