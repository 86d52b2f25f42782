"""What happened lately: counts and distinct members over the last 24 hours of event time."""

from msgspec import Struct, field

HOUR_MS = 3_600_000
HOURS = 24


class Window(Struct, gc=False):
    """A count per hour over the last 24 hours."""

    hour: int = 0
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, time: int, amount: int = 1) -> None:
        """Counts at ``time`` (ms UTC); later than 24 hours after the newest it is forgotten."""
        hour = time // HOUR_MS
        if hour > self.hour:
            self.hour = hour
            if len(self.counts) > HOURS:
                self.counts = {h: n for h, n in self.counts.items() if h > hour - HOURS}
        if hour > self.hour - HOURS:
            self.counts[hour] = self.counts.get(hour, 0) + amount

    def take(self, time: int) -> None:
        """Takes one back that was counted at ``time``, unless it is forgotten already."""
        hour = time // HOUR_MS
        count = self.counts.pop(hour, 0)
        if count > 1:
            self.counts[hour] = count - 1

    def total(self, time: int, hours: int = HOURS) -> int:
        """The count of the last ``hours`` before and at ``time``."""
        if not self.counts:
            return 0
        hour = time // HOUR_MS
        oldest = hour - hours
        return sum([n for h, n in self.counts.items() if oldest < h <= hour])


class DistinctWindow(Struct, gc=False):
    """The distinct members seen over the last 24 hours, at most ``limit`` of them."""

    limit: int = 64
    last_seen: dict[str, int] = field(default_factory=dict)

    def add(self, member: str, time: int) -> None:
        """Notes a member, which stays as new as it was when this comes late; when full, those past
        24 hours go first, then the longest untouched.
        """
        former = self.last_seen.pop(member, None)
        if former is not None and former > time:
            time = former
        self.last_seen[member] = time
        if len(self.last_seen) > self.limit:
            horizon = time - HOURS * HOUR_MS
            fresh = {m: t for m, t in self.last_seen.items() if t > horizon}
            if len(fresh) > self.limit:
                fresh.pop(next(iter(fresh)))
            self.last_seen = fresh

    def members(self, time: int, hours: int = HOURS) -> list[str]:
        """Those seen in the last ``hours`` before and at ``time``."""
        if not self.last_seen:
            return []
        horizon = time - hours * HOUR_MS
        return [m for m, t in self.last_seen.items() if horizon < t <= time]
