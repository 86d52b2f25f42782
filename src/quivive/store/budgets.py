"""The riskiest logins of a time, to see what another budget of findings would have told."""

from typing import NamedTuple

import sqlalchemy as sa

from quivive.store.database import Store, assessments


class Risky(NamedTuple):
    """A login by its risk."""

    id: str
    time: int
    identity: str
    risk: float
    finding: bool


def riskiest(store: Store, kind: str, since: int, most: int) -> tuple[int, list[Risky]]:
    """How many logins there are of a kind of identity since a time (ms UTC), and the riskiest."""
    table = assessments.c
    mine = table.stratum.startswith(f"{kind}/") & (table.time >= since)
    query = (
        sa.select(table.id, table.time, table.identity, table.risk_score, table.finding)
        .where(mine)
        .order_by(table.risk_score.desc(), table.time, table.id)
        .limit(most)
    )
    with store.reading() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(assessments).where(mine))
        return count or 0, [Risky(*tuple(row)) for row in connection.execute(query)]
