"""The figure of days by categories: what stands where, without colours too."""

import pytest
from rich.cells import cell_len

from quivive.cli.figure import ASCII, DAY_MS, UNICODE, Mark, Point, figure

MONDAY = 20_430 * DAY_MS  # 8 December 2025


def at(day: float, category: str, success: bool = True, finding: bool = False) -> Point:
    return Point(MONDAY + int(day * DAY_MS), category, success, finding)


HISTORY = [
    *(at(day + 0.6, "CA") for day in range(28)),
    at(20.5, "CA", success=False),
    at(24.1, "RO", success=False),
    at(25.1, "RO", success=True, finding=True),
    at(26.1, "NG", success=False),
]
RESET = Mark(MONDAY + 27 * DAY_MS + 5, "reset")


def drawn(width: int = 80, **options: object) -> list[str]:
    return [line.plain for line in figure(HISTORY, width, **options)]  # type: ignore[arg-type]


def row(lines: list[str], name: str) -> str:
    return next(line for line in lines if line.split()[:1] == [name])


def cells(lines: list[str], name: str, cell: int = 2) -> str:
    """The cells of a row, one character a column; rows begin after the label."""
    start = len("finding") + 1
    return row(lines, name)[start : start + 28 * cell : cell]


def test_rows_are_busiest_first_with_their_totals() -> None:
    lines = drawn()
    assert [line.split()[0] for line in lines[1:4]] == ["CA", "RO", "NG"]
    assert lines[1].split()[-2:] == ["28", "1"]
    assert lines[2].split()[-2:] == ["1", "1"]


def test_each_day_shows_what_happened_on_it() -> None:
    ca = cells(drawn(), "CA")
    assert ca == "●" * 20 + "▀" + "●" * 7
    assert cells(drawn(), "RO") == "·" * 24 + "×●··"


def test_findings_and_marks_stand_in_their_columns() -> None:
    lines = drawn(marks=[RESET])
    assert cells(lines, "finding").index("▲") == 25
    assert cells(lines, "NG") == "·" * 26 + "×┃"
    assert "┃ reset" in lines[-1]


def test_a_mark_outside_the_days_is_left_out() -> None:
    text = "\n".join(drawn(marks=[Mark(MONDAY + 90 * DAY_MS, "much later")]))
    assert "much later" not in text


def test_weeks_begin_on_mondays() -> None:
    dates = next(line for line in drawn() if "Dec" in line)
    assert dates.split() == ["8", "Dec", "15", "Dec", "22", "Dec", "29", "Dec"]


def test_legend_names_only_what_is_drawn() -> None:
    lines = figure([at(0, "CA"), at(1, "CA")], 60)
    text = "\n".join(line.plain for line in lines)
    assert "● got in" in text
    assert "failed\n" in text  # the heading of the totals
    assert "× failed" not in text
    assert "finding" not in text


def test_ascii_says_the_same() -> None:
    lines = drawn(glyphs=ASCII, marks=[RESET])
    assert "\n".join(lines).isascii()
    table = str.maketrans(dict(zip(UNICODE, ASCII, strict=True)))
    assert [line.translate(table) for line in drawn(marks=[RESET])] == lines


def test_colours_are_not_needed_but_there() -> None:
    styles = {str(span.style) for line in figure(HISTORY, 80) for span in line.spans}
    assert {"bold blue", "red", "blue on red"} <= styles


@pytest.mark.parametrize("width", [30, 40, 80, 120, 200])
@pytest.mark.parametrize("days", [1, 5, 45, 400, 3000])
def test_fits_the_width(width: int, days: int) -> None:
    points = [at(day, f"country {day % 30}", day % 3 > 0, day % 7 == 0) for day in range(days)]
    lines = figure(points, width, marks=[Mark(points[-1].time, "a mark with a long name")])
    assert max(cell_len(line.plain) for line in lines) <= max(width, 40)


def test_too_many_rows_join() -> None:
    points = [at(n, f"c{n:02d}") for n in range(30)]
    lines = [line.plain for line in figure(points, 80, rows=5)]
    assert row(lines, "others").split()[-2:] == ["26", "0"]


def test_nothing_to_draw() -> None:
    assert [line.plain for line in figure([], 80)] == ["no logins to draw"]
