"""What the server reads: pages of assessments, what is known of one identity, counts."""

from typing import NamedTuple

import sqlalchemy as sa

from quivive.store import schema
from quivive.store.audit import audit
from quivive.store.database import Store, assessments

# As the partial index of findings says it: "finding = 1" would not be found there.
FOUND = sa.text("assessments.finding")


class Wanted(NamedTuple):
    """Which assessments: since and until are ms UTC, the first inclusive, the second exclusive;
    after: (time, id) of the last one of the page before; kind: "human" or "service".
    """

    identity: str | None = None
    since: int | None = None
    until: int | None = None
    min_risk: float | None = None
    finding: bool | None = None
    limit: int = 50
    after: tuple[int, str] | None = None
    kind: str | None = None


class Line(NamedTuple):
    """One assessment: event time, id, the output line."""

    time: int
    id: str
    body: bytes


class Summary(NamedTuple):
    """An identity's logins in the store; times in ms UTC."""

    logins: int
    findings: int
    first: int
    last: int
    worst: float


def page(store: Store, wanted: Wanted) -> list[Line]:
    """Assessments by event time, newest first."""
    table = assessments.c
    query = sa.select(table.time, table.id, table.body)
    if wanted.identity is not None:
        query = query.where(table.identity == wanted.identity)
    if wanted.since is not None:
        query = query.where(table.time >= wanted.since)
    if wanted.until is not None:
        query = query.where(table.time < wanted.until)
    if wanted.min_risk is not None:
        query = query.where(table.risk_score >= wanted.min_risk)
    if wanted.finding is not None:
        query = query.where(FOUND if wanted.finding else ~table.finding)
    if wanted.kind is not None:
        query = query.where(table.stratum.startswith(f"{wanted.kind}/"))
    if wanted.after is not None:
        time, event_id = wanted.after
        before = (table.time < time) | (table.id < event_id)
        query = query.where((table.time <= time) & before)  # the first half finds its place
    query = query.order_by(table.time.desc(), table.id.desc()).limit(wanted.limit)
    with store.reading() as connection:
        return [Line(r.time, r.id, bytes(r.body)) for r in connection.execute(query)]


def summary(store: Store, identity: str) -> Summary | None:
    """An identity's logins; None for one that has none."""
    table = assessments.c
    query = sa.select(
        sa.func.count(),
        sa.func.count().filter(table.finding),
        sa.func.min(table.time),
        sa.func.max(table.time),
        sa.func.max(table.risk_score),
    ).where(table.identity == identity)
    with store.reading() as connection:
        row = connection.execute(query).one()
    return Summary(row[0], row[1], row[2], row[3], row[4]) if row[0] else None


def profile(store: Store, identity: str) -> bytes | None:
    """What is known of an identity, as of the last checkpoint."""
    table = schema.entries["profiles"]
    query = sa.select(table.c.body).where(table.c.key == identity)
    with store.reading() as connection:
        body = connection.scalar(query)
    return None if body is None else bytes(body)


def people(store: Store, since: int) -> int:
    """How many human identities logged in since a time."""
    human = assessments.c.stratum.startswith("human/")
    query = sa.select(sa.func.count(sa.distinct(assessments.c.identity)))
    with store.reading() as connection:
        return connection.scalar(query.where(human & (assessments.c.time >= since))) or 0


def decisions(store: Store, since: int) -> list[tuple[str, str, str]]:
    """Event id, action and details of the decisions recorded since a time."""
    some = audit.c.action.startswith("decision:") & (audit.c.time >= since)
    query = sa.select(audit.c.subject, audit.c.action, audit.c.details).where(some)
    with store.reading() as connection:
        return [(r.subject, r.action, r.details) for r in connection.execute(query)]


def reachable(store: Store) -> None:
    """Asks the store something small. Raises what the database raises."""
    with store.reading() as connection:
        connection.execute(sa.select(schema.meta.c.value).limit(1)).first()
