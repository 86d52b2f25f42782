"""People who may use the console: accounts, sessions, and sign-ins that failed."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from quivive.model.audit import Entry
from quivive.store.audit import append
from quivive.store.database import Store, StoreError, metadata
from quivive.store.schema import upsert

FORGET_FAILURES = 86_400_000  # ms after which a name's failures are forgotten

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.BigInteger),
    sa.Column("totp", sa.Text, nullable=False),
    sa.Column("totp_step", sa.BigInteger, nullable=False),
    sa.Column("recovery", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, unique=True),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, index=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.BigInteger, nullable=False),
    sa.Column("form", sa.Text, nullable=False),
)
failures = sa.Table(
    "signin_failures",
    metadata,
    sa.Column("name", sa.LargeBinary, primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)


class Account(NamedTuple):
    """Somebody who may sign in. Times in ms UTC.

    password: an argon2id hash, "" where only OIDC signs in. totp: the sealed secret, "" without
    one; totp_step: the newest time step used, so that no code counts twice. recovery: digests of
    the codes left, separated by blanks. subject: "issuer subject" of OIDC.
    """

    name: str
    role: str
    password: str
    created: int
    must_change: bool = False
    disabled: int | None = None
    totp: str = ""
    totp_step: int = 0
    recovery: str = ""
    subject: str | None = None

    def __repr__(self) -> str:
        """Without what could sign in."""
        return f"Account({self.name!r}, {self.role})"


class Session(NamedTuple):
    """A browser that signed in. digest: SHA-256 of its id; form: what its forms must carry."""

    digest: bytes
    name: str
    created: int
    seen: int
    form: str

    def __repr__(self) -> str:
        """Without what could be used."""
        return f"Session({self.name!r})"


class Failures(NamedTuple):
    """How often in a row a name could not sign in, and until when it is not tried any more."""

    name: bytes
    times: int
    last: int
    until: int


class Accounts:
    """The accounts of a store."""

    def __init__(self, store: Store) -> None:
        """Of ``store``."""
        self.store = store

    def all(self) -> list[Account]:
        """Every account by name."""
        with self.store.reading() as connection:
            rows = connection.execute(sa.select(accounts).order_by(accounts.c.name)).all()
        return [Account(**row._mapping) for row in rows]

    def get(self, name: str) -> Account | None:
        """An account by its name."""
        return self._one(accounts.c.name == name)

    def by_subject(self, subject: str) -> Account | None:
        """An account by what OIDC calls it."""
        return self._one(accounts.c.subject == subject)

    def add(self, account: Account, entry: Entry) -> None:
        """Keeps a new account. Raises StoreError for a name that is taken."""
        with self.store.transaction() as connection:
            there = sa.select(accounts.c.name).where(accounts.c.name == account.name)
            if connection.scalar(there) is not None:
                raise StoreError(f"there is a user {account.name!r} already; quivive user list")
            connection.execute(sa.insert(accounts), account._asdict())
            append(connection, [entry])

    def change(self, name: str, entry: Entry | None, *, end: bool = False, **values: Any) -> None:
        """Changes an account, with its record. end: its sessions end with it.

        Raises StoreError for an unknown name.
        """
        with self.store.transaction() as connection:
            mine = accounts.c.name == name
            if not connection.execute(sa.update(accounts).where(mine).values(**values)).rowcount:
                raise StoreError(f"there is no user {name!r}; quivive user list shows them")
            if end:
                connection.execute(sa.delete(sessions).where(sessions.c.name == name))
            if entry is not None:
                append(connection, [entry])

    def step(self, name: str, step: int) -> bool:
        """Uses up a time step of TOTP; False for one that was used before."""
        mine = (accounts.c.name == name) & (accounts.c.totp_step < step)
        with self.store.transaction() as connection:
            return bool(
                connection.execute(sa.update(accounts).where(mine).values(totp_step=step)).rowcount
            )

    # --- sessions

    def begin(self, session: Session, entry: Entry, oldest: int) -> None:
        """Keeps a new session; forgets those begun before ``oldest`` (ms UTC)."""
        with self.store.transaction() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.created < oldest))
            connection.execute(sa.insert(sessions), session._asdict())
            append(connection, [entry])

    def session(self, digest: bytes) -> Session | None:
        """A session by the digest of its id."""
        with self.store.reading() as connection:
            row = connection.execute(sa.select(sessions).where(sessions.c.digest == digest)).first()
        return None if row is None else Session(bytes(row.digest), *tuple(row)[1:])

    def touch(self, digest: bytes, now: int) -> None:
        """A session was used."""
        mine = sessions.c.digest == digest
        with self.store.transaction() as connection:
            connection.execute(sa.update(sessions).where(mine).values(seen=now))

    def end(self, digest: bytes, entry: Entry | None = None) -> None:
        """Ends a session."""
        with self.store.transaction() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.digest == digest))
            if entry is not None:
                append(connection, [entry])

    # --- failures

    def failures(self, name: bytes) -> Failures:
        """How often a name (a digest of it) failed in a row."""
        with self.store.reading() as connection:
            row = connection.execute(sa.select(failures).where(failures.c.name == name)).first()
        return Failures(name, 0, 0, 0) if row is None else Failures(name, *tuple(row)[1:])

    def failed(self, found: Failures, entry: Entry) -> None:
        """Keeps a failure; forgets those of a day ago."""
        with self.store.transaction() as connection:
            old = failures.c.last < found.last - FORGET_FAILURES
            connection.execute(sa.delete(failures).where(old))
            statement = upsert(connection, failures, Failures._fields, replace=True)
            connection.exec_driver_sql(statement, tuple(found))
            append(connection, [entry])

    def forgive(self, name: bytes) -> None:
        """Forgets a name's failures: it signed in, or somebody reset it."""
        with self.store.transaction() as connection:
            connection.execute(sa.delete(failures).where(failures.c.name == name))

    def _one(self, where: "sa.ColumnElement[bool]") -> Account | None:
        with self.store.reading() as connection:
            row = connection.execute(sa.select(accounts).where(where)).first()
        return None if row is None else Account(**row._mapping)
