"""What a stretch of time came to, for those who answer for it: M1 to M10, trends, incidents.

Everything is computed from the store, in event time, so that the same store gives the same report.
Where a metric cannot be computed, its note says why, and what would make it so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median

from msgspec import Struct

from quivive.app.measures import FEWEST_ATTACKS, Measures, measure
from quivive.app.responding import read_intended
from quivive.app.weekly_findings import Notable, notable
from quivive.incidents.rules import Rules
from quivive.learn.evaluation.metrics import Metric
from quivive.learn.quality import FEWEST
from quivive.model.incident import PRIORITIES, Incident
from quivive.model.response import CONTAINMENT
from quivive.store import trends
from quivive.store.database import Store
from quivive.store.verdicts import Verdicts

DAY = 86_400_000
WEEK = 7 * DAY
WEEKS = 8  # of the trends
HISTORY = DAY  # what was decided later than this after its login was read in as history
IN_TIME = 5 * 60_000  # M4, of what is critical
MOST_INCIDENTS = 5_000
MOST_ACTIONS = 20_000
SERVICES = 10


class Point(Struct, frozen=True, kw_only=True):
    """One day: begin in ms UTC, logins and findings, and those of machines."""

    begin: int
    logins: int = 0
    findings: int = 0
    service_logins: int = 0
    service_findings: int = 0

    @property
    def rate(self) -> float | None:
        """M1 of the day."""
        return self.findings / self.logins if self.logins else None


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


class Line(Struct, frozen=True, kw_only=True):
    """A metric as it is shown: its value before (None for none), and whether its goal is met."""

    metric: Metric
    before: float | None = None
    met: bool | None = None


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
    actions = _actions(store, since, until)
    measured = measure(store)
    return Weekly(
        since=since,
        until=until,
        made=made,
        logins=sum(p.logins for p in mine),
        findings=sum(p.findings for p in mine),
        metrics=_metrics(mine, before, actions, measured, found, length),
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


class _Actions(Struct):
    """What was asked of vendors: how long containments took from the login, and to be decided."""

    took: list[int] = []
    critical: list[int] = []
    decided: list[int] = []
    failed: int = 0
    history: int = 0


def _actions(store: Store, since: int, until: int) -> _Actions:
    found = _Actions([], [], [])
    # Rows are made by the wall clock, logins have their own: those read in late are looked at, too.
    for body, state in trends.sent(store, "response", since, 1 << 62, MOST_ACTIONS):
        intended = read_intended(body)
        if intended is None or not since <= intended.request.time < until:
            continue
        request = intended.request
        if request.decided - request.time > HISTORY:
            found.history += 1
            continue
        found.decided.append(max(0, request.decided - request.time))
        if request.action not in CONTAINMENT:
            continue
        ended = [r.ended for r in intended.results.values() if r.status == "done" and r.ended]
        if ended:
            took = max(0, min(ended) - request.time)
            found.took.append(took)
            if request.risk_level == "critical":
                found.critical.append(took)
        found.failed += state == "dead"
    return found


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


# --- M1 to M10


def _metrics(
    mine: Sequence[Point],
    before: Sequence[Point],
    actions: _Actions,
    measured: Measures,
    found: Sequence[Incident],
    length: int,
) -> list[Line]:
    rate, was = _rate(mine), _rate(before)
    machines, machines_were = _rate(mine, "service_"), _rate(before, "service_")
    days = length / DAY
    told = sum(i.told_times for i in found)
    contained = len(actions.took)
    history = ""
    if actions.history:
        history = f"; {actions.history} were decided over history, which says nothing of delay"
    verdicts = (
        f"takes {FEWEST} verdicts on findings; give them on the findings, or with quivive verdict"
    )
    return [
        Line(
            metric=Metric("M1", "Anomalous login rate", rate, "share", "0.1–1 %",
                          "" if rate is not None else "no login in this time"),
            before=was, met=None if rate is None else 0.001 <= rate <= 0.01,
        ),
        _share("M2", "False positives among findings", measured.false_positives, "under 10 %",
               verdicts, 0.10, at_most=True),
        _seconds("M3", "Time to detect", [t / 1000 for t in actions.decided], "under 30 s", 30.0,
                 "nothing was asked of a vendor for a login as it came, so when a decision fell is"
                 " not kept; a running server has it at /metrics (quivive_detection_seconds)"
                 + history),
        _seconds("M4", "Time to remediate, critical", [t / 1000 for t in actions.critical],
                 "under 5 min if critical", 300.0,
                 "nothing critical was contained: no rule acts (canary or enforce), or no vendor is"
                 " connected" + history),
        Line(metric=Metric("M5", "Blocked malicious attempts", float(contained), "", "",
                           "logins on which a containment was done at a vendor" if contained else
                           "none: see how many would have been in the preview of the policy")),
        Line(
            metric=Metric("M6", "Service-account anomaly rate", machines, "share", "under 0.5 %",
                          "" if machines is not None else "no machine logged in"),
            before=machines_were, met=None if machines is None else machines < 0.005,
        ),
        _share("M7", "User impact a week", measured.user_impact, "under 0.01 %",
               "no person logged in within the last week", 0.0001, at_most=True),
        Line(metric=Metric("M8", "Alerts a day", told / days if days else None, "a day", "",
                           "times that people were told of incidents")),
        _share("M9", "Precision of findings", measured.precision, "over 90 %", verdicts, 0.9,
               at_most=False),
        _share("M10", "Recall", measured.recall, "over 80 %",
               f"takes {FEWEST_ATTACKS} confirmed attacks, and verdicts on the random slice that"
               " quivive verdict next asks about", 0.8, at_most=False),
    ]  # fmt: skip


def _rate(points: Iterable[Point], of: str = "") -> float | None:
    some = list(points)
    logins = sum(getattr(p, f"{of}logins") for p in some)
    return sum(getattr(p, f"{of}findings") for p in some) / logins if logins else None


def _share(
    name: str, title: str, value: float | None, goal: str, missing: str, bound: float, *,
    at_most: bool,
) -> Line:  # fmt: skip
    met = None if value is None else (value <= bound if at_most else value >= bound)
    note = "of all verdicts so far"
    if name == "M7":
        note = "people on whom a containment acted and whose login a verdict calls in order"
    return Line(
        metric=Metric(name, title, value, "share", goal, note if value is not None else missing),
        met=met,
    )


def _seconds(
    name: str, title: str, values: Sequence[float], goal: str, bound: float, missing: str
) -> Line:
    value = median(values) if values else None
    note = f"median of {len(values)}" if values else missing
    return Line(
        metric=Metric(name, title, value, "seconds", goal, note),
        met=None if value is None else value < bound,
    )


def day(time: int) -> str:
    """A day in words."""
    at = datetime.fromtimestamp(time / 1000, UTC)
    return f"{at.day} {at:%b %Y}"
