"""Where logins came from, as a map in SVG without anybody's tiles: numbered places, joined by time.

A plate carrée cut to what is to be seen, true to scale at its middle latitude (Snyder, Map
Projections, 1987, chapter 12). It is turned so that no journey leaves it at one edge and comes back
at the other. Shape and number say the same as colour; a list with the same numbers belongs below.
Styled by the CSS of the page.
"""

from collections.abc import Iterable, Sequence
from math import cos, hypot, radians
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT, EDGE = 360, 232, 26  # units; EDGE: what stays free around the outermost places
SMALLEST = 28.0  # degrees of latitude: the outline says nothing of less
HIGHEST = 84.0  # degrees of latitude: nobody logs in beyond
STEEPEST = 60.0  # degrees: the middle latitude is taken for no more, or the poles fill the map
MARKED = 24  # places with a number; the others are dots
APART = 15.0  # units between two marks, which are moved aside for it
LETTER, LINE = 5.3, 11.0  # units of a label, for the widest letters of common fonts
NAME = 16  # characters
GRID = (5, 10, 20, 30, 60)
LAND_UNIT = 10  # of the outline's file, a degree
BEYOND = 200.0  # degrees to which the outline may go on past the 180th meridian


class Visit(NamedTuple):
    """A login: when (ms UTC), the place's name, its latitude and longitude in degrees."""

    time: int
    name: str
    lat: float
    long: float
    got_in: bool
    finding: bool


class Spot(Struct):
    """A place. number: from 1, in order of the first login from there."""

    number: int
    name: str
    lat: float
    long: float
    got_in: int = 0
    failed: int = 0
    findings: int = 0

    @property
    def kind(self) -> str:
        """What its mark looks like: with a finding, somebody got in, or attempts alone."""
        return "told" if self.findings else "in" if self.got_in else "out"


class Way(NamedTuple):
    """From one place to the next, by their numbers; told: the login at its end is a finding."""

    start: int
    end: int
    told: bool


class _View(NamedTuple):
    """What is to be seen: middle in degrees, units a degree of longitude and of latitude."""

    long: float
    lat: float
    across: float
    up: float

    def x(self, long: float) -> float:
        turned = (long - self.long + 180.0) % 360.0 - 180.0
        return WIDTH / 2 + turned * self.across

    def y(self, lat: float) -> float:
        return HEIGHT / 2 - (lat - self.lat) * self.up


def spots_of(visits: Iterable[Visit]) -> tuple[list[Spot], list[Way]]:
    """The places in order of their first login, and the ways between them, each once.

    A way leads from login to login that got in or is a finding: an attempt is no journey.
    """
    spots: dict[str, Spot] = {}
    ways: dict[tuple[int, int], bool] = {}
    here = 0
    for visit in sorted(visits):
        if not (-90.0 <= visit.lat <= 90.0 and -180.0 <= visit.long <= 180.0):
            continue
        spot = spots.get(visit.name)
        if spot is None:
            spot = spots[visit.name] = Spot(len(spots) + 1, visit.name, visit.lat, visit.long)
        spot.got_in += visit.got_in
        spot.failed += not visit.got_in
        spot.findings += visit.finding
        if visit.got_in or visit.finding:
            if here not in (0, spot.number):
                way = (here, spot.number)
                ways[way] = ways.get(way, False) or visit.finding
            here = spot.number
    return list(spots.values()), [Way(*way, told) for way, told in ways.items()]


