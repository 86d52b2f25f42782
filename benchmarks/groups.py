"""A login at a time, or several: what a commit costs the server, by how many logins it holds."""

import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.soak import logins
from quivive.app.live import Live
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.store.database import Store

SIZES = (1, 10, 100)
IDENTITIES = 500


def measure(count: int) -> list[dict[str, Any]]:
    """CPU and elapsed microseconds a login, by size of the group, over the same ``count`` logins.

    Each size has a store of its own, which knows everybody already.
    """
    known = max(200, count // 2)
    events = list(islice(logins(IDENTITIES, IDENTITIES), known + count))
    found = [of_groups(events[:known], events[known:], size) for size in SIZES]
    most = found[-1]["cpu_us"]
    return [one | {"ratio": one["cpu_us"] / most} for one in found]


def of_groups(before: list[AuthEvent], events: list[AuthEvent], size: int) -> dict[str, Any]:
    """Judged and kept in groups of ``size``; ``before`` is judged first, in one group."""
    with (
        tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder,
        Store(Path(folder)) as store,
        store.writing("benchmark"),
    ):
        live = Live(store, Enricher(None, None))
        _group(live, before)
        started, begun = time.process_time(), time.perf_counter()
        for first in range(0, len(events), size):
            _group(live, events[first : first + size])
        spent, passed = time.process_time() - started, time.perf_counter() - begun
    each = 1e6 / len(events)
    return {
        "group": size,
        "logins": len(events),
        "cpu_us": spent * each,
        "elapsed_us": passed * each,
    }


def _group(live: Live, events: list[AuthEvent]) -> None:
    for event in events:
        live.judge("bench", event)
    live.commit()
