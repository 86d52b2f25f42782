"""How the store's databases are reached: SQLite in a folder, or PostgreSQL by URL."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from quivive.store.errors import StoreError, StoreUnavailable

FILE = "quivive.sqlite"
BUSY_SECONDS = 10
PAGE = 16_384  # bytes
LOG_KEPT = 64 << 20  # bytes of the write-ahead log before a commit writes it back
LOG_FOLDED = 48 << 20  # the same where that is not left to commits
# Execution options of connections: one that will write, and one without transactions.
WRITE = {"quivive_write": True}
PLAIN = {"quivive_plain": True}


class Place:
    """Where a store is: ``given`` as the user names it, ``where`` as messages do."""

    def __init__(self, given: Path | str, lasting: bool = True, folds: bool = True) -> None:
        """A folder, or a postgresql:// URL. Raises StoreError for another kind of URL.

        ``lasting``: what is committed survives a loss of power. ``folds``: a commit after which
        the write-ahead log is long writes it back; otherwise that is for ``fold``.
        """
        self.lasting = lasting
        self.folds = folds
        text = str(given)
        if not str(given).strip() or given == Path():
            raise StoreError("--state: no folder is named; name one for Quivive alone")
        self.folder: Path | None = None
        self.file: Path | None = None
        if isinstance(given, str) and "://" in text:
            self.url = _postgres(text)
            shown = self.url.set(drivername="postgresql").render_as_string(hide_password=True)
            self.given = self.where = shown.replace("%2F", "/")
        else:
            self.folder = Path(given)
            self.file = self.folder / FILE
            self.url = URL.create("sqlite", database=str(self.file))
            self.given, self.where = str(given), str(self.file)

    def engine(self) -> sa.Engine:
        """A pool of connections. Nothing is opened yet."""
        if self.folder is None:
            return sa.create_engine(
                self.url, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_SECONDS}
            )
        url = self.url
        if self._is_still():  # SQLite would want to make its own files beside it
            name = f"file:{quote(str(self.file))}?mode=ro&immutable=1"
            url = URL.create("sqlite", database=name, query={"uri": "true"})
        made = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(made, "connect", self._prepare)
        sa.event.listen(made, "begin", _begin)
        return made

    def _is_still(self) -> bool:
        """Whether nothing can change the file: it lies on a medium that is mounted read-only, as a
        backup may, and all of it is in the file itself.
        """
        assert self.file is not None
        assert self.folder is not None
        try:
            if not os.statvfs(self.folder).f_flag & os.ST_RDONLY or not self.file.exists():
                return False
            log = self.file.with_name(f"{FILE}-wal")
            return not log.exists() or log.stat().st_size == 0
        except OSError:
            return False

    def plain(self, engine: sa.Engine) -> sa.Connection:
        """A connection each of whose statements stands alone."""
        if self.folder is None:
            return engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return engine.connect().execution_options(**PLAIN)

    def fold(self, engine: sa.Engine) -> None:
        """Writes the write-ahead log back beside whoever writes; where it has become long, writers
        wait for the rest, and it begins anew.
        """
        if self.folder is None:
            return
        with self.plain(engine) as connection:
            pages = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()[1]
            if pages * PAGE > LOG_FOLDED:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)")

    def _prepare(self, connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin and end where SQLAlchemy says
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if not self.lasting:
            connection.execute("PRAGMA synchronous = OFF")
        if not self.folds:
            connection.execute("PRAGMA wal_autocheckpoint = 0")

    def failure(self, error: Exception) -> StoreError:
        """What a database's error means to the user, and what to do."""
        cause = (error.orig if isinstance(error, DBAPIError) else None) or error
        said = " ".join(str(cause).split())
        for pattern, what in _CAUSES.items():
            if re.search(pattern, said, re.IGNORECASE):
                return StoreUnavailable(f"{self.where}: {said}; {what}")
        kinds = {kind.__name__ for kind in type(cause).__mro__}
        if self.folder is None and kinds & {"OperationalError", "InterfaceError"}:
            return StoreUnavailable(
                f"{self.where}: {said}; see that the server runs and that --state names it, then"
                " run it again: it goes on after what was kept"
            )
        return StoreError(
            f"{self.where}: {said}; nothing of this was kept: repair the store or restore a backup"
        )


# Large pages and a long write-ahead log: a login is some 4 KB, and system calls cost most.
_PRAGMAS = (
    f"page_size = {PAGE}",  # of a new file only
    f"wal_autocheckpoint = {LOG_KEPT // PAGE}",
    "foreign_keys = ON",
    "synchronous = FULL",
    "cache_size = -32000",
)
_CAUSES = {
    r"disk is full|no space left|could not extend file|disk I/O error": (
        "nothing of this was kept: make room where --state is, then run it again: it goes on after"
        " what was kept before"
    ),
    r"readonly database|read-only|unable to open database file|permission denied": (
        "nothing of this was kept: make --state writable for this account, or name another one"
    ),
    r"database is locked|could not serialize|deadlock": (
        "nothing was kept, run it again when the store is free"
    ),
}


def _postgres(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        scheme = text.partition("://")[0]
        raise StoreError(
            f"--state {scheme}://…: no URL that can be read; write"
            " postgresql://user@host:port/database"
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise StoreError(
            f"--state {url.drivername}://…: a store is a folder or postgresql://user@host/database"
        )
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise StoreError(
            "--state postgresql://…: needs psycopg: install quivive[postgres]"
        ) from None
    return url.set(drivername="postgresql+psycopg")


def _begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("quivive_plain"):
        # At once where something is written, so that what is read cannot change before it ends.
        write = options.get("quivive_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
