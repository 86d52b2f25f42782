"""One writer at a time: a lock that ends with its process, however that ends."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from quivive.store.connect import Place
from quivive.store.errors import StoreError, StoreUnavailable

KEY = 0x51554956  # "QUIV"; the second key is the schema, so that stores can share a database


_TRY = (
    "SELECT pg_try_advisory_lock(%s, hashtext(current_schema())), (SELECT max(pid) FROM pg_locks"
    " WHERE locktype = 'advisory' AND classid::bigint = %s)"
)
_UNLOCK = "SELECT pg_advisory_unlock(%s, hashtext(current_schema()))"


class Lock(Protocol):
    """Held by the one who writes."""

    def holds(self) -> bool:
        """Whether it is still held: a server's ends with its session."""

    def release(self) -> None:
        """Gives it back."""


def acquire(place: Place, engine: sa.Engine, what: str) -> Lock:
    """The right to write. ``what`` tells others who has it.

    Raises StoreError when somebody else has it.
    """
    if place.folder is not None:
        return _FileLock(place, what)
    return _Advisory(place, engine)


class _FileLock:
    def __init__(self, place: Place, what: str) -> None:
        assert place.folder is not None
        path = place.folder / "lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"{path}: {error.strerror}; make --state writable for this account, or name"
                " another one"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise _taken(place, _holder(path)) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{what}, process {os.getpid()}\n".encode(), 0)

    def holds(self) -> bool:
        return True

    def release(self) -> None:
        os.close(self._file)


def _holder(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()[:200] or "another process"
    except OSError:
        return "another process"


class _Advisory:
    """PostgreSQL's session lock, on a connection of its own: it ends with that."""

    def __init__(self, place: Place, engine: sa.Engine) -> None:
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        try:
            pooled = engine.raw_connection()
            pooled.detach()
            self._session = cast(Any, pooled.dbapi_connection)
            self._session.autocommit = True
            got, holder = self._session.execute(_TRY, (KEY, KEY)).fetchone()
        except (DBAPIError, self._error) as error:
            raise place.failure(error) from None
        if not got:
            self._session.close()
            raise _taken(place, f"session {holder} of the server")

    def holds(self) -> bool:
        try:
            self._session.execute("SELECT 1")
        except self._error:
            return False
        return True

    def release(self) -> None:
        with suppress(self._error):  # or the session is gone, and with it the lock
            self._session.execute(_UNLOCK, (KEY,))
        self._session.close()


def _taken(place: Place, holder: str) -> StoreError:
    return StoreError(
        f"{place.where}: in use by another writer ({holder}); wait until it is done, or give each"
        " its own --state: reading (explain, drift, verdict list) is always possible"
    )
