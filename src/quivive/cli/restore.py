"""``quivive restore``: a backup checked, and put back."""

from pathlib import Path

import click

from quivive.app.errors import UsageError


@click.command("restore")
@click.argument("backup", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option("--state", metavar="DIR|URL", help="Where to: an empty folder, or one to be made.")
@click.option(
    "--check", "only_check", is_flag=True, help="Only read it, and say whether it is whole."
)
@click.option(
    "--telemetry-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="For a database: where its telemetry goes.",
)
def command(backup: Path, state: str | None, only_check: bool, telemetry_dir: Path | None) -> None:
    """Put a backup of quivive backup back, or only check it.

    Every file must be as it was written. Nothing is overwritten, and a backup of a newer Quivive is
    refused. For PostgreSQL, pg_restore the dump first: the rest is put back beside it.

    Exit 1: put back, and its audit trail is not as it was written.
    """
    from quivive.app.backup import SETTINGS
    from quivive.app.restore import check, restore, restore_beside
    from quivive.app.verdicts import said
    from quivive.cli.shared import printable
    from quivive.model.words import counted
    from quivive.store.database import Store

    if only_check == (state is not None):
        raise UsageError("--check alone, or --state with where it goes")
    broken = None
    if state is None:
        found = check(backup)
        where = str(backup)
    elif "://" in state:
        with Store(state, create=False) as store:
            found, broken = restore_beside(backup, store, telemetry_dir)
            where = store.given
    else:
        if telemetry_dir is not None:
            raise UsageError("--telemetry-dir is for a database: a folder has its telemetry in it")
        found, broken = restore(backup, Path(state))
        where = state
    newest = "no login" if found.newest is None else f"logins up to {said(found.newest)} UTC"
    click.echo(
        printable(
            f"{where}: {counted(len(found.files), 'file')} as written on {said(found.made)} UTC by"
            f" Quivive {found.quivive}, {newest}"
        )
    )
    for part in found.files:
        if part.path.startswith(f"{SETTINGS}/"):
            click.echo(printable(f"{part.path} was {part.was}"))
    if state is not None:
        click.echo(
            "score the logs since then again: a login with an id that is known changes nothing;"
            " of logs without ids, such as sshd's, give only what is new",
            err=True,
        )
    if broken is not None:
        at = f"record {broken.seq}: " if broken.seq else ""
        click.echo(printable(f"the audit trail is broken: {at}{broken.what}"), err=True)
        click.echo("what to do: docs/runbooks/audit-broken.md", err=True)
        raise click.exceptions.Exit(1)
