"""Cost per login of every stage, against decoding the same JSON with msgspec in the same run.

CPU time of this process only, the best of several rounds; all stages are measured in every round,
so that a noisy machine is noisy to all of them. Ratios travel between machines, seconds do not.
"""

import gc
import io
import os
import platform
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import quivive.engine.engine as engine_module
from quivive.app import ingest
from quivive.app.geoip import open_places
from quivive.app.output import encode_scored
from quivive.app.recognise import recognise
from quivive.app.registry import signals
from quivive.app.scoring import merged, score
from quivive.engine.engine import Engine, Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.inputs.framing import frame
from quivive.inputs.merge import in_order
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord
from quivive.sim.build import simulate

VENDORS = ("entra", "okta", "cloudtrail", "kubernetes", "sshd")
# The stages of one login in ``Engine.step``: where each is called by name.
ENGINE_STAGES = {
    "enrich": (Enricher, "enrich"),
    "observe": (engine_module, "observe"),
    "scene": (State, "scene"),
    "gather": (Engine, "gather"),
    "assess": (engine_module, "assess"),
    "learn": (Engine, "_learn"),
}


TITLES = {
    "decode": "decode JSON",
    "frame": "frame (and decode)",
    "parse": "recognise, parse",
    "enrich": "enrich (known address)",
    "observe": "observe",
    "scene": "scene",
    "gather": "gather (signals)",
    "assess": "assess",
    "learn": "learn",
}


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


def exhaust(values: Iterable[Any]) -> None:
    deque(values, maxlen=0)


def cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


class Best:
    """The least time of each named measurement, in the order first met."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def measure(self, name: str, work: Callable[[], object]) -> None:
        self.keep(name, cpu(work))

    def keep(self, name: str, seconds: float) -> None:
        self.seconds[name] = min(seconds, self.seconds.get(name, seconds))


class Watch:
    """Adds up the thread time spent in functions that are called by name, while it is open."""

    def __init__(self, stages: dict[str, tuple[Any, str]]) -> None:
        self.stages = {k: (o, n) for k, (o, n) in stages.items() if hasattr(o, n)}
        self.spent: dict[str, int] = {}
        self.calls: dict[str, int] = {}

    def __enter__(self) -> "Watch":
        self.original = {key: getattr(owner, name) for key, (owner, name) in self.stages.items()}
        for key, (owner, name) in self.stages.items():
            setattr(owner, name, self.timed(key, self.original[key]))
        return self

    def __exit__(self, *_: object) -> None:
        for key, (owner, name) in self.stages.items():
            setattr(owner, name, self.original[key])

    def timed(self, key: str, function: Callable[..., Any]) -> Callable[..., Any]:
        clock, spent, calls = time.thread_time_ns, self.spent, self.calls
        spent[key] = calls[key] = 0

        def watched(*given: Any) -> Any:
            started = clock()
            try:
                return function(*given)
            finally:
                spent[key] += clock() - started
                calls[key] += 1

        return watched

    def overhead(self) -> float:
        """Nanoseconds a call that the clock itself adds to what it measures."""
        idle = self.timed("", lambda: None)
        for _ in range(20_000):
            idle()
        return self.spent.pop("") / self.calls.pop("")

    def seconds(self) -> dict[str, float]:
        cost = self.overhead()
        return {key: (ns - cost * self.calls[key]) / 1e9 for key, ns in self.spent.items()}


def enricher(folder: Path) -> Enricher:
    return Enricher(open_places([folder / "places.csv", folder / "networks.csv"]), None)


def judge(events: list[AuthEvent], using: Enricher) -> list[Scored]:
    step = Engine(State(), using, signals()).step
    return [scored for event in events if (scored := step(event)) is not None]


def whole_path(paths: list[str], using: Enricher) -> int:
    """``quivive score`` without a store: files in, lines out (to nowhere). Counts the logins."""
    logins = 0
    with Path(os.devnull).open("wb") as out:
        events = merged(paths, None, ingest.Tally(), lambda _: None)
        for log, scored in score(events, State(), using):
            out.write(encode_scored(scored, log) + b"\n")
            logins += 1
    return logins


def measure(folder: Path, rounds: int, people: int) -> dict[str, Any]:
    """Every figure of a run: a list of rows, each with its cost a login and its ratio."""
    simulate(folder, people=people, services=12, days=24, incidents=12, vendors=VENDORS)
    logs = [Log(path) for name in VENDORS for path in folder.glob(f"{name}.*")]
    paths = [str(log.path) for log in logs]
    ordered = [p.event for p in in_order((n, e) for n, log in enumerate(logs) for e in log.events)]
    using = enricher(folder)
    judge(ordered, using)  # so that addresses and clients are known: the usual case
    best = Best()
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
        best.measure("score all", lambda: whole_path(paths, using))
    return {"machine": machine(), "logins": logins, "rows": rows(best.seconds, logs, logins)}


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
    started = time.process_time()
    judged = judge(events, using)
    best.keep("engine", time.process_time() - started)
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
    for stage in ENGINE_STAGES:
        if stage in seconds:
            row(TITLES[stage], "all", seconds[stage])
    watched = sum(seconds.get(stage, 0.0) for stage in ENGINE_STAGES)
    row("rest of the engine", "all", max(0.0, seconds["engine"] - watched))
    row("encode output", "all", seconds["encode output"])
    for log in logs:
        row("score, end to end", log.name, seconds[f"score {log.name}"])
    row("score, end to end", "all", seconds["score all"])
    return table


def machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "msgspec": msgspec.__version__,
    }
