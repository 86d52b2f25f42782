"""What a login taught, for verdicts, and whether it was a finding."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the columns; the risk says what was a finding before."""
    op.add_column("assessments", sa.Column("lesson", sa.LargeBinary))
    op.add_column("assessments", sa.Column("kind", sa.Text))
    op.add_column("assessments", sa.Column("stratum", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "assessments",
        sa.Column("finding", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.execute("UPDATE assessments SET finding = true WHERE risk_score >= 46")
