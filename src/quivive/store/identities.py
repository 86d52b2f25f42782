"""What pages about one identity read: its stream, its history, what was said of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from quivive.model.audit import Record
from quivive.store.audit import audit
from quivive.store.database import BATCH, Store, assessments
from quivive.store.incidents import incident_findings, incidents
from quivive.store.schema import entries
from quivive.store.schema import state as states
from quivive.store.verdicts import Given, Verdicts

_profiles = entries["profiles"].c


class Found(NamedTuple):
    """An identity of a list: its logins and findings in the store, and the newest (ms UTC)."""

    identity: str
    logins: int
    findings: int
    last: int


class Stored(NamedTuple):
    """One login of a history: event time, whether it was a finding, its line."""

    id: str
    time: int
    finding: bool
    body: bytes


def stream(
    store: Store, identity: str, limit: int, after: tuple[int, str] | None, *, findings: bool
) -> list[Stored]:
    """A page of an identity's logins, newest first, after (time, id) of the page before.

    In two steps, so that the bodies of a hundred thousand logins are not sorted for fifty.
    """
    table = assessments.c
    query = sa.select(table.id).where(table.identity == identity)
    if findings:
        query = query.where(table.finding)
    if after is not None:
        time, event_id = after
        query = query.where((table.time < time) | ((table.time == time) & (table.id < event_id)))
    query = query.order_by(table.time.desc(), table.id.desc()).limit(limit)
    with store.reading() as connection:
        ids = list(connection.scalars(query))
        columns = sa.select(table.id, table.time, table.finding, table.body)
        rows = connection.execute(columns.where(table.id.in_(ids))).all()
    found = {r.id: Stored(r.id, r.time, r.finding, bytes(r.body)) for r in rows}
    return [found[event_id] for event_id in ids if event_id in found]


def history(store: Store, identity: str, most: int) -> Iterator[Stored]:
    """An identity's newest logins, in no order, at most ``most``."""
    table = assessments.c
    query = sa.select(table.id).where(table.identity == identity)
    query = query.order_by(table.time.desc(), table.id.desc()).limit(most)
    columns = sa.select(table.id, table.time, table.finding, table.body)
    with store.reading() as connection:
        ids = list(connection.scalars(query))
        for start in range(0, len(ids), BATCH):
            some = columns.where(table.id.in_(ids[start : start + BATCH]))
            for r in connection.execute(some):
                yield Stored(r.id, r.time, r.finding, bytes(r.body))


def named(store: Store, text: str, limit: int) -> list[Found]:
    """Identities whose name contains a text, those with the newest login first."""
    table = assessments.c
    like = _profiles.key.contains(text, autoescape=True)
    with store.reading() as connection:
        names = set(connection.scalars(sa.select(_profiles.key).where(like).limit(limit)))
        exact = sa.select(table.identity).where(table.identity == text).limit(1)
        names |= set(connection.scalars(exact))
        query = _counted().where(table.identity.in_(sorted(names)))
        found = [Found(*tuple(row)) for row in connection.execute(query)]
    return sorted(found, key=lambda f: (-f.last, f.identity))


def told_of(store: Store, since: int, limit: int) -> list[Found]:
    """Identities with findings since a time (ms UTC), those with most first."""
    table = assessments.c
    query = (
        sa.select(table.identity)
        .where(table.finding & (table.time >= since))
        .group_by(table.identity)
        .order_by(sa.func.count().desc(), table.identity)
        .limit(limit)
    )
    with store.reading() as connection:
        names = list(connection.scalars(query))
        rows = connection.execute(_counted().where(table.identity.in_(names)))
        found = {row.identity: Found(*tuple(row)) for row in rows}
    return [found[name] for name in names]


def _counted() -> "sa.Select[Any]":
    table = assessments.c
    return sa.select(
        table.identity,
        sa.func.count(),
        sa.func.count().filter(table.finding),
        sa.func.max(table.time),
    ).group_by(table.identity)


def known(store: Store) -> int:
    """How many identities something is known of."""
    with store.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(entries["profiles"])) or 0


def said_of(store: Store, identity: str) -> list[tuple[Given, int]]:
    """The verdicts that stand on an identity's logins, newest login first, with their times."""
    standing = Verdicts(store).standing()
    times: dict[str, int] = {}
    ids = list(standing)
    table = assessments.c
    with store.reading() as connection:
        for start in range(0, len(ids), BATCH):
            some = (table.identity == identity) & table.id.in_(ids[start : start + BATCH])
            rows = connection.execute(sa.select(table.id, table.time).where(some))
            times |= {row.id: row.time for row in rows}
    return [
        (standing[event_id], time)
        for event_id, time in sorted(times.items(), key=lambda item: (-item[1], item[0]))
    ]


def incidents_of(store: Store, identity: str, limit: int) -> list[str]:
    """The incidents of an identity's findings, newest first."""
    newest = sa.func.max(incident_findings.c.time)
    query = (
        sa.select(incident_findings.c.incident_id)
        .join(incidents, incidents.c.id == incident_findings.c.incident_id)
        .where(incident_findings.c.identity == identity)
        .group_by(incident_findings.c.incident_id)
        .order_by(newest.desc())
        .limit(limit)
    )
    with store.reading() as connection:
        return list(connection.scalars(query))


def looks(store: Store, subject: str, limit: int) -> list[Record]:
    """What the audit trail holds of who looked at a subject, newest first."""
    mine = (audit.c.subject == subject) & audit.c.action.startswith("access:")
    query = sa.select(audit).where(mine).order_by(audit.c.seq.desc()).limit(limit)
    with store.reading() as connection:
        return [
            Record(**{**row._mapping, "previous": bytes(row.previous), "digest": bytes(row.digest)})
            for row in connection.execute(query)
        ]


def lesson(store: Store, event_id: str) -> bytes | None:
    """What is kept of a login for verdicts: bytes for ``app/kept.py``."""
    query = sa.select(assessments.c.lesson).where(assessments.c.id == event_id)
    with store.reading() as connection:
        body = connection.scalar(query)
    return None if body is None else bytes(body)


def lessons(store: Store, identity: str, since: int, most: int) -> Iterator[bytes]:
    """What is kept for verdicts of an identity's logins since a time (ms UTC), at most ``most``."""
    table = assessments.c
    mine = (table.identity == identity) & (table.time >= since) & table.lesson.is_not(None)
    query = sa.select(table.lesson).where(mine).order_by(table.time).limit(most)
    with store.reading() as connection:
        for body in connection.scalars(query.execution_options(yield_per=BATCH)):
            yield bytes(body or b"")


def state(store: Store, name: str) -> bytes | None:
    """A part of the state as of the last checkpoint, to look at only."""
    with store.reading() as connection:
        body = connection.scalar(sa.select(states.c.body).where(states.c.name == name))
    return None if body is None else bytes(body)
