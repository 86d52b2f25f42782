"""The M4 clock: how long it takes from a login to its containment, by severity. Pure numbers."""

from msgspec import Struct, field

BUCKETS = (5, 10, 30, 60, 120, 300, 900, 3600)  # seconds; the last one is followed by +Inf
TARGET = 300  # seconds: critical containment is due within five minutes


class Times(Struct):
    """Durations of one severity, in seconds.

    buckets: how many were at most as long as each of ``BUCKETS`` (cumulative). failed: responses
    that were given up.
    """

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    within: int = 0
    failed: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))

    def observe(self, seconds: float) -> None:
        """Counts one containment."""
        seconds = max(0.0, seconds)
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)
        self.within += seconds <= TARGET
        for number, bound in enumerate(BUCKETS):
            self.buckets[number] += seconds <= bound


class Remediation(Struct):
    """M4 by severity: from the login, and from the decision, to done."""

    from_login: dict[str, Times] = field(default_factory=dict)
    from_decision: dict[str, Times] = field(default_factory=dict)

    def done(self, level: str, login: int, decided: int, ended: int) -> None:
        """A response ended well; times in ms UTC."""
        self.from_login.setdefault(level, Times()).observe((ended - login) / 1000)
        self.from_decision.setdefault(level, Times()).observe((ended - decided) / 1000)

    def failed(self, level: str) -> None:
        """A response was given up."""
        for times in (self.from_login, self.from_decision):
            times.setdefault(level, Times()).failed += 1

    def numbers(self) -> dict[str, float]:
        """Everything by one flat name, ``login_critical_seconds_sum`` and the like."""
        found: dict[str, float] = {}
        for start, by_level in (("login", self.from_login), ("decision", self.from_decision)):
            for level, times in sorted(by_level.items()):
                name = f"{start}_{level}"
                found[f"{name}_seconds_sum"] = times.total
                found[f"{name}_seconds_max"] = times.longest
                found[f"{name}_done"] = times.count
                found[f"{name}_within_target"] = times.within
                found[f"{name}_failed"] = times.failed
                for bound, count in zip(BUCKETS, times.buckets, strict=True):
                    found[f"{name}_seconds_le_{bound}"] = count
        return found
