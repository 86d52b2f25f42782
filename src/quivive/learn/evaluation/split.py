"""Splits that keep what is learned from what it is judged on: by time, incident, kind, company.

A detector that saw one login of an incident has seen the incident; one that was tuned on a kind of
attack has seen the kind. So an incident stands wholly on one side, and weights are judged on kinds
and organisations that they were not learned from (Sommer and Paxson, Outside the Closed World,
2010).
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from quivive.baseline.tables import DAY_MS
from quivive.learn.evaluation.labels import Label, Labels
from quivive.learn.evaluation.rows import Rows
from quivive.model.errors import ConfigurationError

LEARNING_SHARE = 1 / 3
KIND_FOLDS = 5


class SplitError(ConfigurationError):
    """A split that leaves nothing to learn from or to judge; the message says what to do."""


class Incident(Struct, frozen=True):
    """One incident as it was scored: its logins as row numbers by time; none if nothing was left.

    identity_kind: "human" or "service", of its first login.
    """

    name: str
    kind: str
    identity: str
    identity_kind: str
    rows: tuple[int, ...]


class Trial(Struct, frozen=True):
    """What is judged: the rows from the split on, and the incidents that began there.

    split, end: ms UTC. rows: row numbers in order of time, without the late logins of incidents
    that began before the split. incident: the incident's number, by row, of an attacker's login.
    """

    split: int
    end: int
    rows: range | list[int]
    incidents: list[Incident]
    incident: dict[int, int]

    @property
    def days(self) -> float:
        """How long the test window is."""
        return max(1, self.end - self.split) / DAY_MS


def joined(rows: Rows, labels: Labels) -> dict[int, Label]:
    """The label of each row that has one, once everything is scored."""
    found = {}
    for row in range(len(rows)):
        label = labels.of(rows.log_of(row), rows.sequence[row], rows.event[row])
        if label is not None:
            found[row] = label
    return found


def default_split(first: int, last: int, earliest: int | None) -> int:
    """The end of the first third of the logs (ms UTC), or of what of it is free of labels."""
    third = round(first + (last - first) * LEARNING_SHARE)
    return third if earliest is None else max(first, min(third, earliest))


def parse_split(text: str, first: int) -> int:
    """The moment (ms UTC) of ``--test-from``: a date, or the number of a day of the logs.

    Day 1 is the day of the first login (at ``first``). Raises SplitError for anything else.
    """
    if text.isascii() and text.isdigit() and len(text) < 5:
        return (first // DAY_MS + int(text) - 1) * DAY_MS
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SplitError(
            f"--test-from {text}: neither a date (2026-02-22) nor the number of a day (21)"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def trial(rows: Rows, labels: Labels, split: int | None = None) -> Trial:
    """The test window of scored rows, which lie in order of time.

    ``split`` (ms UTC) is where it begins. Raises SplitError where it would hold no login.
    """
    if not len(rows):
        raise SplitError("no logins to evaluate: the logs hold none")
    by_row = joined(rows, labels)
    first, last = rows.time[0], rows.time[-1]
    if split is None:
        split = default_split(first, last, min((rows.time[r] for r in by_row), default=None))
    if split > last:
        raise SplitError(
            f"the test window would begin after the last login ({_day(last)});"
            f" choose a moment between {_day(first)} and {_day(last)}"
        )
    mine: dict[str, list[int]] = {name: [] for name in labels.incidents}
    for row, label in by_row.items():
        mine[label.incident].append(row)
    early = {name for name, own in mine.items() if own and rows.time[own[0]] < split}
    incidents: list[Incident] = []
    number: dict[int, int] = {}
    for name, kind in labels.incidents.items():
        if name in early:
            continue
        own = mine[name]
        number.update(dict.fromkeys(own, len(incidents)))
        incidents.append(
            Incident(
                name,
                kind,
                rows.identity_of(own[0]) if own else "",
                rows.kind_of(own[0]) if own else "human",
                tuple(own),
            )
        )
    left_out = {row for name in early for row in mine[name]}
    judged = [row for row in range(len(rows)) if rows.time[row] >= split and row not in left_out]
    return Trial(split, last, judged, incidents, number)


def folds_of_kinds(kinds: Iterable[str], folds: int = KIND_FOLDS) -> list[frozenset[str]]:
    """Kinds of attack dealt into folds; each is held out once, with the others of its fold."""
    names = sorted(set(kinds))
    dealt = [frozenset(names[start::folds]) for start in range(min(folds, len(names)))]
    return [fold for fold in dealt if fold]


def _day(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d}"
