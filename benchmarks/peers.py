"""Quivive beside other detectors, on one organisation and in one go: ``make bench-peers``.

The organisation is scored once. Every other detector then judges the same logins, day by day, in a
process of its own, which is timed; labels are opened when every score is there, by the evaluation
that ``quivive evaluate`` uses.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from benchmarks.clock import exhaust
from benchmarks.pages import DOCS, described, machine, most_resident, resident, rewrite, rounded
from benchmarks.pages import table as markdown
from benchmarks.streaming import HalfSpaceTrees, OnCounted
from quivive.app.evaluate import Organisation, compare, score_all, simulated
from quivive.app.geoip import open_places
from quivive.app.ingest import Tally
from quivive.app.report import interval, percent
from quivive.app.scoring import engine, merged
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.learn.detectors import freeman, isolation_forest
from quivive.learn.detectors.detector import Detector, Seen
from quivive.learn.evaluation.counting import BUDGETS
from quivive.learn.evaluation.metrics import AtBudget
from quivive.learn.evaluation.result import combined
from quivive.learn.evaluation.rows import QUIVIVE
from quivive.model.event import AuthEvent
from quivive.sim.build import simulate

BEGIN = "<!-- generated: make bench-peers -->"
# Nothing was tuned on this seed.
SHAPE: dict[str, Any] = {"seed": 41, "people": 200, "services": 10, "days": 45, "incidents": 40}
TINY: dict[str, Any] = {"seed": 41, "people": 12, "services": 2, "days": 25, "incidents": 5}
AT = 0.005
EVENTS, AT_A_TIME = "events", 1_000
EVIDENCE, COUNTED, OWN = "Quivive's evidence", "counted", "its own"


class Peer(Struct, frozen=True):
    """A detector to measure. features: what it is given; needs: imported before the clock runs."""

    name: str
    title: str
    features: str
    make: Callable[[], Detector]
    needs: tuple[str, ...] = ()


def _trees(name: str, title: str, *, evidence: bool) -> Peer:
    features = EVIDENCE if evidence else COUNTED
    return Peer(
        name,
        title,
        features,
        lambda: HalfSpaceTrees(name, title, evidence=evidence),
        ("river.anomaly",),
    )


def _forest(name: str, title: str, *, evidence: bool) -> Peer:
    make = isolation_forest.DETECTOR.make
    return Peer(
        name,
        title,
        EVIDENCE if evidence else COUNTED,
        make if evidence else lambda: OnCounted(make(), name, title),
        ("numpy", "sklearn.ensemble"),
    )


PEERS = {
    peer.name: peer
    for peer in (
        _trees("trees", "Half-space trees (River)", evidence=False),
        _trees("trees-evidence", "Half-space trees (River)", evidence=True),
        Peer("freeman", "Freeman et al.", "address, client", freeman.Freeman),
        _forest("forest", "Isolation forest, weekly batch", evidence=False),
        _forest("forest-evidence", "Isolation forest, weekly batch", evidence=True),
    )
}


class Cost(Struct, frozen=True):
    """What a detector took: CPU microseconds a login, MiB it grew by, MiB of its process at most;
    and its scores, in order.
    """

    microseconds: float
    grown_mib: float
    process_mib: float
    scores: list[float]


# --- one detector, in a process of its own


class Recorder:
    """Writes the days of an organisation to a file, for others to judge."""

    name = title = "recorder"

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def judge(self, day: Sequence[Seen]) -> list[float]:
        write(self._out, msgspec.msgpack.encode(day))
        return [0.0] * len(day)


def write(out: BinaryIO, body: bytes) -> None:
    """One body, after its length."""
    out.write(len(body).to_bytes(8, "big") + body)


def bodies(path: Path) -> Iterator[bytes]:
    """The bodies of a file, one in memory at a time."""
    with path.open("rb") as recorded:
        while size := recorded.read(8):
            yield recorded.read(int.from_bytes(size, "big"))


def days(path: Path) -> Iterator[list[Seen]]:
    """The days a recorder wrote."""
    return map(msgspec.msgpack.Decoder(list[Seen]).decode, bodies(path))


def run(peer: Peer, path: Path) -> Cost:
    """Judges the recorded days."""
    for name in peer.needs:
        importlib.import_module(name)
    exhaust(days(path))  # what reading a day takes of memory is there before
    detector, before, spent = peer.make(), resident(), 0.0
    scores: list[float] = []
    for day in days(path):
        started = time.process_time()
        scores += detector.judge(day)
        spent += time.process_time() - started
    each = spent / max(1, len(scores)) * 1e6
    return Cost(each, max(0.0, resident() - before), most_resident(), scores)


def record_events(organisation: Organisation, path: Path) -> None:
    """Writes the organisation's events by time, so that whoever judges them reads no log."""
    encode, some = msgspec.msgpack.encode, list[AuthEvent]()
    with path.open("wb") as out:
        for _, event in merged(organisation.logs, None, Tally(), lambda _: None):
            some.append(event)
            if len(some) == AT_A_TIME:
                write(out, encode(some))
                some = []
        write(out, encode(some))


