"""``quivive backup``: everything that cannot be had again, in one folder or tar file."""

from pathlib import Path

import click

from quivive.cli.acting import now, opened_store, who


@click.command("backup")
@click.argument("out", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option("--state", required=True, metavar="DIR|URL", help="The state of quivive score.")
@click.option("--telemetry-dir", metavar="DIR", help="Telemetry that is not in the state's folder.")
@click.option("--no-telemetry", is_flag=True, help="Leave telemetry out.")
@click.option(
    "--also",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="A settings file, policy, aliases or folder to take along (may be repeated).",
)
@click.option("--by", metavar="NAME", help="Who does it; kept.  [default: you]")
def command(
    out: Path,
    state: str,
    telemetry_dir: str | None,
    no_telemetry: bool,
    also: tuple[Path, ...],
    by: str | None,
) -> None:
    """Back up a state: store, keys, telemetry, and the files that --also names.

    DIR|FILE is a new folder, or a tar file (.tar, .tar.gz). What is copied is as of one instant,
    also while a server is at work, and is checked. It holds keys and people's data: keep it so.

    Exit 1: made, and its audit trail is not as it was written.
    """
    from quivive.app.backup import Asked, make
    from quivive.app.telemetry import folder_of
    from quivive.cli.shared import printable, without_password
    from quivive.model.words import counted
    from quivive.store.copying import schema_of

    store = opened_store(state)
    given = telemetry_dir is not None or store.folder is not None
    folder = folder_of(store, telemetry_dir) if given and not no_telemetry else None
    made = make(store, out, Asked(folder, also, who(by), now()))
    size = sum(part.size for part in made.files)
    click.echo(
        printable(
            f"{out}: {counted(len(made.files), 'file')}, {size / 1e6:,.1f} MB, audit trail of"
            f" {counted(made.records, 'record')}"
        )
    )
    for text in made.left_out:
        click.echo(printable(f"not in it: {text}"), err=True)
    if made.store == "postgresql":
        dump = f"pg_dump --format=custom --schema={schema_of(store)} --file=DUMP"
        click.echo(printable(f"now the database: {dump} '{without_password(state)}'"), err=True)
    if made.broken is not None:
        click.echo(printable(f"the audit trail is broken: {made.broken}"), err=True)
        click.echo("what to do: docs/runbooks/audit-broken.md", err=True)
        raise click.exceptions.Exit(1)
