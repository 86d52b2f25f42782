"""The outline of the land that maps of the console are drawn on: assets/land.svg, made once.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    .venv/bin/python scripts/land.py package/land-110m.json

Natural Earth's 1:110 million land (public domain), as TopoJSON. Its arcs are thinned out (Douglas
and Peucker, 1973), what is smaller than a few pixels is left out. Units: a tenth of a degree,
longitude to the right, latitude upwards turned down.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/quivive/server/console/assets/land.svg"
TENTH = 10  # units a degree
TOLERANCE = 0.25  # degrees a point may be beside the line that is drawn
SMALLEST = 0.8  # square degrees of the box around what is drawn
Points = list[tuple[float, float]]

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2000 -900 4000 1800">'
    "<!-- Made with Natural Earth: public domain, naturalearthdata.com; see VENDORED.md -->"
)


def rings(topology: dict) -> list[Points]:
    """Every ring of the land, in degrees."""
    scale, move = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + move[0], y * scale[1] + move[1]))
        arcs.append(thinned(points))
    found = []
    for shape in topology["objects"]["land"]["geometries"]:
        for polygon in shape["arcs"]:
            for ring in polygon:
                points = []
                for number in ring:
                    part = arcs[number] if number >= 0 else arcs[~number][::-1]
                    points += part[1:] if points else part
                found.append(unwound(points))
    return found


def unwound(points: Points) -> Points:
    """A ring without the leap at the 180th meridian: it goes on beyond; around a pole, by it."""
    turned, shift = [points[0]], 0.0
    for (before, _), (x, y) in pairwise(points):
        shift += 360.0 * ((before - x > 180.0) - (x - before > 180.0))
        turned.append((x + shift, y))
    if shift:
        turned += [(turned[-1][0], -90.0), (turned[0][0], -90.0), turned[0]]
    back = 360.0 * round((min(turned)[0] + max(turned)[0]) / 720.0)
    return [(x - back, y) for x, y in turned]


def thinned(points: Points) -> Points:
    """A line with fewer points, none of which it misses by more than TOLERANCE.

    A ring is cut where it is farthest from its beginning.
    """
    if len(points) < 4 or points[0] != points[-1]:
        return _thinned(points)
    x, y = points[0]
    far = max(range(len(points)), key=lambda n: (points[n][0] - x) ** 2 + (points[n][1] - y) ** 2)
    return _thinned(points[: far + 1])[:-1] + _thinned(points[far:])


def _thinned(points: Points) -> Points:
    if len(points) < 3:
        return points
    at, most = 0, 0.0
    for n in range(1, len(points) - 1):
        away = distance(points[n], points[0], points[-1])
        if away > most:
            at, most = n, away
    if most <= TOLERANCE:
        return [points[0], points[-1]]
    return _thinned(points[: at + 1])[:-1] + _thinned(points[at:])


def distance(point: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Of a point from a stretch between two."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / ((dx * dx + dy * dy) or 1.0)
    along = min(1.0, max(0.0, along))
    return ((point[0] - a[0] - along * dx) ** 2 + (point[1] - a[1] - along * dy) ** 2) ** 0.5


def drawn(points: Points) -> str:
    """A ring as a part of a path; "" for one too small to be seen."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if len(points) < 4 or (max(xs) - min(xs)) * (max(ys) - min(ys)) < SMALLEST:
        return ""
    whole = [(round(x * TENTH), round(-y * TENTH)) for x, y in points]
    x, y = whole[0]
    said = f"M{x} {y}l"
    steps = []
    for nx, ny in whole[1:-1]:
        if (nx, ny) != (x, y):
            steps.append(f"{nx - x} {ny - y}")
            x, y = nx, ny
    return said + " ".join(steps).replace(" -", "-") + "z"


def main() -> None:
    """Writes the file."""
    if len(sys.argv) != 2:
        sys.exit("usage: scripts/land.py land-110m.json")
    topology = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    path = "".join(drawn(ring) for ring in rings(topology))
    thin = 'fill-rule="evenodd" vector-effect="non-scaling-stroke"'
    body = f'{HEAD}<path id="land" {thin} d="{path}"/></svg>\n'
    TARGET.write_text(body, encoding="utf-8")
    print(f"{TARGET}: {len(body) / 1000:.1f} kB")


if __name__ == "__main__":
    main()
