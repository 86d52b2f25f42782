"""Retention by class of data: what is older goes, and the audit trail says so."""

import re
from collections.abc import Sequence
from pathlib import Path

from quivive.app.audit import sign
from quivive.app.errors import UsageError
from quivive.model.audit import Entry
from quivive.model.words import counted
from quivive.store import audit
from quivive.store.database import Store
from quivive.store.retention import prune_assessments, prune_dead_letters
from quivive.store.runs import Runs
from quivive.store.telemetry import Parts

CLASSES = ("telemetry", "assessments", "dead_letters")
DAY_MS = 86_400_000
_DAYS = re.compile(r"([0-9]{1,5})(d|w|y)")
_LENGTH = {"d": 1, "w": 7, "y": 365}


def parse_age(text: str) -> int:
    """An age in days: "400d", "8w", "2y". Raises UsageError."""
    found = _DAYS.fullmatch(text.strip().lower())
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--older-than {text!r}: a number of days, weeks or years: 400d, 8w, 2y")
    return int(found[1]) * _LENGTH[found[2]]


def parse_classes(text: str) -> tuple[str, ...]:
    """Classes of data by name. Raises UsageError for an unknown one."""
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [name for name in chosen if name not in CLASSES]
    if unknown or not chosen:
        named = f" {unknown[0]!r}" if unknown else ""
        raise UsageError(f"--what: no class{named}: {', '.join(CLASSES)}")
    return tuple(name for name in CLASSES if name in chosen)


def prune(
    store: Store, folder: Path | None, what: Sequence[str], days: int, by: str, now: int
) -> dict[str, int]:
    """Forgets what is older than ``days`` at ``now`` (ms UTC); gives how many rows or files went.

    folder: of the telemetry, None for none. A server may be at work meanwhile: what is this old it
    no longer reads. Raises UsageError where a run over files is at work or was cut short.
    """
    before, gone = now - days * DAY_MS, dict[str, int]()
    if "assessments" in what:
        run = Runs(store).unfinished()
        if run is not None:
            raise UsageError(
                f"{store.given}: a run is at work or was cut short, after"
                f" {counted(run.lines, 'login')}, and"
                " its lines are needed to go on: let it end, or give it up with --abandon, then"
                " prune"
            )
        gone["assessments"] = prune_assessments(store, before)
    if "dead_letters" in what:
        gone["dead_letters"] = prune_dead_letters(store, before)
    if "telemetry" in what and folder is not None:
        gone["telemetry"] = Parts(folder).prune(before) if folder.is_dir() else 0
    details = {"older_than_days": days, "before": before, "gone": gone}
    entry = Entry(
        time=now, actor=by, action="retention:prune", subject=",".join(what), details=details
    )
    with store.transaction() as connection:
        audit.append(connection, [entry])
    sign(store)
    return gone
