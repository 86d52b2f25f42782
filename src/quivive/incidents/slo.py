"""Service levels as error budgets, and alerts on how fast a budget burns. Pure.

95 % of high-risk logins are decided within 30 s: 5 % is the budget. A burn rate of 1 uses it up in
exactly the 30 days it is meant for. An alert needs a long window, so that it means something, and a
short one, so that it ends when the trouble does (the multi-window rule of Google's SRE workbook,
chapter 5). A critical level pages above twice the rate, a day long.
"""

from collections.abc import Sequence

from msgspec import Struct

from quivive.model.notification import Notification
from quivive.model.words import counted

MINUTE = 60_000
HOUR = 60 * MINUTE
BUCKET = 5 * MINUTE
BUCKETS = 3 * 24 * 12  # three days
FEWEST_BAD = 2  # one slow decision of three is no trend


class Level(Struct, frozen=True, kw_only=True):
    """What is promised: a share of ``goal`` (0-1) of all is good. ``critical``: pages at twice the
    burn rate.
    """

    name: str
    title: str
    goal: float
    critical: bool = False
    runbook: str = "latency.md"

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return 1.0 - self.goal


class Window(Struct, frozen=True, kw_only=True):
    """An alert: burning at ``rate`` or faster over both windows (ms)."""

    long: int
    short: int
    rate: float
    route: str
    priority: str
    critical_only: bool = False


DECIDED_IN_TIME = Level(
    name="decided-in-time",
    title="95 % of high-risk logins are decided within 30 s",
    goal=0.95,
    critical=True,
)
WINDOWS = (
    Window(long=HOUR, short=5 * MINUTE, rate=14.4, route="page", priority="P1"),
    Window(long=6 * HOUR, short=30 * MINUTE, rate=6.0, route="page", priority="P2"),
    Window(
        long=24 * HOUR, short=2 * HOUR, rate=2.0, route="page", priority="P2", critical_only=True
    ),
    Window(long=72 * HOUR, short=6 * HOUR, rate=1.0, route="ticket", priority="P3"),
)


class Burn(Struct):
    """Good and bad by five minutes, for three days; ``alarms``: since when each alert
    is on; 0 where a more urgent one was told in its place.

    newest: the number of the newest bucket; good, bad: rings indexed by number modulo their length.
    """

    newest: int = 0
    good: list[int] = []
    bad: list[int] = []
    alarms: dict[str, int] = {}

    def add(self, time: int, good: int, bad: int) -> None:
        """Counts at ``time`` (ms UTC); what is older than the ring is left out."""
        number = self._reach(time)
        if number > self.newest - BUCKETS:
            self.good[number % BUCKETS] += good
            self.bad[number % BUCKETS] += bad

    def counts(self, time: int, window: int) -> tuple[int, int]:
        """Good and bad within ``window`` ms before ``time``, and in its own five minutes so far."""
        last = self._reach(time)
        first = max(last - window // BUCKET, self.newest - BUCKETS + 1, 0)
        numbers = range(first, last + 1)
        return (
            sum(self.good[n % BUCKETS] for n in numbers),
            sum(self.bad[n % BUCKETS] for n in numbers),
        )

    def _reach(self, time: int) -> int:
        """Clears the buckets that begin until ``time``; its bucket's number."""
        number = time // BUCKET
        if not self.good:
            self.good, self.bad = [0] * BUCKETS, [0] * BUCKETS
            self.newest = number
        for each in range(max(self.newest + 1, number - BUCKETS + 1), number + 1):
            self.good[each % BUCKETS] = self.bad[each % BUCKETS] = 0
        self.newest = max(self.newest, number)
        return number


def burn_rate(level: Level, good: int, bad: int) -> float:
    """How many times faster than meant the budget burns; 0 where nothing happened."""
    total = good + bad
    return bad / total / level.budget if total and level.budget > 0 else 0.0


def left(level: Level, burn: Burn, time: int) -> float:
    """The share of the budget (0-1) that the last three days leave."""
    good, bad = burn.counts(time, BUCKETS * BUCKET)
    return max(0.0, 1.0 - burn_rate(level, good, bad))


def look(
    level: Level, burn: Burn, time: int, windows: Sequence[Window] = WINDOWS
) -> list[Notification]:
    """The alerts that begin or end at ``time``: each is told once when it begins, once at its end.

    Of several that begin together only the most urgent is told. Changes ``burn.alarms``.
    """
    told: list[Notification] = []
    covered = False
    for window in windows:
        if window.critical_only and not level.critical:
            continue
        name = f"{level.name}/{window.rate:g}"
        rates = [
            (burn_rate(level, *burn.counts(time, span)), burn.counts(time, span)[1])
            for span in (window.long, window.short)
        ]
        burning = all(rate >= window.rate for rate, _ in rates) and rates[0][1] >= FEWEST_BAD
        if burning and name not in burn.alarms:
            burn.alarms[name] = 0 if covered else time
            if not covered:
                told.append(_alarm(level, window, burn, time, rates[0][0]))
        elif not burning and rates[1][0] < window.rate and name in burn.alarms:
            since = burn.alarms.pop(name)
            if since:
                told.append(_over(level, window, since, time))
        covered = covered or burning
    return told


def _alarm(level: Level, window: Window, burn: Burn, time: int, rate: float) -> Notification:
    good, bad = burn.counts(time, window.long)
    return Notification(
        key=f"slo:{level.name}:{window.rate:g}:{time}",
        about="slo",
        what="burning",
        thread=f"slo:{level.name}:{window.rate:g}",
        priority=window.priority,
        route=window.route,
        time=time,
        title=f"{level.title}: the error budget burns {rate:.1f} times too fast",
        text=(
            f"{bad} of {good + bad} were late within {window.long // HOUR} h, and it goes on.",
            f"{left(level, burn, time):.0%} of the last three days' budget is left.",
        ),
        runbook=f"docs/runbooks/{level.runbook}",
    )


def _over(level: Level, window: Window, since: int, time: int) -> Notification:
    return Notification(
        key=f"slo:{level.name}:{window.rate:g}:{since}:over",
        about="slo",
        what="closed",
        thread=f"slo:{level.name}:{window.rate:g}",
        priority=window.priority,
        route=window.route,
        time=time,
        title=f"{level.title}: kept again",
        text=(f"After {counted((time - since) // MINUTE, 'minute')}.",),
        runbook=f"docs/runbooks/{level.runbook}",
    )
