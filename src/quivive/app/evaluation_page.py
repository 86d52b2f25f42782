"""The report of an evaluation: one HTML file that asks nobody for anything."""

from collections.abc import Sequence

from msgspec import Struct

from quivive.app.report import budget, percent, render
from quivive.app.svg import COLOURS, Axis, Line, line_chart
from quivive.learn.evaluation.metrics import DetectorResult
from quivive.learn.evaluation.result import Evaluation

TICKS = (0.0005, 0.001, 0.003, 0.005, 0.01, 0.02, 0.05)
LABEL = 22  # characters of a title beside its line


class Cell(Struct, frozen=True):
    """A cell of a heat table: what it says, and how full it is (None where there is nothing)."""

    text: str
    share: float | None


def page(found: Evaluation) -> str:
    """The whole report as HTML."""
    reviewed = _nearest(found.budgets, found.reviewed_at)
    others = found.detectors[1:]
    return render(
        "evaluation.html",
        version=found.quivive,
        found=found,
        ours=found.detectors[0],
        main=reviewed,
        at=found.detectors[0].at[reviewed],
        best=max(others, key=lambda d: d.at[reviewed].incident_recall.value or 0.0, default=None),
        chart=_chart(found.detectors),
        legend=list(enumerate(detector.title for detector in found.detectors)),
        colours=COLOURS,
        kinds=_heat(found, reviewed, "by_kind"),
        identity_kinds=_heat(found, reviewed, "by_identity_kind"),
        best_cell=[
            max(detector.at[number].incident_recall.value or 0.0 for detector in found.detectors)
            for number in range(len(found.budgets))
        ],
    )


def short(title: str) -> str:
    """A title short enough to stand beside its line."""
    words = title.partition(" (")[0]
    return words if len(words) <= LABEL else words[: LABEL - 1] + "…"


def _nearest(budgets: Sequence[float], wanted: float) -> int:
    return min(range(len(budgets)), key=lambda n: abs(budgets[n] - wanted))


def _chart(detectors: Sequence[DetectorResult]) -> str:
    lines = [Line(short(detector.title), detector.curve) for detector in detectors]
    text = "Recall of incidents against the alert budget: " + "; ".join(
        f"{d.title} {percent(d.curve[-1][1])} at {budget(d.curve[-1][0])}" for d in detectors
    )
    x = Axis("alert budget, share of all logins", [(tick, budget(tick)) for tick in TICKS], True)
    return line_chart(lines, x, "incidents found", text)


def _heat(found: Evaluation, number: int, what: str) -> list[tuple[str, list[Cell]]]:
    """A row for each kind, and in it a cell for each detector."""
    rows = []
    for kind in getattr(found.detectors[0].at[number], what):
        cells = []
        for detector in found.detectors:
            mine = getattr(detector.at[number], what)[kind]
            cells.append(Cell(f"{mine.found}/{mine.of}", mine.recall))
        rows.append((kind.replace("_", " "), cells))
    return rows
