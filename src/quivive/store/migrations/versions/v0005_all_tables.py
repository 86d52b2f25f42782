"""Every table that was made when it was first needed, and streams of security events."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INDEXES = (
    ("ix_answers_at", "answers", ["at"], False),
    ("ix_audit_subject", "audit", ["subject"], False),
    ("ix_audit_time", "audit", ["time"], False),
    ("ix_contexts_ends", "contexts", ["ends"], False),
    ("ix_effects_verdict_id", "effects", ["verdict_id"], False),
    ("ix_incident_findings_incident_id", "incident_findings", ["incident_id"], False),
    ("ix_incidents_last", "incidents", ["last"], False),
    ("ix_incidents_status_last", "incidents", ["status", "last"], False),
    ("ix_sessions_name", "sessions", ["name"], False),
    ("ix_ssf_streams_owner", "ssf_streams", ["owner"], False),
    ("ix_ssf_tokens_stream_jti", "ssf_tokens", ["stream_id", "jti"], True),
    ("ix_ssf_tokens_stream_number", "ssf_tokens", ["stream_id", "number"], False),
    ("ix_verdicts_event_id", "verdicts", ["event_id"], False),
)
APPEND_ONLY = ("audit", "audit_checkpoints", "model_history", "policy_history", "verdicts")


def upgrade() -> None:
    """Makes what a store does not have yet."""
    present = set(sa.inspect(op.get_bind()).get_table_names())
    for name, columns in _tables().items():
        if name not in present:
            op.create_table(name, *columns)
            if name in APPEND_ONLY:
                _append_only(name)
    for name, table, indexed, unique in INDEXES:
        op.create_index(name, table, indexed, unique=unique, if_not_exists=True)


def _append_only(name: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"SELECT RAISE(ABORT, '{name} is append-only')"
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb} ON {name} BEGIN {refuse}; END"
            )
        return
    raises = f"RAISE EXCEPTION '{name} is append-only'"
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {raises}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()"
    )


def _tables() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "accounts": (
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
        ),
        "answers": (
            sa.Column("key", sa.Text, primary_key=True),
            sa.Column("digest", sa.LargeBinary, nullable=False),
            sa.Column("body", sa.LargeBinary, nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
        ),
        "asked": (
            sa.Column("event_id", sa.Text, primary_key=True),
            sa.Column("at_random", sa.Boolean, nullable=False),
            sa.Column("stratum", sa.Text, nullable=False),
            sa.Column("band", sa.Text, nullable=False),
        ),
        "audit": (
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("time", sa.BigInteger, nullable=False),
            sa.Column("actor", sa.Text, nullable=False),
            sa.Column("action", sa.Text, nullable=False),
            sa.Column("subject", sa.Text, nullable=False),
            sa.Column("details", sa.Text, nullable=False),
            sa.Column("previous", sa.LargeBinary, nullable=False),
            sa.Column("digest", sa.LargeBinary, nullable=False),
        ),
        "audit_checkpoints": (
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("time", sa.BigInteger, nullable=False),
            sa.Column("digest", sa.LargeBinary, nullable=False),
            sa.Column("key", sa.Text, nullable=False),
            sa.Column("signature", sa.Text, nullable=False),
        ),
        "contexts": (
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("id", sa.Text, nullable=False, unique=True),
            sa.Column("begins", sa.BigInteger, nullable=False),
            sa.Column("ends", sa.BigInteger, nullable=False),
            sa.Column("body", sa.LargeBinary, nullable=False),
        ),
        "effects": (
            sa.Column("event_id", sa.Text, primary_key=True),
            sa.Column("verdict_id", sa.Integer, nullable=False),
            sa.Column("body", sa.LargeBinary, nullable=False),
        ),
        "incident_findings": (
            sa.Column("event_id", sa.Text, primary_key=True),
            sa.Column("incident_id", sa.Text, nullable=False),
            sa.Column("time", sa.BigInteger, nullable=False),
            sa.Column("identity", sa.Text, nullable=False),
        ),
        "incidents": (
            sa.Column("id", sa.Text, primary_key=True),
            sa.Column("opened", sa.BigInteger, nullable=False),
            sa.Column("last", sa.BigInteger, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("priority", sa.Text, nullable=False),
            sa.Column("route", sa.Text, nullable=False),
            sa.Column("risk", sa.Float, nullable=False),
            sa.Column("findings", sa.Integer, nullable=False),
            sa.Column("told", sa.Integer, nullable=False),
            sa.Column("acknowledged", sa.Boolean, nullable=False),
            sa.Column("merged_into", sa.Text),
            sa.Column("body", sa.LargeBinary, nullable=False),
        ),
        "model_history": (
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("version", sa.Text, nullable=False),
            sa.Column("action", sa.Text, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("replaced", sa.Text),
            sa.Column("by", sa.Text, nullable=False),
            sa.Column("why", sa.Text, nullable=False),
            sa.Column("forced", sa.Boolean, nullable=False),
        ),
        "models": (
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("created", sa.BigInteger, nullable=False),
            sa.Column("written", sa.BigInteger, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("body", sa.LargeBinary, nullable=False),
            sa.Column("comparison", sa.LargeBinary, nullable=False),
        ),
        "policies": (
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("digest", sa.Text, nullable=False),
            sa.Column("body", sa.Text, nullable=False),
            sa.Column("written", sa.BigInteger, nullable=False),
            sa.Column("by", sa.Text, nullable=False),
        ),
        "policy_flags": (
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("on", sa.Boolean, nullable=False),
        ),
        "policy_history": (
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("action", sa.Text, nullable=False),
            sa.Column("subject", sa.Text, nullable=False),
            sa.Column("replaced", sa.Text),
            sa.Column("by", sa.Text, nullable=False),
            sa.Column("why", sa.Text, nullable=False),
        ),
        "sessions": (
            sa.Column("digest", sa.LargeBinary, primary_key=True),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("created", sa.BigInteger, nullable=False),
            sa.Column("seen", sa.BigInteger, nullable=False),
            sa.Column("form", sa.Text, nullable=False),
        ),
        "signin_failures": (
            sa.Column("name", sa.LargeBinary, primary_key=True),
            sa.Column("times", sa.Integer, nullable=False),
            sa.Column("last", sa.BigInteger, nullable=False),
            sa.Column("until", sa.BigInteger, nullable=False),
        ),
        "ssf_removed_subjects": (
            sa.Column("stream_id", sa.Text, primary_key=True),
            sa.Column("subject", sa.Text, primary_key=True),
        ),
        "ssf_streams": (
            sa.Column("id", sa.Text, primary_key=True),
            sa.Column("owner", sa.Text, nullable=False),
            sa.Column("body", sa.LargeBinary, nullable=False),
        ),
        "ssf_tokens": (
            sa.Column("number", sa.Integer, primary_key=True),
            sa.Column("stream_id", sa.Text, nullable=False),
            sa.Column("jti", sa.Text, nullable=False),
            sa.Column("token", sa.Text, nullable=False),
            sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
            sa.Column("due", sa.BigInteger, nullable=False, server_default="0"),
        ),
        "telemetry": (
            sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("position", sa.BigInteger, nullable=False),
        ),
        "tokens": (
            sa.Column("id", sa.Text, primary_key=True),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("scopes", sa.Text, nullable=False),
            sa.Column("digest", sa.LargeBinary, nullable=False),
            sa.Column("created", sa.BigInteger, nullable=False),
            sa.Column("expires", sa.BigInteger),
            sa.Column("revoked", sa.BigInteger),
            sa.Column("fallback", sa.Text, nullable=False),
            sa.Column("rate", sa.Float),
        ),
        "used_links": (
            sa.Column("serial", sa.Text, primary_key=True),
            sa.Column("event_id", sa.Text, nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
        ),
        "verdicts": (
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("event_id", sa.Text, nullable=False),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("by", sa.Text, nullable=False),
            sa.Column("why", sa.Text, nullable=False),
            sa.Column("when", sa.BigInteger, nullable=False),
            sa.Column("supersedes", sa.Integer),
        ),
    }
