"""Forgetting what is older than it may be kept."""

import sqlalchemy as sa

from quivive.store.database import Store
from quivive.store.schema import assessments, dead_letters

FEW = 500  # rows a transaction, so that a server at work waits for none of them long


def prune_assessments(store: Store, before: int) -> int:
    """Deletes the logins before a time (ms UTC): lines, events and lessons. Returns how many.

    A few a transaction, oldest first: whatever ends it in between, the next time goes on.
    """
    gone = 0
    while True:
        some = (
            sa.select(assessments.c.id)
            .where(assessments.c.time < before)
            .order_by(assessments.c.time)
            .limit(FEW)
        )
        with store.transaction() as connection:
            ids = list(connection.scalars(some))
            connection.execute(sa.delete(assessments).where(assessments.c.id.in_(ids)))
        gone += len(ids)
        if len(ids) < FEW:
            return gone


def prune_dead_letters(store: Store, before: int) -> int:
    """Deletes the records that were rejected before a time (ms UTC); returns how many."""
    with store.transaction() as connection:
        return connection.execute(
            sa.delete(dead_letters).where(dead_letters.c.at < before)
        ).rowcount
