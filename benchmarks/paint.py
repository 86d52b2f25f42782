"""``python -m benchmarks.paint``: how soon each page of the console shows something, on the demo.

The company of ``make demo``, with its sixty days and events still arriving, in Debian's Chromium on
the same machine. Every look is the first: nothing is in the browser's cache. First contentful paint
is the browser's own measure (W3C Paint Timing), from the click to the first text on the screen.
"""

import argparse
import contextlib
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.pages import DOCS, described, machine, rewrite, rounded, table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

BEGIN = "<!-- generated: make bench-paint -->"
TARGET_MS = 1_000.0
ROUNDS = 5
PAINT = """() => new Promise(done => new PerformanceObserver(list => {
  const found = list.getEntriesByName('first-contentful-paint');
  if (found.length) done(found[0].startTime);
}).observe({type: 'paint', buffered: true}))"""
LISTED = ("/incidents", "/findings", "/identities")
PAGES = ("/", *LISTED, "/executive", "/tuning", "/tuning/sources", "/tuning/drift",
         "/tuning/models", "/tuning/alerts", "/tuning/contexts", "/tuning/verdicts")  # fmt: skip


@contextlib.contextmanager
def demo(folder: Path, people: int) -> Iterator[tuple[str, str]]:
    """The demo's address and password, while it goes on."""
    said = folder / "said.txt"
    call = "from quivive.cli.main import main; main()"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = (sys.executable, "-c", call, "demo", "--serve", "--port", str(port), "--people",
               str(people), "--out", str(folder / "demo"))  # fmt: skip
    with said.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        yield _ready(process, said)
    finally:
        process.terminate()
        process.wait(60)


def _ready(process: "subprocess.Popen[bytes]", said: Path) -> tuple[str, str]:
    for _ in range(600):
        text = said.read_text(encoding="utf-8")
        found = re.search(r"(http://127\.0\.0\.1:(\d+))/\s+user demo, password (\S+)", text)
        if found:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", int(found[2])), 1).close()
                return found[1], found[3]
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
            break
    raise SystemExit(f"the demo did not start: {said.read_text(encoding='utf-8')[-2000:]}")


def paths(page: Any, base: str) -> dict[str, str]:
    """A page of each kind, by what it is called in the table."""
    found = {path: path for path in PAGES}
    for listing in LISTED:
        page.goto(base + listing)
        first = page.get_attribute("[data-row] [data-key=o]", "href")
        found[f"{listing}/…"] = first
    page.goto(f"{base}{found['/identities/…']}/logins")
    found["/identities/…/logins/…"] = page.get_attribute("[data-row] [data-key=o]", "href")
    return dict(sorted(found.items()))


def look(browser: Any, state: Any, url: str) -> dict[str, float]:
    """One first look: ms to the first paint, kB and requests."""
    context = browser.new_context(storage_state=state, viewport={"width": 1280, "height": 860})
    page = context.new_page()
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    sizes: dict[str, int] = {}
    scripts: set[str] = set()
    client.on("Network.loadingFinished",
              lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))  # fmt: skip
    client.on("Network.responseReceived",
              lambda e: scripts.add(e["requestId"]) if e["type"] == "Script" else None)  # fmt: skip
    page.goto(url)
    page.screenshot()  # nothing is painted that nobody looks at
    paint = page.evaluate(PAINT)
    page.wait_for_load_state("load")
    context.close()
    whole = sum(sizes.values()) / 1000
    script = sum(size for which, size in sizes.items() if which in scripts) / 1000
    return {"paint": paint, "kb": whole, "script": script, "requests": len(sizes)}


def measure(rounds: int, people: int) -> dict[str, Any]:
    """The figures of every page."""
    from tests.browser.site import browser, chromium

    if chromium() is None:
        raise SystemExit("no chromium: apt-get install chromium, or name one: QUIVIVE_CHROMIUM")
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder,
        demo(Path(folder), people) as (base, password),
        browser() as chrome,
    ):
        first = chrome.new_context()
        page = first.new_page()
        page.goto(f"{base}/sign-in")
        page.fill("input[name=name]", "demo")
        page.fill("input[name=password]", password)
        page.click("main button")
        page.wait_for_selector("nav")
        state, wanted = first.storage_state(), paths(page, base)
        first.close()
        version = chrome.version
        for name, path in wanted.items():
            looks = [look(chrome, state, base + path) for _ in range(rounds)]
            paints = [one["paint"] for one in looks]
            rows.append({"page": name, "median": statistics.median(paints), "most": max(paints),
                         **{k: looks[-1][k] for k in ("kb", "script", "requests")}})  # fmt: skip
            print(f"{name:28} {rows[-1]['median']:6.0f} ms", file=sys.stderr)
    return {"command": "make bench-paint", "machine": machine(), "chromium": version,
            "rounds": rounds, "people": people, "pages": rows}  # fmt: skip


def generated(found: dict[str, Any]) -> str:
    """The figures as a table of docs/performance.md."""
    worst = max(row["most"] for row in found["pages"])
    lines = [
        [f"`{row['page']}`", f"{row['median']:.0f}", f"{row['most']:.0f}", f"{row['kb']:.0f}",
         f"{row['script']:.0f}", f"{row['requests']:.0f}"]
        for row in found["pages"]
    ]  # fmt: skip
    verdict = "met" if worst <= TARGET_MS else "not met"
    return (
        f"`make bench-paint`, on {described(found['machine'])}, Chromium {found['chromium']};"
        f" {found['people']} people, {found['rounds']} first looks at each page. The goal, a first"
        f" paint within {TARGET_MS:.0f} ms, is {verdict}: the slowest of all took"
        f" {worst:.0f} ms.\n\n"
        + table(["page", "first paint, ms: median", "most", "kB", "of scripts", "requests"], lines)
    )


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="one look each; writes nothing")
    given = parser.parse_args()
    found = measure(1 if given.quick else given.rounds, 16 if given.quick else given.people)
    print(generated(found))
    if not given.quick:
        target = DOCS / "performance-paint.json"
        target.write_text(json.dumps(rounded(found), indent=1) + "\n", encoding="utf-8")
        rewrite(DOCS / "performance.md", BEGIN, generated(found))


if __name__ == "__main__":
    main()
