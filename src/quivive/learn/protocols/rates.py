"""Thresholds and the shares above them."""

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil


def at_rate(attacks: Sequence[float], rate: float) -> float:
    """The highest threshold at or above which a share ``rate`` (0-1) of attacks still scores.

    ``attacks`` ascending and not empty.
    """
    wanted = max(1, ceil(rate * len(attacks) - 1e-9))
    return attacks[len(attacks) - wanted]


def reauthentication(legitimate: Sequence[float], threshold: float) -> float | None:
    """The share of legitimate logins at or above a threshold; None of none. Ascending."""
    if not legitimate:
        return None
    return (len(legitimate) - bisect_left(legitimate, threshold)) / len(legitimate)
