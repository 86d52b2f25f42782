"""Many identities, straight through the engine: memory, speed and cold start as their number grows.

    python -m benchmarks.soak --identities 1000000 --logins 3000000 --state /tmp/soak

Synthetic logins in order of time; who logs in follows Zipf's law, so that a few thousand identities
make most logins and the rest come rarely: what memory does not hold is read from the store, or from
a temporary file without ``--state``. A line is printed every so many logins.
"""

import argparse
import gc
import time
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate, islice
from pathlib import Path
from random import Random

from quivive.app.keeping import Saver, begin_state
from quivive.app.kept import row_of
from quivive.app.output import encode_scored
from quivive.app.scoring import LOOK_EVERY, engine
from quivive.app.spill import Spill
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent, Device, DeviceType, Os, OsType, Status
from quivive.store.database import Store
from tests.scenario import company

START = 1_760_000_000_000
CITIES = (
    ("Toronto", "CA", 43.7, -79.4),
    ("London", "GB", 51.5, -0.1),
    ("Berlin", "DE", 52.5, 13.4),
    ("Lisbon", "PT", 38.7, -9.1),
    ("Austin", "US", 30.3, -97.7),
    ("Pune", "IN", 18.5, 73.9),
)
APPS = ("Mail", "Files", "Chat", "Wiki", "Payroll", "CRM", "Build", "VPN")
AGENT = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
SYSTEMS = (("Windows NT 10.0; Win64; x64", "Windows 11"), ("Macintosh; Intel Mac OS X", "MacOs"))


def logins(identities: int, a_day: int, seed: int = 1) -> Iterator[AuthEvent]:
    """Endless logins by event time, ``a_day`` of them a day, by identities after Zipf."""
    rng = Random(seed)
    weights = list(accumulate(1 / (rank + 10) for rank in range(identities)))
    step, whole = 86_400_000 / a_day, weights[-1]
    moment = float(START)
    number = 0
    while True:
        number += 1
        moment += rng.expovariate(1) * step
        who = bisect(weights, rng.random() * whole)
        yield login(who, number, int(moment), rng)


def login(who: int, number: int, moment: int, rng: Random) -> AuthEvent:
    """One login, of habits that follow from who it is."""
    habits = Random(who)
    city, country, lat, long = habits.choice(CITIES)
    agent, system = habits.choice(SYSTEMS)
    home = f"{60 + who % 120}.{who // 120 % 250}.{who // 30_000 % 250}.{1 + who % 250}"
    ip = home if rng.random() < 0.9 else f"70.{rng.randrange(250)}.{rng.randrange(250)}.7"
    place = company.Place(country, city, lat, long, 1000 + who % 40, "An operator", "")
    failed = rng.random() < 0.04
    return company.login(
        f"user{who}",
        moment,
        place,
        ip=ip,
        agent=AGENT.format(agent),
        device=Device(
            type_id=DeviceType.LAPTOP,
            uid=f"dev-{who}",
            name=f"LAPTOP-{who}",
            os=Os(name=system, type_id=OsType.OTHER),
            is_managed=True,
        ),
        status=Status.FAILURE if failed else Status.SUCCESS,
        app=habits.choice(APPS) if rng.random() < 0.8 else rng.choice(APPS),
        mfa=rng.random() < 0.7,
        uid=f"{number:032x}",
    )


def resident() -> float:
    """Memory of this process now, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.soak")
    parser.add_argument("--identities", type=int, default=20_000)
    parser.add_argument("--logins", type=int, default=100_000)
    parser.add_argument("--a-day", type=int, default=0, help="logins a day; default: identities")
    parser.add_argument("--state", help="keep all of it in this store; default: a temporary file")
    parser.add_argument("--batch", type=int, default=20_000)
    asked = parser.parse_args()
    store = Store(asked.state) if asked.state else None
    begun = time.perf_counter()
    state = begin_state(store) if store else State()
    print(f"cold start {time.perf_counter() - begun:.2f} s, {resident():.0f} MiB", flush=True)
    step = engine(state, Enricher(None, None)).step
    spill, saver, position = Spill(state), Saver(state), 0
    events = logins(asked.identities, asked.a_day or asked.identities)
    print("   logins  made/s  logins/s  kept µs  profiles  in memory      MiB", flush=True)
    done = 0
    while done < asked.logins:
        begun = time.process_time()
        some = list(islice(events, min(asked.batch, asked.logins - done)))
        made = time.process_time() - begun
        begun, rows = time.process_time(), []
        for number, event in enumerate(some, 1):
            scored = step(event)
            if scored is not None and store is not None:
                position += 1
                line = encode_scored(scored, "soak")
                rows.append(row_of(event.metadata.uid or "", scored, line, 1, position))
            if store is None and number % LOOK_EVERY == 0:
                spill.relieve()
        judged = time.process_time() - begun
        begun = time.process_time()
        if store is not None:
            batch = saver.take()
            batch.rows = rows
            store.commit(batch)
            saver.saved()
        kept = time.process_time() - begun
        done += len(some)
        here = sum(table.in_memory for table in state.tables)
        print(
            f"{done:9,} {len(some) / made:7,.0f} {len(some) / (judged + kept):9,.0f}"
            f" {kept / len(some) * 1e6:8.1f} {state.organisation.known:9,} {here:10,}"
            f" {resident():8,.0f}",
            flush=True,
        )
    if store is not None:
        store.close()
        del state, step, saver, spill
        gc.collect()
        begun = time.perf_counter()
        with Store(asked.state) as again:
            begin_state(again)
        print(f"cold start {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
