"""From counts to figures: recall, precision and time at alert budgets, and M1 to M10."""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from quivive.learn.evaluation.bootstrap import RESAMPLES, Estimate, Part, share
from quivive.learn.evaluation.counting import Counted, Operated, Ranked, allowance
from quivive.learn.evaluation.split import Incident

HOUR_MS = 3_600_000
CURVE = (0.0005, 0.0007, 0.001, 0.0014, 0.002, 0.003, 0.004, 0.005, 0.007, 0.01, 0.014, 0.02, 0.03,
         0.05)  # fmt: skip


class Found(Struct, frozen=True):
    """How many of how many incidents were found."""

    found: int
    of: int

    @property
    def recall(self) -> float | None:
        """The share; None of nothing."""
        return self.found / self.of if self.of else None


class Context(Struct, frozen=True):
    """One organisation's share of a comparison: its incidents, judged logins, days of test."""

    incidents: list[Incident]
    logins: int
    attack_logins: int
    days: float


class AtBudget(Struct, frozen=True):
    """What a detector does with one alert budget, a share of all logins.

    alerts_a_day: mean over the days of all organisations. incident_recall: incidents with a login
    told; event_recall: an attacker's logins told; precision: logins told that were an attacker's;
    low_history: logins told on an identity with little history. median_hours: from an incident's
    first login to the first told, where it was found; at_first_login: share of the found ones told
    by their first login. realised_rate, realised_recall: as in operation.
    """

    budget: float
    alerts: int
    alerts_a_day: float
    incident_recall: Estimate
    incidents: Found
    event_recall: float | None
    precision: Estimate
    low_history: float | None
    median_hours: float | None
    at_first_login: float | None
    by_kind: dict[str, Found]
    by_identity_kind: dict[str, Found]
    realised_rate: float
    realised_recall: float | None


class DetectorResult(Struct, frozen=True):
    """One detector over one organisation or several; curve: recall by budget."""

    name: str
    title: str
    at: list[AtBudget]
    curve: list[tuple[float, float]]


class Metric(Struct, frozen=True):
    """One of M1 to M10; value None where it cannot be computed offline, and the note says why."""

    id: str
    title: str
    value: float | None
    unit: str
    goal: str
    note: str = ""


def measured(
    ranked: Sequence[tuple[Context, Ranked]], resamples: int = RESAMPLES
) -> DetectorResult:
    """A detector's figures over one organisation, or over several together.

    Each organisation has the budget of its own logins; incidents and alerts are then added up.
    """
    first = ranked[0][1]
    at = [
        _at([(context, detector.at[number]) for context, detector in ranked], first.name, resamples)
        for number in range(len(first.at))
    ]
    incidents = sum(len(context.incidents) for context, _ in ranked)
    curve = [
        (
            budget,
            sum(
                best is not None and best < allowance(context.logins, budget)
                for context, detector in ranked
                for best in detector.best
            )
            / max(1, incidents),
        )
        for budget in CURVE
    ]
    return DetectorResult(first.name, first.title, at, curve)


def _at(counted: Sequence[tuple[Context, Counted]], name: str, resamples: int) -> AtBudget:
    budget = counted[0][1].budget
    alerts = sum(c.alerts for _, c in counted)
    logins = sum(context.logins for context, _ in counted)
    hits = [found for _, c in counted for found in c.found]
    delays = [delay for _, c in counted for delay in c.delay if delay is not None]
    incidents = [
        (incident, found)
        for context, c in counted
        for incident, found in zip(context.incidents, c.found, strict=True)
    ]
    realised = [found for _, c in counted for found in c.realised_found]
    seed = f"{name} at {budget}"
    return AtBudget(
        budget,
        alerts,
        alerts / sum(context.days for context, _ in counted),
        share([Part(found, 1) for found in hits], f"recall of {seed}", resamples),
        Found(sum(hits), len(hits)),
        _ratio(sum(c.hits for _, c in counted), sum(x.attack_logins for x, _ in counted)),
        share(
            [Part(*identity) for _, c in counted for identity in c.identities],
            f"precision of {seed}",
            resamples,
        ),
        _ratio(sum(c.cold for _, c in counted), alerts),
        median(delays) / HOUR_MS if delays else None,
        _ratio(sum(first for _, c in counted for first in c.at_first), len(delays)),
        _by([(incident.kind, found) for incident, found in incidents]),
        _by([(incident.identity_kind, found) for incident, found in incidents]),
        sum(c.realised for _, c in counted) / max(1, logins),
        _ratio(sum(realised), len(realised)),
    )


def _by(found: Sequence[tuple[str, bool]]) -> dict[str, Found]:
    counts: dict[str, list[int]] = {}
    for key, hit in found:
        mine = counts.setdefault(key, [0, 0])
        mine[0] += hit
        mine[1] += 1
    return {key: Found(*counts[key]) for key in sorted(counts)}


def operational(operated: Sequence[Operated]) -> list[Metric]:
    """M1 to M10 for Quivive with its own threshold, over one organisation or several."""

    def added(name: str) -> int:
        return sum(getattr(o, name) for o in operated)

    findings, true = added("findings"), added("true_findings")
    days = sum(o.days for o in operated)
    delays = sorted(delay for o in operated for delay in o.detected)
    labels = "labels stand for verdicts"
    return [
        Metric("M1", "Anomalous login rate", _ratio(findings, added("logins")), "share",
               "0.1–1 %"),
        Metric("M2", "False positives among findings", _ratio(findings - true, findings), "share",
               "under 10 %", f"{labels}; every finding counts, and repeats of one do too"),
        Metric("M3", "Time to detect", median(delays) / 1000 if delays else None, "seconds",
               "under 30 s",
               "median event time from an incident's first login to its first finding, where there"
               " was one; how long a decision takes is not measurable offline"),
        Metric("M4", "Time to remediate", None, "", "under 5 min if critical",
               "not computable offline: nobody remediates a log"),
        Metric("M5", "Blocked malicious attempts", None, "", "",
               "not computable offline: a log holds what happened, and nothing in it was blocked"),
        Metric("M6", "Service-account anomaly rate",
               _ratio(added("service_findings"), added("service_logins")), "share", "under 0.5 %"),
        Metric("M7", "User impact a week",
               _ratio(added("week_challenged"), added("week_active")), "share", "under 0.01 %",
               "people a week with a login of their own at high risk, where policy would ask for"
               " more, of all people who got in that week"),
        Metric("M8", "Findings a day", findings / days if days else None, "a day", "",
               "mean over all days and organisations"),
        Metric("M9", "Precision of findings", _ratio(true, findings), "share", "over 90 %",
               f"{labels}; bounded by the base rate of the logs"),
        Metric("M10", "Recall of incidents", _ratio(len(delays), added("incidents")), "share",
               "over 80 %"),
    ]  # fmt: skip


def _ratio(top: float, bottom: float) -> float | None:
    return top / bottom if bottom else None
