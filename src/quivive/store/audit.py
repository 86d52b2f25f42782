"""The audit trail's table: append-only, each record bound to the one before.

``append`` runs inside the transaction of what it records, so that there is no change without its
record and no record without its change. Triggers refuse UPDATE, DELETE and TRUNCATE; whoever gets
round them breaks the chain, which ``quivive audit verify`` tells.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.audit import GENESIS, Checkpoint, Entry, Record, bind
from quivive.store.database import BATCH, Store, metadata
from quivive.store.schema import append_only

LOCK = 0x51554156  # "QUAV", PostgreSQL's advisory lock of whoever appends
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("previous", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)
checkpoints = sa.Table(
    "audit_checkpoints",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)


for _table in (audit, checkpoints):
    append_only(_table)

_compiled: dict[str, str] = {}


def append(connection: sa.Connection, entries: Sequence[Entry]) -> int:
    """Records entries in the transaction of ``connection``; returns the newest number.

    Costs a few microseconds an entry in a batch, and one look at the newest record.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    last, previous = newest(connection)
    records = bind(entries, last, previous)
    if records:
        rows = [
            (r.seq, r.time, r.actor, r.action, r.subject, r.details, r.previous, r.digest)
            for r in records
        ]
        connection.exec_driver_sql(_insert(connection), rows)
    return last + len(records)


def now() -> int:
    """The wall clock, ms UTC: when people's acts are recorded."""
    return time.time_ns() // 1_000_000


def newest(connection: sa.Connection) -> tuple[int, bytes]:
    """Number and digest of the newest record; 0 and the genesis digest for an empty trail."""
    query = sa.select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)
    found = connection.execute(query).first()
    return (0, GENESIS) if found is None else (found.seq, bytes(found.digest))


def _insert(connection: sa.Connection) -> str:
    """The insert as the driver wants it: compiled once, because a batch is on the hot path."""
    name = connection.dialect.name
    if name not in _compiled:
        mark = "?" if name == "sqlite" else "%s"
        columns = ", ".join(f'"{c.name}"' for c in audit.columns)
        marks = ", ".join(mark for _ in audit.columns)
        _compiled[name] = f"INSERT INTO audit ({columns}) VALUES ({marks})"  # noqa: S608
    return _compiled[name]


def keep_checkpoint(connection: sa.Connection, checkpoint: Checkpoint) -> None:
    """Keeps a checkpoint, unless one of the same record is there already."""
    there = sa.select(checkpoints.c.seq).where(checkpoints.c.seq == checkpoint.seq)
    if connection.scalar(there) is None:
        connection.execute(
            sa.insert(checkpoints),
            {name: getattr(checkpoint, name) for name in Checkpoint.__struct_fields__},
        )


class Filters(NamedTuple):
    """Which records: ``action`` also matches "verdict" for "verdict:…"; since and until are ms UTC,
    the first inclusive, the second exclusive.
    """

    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    since: int | None = None
    until: int | None = None


class Trail:
    """The audit trail of a store, to read."""

    def __init__(self, store: Store) -> None:
        """Reads from ``store``."""
        self.store = store

    def records(self, chosen: Filters | None = None) -> Iterator[Record]:
        """Records in order."""
        f = chosen or Filters()
        query = sa.select(audit).order_by(audit.c.seq)
        if f.subject is not None:
            query = query.where(audit.c.subject == f.subject)
        if f.actor is not None:
            query = query.where(audit.c.actor == f.actor)
        if f.action is not None:
            kinds = audit.c.action.startswith(f"{f.action}:", autoescape=True)
            query = query.where((audit.c.action == f.action) | kinds)
        if f.since is not None:
            query = query.where(audit.c.time >= f.since)
        if f.until is not None:
            query = query.where(audit.c.time < f.until)
        with self.store.reading() as connection:
            for row in connection.execute(query.execution_options(yield_per=BATCH)):
                yield Record(**{**row._mapping, **_bytes(row)})

    def checkpoints(self) -> list[Checkpoint]:
        """All checkpoints, oldest first."""
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(checkpoints).order_by(checkpoints.c.seq)).all()
        return [Checkpoint(**{**row._mapping, "digest": bytes(row.digest)}) for row in rows]

    def newest(self) -> tuple[int, bytes]:
        """Number and digest of the newest record."""
        with self.store.reading() as connection:
            return newest(connection)

    def digests(self, seqs: Iterable[int]) -> dict[int, bytes]:
        """The digests of some records, as far as they are there."""
        wanted = sorted(set(seqs))
        found: dict[int, bytes] = {}
        with self.store.reading() as connection:
            for start in range(0, len(wanted), BATCH):
                some = audit.c.seq.in_(wanted[start : start + BATCH])
                rows = connection.execute(sa.select(audit.c.seq, audit.c.digest).where(some))
                found |= {row.seq: bytes(row.digest) for row in rows}
        return found


def _bytes(row: "sa.Row[tuple[object, ...]]") -> dict[str, bytes]:
    return {"previous": bytes(row.previous), "digest": bytes(row.digest)}
