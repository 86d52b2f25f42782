"""Batches: a row for each identity, address and network, runs that can go on, journal, outbox."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
IDLE, STRAY_IDLE = 45 * DAY_MS, 2 * DAY_MS
PARTS = ("organisation", "directory", "calibrations", "monitor", "novelty", "thresholds")
ROWS = 500


def upgrade() -> None:
    """Makes the tables, and moves the state that was one value into them."""
    op.add_column("assessments", sa.Column("run", sa.Integer, nullable=False, server_default="0"))
    op.add_column(
        "assessments", sa.Column("position", sa.BigInteger, nullable=False, server_default="0")
    )
    if op.get_bind().dialect.name == "sqlite":  # there were no others
        op.execute("UPDATE assessments SET position = rowid")
    for column in ("time", "risk_score"):
        op.create_index(f"ix_assessments_{column}", "assessments", [column], if_not_exists=True)
    op.drop_index("ix_assessments_identity", "assessments", if_exists=True)
    op.create_index("ix_assessments_identity_time", "assessments", ["identity", "time"])
    op.create_index("ix_assessments_run_position", "assessments", ["run", "position"])
    op.create_index(
        "ix_assessments_findings",
        "assessments",
        ["time"],
        sqlite_where=sa.text("finding"),
        postgresql_where=sa.text("finding"),
    )
    for name in ("profiles", "addresses", "networks", "places"):
        op.create_table(
            name,
            sa.Column("key", sa.Text, primary_key=True),
            sa.Column("body", sa.LargeBinary, nullable=False),
            sa.Column("until", sa.BigInteger, index=True),
            sa.Column("swept", sa.BigInteger, nullable=False),
        )
    op.create_table(
        "seen",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digests", sa.LargeBinary, nullable=False),
        sa.Column("oldest", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False, index=True),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("consumed", sa.BigInteger, nullable=False),
        sa.Column("chain", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("written", sa.BigInteger, nullable=False),
        sa.Column("checksum", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("state", sa.Text, nullable=False, server_default="due"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "kind", "due"])
    _split(op.get_bind())


def _split(connection: sa.Connection) -> None:
    """One msgpack map becomes a value a part, and a row an entry."""
    body = connection.scalar(sa.text("SELECT body FROM state WHERE name = 'engine'"))
    if body is None:
        return
    try:
        old: Any = msgspec.msgpack.decode(body)
    except msgspec.DecodeError:
        return  # damaged before: whoever loads it says so
    if not isinstance(old, dict) or old.get("version") != 1:
        return
    encode = msgspec.msgpack.encode
    profiles = old.pop("profiles", {})
    organisation = old.setdefault("organisation", {})
    organisation["known"] = sum(bool(p.get("successes")) for p in profiles.values())
    swept = organisation.get("swept", 0)
    insert = "INSERT INTO {} (key, body, until, swept) VALUES (:key, :body, :until, :swept)"
    for name, rows in (
        ("profiles", ((key, p, _profile_until(p)) for key, p in profiles.items())),
        ("addresses", _addresses(old.pop("addresses", {}))),
        ("networks", _addresses(old.pop("networks", {}))),
        ("places", _places(old.pop("places", {}), swept // DAY_MS)),
    ):
        some = []
        for key, entry, until in rows:
            some.append({"key": key, "body": encode(entry), "until": until, "swept": swept})
            if len(some) == ROWS:
                connection.execute(sa.text(insert.format(name)), some)
                some = []
        if some:
            connection.execute(sa.text(insert.format(name)), some)
    ids = old.pop("seen", {})
    digests = [
        blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).digest() for key in ids
    ]
    if digests:
        connection.execute(
            sa.text("INSERT INTO seen (number, digests, oldest) VALUES (0, :digests, 0)"),
            {"digests": b"".join(digests)},
        )
    parts = {f"engine/{name}": old[name] for name in PARTS if name in old}
    connection.execute(
        sa.text("INSERT INTO state (name, body) VALUES (:name, :body)"),
        [{"name": name, "body": encode(part)} for name, part in parts.items()],
    )
    connection.execute(
        sa.text("UPDATE state SET body = :body WHERE name = 'engine'"), {"body": encode(2)}
    )


def _profile_until(profile: dict[str, Any]) -> int | None:
    if profile.get("successes") or profile.get("held") or profile.get("judged"):
        return None
    failed: int = profile.get("failures", {}).get("hour", 0) * HOUR_MS
    first: int = profile.get("first_seen", 0)
    return max(first, failed) + STRAY_IDLE


def _places(
    found: dict[str, dict[str, Any]], day: int
) -> Iterator[tuple[str, dict[str, Any], int]]:
    for key, entry in found.items():
        entry["day"] = entry.get("day") or day
        yield key, entry, (entry["day"] + 1) * DAY_MS + IDLE


def _addresses(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], int]]:
    for key, entry in found.items():
        idle = IDLE if entry.get("good") or entry.get("hostile") else STRAY_IDLE
        yield key, entry, entry.get("last_seen", 0) + idle
