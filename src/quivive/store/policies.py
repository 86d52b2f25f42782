"""Versions of the policy, its flags, and contexts: what is in force, and every change of it.

A version's text never changes once it is written. Which one is active is what the history says
last; both histories are append-only.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from quivive.model.context import Context
from quivive.store.database import Store, StoreError, metadata
from quivive.store.models import Author
from quivive.store.schema import append_only

SHIPPED_NAME = "shipped"  # the policy that comes with Quivive, which is no row

_versions = sa.Table(
    "policies",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
_history = sa.Table(
    "policy_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("replaced", sa.Text),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)
_flags = sa.Table(
    "policy_flags",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("on", sa.Boolean, nullable=False),
)
_contexts = sa.Table(
    "contexts",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("begins", sa.BigInteger, nullable=False),
    sa.Column("ends", sa.BigInteger, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
append_only(_history)
ACTIVATED = ("activate", "rollback")
BUDGET, NO_BUDGET = "budget-set", "budget-clear"
HELD = (BUDGET, NO_BUDGET)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Context).decode

# Runs in the transaction of a change, so that there is no change without its record.
Recorder = Callable[[sa.Connection, "Change"], None]


class Version(NamedTuple):
    """A version of the policy: ``name`` p1, p2…; digest: SHA-256 of its text; written: ms UTC."""

    name: str
    digest: str
    body: str
    written: int
    by: str


class Change(NamedTuple):
    """One change. action: activate, rollback, flag-on, flag-off, context-add, context-end,
    budget-set, budget-clear; subject: the version, flag, context or budget ("human=0.3%");
    replaced: the version that was active, or the budget that held before.
    """

    at: int
    action: str
    subject: str
    replaced: str | None
    by: str
    why: str


class Policies:
    """What of policy a store keeps. Every change is one transaction."""

    def __init__(self, store: Store) -> None:
        """Reads from and writes to ``store``."""
        self.store = store

    # --- versions

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        query = sa.select(_versions).order_by(_versions.c.version)
        with self.store.reading() as connection:
            rows = connection.execute(query).all()
        return [Version(f"p{r.version}", r.digest, r.body, r.written, r.by) for r in rows]

    def version(self, name: str) -> Version:
        """One version. Raises StoreError where there is none of that name."""
        number = int(name[1:]) if name[:1] == "p" and name[1:].isdecimal() else 0
        query = sa.select(_versions).where(_versions.c.version == number)
        with self.store.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise StoreError(f"{self.store.given}: no policy {name!r}; see quivive policy list")
        return Version(name, row.digest, row.body, row.written, row.by)

    def active(self) -> str:
        """The active version, or ``shipped``."""
        with self.store.reading() as connection:
            return _active(connection)

    def history(self) -> list[Change]:
        """Every change, oldest first."""
        columns = [c for c in _history.c if c.name != "id"]
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(*columns).order_by(_history.c.id)).all()
        return [Change(*row) for row in rows]

    def revision(self) -> int:
        """A number that grows with every change: a server looks here whether to load anew."""
        with self.store.reading() as connection:
            return _last(connection)

    def activate(self, body: str, digest: str, author: Author, record: Recorder) -> str:
        """Makes a text the active policy; gives its version. The same text keeps its version."""
        with self.store.transaction() as connection:
            query = sa.select(_versions.c.version).where(_versions.c.digest == digest)
            number = connection.scalar(query)
            if number is None:
                newest = connection.scalar(sa.select(sa.func.max(_versions.c.version))) or 0
                number = newest + 1
                row = Version("", digest, body, author.at, author.by)._asdict() | {
                    "version": number
                }
                del row["name"]
                connection.execute(sa.insert(_versions), row)
            name = f"p{number}"
            _note(connection, "activate", name, author, record, _active(connection))
        return name

    def roll_back(self, to: str | None, author: Author, record: Recorder) -> tuple[str, str]:
        """Returns to what was active before, or to a version; gives the former and the active.

        Raises StoreError when there is nothing to go back to.
        """
        with self.store.transaction() as connection:
            former = _active(connection)
            if to is None:
                query = (
                    sa.select(_history.c.replaced)
                    .where((_history.c.action == "activate") & (_history.c.subject == former))
                    .order_by(_history.c.id.desc())
                    .limit(1)
                )
                to = connection.scalar(query)
                if to is None:
                    raise StoreError(
                        f"{self.store.given}: {former} is the first policy; there is none to roll"
                        " back to"
                    )
            elif to != SHIPPED_NAME:
                self.version(to)
            if to == former:
                raise StoreError(f"{self.store.given}: {to} is active already")
            _note(connection, "rollback", to, author, record, former)
        return former, to

    # --- flags

    def flags(self) -> dict[str, bool]:
        """The flags that were switched, by name."""
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(_flags).order_by(_flags.c.name)).all()
        return {r.name: r.on for r in rows}

    def switch(self, flag: str, on: bool, author: Author, record: Recorder) -> None:
        """Switches a flag on or off, whatever the policy says of it."""
        with self.store.transaction() as connection:
            connection.execute(sa.delete(_flags).where(_flags.c.name == flag))
            connection.execute(sa.insert(_flags), {"name": flag, "on": on})
            _note(connection, "flag-on" if on else "flag-off", flag, author, record)

    # --- budgets of findings

    def budgets(self) -> dict[str, str]:
        """The budgets that were saved, by class of identity, as an operator writes them."""
        query = sa.select(_history.c.action, _history.c.subject).order_by(_history.c.id)
        found: dict[str, str] = {}
        with self.store.reading() as connection:
            for action, subject in connection.execute(query.where(_history.c.action.in_(HELD))):
                of, _, text = subject.partition("=")
                found.pop(of, None)
                if action == BUDGET:
                    found[of] = text
        return found

    def hold(self, of: str, text: str, author: Author, record: Recorder) -> None:
        """Saves the budget of a class, or with an empty text that it has none."""
        before = self.budgets().get(of)
        with self.store.transaction() as connection:
            subject = f"{of}={text}" if text else of
            action = BUDGET if text else NO_BUDGET
            _note(connection, action, subject, author, record, before)

    # --- contexts

    def contexts(self) -> list[Context]:
        """Every context ever added, oldest first."""
        query = sa.select(_contexts.c.body).order_by(_contexts.c.number)
        with self.store.reading() as connection:
            return [_decode(body) for body in connection.scalars(query)]

    def add(self, contexts: list[Context], author: Author, record: Recorder) -> list[Context]:
        """Adds contexts, all or none; those without an id get one (c1, c2…).

        Raises StoreError for an id that is taken.
        """
        added = []
        with self.store.transaction() as connection:
            newest = connection.scalar(sa.select(sa.func.max(_contexts.c.number))) or 0
            for number, given in enumerate(contexts, newest + 1):
                context = msgspec.structs.replace(given, id=given.id or f"c{number}")
                taken = sa.select(_contexts.c.number).where(_contexts.c.id == context.id)
                if connection.scalar(taken) is not None:
                    raise StoreError(
                        f"{self.store.given}: there is a context {context.id} already; give the"
                        " other id, or end that one first; nothing was added"
                    )
                row = {
                    "number": number,
                    "id": context.id,
                    "begins": context.begins,
                    "ends": context.ends,
                    "body": _encode(context),
                }
                connection.execute(sa.insert(_contexts), row)
                _note(connection, "context-add", context.id, author, record)
                added.append(context)
        return added

    def end(self, name: str, author: Author, record: Recorder) -> Context:
        """Ends a context now, or before it begins. Raises StoreError when it has ended."""
        with self.store.transaction() as connection:
            query = sa.select(_contexts.c.body).where(_contexts.c.id == name)
            body = connection.scalar(query)
            if body is None:
                raise StoreError(
                    f"{self.store.given}: no context {name!r}; see quivive context list"
                )
            context = _decode(body)
            if context.ends <= author.at:
                raise StoreError(f"{self.store.given}: context {name} has ended already")
            ended = msgspec.structs.replace(context, ends=max(author.at, context.begins))
            connection.execute(
                sa.update(_contexts)
                .where(_contexts.c.id == name)
                .values(ends=ended.ends, body=_encode(ended))
            )
            _note(connection, "context-end", name, author, record)
        return ended


def _last(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(_history.c.id))) or 0


def _active(connection: sa.Connection) -> str:
    query = (
        sa.select(_history.c.subject)
        .where(_history.c.action.in_(ACTIVATED))
        .order_by(_history.c.id.desc())
        .limit(1)
    )
    return connection.scalar(query) or SHIPPED_NAME


def _note(
    connection: sa.Connection,
    action: str,
    subject: str,
    author: Author,
    record: Recorder,
    replaced: str | None = None,
) -> None:
    change = Change(author.at, action, subject, replaced, author.by, author.why)
    row = change._asdict() | {"id": _last(connection) + 1}
    connection.execute(sa.insert(_history), row)
    record(connection, change)
