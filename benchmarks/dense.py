"""A machine log as clouds write it: the same few calls, many times an hour; and its short road.

Most records of a cloud's audit log are machines that repeat themselves. Engine and output know
the short road for those: here is how many take it, and what they cost beside the others.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from benchmarks.clock import Best, cpu, exhaust
from benchmarks.kept import with_store
from quivive.app.ingest import Tally
from quivive.app.output import encode_scored
from quivive.app.scoring import engine, merged, score
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.sim.action import CloudCall, Outcome, Principal
from quivive.sim.emit import cloudtrail
from quivive.sim.world import Spot

START = 1_767_571_200.0  # 2026-01-05
HOUR = 3600.0
SETTLING_HOURS = 6 * 24  # until a service is no newcomer: a few calls an hour
ACCOUNT = "111122223333"
CALLS = (
    "s3:GetObject", "s3:PutObject", "s3:ListBuckets", "sqs:ReceiveMessage", "sqs:DeleteMessage",
    "dynamodb:GetItem", "dynamodb:PutItem", "kms:Decrypt", "sts:GetCallerIdentity",
    "secretsmanager:GetSecretValue", "ec2:DescribeInstances", "logs:PutLogEvents",
)  # fmt: skip
AGENT = "Boto3/1.38.{} md/Botocore#1.38.0 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.4"
DENIED = 0.001


def calls(services: int, hours: int, every: float, denied: float = DENIED) -> Iterator[CloudCall]:
    """By time: days of a few calls an hour, then ``hours`` of one every ``every`` seconds each.

    Half are keys, half sessions of a role, whose key changes every hour. ``denied`` is the share
    that the cloud refuses.
    """
    rng = Random(1)
    own = [rng.sample(CALLS, rng.randint(2, 4)) for _ in range(services)]
    moment = START
    for hour in range(SETTLING_HOURS + hours):
        dense = hour >= SETTLING_HOURS
        made = []
        for number, operations in enumerate(own):
            times = (
                [moment + n * every + rng.uniform(0, every) for n in range(int(HOUR / every))]
                if dense
                else [moment + rng.uniform(0, HOUR) for _ in operations]
            )
            for place, when in enumerate(times):
                operation = rng.choice(operations) if dense else operations[place]
                made.append(_call(number, hour, when, operation, rng.random() < denied))
        yield from sorted(made, key=lambda call: call.time)
        moment += HOUR


def _call(number: int, hour: int, when: float, operation: str, denied: bool) -> CloudCall:
    role = number % 2 == 1
    name = f"{'worker' if role else 'batch'}-{number}"
    who = Principal(
        kind="AssumedRole" if role else "IAMUser",
        name=name,
        account=ACCOUNT,
        uid=f"{'AROA' if role else 'AIDA'}EXAMPLE{number:05}",
        key=f"ASIAEXAMPLE{number:04}{hour:05}" if role else f"AKIAEXAMPLE{number:05}0000",
        session=f"i-{number:017x}" if role else "",
        since=START + hour * HOUR,
    )
    return CloudCall(
        time=when,
        identity=name,
        spot=Spot(f"10.40.{number // 200}.{10 + number % 200}"),
        principal=who,
        operation=operation,
        agent=AGENT.format(number),
        outcome=Outcome.NOT_ALLOWED if denied else Outcome.SUCCESS,
    )


def write(path: Path, services: int, hours: int, every: float, denied: float = DENIED) -> int:
    """Writes the log; returns when its dense part begins (ms UTC)."""
    rng = Random(2)
    with path.open("w", encoding="utf-8") as out:
        for call in calls(services, hours, every, denied):
            for line in cloudtrail.emit(call, rng):
                out.write(line.text + "\n")
    return int((START + SETTLING_HOURS * HOUR) * 1000)


def measure(folder: Path, services: int, hours: int, every: float, rounds: int) -> dict[str, Any]:
    """The share of the short road, the cost of both, and of the whole log with and without it."""
    path = folder / "cloudtrail.jsonl"
    begins = write(path, services, hours, every)
    lines = path.read_bytes().splitlines()
    using = Enricher(None, None)
    events = list(_events(path))
    roads = by_road([event for _, event in events], begins, using)
    smooth = folder / "without-refusals.jsonl"
    write(smooth, services, hours, every, denied=0.0)
    undenied = by_road([event for _, event in _events(smooth)], begins, using)
    best = Best()
    for _ in range(rounds):
        best.measure("decode", lambda: exhaust(map(msgspec.json.decode, lines)))
        best.measure("score", lambda: whole(path, using, shortens=True))
        best.measure("long alone", lambda: whole(path, using, shortens=False))
        best.keep("kept", with_store([str(path)], using))
    each = {name: seconds / len(events) * 1e6 for name, seconds in best.seconds.items()}
    return {
        "logins": len(events),
        "services": services,
        "calls_an_hour": HOUR / every,
        "denied": DENIED,
        "share_short": share_of(roads),
        "share_short_undenied": share_of(undenied),
        **roads,
        "microseconds": each,
        "ratio": {name: value / each["decode"] for name, value in each.items()},
        "logins_a_second": 1e6 / each["score"],
        "logins_a_second_kept": 1e6 / each["kept"],
    }


def share_of(roads: dict[str, Any]) -> float:
    """The part of the logins that took the short road."""
    short: int = roads["short_logins"]
    return short / max(1, short + roads["long_logins"])


def _events(path: Path) -> Iterator[tuple[str, AuthEvent]]:
    return merged([str(path)], None, Tally(), lambda _: None)


def whole(path: Path, using: Enricher, *, shortens: bool) -> int:
    """Reads, judges and encodes the log; returns its logins."""
    judged = score(_events(path), State(), using, shortens=shortens)
    return sum(1 for log, scored in judged if encode_scored(scored, log))


def by_road(events: list[AuthEvent], begins: int, using: Enricher) -> dict[str, Any]:
    """Microseconds of the engine and of the output a login, by the road it took, once settled."""
    step, clock = engine(State(), using).step, time.thread_time_ns
    logins = {True: 0, False: 0}
    judging = {True: 0, False: 0}
    writing = {True: 0, False: 0}
    for event in events:
        started = clock()
        scored = step(event)
        through = clock()
        if scored is None or event.time < begins:
            continue
        encode_scored(scored, "dense")
        ended = clock()
        short = scored.assessment.short_road
        logins[short] += 1
        judging[short] += through - started
        writing[short] += ended - through
    idle = cpu(lambda: exhaust(clock() for _ in range(20_000))) / 20_000 * 1e9
    found: dict[str, Any] = {}
    for road, short in (("short", True), ("long", False)):
        some = max(1, logins[short])
        found[f"{road}_logins"] = logins[short]
        found[f"{road}_judge_us"] = max(0.0, judging[short] / some - idle) / 1000
        found[f"{road}_write_us"] = max(0.0, writing[short] / some - idle) / 1000
    return found
