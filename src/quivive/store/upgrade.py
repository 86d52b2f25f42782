"""Bringing a store of an older version up, in place and in one transaction."""

from pathlib import Path

import sqlalchemy as sa

from quivive.store.errors import StoreError
from quivive.store.schema import SCHEMA_VERSION, meta

MIGRATIONS = Path(__file__).parent / "migrations"
# Alembic's own table, made without it: importing it takes longer than making a store.
_alembic = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)


def upgrade(connection: sa.Connection, version: int, where: str) -> None:
    """Runs the migrations from ``version`` on, in the transaction of ``connection``.

    Raises StoreError when what is there cannot be brought up; nothing has changed then.
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    context = MigrationContext.configure(connection)
    if not context.get_current_heads():
        context.stamp(script, revision(version))
    steps = MigrationContext.configure(
        connection, opts={"fn": lambda found, _: script._upgrade_revs("head", found)}
    )
    try:
        with Operations.context(steps):
            steps.run_migrations()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(
            f"{where}: store version {version} cannot be brought up: {error}; restore a backup, or"
            " start anew from the logs"
        ) from None
    stamp(connection, exists=True)


def stamp(connection: sa.Connection, *, exists: bool = False) -> None:
    """Notes that the tables are those of this version."""
    value = str(SCHEMA_VERSION)
    if exists:
        connection.execute(sa.update(meta).where(meta.c.key == "version").values(value=value))
        return
    connection.execute(sa.insert(meta), {"key": "version", "value": value})
    _alembic.create(connection)
    connection.execute(sa.insert(_alembic), {"version_num": revision(SCHEMA_VERSION)})


def revision(version: int) -> str:
    """Alembic's name of a version."""
    return f"{version:04}"
