"""Taking one identity out of the tables, or its name: all of it in one transaction.

What is append-only stays: the audit trail, the histories, and verdicts (docs/adr/0021).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.audit import Entry
from quivive.store import ssf
from quivive.store.access import answers
from quivive.store.audit import append, audit
from quivive.store.database import BATCH, EntryRow, Store, assessments
from quivive.store.incidents import incident_findings, incidents
from quivive.store.schema import dead_letters, outbox
from quivive.store.verdicts import effects

Rewrite = Callable[[bytes], bytes | None]  # None: as it was


class Line(NamedTuple):
    """A stored login of an identity, with what is kept of it for verdicts."""

    id: str
    time: int
    body: bytes
    lesson: bytes | None


class Removal(NamedTuple):
    """What to change. ids: of the identity's logins; lines: the bodies that take the place of
    theirs, None to delete them. rewrite: takes names out of a body of JSON; names: those names.
    """

    identity: str
    stand_in: str
    ids: Sequence[str]
    lines: Mapping[str, bytes] | None
    rewrite: Rewrite
    states: Mapping[str, bytes]
    entries: Mapping[str, tuple[list[EntryRow], list[str]]]
    record: Entry
    names: Sequence[str] = ()


class Counts(NamedTuple):
    """How many rows were changed or deleted."""

    logins: int = 0
    incidents: int = 0
    outbox: int = 0
    dead_letters: int = 0


def lines(store: Store, identity: str) -> Iterator[Line]:
    """Every stored login of an identity, newest first."""
    table = assessments.c
    query = sa.select(table.id, table.time, table.body, table.lesson)
    query = query.where(table.identity == identity).order_by(table.time.desc(), table.id.desc())
    with store.reading() as connection:
        for row in connection.execute(query.execution_options(yield_per=BATCH)):
            yield Line(row.id, row.time, bytes(row.body), row.lesson and bytes(row.lesson))


def under_way(store: Store, rewrite: Rewrite) -> int:
    """How many rows of the outbox that wait to be sent name the identity."""
    query = sa.select(outbox.c.body).where(outbox.c.state == "due")
    with store.reading() as connection:
        return sum(rewrite(bytes(body)) is not None for body in connection.scalars(query))


def in_trail(store: Store, identity: str) -> int:
    """How many records of the audit trail name the identity: they stay."""
    named = audit.c.details.contains(identity, autoescape=True) | (audit.c.subject == identity)
    with store.reading() as connection:
        query = sa.select(sa.func.count()).select_from(audit).where(named)
        return connection.scalar(query) or 0


def remove(store: Store, wanted: Removal) -> Counts:
    """Changes everything. Raises StoreError, with nothing changed, when another run has written."""
    with store.transaction() as connection:
        store.put(connection, wanted.states)
        store.put_entries(connection, wanted.entries)
        _logins(connection, wanted)
        _others(connection, wanted)
        changed = _incidents(connection, wanted)
        sent = _bodies(connection, outbox, outbox.c.key, outbox.c.body, wanted.rewrite)
        sent += _bodies(connection, answers, answers.c.key, answers.c.body, wanted.rewrite)
        sent += ssf.forget(connection, lambda body: wanted.rewrite(body) is not None)
        letters = _letters(connection, wanted)
        append(connection, [wanted.record])
    return Counts(len(wanted.ids), changed, sent, letters)


def _logins(connection: sa.Connection, wanted: Removal) -> None:
    for start in range(0, len(wanted.ids), BATCH):
        some = wanted.ids[start : start + BATCH]
        connection.execute(sa.delete(effects).where(effects.c.event_id.in_(some)))
        if wanted.lines is None:
            connection.execute(sa.delete(assessments).where(assessments.c.id.in_(some)))
            continue
        values = [{"was": i, "body": wanted.lines[i], "who": wanted.stand_in} for i in some]
        statement = (
            sa.update(assessments)
            .where(assessments.c.id == sa.bindparam("was"))
            .values(body=sa.bindparam("body"), identity=sa.bindparam("who"), lesson=None, kind=None)
        )
        connection.execute(statement, values)


def _others(connection: sa.Connection, wanted: Removal) -> None:
    """Puts the stand-in into logins of others that name it, as who assumed a role does."""
    lite = connection.dialect.name == "sqlite"
    found = "instr(body, :name) > 0" if lite else "position(:name in body) > 0"
    ids: set[str] = set()
    for name in wanted.names:
        named = sa.text(found).bindparams(sa.bindparam("name", name.encode(), sa.LargeBinary))
        ids |= set(connection.scalars(sa.select(assessments.c.id).where(named)))
    some = sorted(ids)
    for start in range(0, len(some), BATCH):
        _bodies(
            connection, assessments, assessments.c.id, assessments.c.body, wanted.rewrite,
            some[start : start + BATCH],
        )  # fmt: skip


def _incidents(connection: sa.Connection, wanted: Removal) -> int:
    mine = incident_findings.c.identity == wanted.identity
    ids = set(connection.scalars(sa.select(incident_findings.c.incident_id).where(mine)))
    connection.execute(sa.update(incident_findings).where(mine).values(identity=wanted.stand_in))
    return _bodies(
        connection, incidents, incidents.c.id, incidents.c.body, wanted.rewrite, sorted(ids)
    )


def _bodies(
    connection: sa.Connection,
    table: sa.Table,
    key: "sa.Column[str]",
    body: "sa.Column[bytes]",
    rewrite: Rewrite,
    keys: Sequence[str] | None = None,
) -> int:
    """Rewrites the bodies of a table, or of some of its rows; how many changed."""
    query = sa.select(key, body)
    if keys is not None:
        query = query.where(key.in_(keys))
    changed = []
    for row in connection.execute(query):
        fresh = rewrite(bytes(row[1]))
        if fresh is not None:
            changed.append({"was": row[0], "fresh": fresh})
    if changed:
        statement = sa.update(table).where(key == sa.bindparam("was"))
        connection.execute(statement.values({body: sa.bindparam("fresh")}), changed)
    return len(changed)


def _letters(connection: sa.Connection, wanted: Removal) -> int:
    query = sa.select(dead_letters.c.id, dead_letters.c.sample, dead_letters.c.reason)
    gone = [
        row.id
        for row in connection.execute(query)
        if wanted.rewrite(f"{row.sample}\n{row.reason}".encode()) is not None
    ]
    for start in range(0, len(gone), BATCH):
        some = dead_letters.c.id.in_(gone[start : start + BATCH])
        connection.execute(
            sa.update(dead_letters).where(some).values(sample="", reason="erased on request")
        )
    return len(gone)
