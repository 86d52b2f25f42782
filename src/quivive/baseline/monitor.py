"""What each log looked like, day by day: the memory behind drift and gaps of telemetry.

One series a log and kind of identity, one ``Day`` a UTC day of event time. Of the logins that
happened an identity counts once in each shift of four hours: a script that calls a thousand times
an hour is no majority, and hours stay as they are. Everything is bounded
(docs/reference/bounds.md).
"""

from collections.abc import Iterable
from functools import lru_cache
from math import floor

from msgspec import Struct, field

from quivive.baseline.observation import Observation
from quivive.baseline.tables import DAY_MS
from quivive.baseline.windows import HOUR_MS

DAYS_KEPT = 42
SERIES_KEPT = 64
BUCKETS_KEPT = 24  # categories of one feature a day; what overflows joins "other"
SHIFT_HOURS = 4
SHIFT_KEPT = 8192  # identities counted a shift; those beyond are not, in any shift alike
SCORE_STEP = 0.5  # nats
SCORE_FURTHEST = 80  # steps either way
OTHER = "other"
UNKNOWN = "unknown"
# The tables that say how familiar something is: "own", "colleagues", "new"…
FAMILIARITIES = frozenset(
    {"operator?", "address?", "device?", "application?", "operation?", "resource?", "credential?",
     "host?", "role?", "runner?", "tls?"}
)  # fmt: skip


class Day(Struct, gc=False):
    """One day of one series.

    events: all records; failures: those that did not get in; hours: bit h is set when something
    came in hour h UTC. counted: the logins behind the rest: how many left each field out, how
    many fell into each bucket of each feature, how many scored so many half nats.
    """

    events: int = 0
    failures: int = 0
    hours: int = 0
    counted: int = 0
    absent: dict[str, int] = field(default_factory=dict)
    features: dict[str, dict[str, int]] = field(default_factory=dict)
    scores: dict[int, int] = field(default_factory=dict)

    def meet(self, feature: str, bucket: str) -> None:
        """A login in a bucket of a feature, possibly the first; beyond the bound it is "other"."""
        buckets = self.features.setdefault(feature, {})
        if len(buckets) >= BUCKETS_KEPT and bucket not in buckets:
            bucket = OTHER
        buckets[bucket] = buckets.get(bucket, 0) + 1


class Series(Struct, gc=False):
    """The days of one log for one kind of identity.

    source: product and log in words; kind: "human" or "service"; first and last: ms UTC.
    seen: the identities counted in the shift.
    """

    source: str
    kind: str
    first: int
    last: int
    shift: int = 0
    seen: dict[str, bool] = field(default_factory=dict)
    days: dict[int, Day] = field(default_factory=dict)

    def day(self, number: int) -> Day | None:
        """The day of that number since 1970, made when first met; None if it is past keeping."""
        found = self.days.get(number)
        if found is None:
            newest = max(self.days, default=number)
            if number <= newest - DAYS_KEPT:
                return None
            found = self.days[number] = Day()
            if number > newest:
                self.days = {n: d for n, d in self.days.items() if n > number - DAYS_KEPT}
        return found


class Monitor(Struct):
    """The series of every log, and the newest time of all."""

    newest: int = 0
    series: dict[str, Series] = field(default_factory=dict)

    def note(
        self,
        login: Observation,
        source: str,
        uid: str | None,
        familiar: Iterable[tuple[str, str]],
        score: float,
    ) -> None:
        """Counts one record.

        ``source`` is the log in words; ``familiar`` says of what is in FAMILIARITIES how familiar
        it is ("own", "colleagues", "new"…); ``score`` is in nats.
        """
        time = login.time
        series = self.series.get(f"{login.kind}/{source}") or self._begin(login, source)
        if series is None:
            return
        if time > self.newest:
            self.newest = time
        if time > series.last:
            series.last = time
        hour = time // HOUR_MS
        number = time // DAY_MS
        day = series.days.get(number) or series.day(number)
        if day is None:
            return
        day.events += 1
        day.hours |= 1 << hour % 24
        if not login.learnable:
            day.failures += login.outcome == "failure"
            return
        shift = hour // SHIFT_HOURS
        if shift != series.shift:
            series.shift, series.seen = shift, {}
        elif login.identity in series.seen:
            return
        if len(series.seen) >= SHIFT_KEPT:
            return
        series.seen[login.identity] = True
        _count(day, login, uid, familiar, score)

    def _begin(self, login: Observation, source: str) -> Series | None:
        if len(self.series) >= SERIES_KEPT:
            return None
        found = Series(source, login.kind, login.time, login.time)
        self.series[f"{login.kind}/{source}"] = found
        return found


def _count(
    day: Day,
    login: Observation,
    uid: str | None,
    familiar: Iterable[tuple[str, str]],
    score: float,
) -> None:
    day.counted += 1
    absent = day.absent
    country, os, browser, mfa = login.country, login.os, login.browser, login.mfa
    missing = []
    if login.ip is None:
        missing.append("ip")
    elif country is None and login.public:  # a private address has no place to leave out
        missing.append("place")
    if login.device is None:
        missing.append("device")
    if os is None and browser is None:
        missing.append("user_agent")
    if login.session is None:
        missing.append("session")
    if mfa is None:
        missing.append("mfa")
    if login.application is None:
        missing.append("application")
    if uid is None:
        missing.append("uid")
    for name in missing:
        absent[name] = absent.get(name, 0) + 1
    found = [
        ("country", country or UNKNOWN),
        ("network_kind", login.network_kind or UNKNOWN),
        ("os", os or UNKNOWN),
        ("client", browser or UNKNOWN),
        ("mfa", mfa or UNKNOWN),
        ("hour", _HOURS[login.hour]),
    ]
    found += familiar
    tables = day.features
    for name, bucket in found:
        buckets = tables.get(name)
        if buckets is not None and bucket in buckets:
            buckets[bucket] += 1
        else:
            day.meet(name, bucket)
    step = max(-SCORE_FURTHEST, min(SCORE_FURTHEST, floor(score / SCORE_STEP)))
    day.scores[step] = day.scores.get(step, 0) + 1


def _shift(hour: int) -> str:
    begin = hour // SHIFT_HOURS * SHIFT_HOURS
    return f"{begin:02d}-{begin + SHIFT_HOURS:02d}h"


_HOURS = tuple(_shift(hour) for hour in range(24))


@lru_cache(256)
def source_of(product: str, log: str | None) -> str:
    """A log in words: its product, and its own name where that says more."""
    if log is None or log == product:
        return product
    return log if log.startswith(product) else f"{product} {log}"
