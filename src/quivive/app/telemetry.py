"""The telemetry of a store: written beside it while logins are judged, and asked by people."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection

from quivive.app.audit import sign
from quivive.app.errors import UsageError
from quivive.model.audit import Entry
from quivive.store import audit
from quivive.store.analytics import ROWS, Analytics, Answer
from quivive.store.batch import Row
from quivive.store.database import Store
from quivive.store.telemetry import (
    FOLDER,
    Line,
    Parts,
    lines_after,
    mark,
    positions,
)

SERVER_RUN = 0
MOST_SQL_RECORDED = 4_000  # characters

Writes = Callable[[Connection], None]


def folder_of(store: Store, given: str | None = None) -> Path:
    """Where the telemetry of a store is: ``given``, or its own folder's.

    Raises UsageError for a store without a folder where none is given.
    """
    if given is not None:
        return Path(given)
    if store.folder is None:
        raise UsageError(
            f"{store.given}: a database has no folder for telemetry; name one with --telemetry-dir"
        )
    return store.folder / FOLDER


class Telemetry:
    """Writes the telemetry of a store; use it where the store may be written to."""

    def __init__(self, store: Store, folder: Path) -> None:
        """Raises StoreError when pyarrow is not installed."""
        self.store = store
        self.folder = folder
        self.parts = Parts(folder)
        self.parts.at = store.at
        self.lock = Lock()  # between what fills the files and what erases from them

    def begin(self, run: int) -> None:
        """Brings the files to what the store knows of: removes what a crash left, and writes what
        was judged before without telemetry in this run.
        """
        self.parts.tidy(positions(self.store))
        self.fill(run)

    def batch(self, run: int, rows: Sequence[Row]) -> Writes:
        """Writes rows that are about to be committed; what is returned belongs into the same
        transaction.
        """
        self.parts.write(run, [Line(row.position, row.body) for row in rows])
        last = rows[-1].position if rows else 0
        return lambda connection: mark(connection, run, last) if last else None

    def fill(self, run: int) -> int:
        """Writes what is committed of a run and not in files yet; returns how many logins."""
        with self.lock:
            return self._fill(run)

    def _fill(self, run: int) -> int:
        written, position = 0, positions(self.store).get(run, 0)
        while some := lines_after(self.store, run, position):
            self.parts.write(run, some)
            position = some[-1].position
            with self.store.transaction() as connection:
                mark(connection, run, position)
            written += len(some)
        return written


def ask(store: Store, folder: Path, sql: str, by: str, now: int, rows: int = ROWS) -> Answer:
    """Answers one SELECT over the telemetry, and records who asked what in the audit trail.

    Raises QueryError for a question that cannot be answered, StoreError where there is no
    telemetry.
    """
    with Analytics(folder) as analytics:
        answer = analytics.ask(sql, rows=rows)
    details = {"sql": sql[:MOST_SQL_RECORDED], "rows": len(answer.rows)}
    entry = Entry(time=now, actor=by, action="telemetry:query", subject=FOLDER, details=details)
    with store.transaction() as connection:
        audit.append(connection, [entry])
    sign(store)
    return answer
