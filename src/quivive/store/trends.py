"""Counts over stretches of time for reports: logins and findings by day, what was told."""

from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.canary import STRATUM, is_canary
from quivive.model.incident import Incident
from quivive.store.database import Store, assessments
from quivive.store.incidents import Incidents, incidents
from quivive.store.schema import outbox

DAY_MS = 86_400_000
REAL = assessments.c.stratum != STRATUM  # what is no canary


class Day(NamedTuple):
    """Logins and findings of one UTC day (days since 1970) of one kind of identity."""

    number: int
    kind: str
    logins: int
    findings: int


class Top(NamedTuple):
    """A finding by its line, riskiest first."""

    id: str
    body: bytes


def days(store: Store, since: int, until: int) -> list[Day]:
    """By day and kind of identity; since inclusive, until exclusive (ms UTC)."""
    table = assessments.c
    number = (table.time // DAY_MS).label("number")
    human = table.stratum.startswith("human/").label("human")
    query = (
        sa.select(number, human, sa.func.count(), sa.func.count().filter(table.finding))
        .where((table.time >= since) & (table.time < until) & REAL)
        .group_by(sa.literal_column("number"), sa.literal_column("human"))
        .order_by(sa.literal_column("number"))
    )
    with store.reading() as connection:
        return [
            Day(int(row[0]), "human" if row[1] else "service", row[2], row[3])
            for row in connection.execute(query)
        ]


def verdict_times(store: Store, ids: list[str]) -> dict[str, tuple[int, bool]]:
    """The event time of some logins, and whether they were findings."""
    found: dict[str, tuple[int, bool]] = {}
    table = assessments.c
    with store.reading() as connection:
        for start in range(0, len(ids), 500):
            some = table.id.in_(ids[start : start + 500])
            rows = connection.execute(sa.select(table.id, table.time, table.finding).where(some))
            found |= {row.id: (row.time, row.finding) for row in rows}
    return found


def incidents_within(store: Store, since: int, until: int, most: int) -> list[Incident]:
    """Incidents with a finding within a time (ms UTC), the most urgent first; at most ``most``, and
    none of the canary.
    """
    table = incidents.c
    query = (
        sa.select(table.id)
        .where(table.merged_into.is_(None) & (table.last >= since) & (table.opened < until))
        .order_by(table.priority, table.risk.desc(), table.id)
        .limit(most)
    )
    with store.reading() as connection:
        ids = list(connection.scalars(query))
    kept = Incidents(store)
    found = (kept.get(i) for i in ids)
    return [each for each in found if each is not None and not all(map(is_canary, each.identities))]


def top(store: Store, since: int, until: int, limit: int) -> list[Top]:
    """The riskiest findings within a time (ms UTC)."""
    table = assessments.c
    mine = table.finding & (table.time >= since) & (table.time < until) & REAL
    query = (
        sa.select(table.id, table.body)
        .where(mine)
        .order_by(table.risk_score.desc(), table.time, table.id)
        .limit(limit)
    )
    with store.reading() as connection:
        return [Top(row.id, bytes(row.body)) for row in connection.execute(query)]


def sent(store: Store, kind: str, since: int, until: int, most: int) -> list[tuple[bytes, str]]:
    """Bodies and states of what was put into the outbox within a time (ms UTC), newest first."""
    table = outbox.c
    mine = (table.kind == kind) & (table.created >= since) & (table.created < until)
    query = sa.select(table.body, table.state).where(mine)
    query = query.order_by(table.created.desc(), table.key).limit(most)
    with store.reading() as connection:
        return [(bytes(row.body), row.state) for row in connection.execute(query)]
