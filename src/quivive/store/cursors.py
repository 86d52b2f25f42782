"""How far vendors' logs were fetched: one cursor a consumer, connection and stream, in ``meta``."""

import sqlalchemy as sa

from quivive.store import schema
from quivive.store.database import Store

PREFIX = "fetched:"


def load(store: Store, name: str) -> str | None:
    """The cursor kept under a name, or None."""
    query = sa.select(schema.meta.c.value).where(schema.meta.c.key == PREFIX + name)
    with store.reading() as connection:
        return connection.scalar(query)


def write(connection: sa.Connection, name: str, cursor: str) -> None:
    """Keeps a cursor, in the transaction of ``connection``."""
    statement = schema.upsert(connection, schema.meta, ("key", "value"), replace=True)
    schema.cursor(connection).execute(statement, (PREFIX + name, cursor))


def beginning(store: Store, prefix: str) -> dict[str, str]:
    """All cursors whose names begin so."""
    key = schema.meta.c.key
    begin = PREFIX + prefix
    query = sa.select(key, schema.meta.c.value).where(key.startswith(begin, autoescape=True))
    with store.reading() as connection:
        return {name.removeprefix(PREFIX): value for name, value in connection.execute(query)}
