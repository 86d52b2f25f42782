"""The runs over files of a store: which were cut short, which are done, and their lines."""

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from quivive.store.batch import Batch, RunRow
from quivive.store.database import BATCH, Store
from quivive.store.schema import assessments, runs

RUNNING = "running"  # cut short, or going on
JUDGED = "judged"  # all lines are in the store; the output file may not have its name yet
DONE = "done"
ABANDONED = "abandoned"


class Line(NamedTuple):
    """One output line of a run."""

    body: bytes
    risk_score: float
    finding: bool


class Runs:
    """The runs of a store."""

    def __init__(self, store: Store) -> None:
        """Reads from ``store``."""
        self.store = store

    def unfinished(self) -> RunRow | None:
        """The run that is not done yet; there is one at most."""
        return self._one(runs.c.status.in_((RUNNING, JUDGED)))

    def done(self, digest: str) -> RunRow | None:
        """The newest run that is done and had these arguments."""
        return self._one((runs.c.status == DONE) & (runs.c.digest == digest))

    def next_id(self) -> int:
        """The number of the next run."""
        with self.store.reading() as connection:
            return (connection.scalar(sa.select(sa.func.max(runs.c.id))) or 0) + 1

    def close(self, run: RunRow, status: str) -> None:
        """Notes that a run is done or abandoned."""
        self.store.commit(Batch(run=run._replace(status=status)))

    def lines(self, run: RunRow) -> Iterator[Line]:
        """The lines of a run in their order, as far as later runs did not replace them."""
        query = (
            sa.select(assessments.c.body, assessments.c.risk_score, assessments.c.finding)
            .where(assessments.c.run == run.id)
            .order_by(assessments.c.position)
            .execution_options(yield_per=BATCH)
        )
        with self.store.reading() as connection:
            for row in connection.execute(query):
                yield Line(bytes(row.body), row.risk_score, row.finding)

    def _one(self, where: "sa.ColumnElement[bool]") -> RunRow | None:
        query = sa.select(runs).where(where).order_by(runs.c.id.desc()).limit(1)
        with self.store.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else RunRow(*row)
