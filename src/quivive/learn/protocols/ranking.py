"""Ranking any number of scores in bounded memory."""

from bisect import bisect_left
from collections import Counter

STEP = 0.001  # of a score: scores closer than this may count as the same


class Ranking:
    """A histogram of scores: where a score ranks, in memory that does not grow with the logins."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()
        self._slots: list[int] = []
        self._below: list[int] = []
        self.total = 0

    def add(self, score: float) -> None:
        """Counts one score."""
        self._bins[round(score / STEP)] += 1
        self.total += 1

    def close(self) -> None:
        """Makes ``place`` answer for what was added so far."""
        self._slots = sorted(self._bins)
        self._below = [0]
        for slot in self._slots:
            self._below.append(self._below[-1] + self._bins[slot])

    def place(self, score: float) -> tuple[int, int]:
        """How many scored lower, and how many the same."""
        slot = round(score / STEP)
        at = bisect_left(self._slots, slot)
        return self._below[at], self._bins.get(slot, 0)

    def rank(self, score: float) -> int:
        """The place from the top, 1 the first; of equals all have the last of their places."""
        return self.total - self.place(score)[0]

    def threshold(self, budget: int) -> float | None:
        """The lowest score of which, with all above, no more than ``budget`` were counted.

        None where even the highest has more equals than that.
        """
        for at, slot in enumerate(self._slots):
            if self.total - self._below[at] <= budget:
                return slot * STEP
        return None


def area_under_curve(ranking: Ranking, positives: list[float], negatives: int) -> float | None:
    """The chance that a positive ranks above a negative. ``ranking`` holds both."""
    if not positives or negatives <= 0:
        return None
    own = Ranking()
    for score in positives:
        own.add(score)
    own.close()
    total = 0.0
    for score in positives:
        below, equal = ranking.place(score)
        own_below, own_equal = own.place(score)
        total += below - own_below + (equal - own_equal) / 2
    return total / (len(positives) * negatives)
