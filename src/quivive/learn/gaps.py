"""Gaps of telemetry: a log that fell silent, dwindled, lost a field or a kind of identity.

What is not told cannot be weighed, so each gap says since when, what it costs in detection and
what to do. All of it compares a log with its own past, hour of the week by hour of the week and
whole weeks with whole weeks, on event time.
"""

from collections.abc import Sequence
from math import log, sqrt

from msgspec import Struct

from quivive.baseline.monitor import Day, Monitor, Series
from quivive.baseline.tables import DAY_MS
from quivive.baseline.windows import HOUR_MS
from quivive.learn.drift import FEWEST, PEOPLE, WEEK, last_day, windows_of
from quivive.model.words import counted

QUANTILE = 0.99  # of a log's own past silences, by the hours with records that they missed
SILENT_HOURS = 4.0  # expected hours with records that a silence must miss at least
UNLIKELY = 9.0  # nats: by chance, hours as busy as usual would be silent once in 8,000 times
WORKING_DAY = 12.0  # expected hours up to which a silence may be a holiday
LONGER = 1.5  # times its own longest usual silence
FEWEST_DAYS = 7
COLLAPSED = 0.4  # of the quietest reference week
VANISHED = 0.1
RISE_WATCH, RISE_ACT = 0.2, 0.5  # of the share of logins without a field
SIGNIFICANT = 6.0  # standard deviations
BEYOND = 2.0  # times the most that a reference week departs from the rest
KIND_AT_LEAST = 20  # logins a week of a kind of identities before their absence says anything

# What a field's absence silences, by the names in `not_evaluable`, and where to look for it.
COSTS: dict[str, tuple[tuple[str, ...], str]] = {
    "ip": (
        ("address", "network", "network_kind", "country", "city", "travel", "address_failures"),
        "see whether the export or a proxy drops the client's address",
    ),
    "place": (
        ("country", "city", "travel", "network"),
        "see whether the place database is there and not too old: quivive doctor",
    ),
    "device": (("device",), "see whether devices are still registered and the export names them"),
    "user_agent": (("os", "client"), "see whether the export still has the client"),
    "session": (
        ("session", "continuity", "roaming"),
        "see whether the export still has session ids",
    ),
    "mfa": (("auth_method",), "see whether the export still has the authentication details"),
    "application": (("application",), "see whether the export still names the application"),
    "uid": ((), "export the vendor's event ids: without them an overlap counts logins twice"),
}
TITLES = {
    "ip": "the address",
    "place": "the place of the address",
    "device": "the device",
    "user_agent": "the client",
    "session": "the session",
    "mfa": "the state of MFA",
    "application": "the application",
    "uid": "the vendor's event id",
}


class Gap(Struct, frozen=True, kw_only=True):
    """Something that a log no longer tells.

    gap: "silent", "volume", "field" or "kind". identity_kind: None for all of the log; field: of
    COSTS, for a field. severity: "watch" or "act"; since: ms UTC. costs: the signals that are not
    evaluable meanwhile; text: a sentence; remedy: what to do.
    """

    gap: str
    source: str
    identity_kind: str | None
    severity: str
    since: int
    costs: tuple[str, ...]
    text: str
    remedy: str
    field: str | None = None


def find_gaps(monitor: Monitor, now: int | None = None) -> list[Gap]:
    """Every gap, what asks for action first.

    ``now`` (ms UTC) is what silence is measured to; None takes the newest event of all logs, so
    that a log that ended early shows, and one that ended with the others does not.
    """
    time = max(now or 0, monitor.newest)
    sources: dict[str, list[Series]] = {}
    for series in monitor.series.values():
        sources.setdefault(series.source, []).append(series)
    found: list[Gap] = []
    for source, parts in sources.items():
        silent = _silence(source, parts, time)
        if silent is not None:
            found.append(silent)
            continue  # a silent log has lost everything else too
        for series in parts:
            found += _of_series(series, parts, last_day(monitor))
    return sorted(found, key=lambda g: (g.severity != "act", g.since, g.source, g.text))


# --- a log gone silent


