"""Who may call the server, and what was answered to requests that may come again."""

from typing import NamedTuple

import sqlalchemy as sa

from quivive.model.audit import Entry
from quivive.store.audit import append
from quivive.store.database import Store, StoreError, metadata
from quivive.store.schema import upsert

ANSWERS_KEPT = 3 * 86_400_000  # ms: for so long a repeated Idempotency-Key gives the same answer

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger),
    sa.Column("revoked", sa.BigInteger),
    sa.Column("fallback", sa.Text, nullable=False),
    sa.Column("rate", sa.Float),
)
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)


class Token(NamedTuple):
    """A caller. digest: SHA-256 of the secret; times in ms UTC; rate: requests a second, None for
    no limit; fallback: "open" or "closed", what it is told when there is no answer in time.
    """

    id: str
    name: str
    scopes: str
    digest: bytes
    created: int
    expires: int | None = None
    revoked: int | None = None
    fallback: str = "open"
    rate: float | None = None

    def __repr__(self) -> str:
        """Without the digest."""
        return f"Token({self.id}, {self.name!r}, {self.scopes})"

    def valid(self, now: int) -> bool:
        """Whether it may be used at ``now`` (ms UTC)."""
        return self.revoked is None and (self.expires is None or now < self.expires)


class Kept(NamedTuple):
    """An answer that was given: key, digest of what was asked, the answer, when (ms UTC)."""

    key: str
    digest: bytes
    body: bytes
    at: int


class Access:
    """The tokens of a store."""

    def __init__(self, store: Store) -> None:
        """Of ``store``."""
        self.store = store

    def all(self) -> list[Token]:
        """Every token, oldest first."""
        query = sa.select(tokens).order_by(tokens.c.created, tokens.c.id)
        with self.store.reading() as connection:
            rows = connection.execute(query).all()
        return [Token(**{**row._mapping, "digest": bytes(row.digest)}) for row in rows]

    def add(self, token: Token, entry: Entry) -> None:
        """Keeps a new token, with its record in the audit trail."""
        with self.store.transaction() as connection:
            connection.execute(sa.insert(tokens), token._asdict())
            append(connection, [entry])

    def revoke(self, token_id: str, entry: Entry) -> None:
        """Ends a token, with its record in the audit trail. Raises StoreError for an unknown one,
        or one that is revoked already.
        """
        mine = (tokens.c.id == token_id) & tokens.c.revoked.is_(None)
        with self.store.transaction() as connection:
            statement = sa.update(tokens).where(mine).values(revoked=entry.time)
            if not connection.execute(statement).rowcount:
                raise StoreError(
                    f"no token {token_id} that could be revoked; quivive token list shows them"
                )
            append(connection, [entry])

    def answer(self, key: str) -> Kept | None:
        """What was answered under an idempotency key."""
        query = sa.select(answers).where(answers.c.key == key)
        with self.store.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else Kept(row.key, bytes(row.digest), bytes(row.body), row.at)


def keep_answer(connection: sa.Connection, kept: Kept) -> None:
    """Keeps an answer in the transaction of what it tells; forgets those that are too old."""
    connection.execute(sa.delete(answers).where(answers.c.at < kept.at - ANSWERS_KEPT))
    statement = upsert(connection, answers, Kept._fields, replace=False)
    connection.exec_driver_sql(statement, tuple(kept))
