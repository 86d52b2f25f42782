"""How surprising a count is: the tail of the negative binomial."""

from functools import lru_cache
from math import exp, log

SIZE = 0.3  # overdispersion of failures per identity and address: a few cause most


@lru_cache(maxsize=4096)
def _tail(count: int, mean_hundredths: int, size: float) -> float:
    mean = max(mean_hundredths, 1) / 100
    success = size / (size + mean)
    failure = 1.0 - success
    below, exactly = 0.0, exp(size * log(success))
    for k in range(count):
        below += exactly
        exactly *= (k + size) / (k + 1) * failure  # P(X = k + 1) from P(X = k)
    return -log(max(1.0 - below, 1e-12))


def tail(count: int, mean: float, size: float = SIZE) -> float:
    """-ln P(X >= count) for a negative binomial of this mean; 0 for nothing seen.

    Counts over 400 are taken as 400; the answer never exceeds 27.6 nats.
    """
    if count <= 0:
        return 0.0
    return _tail(min(count, 400), min(round(mean * 100), 100_000), size)