def _silence(source: str, parts: Sequence[Series], now: int) -> Gap | None:
    last = max(series.last for series in parts)
    hours = _hours(parts)
    if not hours:
        return None
    begin, end = min(hours), last // HOUR_MS
    if (end - begin) // 24 < FEWEST_DAYS:
        return None
    expected = _expected(hours, begin, end)
    past = _silences(hours, expected, begin, end)
    usual = past[min(len(past) - 1, int(QUANTILE * len(past)))] if past else 0.0
    silent = [expected[hour % 168] for hour in range(end + 1, now // HOUR_MS)]
    missed = sum(silent)
    unlikely = -sum(log(1 - share) for share in silent)
    if missed < max(SILENT_HOURS, LONGER * usual) or unlikely < UNLIKELY:
        return None
    silence = (now - last) / HOUR_MS
    return Gap(
        gap="silent",
        source=source,
        identity_kind=None,
        severity="act" if missed > WORKING_DAY else "watch",
        since=last,
        costs=("everything in this log",),
        text=f"{source}: silent for {_span(silence)}, and so through about"
        f" {counted(round(missed), 'hour')} in which it usually has records; {QUANTILE:.0%} of"
        f" its silences lasted {usual:.0f}"
        " of them or fewer",
        remedy="see whether the export still runs, then score what was missed",
    )


def _hours(parts: Sequence[Series]) -> dict[int, bool]:
    """The hours since 1970 in which the log had a record, as far as days are kept."""
    return {
        24 * number + hour: True
        for series in parts
        for number, day in series.days.items()
        for hour in range(24)
        if day.hours >> hour & 1
    }


def _expected(hours: dict[int, bool], begin: int, end: int) -> list[float]:
    """For each hour of the week, in how many of the weeks it had a record (with half a doubt)."""
    seen, weeks = [0] * 168, [0] * 168
    for hour in range(begin, end + 1):
        weeks[hour % 168] += 1
        seen[hour % 168] += hour in hours
    return [s / (w + 0.5) for s, w in zip(seen, weeks, strict=True)]


def _silences(
    hours: dict[int, bool], expected: Sequence[float], begin: int, end: int
) -> list[float]:
    """How much each past silence missed of what was expected, least first."""
    found, missed = [], 0.0
    for hour in range(begin, end + 1):
        if hour in hours:
            found.append(missed)
            missed = 0.0
        else:
            missed += expected[hour % 168]
    return sorted(silence for silence in found if silence)


def _span(hours: float) -> str:
    return counted(round(hours), "hour") if hours < 72 else counted(round(hours / 24), "day")


# --- fewer records, a kind of identity or a field missing


def _of_series(series: Series, parts: Sequence[Series], last: int) -> list[Gap]:
    windows = windows_of(series, last)
    if windows is None or len(windows.reference) < 2:
        return []
    found = []
    volume = _volume(series, parts, windows.recent, windows.reference, last)
    if volume is not None:
        found.append(volume)
    for name in COSTS:
        gap = _field(series, name, windows.recent, windows.reference, last)
        if gap is not None:
            found.append(gap)
    return found


def _volume(
    series: Series,
    parts: Sequence[Series],
    recent: Sequence[Day],
    reference: Sequence[Sequence[Day]],
    last: int,
) -> Gap | None:
    past = [sum(day.events - day.failures for day in week) for week in reference]
    now, least = sum(day.events - day.failures for day in recent), min(past)
    if least < KIND_AT_LEAST or now > COLLAPSED * least - 2 * sqrt(least):
        return None
    who = PEOPLE.get(series.kind, series.kind)
    mean = sum(past) / len(past)
    if now == 0 and len(parts) > 1:
        return Gap(
            gap="kind",
            source=series.source,
            identity_kind=series.kind,
            severity="act",
            since=series.last,
            costs=(f"everything that {who} do in this log",),
            text=f"{series.source}: no login by {who} for a week; {mean:.0f} a week before",
            remedy=f"see whether the export's filter leaves {who} out",
        )
    return Gap(
        gap="volume",
        source=series.source,
        identity_kind=series.kind,
        severity="act" if now <= VANISHED * least else "watch",
        since=_since_volume(series, reference, last),
        costs=("what is missing cannot be judged",),
        text=f"{series.source}: {counted(now, 'login')} by {who} last week; at least {least} in"
        f" each of the {len(past)} weeks before",
        remedy="see whether part of the export fails: a region, a tenant, a page",
    )


def _since_volume(series: Series, reference: Sequence[Sequence[Day]], last: int) -> int:
    """The day since which most is missing of the same weekdays' least before."""
    missing = most = 0
    since = last
    for back in range(WEEK):
        number = last - back
        day = series.days.get(number)
        least = min(week[WEEK - 1 - back].events for week in reference)
        missing += least - (day.events if day is not None else 0)
        if missing > most:
            since, most = number, missing
    return since * DAY_MS


def _field(
    series: Series,
    name: str,
    recent: Sequence[Day],
    reference: Sequence[Sequence[Day]],
    last: int,
) -> Gap | None:
    n, m = _counted(recent), sum(_counted(week) for week in reference)
    if n < FEWEST or m < FEWEST:
        return None
    now = _absent(recent, name) / n
    was = sum(_absent(week, name) for week in reference) / m
    # A field gone for only the last days of the week counts as much as one gone for all of it.
    since = _since_absent(series, name, was, last)
    tail = [series.days.get(number, Day()) for number in range(since, last + 1)]
    lately = _counted(tail)
    if lately >= FEWEST:
        n, now = lately, _absent(tail, name) / lately
    weekly = [_absent(week, name) / _counted(week) for week in reference if _counted(week)]
    apart = max(abs(share - was) for share in weekly)
    pooled = (was * m + now * n) / (m + n)
    noise = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    rise = now - was
    if rise < max(RISE_WATCH, BEYOND * apart) or rise < SIGNIFICANT * noise:
        return None
    costs, remedy = COSTS[name]
    who = PEOPLE.get(series.kind, series.kind)
    return Gap(
        gap="field",
        source=series.source,
        identity_kind=series.kind,
        field=name,
        severity="act" if rise >= RISE_ACT else "watch",
        since=since * DAY_MS,
        costs=costs,
        text=f"{series.source}: {TITLES[name]} is missing in {now:.0%} of the logins by {who},"
        f" {was:.0%} before",
        remedy=remedy,
    )


def _since_absent(series: Series, name: str, was: float, last: int) -> int:
    """The first of the last days on each of which more was missing than usual."""
    since = last + 1
    for number in range(last, last - WEEK, -1):
        day = series.days.get(number)
        if day is None or not day.counted:
            continue
        if day.absent.get(name, 0) / day.counted < was + (1 - was) * RISE_WATCH:
            break
        since = number
    return min(since, last)


def _counted(days: Sequence[Day]) -> int:
    return sum(day.counted for day in days)


def _absent(days: Sequence[Day], name: str) -> int:
    return sum(day.absent.get(name, 0) for day in days)
