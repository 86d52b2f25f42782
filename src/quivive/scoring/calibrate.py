"""From a score to a risk: the empirical tail, and a generalised Pareto beyond the 98th percentile.

Peaks over threshold (Coles, An Introduction to Statistical Modeling of Extreme Values, ch. 4),
fitted by moments on a decayed histogram of the last weeks' scores. What a small class borrows from
a wider one is the shape of its tail, moved to where its own begins: the "index flood" (Hosking and
Wallis, Regional Frequency Analysis, 1997).
"""

from functools import lru_cache
from math import exp, floor, log10

from msgspec import Struct, field

from quivive.baseline.observation import Observation
from quivive.baseline.tables import DAY_MS, MOST_HALVINGS

HALF_LIFE = 14 * DAY_MS
BIN = 0.25  # nats
BODY_STEP = 0.5
TAIL_SHARE = 0.02
GATE_SHARE = 0.01
REFIT_EVERY = 256
# Before there is history: an exponential tail, worth this many logins.
PRIOR_LOGINS = 300.0
PRIOR_START = -4.0
PRIOR_MEAN = 2.5
POOL_LOGINS = 10_000.0  # what other products' logins are worth beside one product's own, at most
INDEX_SHARE = 0.05  # of the logins are above where two classes are laid upon each other
INDEX_LOGINS = 300.0  # of a class's own that are worth as much as taking it for like the others
NEWCOMER_START = 0.0
NEWCOMER_MEAN = 4.0
DECIBELS = 20.0
EVERY_PRODUCT = "*"
KNEE = 85.0


class Calibration(Struct):
    """The decayed distribution of scores of one class of identities (people or machines)."""

    anchor: int = 0
    total: float = 0.0
    bins: dict[int, float] = field(default_factory=dict)
    pending: int = REFIT_EVERY
    threshold: float = PRIOR_START - PRIOR_MEAN * -3.9
    share: float = TAIL_SHARE
    shape: float = 0.05
    width: float = PRIOR_MEAN
    body: list[float] = field(default_factory=list)
    prior_start: float = PRIOR_START
    prior_mean: float = PRIOR_MEAN

    def observe(self, score: float, time: int, pool: "Calibration | None" = None) -> None:
        """Counts a score at ``time`` (ms UTC).

        ``pool`` is the wider class that this one is a part of, and leans on while it is small.
        """
        if self.anchor == 0:
            self.anchor = time
        amount = self.scale(time)
        if amount > 1e12:
            amount /= 2  # from a half-life ago, so that it stays no longer young
            self.bins = {b: n / amount for b, n in self.bins.items() if n / amount > 1e-6}
            self.total = sum(self.bins.values())
            self.anchor, amount = time - HALF_LIFE, 2.0
        slot = floor(score / BIN)
        self.bins[slot] = self.bins.get(slot, 0.0) + amount
        self.total += amount
        self.pending -= 1
        if self.pending <= 0:
            self._fit(amount, time, pool)

    def scale(self, time: int) -> float:
        """What one login at ``time`` is worth in the units of the anchor."""
        halvings = (time - self.anchor) / HALF_LIFE
        if not -MOST_HALVINGS < halvings < MOST_HALVINGS:
            halvings = MOST_HALVINGS if halvings > 0 else -MOST_HALVINGS
        scale: float = 2.0**halvings
        return scale

    def young(self, time: int) -> bool:
        """Whether it counts for less than a half-life: what is ordinary is hardly known yet."""
        return self.anchor == 0 or time - self.anchor < HALF_LIFE

    def _fit(self, scale: float, time: int, pool: "Calibration | None") -> None:
        """Threshold at the 98th percentile; shape and width of the excess by moments."""
        self.pending = REFIT_EVERY
        start, width = self.prior_start, self.prior_mean
        merged = {slot: count / scale for slot, count in self.bins.items()}
        logins = self.total / scale
        prior = PRIOR_LOGINS * PRIOR_LOGINS / (PRIOR_LOGINS + logins)
        for slot in range(floor(start / BIN), floor((start + 12 * width) / BIN)):
            low = slot * BIN - start
            share = exp(-low / width) - exp(-(low + BIN) / width)
            merged[slot] = merged.get(slot, 0.0) + prior * max(0.0, share)
        if pool is not None and pool.total:
            lent = min(POOL_LOGINS, max(0.0, pool.total / pool.scale(time) - logins))
            ahead = self._index() - pool._index() if lent else 0
            ahead = round(ahead * logins / (logins + INDEX_LOGINS))
            for slot, count in pool.bins.items():
                slot += ahead
                merged[slot] = merged.get(slot, 0.0) + lent * count / pool.total
        whole = sum(merged.values())
        above = 0.0
        first = excess = square = 0.0
        for slot in sorted(merged, reverse=True):
            count = merged[slot]
            if above + count > TAIL_SHARE * whole and above > 0:
                break
            above += count
            middle = (slot + 0.5) * BIN
            first += count * middle
            square += count * middle * middle
            self.threshold = slot * BIN
        mean = first / above
        variance = max(square / above - mean * mean, 1e-3)
        excess = max(mean - self.threshold, BIN / 2)
        # Moments of the generalised Pareto; a heavy shape would flatten the top of the ranking.
        self.shape = min(0.25, max(-0.2, 0.5 * (1 - excess * excess / variance)))
        self.width = max(excess * (1 - self.shape), BIN)
        self.share = above / whole
        self.body = self._body(merged, whole)

    def _index(self) -> int:
        """The bin above which the index's share of the scores lies."""
        above, slot = 0.0, 0
        for slot in sorted(self.bins, reverse=True):
            above += self.bins[slot]
            if above >= INDEX_SHARE * self.total:
                break
        return slot

    def _body(self, merged: dict[int, float], whole: float) -> list[float]:
        """The share above the threshold less 0, 1, 2… steps, down to nearly everything."""
        shares = [self.share]
        running = self.share * whole
        slot = floor(self.threshold / BIN) - 1
        per_step = round(BODY_STEP / BIN)
        while running < 0.999 * whole and len(shares) < 120:
            running += sum(merged.get(slot - step, 0.0) for step in range(per_step))
            slot -= per_step
            shares.append(min(1.0, running / whole))
        return shares

    def exceedance(self, score: float) -> float:
        """The share of logins expected to score above this; exact only beyond the threshold."""
        excess = score - self.threshold
        if excess <= 0:
            return self._empirical(score)
        body = 1 + self.shape * excess / self.width
        if body <= 0:
            return 1e-9
        if abs(self.shape) < 1e-6:
            return max(1e-9, self.share * exp(-excess / self.width))
        return max(1e-9, float(self.share * body ** (-1 / self.shape)))

    def _empirical(self, score: float) -> float:
        """Below the threshold: the share of the histogram above the score, as last fitted."""
        body = self.body
        depth = (self.threshold - score) / BODY_STEP
        if not body or depth >= len(body) - 1:
            return (
                1.0 if body else min(1.0, self.share * exp((self.threshold - score) / self.width))
            )
        low = int(depth)
        return body[low] + (depth - low) * (body[low + 1] - body[low])

    def risk(self, score: float) -> float:
        """0 to 100: 60 is one login in a thousand. Above 85 it nears 100 without reaching it."""
        decibels = -DECIBELS * log10(self.exceedance(score))
        if decibels <= KNEE:
            return max(0.0, decibels)
        room = 100.0 - KNEE
        return KNEE + room * (1 - exp(-(decibels - KNEE) / (2 * room)))

    def gated(self, score: float) -> bool:
        """Whether a score is above the 99th percentile: too unusual to learn from at once."""
        return score > self.threshold and self.exceedance(score) < GATE_SHARE


