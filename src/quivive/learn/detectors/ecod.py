"""ECOD: tail probabilities of each feature's empirical distribution, added up.

Li, Zhao, Hu, Botta, Ionescu and Chen, "ECOD: Unsupervised Outlier Detection Using Empirical
Cumulative Distribution Functions", TKDE 2022. The score is the largest of three sums over the
features of -ln of a tail probability: all left tails, all right tails, and the tail on the side to
which each feature is skewed.

What differs: the paper scores the sample it is fitted on. Here each login is judged by a trailing
window before it, gated (``trailing.py``), with the login itself counted in, as in the paper's
definition if it were added alone; the skewness is the window's. Both tails count, as published,
although much negative evidence is reassuring.
"""

from typing import TYPE_CHECKING

from quivive.learn.detectors.detector import Entry
from quivive.learn.detectors.trailing import Trailing

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from quivive.learn.detectors.trailing import Score

NAME = "ecod"


def fit(sample: "NDArray[float64]") -> "Score":
    """The distributions of a sample; the scores are nats, 0 or more, the higher the further out."""
    import numpy

    size = len(sample)
    centred = sample - sample.mean(axis=0)
    # Only the sign of the skewness matters, and it is that of the third central moment.
    skewed_left = (centred**3).sum(axis=0) < 0
    ascending = numpy.ascontiguousarray(numpy.sort(sample, axis=0).T)

    def score(rows: "NDArray[float64]") -> "NDArray[float64]":
        left, right = numpy.empty(rows.shape), numpy.empty(rows.shape)
        for number, values in enumerate(ascending):
            column = rows[:, number]
            at_most = numpy.searchsorted(values, column, side="right")
            at_least = size - numpy.searchsorted(values, column, side="left")
            left[:, number] = -numpy.log((at_most + 1) / (size + 1))
            right[:, number] = -numpy.log((at_least + 1) / (size + 1))
        skewed = numpy.where(skewed_left, left, right)
        sums = [left.sum(axis=1), right.sum(axis=1), skewed.sum(axis=1)]
        found: NDArray[float64] = numpy.max(sums, axis=0)
        return found

    return score


DETECTOR = Entry(NAME, lambda: Trailing(NAME, "ECOD (gated)", fit), needs=("numpy",))
