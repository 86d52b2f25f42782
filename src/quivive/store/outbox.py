"""The outbox: what is to be done outside, once each, put there in the transaction that decided it.

A worker claims rows that are due and says what came of them. A claim moves a row's ``due`` ahead by
a lease, so that a worker which dies gives it back by itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from quivive.model.audit import Entry
from quivive.model.notification import Notification
from quivive.store.audit import append
from quivive.store.batch import Outgoing
from quivive.store.database import Store
from quivive.store.schema import outbox, upsert


class Row(NamedTuple):
    """One row. ``attempts`` counts the one that it was claimed for."""

    key: str
    created: int
    attempts: int
    body: bytes
    state: str = "due"


def add(connection: sa.Connection, rows: Sequence[Outgoing]) -> None:
    """Puts rows in, in the transaction of ``connection``; one that is there stays as it is."""
    if rows:
        statement = upsert(connection, outbox, Outgoing._fields, replace=False)
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])


class StoredOutbox:
    """The rows of a kind in a store. Times in ms UTC."""

    def __init__(self, store: Store, kind: str = "response") -> None:
        """Of ``store``; kind: "response" or "notification"."""
        self._store = store
        self._kind = kind

    def put(self, rows: Sequence[Outgoing]) -> None:
        """Adds rows; one whose key is there already is left as it is."""
        with self._store.transaction() as connection:
            add(connection, rows)

    def claim(self, now: int, limit: int, lease: int) -> list[Row]:
        """Rows that are due, oldest first; nobody else gets them for ``lease`` ms."""
        mine = (outbox.c.kind == self._kind) & (outbox.c.state == "due") & (outbox.c.due <= now)
        query = sa.select(outbox).where(mine).order_by(outbox.c.due, outbox.c.key).limit(limit)
        with self._store.reading() as connection:  # mostly there is nothing: write nothing then
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._store.transaction() as connection:
            if connection.dialect.name == "postgresql":
                query = query.with_for_update(skip_locked=True)
            found = connection.execute(query).all()
            if found:
                connection.execute(
                    sa.update(outbox)
                    .where(outbox.c.key.in_([row.key for row in found]))
                    .values(due=now + lease, attempts=outbox.c.attempts + 1)
                )
        return [Row(r.key, r.created, r.attempts + 1, bytes(r.body), r.state) for r in found]

    def finish(
        self,
        key: str,
        state: str,
        body: bytes,
        error: str,
        notifications: list[Notification],
        entries: list[Entry],
        now: int,
    ) -> None:
        """Ends a row, with what is told and recorded of it, in one transaction."""
        self._settle(
            key, {"state": state, "body": body, "error": error}, notifications, entries, now
        )

    def again(
        self,
        key: str,
        due: int,
        body: bytes,
        error: str,
        notifications: list[Notification],
        entries: list[Entry],
        now: int,
    ) -> None:
        """Puts a row back until ``due``."""
        self._settle(key, {"due": due, "body": body, "error": error}, notifications, entries, now)

    def _settle(
        self,
        key: str,
        values: dict[str, object],
        notifications: list[Notification],
        entries: list[Entry],
        now: int,
    ) -> None:
        told = [
            Outgoing(n.key, "notification", now, now, msgspec.json.encode(n)) for n in notifications
        ]
        with self._store.transaction() as connection:
            connection.execute(sa.update(outbox).where(outbox.c.key == key).values(**values))
            add(connection, told)
            if entries:
                append(connection, entries)

    def find(self, key: str) -> Row | None:
        """One row of the kind, whatever its state; a key's beginning will do if it is the only."""
        mine = (outbox.c.kind == self._kind) & outbox.c.key.startswith(key, autoescape=True)
        with self._store.reading() as connection:
            found = connection.execute(sa.select(outbox).where(mine).limit(2)).all()
        if len(found) != 1 or not key:
            return None
        r = found[0]
        return Row(r.key, r.created, r.attempts, bytes(r.body), r.state)

    def rows(self, state: str | None = None, limit: int = 100) -> list[tuple[Row, int, str]]:
        """The newest rows with when they are due and the last error."""
        query = sa.select(outbox).where(outbox.c.kind == self._kind)
        if state is not None:
            query = query.where(outbox.c.state == state)
        query = query.order_by(outbox.c.created.desc(), outbox.c.key).limit(limit)
        with self._store.reading() as connection:
            return [
                (Row(r.key, r.created, r.attempts, bytes(r.body), r.state), r.due, r.error)
                for r in connection.execute(query)
            ]

    def revive(self, now: int) -> int:
        """Everything that was given up is due again; returns how many rows that is."""
        mine = (outbox.c.kind == self._kind) & (outbox.c.state == "dead")
        with self._store.transaction() as connection:
            statement = sa.update(outbox).where(mine).values(state="due", due=now)
            return connection.execute(statement).rowcount

    def counts(self) -> dict[str, int]:
        """How many rows there are of each state."""
        query = (
            sa.select(outbox.c.state, sa.func.count())
            .where(outbox.c.kind == self._kind)
            .group_by(outbox.c.state)
        )
        with self._store.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}
