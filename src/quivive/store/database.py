"""The store: state, assessments and all that belongs to them, in SQLite or PostgreSQL.

Whatever belongs together is written in one transaction, so that a run that is killed leaves the
store as it was after its last one.
"""

import importlib
import pkgutil
import secrets
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
from quivive.store.upgrade import stamp, upgrade

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
]

WRITTEN = "written"  # whose value changes whenever states or entries are written
CLAIMED = "quivive_claimed"  # what it will be after the transaction of a connection


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
        self._token: str | None = None  # of the last write that this run knows of
        self._reader: sa.Connection | None = None
        mark = "?" if place.folder is not None else "%s"
        self._read = {
            name: f"SELECT body, until, swept FROM {name} WHERE key = {mark}"  # noqa: S608
            for name in schema.ENTRY_TABLES
        }
        self._move = f"UPDATE meta SET value = {mark} WHERE key = '{WRITTEN}' AND value = {mark}"  # noqa: S608
        missing = place.file is not None and not place.file.exists()
        if missing and not create:
            raise self._missing()
        if place.folder is not None:
            try:
                place.folder.mkdir(parents=True, exist_ok=True)
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
            present = set(sa.inspect(connection).get_table_names())
            found = self._version(connection, present)
        if found == SCHEMA_VERSION:
            return
        if not present and not create:
            raise self._missing()
        if self.folder is not None:
            with self._place.plain(self._engine) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self.writing("opening it"), self.transaction() as connection:
            present = set(sa.inspect(connection).get_table_names())
            found = self._version(connection, present)
            if 0 < found < SCHEMA_VERSION:
                upgrade(connection, found, str(self.path))
            elif not found:
                _know_all_tables()
                metadata.create_all(connection)
                stamp(connection)

    def _version(self, connection: sa.Connection, present: set[str]) -> int:
        """The version of the tables that are there; 0 for none.

        Raises StoreError for another program's tables, and for a newer version.
        """
        if not present:
            return 0
        if not present.issuperset({"meta", "assessments"}):
            if self.folder is None:
                raise StoreError(
                    f"{self.path}: tables of something else; choose another database or schema"
                )
            raise StoreError(f"{self.path}: a database of something else; choose another folder")
        query = sa.select(schema.meta.c.value).where(schema.meta.c.key == "version")
        found = connection.scalar(query)
        if found is None or not found.isdecimal() or not 0 < int(found) <= SCHEMA_VERSION:
            raise StoreError(
                f"{self.path}: store version {found}, this Quivive reads {SCHEMA_VERSION};"
                " use the Quivive that wrote it, or another folder"
            )
        return int(found)

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
                connection.info.pop(CLAIMED, None)
                with connection.begin():
                    yield connection
                claimed = connection.info.pop(CLAIMED, None)
        except (DBAPIError, self._driver_error) as error:
            raise self._place.failure(error) from None
        self._token = claimed or self._token

    def commit(self, batch: Batch, token: str | None = None) -> None:
        """Keeps a batch, all of it or nothing.

        With ``token`` (see ``new_token``) the same batch can be given again after a failure: it is
        not written twice, even if it was only the answer that got lost. Raises StoreUnavailable
        when it can be tried again, StoreError when another run has written meanwhile.
        """
        token = token or new_token()
        with self.transaction() as connection:
            if not self._claim(connection, token):
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
            self._claim(connection, connection.info.get(CLAIMED) or new_token())
            self._put(connection, states)

    def put_entries(
        self, connection: sa.Connection, changed: Mapping[str, tuple[list[EntryRow], list[str]]]
    ) -> None:
        """Keeps what is known of identities, addresses and networks, in a transaction."""
        self._claim(connection, connection.info.get(CLAIMED) or new_token())
        write(connection, Batch(changed=changed))

    def _claim(self, connection: sa.Connection, token: str) -> bool:
        """Notes that ``token`` writes. False when it has done so before."""
        connection.info[CLAIMED] = token
        cursor = schema.cursor(connection)
        if self._token and self._token != token:
            moved = cursor.execute(self._move, (token, self._token)).rowcount
            if moved == 1:
                return True
        query = f"SELECT value FROM meta WHERE key = '{WRITTEN}'"  # noqa: S608
        if connection.dialect.name == "postgresql":
            query += " FOR UPDATE"
        row = cursor.execute(query).fetchone()
        found = None if row is None else row[0]
        if found == token:
            return False
        if self._token is not None and (found or "") != self._token:
            raise StoreError(
                f"{self.path}: another run has written to it meanwhile;"
                " nothing was kept, run it again"
            )
        statement = schema.upsert(connection, schema.meta, ("key", "value"), replace=True)
        cursor.execute(statement, (WRITTEN, token))
        return True

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
        written = sa.select(schema.meta.c.value).where(schema.meta.c.key == WRITTEN)
        query = sa.select(schema.state).where(schema.state.c.name.in_(names))
        with self._engine.connect() as connection:
            token = connection.scalar(written) or ""
            found = {name: bytes(body) for name, body in connection.execute(query)}
        if self._token is None:
            self._token = token
        return found

    def forget_loaded(self) -> None:
        """What was loaded before is loaded anew: what others have written since is no conflict."""
        self._token = None

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
        """The output line kept for an event id, or None."""
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


def _know_all_tables() -> None:
    """Imports every module that has tables, so that a store is made with all of them."""
    for found in pkgutil.iter_modules([str(Path(__file__).parent)], "quivive.store."):
        if not found.ispkg:
            importlib.import_module(found.name)


def new_token() -> str:
    """What marks one commit."""
    return secrets.token_hex(8)
