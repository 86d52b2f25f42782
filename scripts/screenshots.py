"""The pictures of the console in the docs: docs/images/*.png, of a simulated company, in Chromium.

.venv/bin/python scripts/screenshots.py
"""

import struct
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.site import browser, chromium, make_state, serving, sign_in  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 400, "height": 860}


def small(body: bytes) -> bytes:
    """The same picture with a palette of its 256 commonest colours: about a third of the size.

    Of PNG it knows what Chromium writes: 8 bits a channel, not interlaced.
    """
    width, height, _, kind = struct.unpack(">IIBB", body[16:26])
    at, packed = 8, b""
    while at < len(body):
        (size,) = struct.unpack(">I", body[at : at + 4])
        if body[at + 4 : at + 8] == b"IDAT":
            packed += body[at + 8 : at + 8 + size]
        at += size + 12
    step = {2: 3, 6: 4}[kind]
    raw, stride = zlib.decompress(packed), width * step
    rows, before = [], bytes(stride)
    for y in range(height):
        how, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 :][:stride])
        for x in range(stride):
            left = line[x - step] if x >= step else 0
            corner = before[x - step] if x >= step else 0
            line[x] = (line[x] + _guess(how, left, before[x], corner)) & 255
        rows.append([bytes(line[x : x + 3]) for x in range(0, stride, step)])
        before = bytes(line)
    palette = [c for c, _ in Counter(p for row in rows for p in row).most_common(256)]
    known = {colour: n for n, colour in enumerate(palette)}
    for colour in {p for row in rows for p in row} - set(palette):
        near = min(palette, key=lambda c: sum((a - b) ** 2 for a, b in zip(c, colour, strict=True)))
        known[colour] = known[near]
    lines = b"".join(b"\0" + bytes(known[p] for p in row) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _guess(how: int, left: int, up: int, corner: int) -> int:
    """The five filters of PNG (its specification, section 9)."""
    if how < 3:
        return (0, left, up)[how]
    if how == 3:
        return (left + up) // 2
    ahead = left + up - corner
    return min((left, up, corner), key=lambda value: abs(ahead - value))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def first(page: Any, base: str, listing: str) -> str:
    """Where the first row of a list leads."""
    page.goto(base + listing)
    return str(page.get_attribute("[data-row] [data-key=o]", "href"))


def main() -> None:
    """Takes them all."""
    if chromium() is None:
        sys.exit("no chromium: apt-get install chromium, or name one with QUIVIVE_CHROMIUM")
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(make_state(Path(folder)), Path(folder)) as base,
        browser() as chrome,
    ):
        for name, theme, size in (
            ("light", "light", WIDE),
            ("dark", "dark", WIDE),
            ("phone", "dark", NARROW),
        ):
            page = chrome.new_page(viewport=size, color_scheme=theme)
            sign_in(page, base, "rob")
            worst = first(page, base, "/incidents?status=open")
            paths = {"on-call": "/", "incident": worst} if name != "phone" else {"on-call": "/"}
            if name == "light":
                paths["identity"] = first(page, base, "/identities")
                paths |= {"executive": "/executive?days=14", "tuning": "/tuning"}
            for what, path in paths.items():
                page.goto(base + path)
                page.wait_for_timeout(500)  # for the parts that come by themselves
                file = IMAGES / f"console-{what}-{name}.png"
                file.write_bytes(small(page.screenshot()))
                print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} kB")
            page.close()


if __name__ == "__main__":
    main()
