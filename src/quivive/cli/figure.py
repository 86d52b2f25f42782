"""Draws logins over time in a terminal: days across, categories (countries) down.

After the figure of the account takeover that the project grew from: blue for logins that
succeeded, red for those that failed. Every colour has a character of its own, so that the figure
reads the same without colours.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

DAY_MS = 86_400_000
MONDAY = 4  # 1970-01-01 was a Thursday: days since then, modulo 7
LONGEST_LABEL = 16
TICK_CELLS = 9
TICK_DAYS = (1, 2, 7, 14, 28, 56, 112, 224, 448)
OTHERS = "others"


class Point(NamedTuple):
    """One login: when (ms UTC), in which row, whether it succeeded and whether it was told."""

    time: int
    category: str
    success: bool
    finding: bool = False


class Mark(NamedTuple):
    """A moment (ms UTC) to draw through all rows, and what the legend calls it."""

    time: int
    text: str


class Glyphs(NamedTuple):
    """The characters of a figure."""

    success: str = "●"
    failure: str = "×"
    both: str = "▀"
    nothing: str = "·"
    finding: str = "▲"
    mark: str = "┃"
    axis: str = "─"
    tick: str = "┬"


UNICODE = Glyphs()
ASCII = Glyphs("o", "x", "#", ".", "^", "|", "-", "+")
STYLES = {
    "success": "bold blue",
    "failure": "red",
    "both": "blue on red",
    "nothing": "dim",
    "finding": "bold magenta",
    "mark": "green",
}


class _Grid(NamedTuple):
    """How days fall into columns: the first day, days a column, columns, characters a column."""

    first: int
    days: int
    columns: int
    cell: int

    def column(self, time: int) -> int:
        return (time // DAY_MS - self.first) // self.days


class _Row:
    """One category: what happened in which column, and how often in all."""

    def __init__(self) -> None:
        self.succeeded: set[int] = set()
        self.failed: set[int] = set()
        self.successes = 0
        self.failures = 0

    def add(self, column: int, success: bool) -> None:
        (self.succeeded if success else self.failed).add(column)
        self.successes += success
        self.failures += not success

    def at(self, column: int) -> str:
        if column in self.succeeded:
            return "both" if column in self.failed else "success"
        return "failure" if column in self.failed else "nothing"


def figure(
    points: Iterable[Point],
    width: int,
    *,
    marks: Sequence[Mark] = (),
    rows: int = 20,
    glyphs: Glyphs = UNICODE,
) -> list[Text]:
    """The lines of a figure no wider than ``width``: the busiest ``rows`` categories, the rest
    together, then the axis, the days with findings and a legend. Days are UTC.
    """
    logins = list(points)
    if not logins:
        return [Text("no logins to draw")]
    names = _names(logins, rows)
    shown = set(names)
    label = max(len("finding"), *(min(cell_len(name), LONGEST_LABEL) for name in names))
    totals = max(len("failed"), len(f"{len(logins):,}"))
    grid = _grid(logins, width - label - 2 * totals - 4)

    table = {name: _Row() for name in names}
    for login in logins:
        name = login.category if login.category in shown else OTHERS
        table[name].add(grid.column(login.time), login.success)
    inside = [m for m in marks if 0 <= grid.column(m.time) < grid.columns]
    marked = {grid.column(mark.time) for mark in inside}
    found = {grid.column(login.time) for login in logins if login.finding}

    indent = " " * (label + 1)
    blank = " " * (grid.columns * grid.cell)
    lines = [Text(f"{indent}{blank}  {'in':>{totals}} {'failed':>{totals}}", style="dim")]
    for name, row in table.items():
        lines.append(_line(name, label, grid, _cells(row, marked), glyphs))
        lines[-1].append(f"  {row.successes:>{totals},}", "blue" if row.successes else "dim")
        lines[-1].append(f" {row.failures:>{totals},}", "red" if row.failures else "dim")
    lines += _axis(grid, indent, glyphs)
    if found:
        lines.append(
            _line("finding", label, grid, lambda c: "finding" if c in found else "", glyphs)
        )
    return lines + _legend(width, indent, table.values(), bool(found), inside, glyphs)


def _names(logins: Sequence[Point], rows: int) -> list[str]:
    """The rows from top to bottom: busiest first, in the end all that found no room."""
    counts: dict[str, int] = {}
    for login in logins:
        counts[login.category] = counts.get(login.category, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    return names if len(names) <= rows else [*names[: rows - 1], OTHERS]


def _grid(logins: Sequence[Point], room: int) -> _Grid:
    first = min(login.time for login in logins) // DAY_MS
    days = max(login.time for login in logins) // DAY_MS - first + 1
    room = max(room, 1)
    each = -(-days // room)
    columns = -(-days // each)
    return _Grid(first, each, columns, 2 if columns * 2 <= room else 1)


def _cells(row: _Row, marked: set[int]) -> Callable[[int], str]:
    def at(column: int) -> str:
        what = row.at(column)
        return "mark" if what == "nothing" and column in marked else what

    return at


def _line(name: str, label: int, grid: _Grid, at: Callable[[int], str], glyphs: Glyphs) -> Text:
    line = Text(set_cell_size(name, min(label, cell_len(name))).rjust(label) + " ")
    for column in range(grid.columns):
        what = at(column)
        glyph = getattr(glyphs, what) if what else " "
        line.append(glyph, STYLES.get(what, ""))
        line.append(" " * (grid.cell - 1))
    return line


def _axis(grid: _Grid, indent: str, glyphs: Glyphs) -> list[Text]:
    """The axis with a tick and a date as often as there is room, on Mondays where it is weeks."""
    length = grid.columns * grid.cell
    step = next((s for s in TICK_DAYS if s / grid.days * grid.cell >= TICK_CELLS), TICK_DAYS[-1])
    day = grid.first
    if step >= 7:
        day += (MONDAY - day) % 7
    axis, dates = [glyphs.axis] * length, ""
    for at in range(day, grid.first + grid.columns * grid.days, step):
        place = (at - grid.first) // grid.days * grid.cell
        moment = datetime.fromtimestamp(at * DAY_MS / 1000, UTC)
        date = f"{moment.day} {moment:%b}"
        axis[place] = glyphs.tick
        if place + len(date) <= length:
            dates = dates.ljust(place) + date
    return [Text(indent + "".join(axis), "dim"), Text(indent + dates, "dim")]


def _legend(
    width: int,
    indent: str,
    rows: Iterable[_Row],
    found: bool,
    marks: Sequence[Mark],
    glyphs: Glyphs,
) -> list[Text]:
    """Each character drawn and its meaning, in as many lines as it takes."""
    drawn = {row.at(column) for row in rows for column in row.succeeded | row.failed}
    words = [
        (what, words)
        for what, words in (("success", "got in"), ("failure", "failed"), ("both", "both"))
        if what in drawn
    ]
    if found:
        words.append(("finding", "a finding of Quivive"))
    words += [("mark", mark.text) for mark in marks]
    lines = [Text(indent)]
    for what, text in words:
        entry = Text.assemble((getattr(glyphs, what), STYLES[what]), f" {text}")
        gap = "   " if len(lines[-1]) > len(indent) else ""
        if gap and lines[-1].cell_len + len(gap) + entry.cell_len > width:
            lines.append(Text(indent))
            gap = ""
        lines[-1].append(gap).append_text(entry)
    for line in lines:
        line.truncate(width)
    return lines
