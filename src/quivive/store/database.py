"""The embedded store: state, assessments and dead letters of one organisation in one SQLite file.

A run commits once, at its end, in one transaction: a run that is cut short leaves the store as it
was.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from quivive.model.errors import ConfigurationError
from quivive.model.record import Reject

SCHEMA_VERSION = 2
# What each version added to a table; older stores get it when they are opened.
ADDED = {
    2: (
        "ALTER TABLE assessments ADD COLUMN lesson BLOB",
        "ALTER TABLE assessments ADD COLUMN kind TEXT",
        "ALTER TABLE assessments ADD COLUMN stratum TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE assessments ADD COLUMN finding BOOLEAN NOT NULL DEFAULT 0",
        "UPDATE assessments SET finding = 1 WHERE risk_score >= 46",
    ),
}
FILE = "quivive.sqlite"
BATCH = 2000

metadata = sa.MetaData()
_meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_state = sa.Table(
    "state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
assessments = _assessments = sa.Table(
    "assessments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("time", sa.BigInteger, nullable=False, index=True),
    sa.Column("identity", sa.Text, nullable=False, index=True),
    sa.Column("risk_score", sa.Float, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("lesson", sa.LargeBinary),
    sa.Column("kind", sa.Text),
    sa.Column("stratum", sa.Text, nullable=False, server_default=""),
    sa.Column("finding", sa.Boolean, nullable=False, server_default="0"),
)
_dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sample", sa.Text, nullable=False),
)


class StoreError(ConfigurationError):
    """The store cannot be used; the message says which file, why, and what to do."""


class Row(NamedTuple):
    """One assessment as it is kept: the output line with what it is found by.

    lesson: what it taught and the evidence, for verdicts; kind: what it was held as, if it was.
    stratum: kind of identity and product; finding: whether it was told.
    """

    id: str
    time: int
    identity: str
    risk_score: float
    body: bytes
    lesson: bytes | None = None
    kind: str | None = None
    stratum: str = ""
    finding: bool = False


class Store:
    """One state directory."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """Opens ``folder``; makes it when ``create``.

        Raises StoreError for a missing, foreign, damaged or newer store.
        """
        self.path = folder / FILE
        if not create and not self.path.exists():
            raise StoreError(
                f"{folder}: no store here; make one with quivive score --state {folder}"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}; choose a folder you can write") from None
        self._engine = sa.create_engine(f"sqlite:///{self.path}")
        self._loaded: dict[str, bytes | None] = {}
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                self._check(connection)
        except DatabaseError as error:
            self.close()
            raise StoreError(f"{self.path}: {error.orig}; not a store of Quivive's?") from None
        except StoreError:
            self.close()
            raise

    def __enter__(self) -> "Store":
        """The store itself, closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Releases the file."""
        self.close()

    def _check(self, connection: sa.Connection) -> None:
        present = set(sa.inspect(connection).get_table_names())
        if present and "meta" not in present:
            raise StoreError(f"{self.path}: a database of something else; choose another folder")
        version = sa.select(_meta.c.value).where(_meta.c.key == "version")
        found = connection.scalar(version) if present else None
        if found is not None and found.isdecimal() and 0 < int(found) < SCHEMA_VERSION:
            self._upgrade(connection, int(found))
            found = str(SCHEMA_VERSION)
        metadata.create_all(connection)
        if found is None:
            connection.execute(sa.insert(_meta), {"key": "version", "value": str(SCHEMA_VERSION)})
        elif found != str(SCHEMA_VERSION):
            raise StoreError(
                f"{self.path}: store version {found}, this Quivive reads {SCHEMA_VERSION};"
                " use the Quivive that wrote it, or another folder"
            )

    def _upgrade(self, connection: sa.Connection, version: int) -> None:
        """Adds what an older store lacks, all or nothing; what is in it stays as it is."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        for number in range(version + 1, SCHEMA_VERSION + 1):
            for statement in ADDED[number]:
                connection.exec_driver_sql(statement)
        connection.execute(
            sa.update(_meta).where(_meta.c.key == "version").values(value=str(SCHEMA_VERSION))
        )

    def load(self, name: str) -> bytes | None:
        """The state kept under a name, or None."""
        with self._engine.connect() as connection:
            body = connection.scalar(sa.select(_state.c.body).where(_state.c.name == name))
        self._loaded[name] = body
        return body

    def commit(
        self,
        rows: Iterable[Row],
        states: Callable[[], dict[str, bytes]],
        rejects: Iterable[Reject],
    ) -> None:
        """Writes a run's results in one transaction. An assessment already there is replaced.

        ``states`` and ``rejects`` are asked for once the rows are through. Raises StoreError, with
        nothing written, when the store is full or in use, or a state has changed since it was
        loaded.
        """
        try:
            self._loaded |= self._commit(rows, states, rejects)
        except DatabaseError as error:
            raise StoreError(
                f"{self.path}: {error.orig}; nothing was kept, run it again when the store is free"
            ) from None

    def _commit(
        self,
        rows: Iterable[Row],
        states: Callable[[], dict[str, bytes]],
        rejects: Iterable[Reject],
    ) -> dict[str, bytes]:
        with self._engine.begin() as connection:
            for batch in _batches(rows):
                connection.execute(
                    insert(_assessments).prefix_with("OR REPLACE"),
                    [row._asdict() for row in batch],
                )
            written = states()
            for name, body in written.items():
                self.put(connection, name, body)
            letters = [
                {
                    "log": r.log,
                    "line": r.line,
                    "sequence": r.sequence,
                    "reason": r.reason,
                    "sample": r.sample,
                }
                for r in rejects
            ]
            if letters:
                connection.execute(sa.insert(_dead_letters), letters)
        return written

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A connection whose changes are kept all together, or not at all when the block raises.

        Raises StoreError, with nothing written, when the store is full or in use.
        """
        try:
            with self._engine.begin() as connection:
                # At once, so that nothing that is read in it can change before it ends.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        except DatabaseError as error:
            raise StoreError(
                f"{self.path}: {error.orig}; nothing was kept, run it again when the store is free"
            ) from None

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection to read with."""
        return self._engine.connect()

    def put(self, connection: sa.Connection, name: str, body: bytes) -> None:
        """Keeps a state under a name, in a transaction.

        Raises StoreError when it is no longer what this run loaded: another one was faster.
        """
        found = connection.scalar(sa.select(_state.c.body).where(_state.c.name == name))
        if name in self._loaded and found != self._loaded[name]:
            raise StoreError(
                f"{self.path}: another run has written to it meanwhile;"
                " nothing was kept, run it again"
            )
        statement = insert(_state).values(name=name, body=body)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"body": body})
        )
        if name in self._loaded:
            self._loaded[name] = body

    def history(self) -> Iterator[tuple[str, bytes]]:
        """Ids and output lines of all assessments by event time; of equals the first kept first."""
        query = (
            sa.select(_assessments.c.id, _assessments.c.body)
            .order_by(_assessments.c.time, sa.literal_column("rowid"))
            .execution_options(yield_per=BATCH)
        )
        with self._engine.connect() as connection:
            yield from ((row.id, row.body) for row in connection.execute(query))

    def assessment(self, event_id: str) -> bytes | None:
        """The output line kept for an event id, or None."""
        with self._engine.connect() as connection:
            return connection.scalar(
                sa.select(_assessments.c.body).where(_assessments.c.id == event_id)
            )

    def close(self) -> None:
        """Releases the file."""
        self._engine.dispose()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
