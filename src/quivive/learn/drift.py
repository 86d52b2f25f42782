"""Drift: whether last week's logins still look like those of the weeks before.

Whole weeks are compared with whole weeks, so that a weekend is never news. The test for a feature
is the population stability index, PSI = sum (p - q) ln(p / q): .1 is worth watching, .25 asks for
action. By chance alone B buckets of n and m logins show about (B - 1)(1/n + 1/m); logins of the
same people move together, so this is multiplied by how much more than that the reference weeks
differ among each other (a design effect, Kish 1965). What is judged is the excess over it.
"""

from collections import Counter
from collections.abc import Sequence
from math import ceil, sqrt

from msgspec import Struct

from quivive.baseline.monitor import SCORE_STEP, Day, Monitor, Series
from quivive.baseline.tables import DAY_MS
from quivive.learn.adwin import Adwin
from quivive.learn.distance import expected_psi, kolmogorov_smirnov, ks_chance, psi

WEEK = 7
REFERENCE_WEEKS = 4
SETTLING_WEEKS = 2  # of a log, in which everything is still becoming familiar
FEWEST = 60  # logins in a week from which a feature is judged
WATCH, ACT = 0.1, 0.25
BEYOND_WATCH, BEYOND_ACT = 1.5, 2.0  # times the most that a reference week differs from the rest
BUCKETS = 12
KS_WATCH, KS_ACT, KS_CHANCE = 0.1, 0.25, 0.001
HIGH_SHARE = 0.05  # of the reference's scores count as high
RISE_WATCH, RISE_ACT = 2.0, 4.0
STREAM_A_DAY = 200
OTHER = "other"

TITLES = {
    "country": "country",
    "network_kind": "kind of network",
    "os": "OS",
    "client": "client",
    "mfa": "MFA",
    "hour": "hour of the day (UTC)",
    "operator?": "familiarity of the operator",
    "address?": "familiarity of the address",
    "device?": "familiarity of the device",
    "application?": "familiarity of the application",
    "operation?": "familiarity of the operation",
    "resource?": "familiarity of the resource",
    "credential?": "familiarity of the credential",
    "host?": "familiarity of the host",
    "role?": "familiarity of the role",
    "runner?": "familiarity of the runner",
    "tls?": "familiarity of the TLS fingerprint",
}
PEOPLE = {"human": "people", "service": "machines"}


class Drift(Struct, frozen=True, kw_only=True):
    """One thing that is not as it was, in one log for one kind of identity.

    test: "psi", "ks" or "adwin"; feature: a name of TITLES, or "score". severity: "watch" or
    "act"; value: the statistic; excess: what chance does not explain of it. since: ms UTC where
    the test can tell. text: a sentence.
    """

    source: str
    kind: str
    test: str
    feature: str
    severity: str
    value: float
    excess: float
    text: str
    since: int | None = None


class Windows(Struct, frozen=True):
    """The last whole week of a series and the reference weeks before it, newest first.

    settled: how many of these began when what is familiar had been learned; last: the number of
    the last day.
    """

    recent: Sequence[Day]
    reference: Sequence[Sequence[Day]]
    settled: int
    last: int


def find_drift(monitor: Monitor) -> list[Drift]:
    """Everything that drifted, what asks for action first."""
    found: list[Drift] = []
    for series in monitor.series.values():
        windows = windows_of(series, last_day(monitor))
        if windows is not None:
            found += _features(series, windows)
            found += _scores(series, windows)
    return sorted(found, key=lambda d: (d.severity != "act", -d.value, d.source, d.kind, d.feature))


