"""``python -m benchmarks``: what a login costs, in one run and as ratios: docs/performance.md.

Reports and never fails on speed, save with ``--check``, whose bounds are generous: they catch a
stage that became several times slower, not a noisy machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import dense, groups, growth, jobs, speed
from benchmarks.pages import DOCS, machine, rewrite, rounded
from benchmarks.report import generated

BEGIN = "<!-- generated: make bench -->"
# Ratios to decoding the same JSON that nothing may exceed.
BOUNDS = {
    ("frame (and decode)", "entra"): 4.0,
    ("recognise, parse", "entra"): 12.0,
    ("recognise, parse", "cloudtrail"): 16.0,
    ("recognise, parse", "kubernetes"): 14.0,
    (speed.SCORE, "entra"): 90.0,
    (speed.SCORE, "all"): 120.0,
}


class Size(NamedTuple):
    """How much is measured. hours, every: of the dense log; each: logins of a series of growth;
    crowd: people of the log that several processes judge.
    """

    people: int = 150
    rounds: int = 2
    services: int = 8
    hours: int = 24
    every: float = 12.0
    grouped: int = 2_000
    identities: tuple[int, ...] = (1_000, 10_000, 100_000)
    each: int = 10_000
    inline_rate: float = 500.0
    inline_seconds: float = 20.0
    crowd: int = 600


FULL = Size()
LONG = FULL._replace(identities=(*FULL.identities, 1_000_000))
QUICK = Size(12, 1, 4, 1, 60.0, 100, (200, 1_000), 300, 50.0, 2.0, 12)
PARTS = ("speed", "dense", "jobs", "groups", "growth", "inline")


def measure(size: Size, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """The figures of a run, part by part; ``speed`` is always there."""
    found: dict[str, Any] = {"command": "make bench", "machine": machine()}
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
        _tell("each stage, and score with and without a store")
        stages = speed.measure(Path(folder), size.rounds, size.people)
        found |= stages | {"rows": [row._asdict() for row in stages["rows"]]}
    if "dense" in parts:
        _tell("a dense machine log")
        with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
            found["dense"] = dense.measure(
                Path(folder), size.services, size.hours, size.every, size.rounds
            )
    if "jobs" in parts:
        _tell("several processes")
        found["jobs"] = jobs.measure(size.crowd, size.rounds)
    if "groups" in parts:
        _tell("groups of logins")
        found["groups"] = groups.measure(size.grouped)
    if "growth" in parts:
        _tell(f"up to {size.identities[-1]:,} identities")
        found["growth"] = growth.grown(size.identities, size.each)
    if "inline" in parts:
        _tell("the inline path")
        found["inline"] = inline(size.inline_rate, size.inline_seconds)
    return found


def inline(rate: float, seconds: float) -> list[dict[str, Any]]:
    """What ``python -m benchmarks.inline`` finds; nothing where no server can be started."""
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
        target = Path(folder) / "inline.json"
        command = [sys.executable, "-m", "benchmarks.inline", "--json", str(target)]
        command += ["--rate", str(rate), "--seconds", str(seconds)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL)
        if done.returncode or not target.exists():
            _tell("the inline path could not be measured: see above")
            return []
        found: list[dict[str, Any]] = json.loads(target.read_bytes())
        return found


def exceeded(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is over its bound."""
    return [
        f"{row['stage']} of {row['log']}: {row['ratio']:.1f} times decoding, over {bound}"
        for row in rows
        if (bound := BOUNDS.get((row["stage"], row["log"])))
        and row["ratio"]
        and row["ratio"] > bound
    ]


def written(found: Mapping[str, Any]) -> str:
    """The figures as JSON."""
    return json.dumps(rounded(found), indent=1, ensure_ascii=False) + "\n"


def _tell(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes; nothing is written")
    parser.add_argument("--long", action="store_true", help="up to a million identities")
    parser.add_argument("--only", choices=PARTS, action="append", help="may be repeated")
    parser.add_argument("--dry", action="store_true", help="print, and leave docs/ as it is")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--check", action="store_true", help="fail above generous bounds")
    parser.add_argument("--people", type=int, help="size of the organisation")
    parser.add_argument("--rounds", type=int, help="the best of so many counts")
    asked = parser.parse_args()
    size = QUICK if asked.quick else LONG if asked.long else FULL
    size = size._replace(people=asked.people or size.people, rounds=asked.rounds or size.rounds)
    found = measure(size, asked.only or PARTS)
    text = generated(found)
    print(text)
    if asked.json is not None:
        asked.json.write_text(written(found), encoding="utf-8")
    if not (asked.quick or asked.dry or asked.only):
        rewrite(DOCS / "performance.md", BEGIN, text)
        (DOCS / "performance.json").write_text(written(found), encoding="utf-8")
        _tell("written: docs/performance.md, docs/performance.json")
    problems = exceeded(found["rows"]) if asked.check else []
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
