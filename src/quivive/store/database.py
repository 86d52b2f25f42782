"""The embedded store: state, assessments and dead letters of one organisation in one SQLite file.

A run commits once, at its end, in one transaction: a run that is cut short leaves the store as it
was.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from quivive.model.errors import ConfigurationError
from quivive.model.record import Reject

SCHEMA_VERSION = 1
FILE = "quivive.sqlite"
BATCH = 2000

_tables = sa.MetaData()
_meta = sa.Table(
    "meta",
    _tables,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_state = sa.Table(
    "state",
    _tables,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
_assessments = sa.Table(
    "assessments",
    _tables,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("time", sa.BigInteger, nullable=False, index=True),
    sa.Column("identity", sa.Text, nullable=False, index=True),
    sa.Column("risk_score", sa.Float, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
_dead_letters = sa.Table(
    "dead_letters",
    _tables,
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
    """One assessment as it is kept: the output line with what it is found by."""

    id: str
    time: int
    identity: str
    risk_score: float
    body: bytes


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
        _tables.create_all(connection)
        found = connection.scalar(sa.select(_meta.c.value).where(_meta.c.key == "version"))
        if found is None:
            connection.execute(sa.insert(_meta), {"key": "version", "value": str(SCHEMA_VERSION)})
        elif found != str(SCHEMA_VERSION):
            raise StoreError(
                f"{self.path}: store version {found}, this Quivive reads {SCHEMA_VERSION};"
                " use the Quivive that wrote it, or another folder"
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
