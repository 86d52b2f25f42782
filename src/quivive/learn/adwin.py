"""ADWIN: a window over a stream that shrinks when its mean has changed.

Bifet and Gavaldà, Learning from time-changing data with adaptive windowing (SDM 2007), ADWIN2:
an exponential histogram of at most ``PER_SIZE`` buckets of each power of two, cut where two
sub-windows differ by more than chance allows at confidence ``delta``.
"""

from math import log, sqrt

from msgspec import Struct, field

PER_SIZE = 5
SMALLEST = 5  # values on either side of a cut


class Bucket(Struct):
    """Some values in a row: how many, their sum and their squares' deviation from the mean."""

    size: int
    total: float
    spread: float


class Adwin(Struct):
    """The window, oldest bucket first. Values lie within 0 to 1; memory grows with log(values).

    delta: the probability of a false cut, for each check. since: index of the oldest value kept.
    """

    delta: float = 0.002
    buckets: list[Bucket] = field(default_factory=list)
    size: int = 0
    total: float = 0.0
    spread: float = 0.0
    since: int = 0

    @property
    def mean(self) -> float:
        """The mean of the window; 0 while it is empty."""
        return self.total / self.size if self.size else 0.0

    def add(self, value: float) -> bool:
        """Takes a value; whether the window was cut because of it."""
        if self.size:
            deviation = value - self.mean
            self.spread += deviation * deviation * self.size / (self.size + 1)
        self.buckets.append(Bucket(1, value, 0.0))
        self.size += 1
        self.total += value
        self._compress()
        return self._shrink()

    def _compress(self) -> None:
        """Joins the two oldest buckets of a size when there is one more than allowed."""
        buckets, end = self.buckets, len(self.buckets)
        while end > 0:
            size = buckets[end - 1].size
            begin = end
            while begin > 0 and buckets[begin - 1].size == size:
                begin -= 1
            if end - begin <= PER_SIZE:
                return
            one, two = buckets[begin], buckets[begin + 1]
            apart = one.total / one.size - two.total / two.size
            spread = one.spread + two.spread + apart * apart * size / 2
            buckets[begin : begin + 2] = [Bucket(2 * size, one.total + two.total, spread)]
            end = begin + 1

    def _shrink(self) -> bool:
        """Drops the oldest buckets while some cut of the window shows two different means."""
        cut = False
        while self._differs():
            cut = True
            oldest = self.buckets.pop(0)
            rest = self.size - oldest.size
            apart = oldest.total / oldest.size - (self.total - oldest.total) / rest
            self.spread -= oldest.spread + apart * apart * oldest.size * rest / self.size
            self.spread = max(0.0, self.spread)
            self.size, self.total = rest, self.total - oldest.total
            self.since += oldest.size
        return cut

    def _differs(self) -> bool:
        if self.size < 2 * SMALLEST:
            return False
        variance = self.spread / self.size
        confidence = log(2 * log(self.size) / self.delta)
        before, total = 0, 0.0
        for bucket in self.buckets[:-1]:
            before += bucket.size
            total += bucket.total
            after = self.size - before
            if before < SMALLEST:
                continue
            if after < SMALLEST:
                return False
            harmonic = 1 / (1 / before + 1 / after)
            bound = sqrt(2 / harmonic * variance * confidence) + 2 / (3 * harmonic) * confidence
            if abs(total / before - (self.total - total) / after) > bound:
                return True
        return False
