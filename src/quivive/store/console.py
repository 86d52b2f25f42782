"""What the console reads: small looks and pages that stay quick with 100,000 rows."""

from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from quivive.model.audit import Record
from quivive.model.incident import Incident
from quivive.store.audit import audit
from quivive.store.database import Store, assessments
from quivive.store.incidents import incident_findings, incidents
from quivive.store.schema import outbox
from quivive.store.trends import REAL
from quivive.store.verdicts import Given, Verdicts
from quivive.store.views import FOUND

MOST_RISKY = 20_000  # findings that are looked through for the riskiest identities
OPEN = ("open", "acknowledged")
_incident = msgspec.json.Decoder(Incident)


def newest(store: Store) -> int | None:
    """The time of the newest login (ms UTC)."""
    with store.reading() as connection:
        found: int | None = connection.scalar(sa.select(sa.func.max(assessments.c.time)))
    return found


def mark(store: Store) -> tuple[object, ...]:
    """What changes whenever the on-call page would: cheap, asked every second."""
    finding = (
        sa.select(assessments.c.time, assessments.c.id)
        .where(FOUND)
        .order_by(assessments.c.time.desc())
        .limit(1)
    )
    recorded = sa.select(sa.func.max(audit.c.seq))
    told = sa.select(
        sa.func.count(), sa.func.max(incidents.c.last), sa.func.sum(incidents.c.findings)
    )
    waiting = sa.select(sa.func.count()).where(outbox.c.state == "due")
    with store.reading() as connection:
        row = connection.execute(finding).first()
        counts = connection.execute(told.where(incidents.c.status.in_(OPEN))).one()
        return (
            tuple(row) if row is not None else None,
            connection.scalar(recorded),
            tuple(counts),
            connection.scalar(waiting),
        )


class IncidentsWanted(NamedTuple):
    """Which incidents: after is (last, id) of the last one of the page before."""

    statuses: tuple[str, ...] = ()
    priority: str | None = None
    route: str | None = None
    since: int | None = None
    limit: int = 50
    after: tuple[int, str] | None = None


def incident_page(store: Store, wanted: IncidentsWanted) -> list[Incident]:
    """Incidents by their newest finding, newest first; merged ones are left out."""
    table = incidents.c
    query = sa.select(table.body).where(table.merged_into.is_(None))
    if wanted.statuses:
        query = query.where(table.status.in_(wanted.statuses))
    if wanted.priority is not None:
        query = query.where(table.priority == wanted.priority)
    if wanted.route is not None:
        query = query.where(table.route == wanted.route)
    if wanted.since is not None:
        query = query.where(table.last >= wanted.since)
    if wanted.after is not None:
        last, incident_id = wanted.after
        before = (table.last < last) | (table.id < incident_id)
        query = query.where((table.last <= last) & before)  # the first half finds its place
    query = query.order_by(table.last.desc(), table.id.desc()).limit(wanted.limit)
    with store.reading() as connection:
        return [_incident.decode(body) for body in connection.scalars(query)]


def urgent(store: Store, limit: int) -> list[Incident]:
    """Incidents that nobody has answered, most urgent first, then the newest."""
    table = incidents.c
    query = (
        sa.select(table.body)
        .where(table.merged_into.is_(None) & (table.status == "open"))
        .order_by(table.priority, table.last.desc(), table.id)
        .limit(limit)
    )
    with store.reading() as connection:
        return [_incident.decode(body) for body in connection.scalars(query)]


def open_by_priority(store: Store) -> dict[tuple[str, str], int]:
    """How many incidents there are by status and priority, closed ones left out."""
    table = incidents.c
    mine = table.merged_into.is_(None) & table.status.in_(OPEN)
    query = (
        sa.select(table.status, table.priority, sa.func.count())
        .where(mine)
        .group_by(table.status, table.priority)
    )
    with store.reading() as connection:
        return {(r[0], r[1]): r[2] for r in connection.execute(query)}


