"""The report of a published protocol: its tables and figures as one HTML file."""

from quivive import __version__
from quivive.app.evaluation_page import short
from quivive.app.report import percent, render
from quivive.app.svg import COLOURS, Line, axis_of, line_chart
from quivive.learn.protocols.result import Cell, Curve, Result

NUMBER = " (number)"  # marks a column as no share; not shown
UNITS = (" a day", NUMBER, "(days)", "(seconds)")


def protocol_page(found: Result) -> str:
    """The whole report as HTML."""
    figures: dict[str, list[Curve]] = {}
    for curve in found.curves:
        if curve.points:
            figures.setdefault(curve.figure, []).append(curve)
    for curves in figures.values():  # the first line is the one that stands out
        curves.sort(key=lambda curve: curve.name != "Quivive")
    return render(
        "protocol.html",
        version=__version__,
        result=found,
        colours=COLOURS,
        figures=[(title, _chart(curves), [c.name for c in curves])
                 for title, curves in figures.items()],
        tables=[(table, [heading(column) for column in table.columns],
                 [[cell_words(name, cell) for name, cell in zip(table.columns, row, strict=True)]
                  for row in table.rows]) for table in found.tables],
    )  # fmt: skip


def heading(column: str) -> str:
    """A column's name for people."""
    return column.removesuffix(NUMBER)


def cell_words(column: str, cell: Cell) -> str:
    """A cell in words: a float is a share, unless its column gives a unit or is an AUC."""
    if cell is None:
        return "–"
    if column == "AUC" and isinstance(cell, float):
        return f"{cell:.3f}"
    if isinstance(cell, float):
        return f"{cell:,.1f}" if any(unit in column for unit in UNITS) else percent(cell, 1)
    return f"{cell:,}" if isinstance(cell, int) else cell


def _chart(curves: list[Curve]) -> str:
    first = curves[0]
    unit = any(unit in first.x for unit in UNITS)
    values = [x for curve in curves for x, _ in curve.points]
    text = f"{first.figure}: {first.y} against {first.x}"
    x = axis_of(first.x, values, share=not unit)
    lines = [Line(short(curve.name), curve.points) for curve in curves]
    return line_chart(lines, x, first.y, text)
