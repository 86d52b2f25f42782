"""A small column chart as SVG, drawn by hand, with a band for the goal; the page styles it."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT = 720, 190
LEFT, RIGHT, TOP, BOTTOM = 54, 22, 10, 26
WIDEST = 38
TICK_WIDTH = 58


class Column(NamedTuple):
    """One column: its word on the axis, its height (None where nothing is known), what it says.
    dim: outside what the report is about.
    """

    label: str
    value: float | None
    text: str
    dim: bool = False


def columns(
    found: Sequence[Column], description: str, *, share: bool = True,
    goal: tuple[float, float] | None = None,
) -> "Markup":  # fmt: skip
    """The chart as Markup; "" where nothing is known. goal: the values between which it should be;
    share: values are shares, written in percent.
    """
    from markupsafe import Markup, escape

    known = [column.value for column in found if column.value is not None]
    if not known:
        return Markup("")
    top = _round_up(max(*known, (goal or (0.0, 0.0))[0], 1e-9))
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [
        (
            f'<svg class="columns-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' aria-label="{escape(description)}">'
        )
    ]
    if goal is not None:
        high, low = _y(min(goal[1], top), top), _y(min(goal[0], top), top)
        parts.append(
            f'<rect class="goal" x="{LEFT}" y="{high:.1f}" width="{right - LEFT}"'
            f' height="{max(0.0, low - high):.1f}"/>'
        )
    for quarter in range(5):
        value = top * quarter / 4
        y = _y(value, top)
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(_words(value, share))}</text>"
        )
    step = (right - LEFT) / len(found)
    every = max(1, ceil(TICK_WIDTH / step))
    for number, column in enumerate(found):
        x = LEFT + step * number
        if column.value is not None:
            y = _y(column.value, top)
            style = "bar dim" if column.dim else "bar"
            width = min(WIDEST, step * 0.72)
            left = x + (step - width) / 2
            parts.append(
                f"<g><title>{escape(column.text)}</title>"
                f'<rect class="{style}" x="{left:.1f}" y="{min(y, bottom - 1):.1f}"'
                f' width="{width:.1f}" height="{max(1.0, bottom - y):.1f}"/></g>'
            )
        if (len(found) - 1 - number) % every == 0:
            parts.append(
                f'<text class="tick" x="{x + step / 2:.1f}" y="{HEIGHT - 8}"'
                f' text-anchor="middle">{escape(column.label)}</text>'
            )
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/></svg>')
    return Markup("".join(parts))  # noqa: S704 - every text in it is escaped above


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _round_up(value: float) -> float:
    """The next round number: 1, 2, 4 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return next(power * n for n in (1, 2, 4, 5, 10) if power * n >= value * 0.999999)


def _words(value: float, share: bool) -> str:
    return f"{100 * value:.3g} %" if share else f"{value:g}"
