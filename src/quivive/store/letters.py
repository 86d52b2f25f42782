"""Records that could not be read, as they are shown: by log and reason, with a sample."""

from typing import NamedTuple

import sqlalchemy as sa

from quivive.store.database import Store
from quivive.store.schema import dead_letters


class Letters(NamedTuple):
    """Rejects of one log for one reason: how many, and the newest of them."""

    log: str
    reason: str
    times: int
    line: int
    sample: str


def letters(store: Store, limit: int) -> list[Letters]:
    """Rejects by log and reason, most of them first."""
    table = dead_letters.c
    newest = sa.func.max(table.id).label("newest")
    query = (
        sa.select(table.log, table.reason, sa.func.count().label("times"), newest)
        .group_by(table.log, table.reason)
        .order_by(sa.func.count().desc(), table.log, table.reason)
        .limit(limit)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
        some = sa.select(table.id, table.line, table.sample)
        some = some.where(table.id.in_([row.newest for row in rows]))
        samples = {row.id: row for row in connection.execute(some)}
    return [
        Letters(r.log, r.reason, r[2], samples[r.newest].line, samples[r.newest].sample)
        for r in rows
    ]