def class_of(login: Observation, newcomer: bool) -> str:
    """The class a login is calibrated in: people and machines apart, by product, newcomers apart.

    To somebody new everything is new: their scores among all others would hide an attacker's.
    """
    return _classes(login.kind, login.log, newcomer)[0]


def calibration_of(
    calibrations: dict[str, Calibration], login: Observation, newcomer: bool
) -> Calibration:
    """The calibration of a login's class among ``calibrations``; a new one where there is none."""
    found = calibrations.get(class_of(login, newcomer))
    return _new(newcomer) if found is None else found


def count(
    calibrations: dict[str, Calibration],
    kind: str,
    log: str,
    newcomer: bool,
    score: float,
    time: int,
) -> None:
    """Counts a login's score in its class and in that of all products together."""
    own, every = _classes(kind, log, newcomer)
    pool = _found(calibrations, every, newcomer)
    pool.observe(score, time)
    _found(calibrations, own, newcomer).observe(score, time, pool)


@lru_cache(1024)
def _classes(kind: str, log: str, newcomer: bool) -> tuple[str, str]:
    """The class of a product, and that of all together."""
    new = "/new" if newcomer else ""
    return f"{kind}/{log.partition('/')[0]}{new}", f"{kind}/{EVERY_PRODUCT}{new}"


def _found(calibrations: dict[str, Calibration], name: str, newcomer: bool) -> Calibration:
    found = calibrations.get(name)
    if found is None:
        found = calibrations[name] = _new(newcomer)
    return found


def _new(newcomer: bool) -> Calibration:
    if not newcomer:
        return Calibration()
    return Calibration(
        threshold=NEWCOMER_START + 3.9 * NEWCOMER_MEAN,
        width=NEWCOMER_MEAN,
        prior_start=NEWCOMER_START,
        prior_mean=NEWCOMER_MEAN,
    )
