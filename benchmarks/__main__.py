"""``python -m benchmarks``: what a login costs, stage by stage, in one run and as ratios.

Reports and never fails on speed, save with ``--check``, whose bounds are generous: they catch a
stage that became several times slower, not a noisy machine.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed import Row, measure

# Ratios to decoding the same JSON that nothing may exceed.
BOUNDS = {
    ("frame (and decode)", "entra"): 4.0,
    ("recognise, parse", "entra"): 12.0,
    ("recognise, parse", "cloudtrail"): 16.0,
    ("recognise, parse", "kubernetes"): 14.0,
    ("score, end to end", "entra"): 90.0,
    ("score, end to end", "all"): 120.0,
}


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown: docs/performance.md takes them as they are."""
    machine = found["machine"]
    lines = [
        f"{machine['system']}, {machine['cpus']} cores, Python {machine['python']}, "
        f"msgspec {machine['msgspec']}; "
        + ", ".join(f"{name} {count:,}" for name, count in found["logins"].items())
        + " logins.",
        "",
        "| stage | log | µs a login | ratio to decoding |",
        "|---|---|---:|---:|",
    ]
    for row in found["rows"]:
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
        lines.append(f"| {row.stage} | {row.log} | {row.microseconds:.1f} | {ratio} |")
    return "\n".join(lines)


def exceeded(rows: list[Row]) -> list[str]:
    """What is over its bound."""
    return [
        f"{row.stage} of {row.log}: {row.ratio:.1f} times decoding, over {bound}"
        for row in rows
        if (bound := BOUNDS.get((row.stage, row.log))) and row.ratio and row.ratio > bound
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--check", action="store_true", help="fail above generous bounds")
    parser.add_argument("--people", type=int, default=150, help="size of the organisation")
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
        found = measure(Path(folder), options.rounds, options.people)
    print(table(found))
    if options.json is not None:
        shown = found | {"rows": [row._asdict() for row in found["rows"]]}
        options.json.write_text(json.dumps(shown, indent=1) + "\n")
    problems = exceeded(found["rows"]) if options.check else []
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