def any_incident(store: Store) -> bool:
    """Whether there is any incident at all."""
    with store.reading() as connection:
        return connection.scalar(sa.select(incidents.c.id).limit(1)) is not None


class Risky(NamedTuple):
    """An identity by its riskiest finding of a time: how risky, how many, when the last."""

    identity: str
    risk: float
    findings: int
    last: int


def riskiest(store: Store, since: int, limit: int) -> list[Risky]:
    """Identities with findings since a time (ms UTC), riskiest first."""
    table = assessments.c
    recent = (  # first of all by time: grouped at once, every login there is would be read
        sa.select(table.identity, table.risk_score, table.time)
        .where(FOUND, table.time >= since, REAL)
        .order_by(table.time.desc())
        .limit(MOST_RISKY)
        .subquery()
    )
    worst = sa.func.max(recent.c.risk_score).label("risk")
    query = (
        sa.select(recent.c.identity, worst, sa.func.count(), sa.func.max(recent.c.time))
        .group_by(recent.c.identity)
        .order_by(worst.desc(), recent.c.identity)
        .limit(limit)
    )
    with store.reading() as connection:
        return [Risky(*row) for row in connection.execute(query)]


def logins_since(store: Store, since: int) -> tuple[int, int]:
    """How many logins and findings there are since a time (ms UTC)."""
    recent = assessments.c.time >= since
    logins = sa.select(sa.func.count(assessments.c.time)).where(recent)
    found = sa.select(sa.func.count(assessments.c.time)).where(FOUND, recent, REAL)
    with store.reading() as connection:
        return connection.scalar(logins) or 0, connection.scalar(found) or 0


def verdict_on(store: Store, event_id: str) -> Given | None:
    """The verdict that stands on a login."""
    return Verdicts(store).on([event_id]).get(event_id)


def verdicts_on(store: Store, ids: list[str]) -> dict[str, str]:
    """What verdict stands on some logins."""
    return {i: given.verdict.kind for i, given in Verdicts(store).on(ids).items()}


def incident_of(store: Store, event_id: str) -> str | None:
    """The incident that a finding belongs to."""
    query = sa.select(incident_findings.c.incident_id).where(
        incident_findings.c.event_id == event_id
    )
    with store.reading() as connection:
        return connection.scalar(query)


def logins_of(
    store: Store, identities: list[str], since: int, until: int, limit: int
) -> list[bytes]:
    """The lines of some identities' logins within a time (ms UTC, both inclusive), by time."""
    table = assessments.c
    mine = table.identity.in_(identities) & table.time.between(since, until)
    query = sa.select(table.body).where(mine).order_by(table.time, table.id).limit(limit)
    with store.reading() as connection:
        return [bytes(body) for body in connection.scalars(query)]


def logins_from(
    store: Store, address: str, since: int, until: int, most: int, limit: int
) -> tuple[list[bytes], int]:
    """The lines that name an address, within a time (ms UTC), newest first; and how many lines were
    looked through, at most ``most``.
    """
    table = assessments.c
    near = (
        sa.select(table.time, table.id, table.body)
        .where(table.time.between(since, until))
        .order_by(table.time.desc(), table.id.desc())
        .limit(most)
    )
    named = f'"ip":{msgspec.json.encode(address).decode()}'.encode()
    found: list[bytes] = []
    looked = 0
    with store.reading() as connection:
        for row in connection.execute(near.execution_options(yield_per=500)):
            looked += 1
            body = bytes(row.body)
            if named in body:
                found.append(body)
                if len(found) >= limit:
                    break
    return found, looked


def recorded(store: Store, subjects: list[str], limit: int) -> list[Record]:
    """The audit trail's records about some events, incidents or identities, oldest first."""
    query = sa.select(audit).where(audit.c.subject.in_(subjects)).order_by(audit.c.seq).limit(limit)
    with store.reading() as connection:
        return [
            Record(**{**row._mapping, "previous": bytes(row.previous), "digest": bytes(row.digest)})
            for row in connection.execute(query)
        ]
