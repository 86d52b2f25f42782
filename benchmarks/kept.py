"""``quivive score --state --out`` over a log: what the store adds, and logins a second with it."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import quivive.app.results as results_module
import quivive.app.running as running_module
from benchmarks.clock import Watch, cpu
from quivive.app.incidents import Desk
from quivive.app.ingest import Tally
from quivive.app.keeping import Saver, begin_state
from quivive.app.lines import FileLines, lines_to
from quivive.app.models import in_use
from quivive.app.policies import decider
from quivive.app.results import Alone
from quivive.app.running import Run, asked
from quivive.app.scoring import engine, merged
from quivive.enrich.enricher import Enricher
from quivive.policy.budget import Budgets
from quivive.store.database import Store

# What a run with a store does beyond judging: where each is called by name.
KEEPING: dict[str, tuple[Any, str]] = {
    "store: a row of each login": (results_module, "row_of"),
    "store: which logins were read": (running_module, "_chained"),
    "store: incidents": (Desk, "take"),
    "store: what changed of the state": (Saver, "take"),
    "store: commit": (Store, "commit"),
    "store: the output file": (FileLines, "write"),
    "store: the output file, flushed": (FileLines, "flush"),
}


def kept_path(paths: list[str], using: Enricher, folder: Path) -> int:
    """What the command does with an empty store, after the place databases are open.

    Returns how many lines were written: one a login.
    """
    out, budgets = str(folder / "out.jsonl"), Budgets()
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(contextlib.closing(lines_to(out, None)))
        store = stack.enter_context(Store(str(folder / "state")))
        stack.enter_context(store.writing("benchmark"))
        state = begin_state(store)
        models = in_use(store, state, budgets)
        run = Run.begin(store, models, asked(paths, (), out), lines)
        run.resume(_unread)
        decides = decider(store, None, state.spent)
        alone = Alone(engine(state, using, models.model, budgets, models.beside, decides))
        tally = Tally()
        run.judge(merged(paths, None, tally, lambda _: None), alone, tally, _unread)
        return run.row.lines


def with_store(paths: list[str], using: Enricher) -> float:
    """CPU seconds of one run into a new store."""
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder:
        return cpu(lambda: kept_path(paths, using, Path(folder)))


def watched(paths: list[str], using: Enricher) -> dict[str, float]:
    """CPU seconds of each part of ``KEEPING``, in a run of its own."""
    with tempfile.TemporaryDirectory(prefix="quivive-bench-") as folder, Watch(KEEPING) as watch:
        kept_path(paths, using, Path(folder))
    return watch.seconds()


def _unread(*_: object) -> None:
    """Nobody is shown the findings."""
