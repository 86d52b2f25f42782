"""A small line chart as SVG, drawn by hand: shares on y, styled by the CSS of the page."""

from collections.abc import Sequence
from math import ceil, floor, log, log10

from msgspec import Struct

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 62, 168, 14, 46
LABEL_GAP = 15.0  # between the labels at the ends of the lines
COLOURS = 8  # the page's CSS has so many classes c0, c1…
DECADES = 1.5  # an axis that spans more is logarithmic


class Line(Struct, frozen=True):
    """One line: its label, and its points (x, share) by ascending x."""

    label: str
    points: Sequence[tuple[float, float]]


class Axis(Struct, frozen=True):
    """The x axis: its title, its ticks with their words, and whether it is logarithmic."""

    title: str
    ticks: Sequence[tuple[float, str]]
    logarithmic: bool

    def place(self, value: float) -> float:
        """Where a value lies, 0 being the first tick and 1 the last."""
        low, high = self.ticks[0][0], self.ticks[-1][0]
        value = min(high, max(low, value))
        if self.logarithmic:
            return log(value / low) / log(high / low)
        return (value - low) / (high - low)


def axis_of(title: str, values: Sequence[float], *, share: bool) -> Axis:
    """An axis on which all values fit, in percent if they are shares."""
    low, high = min(v for v in values if v > 0), max(values)
    if min(values) > 0 and log10(high / low) > DECADES:
        ticks = [10.0**power for power in range(floor(log10(low)), ceil(log10(high)) + 1)]
        return Axis(title, [(tick, _words(tick, share)) for tick in ticks], True)
    top = 10.0 ** ceil(log10(high))
    top = next(top * part for part in (0.2, 0.25, 0.5, 1.0) if top * part >= high)
    return Axis(title, [(top * n / 5, _words(top * n / 5, share)) for n in range(6)], False)


def line_chart(lines: Sequence[Line], x: Axis, y_title: str, description: str) -> str:
    """The chart as Markup. The first line is drawn over the others; each is labelled at its end."""
    from markupsafe import Markup, escape

    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [
        (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(description)}">'
        )
    ]
    for tenths in range(0, 11, 2):
        level = _y(tenths / 10)
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{level:.1f}" x2="{right}" y2="{level:.1f}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">'
            f"{tenths * 10} %</text>"
        )
    for value, text in x.ticks:
        at = _x(x, value)
        parts.append(
            f'<line class="mark" x1="{at:.1f}" y1="{bottom}" x2="{at:.1f}" y2="{bottom + 5}"/>'
            f'<text class="tick" x="{at:.1f}" y="{bottom + 19}" text-anchor="middle">'
            f"{escape(text)}</text>"
        )
    parts.append(
        f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>'
        f'<text class="title" x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 6}" '
        f'text-anchor="middle">{escape(x.title)}</text>'
        f'<text class="title" transform="translate(13 {(TOP + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_title)}</text>'
    )
    for number, line in reversed(list(enumerate(lines))):
        path = " ".join(f"{_x(x, at):.1f},{_y(share):.1f}" for at, share in line.points)
        parts.append(f'<polyline class="line c{number % COLOURS}" points="{path}"/>')
    ends = [_y(line.points[-1][1]) for line in lines]
    labels = zip(lines, ends, _spread(ends, TOP + 6, bottom), strict=True)
    for number, (line, end, place) in enumerate(labels):
        at, style = _x(x, line.points[-1][0]), f"c{number % COLOURS}"
        if at > right - 1:
            parts.append(
                f'<polyline class="lead {style}" '
                f'points="{at:.1f},{end:.1f} {right + 10},{place:.1f}"/>'
            )
        parts.append(
            f'<text class="label {style}" x="{right + 14}" y="{place + 4:.1f}">'
            f"{escape(line.label)}</text>"
        )
    parts.append("</svg>")
    return Markup("\n".join(parts))  # noqa: S704 - every text in it is escaped above


def _x(axis: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * axis.place(value)


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _words(value: float, share: bool) -> str:
    return f"{100 * value:.4g} %" if share else f"{value:g}"


def _spread(places: Sequence[float], top: float, bottom: float) -> list[float]:
    """The places moved apart so that labels there do not overlap, in the same order."""
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    found = list(places)
    floor_ = top
    for n in order:
        found[n] = max(found[n], floor_)
        floor_ = found[n] + LABEL_GAP
    ceiling = bottom
    for n in reversed(order):
        found[n] = min(found[n], ceiling)
        ceiling = found[n] - LABEL_GAP
    return found
