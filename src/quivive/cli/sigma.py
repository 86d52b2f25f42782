"""``quivive sigma``: what becomes of Sigma rules here."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app import ingest
from quivive.cli.shared import printable, reading_options
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.app.sigma import Found, Watching

ABOUT = "logsource"


@click.group("sigma")
def command() -> None:
    """Check Sigma rules: which can be used, which match, and why not."""


@command.command("check")
@click.option("--quiet", is_flag=True, help="Say nothing of rules about logs that are not read.")
@reading_options
@click.argument("folder", metavar="DIR")
@click.argument("files", nargs=-1, metavar="[LOG…]")
def check_command(
    quiet: bool,
    source: str,
    map_file: str | None,
    strict: bool,
    folder: str,
    files: tuple[str, ...],
) -> None:
    """Say which Sigma rules of DIR can be used; of others where they are, why not, what to do.

    With LOGs, also how many logins each rule matches there, and which of its fields no record has.
    Exit 0: every rule can be used, but for those about logs that are not read; 1: some cannot.
    """
    from quivive.app.maps import load_map
    from quivive.app.sigma import Watching, read_folder

    ingest.check_files(files)
    chosen = ingest.choose(source, load_map(Path(map_file)) if map_file else None)
    found = read_folder(Path(folder))
    foreign = [left for left in found.left if left.text.startswith(ABOUT)]
    wrong = [left for left in found.left if not left.text.startswith(ABOUT)]
    for left in wrong if quiet else found.left:
        click.echo(printable(str(left)))
    if files and found.rules:
        marking = Watching(found)
        tally = ingest.Tally()
        reference = ingest.reference_time(files)
        for path, name in zip(files, ingest.log_names(files), strict=True):
            for _ in ingest.events(path, chosen, tally, reference, name=name, rules=marking):
                pass
        _show(found, marking)
        click.echo(f"{counted(sum(tally.events.values()), 'login')} read", err=True)
        if strict and tally.rejects:
            raise click.exceptions.Exit(1)
    elif found.rules:
        _show(found, None)
    click.echo(
        f"{folder}: {counted(len(found.rules), 'rule')} can be used,"
        f" {len(wrong)} cannot, {len(foreign)} about logs that are not read",
        err=True,
    )
    if wrong or not found.rules:
        raise click.exceptions.Exit(1)


def _show(found: "Found", marking: "Watching | None") -> None:
    """The rules that can be used, by source."""
    from quivive.app.sigma import by_source
    from quivive.sigma.logsources import NORMALISED

    for source, rules in by_source(found).items():
        click.echo(f"{'every login' if source == NORMALISED else source}:")
        for rule in rules:
            match = rule.match
            mode = ", in shadow" if match.shadow else ""
            times = ""
            if marking is not None:
                times = f": {counted(marking.counts[match.id], 'match', 'matches')}"
            click.echo(printable(f"  {match.level}{mode}  {match.title} ({match.id}){times}"))
            unseen = marking.unseen(rule) if marking is not None else ()
            if unseen:
                named = ", ".join(unseen)
                click.echo(printable(f"    no record of these logs has {named}"))
