"""Whether another run has written since this one loaded: then what this one knows is out of date.

Whatever changes states or entries moves a mark in the store, in the same transaction, and only
from where this run knows it to be.
"""

import secrets

import sqlalchemy as sa

from quivive.store import schema
from quivive.store.errors import StoreError

WRITTEN = "written"  # the mark's name in the table meta
CLAIMED = "quivive_claimed"  # what it will be after the transaction of a connection


class Mark:
    """The mark as this run knows it; None before anything was loaded or written."""

    def __init__(self, where: str, parameter: str) -> None:
        """where: what names the store in messages; parameter: a value's place in its SQL."""
        self._where = where
        self._move = (
            f"UPDATE meta SET value = {parameter} WHERE key = '{WRITTEN}' AND value = {parameter}"  # noqa: S608
        )
        self.known: str | None = None

    def read(self, connection: sa.Connection) -> str:
        """Where it is now; "" in a new store."""
        query = sa.select(schema.meta.c.value).where(schema.meta.c.key == WRITTEN)
        return connection.scalar(query) or ""

    def claim(self, connection: sa.Connection, token: str | None = None) -> bool:
        """Moves it to ``token``, or to where this transaction has moved it already. False when
        ``token`` was there before.

        Raises StoreError when it is not where this run knows it to be.
        """
        token = token or connection.info.get(CLAIMED) or new_token()
        connection.info[CLAIMED] = token
        cursor = schema.cursor(connection)
        if self.known and self.known != token:
            moved = cursor.execute(self._move, (token, self.known)).rowcount
            if moved == 1:
                return True
        query = f"SELECT value FROM meta WHERE key = '{WRITTEN}'"  # noqa: S608
        if connection.dialect.name == "postgresql":
            query += " FOR UPDATE"
        row = cursor.execute(query).fetchone()
        found = None if row is None else row[0]
        if found == token:
            return False
        if self.known is not None and (found or "") != self.known:
            raise StoreError(
                f"{self._where}: another run has written to it meanwhile;"
                " nothing was kept, run it again"
            )
        statement = schema.upsert(connection, schema.meta, ("key", "value"), replace=True)
        cursor.execute(statement, (WRITTEN, token))
        return True


def claimed(connection: sa.Connection) -> str | None:
    """Where the transaction of a connection has moved the mark, if it has; forgotten by this."""
    found: str | None = connection.info.pop(CLAIMED, None)
    return found


def new_token() -> str:
    """What marks one commit."""
    return secrets.token_hex(8)
