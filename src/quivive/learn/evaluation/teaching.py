"""What an organisation teaches another: the evidence of logins that an analyst would have judged.

An analyst's verdicts exist where alerts were, and on a random slice. So of the logins that were no
attacker's those of the highest risk teach, and a hundredth of the others.
"""

from msgspec import Struct

from quivive.baseline.tables import DAY_MS
from quivive.learn.evaluation.counting import allowance
from quivive.learn.evaluation.labels import KnownLabels
from quivive.learn.evaluation.rows import QUIVIVE, Rows, event_hash
from quivive.learn.evidence import Example

ALERTED_SHARE = 0.01
SLICE = 100  # one in so many of the rest
ANALYSTS = 3  # who judge by turns: the weight of one alone is bounded


class Taught(Struct, frozen=True):
    """One login with its verdict, its time (ms UTC), and the kind of attack if it was one."""

    time: int
    kind: str
    example: Example


def lessons(rows: Rows, known: KnownLabels) -> list[Taught]:
    """The logins that teach, in order of time, as far as their labels may be known.

    Their evidence must have been kept.
    """
    risk = rows.scores[QUIVIVE]
    past = [row for row in range(len(rows)) if rows.time[row] < known.until]
    past.sort(key=lambda row: (-risk[row], rows.event[row]))
    alerted = set(past[: allowance(len(past), ALERTED_SHARE)])
    found = []
    for row in sorted(past):
        label = known.of(rows.time[row], rows.log_of(row), rows.sequence[row], rows.event[row])
        if label is None and row not in alerted and rows.event[row] % SLICE:
            continue
        day = rows.time[row] // DAY_MS
        incident = label.incident if label else f"{rows.identity_of(row)} on day {day}"
        found.append(
            Taught(
                rows.time[row],
                label.kind if label else "",
                Example(
                    evidence=rows.evidence_of(row),
                    kind=rows.kind_of(row),
                    attack=label is not None,
                    source=f"analyst {event_hash(incident) % ANALYSTS}",
                    incident=incident,
                ),
            )
        )
    return found