def last_day(monitor: Monitor) -> int:
    """The number of the last whole day, in days since 1970."""
    return (monitor.newest + DAY_MS // 24) // DAY_MS - 1


def windows_of(series: Series, last: int) -> Windows | None:
    """The weeks to compare; None while there is no week to compare the last one with."""
    begin = ceil(series.first / DAY_MS)  # the first day is a part of one
    starts = [last + 1 - WEEK * n for n in range(1, REFERENCE_WEEKS + 2)]
    starts = [start for start in starts if start >= begin]
    if len(starts) < 2:
        return None
    weeks = [
        [series.days.get(number, _NOTHING) for number in range(start, start + WEEK)]
        for start in starts
    ]
    settled = sum(start >= begin + WEEK * SETTLING_WEEKS for start in starts[1:])
    return Windows(weeks[0], weeks[1:], settled, last)


_NOTHING = Day()


def counted(days: Sequence[Day], feature: str) -> Counter[str]:
    """The logins of some days in each bucket of a feature."""
    found: Counter[str] = Counter()
    for day in days:
        found.update(day.features.get(feature, {}))
    return found


def _features(series: Series, windows: Windows) -> list[Drift]:
    found = []
    for feature, title in TITLES.items():
        reference = windows.reference
        if feature.endswith("?"):
            reference = reference[: windows.settled]
        weeks = [counted(week, feature) for week in reference]
        weeks = [week for week in weeks if week.total() >= FEWEST]
        drifted = _feature(series, feature, title, counted(windows.recent, feature), weeks)
        if drifted is not None:
            found.append(drifted)
    return found


def _feature(
    series: Series, feature: str, title: str, recent: Counter[str], weeks: list[Counter[str]]
) -> Drift | None:
    if recent.total() < FEWEST or len(weeks) < 2:
        return None
    together = sum(weeks, Counter[str]())
    kept = {bucket for bucket, _ in _ranked(together + recent)[: BUCKETS - 1]}
    now, was = _merged(recent, kept), _merged(together, kept)
    value = psi(was, now)
    if value < WATCH:
        return None
    buckets = len(was.keys() | now.keys())
    others = [_merged(week, kept) for week in weeks]
    apart = [(psi(was - week, week), was.total() - week.total(), week.total()) for week in others]
    effect = sum(p / expected_psi(buckets, n, m) for p, n, m in apart) / len(apart)
    excess = value - max(1.0, effect) * expected_psi(buckets, was.total(), now.total())
    most = max(p for p, _, _ in apart)
    severity = _severity(excess, (WATCH, ACT), value, most)
    if severity is None:
        return None
    shares = {
        bucket: (was[bucket] / was.total(), now[bucket] / now.total())
        for bucket in was.keys() | now.keys()
    }
    bucket, (before, after) = max(
        shares.items(), key=lambda item: (abs(item[1][1] - item[1][0]), item[0])
    )
    return Drift(
        source=series.source,
        kind=series.kind,
        test="psi",
        feature=feature,
        severity=severity,
        value=round(value, 3),
        excess=round(excess, 3),
        text=f"{title}: {bucket} {before:.0%} → {after:.0%} of {series.source} logins by"
        f" {PEOPLE.get(series.kind, series.kind)}; PSI {_short(value)}",
    )


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _severity(excess: float, bounds: tuple[float, float], value: float, most: float) -> str | None:
    watch, act = bounds
    if excess >= act and value > BEYOND_ACT * most:
        return "act"
    return "watch" if excess >= watch and value > BEYOND_WATCH * most else None


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _merged(counts: Counter[str], kept: set[str]) -> Counter[str]:
    """The counts with everything else as "other"."""
    found: Counter[str] = Counter()
    for bucket, count in counts.items():
        found[bucket if bucket in kept else OTHER] += count
    return found


def _histogram(days: Sequence[Day]) -> Counter[int]:
    found: Counter[int] = Counter()
    for day in days:
        found.update(day.scores)
    return found


def _scores(series: Series, windows: Windows) -> list[Drift]:
    weeks = [_histogram(week) for week in windows.reference[: windows.settled]]
    weeks = [week for week in weeks if week.total() >= FEWEST]
    recent = _histogram(windows.recent)
    if len(weeks) < 2 or recent.total() < FEWEST:
        return []
    found = [_distribution(series, recent, weeks), _rise(series, windows, weeks)]
    return [drift for drift in found if drift is not None]


def _distribution(series: Series, recent: Counter[int], weeks: list[Counter[int]]) -> Drift | None:
    was = sum(weeks, Counter[int]())
    distance = kolmogorov_smirnov(was, recent)
    apart = [kolmogorov_smirnov(was - week, week) for week in weeks]
    # Two weeks of n logins differ by about .87 sqrt(1/n + 1/m): what they differ more is theirs.
    usual = sum(
        d / (0.87 * sqrt(1 / (was.total() - w.total()) + 1 / w.total()))
        for d, w in zip(apart, weeks, strict=True)
    ) / len(apart)
    effect = max(1.0, usual) ** 2
    chance = ks_chance(distance, was.total() / effect, recent.total() / effect)
    severity = _severity(distance, (KS_WATCH, KS_ACT), distance, max(apart))
    if severity is None or chance > KS_CHANCE:
        return None
    before, after = _median(was), _median(recent)
    return Drift(
        source=series.source,
        kind=series.kind,
        test="ks",
        feature="score",
        severity=severity,
        value=round(distance, 3),
        excess=round(distance - max(apart), 3),
        text=f"score: median {before:+.1f} → {after:+.1f} nats of {series.source} logins by"
        f" {PEOPLE.get(series.kind, series.kind)}; KS {_short(distance)}",
    )


def _median(scores: Counter[int]) -> float:
    below, half = 0, scores.total() / 2
    for slot in sorted(scores):
        below += scores[slot]
        if below >= half:
            return (slot + 0.5) * SCORE_STEP
    return 0.0


def _rise(series: Series, windows: Windows, weeks: list[Counter[int]]) -> Drift | None:
    """ADWIN on the share of high scores, day by day, over the reference and the last week."""
    was = sum(weeks, Counter[int]())
    high = _upper(was)
    days = [
        *(day for week in reversed(windows.reference[: len(weeks)]) for day in week),
        *windows.recent,
    ]
    counts = [(sum(c for s, c in d.scores.items() if s >= high), d.counted) for d in days]
    before = counts[:-WEEK]
    share = sum(k for k, _ in before) / max(1, sum(n for _, n in before))
    if not share:
        return None
    # People's logins come in clusters: count as many as vary like independent ones would.
    chi = [(k - n * share) ** 2 / (n * share * (1 - share)) for k, n in before if n]
    effect = max(1.0, sum(chi) / len(chi))
    window, at, cut = Adwin(), [], False
    for number, (k, n) in enumerate(counts):
        size = min(STREAM_A_DAY, ceil(n / effect))
        ones = k / n if n else 0.0
        for step in range(size):  # the day's share, spread evenly over its values
            cut = window.add(float(int((step + 1) * ones) - int(step * ones))) or cut
            at.append(number)
    if not cut or window.since >= len(at):
        return None
    begin = at[window.since]
    k, n = (sum(column) for column in zip(*counts[begin:], strict=True))
    earlier = counts[:begin] or before
    old = sum(k for k, _ in earlier) / max(1, sum(n for _, n in earlier))
    now = k / max(1, n)
    ratio = now / max(old, 0.5 * HIGH_SHARE)
    if ratio < RISE_WATCH:
        return None
    since = (windows.last - (len(counts) - 1 - begin)) * DAY_MS
    return Drift(
        source=series.source,
        kind=series.kind,
        test="adwin",
        feature="score",
        severity="act" if ratio >= RISE_ACT else "watch",
        value=round(now, 3),
        excess=round(now - old, 3),
        since=since,
        text=f"high scores: {old:.0%} → {now:.0%} of {series.source} logins by"
        f" {PEOPLE.get(series.kind, series.kind)} score above"
        f" {high * SCORE_STEP:+.1f} nats (ADWIN)",
    )


def _upper(scores: Counter[int]) -> int:
    """The slot from which at most HIGH_SHARE of the scores lie."""
    above, allowed = 0, HIGH_SHARE * scores.total()
    for slot in sorted(scores, reverse=True):
        above += scores[slot]
        if above > allowed:
            return slot + 1
    return min(scores, default=0)
