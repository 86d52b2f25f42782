"""How far chance alone moves a figure: percentile intervals by resampling.

Logins are not independent: those of one incident are found or missed together, those of one person
alarm together. So what is drawn anew is whole incidents (for recall) and whole identities (for
precision). Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from collections.abc import Sequence
from random import Random  # noqa: TID251 - seeded: the same figures give the same interval
from typing import NamedTuple

from msgspec import Struct

RESAMPLES = 1000
COVERAGE = 0.95


class Part(NamedTuple):
    """What one incident or one identity contributes to a share: ``hits`` of ``all``."""

    hits: float
    all: float


class Estimate(Struct, frozen=True):
    """A share with the interval in which 95 % of the resamples lie; None where it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None


def share(parts: Sequence[Part], seed: str, resamples: int = RESAMPLES) -> Estimate:
    """Hits over all of some parts, with its interval.

    ``resamples`` of 0 gives no interval. The interval of a share of all or of none has no width:
    what never happened is in no resample either.
    """
    whole = sum(part.all for part in parts)
    if not whole:
        return Estimate(None)
    value = sum(part.hits for part in parts) / whole
    if not resamples:
        return Estimate(value)
    # One complex number a part, so that both sums are one pass in C.
    drawn = [complex(part.hits, part.all) for part in parts]
    rng = Random(seed)  # noqa: S311 - statistics, not secrets
    found = []
    for _ in range(resamples):
        total = sum(rng.choices(drawn, k=len(drawn)))
        if total.imag:
            found.append(total.real / total.imag)
    if not found:
        return Estimate(value)
    found.sort()
    tail = (1 - COVERAGE) / 2
    return Estimate(value, _quantile(found, tail), _quantile(found, 1 - tail))


def _quantile(ordered: Sequence[float], at: float) -> float:
    place = at * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
