"""How far two samples of counts are apart, and how far chance alone puts them."""

from collections.abc import Mapping
from math import exp, log, sqrt

SMOOTHING = 0.5


def psi(reference: Mapping[str, float], recent: Mapping[str, float]) -> float:
    """The population stability index of two sets of counts, smoothed by half a login a bucket."""
    buckets = reference.keys() | recent.keys()
    n = sum(reference.values()) + SMOOTHING * len(buckets)
    m = sum(recent.values()) + SMOOTHING * len(buckets)
    index = 0.0
    for bucket in sorted(buckets):
        was = (reference.get(bucket, 0) + SMOOTHING) / n
        now = (recent.get(bucket, 0) + SMOOTHING) / m
        index += (now - was) * log(now / was)
    return index


def expected_psi(buckets: int, n: float, m: float) -> float:
    """What the index is on average between two samples of n and m logins of the same kind."""
    return (buckets - 1) * (1 / n + 1 / m) if n and m else 0.0


def kolmogorov_smirnov(one: Mapping[int, float], two: Mapping[int, float]) -> float:
    """The largest distance of two cumulated histograms with the same bins, 0 to 1."""
    n, m = sum(one.values()), sum(two.values())
    if not n or not m:
        return 0.0
    furthest = below = other = 0.0
    for slot in sorted(one.keys() | two.keys()):
        below += one.get(slot, 0) / n
        other += two.get(slot, 0) / m
        furthest = max(furthest, abs(below - other))
    return furthest


def ks_chance(distance: float, n: float, m: float) -> float:
    """The probability of so large a distance by chance (asymptotic, with Stephens' correction)."""
    size = sqrt(n * m / (n + m))
    scaled = (size + 0.12 + 0.11 / size) * distance
    if scaled < 0.2:
        return 1.0
    chance, sign = 0.0, 2.0
    for k in range(1, 101):
        chance += sign * exp(-2 * (k * scaled) ** 2)
        sign = -sign
    return min(1.0, max(0.0, chance))
