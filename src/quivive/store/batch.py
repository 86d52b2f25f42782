"""What one transaction keeps: everything that a group of logins came to, or nothing of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from quivive.model.record import Reject
from quivive.store import schema
from quivive.store.schema import upsert

Writes = Callable[[sa.Connection], None]  # in the transaction of the connection


class Row(NamedTuple):
    """One assessment as it is kept: the output line with what it is found by.

    lesson: what it taught and the evidence, for verdicts; kind: what it was held as, if it was.
    stratum: kind of identity and product; finding: whether it was told. run, position: its place
    among the lines of its run. source: product and log; plain: the vendor's id, where another login
    is kept under that (model/naming.py).
    """

    id: str
    time: int
    identity: str
    risk_score: float
    body: bytes
    lesson: bytes | None = None
    kind: str | None = None
    stratum: str = ""
    finding: bool = False
    run: int = 0
    position: int = 0
    source: str = ""
    plain: str | None = None


class Outgoing(NamedTuple):
    """Something to be done outside, once: key is what makes it one. Times in ms UTC.

    kind: "response" or "notification"; state: "due" until the worker says otherwise.
    """

    key: str
    kind: str
    created: int
    due: int
    body: bytes
    attempts: int = 0
    state: str = "due"
    error: str = ""


class EntryRow(NamedTuple):
    """What is known of one name, as it is kept; see ``engine/resident.py``."""

    key: str
    body: bytes
    until: int | None
    swept: int


class RunRow(NamedTuple):
    """How far a run is.

    consumed: merged events that were read; chain: a checksum of which; lines: those judged;
    written: bytes in the output file; checksum: of those bytes.
    """

    id: int
    digest: str
    arguments: str
    status: str
    consumed: int
    chain: int
    lines: int
    written: int
    checksum: int


class Noted(NamedTuple):
    """An event as it came, to be judged again after a crash; position counts from 1."""

    position: int
    log: str
    body: bytes


class Batch(Struct):
    """One transaction's content. ``also`` are asked to write with the same connection.

    changed: rows and dropped keys of each entry table; swept: forget what was idle at that time;
    seen: (number, digests, oldest); settled: the journal is part of the state now.
    """

    rows: Sequence[Row] = ()
    rejects: Sequence[Reject] = ()
    states: Mapping[str, bytes] = {}
    changed: Mapping[str, tuple[Sequence[EntryRow], Sequence[str]]] = {}
    swept: int = 0
    seen: tuple[int, bytes, int] | None = None
    journal: Sequence[Noted] = ()
    settled: bool = False
    outbox: Sequence[Outgoing] = ()
    run: RunRow | None = None
    also: Sequence[Writes] = ()


def write(connection: sa.Connection, batch: Batch) -> None:
    """Writes all but the states, in the transaction of ``connection``."""

    def insert(
        table: sa.Table, fields: tuple[str, ...], rows: Sequence[tuple[object, ...]], replace: bool
    ) -> None:
        if rows:
            statement = upsert(connection, table, fields, replace=replace)
            schema.cursor(connection).executemany(statement, rows)

    insert(schema.assessments, Row._fields, batch.rows, True)
    sources = sorted({row.source for row in batch.rows if row.source})
    insert(schema.sources, ("source",), [(source,) for source in sources], False)
    for name, (rows, dropped) in batch.changed.items():
        table = schema.entries[name]
        for start in range(0, len(dropped), schema.BATCH // 4):
            some = table.c.key.in_(dropped[start : start + schema.BATCH // 4])
            connection.execute(sa.delete(table).where(some))
        insert(table, EntryRow._fields, rows, True)
        if batch.swept:
            idle = (table.c.until <= batch.swept) & (table.c.swept < batch.swept)
            connection.execute(sa.delete(table).where(idle))
    if batch.seen is not None:
        insert(schema.seen, ("number", "digests", "oldest"), [batch.seen], True)
        _forget_seen(connection, batch.seen[2])
    insert(schema.journal, Noted._fields, batch.journal, False)
    if batch.settled:
        connection.execute(sa.delete(schema.journal))
    insert(schema.outbox, Outgoing._fields, batch.outbox, False)
    if batch.run is not None:
        insert(schema.runs, RunRow._fields, [batch.run], True)
    if batch.rejects:
        newest = sa.select(sa.func.max(schema.assessments.c.time))  # this batch's are in it
        at = connection.scalar(newest) or 0
        letters = [
            {name: getattr(r, name) for name in ("log", "line", "sequence", "reason", "sample")}
            | {"at": at}
            for r in batch.rejects
        ]
        connection.execute(sa.insert(schema.dead_letters), letters)
    for writes in batch.also:
        writes(connection)


def _forget_seen(connection: sa.Connection, oldest: int) -> None:
    """Drops the chunks all of whose digests are forgotten: before the one that holds ``oldest``."""
    table = schema.seen
    holding = sa.select(sa.func.max(table.c.number)).where(table.c.number <= oldest)
    connection.execute(sa.delete(table).where(table.c.number < holding.scalar_subquery()))
