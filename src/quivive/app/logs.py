"""How each log does: when it was last heard, what it no longer tells, what could not be read."""

import msgspec
from msgspec import Struct

from quivive.baseline.clocks import LARGE_MS, LATENESS_MS, Clock, Clocks, words
from quivive.baseline.monitor import Monitor, Series
from quivive.baseline.novelty import Novelty
from quivive.learn.gaps import COSTS, TITLES, find_gaps
from quivive.learn.health import Health, health
from quivive.store import identities
from quivive.store.database import Store
from quivive.store.errors import StoreError

DAY = 86_400_000
RECENT = 7  # days
MISSING = 0.005  # share of logins from which a missing field is shown
_monitor = msgspec.msgpack.Decoder(Monitor)
_novelty = msgspec.msgpack.Decoder(Novelty)


class Absent(Struct, frozen=True):
    """A field that some logins of a log do not have: in words, of what share, what it costs, and
    whether that is more than it was: a gap.
    """

    field: str
    share: float
    costs: tuple[str, ...]
    gap: bool


class Log(Struct, frozen=True, kw_only=True):
    """One log for one kind of identity. first, last: ms UTC; lag: behind the newest of all, or
    behind now. events, failures: of the last seven days of its own; days: events by day, oldest
    first.
    """

    source: str
    kind: str
    first: int
    last: int
    lag: int
    events: int
    failures: int
    missing: list[Absent]
    days: list[int]


class Skew(Struct, frozen=True, kw_only=True):
    """How far the clock and the delivery of one source are off, over two days of its own; ms.

    records: measured on arrival, and history: those that came more than a day late, which say
    nothing. median, slowest: delays below which a half and 99 % lie, to a bound of
    baseline.clocks; disorder: the most a record was out of its place, late: the share that was
    by over an hour. text: what the least delay says of the clock; off: by more than is allowed for.
    """

    source: str
    records: int
    history: int
    text: str
    off: bool
    median: int | None
    slowest: int | None
    disorder: int | None
    late: float


def skews(clocks: Clocks) -> list[Skew]:
    """The clock of every source, those that are off first."""
    found = [_skew(source, clock) for source, clock in list(clocks.sources.items())]
    return sorted(found, key=lambda s: (not s.off, s.source))


def _skew(source: str, clock: Clock) -> Skew:
    delays, disorder = clock.delays, clock.disorder
    late = disorder.share_above(LATENESS_MS)
    ahead = delays.count > 0 and delays.least < 0
    behind = delays.count > 0 and delays.least > LARGE_MS
    if ahead:
        text = f"ahead by {words(clock.ahead)} at least"
    elif behind and delays.most - delays.least > delays.least:
        text = f"cannot be told: it is delivered {words(delays.least)} late at the earliest"
    elif behind:
        text = f"behind by up to {words(delays.least)}, or delivered late"
    elif delays.count:
        text = f"right, to {words(delays.least)}"
    else:
        text = "not measured: all of it was read in later"
    return Skew(
        source=source,
        records=delays.count,
        history=clock.history,
        text=text,
        off=clock.ahead > LARGE_MS or behind or late > 0,
        median=delays.quantile(0.5) if delays.count else None,
        slowest=delays.quantile(0.99) if delays.count else None,
        disorder=disorder.most if disorder.count else None,
        late=late,
    )


def monitored(store: Store) -> tuple[Monitor, Novelty]:
    """What the state remembers of the logs, as of the last checkpoint. Raises StoreError."""
    found = []
    for name, decoder in (("monitor", _monitor), ("novelty", _novelty)):
        body = identities.state(store, f"engine/{name}")
        try:
            found.append(decoder.decode(body) if body is not None else None)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(f"{store.given}: damaged state: {error}; restore it") from None
    monitor, novelty = found
    assert monitor is None or isinstance(monitor, Monitor)
    assert novelty is None or isinstance(novelty, Novelty)
    return monitor or Monitor(), novelty or Novelty()


def logs(monitor: Monitor, now: int | None) -> list[Log]:
    """Every log, the longest silent first. now: ms UTC; None to measure by the newest event."""
    until = monitor.newest if now is None else now
    gaps = {(g.source, g.identity_kind, g.field) for g in find_gaps(monitor, now)}
    found = [_log(series, until, gaps) for series in monitor.series.values()]
    return sorted(found, key=lambda log: (-log.lag, log.source, log.kind))


def _log(series: Series, until: int, gaps: set[tuple[str, str | None, str | None]]) -> Log:
    newest = max(series.days, default=0)
    recent = [day for number, day in series.days.items() if number > newest - RECENT]
    counted = sum(day.counted for day in recent)
    missing = []
    for name in TITLES:
        absent = sum(day.absent.get(name, 0) for day in recent)
        if counted and absent / counted >= MISSING:
            gap = (series.source, series.kind, name) in gaps
            missing.append(Absent(TITLES[name], absent / counted, COSTS[name][0], gap))
    last = until // DAY
    return Log(
        source=series.source,
        kind=series.kind,
        first=series.first,
        last=series.last,
        lag=max(0, until - series.last),
        events=sum(day.events for day in recent),
        failures=sum(day.failures for day in recent),
        missing=sorted(missing, key=lambda m: (not m.gap, -m.share, m.field)),
        days=[series.days[n].events if n in series.days else 0 for n in range(last - 27, last + 1)],
    )


def stored(store: Store, now: int | None) -> Health:
    """Drift, gaps and events of the organisation by what is kept. now: as in ``find_gaps``."""
    monitor, novelty = monitored(store)
    return health(monitor, novelty, now)
