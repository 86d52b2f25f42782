"""Logins over time as SVG: days across, categories down; blue dots got in, red crosses failed.

After the figure of the account takeover that the project grew from. Shape says the same as colour,
and a table of the same numbers belongs beside it. Styled by the CSS of the page.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import log2
from typing import TYPE_CHECKING, NamedTuple

from quivive.app.past import Point, categories
from quivive.model.words import counted

if TYPE_CHECKING:
    from markupsafe import Markup

DAY_MS = 86_400_000
WIDTH, LEFT, RIGHT, TOP = 940, 176, 12, 10
ROW, BOTTOM = 24, 40
ROWS, COLUMNS = 16, 90
OTHERS = "all others"
LABEL = 24  # characters
TICKS = (1, 2, 7, 14, 28, 56, 112, 224, 448)
TICK_WIDTH = 62
MONDAY = 4  # 1970-01-01 was a Thursday


class _Cell:
    """What happened in one row within one column."""

    __slots__ = ("failed", "findings", "got_in")

    def __init__(self) -> None:
        self.got_in = self.failed = self.findings = 0


class _Grid(NamedTuple):
    """How days fall into columns."""

    first: int
    days: int
    columns: int

    @property
    def step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / self.columns

    def column(self, time: int) -> int:
        return (time // DAY_MS - self.first) // self.days

    def x(self, column: float) -> float:
        return LEFT + self.step * (column + 0.5)

    def label(self, column: int) -> str:
        begin = _date((self.first + column * self.days) * DAY_MS)
        last = _date((self.first + (column + 1) * self.days - 1) * DAY_MS)
        return begin if self.days == 1 else f"{begin} to {last}"


def scatter(points: Sequence[Point], what: str, *, fixed: bool = False) -> "Markup":
    """The figure as Markup; "" without points.

    what: what a row is, for those who cannot see it; fixed: rows in order of their names (hours),
    all 24 of them, instead of the busiest first.
    """
    from markupsafe import Markup, escape

    if not points:
        return Markup("")
    rows = _rows(points, fixed)
    shown = {name: number for number, name in enumerate(rows)}
    first = min(p.time for p in points) // DAY_MS
    days = max(p.time for p in points) // DAY_MS - first + 1
    each = -(-days // COLUMNS)
    grid = _Grid(first, each, max(7, -(-days // each)))
    cells: dict[tuple[int, int], _Cell] = {}
    for point in points:
        row = shown.get(point.category, len(rows) - 1)
        cell = cells.setdefault((row, grid.column(point.time)), _Cell())
        cell.got_in += point.success
        cell.failed += not point.success
        cell.findings += point.finding
    row_height = 16 if fixed else ROW
    bottom = TOP + row_height * len(rows)
    told = sum(p.finding for p in points)
    failed = sum(not p.success for p in points)
    said = (
        f"{counted(len(points) - failed, 'login')} that got in and {failed:,} that failed,"
        f" {told} of them"
        f" told, by day and {what}: the table beside it has the numbers"
    )
    parts = [
        (
            f'<svg class="scatter" viewBox="0 0 {WIDTH} {bottom + BOTTOM}" role="img"'
            f' aria-label="{escape(said)}">'
        )
    ]
    for number, name in enumerate(rows):
        y = TOP + row_height * (number + 0.5)
        short = name if len(name) <= LABEL else name[: LABEL - 1] + "…"
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            f'<text class="label" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(_clean(short))}</text>"
        )
    for (row, column), cell in sorted(cells.items()):
        y = TOP + row_height * (row + 0.5)
        parts.append(_drawn(grid, column, y, cell, row_height))
    parts += _axis(grid, bottom)
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - every text in it is escaped above


def _rows(points: Sequence[Point], fixed: bool) -> list[str]:
    if fixed:
        return [f"{hour:02}:00" for hour in range(24)]
    names = [one.name for one in categories(points)]
    return names if len(names) <= ROWS else [*names[: ROWS - 1], OTHERS]


def _drawn(grid: _Grid, column: int, y: float, cell: _Cell, height: float) -> str:
    x, most = grid.x(column), min(height / 2 - 1.5, max(3.0, grid.step / 2 + 1))
    both = cell.got_in and cell.failed
    aside = min(3.5, grid.step / 4) if both else 0.0
    parts = []
    if cell.findings:
        ring = min(height / 2 - 0.5, most + 2.5)
        parts.append(f'<circle class="told" cx="{x:.1f}" cy="{y:.1f}" r="{ring:.1f}"/>')
    if cell.got_in:
        r = min(most, 2.2 + 0.55 * log2(cell.got_in))
        parts.append(f'<circle class="in" cx="{x - aside:.1f}" cy="{y:.1f}" r="{r:.1f}"/>')
    if cell.failed:
        r = min(most, 2.4 + 0.45 * log2(cell.failed))
        x += aside
        parts.append(
            f'<path class="out" d="M{x - r:.1f} {y - r:.1f}L{x + r:.1f} {y + r:.1f}'
            f'M{x - r:.1f} {y + r:.1f}L{x + r:.1f} {y - r:.1f}"/>'
        )
    numbers = [f"{cell.got_in} got in"] if cell.got_in else []
    numbers += [f"{cell.failed} failed"] if cell.failed else []
    if cell.findings:
        numbers.append(f"{cell.findings} finding{'' if cell.findings == 1 else 's'}")
    return f"<g><title>{grid.label(column)}: {', '.join(numbers)}</title>{''.join(parts)}</g>"


def _axis(grid: _Grid, bottom: float) -> list[str]:
    parts = [f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}"/>']
    step = next((s for s in TICKS if s / grid.days * grid.step >= TICK_WIDTH), TICKS[-1])
    day = grid.first
    if step >= 7:
        day += (MONDAY - day) % 7
    for at in range(day, grid.first + grid.columns * grid.days, step):
        x = grid.x((at - grid.first) // grid.days)
        parts.append(
            f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}"/>'
        )
        if x < WIDTH - 24:
            parts.append(
                f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">'
                f"{_date(at * DAY_MS)}</text>"
            )
    return parts


def _date(time: int) -> str:
    at = datetime.fromtimestamp(time / 1000, UTC)
    return f"{at.day} {at:%b}"


def _clean(text: str) -> str:
    """Without what would turn the direction of writing, or is not to be seen."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
