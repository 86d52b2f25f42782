"""``quivive prune``: forget what is older than it may be kept."""

import click

from quivive.cli.acting import who

WORDS = {
    "assessments": "logins",
    "dead_letters": "rejected records",
    "telemetry": "files of telemetry",
}


@click.command("prune")
@click.option("--state", required=True, metavar="DIR|URL", help="The state of quivive score.")
@click.option(
    "--older-than", required=True, metavar="AGE", help="Days, weeks or years: 400d, 8w, 2y."
)
@click.option(
    "--what",
    default="telemetry,assessments,dead_letters",
    show_default=True,
    metavar="CLASSES",
    help="Which classes of data, with commas between.",
)
@click.option("--telemetry-dir", metavar="DIR", help="Telemetry that is not in the state's folder.")
@click.option("--by", metavar="NAME", help="Who does it; kept.  [default: you]")
def command(
    state: str, older_than: str, what: str, telemetry_dir: str | None, by: str | None
) -> None:
    """Delete what is older than it may be kept; the audit trail says what, and who did it.

    What was learned of identities stays: it fades by itself. So do verdicts, incidents and the
    audit trail. Run it daily, with one age for each class.
    """
    from quivive.app.retention import parse_age, parse_classes, prune
    from quivive.app.telemetry import folder_of
    from quivive.store.audit import now
    from quivive.store.database import Store

    days, chosen = parse_age(older_than), parse_classes(what)
    with Store(state, create=False) as store:
        given = telemetry_dir is not None or store.folder is not None
        folder = folder_of(store, telemetry_dir) if given else None
        gone = prune(store, folder, chosen, days, who(by), now())
    for name, count in gone.items():
        click.echo(f"{count:,} {WORDS[name]} deleted", err=True)
