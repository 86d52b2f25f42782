"""The tables of a store: made, or brought up from an older version in one transaction."""

import importlib
import pkgutil
from pathlib import Path

import sqlalchemy as sa

from quivive.store.connect import Place
from quivive.store.errors import StoreError
from quivive.store.schema import SCHEMA_VERSION, meta, metadata

MIGRATIONS = Path(__file__).parent / "migrations"
# Alembic's own table, made without it: importing it takes longer than making a store.
_alembic = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)


def version(connection: sa.Connection, place: Place) -> int:
    """The version of the tables that are there; 0 for none.

    Raises StoreError for another program's tables, and for a newer version.
    """
    present = set(sa.inspect(connection).get_table_names())
    if not present:
        return 0
    if not present.issuperset({"meta", "assessments"}):
        if place.folder is None:
            raise StoreError(
                f"{place.where}: tables of something else; choose another database or schema"
            )
        raise StoreError(f"{place.where}: a database of something else; choose another folder")
    found = connection.scalar(sa.select(meta.c.value).where(meta.c.key == "version"))
    if found is None or not found.isdecimal() or not 0 < int(found) <= SCHEMA_VERSION:
        raise StoreError(
            f"{place.where}: store version {found}, this Quivive reads {SCHEMA_VERSION};"
            " use the Quivive that wrote it, or another folder"
        )
    return int(found)


def make(connection: sa.Connection, place: Place) -> None:
    """Makes the tables where there are none, and brings older ones up to this version.

    Raises StoreError for what cannot be brought up; nothing has changed then.
    """
    found = version(connection, place)
    if 0 < found < SCHEMA_VERSION:
        upgrade(connection, found, place.where)
    elif not found:
        know_all_tables()
        metadata.create_all(connection)
        stamp(connection)


def know_all_tables() -> None:
    """Imports every module that has tables, so that a store is made with all of them."""
    for found in pkgutil.iter_modules([str(Path(__file__).parent)], "quivive.store."):
        if not found.ispkg:
            importlib.import_module(found.name)


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
