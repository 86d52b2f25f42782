"""A copy of a store in a folder: as of one instant, whoever writes meanwhile."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from quivive.store.database import Store
from quivive.store.errors import StoreError, StoreUnavailable


def copy(store: Store, target: Path) -> None:
    """Copies a store's SQLite file to ``target``, by SQLite's online backup.

    Raises StoreUnavailable when it cannot be written, StoreError for a damaged one.
    """
    made = sqlite3.connect(target)
    try:
        with store.reading() as connection:
            source: Any = connection.connection.dbapi_connection
            source.backup(made, pages=-1)  # in one step, or every commit would begin it anew
        (said,) = made.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{target}: {error}; no backup was made: make room there") from None
    finally:
        made.close()
    if said != "ok":
        raise StoreError(
            f"{store.path}: damaged ({said}); no backup was made: restore an older one,"
            " see docs/runbooks/store.md"
        )


def schema_of(store: Store) -> str:
    """The schema that a store in PostgreSQL has its tables in."""
    with store.reading() as connection:
        return str(connection.scalar(sa.text("SELECT current_schema()")))
