"""M1 to M10 over a stretch of time, each with its goal, its value before, and why it is missing."""

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from quivive.app.measures import FEWEST_ATTACKS, Measures
from quivive.app.responding import read_intended
from quivive.learn.evaluation.metrics import Metric
from quivive.learn.quality import FEWEST
from quivive.model.incident import Incident
from quivive.model.response import CONTAINMENT
from quivive.store import trends
from quivive.store.database import Store

DAY = 86_400_000
HISTORY = DAY  # what was decided later than this after its login was read in as history
MOST_ACTIONS = 20_000


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


class Line(Struct, frozen=True, kw_only=True):
    """A metric as it is shown: its value before (None for none), and whether its goal is met."""

    metric: Metric
    before: float | None = None
    met: bool | None = None


class Actions(Struct):
    """What was asked of vendors: how long containments took from the login, and to be decided."""

    took: list[int] = []
    critical: list[int] = []
    decided: list[int] = []
    failed: int = 0
    history: int = 0


def actions_within(store: Store, since: int, until: int) -> Actions:
    """What was asked about logins from ``since`` until just before ``until``, ms UTC."""
    found = Actions([], [], [])
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


def metrics(
    mine: Sequence[Point],
    before: Sequence[Point],
    actions: Actions,
    measured: Measures,
    found: Sequence[Incident],
    length: int,
) -> list[Line]:
    """All ten. mine, before: the days of the stretch and of the one before; length: ms."""
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
               " quivive verdict ask asks about", 0.8, at_most=False),
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