def draw(spots: Sequence[Spot], ways: Sequence[Way], land: str) -> "Markup":
    """The map as Markup; "" without places. land: the URL of the outline, with its fragment."""
    from markupsafe import Markup, escape

    if not spots:
        return Markup("")
    ranked = sorted(spots, key=lambda s: (-s.findings, -(s.got_in + s.failed), s.number))
    marked, others = ranked[:MARKED], ranked[MARKED:]
    view = _view(marked)
    told = ", ".join(f"{s.number} {_short(s.name)}" for s in marked if s.findings) or "none"
    said = (
        f"Map of {len(spots)} place{'' if len(spots) == 1 else 's'}, numbered in order of the first"
        f" login; with a finding: {told}. The list has all of them."
    )
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    parts = [f'<svg class="map" {size} role="img" aria-label="{escape(_clean(said))}">']
    parts += [f'<rect class="sea" width="{WIDTH}" height="{HEIGHT}"/>', *_grid(view)]
    parts += _land(view, str(escape(land)))
    for spot in others:
        x, y = view.x(spot.long), view.y(spot.lat)
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
    at = _apart([(view.x(s.long), view.y(s.lat)) for s in marked])
    places = {spot.number: place for spot, place in zip(marked, at, strict=True)}
    for way in sorted(ways, key=lambda w: w.told):
        if way.start in places and way.end in places:
            parts.append(_way(places[way.start], places[way.end], way.told))
    taken = [(x - 8.0, y - 8.0, x + 8.0, y + 8.0) for x, y in at]
    labels = []
    for spot, (x, y) in zip(marked, at, strict=True):
        labels.append(_label(spot, x, y, taken))
    for spot, (x, y), label in reversed(list(zip(marked, at, labels, strict=True))):
        parts.append(_mark(spot, x, y, (view.x(spot.long), view.y(spot.lat)), label))
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - every text in it is escaped


def _view(spots: Sequence[Spot]) -> _View:
    """The smallest piece of the world that shows them all, turned past the widest gap."""
    longs = sorted({s.long for s in spots})
    gaps = [(b - a, b) for a, b in zip(longs, [*longs[1:], longs[0] + 360.0], strict=True)]
    widest, east = max(gaps, key=lambda gap: (gap[0], -gap[1]))
    span = 360.0 - widest
    lats = [max(-HIGHEST, min(HIGHEST, s.lat)) for s in spots]
    low, high = min(lats), max(lats)
    lat = (low + high) / 2
    narrow = cos(radians(min(STEEPEST, abs(lat))))
    up = min(
        (WIDTH - 2 * EDGE) / max(span * narrow, 1e-9),
        (HEIGHT - 2 * EDGE) / max(high - low, SMALLEST),
    )
    up = max(up, WIDTH / 360.0 / narrow)  # never more than once around
    reach = HEIGHT / 2 / up  # degrees from the middle to the upper edge
    lat = max(reach - HIGHEST, min(HIGHEST - reach, lat)) if reach < HIGHEST else 0.0
    return _View(east + span / 2, lat, up * narrow, up)


