"""How surprising a count is: the tail of the negative binomial."""

from functools import lru_cache
from math import exp, lgamma, log, log1p

SIZE = 0.3  # overdispersion of failures per identity and address: a few cause most


@lru_cache(maxsize=4096)
def _tail(count: int, mean_hundredths: int, size: float) -> float:
    mean = max(mean_hundredths, 1) / 100
    success = size / (size + mean)
    log_success, log_failure = log(success), log1p(-success)
    below = 0.0
    for k in range(min(count, 400)):
        below += exp(
            lgamma(k + size) - lgamma(size) - lgamma(k + 1) + size * log_success + k * log_failure
        )
    return -log(max(1.0 - below, 1e-12))


def tail(count: int, mean: float, size: float = SIZE) -> float:
    """-ln P(X >= count) for a negative binomial of this mean; 0 for nothing seen.

    Counts over 400 are taken as 400; the answer never exceeds 27.6 nats.
    """
    if count <= 0:
        return 0.0
    return _tail(min(count, 400), min(round(mean * 100), 100_000), size)
