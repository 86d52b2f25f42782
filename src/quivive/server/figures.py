"""What the server counts of its own work, for /metrics and the service level.

Written by the judging thread, read by others: plain numbers, each written by one thread only.
"""

from bisect import bisect_left
from collections import Counter

from quivive.app.intents import ACTING
from quivive.app.sigma import matched
from quivive.baseline.clocks import Clocks
from quivive.engine.judged import Scored
from quivive.incidents.slo import Burn
from quivive.model.assessment import HIGH
from quivive.model.canary import is_canary
from quivive.model.response import CONTAINMENT
from quivive.server.guardrail import Guardrail

HOUR_MS = 3_600_000
HOURS = 24
IN_TIME_MS = 30_000
HISTORY_MS = 24 * HOUR_MS  # an older login is history that was read in, and says nothing of lag
DETECTION = (1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600)  # seconds
COSTS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Histogram:
    """Counts by upper bounds, in seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """``bounds`` ascending; what is above the last is counted, too."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Counts one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Hours:
    """Counts by name over the last 24 hours of the wall clock."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._hours: dict[int, Counter[str]] = {}

    def add(self, name: str, now: int) -> None:
        """Counts one at ``now`` (ms UTC)."""
        hour = now // HOUR_MS
        counts = self._hours.get(hour)
        if counts is None:
            counts = self._hours[hour] = Counter()
            for old in [h for h in list(self._hours) if h <= hour - HOURS]:
                del self._hours[old]
        counts[name] += 1

    def sum(self, name: str, now: int) -> int:
        """How many within 24 hours before ``now``."""
        first = now // HOUR_MS - HOURS
        return sum(c[name] for h, c in list(self._hours.items()) if h > first)


class Figures:
    """All counters of one server."""

    def __init__(self) -> None:
        """Everything is nought."""
        self.logins: Counter[str] = Counter()  # by kind
        self.findings: Counter[tuple[str, str]] = Counter()  # by kind and level
        self.decisions: Counter[tuple[str, str]] = Counter()  # by action and mode
        self.records: Counter[tuple[str, str]] = Counter()  # by source and outcome
        self.rules: Counter[tuple[str, str]] = Counter()  # Sigma rules by id and mode
        self.requests: Counter[tuple[str, str, int]] = Counter()  # by method, route and status
        self.fallbacks: Counter[tuple[str, str]] = Counter()  # by cause and what was answered
        self.contained = 0
        self.hours = Hours()
        self.burn = Burn()
        self.burnt = 0  # how often something was added to it
        self.detection = Histogram(DETECTION)
        self.answered = Histogram(COSTS)
        self.stages = {name: Histogram(COSTS) for name in ("wait", "judge", "keep")}
        self.newest = 0
        self.store_failures = 0
        self.clocks = Clocks()
        self.short_road = 0
        self.guardrail = Guardrail()

    def login(self, scored: Scored, now: int) -> None:
        """A login was judged at ``now`` (ms UTC)."""
        if is_canary(scored.login.identity):
            return
        for match in matched(scored.event):
            self.rules[match.id, "shadow" if match.shadow else "enforce"] += 1
        kind, decision, time = scored.login.kind, scored.decision, scored.event.time
        self.newest = max(self.newest, time)
        self.logins[kind] += 1
        self.short_road += scored.assessment.short_road
        self.hours.add(kind, now)
        if scored.finding:
            self.findings[kind, scored.assessment.risk_level] += 1
            self.hours.add(f"{kind} findings", now)
        self.decisions[decision.action, decision.mode] += 1
        if decision.action in CONTAINMENT and decision.mode in ACTING:
            self.contained += 1
            self.hours.add("contained", now)
        if now - time < HISTORY_MS:
            lag = max(0, now - time)
            if scored.finding:
                self.detection.observe(lag / 1000)
            if scored.assessment.risk_score >= HIGH:
                self.burn.add(now, lag <= IN_TIME_MS, lag > IN_TIME_MS)
                self.burnt += 1

    def waited(self, seconds: float) -> None:
        """A login asked about waited for its turn."""
        self.stages["wait"].observe(seconds)

    def group(self, judging: float, keeping: float, logins: int, processor: float) -> None:
        """A group of ``logins`` was judged and kept; all in seconds."""
        if logins:
            self.guardrail.note(logins, processor)
        self.stages["judge"].observe(judging)
        self.stages["keep"].observe(keeping)

    def store_failed(self) -> None:
        """Something could not be kept."""
        self.store_failures += 1