def run_quivive(folder: Path) -> Cost:
    """The whole engine over the organisation's events: enrichment, judging, learning."""
    organisation = simulated(folder)
    using = Enricher(open_places([Path(path) for path in organisation.geoip]))
    read = msgspec.msgpack.Decoder(list[AuthEvent]).decode
    exhaust(map(read, bodies(folder / EVENTS)))
    step = engine(State(), using).step
    before, spent = resident(), 0.0
    scores: list[float] = []
    for some in map(read, bodies(folder / EVENTS)):
        started = time.process_time()
        judged = [scored for event in some if (scored := step(event)) is not None]
        spent += time.process_time() - started
        scores += [scored.assessment.risk_score for scored in judged]
    each = spent / max(1, len(scores)) * 1e6
    return Cost(each, max(0.0, resident() - before), most_resident(), scores)


def apart(name: str, path: Path) -> Cost:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.peers", "--run", name, "--on", str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.msgpack.decode(done.stdout, type=Cost)


# --- all of them


def measure(folder: Path, shape: dict[str, Any], runs: Callable[[str, Path], Cost]) -> Any:
    """Simulates, scores, runs every detector with ``runs``, and compares."""
    simulate(folder, **shape)
    organisation = simulated(folder)
    recorded = folder / "recorded"
    with recorded.open("wb") as out:
        scores = score_all(organisation, [Recorder(out)])
    record_events(organisation, folder / EVENTS)
    rows = scores.rows
    del rows.scores[Recorder.name]
    costs = {QUIVIVE: runs(QUIVIVE, folder)}
    absent = [peer.name for peer in PEERS.values() if not _installed(peer)]
    chosen = [peer for peer in PEERS.values() if peer.name not in absent]
    for peer in chosen:
        costs[peer.name] = runs(peer.name, recorded)
    for name, cost in costs.items():
        if len(cost.scores) != len(rows):
            raise SystemExit(f"{name} judged {len(cost.scores)} of {len(rows)} logins")
        rows.scores[name] = array("d", cost.scores)
    found = combined(
        [compare(organisation, scores, [(peer.name, peer.title) for peer in chosen])], "", absent
    )
    one = found.organisations[0]
    return {
        "command": "make bench-peers",
        "machine": machine(),
        "shape": shape,
        "logins": one.logins,
        "judged": one.judged,
        "incidents": one.incidents,
        "left_out": absent,
        "detectors": [
            {
                "name": detector.name,
                "title": detector.title,
                "features": OWN if detector.name == QUIVIVE else PEERS[detector.name].features,
                "microseconds": costs[detector.name].microseconds,
                "ratio": costs[detector.name].microseconds / costs[QUIVIVE].microseconds,
                "grown_mib": costs[detector.name].grown_mib,
                "process_mib": costs[detector.name].process_mib,
                "recall": {f"{at.budget:g}": at.incident_recall.value for at in detector.at},
                "found": f"{_half(detector.at).incidents.found}/{_half(detector.at).incidents.of}",
                "interval": interval(_half(detector.at).incident_recall),
            }
            for detector in found.detectors
        ],
    }


def _half(at: Sequence[AtBudget]) -> AtBudget:
    return next(one for one in at if one.budget == AT)


def _installed(peer: Peer) -> bool:
    return all(find_spec(name.partition(".")[0]) is not None for name in peer.needs)


def generated(found: dict[str, Any]) -> str:
    """Everything between the markers."""
    heads = [f"{100 * budget:g} %" for budget in BUDGETS]
    rows = [
        [one["title"] if one["name"] != QUIVIVE else "**Quivive**", one["features"],
         f"{one['microseconds']:.0f}", f"{one['ratio']:.2f}", f"{one['grown_mib']:.0f}",
         f"{one['process_mib']:.0f}",
         *(percent(value) + (f" [{one['interval']}]" if budget == f"{AT:g}" else "")
           for budget, value in one["recall"].items())]
        for one in found["detectors"]
    ]  # fmt: skip
    shape = found["shape"]
    text = (
        f"`make bench-peers`, on {described(found['machine'])}. {shape['people']} people and"
        f" {shape['services']} services over {shape['days']} days (seed {shape['seed']}):"
        f" {found['logins']:,} logins, {found['judged']:,} of them judged, {found['incidents']}"
        " incidents. The percentages are incidents found at each alert budget; in brackets 95 % of"
        " 1,000 resamples.\n\n"
        + markdown(
            ["detector", "features", "µs a login", "ratio", "learned, MiB", "process, MiB", *heads],
            rows,
            texts=2,
        )
    )
    if found["left_out"]:
        text += f"\nNot installed, and left out: {', '.join(found['left_out'])}.\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny; nothing is written")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--on", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        cost = run_quivive(asked.on) if asked.run == QUIVIVE else run(PEERS[asked.run], asked.on)
        sys.stdout.buffer.write(msgspec.msgpack.encode(cost))
        return
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
        found = measure(Path(folder), TINY if asked.quick else SHAPE, apart)
    text = generated(found)
    print(text)
    if not asked.quick:
        rewrite(DOCS / "performance.md", BEGIN, text)
        target = DOCS / "performance-peers.json"
        body = json.dumps(rounded(found), indent=1, ensure_ascii=False) + "\n"
        target.write_text(body, encoding="utf-8")
        print(f"written: docs/performance.md, docs/{target.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
