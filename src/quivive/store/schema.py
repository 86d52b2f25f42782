"""The tables of the store that runs write; verdicts, models and others keep theirs beside them."""

from functools import cache
from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 6
BATCH = 2000
ENTRY_TABLES = ("profiles", "addresses", "networks", "places")

metadata = sa.MetaData()
meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
state = sa.Table(
    "state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
# What is known of each identity, address and network, and places that vendors stated of them.
# until: from which time on a sweep forgets it; swept: the sweep since which it was touched.
entries = {
    name: sa.Table(
        name,
        metadata,
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("until", sa.BigInteger, index=True),
        sa.Column("swept", sa.BigInteger, nullable=False),
    )
    for name in ENTRY_TABLES
}
# Digests of ids, many a row: number of the first, and the oldest that is still remembered.
seen = sa.Table(
    "seen",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digests", sa.LargeBinary, nullable=False),
    sa.Column("oldest", sa.BigInteger, nullable=False),
)
assessments = sa.Table(
    "assessments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("time", sa.BigInteger, nullable=False, index=True),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("risk_score", sa.Float, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("lesson", sa.LargeBinary),
    sa.Column("kind", sa.Text),
    sa.Column("stratum", sa.Text, nullable=False, server_default=""),
    sa.Column("finding", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("run", sa.Integer, nullable=False, server_default="0"),
    sa.Column("position", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("source", sa.Text, nullable=False, server_default=""),
    sa.Column("plain", sa.Text),
)
sa.Index("ix_assessments_run_position", assessments.c.run, assessments.c.position)
sa.Index("ix_assessments_identity_time", assessments.c.identity, assessments.c.time)
sa.Index(
    "ix_assessments_findings",
    assessments.c.time,
    sqlite_where=assessments.c.finding,
    postgresql_where=assessments.c.finding,
)
sa.Index(
    "ix_assessments_plain",
    assessments.c.plain,
    sqlite_where=assessments.c.plain.is_not(None),
    postgresql_where=assessments.c.plain.is_not(None),
)
# Every source (product|log) that a login came from: see model/naming.py.
sources = sa.Table("sources", metadata, sa.Column("source", sa.Text, primary_key=True))
# One row a run over files: how far it is, and what it was asked.
runs = sa.Table(
    "runs",
    metadata,
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
# at: the newest login that was known when it was rejected, ms UTC.
dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sample", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, server_default="0"),
)
# Events judged since the last checkpoint of the state, as they came.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
# What is to be done outside, once each: key is what makes it one. Times in ms UTC.
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False, server_default="due"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
)
sa.Index("ix_outbox_due", outbox.c.state, outbox.c.kind, outbox.c.due)


def append_only(table: sa.Table) -> None:
    """Makes the database refuse every change of a row of ``table``, once the table is made."""
    name = table.name
    refuse = f"SELECT RAISE(ABORT, '{name} is append-only')"
    raises = f"RAISE EXCEPTION '{name} is append-only'"
    function = f"CREATE OR REPLACE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    trigger = f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
    statements = [
        ("sqlite", f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb} ON {name} BEGIN {refuse}; END")
        for verb in ("update", "delete")
    ]
    statements.append(("postgresql", f"{function} $$ BEGIN {raises}; END $$"))
    statements.append(
        ("postgresql", f"{trigger} FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()")
    )
    for dialect, statement in statements:
        made = sa.DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
        sa.event.listen(table, "after_create", made.execute_if(dialect=dialect))


def cursor(connection: sa.Connection) -> Any:
    """The driver's own cursor in the transaction of ``connection``: for statements that come with
    every group of logins, of which SQLAlchemy's part (some 60 microseconds each) is the larger.
    """
    driver: Any = connection.connection.dbapi_connection
    return driver.cursor()


def upsert(
    connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], *, replace: bool
) -> str:
    """An insert as the driver takes it, for many rows at once; a row whose primary key is there
    already is replaced or left as it is.
    """
    return _upsert(connection.dialect.name, table, columns, replace)


@cache
def _upsert(dialect: str, table: sa.Table, columns: tuple[str, ...], replace: bool) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    quoted = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join(mark for _ in columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    others = [name for name in columns if name not in table.primary_key.columns]
    what = "NOTHING"
    if replace:
        what = "UPDATE SET " + ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return f"INSERT INTO {table.name} ({quoted}) VALUES ({marks}) ON CONFLICT ({key}) DO {what}"  # noqa: S608
