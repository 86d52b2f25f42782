"""An isolation forest on Quivive's own features.

Liu, Ting and Zhou, "Isolation Forest", ICDM 2008, in scikit-learn's implementation with the paper's
100 trees of 256 logins. What differs from the paper: it is fitted on a trailing window and gated
(``trailing.py``), because a fit on all the logins would have seen the future.
"""

from typing import TYPE_CHECKING

from quivive.learn.detectors.detector import Entry
from quivive.learn.detectors.trailing import Trailing

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from quivive.learn.detectors.trailing import Score

NAME = "isolation-forest"
TREES = 100
SAMPLE = 256
SEED = 0


def fit(sample: "NDArray[float64]") -> "Score":
    """The forest of a sample; its anomaly scores are 0 to 1, the higher the sooner isolated."""
    from sklearn.ensemble import IsolationForest

    size = min(SAMPLE, len(sample))
    forest = IsolationForest(n_estimators=TREES, max_samples=size, random_state=SEED, n_jobs=1)
    forest.fit(sample)

    def score(rows: "NDArray[float64]") -> "NDArray[float64]":
        found: NDArray[float64] = -forest.score_samples(rows)
        return found

    return score


DETECTOR = Entry(
    NAME, lambda: Trailing(NAME, "Isolation forest (gated)", fit), needs=("numpy", "sklearn")
)
