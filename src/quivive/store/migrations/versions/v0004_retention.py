"""When a record was rejected, so that it can be forgotten in time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column; what is there counts from the newest login on."""
    at = sa.Column("at", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("dead_letters", at)
    op.execute("UPDATE dead_letters SET at = coalesce((SELECT max(time) FROM assessments), 0)")
