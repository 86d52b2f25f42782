"""The store: state, assessments and all that belongs to them, in SQLite or PostgreSQL.

Whatever belongs together is written in one transaction, so that a run that is killed leaves the
store as it was after its last one.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from quivive.store import schema
from quivive.store.batch import Batch, EntryRow, Noted, Outgoing, Row, RunRow, write
from quivive.store.connect import FILE, WRITE, Place
from quivive.store.errors import StoreError, StoreUnavailable
from quivive.store.lock import Lock, acquire
from quivive.store.schema import (
    BATCH,
    SCHEMA_VERSION,
    assessments,
    metadata,
)
from quivive.store.upgrade import make, version
from quivive.store.written import Mark, claimed, new_token

__all__ = [
    "BATCH",
    "FILE",
    "SCHEMA_VERSION",
    "Batch",
    "EntryRow",
    "Noted",
    "Outgoing",
    "Row",
    "RunRow",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "assessments",
    "metadata",
    "new_token",
]


class Store:
    """One organisation's store.

    given: what names it to ``--state``; path: what names it in messages; at: called with the name
    of each point at which a crash must lose nothing, for tests that crash there.
    """

    at: Callable[[str], None] = staticmethod(lambda _: None)

    def __init__(
        self, where: Path | str, *, create: bool = True, lasting: bool = True, folds: bool = True
    ) -> None:
        """Opens the store in a folder or of a postgresql:// URL; makes it when ``create``.
        ``lasting``: what is committed survives a loss of power. ``folds``: commits keep the
        write-ahead log short; otherwise somebody calls ``fold``.

        Raises StoreError for a missing, foreign, damaged or newer store.
        """
        self._place = place = Place(where, lasting, folds)
        self.given, self.folder = place.given, place.folder
        self.path = place.file or place.where
        self._lock: Lock | None = None
        self._holders = 0
        self._what = ""
        self._reader: sa.Connection | None = None
        parameter = "?" if place.folder is not None else "%s"
        self._read = {
            name: f"SELECT body, until, swept FROM {name} WHERE key = {parameter}"  # noqa: S608
            for name in schema.ENTRY_TABLES
        }
        self._read_source = f"SELECT source FROM assessments WHERE id = {parameter}"  # noqa: S608
        self._mark = Mark(place.where, parameter)
        missing = place.file is not None and not place.file.exists()
        if missing and not create:
            raise self._missing()
        if place.folder is not None:
            try:
                place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{place.folder}: {error.strerror}; choose a folder you can write"
                ) from None
        self._engine = place.engine()
        self._driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        try:
            self._open(create)
        except DBAPIError as error:
            self.close()
            if place.folder is None or "unable to open" in str(error.orig):
                raise place.failure(error) from None
            raise StoreError(f"{self.path}: {error.orig}; not a store of Quivive's?") from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Store":
        """The store itself, closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Releases the file."""
        self.close()

    def _missing(self) -> StoreError:
        return StoreError(
            f"{self.given}: no store here; make one with quivive score --state {self.given}"
        )

    def _open(self, create: bool) -> None:
        with self._engine.connect() as connection:
            found = version(connection, self._place)
        if found == SCHEMA_VERSION:
            return
        if not found and not create:
            raise self._missing()
        if self.folder is not None:
            with self._place.plain(self._engine) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self.writing("opening it"), self.transaction() as connection:
            make(connection, self._place)

    # --- writing

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Keeps others from writing during the block; ``what`` tells them who does.

        Raises StoreError when somebody else is writing.
        """
        if self._lock is None:
            self._lock, self._what = acquire(self._place, self._engine, what), what
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and self._lock is not None:
                self._lock.release()
                self._lock = None

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A connection whose changes are kept all together, or not at all when the block raises.

        Raises StoreUnavailable, with nothing written, when the store is full, gone or in use.
        """
        if self._lock is not None and not self._lock.holds():
            self._lock.release()
            self._lock = acquire(self._place, self._engine, self._what)
        try:
            with self._engine.connect().execution_options(**WRITE) as connection:
                claimed(connection)  # nothing of a transaction before
                with connection.begin():
                    yield connection
                moved = claimed(connection)
        except (DBAPIError, self._driver_error) as error:
            raise self._place.failure(error) from None
        self._mark.known = moved or self._mark.known

    def commit(self, batch: Batch, token: str | None = None) -> None:
        """Keeps a batch, all of it or nothing.

        With ``token`` (see ``new_token``) the same batch can be given again after a failure: it is
        not written twice, even if it was only the answer that got lost. Raises StoreUnavailable
        when it can be tried again, StoreError when another run has written meanwhile.
        """
        with self.transaction() as connection:
            if not self._mark.claim(connection, token):
                return
            self._put(connection, batch.states)
            self.at("in-transaction")
            write(connection, batch)
            self.at("before-commit")
        self.at("after-commit")

    def fold(self) -> None:
        """Keeps the write-ahead log short, where there is one.

        Raises StoreUnavailable when that cannot be done now.
        """
        try:
            self._place.fold(self._engine)
        except (DBAPIError, self._driver_error, OSError) as error:
            raise self._place.failure(error) from None

    def put(self, connection: sa.Connection, states: Mapping[str, bytes]) -> None:
        """Keeps states by name, in a transaction.

        Raises StoreError when they are no longer what this run loaded: another one was faster.
        """
        if states:
            self._mark.claim(connection)
            self._put(connection, states)

    def put_entries(
        self, connection: sa.Connection, changed: Mapping[str, tuple[list[EntryRow], list[str]]]
    ) -> None:
        """Keeps what is known of identities, addresses and networks, in a transaction."""
        self._mark.claim(connection)
        write(connection, Batch(changed=changed))

    def _put(self, connection: sa.Connection, states: Mapping[str, bytes]) -> None:
        if states:
            statement = schema.upsert(connection, schema.state, ("name", "body"), replace=True)
            connection.exec_driver_sql(statement, list(states.items()))

    # --- reading

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection to read with."""
        return self._engine.connect()

    def load(self, name: str) -> bytes | None:
        """The state kept under a name, or None."""
        return self.load_all((name,)).get(name)

    def load_all(self, names: tuple[str, ...]) -> dict[str, bytes]:
        """The states kept under some names. What is put later is refused if another run has
        written between.
        """
        query = sa.select(schema.state).where(schema.state.c.name.in_(names))
        with self._engine.connect() as connection:
            mark = self._mark.read(connection)
            found = {name: bytes(body) for name, body in connection.execute(query)}
        if self._mark.known is None:
            self._mark.known = mark
        return found

    def forget_loaded(self) -> None:
        """What was loaded before is loaded anew: what others have written since is no conflict."""
        self._mark.known = None

    def read(self, table: str, key: str) -> EntryRow | None:
        """What is known of one name, as it was committed last.

        Raises StoreUnavailable when the store cannot be read now.
        """
        try:
            if self._reader is None:
                self._reader = self._place.plain(self._engine)
            # The driver's own cursor: this is asked once a login that brings something new.
            driver: Any = self._reader.connection.dbapi_connection
            row = driver.execute(self._read[table], (key,)).fetchone()
        except (DBAPIError, self._driver_error) as error:
            self._drop_reader()
            raise self._place.failure(error) from None
        return None if row is None else EntryRow(key, *row)

    def source_of(self, event_id: str) -> str | None:
        """Of which source the login is that is kept under an id; None when there is none, or when
        that is not known.

        Raises StoreUnavailable when the store cannot be read now.
        """
        try:
            if self._reader is None:
                self._reader = self._place.plain(self._engine)
            driver: Any = self._reader.connection.dbapi_connection
            row = driver.execute(self._read_source, (event_id,)).fetchone()
        except (DBAPIError, self._driver_error) as error:
            self._drop_reader()
            raise self._place.failure(error) from None
        return None if row is None else row[0] or None

    def sources(self) -> set[str]:
        """Every source that a login came from."""
        with self._engine.connect() as connection:
            return set(connection.scalars(sa.select(schema.sources.c.source)))

    def scan(self, table: str) -> Iterator[EntryRow]:
        """All that is known, by name, as it was committed last."""
        found = schema.entries[table]
        query = sa.select(found).order_by(found.c.key).execution_options(yield_per=BATCH)
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                yield EntryRow(row.key, bytes(row.body), row.until, row.swept)

    def seen(self) -> tuple[list[tuple[int, bytes]], int]:
        """Digests of ids in order, (number of the first, digests), and the oldest remembered."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(schema.seen).order_by(schema.seen.c.number)).all()
        return [(r.number, bytes(r.digests)) for r in rows], rows[-1].oldest if rows else 0

    def journal(self) -> Iterator[Noted]:
        """The events judged since the state was kept last, in order."""
        query = sa.select(schema.journal).order_by(schema.journal.c.position)
        with self._engine.connect() as connection:
            for row in connection.execute(query.execution_options(yield_per=BATCH)):
                yield Noted(row.position, row.log, bytes(row.body))

    def journaled(self) -> int:
        """The position of the newest event in the journal; 0 for an empty one."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(schema.journal.c.position))) or 0

    def newest_line(self, run: int) -> int:
        """The position of the last line of a run; those of a server belong to run 0."""
        query = sa.select(sa.func.max(assessments.c.position)).where(assessments.c.run == run)
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def history(self, since: int | None = None) -> Iterator[tuple[str, bytes]]:
        """Ids and output lines of all assessments by event time, or of those since then (ms UTC);
        of equals the first kept first.
        """
        table = assessments
        query = (
            sa.select(table.c.id, table.c.body)
            .where(table.c.time >= since if since is not None else sa.true())
            .order_by(table.c.time, table.c.run, table.c.position)
            .execution_options(yield_per=BATCH)
        )
        with self._engine.connect() as connection:
            yield from ((row.id, bytes(row.body)) for row in connection.execute(query))

    def assessment(self, event_id: str) -> bytes | None:
        """The output line kept under an id, or None; for what people call it see ``named.py``."""
        with self._engine.connect() as connection:
            body = connection.scalar(
                sa.select(assessments.c.body).where(assessments.c.id == event_id)
            )
        return None if body is None else bytes(body)

    def close(self) -> None:
        """Releases the file, or the connections."""
        self._drop_reader()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if hasattr(self, "_engine"):
            self._engine.dispose()

    def _drop_reader(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            try:
                reader.close()
            except DBAPIError:
                reader.invalidate()
