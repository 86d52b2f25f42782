"""Incidents as they are kept: a row each, the findings of each, and the verdict links used up."""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from quivive.model.incident import Incident
from quivive.store.database import BATCH, Store, StoreError, assessments, metadata

KEPT_OPEN = 9 * 86_400_000  # closed ones this old are not read into memory any more
PREVIOUS_TRIED = 20

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("opened", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("risk", sa.Float, nullable=False),
    sa.Column("findings", sa.Integer, nullable=False),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("acknowledged", sa.Boolean, nullable=False),
    sa.Column("merged_into", sa.Text),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
sa.Index("ix_incidents_status_last", incidents.c.status, incidents.c.last)
incident_findings = sa.Table(
    "incident_findings",
    metadata,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("incident_id", sa.Text, nullable=False, index=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
)
used_links = sa.Table(
    "used_links",
    metadata,
    sa.Column("serial", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Incident)
_Member = tuple[str, str, int, str]  # event id, incident id, time, identity


def write(
    connection: sa.Connection, changed: Iterable[Incident], members: Iterable[_Member] = ()
) -> None:
    """Keeps incidents as they are now, and which findings are theirs, in a transaction."""
    all_changed = list(changed)
    rows = [_row(incident) for incident in all_changed]
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        gone = incidents.c.id.in_([row["id"] for row in some])
        connection.execute(sa.delete(incidents).where(gone))
        connection.execute(sa.insert(incidents), some)
    for incident in all_changed:
        if incident.merged_into is not None:
            theirs = incident_findings.c.incident_id == incident.id
            moved = sa.update(incident_findings).where(theirs)
            connection.execute(moved.values(incident_id=incident.merged_into))
    new = {member[0]: member for member in members}
    for event_ids in _parts(sorted(new)):
        there = incident_findings.c.event_id.in_(event_ids)
        connection.execute(sa.delete(incident_findings).where(there))
        names = ("event_id", "incident_id", "time", "identity")
        values = [dict(zip(names, new[i], strict=True)) for i in event_ids]
        connection.execute(sa.insert(incident_findings), values)


def use_link(connection: sa.Connection, serial: str, event_id: str, at: int) -> bool:
    """Uses up a verdict link, in the transaction of its verdict. False: it was used before."""
    there = sa.select(used_links.c.at).where(used_links.c.serial == serial)
    if connection.scalar(there) is not None:
        return False
    values = {"serial": serial, "event_id": event_id, "at": at}
    connection.execute(sa.insert(used_links), values)
    return True


def link_used(store: Store, serial: str) -> bool:
    """Whether a verdict link was used up."""
    query = sa.select(used_links.c.at).where(used_links.c.serial == serial)
    with store.reading() as connection:
        return connection.scalar(query) is not None


def line_of(connection: sa.Connection, event_id: str) -> bytes | None:
    """The scored line of an event, or None."""
    query = sa.select(assessments.c.body).where(assessments.c.id == event_id)
    return connection.scalar(query)


def earlier_lines(connection: sa.Connection, identity: str, time: int) -> list[bytes]:
    """The newest scored lines of an identity before a time that were no findings."""
    mine = (assessments.c.identity == identity) & (assessments.c.time < time)
    query = (
        sa.select(assessments.c.body)
        .where(mine & ~assessments.c.finding)
        .order_by(assessments.c.time.desc())
        .limit(PREVIOUS_TRIED)
    )
    return list(connection.scalars(query))


def finding_lines(store: Store) -> Iterable[bytes]:
    """The scored lines of all findings by event time, for grouping them anew."""
    query = (
        sa.select(assessments.c.body)
        .where(assessments.c.finding)
        .order_by(assessments.c.time, assessments.c.id)
        .execution_options(yield_per=BATCH)
    )
    with store.reading() as connection:
        yield from connection.scalars(query)


class Incidents:
    """The incidents of a store."""

    def __init__(self, store: Store) -> None:
        """Of ``store``."""
        self.store = store

    def open(self) -> list[Incident]:
        """What is open, or closed not long before the newest: what a book goes on from."""
        with self.store.reading() as connection:
            newest = connection.scalar(sa.select(sa.func.max(incidents.c.last))) or 0
            some = (incidents.c.status != "closed") | (incidents.c.last >= newest - KEPT_OPEN)
            query = sa.select(incidents.c.id, incidents.c.body).where(some)
            rows = connection.execute(query.order_by(incidents.c.last, incidents.c.id)).all()
        return [self._decoded(row.id, row.body) for row in rows]

    def listed(
        self, *, status: str | None = None, priority: str | None = None, limit: int = 100
    ) -> list[Incident]:
        """Newest first; those that went into another one are left out."""
        query = sa.select(incidents.c.id, incidents.c.body).where(incidents.c.merged_into.is_(None))
        if status is not None:
            query = query.where(incidents.c.status == status)
        if priority is not None:
            query = query.where(incidents.c.priority == priority)
        query = query.order_by(incidents.c.last.desc(), incidents.c.id).limit(limit)
        with self.store.reading() as connection:
            rows = connection.execute(query).all()
        return [self._decoded(row.id, row.body) for row in rows]

    def get(self, incident_id: str) -> Incident | None:
        """One incident by its id."""
        query = sa.select(incidents.c.body).where(incidents.c.id == incident_id)
        with self.store.reading() as connection:
            body = connection.scalar(query)
        return None if body is None else self._decoded(incident_id, body)

    def findings(self, incident_id: str) -> list[tuple[str, int, str]]:
        """Event id, time and identity of an incident's findings, by time."""
        table = incident_findings
        query = (
            sa.select(table.c.event_id, table.c.time, table.c.identity)
            .where(table.c.incident_id == incident_id)
            .order_by(table.c.time, table.c.event_id)
        )
        with self.store.reading() as connection:
            return [(row.event_id, row.time, row.identity) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """How many incidents there are by status, were told (M8) and acknowledged (F5)."""
        mine = incidents.c.merged_into.is_(None)
        by_status = (
            sa.select(incidents.c.status, sa.func.count()).where(mine).group_by(incidents.c.status)
        )
        told = sa.select(
            sa.func.coalesce(sa.func.sum(incidents.c.told), 0),
            sa.func.count().filter(incidents.c.acknowledged),
        ).where(mine)
        with self.store.reading() as connection:
            found = {str(row[0]): int(row[1]) for row in connection.execute(by_status)}
            notifications, acknowledged = connection.execute(told).one()
        return found | {"told": int(notifications), "acknowledged_ever": int(acknowledged)}

    def _decoded(self, incident_id: str, body: bytes) -> Incident:
        try:
            return _decoder.decode(body)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(
                f"incident {incident_id}: damaged: {error}; quivive incidents rebuild"
                " groups the findings anew"
            ) from None


def _row(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "opened": incident.opened,
        "last": incident.last,
        "status": incident.status,
        "priority": incident.priority,
        "route": incident.route,
        "risk": incident.risk,
        "findings": incident.count,
        "told": incident.told_times,
        "acknowledged": incident.acknowledged_at > 0,
        "merged_into": incident.merged_into,
        "body": _encoder.encode(incident),
    }


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]
