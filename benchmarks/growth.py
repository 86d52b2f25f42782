"""What a login costs as more identities are known; memory, and how soon a process begins.

    python -m benchmarks.growth --identities 100000 --state DIR

Everybody logs in once. Then come two series with the store on: the same logins of the same
thousand identities whatever the number known, which shows what the number alone costs; and logins
of all of them after Zipf's law, which also reads those that memory does not hold. ``grown`` runs
each size in a process of its own, and one more that begins on the store left behind.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.pages import most_resident, resident
from benchmarks.soak import START, login
from quivive.app.keeping import Saver, begin_state
from quivive.app.kept import row_of
from quivive.app.memory import seldom, settled
from quivive.app.output import encode_scored
from quivive.app.running import BATCH_LOGINS
from quivive.app.scoring import engine
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.store.database import Store

DAY = 86_400_000
ACTIVE = 1_000  # identities of the first series
SETTLING_DAYS = 6
RUN = 1


class Keeping:
    """The engine on a store, a batch of logins a transaction, as a run over files does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.state = begin_state(store)
        self._step = engine(self.state, Enricher(None, None)).step
        self._saver = Saver(self.state)
        self._position = store.newest_line(RUN)

    def judge(self, events: Iterable[AuthEvent]) -> tuple[int, float]:
        """Judges and keeps them; how many logins, and CPU seconds without their making."""
        logins, spent, stream = 0, 0.0, iter(events)
        while some := list(islice(stream, BATCH_LOGINS)):
            started = time.process_time()
            rows = []
            for event in some:
                scored = self._step(event)
                if scored is not None:
                    self._position += 1
                    line = encode_scored(scored, "growth")
                    uid = event.metadata.uid or ""
                    rows.append(row_of(uid, scored, line, RUN, self._position))
            batch = self._saver.take()
            batch.rows = rows
            self.store.commit(batch)
            self._saver.saved()
            settled()
            spent += time.process_time() - started
            logins += len(some)
        return logins, spent


class Stream:
    """Logins by event time with ids of their own, one series after the other."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = Random(seed)
        self._moment = float(START)
        self._number = 0

    def of(self, chosen: Iterable[int], days: float, count: int) -> Iterator[AuthEvent]:
        """One login each of ``chosen``, ``count`` of them within ``days``."""
        step = days * DAY / count
        for who in islice(chosen, count):
            self._number += 1
            self._moment += self._rng.expovariate(1) * step
            yield login(who, self._number, int(self._moment), self._rng)


def grow(identities: int, count: int, store: Store) -> dict[str, Any]:
    """Both series, ``count`` logins each, with so many identities known."""
    keeping, stream = Keeping(store), Stream()
    active = min(ACTIVE, identities)
    before = resident()
    keeping.judge(stream.of(range(identities), SETTLING_DAYS, identities))
    # The same logins for every size: their own dice, one a day of each identity.
    same, rng = Stream(seed=2), Random(3)
    same._moment, same._number = stream._moment, identities
    order = [rng.randrange(active) for _ in range(2 * count)]
    keeping.judge(same.of(order[:count], count / active, count))
    few, few_spent = keeping.judge(same.of(order[count:], count / active, count))
    stream._moment, stream._number = same._moment, same._number
    weights = list(accumulate(1 / (rank + 10) for rank in range(identities)))
    zipf = rng.choices(range(identities), cum_weights=weights, k=2 * count)
    keeping.judge(stream.of(zipf[:count], count / active, count))
    all_, all_spent = keeping.judge(stream.of(zipf[count:], count / active, count))
    return {
        "identities": identities,
        "known": keeping.state.organisation.known,
        "same_us": few_spent / few * 1e6,
        "all_us": all_spent / all_ * 1e6,
        "memory_mib": resident(),
        "most_mib": most_resident(),
        "grown_mib": resident() - before,
        "store_mib": sum(p.stat().st_size for p in Path(store.given).glob("*")) / 2**20,
    }


def cold(store: Store, begun: float) -> dict[str, Any]:
    """Seconds until the state is there, and until a first login is judged."""
    keeping = Keeping(store)
    loaded = time.perf_counter() - begun
    event = login(0, 1 << 40, START + 60 * DAY, Random(4))
    keeping._step(event)
    return {"loaded_s": loaded, "first_s": time.perf_counter() - begun}


def grown(sizes: Iterable[int], count: int) -> list[dict[str, Any]]:
    """Every size, in a process of its own; ratios are to the first."""
    found: list[dict[str, Any]] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
            one = _apart("--identities", str(size), "--logins", str(count), "--state", folder)
            one |= _apart("--cold", "--state", folder)
        first = found[0] if found else one
        one |= {
            f"{name}_ratio": one[f"{name}_us"] / first[f"{name}_us"] for name in ("same", "all")
        }
        found.append(one)
    return found


def _apart(*options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.growth", *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main() -> None:
    begun = time.perf_counter()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--identities", type=int, default=10_000)
    parser.add_argument("--logins", type=int, default=10_000, help="of each series")
    parser.add_argument("--state", required=True, help="an empty folder")
    parser.add_argument("--cold", action="store_true", help="only begin on a store that is there")
    asked = parser.parse_args()
    seldom()  # as every command does
    with Store(asked.state) as store:
        found = cold(store, begun) if asked.cold else grow(asked.identities, asked.logins, store)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
