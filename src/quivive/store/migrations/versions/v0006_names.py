"""Of which product and log each login is: vendors give ids each for itself."""

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROWS = 1_000
MOST_PART = 64


class _Product(msgspec.Struct):
    name: str = ""


class _Metadata(msgspec.Struct):
    product: _Product
    log_name: str | None = None


class _Event(msgspec.Struct):
    metadata: _Metadata


class _Line(msgspec.Struct):
    event: _Event


_decoder = msgspec.json.Decoder(_Line)


def upgrade() -> None:
    """Adds the columns and the list of sources, and reads them from the lines that are kept."""
    op.add_column("assessments", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.add_column("assessments", sa.Column("plain", sa.Text))
    op.create_index(
        "ix_assessments_plain",
        "assessments",
        ["plain"],
        sqlite_where=sa.text("plain IS NOT NULL"),
        postgresql_where=sa.text("plain IS NOT NULL"),
    )
    op.create_table("sources", sa.Column("source", sa.Text, primary_key=True))
    connection = op.get_bind()
    read = sa.text("SELECT id, body FROM assessments WHERE id > :after ORDER BY id LIMIT :rows")
    write = sa.text("UPDATE assessments SET source = :source WHERE id = :id")
    sources, after = set[str](), ""
    while rows := connection.execute(read, {"after": after, "rows": ROWS}).all():
        found = [{"id": row.id, "source": _source(row.body)} for row in rows]
        connection.execute(write, found)
        sources |= {one["source"] for one in found}
        after = rows[-1].id
    sources.discard("")
    if sources:
        insert = sa.text("INSERT INTO sources (source) VALUES (:source)")
        connection.execute(insert, [{"source": source} for source in sorted(sources)])


def _source(body: Any) -> str:
    """``product|log``; empty for a line that is damaged: whoever reads that one says so."""
    try:
        metadata = _decoder.decode(bytes(body)).event.metadata
    except msgspec.DecodeError:
        return ""
    parts = (metadata.product.name, metadata.log_name or "")
    return "|".join(part.replace("|", "/")[:MOST_PART] for part in parts)
