"""Detectors fitted on a trailing window of feature vectors: what the learned ones share.

The features are the evidence in nats that Quivive itself weighs, so what is compared is how
evidence is put together, not what evidence there is. One model judges people and machines.

The gate keeps a detector's own top 1 % of each day out of what it is fitted on next, so that a
takeover that goes on for days does not become usual by itself. Days before the first fit have no
scores and enter whole.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from quivive.baseline.tables import DAY_MS
from quivive.learn.detectors.detector import NOT_EVALUABLE, Seen, judged

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray

    # Fitted on a matrix of shape (logins, features); gives the scores, of shape (logins,), of one.
    Score = Callable[[NDArray[float64]], NDArray[float64]]
    Fit = Callable[[NDArray[float64]], Score]

WINDOW_DAYS = 28
REFIT_DAYS = 7
GATED_SHARE = 0.01
FEWEST_LOGINS = 500  # before the first fit


class _Day(NamedTuple):
    day: int
    nats: list[Mapping[str, float]]


class Trailing:
    """A detector fitted on four weeks before the logins it judges, anew every week."""

    def __init__(self, name: str, title: str, fit: "Fit") -> None:
        """``fit`` is called with a matrix of the window and gives the function that scores."""
        self.name = name
        self.title = title
        self._fit = fit
        self._score: Score | None = None
        self._names: tuple[str, ...] = ()
        self._days: deque[_Day] = deque()
        self._fitted: int | None = None

    def judge(self, day: Sequence[Seen]) -> list[float]:
        """Scores a day by the days before it, then keeps what the gate lets through."""
        scores = [NOT_EVALUABLE] * len(day)
        chosen = [number for number, seen in enumerate(day) if judged(seen.login)]
        if not chosen:
            return scores
        today = day[chosen[0]].login.time // DAY_MS
        while self._days and self._days[0].day < today - WINDOW_DAYS:
            self._days.popleft()
        if self._due(today):
            self._renew(today)
        rows = [day[number].nats for number in chosen]
        allowed = [True] * len(rows)
        if self._score is not None:
            found = self._score(matrix(rows, self._names))
            for number, score in zip(chosen, found.tolist(), strict=True):
                scores[number] = score
            allowed = ungated(found).tolist()
        kept = zip(chosen, rows, allowed, strict=True)
        learned = [row for n, row, fine in kept if fine and day[n].login.learnable]
        self._days.append(_Day(today, learned))
        return scores

    def _due(self, today: int) -> bool:
        if sum(len(kept.nats) for kept in self._days) < FEWEST_LOGINS:
            return False
        return self._fitted is None or today - self._fitted >= REFIT_DAYS

    def _renew(self, today: int) -> None:
        rows = [row for kept in self._days for row in kept.nats]
        self._names = tuple(sorted({name for row in rows for name in row}))
        self._score = self._fit(matrix(rows, self._names))
        self._fitted = today


def matrix(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> "NDArray[float64]":
    """Vectors as rows. A feature that was not evaluable counts as 0 nats: it says nothing."""
    import numpy

    column = {name: number for number, name in enumerate(names)}
    found = numpy.zeros((len(rows), len(names)))
    for number, row in enumerate(rows):
        for name, nats in row.items():
            place = column.get(name)
            if place is not None:
                found[number, place] = nats
    return found


def ungated(scores: "NDArray[float64]") -> "NDArray[bool_]":
    """Which of a day's logins may be learned from: all but the day's own top 1 %, one at least."""
    import numpy

    allowed = numpy.ones(len(scores), dtype=bool)
    held = int(numpy.ceil(len(scores) * GATED_SHARE))
    allowed[numpy.argsort(-scores, kind="stable")[:held]] = False
    return allowed
