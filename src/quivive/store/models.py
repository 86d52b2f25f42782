"""The versions of the model: which is active, which in shadow, and every change, append-only.

``shipped`` is what is active when nothing else is. A version's body never changes once it is
written; its status does, and each change stays in the history with by whom and why.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.audit import Entry
from quivive.store import audit
from quivive.store.database import Store, StoreError, metadata
from quivive.store.schema import append_only

SHIPPED_NAME = "shipped"  # the model that comes with Quivive, which is no row
MARKER = "model"  # the state that names the active version: a run notices when it has changed
STATUSES = ("candidate", "shadow", "active", "retired", "refused")

_models = sa.Table(
    "models",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("comparison", sa.LargeBinary, nullable=False),
)
_history = sa.Table(
    "model_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("replaced", sa.Text),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("forced", sa.Boolean, nullable=False),
)
append_only(_history)


class Version(NamedTuple):
    """A version as it is listed. ``created`` is the time of the newest event it learned from,
    ``written`` when it was learned (both ms UTC).
    """

    name: str
    created: int
    written: int
    status: str


class Change(NamedTuple):
    """One change of a version's status; ``replaced`` is what was active before a promotion."""

    at: int
    version: str
    action: str
    status: str
    replaced: str | None
    by: str
    why: str
    forced: bool


class Author(NamedTuple):
    """Who changes a status, why, and when (wall time, ms UTC)."""

    by: str
    why: str
    at: int


class Models:
    """The versions kept in a store. Every change is one transaction."""

    def __init__(self, store: Store) -> None:
        """Of ``store``."""
        self.store = store

    def names(self) -> list[Version]:
        """All versions, oldest first."""
        columns = (_models.c.version, _models.c.created, _models.c.written, _models.c.status)
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(*columns).order_by(_models.c.version)).all()
        return [Version(f"v{r.version}", r.created, r.written, r.status) for r in rows]

    def history(self) -> list[Change]:
        """Every change of a status, oldest first."""
        columns = [c for c in _history.c if c.name != "id"]
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(*columns).order_by(_history.c.id)).all()
        return [Change(*row) for row in rows]

    def named(self, status: str) -> str | None:
        """The version of a status that only one can have (active, shadow), or None."""
        with self.store.reading() as connection:
            return _named(connection, status)

    def active(self) -> str:
        """The version that scores."""
        return self.named("active") or SHIPPED_NAME

    def body(self, name: str) -> bytes:
        """A version's model as it was written. Raises StoreError when there is no such version."""
        return self._column(name, _models.c.body)

    def comparison(self, name: str) -> bytes:
        """What it was compared with when it was learned, as JSON."""
        return self._column(name, _models.c.comparison)

    def next_name(self) -> str:
        """What the next version will be called."""
        with self.store.reading() as connection:
            return f"v{_newest(connection) + 1}"

    def add(
        self,
        name: str,
        body: bytes,
        comparison: bytes,
        created: int,
        status: str,
        author: Author,
    ) -> None:
        """Keeps a new version, named as ``next_name`` said, as candidate, shadow or refused.

        Raises StoreError when another run has added one meanwhile.
        """
        number = _number(name)
        values = {
            "version": number,
            "created": created,
            "written": author.at,
            "status": status,
            "body": body,
            "comparison": comparison,
        }
        with self.store.transaction() as connection:
            taken = status == "shadow" and _named(connection, "shadow") is not None
            if taken or _newest(connection) != number - 1:
                raise self._overtaken()
            connection.execute(sa.insert(_models), values)
            _note(connection, name, "learned", status, author)

    def move(self, name: str, former: str, status: str, action: str, author: Author) -> None:
        """Changes a status other than active. Raises StoreError when it is no longer ``former``."""
        with self.store.transaction() as connection:
            self._move(connection, name, former, status, action, author)

    def activate(
        self,
        name: str,
        active: str,
        action: str,
        author: Author,
        states: Mapping[str, bytes],
        *,
        forced: bool = False,
    ) -> None:
        """Makes a version (or "shipped") the active one in place of ``active``, with the states
        that belong to it, in one transaction. Another one in shadow is retired: what it was
        compared with is active no longer.

        Raises StoreError, with nothing changed, when another run has changed any of it meanwhile.
        """
        with self.store.transaction() as connection:
            # Written first, so that whatever is read below cannot change any more.
            self.store.put(connection, {MARKER: name.encode()})
            if (_named(connection, "active") or SHIPPED_NAME) != active:
                raise self._overtaken()
            if active != SHIPPED_NAME:
                self._move(connection, active, "active", "retired", "replaced", author)
            looking_on = _named(connection, "shadow")
            if looking_on not in (None, name):
                way = Author(author.by, f"it was compared with {active}", author.at)
                self._move(connection, looking_on, "shadow", "retired", "retired", way)
            if name != SHIPPED_NAME:
                statement = sa.update(_models).where(_models.c.version == _number(name))
                if connection.execute(statement.values(status="active")).rowcount != 1:
                    raise StoreError(f"{self.store.path}: no model {name}")
            _note(connection, name, action, "active", author, active, forced)
            self.store.put(connection, states)

    def before(self) -> str | None:
        """What was active before the active version was promoted: where a roll-back goes."""
        active = self.active()
        for change in reversed(self.history()):
            if change.version == active and change.action == "promoted":
                return change.replaced
        return None

    def _column(self, name: str, column: "sa.Column[bytes]") -> bytes:
        with self.store.reading() as connection:
            query = sa.select(column).where(_models.c.version == _number(name))
            found = connection.scalar(query)
        if found is None:
            raise StoreError(f"{self.store.path}: no model {name}; quivive models list names them")
        return found

    def _move(
        self,
        connection: sa.Connection,
        name: str,
        former: str,
        status: str,
        action: str,
        author: Author,
    ) -> None:
        same = (_models.c.version == _number(name)) & (_models.c.status == former)
        if connection.execute(sa.update(_models).where(same).values(status=status)).rowcount != 1:
            raise self._overtaken()
        _note(connection, name, action, status, author)

    def _overtaken(self) -> StoreError:
        return StoreError(
            f"{self.store.path}: the models have changed meanwhile; nothing was kept, look at"
            " quivive models list and run it again"
        )


def _note(
    connection: sa.Connection,
    version: str,
    action: str,
    status: str,
    author: Author,
    replaced: str | None = None,
    forced: bool = False,
) -> None:
    change = Change(author.at, version, action, status, replaced, author.by, author.why, forced)
    connection.execute(sa.insert(_history), change._asdict())
    details = {"why": author.why, "status": status, "replaced": replaced, "forced": forced}
    entry = Entry(
        time=author.at,
        actor=author.by,
        action=f"model:{action}",
        subject=version,
        details={name: value for name, value in details.items() if value is not None},
    )
    audit.append(connection, [entry])


def _named(connection: sa.Connection, status: str) -> str | None:
    found: Sequence[int] = connection.scalars(
        sa.select(_models.c.version).where(_models.c.status == status).order_by(_models.c.version)
    ).all()
    if len(found) > 1:
        names = ", ".join(f"v{n}" for n in found)
        raise StoreError(f"more than one {status} model: {names}; restore the store from a backup")
    return f"v{found[0]}" if found else None


def _newest(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(_models.c.version))) or 0


def _number(name: str) -> int:
    if not name.startswith("v") or not name[1:].isdecimal():
        raise StoreError(f"{name!r}: no version of a model; they are called v1, v2, …")
    return int(name[1:])
