"""A circuit breaker: a vendor that keeps failing is left alone for a while.

Closed, it lets everything through. After ``THRESHOLD`` failures in a row it opens for ``cool``
milliseconds; then one request may try (half-open), and its outcome closes it or opens it for twice
as long, at most ``LONGEST``. Pure: the time is given.
"""

from msgspec import Struct

THRESHOLD = 5  # failures in a row
COOL = 30_000  # ms
LONGEST = 15 * 60_000  # ms


class Breaker(Struct):
    """The state of one vendor's circuit. Times in ms.

    failures: in a row. open_until: 0 while closed. trying: a trial is under way.
    """

    failures: int = 0
    open_until: int = 0
    cool: int = COOL
    trying: bool = False

    def state(self, now: int) -> str:
        """``closed``, ``open`` or ``half-open``."""
        if not self.open_until:
            return "closed"
        return "open" if now < self.open_until or self.trying else "half-open"

    def allows(self, now: int) -> bool:
        """Whether a request may be sent. The first after an opening is the trial."""
        state = self.state(now)
        if state == "half-open":
            self.trying = True
        return state != "open"

    def succeeded(self) -> None:
        """The vendor answered sensibly, be it with a refusal."""
        self.failures, self.open_until, self.cool, self.trying = 0, 0, COOL, False

    def failed(self, now: int) -> None:
        """The vendor did not answer, or with a fault of its own."""
        self.failures += 1
        if self.trying:
            self.cool = min(LONGEST, 2 * self.cool)
        if self.trying or self.failures >= THRESHOLD:
            self.open_until = now + self.cool
        self.trying = False

    def wait(self, now: int) -> float:
        """Seconds until a request may be sent again; of a trial under way, the whole pause."""
        return max(0, self.open_until - now, self.cool if self.trying else 0) / 1000
