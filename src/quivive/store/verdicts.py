"""Verdicts, what each changed, and what was asked: append-only, but for what stands.

A verdict is never changed: another one supersedes it. ``effects`` holds what the standing verdicts
did to the state, so that they can be reversed; ``asked`` which logins were to be looked into, and
whether they were drawn at random.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.audit import Entry
from quivive.model.canary import STRATUM
from quivive.model.verdict import Verdict
from quivive.store import audit
from quivive.store.database import BATCH, EntryRow, Store, StoreError, assessments, metadata
from quivive.store.schema import append_only, upsert

SUGGESTIONS_FROM = 500
_verdicts = sa.Table(
    "verdicts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event_id", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("when", sa.BigInteger, nullable=False),
    sa.Column("supersedes", sa.Integer),
)
append_only(_verdicts)
_effects = sa.Table(
    "effects",
    metadata,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("verdict_id", sa.Integer, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
effects = _effects  # what is kept of an identity's logins goes with it: store/erasing.py
_asked = sa.Table(
    "asked",
    metadata,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("at_random", sa.Boolean, nullable=False),
    sa.Column("stratum", sa.Text, nullable=False),
    sa.Column("band", sa.Text, nullable=False),
)
FINDING, NEAR, LOW = "finding", "near", "low"  # bands of score
NEAR_FROM = 20.0
_band = sa.case(
    (assessments.c.finding, FINDING), (assessments.c.risk_score >= NEAR_FROM, NEAR), else_=LOW
)


class Given(NamedTuple):
    """A verdict as it is kept, and the one that it took the place of."""

    id: int
    verdict: Verdict
    supersedes: int | None = None


class Login(NamedTuple):
    """A scored login, without its output line."""

    id: str
    time: int
    identity: str
    risk_score: float
    kind: str | None
    stratum: str
    band: str
    lesson: bytes | None = None


class Changed(NamedTuple):
    """What the verdict ``verdict_id`` did to a login: bytes for ``app/verdicts.py`` to read."""

    event_id: str
    verdict_id: int
    body: bytes


class Asked(NamedTuple):
    """A login that somebody was asked about; ``at_random`` when it was not for its score."""

    event_id: str
    at_random: bool
    stratum: str
    band: str


class Verdicts:
    """The verdicts of a store."""

    def __init__(self, store: Store) -> None:
        """Reads from and writes to ``store``."""
        self.store = store

    def all(self) -> list[Given]:
        """Every verdict ever given, oldest first."""
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(_verdicts).order_by(_verdicts.c.id)).all()
        return [
            Given(row[0], Verdict(**dict(zip(_FIELDS, row[1:6], strict=True))), row[6])
            for row in rows
        ]

    def standing(self) -> dict[str, Given]:
        """The verdict that stands on each login, oldest first."""
        given = self.all()
        gone = {g.supersedes for g in given}
        return {g.verdict.event_id: g for g in given if g.id not in gone}

    def on(self, ids: Sequence[str]) -> dict[str, Given]:
        """The verdicts that stand on some logins."""
        found: dict[str, Given] = {}
        for start in range(0, len(ids), BATCH):
            mine = _verdicts.c.event_id.in_(ids[start : start + BATCH])
            query = sa.select(_verdicts).where(mine).order_by(_verdicts.c.id)
            with self.store.reading() as connection:
                rows = connection.execute(query).all()
            for row in rows:  # a later one supersedes the one before it
                said = Verdict(**dict(zip(_FIELDS, row[1:6], strict=True)))
                found[said.event_id] = Given(row[0], said, row[6])
        return found

    def logins(self, ids: Sequence[str], lessons: bool = True) -> dict[str, Login]:
        """The logins of some ids, as far as they are in the store."""
        found: dict[str, Login] = {}
        for start in range(0, len(ids), BATCH):
            some = assessments.c.id.in_(ids[start : start + BATCH])
            found |= {login.id: login for login in self._logins(some, lessons)}
        return found

    def held(self, identity: str, kind: str) -> list[Login]:
        """The logins of an identity that were held as one kind, by time."""
        same = (assessments.c.identity == identity) & (assessments.c.kind == kind)
        return list(self._logins(same & assessments.c.lesson.is_not(None), True))

    def ranked(self) -> Iterator[Login]:
        """All logins by risk, highest first; of equals the earlier. Without the canary's."""
        order = (assessments.c.risk_score.desc(), assessments.c.time, assessments.c.id)
        return self._logins(assessments.c.stratum != STRATUM, False, order)

    def _logins(
        self, where: "sa.ColumnElement[bool]", lessons: bool, order: Sequence[object] = ()
    ) -> Iterator[Login]:
        columns = [assessments.c[name] for name in Login._fields if name in assessments.c]
        columns = [c for c in columns if c.name != "lesson"]
        query = (
            sa.select(*columns, _band.label("band"))
            .where(where)
            .order_by(*(order or (assessments.c.time, assessments.c.id)))  # type: ignore[arg-type]
            .execution_options(yield_per=BATCH)
        )
        if lessons:
            query = query.add_columns(assessments.c.lesson)
        with self.store.reading() as connection:
            for row in connection.execute(query):
                yield Login(**row._mapping)

    def horizon(self) -> tuple[int, int] | None:
        """The times of the oldest and the newest login; None for an empty store."""
        oldest, newest = sa.func.min(assessments.c.time), sa.func.max(assessments.c.time)
        with self.store.reading() as connection:
            first, last = connection.execute(sa.select(oldest, newest)).one()
        return None if first is None else (first, last)

    def first_id(self) -> str:
        """The id of the oldest login, which never changes; empty for an empty store."""
        query = sa.select(assessments.c.id).order_by(assessments.c.time, assessments.c.id).limit(1)
        with self.store.reading() as connection:
            return connection.scalar(query) or ""

    def near(self, event_id: str) -> list[str]:
        """Ids that begin or end like one, to suggest instead."""
        head, tail = event_id[: max(1, len(event_id) // 2)], event_id[len(event_id) // 2 :]
        like = assessments.c.id.startswith(head, autoescape=True) | assessments.c.id.endswith(
            tail, autoescape=True
        )
        query = sa.select(assessments.c.id).where(like).order_by(assessments.c.id)
        with self.store.reading() as connection:
            return list(connection.scalars(query.limit(SUGGESTIONS_FROM)))

    def changed(self) -> list[Changed]:
        """What the standing verdicts did, in the order in which they were given."""
        query = sa.select(_effects).order_by(_effects.c.verdict_id, _effects.c.event_id)
        with self.store.reading() as connection:
            rows = connection.execute(query).all()
        return [Changed(r.event_id, r.verdict_id, r.body) for r in rows]

    def population(self) -> dict[tuple[str, str], int]:
        """How many logins there are of each stratum and band."""
        query = (
            sa.select(assessments.c.stratum, _band, sa.func.count())
            .where(assessments.c.stratum != STRATUM)
            .group_by(assessments.c.stratum, _band)
        )
        with self.store.reading() as connection:
            return {(r[0], r[1]): r[2] for r in connection.execute(query)}

    def asked(self) -> dict[str, Asked]:
        """What was asked so far, by event id."""
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(_asked).order_by(_asked.c.event_id)).all()
        return {r.event_id: Asked(*r) for r in rows}

    def ask(self, asked: Iterable[Asked]) -> None:
        """Remembers what was asked; what was asked before stays as it was."""
        values = [one._asdict() for one in asked]
        if values:
            with self.store.transaction() as connection:
                statement = upsert(connection, _asked, Asked._fields, replace=False)
                connection.exec_driver_sql(statement, [tuple(v.values()) for v in values])

    def next_id(self) -> int:
        """The id of the next verdict."""
        with self.store.reading() as connection:
            return _next(connection)

    def write(
        self,
        given: Sequence[Given],
        reversed_ids: Iterable[str],
        changed: Iterable[Changed],
        states: Mapping[str, bytes],
        entries: Mapping[str, tuple[list[EntryRow], list[str]]] | None = None,
    ) -> None:
        """Keeps verdicts with what they changed, the changed states and entries, in one
        transaction.

        Raises StoreError, with nothing written, when somebody else has written meanwhile.
        """
        with self.store.transaction() as connection:
            if given and _next(connection) != given[0].id:
                raise StoreError(
                    f"{self.store.path}: other verdicts have come in meanwhile; nothing was kept,"
                    " run it again"
                )
            self.store.put(connection, states)
            if entries:
                self.store.put_entries(connection, entries)
            rows = [
                {
                    "id": g.id,
                    **{name: getattr(g.verdict, name) for name in _FIELDS},
                    "supersedes": g.supersedes,
                }
                for g in given
            ]
            if rows:
                connection.execute(sa.insert(_verdicts), rows)
            audit.append(connection, [_entry(g) for g in given])
            gone = list(reversed_ids)
            for start in range(0, len(gone), BATCH):
                some = _effects.c.event_id.in_(gone[start : start + BATCH])
                connection.execute(sa.delete(_effects).where(some))
            effects = [one._asdict() for one in changed]
            if effects:
                connection.execute(sa.insert(_effects), effects)


_FIELDS: tuple[str, ...] = Verdict.__struct_fields__


def _entry(given: Given) -> Entry:
    """What the audit trail keeps of a verdict; its time is when it was taken in."""
    said = given.verdict
    details: dict[str, object] = {"number": given.id, "why": said.why, "when": said.when}
    if given.supersedes is not None:
        details["supersedes"] = given.supersedes
    return Entry(
        time=audit.now(),
        actor=said.by,
        action=f"verdict:{said.kind}",
        subject=said.event_id,
        details=details,
    )


def _next(connection: sa.Connection) -> int:
    return (connection.scalar(sa.select(sa.func.max(_verdicts.c.id))) or 0) + 1
