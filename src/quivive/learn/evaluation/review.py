"""What to look at after the figures: incidents that were missed, and what was told for nothing."""

from collections.abc import Sequence

from msgspec import Struct

from quivive.learn.evaluation.counting import allowance, ranking
from quivive.learn.evaluation.rows import QUIVIVE, Rows
from quivive.learn.evaluation.split import Trial

EXAMPLES = 3
FOR_NOTHING_SHOWN = 20


class Missed(Struct, frozen=True):
    """An incident outside the budget.

    logins: of it that were scored, 0 where its records left none to rank. rank: the best one's
    place among all judged logins, 1 being the most suspicious. reasons: of that login, strongest
    first. first: its first login, ms UTC.
    """

    organisation: str
    incident: str
    kind: str
    identity: str
    logins: int
    first: int | None = None
    rank: int | None = None
    of: int = 0
    risk: float | None = None
    event: str = ""
    reasons: tuple[str, ...] = ()


class Example(Struct, frozen=True):
    """One login that was told for nothing: log and record, who, when (ms UTC), risk, reasons."""

    organisation: str
    event: str
    identity: str
    time: int
    risk: float
    reasons: tuple[str, ...]


class ForNothing(Struct, frozen=True):
    """Logins told that were no attacker's, by the signals that spoke most, with examples."""

    signals: str
    identity_kind: str
    count: int
    identities: int
    examples: tuple[Example, ...]


def missed(rows: Rows, trial: Trial, organisation: str, budget: float) -> list[Missed]:
    """The incidents without a login in Quivive's budget, those nearest to it first."""
    allowed = allowance(len(trial.rows), budget)
    best: dict[int, tuple[int, int]] = {}
    for rank, row in enumerate(ranking(rows, trial, QUIVIVE)):
        mine = trial.incident.get(row)
        if mine is not None:
            best.setdefault(mine, (rank, row))
    found = []
    for number, incident in enumerate(trial.incidents):
        if number not in best:
            found.append(Missed(organisation, incident.name, incident.kind, incident.identity, 0))
            continue
        rank, row = best[number]
        if rank >= allowed:
            found.append(
                Missed(
                    organisation,
                    incident.name,
                    incident.kind,
                    incident.identity,
                    len(incident.rows),
                    rows.time[incident.rows[0]],
                    rank + 1,
                    len(trial.rows),
                    rows.scores[QUIVIVE][row],
                    _event(rows, row),
                    rows.reasons_of(row),
                )
            )
    return sorted(found, key=lambda miss: (miss.rank is None, miss.rank or 0, miss.incident))


def for_nothing(rows: Rows, trial: Trial, organisation: str, budget: float) -> list[ForNothing]:
    """Quivive's alerts in the budget that were no attacker's, by their three strongest signals."""
    grouped: dict[tuple[str, str], list[int]] = {}
    for row in ranking(rows, trial, QUIVIVE)[: allowance(len(trial.rows), budget)]:
        if row not in trial.incident:
            signals = rows.reason_names.names[rows.reason[row]]
            grouped.setdefault((signals, rows.kind_of(row)), []).append(row)
    return [
        ForNothing(
            signals,
            kind,
            len(told),
            len({rows.identity[row] for row in told}),
            tuple(
                Example(
                    organisation,
                    _event(rows, row),
                    rows.identity_of(row),
                    rows.time[row],
                    rows.scores[QUIVIVE][row],
                    rows.reasons_of(row),
                )
                for row in told[:EXAMPLES]
            ),
        )
        for (signals, kind), told in sorted(grouped.items(), key=lambda item: -len(item[1]))
    ]


def together(parts: Sequence[ForNothing]) -> list[ForNothing]:
    """What several organisations were told for nothing, the commonest reasons first."""
    merged: dict[tuple[str, str], ForNothing] = {}
    for part in parts:
        key = part.signals, part.identity_kind
        other = merged.get(key)
        if other is None:
            merged[key] = part
            continue
        examples = sorted((*other.examples, *part.examples), key=lambda e: (-e.risk, e.event))
        merged[key] = ForNothing(
            part.signals,
            part.identity_kind,
            other.count + part.count,
            other.identities + part.identities,
            tuple(examples[:EXAMPLES]),
        )
    ordered = sorted(merged.items(), key=lambda item: (-item[1].count, item[0]))
    return [part for _, part in ordered[:FOR_NOTHING_SHOWN]]


def _event(rows: Rows, row: int) -> str:
    return f"{rows.log_of(row)}:{rows.sequence[row]}"
