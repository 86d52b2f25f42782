"""Cost per login of every stage, against decoding the same JSON with msgspec in the same run.

CPU time of this process only, the best of several rounds; all stages are measured in every round,
so that a noisy machine is noisy to all of them. Ratios travel between machines, seconds do not.
"""

import gc
import io
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import quivive.engine.abreast as abreast_module
import quivive.engine.engine as engine_module
from benchmarks.clock import Best, Watch, cpu, exhaust
from benchmarks.kept import KEEPING, watched, with_store
from quivive.app import ingest
from quivive.app.geoip import open_places
from quivive.app.output import encode_scored
from quivive.app.recognise import recognise
from quivive.app.scoring import engine, merged, pieces, score
from quivive.engine.engine import Engine
from quivive.engine.gathering import Gathering
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.inputs.framing import frame
from quivive.inputs.merge import in_order
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord
from quivive.policy.decider import Decider
from quivive.sim.build import simulate

VENDORS = ("entra", "okta", "cloudtrail", "kubernetes", "sshd")
# The stages of logins in ``Engine.steps``: where each is called by name.
ENGINE_STAGES: dict[str, tuple[Any, str]] = {
    "arrive": (engine_module, "arrive"),
    "enrich": (Enricher, "enrich"),
    "publish": (abreast_module, "publish"),
    "observe": (abreast_module, "observed"),
    "mature": (engine_module, "mature"),
    "scene": (State, "scene"),
    "passed": (engine_module, "passed"),
    "gather": (Gathering, "all"),
    "assess": (engine_module, "assess"),
    "decide": (Decider, "decide"),
    "judge": (engine_module, "judge"),
    "watch": (engine_module, "watch"),
    "watch again": (engine_module, "watch_again"),
    "record": (engine_module, "record"),
    "learn": (Engine, "_learn"),
    "again": (engine_module, "again"),
    "open_or_close": (engine_module, "open_or_close"),
}
# What the table calls them; some of them together.
PARTS = {
    "arrive (duplicate? whose? known address)": ("arrive", "enrich"),
    "observe": ("observe",),
    "scene, with what has waited": ("scene", "mature"),
    "short road (is it one?)": ("passed", "open_or_close"),
    "gather (signals)": ("gather",),
    "assess": ("assess",),
    "decide, hold the budget": ("decide", "judge"),
    "watch (drift, gaps, novelty)": ("watch", "watch again", "record"),
    "learn": ("learn", "again"),
    "learn what others' logins taught": ("publish",),
}
TITLES = {
    "decode": "decode JSON",
    "frame": "frame (and decode)",
    "parse": "recognise, parse",
}
SCORE, KEPT = "score, end to end", "score --state, end to end"


class Row(NamedTuple):
    stage: str
    log: str
    microseconds: float
    ratio: float | None


