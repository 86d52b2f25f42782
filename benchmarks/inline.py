"""The inline path: how long a login waits for its answer, at a steady rate, over a real socket.

    python -m benchmarks.inline [--rate 500] [--seconds 20] [--json FILE]

A server in a process of its own, which has learned a month of a simulated company; a load
generator in another, which sends at fixed times whether or not answers came (an open loop), so that
a stall counts for everybody who waited in it. With the store (every answer follows a commit that
survives a loss of power) and without (a store that does not wait for the disk).
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CONNECTIONS = 32
WARM_UP_SECONDS = 3
TARGET_MS = 10.0


class Figures(NamedTuple):
    store: str
    rate: float
    requests: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    most_ms: float
    fallbacks: int
    failed: int


def logins(folder: Path, count: int) -> list[bytes]:
    """Records of the simulated Entra log, newest days over and over with ids of their own."""
    records = [json.loads(line) for line in (folder / "entra.jsonl").read_text().splitlines()]
    records = records[-min(len(records), 2_000) :]
    made = []
    for number in range(count):
        record = dict(records[number % len(records)])
        for name in ("id", "Id"):
            if name in record:
                record[name] = f"bench-{number}"
        made.append(json.dumps(record, separators=(",", ":")).encode())
    return made


async def load(port: int, token: str, bodies: list[bytes], rate: float) -> list[tuple[float, str]]:
    """Sends each body at its time; seconds from that time to the answer, and what it was."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        free.put_nowait((reader, writer))
    head = (
        f"POST /v1/assess?source=entra HTTP/1.1\r\nhost: q\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/json\r\ncontent-length: "
    ).encode()
    found: list[tuple[float, str]] = []

    async def one(body: bytes, due: float) -> None:
        reader, writer = await free.get()
        writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        seconds = time.perf_counter() - due
        free.put_nowait((reader, writer))
        status = answer[9:12].decode()
        found.append((seconds, "fallback" if b"quivive-fallback" in answer else status))

    begun = time.perf_counter() + 0.1
    tasks = []
    for number, body in enumerate(bodies):
        due = begun + number / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(body, due)))
    await asyncio.gather(*tasks)
    return found


@contextlib.contextmanager
def serving(state: Path | None, log: Path) -> Iterator[tuple[int, str]]:
    """A server in a process of its own: its port and a token."""
    quivive = [sys.executable, "-m", "quivive.cli.main"]
    quivive = [str(Path(sys.executable).with_name("quivive"))]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    named = ["--state", str(state)] if state is not None else []
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*quivive, "serve", "--port", str(port), "--no-access-log", *named],
            stderr=said,
            start_new_session=True,
        )
    try:
        while b'"serving"' not in log.read_bytes():
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.1)
        if state is not None:
            made = subprocess.run(
                [*quivive, "token", "create", *named, "--name", "bench", "--scope", "admin"],
                capture_output=True,
                check=True,
            )
            token = made.stdout.decode().strip()
            time.sleep(2)
        else:
            token = log.read_text().partition("everything: ")[2].split()[0]
        yield port, token
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def measure(folder: Path, rate: float, seconds: float, *, store: bool) -> Figures:
    """One run; the load comes from a process of its own."""
    state = folder / ("kept" if store else "none")
    with serving(state if store else None, folder / "server.log") as (port, token):
        if not store:
            send_history(folder, port, token)
        warm = int(rate * WARM_UP_SECONDS)
        bodies = logins(folder, warm + int(rate * seconds))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            gc.disable()  # its own pauses are not the server's
            found = asyncio.run(load(port, token, bodies, rate))
            with os.fdopen(writing, "w") as out:
                json.dump(found, out)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answers:
            found = json.load(answers)
        os.waitpid(child, 0)
    found = found[warm:]
    times = sorted(took for took, _ in found)

    def at(share: float) -> float:
        return round(times[min(len(times) - 1, int(share * len(times)))] * 1000, 2)

    return Figures(
        "kept, synced" if store else "not synced",
        rate,
        len(found),
        at(0.5),
        at(0.9),
        at(0.99),
        round(times[-1] * 1000, 2),
        sum(what == "fallback" for _, what in found),
        sum(what not in ("200", "fallback") for _, what in found),
    )


def send_history(folder: Path, port: int, token: str) -> None:
    """What the server without a state learns from first."""
    import urllib.request

    body = (folder / "entra.jsonl").read_bytes()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/events?source=entra",
        data=body,
        headers={"Authorization": f"Bearer {token}"},
    )
    urllib.request.urlopen(asked).read()


def table(found: list[Figures]) -> str:
    lines = ["| store | requests/s | answered | p50 | p90 | p99 | longest | fallbacks | failed |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    lines += [
        f"| {f.store} | {f.rate:g} | {f.requests:,} | {f.p50_ms} ms | {f.p90_ms} ms"
        f" | {f.p99_ms} ms | {f.most_ms} ms | {f.fallbacks} | {f.failed} |"
        for f in found
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    quivive = str(Path(sys.executable).with_name("quivive"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        run = [quivive, "simulate", "--out", made, "--seed", "3", "--people", "40"]
        run += ["--services", "6", "--days", "30", "--incidents", "8"]
        subprocess.run(run, check=True, capture_output=True)
        logs = [str(p) for p in folder.glob("entra.jsonl")]
        run = [quivive, "score", "--state", f"{made}/kept", "--out", f"{made}/out.ndjson", *logs]
        subprocess.run(run, check=True, capture_output=True)
        found = [measure(folder, asked.rate, asked.seconds, store=store) for store in (True, False)]
    print(table(found))
    kept = found[0]
    verdict = "within" if kept.p99_ms < TARGET_MS else "over"
    print(f"\np99 at {kept.rate:g} requests a second: {kept.p99_ms} ms, {verdict} {TARGET_MS} ms")
    if asked.json:
        asked.json.write_text(json.dumps([f._asdict() for f in found], indent=1) + "\n")


if __name__ == "__main__":
    main()
