"""``GET /metrics``: M1 to M10, lag, queues, rejects and costs, in Prometheus' text format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from quivive.app.measures import Measures
from quivive.incidents.slo import DECIDED_IN_TIME, left
from quivive.server.context import Context
from quivive.server.figures import Figures, Histogram
from quivive.server.guardrail import STEPS
from quivive.server.http import Reply, Request

TEXT = b"text/plain; version=0.0.4; charset=utf-8"
KINDS = ("human", "service")

_Labels = TypeVar("_Labels", bound=tuple[object, ...])


class Collector:
    """Reads the counters when it is asked."""

    def __init__(self, context: Context, measures: Callable[[], Measures]) -> None:
        """measures: those of the last look into the store."""
        self.context = context
        self.measures = measures

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        figures = self.context.figures
        now = self.context.clock()
        yield from _logins(figures, now)
        yield from _work(self.context, figures, now)
        yield from _clocks(figures)
        yield from _looked(self.measures())
        yield from _fetches(self.context, now)
        yield from _topics(self.context)
        yield from _responses(self.context)


def _counter(
    name: str, text: str, labels: Sequence[str], counts: Mapping[_Labels, int]
) -> CounterMetricFamily:
    """One counter of several labels, of which others may be added meanwhile."""
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in list(counts.items()):
        family.add_metric([str(value) for value in values], count)
    return family


def _logins(figures: Figures, now: int) -> Iterator[Metric]:
    logins = CounterMetricFamily("quivive_logins", "Logins judged.", labels=["kind"])
    for kind, count in figures.logins.items():
        logins.add_metric([kind], count)
    yield logins
    yield _counter("quivive_findings", "Findings told.", ["kind", "level"], figures.findings)
    yield _counter(
        "quivive_decisions", "Decisions by action and mode.", ["action", "mode"], figures.decisions
    )
    share = GaugeMetricFamily(
        "quivive_anomalous_login_ratio",
        "M1, and M6 with kind=service: findings of the logins judged in 24 hours.",
        labels=["kind"],
    )
    total = told = 0
    for kind in KINDS:
        mine, found = figures.hours.sum(kind, now), figures.hours.sum(f"{kind} findings", now)
        total, told = total + mine, told + found
        if mine:
            share.add_metric([kind], found / mine)
    if total:
        share.add_metric(["all"], told / total)
    yield share
    yield CounterMetricFamily(
        "quivive_contained_logins",
        "M5: logins that were blocked, challenged or revoked (canary or enforce).",
        value=figures.contained,
    )
    yield _histogram(
        "quivive_detection_seconds",
        "M3: from a login to its finding, for logins of the last 24 hours.",
        figures.detection,
    )
    yield GaugeMetricFamily(
        "quivive_slo_budget_left_ratio",
        f"Error budget left over three days: {DECIDED_IN_TIME.title}.",
        value=left(DECIDED_IN_TIME, figures.burn, now),
    )


def _clocks(figures: Figures) -> Iterator[Metric]:
    ahead = GaugeMetricFamily(
        "quivive_source_clock_ahead_seconds",
        "By how much a source's clock is ahead of this one, at least.",
        labels=["source"],
    )
    delay = GaugeMetricFamily(
        "quivive_source_delay_seconds",
        "From an event to its arrival: the least (0: none was measured less), median, 99 %.",
        labels=["source", "quantile"],
    )
    for source, clock in list(figures.clocks.sources.items()):
        delays = clock.delays
        if not delays.count:
            continue
        ahead.add_metric([source], clock.ahead / 1000)
        delay.add_metric([source, "0"], delays.least / 1000)
        for share in (0.5, 0.99):
            delay.add_metric([source, f"{share:g}"], delays.quantile(share) / 1000)
    yield from (ahead, delay)


def _work(context: Context, figures: Figures, now: int) -> Iterator[Metric]:
    yield _counter(
        "quivive_records",
        "Records by source: event, and over all sources known, skip and reject.",
        ["source", "outcome"],
        figures.records,
    )
    yield _counter(
        "quivive_sigma_matches",
        "Logins that a Sigma rule matched, by its id and mode.",
        ["rule", "mode"],
        figures.rules,
    )
    yield _counter(
        "quivive_requests", "Requests answered.", ["method", "route", "status"], figures.requests
    )
    yield _counter(
        "quivive_fallbacks",
        "Logins answered by the caller's fallback, by cause.",
        ["cause", "answer"],
        figures.fallbacks,
    )
    urgent, bulk = context.judge.waiting
    queue = GaugeMetricFamily("quivive_waiting", "Logins and events that wait.", labels=["queue"])
    queue.add_metric(["assess"], urgent)
    queue.add_metric(["events"], bulk)
    yield queue
    if figures.newest:
        yield GaugeMetricFamily(
            "quivive_lag_seconds",
            "F3: from the newest login judged to now.",
            value=max(0.0, (now - figures.newest) / 1000),
        )
    for name, stage in figures.stages.items():
        yield _histogram(f"quivive_{name}_seconds", f"Cost of the stage {name} a group.", stage)
    yield _histogram("quivive_assess_seconds", "From asking to the answer.", figures.answered)
    yield from _cost(figures)
    yield CounterMetricFamily(
        "quivive_store_failures", "Times the store could not keep.", value=figures.store_failures
    )
    yield GaugeMetricFamily(
        "quivive_ready", "1 when logins are judged.", value=context.judge.problem is None
    )


def _cost(figures: Figures) -> Iterator[Metric]:
    guardrail = figures.guardrail
    yield CounterMetricFamily(
        "quivive_short_road_logins",
        "S4: logins like one of the same hour, that were not weighed anew.",
        value=figures.short_road,
    )
    cost = GaugeMetricFamily(
        "quivive_cost_seconds_per_million_logins",
        "S4: of the processor, for judging and keeping. Absent while too little was judged.",
    )
    if guardrail.cost is not None:
        cost.add_metric([], guardrail.cost)
    yield cost
    budget = GaugeMetricFamily(
        "quivive_cost_budget_seconds_per_million_logins", "S4: what it may be, where that is set."
    )
    if guardrail.budget is not None:
        budget.add_metric([], guardrail.budget)
    yield budget
    steps = GaugeMetricFamily(
        "quivive_guardrail", "1 when the guardrail leaves this out for its cost.", labels=["step"]
    )
    for step in STEPS:
        steps.add_metric([step.name], step in guardrail.in_force)
    yield steps


def _looked(found: Measures) -> Iterator[Metric]:
    shares = (
        ("quivive_false_positive_ratio", "M2, by verdicts.", found.false_positives),
        (
            "quivive_user_impact_ratio",
            "M7: people kept out wrongly, of a week's.",
            found.user_impact,
        ),
        ("quivive_precision_ratio", "M9, by verdicts.", found.precision),
        (
            "quivive_recall_ratio",
            "M10, by verdicts on findings and on a random slice.",
            found.recall,
        ),
    )
    for name, about, value in shares:
        family = GaugeMetricFamily(name, f"{about} Absent while too little is known.")
        if value is not None:
            family.add_metric([], value)
        yield family
    yield GaugeMetricFamily("quivive_verdicts", "Verdicts that stand.", value=found.verdicts)
    yield CounterMetricFamily(
        "quivive_alerts",
        "M8: times that people were told of incidents.",
        value=found.incidents.get("told", 0),
    )
    incidents = GaugeMetricFamily("quivive_incidents", "Incidents.", labels=["status"])
    for status in ("open", "acknowledged", "closed"):
        incidents.add_metric([status], found.incidents.get(status, 0))
    yield incidents
    outbox = GaugeMetricFamily("quivive_outbox", "Rows of the outbox.", labels=["kind", "state"])
    for labels, count in found.outbox.items():
        outbox.add_metric(list(labels), count)
    yield outbox
    yield GaugeMetricFamily(
        "quivive_dead_letters", "Records that could not be read.", value=found.dead_letters
    )


def _fetches(context: Context, now: int) -> Iterator[Metric]:
    if not context.fetched:
        return
    behind = GaugeMetricFamily(
        "quivive_fetch_behind_seconds",
        "Back to when everything of a vendor's log is fetched. Absent before the first round.",
        labels=["connection"],
    )
    success = GaugeMetricFamily(
        "quivive_fetch_success_timestamp_seconds",
        "When a vendor's log was last fetched to its end.",
        labels=["connection"],
    )
    records = CounterMetricFamily(
        "quivive_fetched_records", "Records fetched from vendors.", labels=["connection"]
    )
    failures = CounterMetricFamily(
        "quivive_fetch_failures", "Rounds in which a vendor failed.", labels=["connection"]
    )
    for name, each in list(context.fetched.items()):
        seconds = each.behind(now)
        if seconds is not None:
            behind.add_metric([name], seconds)
        if each.success is not None:
            success.add_metric([name], each.success / 1000)
        records.add_metric([name], each.records)
        failures.add_metric([name], each.failures)
    yield from (behind, success, records, failures)


def _topics(context: Context) -> Iterator[Metric]:
    if not context.consumed:
        return
    lag = GaugeMetricFamily(
        "quivive_kafka_lag",
        "Records at the brokers that are not judged yet.",
        labels=["connection", "topic", "partition"],
    )
    success = GaugeMetricFamily(
        "quivive_kafka_success_timestamp_seconds",
        "When the brokers last answered that every topic can be read; asked twice a minute.",
        labels=["connection"],
    )
    paused = GaugeMetricFamily(
        "quivive_kafka_paused",
        "Whether nothing is taken because too much waits to be judged.",
        labels=["connection"],
    )
    records = CounterMetricFamily(
        "quivive_kafka_records", "Records taken from topics.", labels=["connection", "topic"]
    )
    failures = CounterMetricFamily(
        "quivive_kafka_failures", "Times that reading was cut short.", labels=["connection"]
    )
    for name, each in list(context.consumed.items()):
        for partition, waiting in each.lag.items():
            lag.add_metric([name, partition.topic, str(partition.number)], waiting)
        if each.success is not None:
            success.add_metric([name], each.success / 1000)
        paused.add_metric([name], each.paused)
        for topic, taken in list(each.taken.items()):
            records.add_metric([name, topic], taken)
        failures.add_metric([name], each.failures)
    yield from (lag, success, paused, records, failures)


def _responses(context: Context) -> Iterator[Metric]:
    if context.sender is None:
        return
    times = context.sender.responder.times
    seconds = CounterMetricFamily(
        "quivive_remediation_seconds", "M4: from login to containment, summed.", labels=["level"]
    )
    done = CounterMetricFamily(
        "quivive_remediations", "M4: containments done.", labels=["level", "within_target"]
    )
    failed = CounterMetricFamily(
        "quivive_remediations_failed", "Containments given up.", labels=["level"]
    )
    for level, one in list(times.from_login.items()):
        seconds.add_metric([level], one.total)
        done.add_metric([level, "true"], one.within)
        done.add_metric([level, "false"], one.count - one.within)
        failed.add_metric([level], one.failed)
    yield from (seconds, done, failed)
    breakers = GaugeMetricFamily(
        "quivive_breaker_open", "1 when a vendor is not asked for a while.", labels=["connection"]
    )
    for name, state in context.sender.responder.breakers().items():
        breakers.add_metric([name], state == "open")
    yield breakers
    yield CounterMetricFamily(
        "quivive_sender_failures",
        "Rounds of the sender that failed.",
        value=context.sender.failures,
    )


def _histogram(name: str, about: str, found: Histogram) -> Metric:
    buckets, running = [], 0
    for bound, count in zip((*found.bounds, float("inf")), list(found.counts), strict=True):
        running += count
        buckets.append((f"{bound:g}" if bound != float("inf") else "+Inf", running))
    return HistogramMetricFamily(name, about, buckets=buckets, sum_value=found.total)


def registry(context: Context, measures: Callable[[], Measures]) -> CollectorRegistry:
    """The metrics of one server."""
    made = CollectorRegistry()
    made.register(Collector(context, measures))
    return made


async def metrics(context: Context, _: Request) -> Reply:
    """All metrics."""
    made = registry(context, lambda: context.measures)
    return Reply(generate_latest(made), kind=TEXT)