class Log:
    """One simulated log, read once, with what each stage takes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name.partition(".")[0]
        self.data = path.read_bytes()
        self.reference = ingest.reference_time([str(path)])
        framed = list(frame(io.BytesIO(self.data), path.name, self.reference))
        self.records = [record for record in framed if isinstance(record, RawRecord)]
        self.events = list(parsed(self.records))
        self.lines = self.data.splitlines() if self.data.startswith(b"{") else []


def parsed(records: Iterable[RawRecord]) -> Iterable[AuthEvent]:
    """What ``ingest.events`` does with framed records."""
    tally = ingest.Tally()
    last = None
    for record in records:
        last = recognise(record, last)
        event = ingest.parse(record, last, tally) if last else None
        if event is not None:
            yield event


def enricher(folder: Path) -> Enricher:
    return Enricher(open_places([folder / "places.csv", folder / "networks.csv"]), None)


def judge(events: list[AuthEvent], using: Enricher) -> list[Scored]:
    """The engine with every signal and the shipped policy, from an empty state."""
    found = pieces(engine(State(), using), (("", event) for event in events))
    return [scored for piece in found for _, _, scored in piece if scored is not None]


def whole_path(paths: list[str], using: Enricher) -> int:
    """``quivive score`` without a store: files in, lines out (to nowhere). Counts the logins."""
    logins = 0
    with Path(os.devnull).open("wb") as out:
        events = merged(paths, None, ingest.Tally(), lambda _: None)
        for log, scored in score(events, State(), using):
            out.write(encode_scored(scored, log) + b"\n")
            logins += 1
    return logins


def measure(folder: Path, rounds: int, people: int, **shape: int) -> dict[str, Any]:
    """Every figure of a run: a list of rows, each with its cost a login and its ratio."""
    shape = {"services": 12, "days": 24, "incidents": 12, **shape}
    simulate(folder, people=people, vendors=VENDORS, **shape)
    logs = [Log(path) for name in VENDORS for path in folder.glob(f"{name}.*")]
    paths = [str(log.path) for log in logs]
    ordered = [p.event for p in in_order((n, e) for n, log in enumerate(logs) for e in log.events)]
    using = enricher(folder)
    judge(ordered, using)  # so that addresses and clients are known: the usual case
    best = Best()
    nothing = folder / "nothing.jsonl"
    nothing.write_bytes(b"")
    logins = {log.name: len(log.events) for log in logs}
    for _ in range(rounds):
        gc.collect()
        gc.disable()  # the stages alone; the whole path runs with it
        for log in logs:
            of_log(log, best)
        best.measure("order", lambda: exhaust(in_order((0, event) for event in ordered)))
        logins["all"] = of_engine(ordered, using, best)
        gc.enable()
        gc.collect()
        for log in logs:
            best.measure(f"score {log.name}", partial(whole_path, [str(log.path)], using))
            best.keep(f"kept {log.name}", with_store([str(log.path)], using))
        best.measure("score all", partial(whole_path, paths, using))
        best.keep("kept all", with_store(paths, using))
        for part, spent in watched(paths, using).items():
            best.keep(part, spent)
        best.keep("opening", with_store([str(nothing)], using))
    return {
        "logins": logins,
        "rows": rows(best.seconds, logs, logins),
        "opening_ms": best.seconds["opening"] * 1000,
    }


def of_log(log: Log, best: Best) -> None:
    name = log.path.name
    if log.lines:
        decode = msgspec.json.Decoder().decode
        best.measure(f"decode {log.name}", lambda: exhaust(map(decode, log.lines)))
    best.measure(
        f"frame {log.name}", lambda: exhaust(frame(io.BytesIO(log.data), name, log.reference))
    )
    best.measure(f"parse {log.name}", lambda: exhaust(parsed(log.records)))


def of_engine(events: list[AuthEvent], using: Enricher, best: Best) -> int:
    """The engine undisturbed, its output, then the engine with a watch on each stage."""
    judged: list[Scored] = []
    best.keep("engine", cpu(lambda: judged.extend(judge(events, using))))
    best.measure("encode output", lambda: exhaust(encode_scored(s, "x") for s in judged))
    with Watch(ENGINE_STAGES) as watch:
        judge(events, using)
    for stage, seconds in watch.seconds().items():
        best.keep(stage, seconds)
    return len(judged)


def rows(seconds: dict[str, float], logs: list[Log], logins: dict[str, int]) -> list[Row]:
    """The table: what, of which log, microseconds a login, ratio to decoding that log."""
    decoding = {log.name: seconds[f"decode {log.name}"] for log in logs if log.lines}
    # What there is to decode in all; a log without JSON adds its logins but no decoding.
    decoding["all"] = sum(decoding.values())
    table: list[Row] = []

    def row(stage: str, log: str, spent: float) -> None:
        ratio = spent / decoding[log] if log in decoding else None
        table.append(Row(stage, log, spent / logins[log] * 1e6, ratio))

    for stage in ("decode", "frame", "parse"):
        for log in logs:
            if (spent := seconds.get(f"{stage} {log.name}")) is not None:
                row(TITLES[stage], log.name, spent)
    row("order by time", "all", seconds["order"])
    for part, stages in PARTS.items():
        row(part, "all", sum(seconds[stage] for stage in stages))
    stages_alone = sum(seconds[stage] for stage in ENGINE_STAGES)
    row("rest of the engine", "all", max(0.0, seconds["engine"] - stages_alone))
    row("encode output", "all", seconds["encode output"])
    for part in KEEPING:
        row(part, "all", seconds[part])
    for stage, title in (("score", SCORE), ("kept", KEPT)):
        for name in (*(log.name for log in logs), "all"):
            row(title, name, seconds[f"{stage} {name}"])
    return table