def _grid(view: _View) -> list[str]:
    """Meridians and parallels, a handful of each."""
    parts = []
    tall, wide = HEIGHT / view.up, WIDTH / view.across
    step = next((s for s in GRID if tall / s <= 5 and wide / s <= 9), GRID[-1])
    first = int((view.lat - tall / 2) // step) * step
    for lat in range(first, int(view.lat + tall / 2) + step, step):
        y = view.y(lat)
        if 0 < y < HEIGHT and abs(lat) <= 90:
            parts.append(f"M0 {y:.1f}H{WIDTH}")
    first = int((view.long - wide / 2) // step) * step
    for long in range(first, int(view.long + wide / 2) + step, step):
        x = WIDTH / 2 + (long - view.long) * view.across
        if 0 < x < WIDTH:
            parts.append(f"M{x:.1f} 0V{HEIGHT}")
    return [f'<path class="grid" d="{"".join(parts)}"/>'] if parts else []


def _land(view: _View, url: str) -> list[str]:
    """The outline, as often as it is within the map: again beyond the 180th meridian."""
    found = []
    half = WIDTH / 2 / view.across
    across, up = view.across / LAND_UNIT, view.up / LAND_UNIT
    for turn in (-720, -360, 0, 360, 720):
        if turn - BEYOND < view.long + half and turn + BEYOND > view.long - half:
            x = WIDTH / 2 + (turn - view.long) * view.across
            moved = f"translate({x:.2f} {view.y(0):.2f}) scale({across:.5f} {up:.5f})"
            found.append(f'<use class="land" href="{url}" transform="{moved}"/>')
    return found


def _apart(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points moved until none covers another, as little as it takes, and none out of sight."""
    found = [_within(*point) for point in points]
    for _ in range(60):
        still = True
        for a in range(len(found)):
            for b in range(a + 1, len(found)):
                dx, dy = found[b][0] - found[a][0], found[b][1] - found[a][1]
                far = hypot(dx, dy)
                if far >= APART - 0.1:
                    continue
                still = False
                if far < 1e-6:  # the same point: side by side
                    dx, dy, far = 1.0, 0.3 * (b - a), hypot(1.0, 0.3 * (b - a))
                push = (APART - min(far, APART)) / 2 / far
                found[a] = _within(found[a][0] - dx * push, found[a][1] - dy * push)
                found[b] = _within(found[b][0] + dx * push, found[b][1] + dy * push)
        if still:
            break
    return found


def _within(x: float, y: float) -> tuple[float, float]:
    return max(9.0, min(WIDTH - 9.0, x)), max(9.0, min(HEIGHT - 9.0, y))


def _way(a: tuple[float, float], b: tuple[float, float], told: bool) -> str:
    """A bow from one mark to another, so that there and back are two."""
    (x1, y1), (x2, y2) = a, b
    bend = 0.14
    x, y = (x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend
    style = "way told" if told else "way"
    return f'<path class="{style}" d="M{x1:.1f} {y1:.1f}Q{x:.1f} {y:.1f} {x2:.1f} {y2:.1f}"/>'


Box = tuple[float, float, float, float]


def _label(spot: Spot, x: float, y: float, taken: list[Box]) -> tuple[float, float, str] | None:
    """Where the name of a place finds room: right, left, below or above; None for nowhere."""
    name = _short(_clean(spot.name.partition(",")[0]), NAME)
    long = len(name) * LETTER
    sides = (
        (x + 11.0, y),
        (x - 11.0 - long, y),
        (x - long / 2, y + 15.0),
        (x - long / 2, y - 15.0),
    )
    for left, middle in sides:
        box = (left, middle - LINE / 2, left + long, middle + LINE / 2)
        inside = box[0] >= 2 and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= HEIGHT - 2
        if inside and not any(_meet(box, other) for other in taken):
            taken.append(box)
            return left, middle + 3.6, name
    return None


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _mark(
    spot: Spot, x: float, y: float, true: tuple[float, float],
    label: tuple[float, float, str] | None,
) -> str:  # fmt: skip
    from markupsafe import escape

    numbers = [f"{spot.got_in} got in"] if spot.got_in else []
    numbers += [f"{spot.failed} failed"] if spot.failed else []
    if spot.findings:
        numbers.append(f"{spot.findings} finding{'' if spot.findings == 1 else 's'}")
    title = escape(_clean(f"{spot.number} {_short(spot.name)}: {', '.join(numbers)}"))
    parts = [f'<g class="spot {spot.kind}"><title>{title}</title>']
    if hypot(x - true[0], y - true[1]) > 4:
        parts.append(f'<path class="aside" d="M{x:.1f} {y:.1f}L{true[0]:.1f} {true[1]:.1f}"/>')
    if spot.findings:
        parts.append(f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="10"/>')
    if spot.kind == "out":  # a square, for those who do not see colours
        parts.append(f'<rect x="{x - 7:.1f}" y="{y - 6:.1f}" width="14" height="12" rx="1"/>')
    else:
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7"/>')
    parts.append(f'<text class="number" x="{x:.1f}" y="{y + 3.1:.1f}">{spot.number}</text>')
    if label is not None:
        parts.append(
            f'<text class="name" x="{label[0]:.1f}" y="{label[1]:.1f}">{escape(label[2])}</text>'
        )
    return "".join((*parts, "</g>"))


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _clean(text: str) -> str:
    """Without what would turn the direction of writing, or is not to be seen."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
