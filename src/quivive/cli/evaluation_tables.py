"""An evaluation on a terminal: recall by detector and budget, then what was missed."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from quivive.app.protocol_page import cell_words, heading
from quivive.app.report import budget, hours, interval, percent, value
from quivive.cli.shared import printable
from quivive.learn.evaluation.bootstrap import Estimate
from quivive.learn.evaluation.metrics import DetectorResult, Metric
from quivive.learn.evaluation.result import Evaluation, Fold
from quivive.learn.protocols.result import Result
from quivive.learn.protocols.result import Table as Published
from quivive.model.words import counted

MISSED_SHOWN = 12


def with_interval(estimate: Estimate) -> str:
    """A share and its interval: "86 % [72–96]"."""
    between = interval(estimate)
    return f"{percent(estimate.value)} [{between}]" if between else percent(estimate.value)


def show(found: Evaluation, console: Console) -> None:
    """Prints the whole result in words."""
    for one in found.organisations:
        console.print(
            f"{printable(one.name)}: {counted(one.logins, 'login')}, {one.judged:,} of them"
            " judged, "
            f"{one.attack_logins:,} by attackers; {counted(one.incidents, 'incident')}"
            + (f"; {counted(one.rejected, 'record')} rejected" if one.rejected else ""),
            markup=False,
        )
    console.print(_recall(found.detectors, found.resamples))
    console.print(_details(found))
    console.print(_metrics(found.metrics))
    if found.folds:
        console.print(_folds(found.folds))
    console.print(f"missed at {budget(found.reviewed_at)}: {len(found.missed)}", markup=False)
    for miss in found.missed[:MISSED_SHOWN]:
        where = f"rank {miss.rank:,} of {miss.of:,}" if miss.rank else "left no login to rank"
        words = "; ".join(miss.reasons)
        console.print(
            printable(f"  {miss.organisation} {miss.incident} {miss.kind}: {where}. {words}"),
            markup=False,
        )
    if found.left_out:
        console.print(
            f"not compared, for want of quivive[evaluate]: {', '.join(found.left_out)}",
            markup=False,
        )


def show_protocol(found: Result, console: Console) -> None:
    """Prints the tables and notes of a published protocol."""
    for one in found.tables:
        table = _published(one, tall=False)
        if console.measure(table, options=console.options.update(width=1000)).maximum > (
            console.width
        ):
            table = _published(one, tall=True)
        console.print(table)
    for note in found.notes:
        console.print(printable(note), markup=False)


def _published(one: Published, *, tall: bool) -> Table:
    """A table without rules between its columns; a tall one has a word a line in its head, so that
    nine columns fit into 80 characters.
    """
    table = Table(
        title=one.title,
        title_justify="left",
        caption=one.note or None,
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
    )
    for number, column in enumerate(one.columns):
        words = number == 0 or any(isinstance(row[number], str) for row in one.rows)
        name = heading(column)
        table.add_column(
            name if words or not tall else name.replace(" ", "\n"),
            justify="left" if words else "right",
            no_wrap=not words,
        )
    for row in one.rows:
        table.add_row(*map(cell_words, one.columns, row))
    return table


def _recall(detectors: Sequence[DetectorResult], resamples: int) -> Table:
    interval = " with 95 % intervals" if resamples else ""
    table = Table(title=f"Incidents found at alert budgets{interval}", title_justify="left")
    table.add_column("detector")
    for at in detectors[0].at:
        table.add_column(budget(at.budget), justify="right", no_wrap=True)
    for detector in detectors:
        cells = [with_interval(at.incident_recall) for at in detector.at]
        table.add_row(detector.title, *cells, style="bold" if detector is detectors[0] else "")
    return table


def _details(found: Evaluation) -> Table:
    table = Table(title="Quivive at each budget", title_justify="left")
    table.add_column("")
    ours = found.detectors[0]
    for at in ours.at:
        table.add_column(budget(at.budget), justify="right")
    rows: list[tuple[str, list[str]]] = [
        ("attacker's logins told", [percent(at.event_recall) for at in ours.at]),
        ("precision", [with_interval(at.precision) for at in ours.at]),
        ("alerts a day and organisation", [f"{at.alerts_a_day:.1f}" for at in ours.at]),
        ("alerts on little history", [percent(at.low_history) for at in ours.at]),
        ("told by the first login", [percent(at.at_first_login) for at in ours.at]),
        (
            "median time to the first told",
            [hours(at.median_hours) for at in ours.at],
        ),
        ("rate realised by the controller", [percent(at.realised_rate, 2) for at in ours.at]),
        ("incidents found so", [percent(at.realised_recall) for at in ours.at]),
    ]
    for name, cells in rows:
        table.add_row(name, *cells)
    return table


def _metrics(metrics: Sequence[Metric]) -> Table:
    table = Table(title="Quivive by its own threshold", title_justify="left")
    table.add_column("")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("goal")
    for metric in metrics:
        told = value(metric) if metric.value is not None else "only live"
        table.add_row(metric.id, metric.title, told, metric.goal)
    return table


def _folds(folds: Sequence[Fold]) -> Table:
    table = Table(title="Held-out incidents found: shipped weights → learned", title_justify="left")
    table.add_column("organisation")
    table.add_column("held out")
    for at in folds[0].at:
        table.add_column(budget(at.budget), justify="right")
    for fold in folds:
        cells = [f"{at.shipped.found} → {at.learned.found} of {at.shipped.of}" for at in fold.at]
        table.add_row(fold.organisation, ", ".join(fold.held_out), *cells)
    return table
