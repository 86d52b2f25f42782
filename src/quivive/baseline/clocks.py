"""How far a log's clock and its delivery are off, measured wherever there is something to compare.

Three comparisons, by source (the product that wrote the log):

* *arrival*: when a record came in, or was ingested where the log itself says so, against when its
  event happened. The least of these delays bounds the clock from one side (Cristian, 1989): nothing
  arrives before it happens, so a negative one is a clock that is ahead by at least as much.
* *disorder*: how far behind the newest event of its input a record comes. Exports that run
  backwards are measured backwards.

Kept for the current and the former day of event time; what lies back more than a day on arrival is
history that was read in, and says nothing.
"""

from bisect import bisect_left

from msgspec import Struct, field

SECOND_MS = 1_000
DAY_MS = 86_400_000
HISTORY_MS = DAY_MS
BOUNDS_MS = tuple(
    n * SECOND_MS for n in (1, 5, 15, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)
)
SOURCES_KEPT = 64
LARGE_MS = 60 * SECOND_MS  # a clock that is off by more disturbs travel and sessions
LATENESS_MS = 3_600_000  # what comes later than this no longer takes its place everywhere


class Delays(Struct):
    """Delays in ms, counted by ``BOUNDS_MS``; the last count is above all of them."""

    count: int = 0
    least: int = 0
    most: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, delay: int) -> None:
        """Counts one."""
        if not self.count or delay < self.least:
            self.least = delay
        if not self.count or delay > self.most:
            self.most = delay
        self.count += 1
        self.counts[bisect_left(BOUNDS_MS, delay)] += 1

    def plus(self, other: "Delays") -> "Delays":
        """Both together."""
        if not (self.count and other.count):
            return self if self.count else other
        return Delays(
            self.count + other.count,
            min(self.least, other.least),
            max(self.most, other.most),
            [a + b for a, b in zip(self.counts, other.counts, strict=True)],
        )

    def share_above(self, bound: int) -> float:
        """The share of delays above a bound of ``BOUNDS_MS``."""
        above = sum(self.counts[bisect_left(BOUNDS_MS, bound) + 1 :])
        return above / self.count if self.count else 0.0

    def quantile(self, share: float) -> int:
        """The bound below which a share of the delays lies; the most there was, above the last."""
        running = 0
        for bound, count in zip(BOUNDS_MS, self.counts, strict=False):
            running += count
            if running >= share * self.count:
                return min(bound, max(0, self.most))
        return self.most


class Order(Struct):
    """The order of one input's events by time, in which its records come."""

    newest: int = 0
    oldest: int = 0
    former: int = 0
    backwards: int = 0
    behind: Delays = field(default_factory=Delays)
    before: Delays = field(default_factory=Delays)

    def note(self, time: int) -> None:
        """The next record's event was at ``time`` (ms UTC)."""
        if not self.behind.count:
            self.newest = self.oldest = self.former = time
        self.backwards += (time > self.former) - (time < self.former)
        self.newest, self.oldest = max(self.newest, time), min(self.oldest, time)
        self.former = time
        self.behind.add(self.newest - time)
        self.before.add(time - self.oldest)

    @property
    def disorder(self) -> Delays:
        """How far records are from their place, in the direction in which the input mostly runs."""
        return self.behind if self.backwards >= 0 else self.before


class Clock(Struct):
    """What was measured of one source on two days; ``day`` is the later, since 1970."""

    day: int = 0
    arrival: Delays = field(default_factory=Delays)
    arrival_before: Delays = field(default_factory=Delays)
    disorder: Delays = field(default_factory=Delays)
    history: int = 0

    @property
    def delays(self) -> Delays:
        """Arrival against event time, of both days."""
        return self.arrival_before.plus(self.arrival)

    @property
    def ahead(self) -> int:
        """By how much its clock is ahead at least, in ms; 0 where nothing says so."""
        delays = self.delays
        return max(0, -delays.least) if delays.count else 0


class Clocks(Struct):
    """All sources, at most ``SOURCES_KEPT``."""

    sources: dict[str, Clock] = field(default_factory=dict)

    def note(self, source: str, event_time: int, arrived: int) -> None:
        """A record came in, or was ingested, at ``arrived``; both in ms UTC."""
        clock = self._of(source)
        if clock is None:
            return
        delay = arrived - event_time
        if delay > HISTORY_MS:
            clock.history += 1
            return
        day = event_time // DAY_MS
        if day > clock.day:
            clock.arrival_before = clock.arrival if day == clock.day + 1 else Delays()
            clock.arrival, clock.day = Delays(), day
        clock.arrival.add(delay)

    def ordered(self, source: str, order: Order) -> None:
        """An input with records of this source was read to its end."""
        clock = self._of(source)
        if clock is not None:
            clock.disorder = clock.disorder.plus(order.disorder)

    def take(self, newer: "Clocks") -> None:
        """Takes over what was measured since."""
        for source, found in newer.sources.items():
            clock = self._of(source)
            if clock is None:
                continue
            if found.arrival.count:
                clock.day = found.day
                clock.arrival, clock.arrival_before = found.arrival, found.arrival_before
            if found.disorder.count:
                clock.disorder = found.disorder
            clock.history += found.history

    def _of(self, source: str) -> Clock | None:
        found = self.sources.get(source)
        if found is None and len(self.sources) < SOURCES_KEPT:
            found = self.sources[source] = Clock()
        return found


def large(clocks: Clocks) -> list[tuple[str, str]]:
    """Sources whose clock or delivery is off by more than judging allows for, in words."""
    found = []
    for source, clock in sorted(clocks.sources.items()):
        delays = clock.delays
        if clock.ahead > LARGE_MS:
            found.append((source, f"its clock is ahead by {words(clock.ahead)} at least"))
        elif delays.count and delays.least > LARGE_MS:
            text = f"comes {words(delays.least)} after the event at the earliest: its clock is"
            found.append((source, f"{text} behind, or it is delivered late"))
        late = clock.disorder.share_above(LATENESS_MS)
        if late:
            text = f"{late:.1%} of its records come over an hour out of order, at most"
            found.append((source, f"{text} {words(clock.disorder.most)}"))
    return found


def words(span: int) -> str:
    """A span in ms for people: "45 s", "12 min", "3.5 h", "1 day", "2.1 days"."""
    seconds = span / SECOND_MS
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            number = f"{seconds / unit:.3g}"
            return f"{number} {name}" if (number, name) != ("1", "days") else "1 day"
    return f"{seconds:.3g} s"
