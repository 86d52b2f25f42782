"""``quivive score --jobs``: how much sooner several processes are through, and what that costs."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quivive.sim.build import simulate

SEED = 7
DAYS = 24
ATTACKS = 10
MAIN = "from quivive.cli.main import main; main()"


def measure(people: int, rounds: int, jobs: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Without and with a store, for each number of processes: seconds elapsed and of all CPUs, the
    least of ``rounds``, and whether the lines are those of one process.

    The log is that of the sign-ins of ``people``. Every run is a process of its own, so that its
    start is in it.
    """
    asked = jobs or (1, 2, *(n for n in (4, 8) if n <= (os.cpu_count() or 1)))
    found = []
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as name:
        folder = Path(name)
        simulate(
            folder, seed=SEED, people=people, services=4, days=DAYS, incidents=ATTACKS,
            vendors=("entra",),
        )  # fmt: skip
        for kept in (False, True):
            first: dict[str, Any] | None = None
            for number in asked:
                runs = [_run(folder, number, kept) for _ in range(rounds)]
                one: dict[str, Any] = {"jobs": number, "kept": kept, "logins": runs[0][2]}
                one["elapsed_s"] = min(elapsed for elapsed, _, _, _ in runs)
                one["cpu_s"] = min(spent for _, spent, _, _ in runs)
                first = first or {**one, "lines": runs[0][3]}
                one["faster"] = first["elapsed_s"] / one["elapsed_s"]
                one["cpu_ratio"] = one["cpu_s"] / first["cpu_s"]
                one["same"] = all(lines == first["lines"] for *_, lines in runs)
                found.append(one)
    return found


def _run(folder: Path, jobs: int, kept: bool) -> tuple[float, float, int, int]:
    """Seconds elapsed, seconds of all CPUs, logins, and a hash of the lines."""
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as work:
        out = Path(work) / "out.jsonl"
        asked = ["score", "--jobs", str(jobs), "--out", str(out)]
        asked += ["--geoip", str(folder / "places.csv"), "--geoip", str(folder / "networks.csv")]
        asked += ["--state", str(Path(work) / "state")] if kept else []
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", MAIN, *asked, str(folder / "entra.jsonl")],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        elapsed, after = (
            time.perf_counter() - begun,
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        lines = out.read_bytes()
        return elapsed, spent, lines.count(b"\n"), hash(lines)
