"""Streams of security events that receivers set up, and the tokens that wait in them.

A token is kept until its receiver acknowledges it. Times in ms UTC.
"""

import base64
from collections.abc import Callable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from quivive.store.schema import metadata, upsert

_streams = sa.Table(
    "ssf_streams",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
# Subjects that a stream's receiver wants nothing about, as canonical JSON.
_removed = sa.Table(
    "ssf_removed_subjects",
    metadata,
    sa.Column("stream_id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
)
_tokens = sa.Table(
    "ssf_tokens",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("stream_id", sa.Text, nullable=False),
    sa.Column("jti", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due", sa.BigInteger, nullable=False, server_default="0"),
)
sa.Index("ix_ssf_tokens_stream_jti", _tokens.c.stream_id, _tokens.c.jti, unique=True)
sa.Index("ix_ssf_tokens_stream_number", _tokens.c.stream_id, _tokens.c.number)


class Waiting(NamedTuple):
    """A token in a stream's queue. attempts: to push it."""

    jti: str
    token: str
    attempts: int


def streams(connection: sa.Connection) -> list[bytes]:
    """All streams, as they were put."""
    query = sa.select(_streams.c.body).order_by(_streams.c.id)
    return [bytes(body) for body in connection.scalars(query)]


def put(connection: sa.Connection, stream_id: str, owner: str, body: bytes) -> None:
    """Keeps a stream."""
    statement = upsert(connection, _streams, ("id", "owner", "body"), replace=True)
    connection.exec_driver_sql(statement, (stream_id, owner, body))


def delete(connection: sa.Connection, stream_id: str) -> None:
    """Removes a stream with all that belongs to it."""
    connection.execute(sa.delete(_streams).where(_streams.c.id == stream_id))
    connection.execute(sa.delete(_removed).where(_removed.c.stream_id == stream_id))
    empty(connection, stream_id)


def empty(connection: sa.Connection, stream_id: str) -> None:
    """Drops the tokens that wait in a stream."""
    connection.execute(sa.delete(_tokens).where(_tokens.c.stream_id == stream_id))


def remove_subject(connection: sa.Connection, stream_id: str, subject: str) -> None:
    """Notes that a stream's receiver wants nothing about a subject."""
    statement = upsert(connection, _removed, ("stream_id", "subject"), replace=False)
    connection.exec_driver_sql(statement, (stream_id, subject))


def add_subject(connection: sa.Connection, stream_id: str, subject: str) -> None:
    """Takes that back."""
    mine = (_removed.c.stream_id == stream_id) & (_removed.c.subject == subject)
    connection.execute(sa.delete(_removed).where(mine))


def removed(connection: sa.Connection, stream_id: str) -> int:
    """How many subjects a stream's receiver wants nothing about."""
    query = sa.select(sa.func.count()).where(_removed.c.stream_id == stream_id)
    return connection.scalar(query) or 0


def unwanted(connection: sa.Connection, subjects: Sequence[str]) -> set[str]:
    """The streams whose receivers want nothing about any of some subjects."""
    query = sa.select(_removed.c.stream_id).where(_removed.c.subject.in_(list(subjects)))
    return set(connection.scalars(query))


def enqueue(connection: sa.Connection, stream_id: str, jti: str, token: str) -> None:
    """Puts a token at the end of a stream; one that is there already stays where it is."""
    mine = (_tokens.c.stream_id == stream_id) & (_tokens.c.jti == jti)
    if connection.scalar(sa.select(_tokens.c.number).where(mine)) is None:
        values = {"stream_id": stream_id, "jti": jti, "token": token}
        connection.execute(sa.insert(_tokens), values)


def waiting(
    connection: sa.Connection, stream_id: str, most: int, due: int | None = None
) -> list[Waiting]:
    """The oldest tokens of a stream; with ``due`` none when its oldest one is due later."""
    query = (
        sa.select(_tokens)
        .where(_tokens.c.stream_id == stream_id)
        .order_by(_tokens.c.number)
        .limit(most)
    )
    rows = connection.execute(query).all()
    if due is not None and rows and rows[0].due > due:
        return []
    return [Waiting(row.jti, row.token, row.attempts) for row in rows]


def length(connection: sa.Connection, stream_id: str) -> int:
    """How many tokens wait in a stream."""
    query = sa.select(sa.func.count()).where(_tokens.c.stream_id == stream_id)
    return connection.scalar(query) or 0


def leave(connection: sa.Connection, stream_id: str, jtis: Sequence[str]) -> set[str]:
    """Lets acknowledged tokens go; gives those that were there."""
    mine = (_tokens.c.stream_id == stream_id) & _tokens.c.jti.in_(list(jtis))
    there = set(connection.scalars(sa.select(_tokens.c.jti).where(mine)))
    if there:
        connection.execute(sa.delete(_tokens).where(mine))
    return there


def put_off(connection: sa.Connection, stream_id: str, jti: str, due: int) -> None:
    """A token could not be pushed: it, and all behind it, wait until ``due``."""
    mine = (_tokens.c.stream_id == stream_id) & (_tokens.c.jti == jti)
    values = {"due": due, "attempts": _tokens.c.attempts + 1}
    connection.execute(sa.update(_tokens).where(mine).values(values))


def forget(connection: sa.Connection, names: Callable[[bytes], bool]) -> int:
    """Deletes tokens that name somebody, which cannot be changed, for they are signed, and removed
    subjects; gives how many.
    """
    found = connection.execute(sa.select(_tokens.c.number, _tokens.c.token)).all()
    tokens = [row.number for row in found if names(_claims(row.token))]
    for number in tokens:
        connection.execute(sa.delete(_tokens).where(_tokens.c.number == number))
    rows = connection.execute(sa.select(_removed)).all()
    subjects = {row.subject for row in rows if names(row.subject.encode())}
    for subject in sorted(subjects):
        connection.execute(sa.delete(_removed).where(_removed.c.subject == subject))
    return len(tokens) + len(subjects)


def _claims(token: str) -> bytes:
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
