"""What several commands share: options, progress, the summary of a reading."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from quivive.app.ingest import STDIN, Advance, Tally
from quivive.baseline.clocks import large
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.enrich.enricher import Enricher

_Command = Callable[..., None]
_Option = Callable[[_Command], _Command]

REJECTS_SHOWN = 20
SKIPS_SHOWN = 8
LOGS_SHOWN = 8  # of which nothing was read

stderr = Console(stderr=True, highlight=False)


def together(*options: _Option) -> _Option:
    """Several options as one decorator; ``--help`` shows them in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


reading_options = together(
    click.option(
        "--source",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Log source; auto recognises each record by its content.",
    ),
    click.option(
        "--map",
        "map_file",
        type=click.Path(dir_okay=False),
        help="Field map for --source mapped.",
    ),
    click.option("--strict", is_flag=True, help="Exit with 1 when records were rejected."),
)
geoip_option = click.option(
    "--geoip",
    multiple=True,
    metavar="FILE",
    help="Place or network database (mmdb, CSV; may be repeated).",
)
place_options = together(
    geoip_option,
    click.option(
        "--lists", metavar="DIR", help="Folder of address lists (hosting.txt, tor.txt, …)."
    ),
    click.option("--aliases", metavar="FILE", help="YAML of identities and their other names."),
)
budget_options = together(
    click.option(
        "--budget",
        "budgets",
        multiple=True,
        metavar="[CLASS=]AMOUNT",
        help="How much to tell: "
        '"20/day", "0.3%", "human=20/day", "service=0.1%" (may be repeated).',
    ),
    click.option(
        "--alerts",
        default=5,
        show_default=True,
        type=click.IntRange(min=1),
        help="Findings told of one identity within 24 hours.",
    ),
)
telemetry_options = together(
    click.option(
        "--telemetry",
        is_flag=True,
        help="With --state DIR: also write every login to DIR/telemetry, as Parquet by day.",
    ),
    click.option(
        "--telemetry-dir", metavar="DIR", help="The same in another folder; for a store by URL."
    ),
)


def opened_enricher(
    geoip: Sequence[str], lists: str | None, say: Callable[[str], None] | None = None
) -> "Enricher":
    """What ``--geoip`` and ``--lists`` name, else what is installed. ``say`` is told of lines of
    lists that cannot be used; by default standard error is.
    """
    from quivive.app.geoip import open_places
    from quivive.app.lists import open_lists
    from quivive.enrich.enricher import Enricher

    places = open_places([Path(path) for path in geoip])
    found = open_lists(Path(lists) if lists else None)
    if found is not None and found.skipped_lines:
        first = printable(found.warnings[0])
        lines = counted(found.skipped_lines, "line")
        (say or _echo)(f"lists: {lines} left out, the first: {first}")
    return Enricher(places, found)


@contextmanager
def progress(paths: Sequence[str], title: str) -> Iterator[Advance]:
    """A bar over the bytes of the inputs on a terminal; nothing in a pipe."""
    if not stderr.is_terminal or STDIN in paths:
        yield lambda _: None
        return
    total = sum(Path(path).stat().st_size for path in paths)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=stderr,
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=total)
        yield lambda size: bar.advance(task, size)


def summarise(tally: Tally) -> None:
    """Events, skips and rejects with their positions, on standard error."""
    rejected = sum(tally.rejected.values())
    skipped = sum(tally.skips.values())
    events = sum(tally.events.values())
    _echo(f"{events} event{'' if events == 1 else 's'}, {skipped} skipped, {rejected} rejected")
    for (log, reason), count in tally.skips.most_common(SKIPS_SHOWN):
        _echo(f"  skipped {count}: {printable(f'{log}: {reason}')}")
    if len(tally.skips) > SKIPS_SHOWN:
        _echo(f"  … and {len(tally.skips) - SKIPS_SHOWN} more reasons to skip")
    for reject in tally.rejects[:REJECTS_SHOWN]:
        where = f"{reject.log}:{reject.line} (record {reject.sequence})"
        _echo(f"  rejected {printable(f'{where}: {reject.reason}')}")
    if rejected > REJECTS_SHOWN:
        _echo(f"  … and {rejected - REJECTS_SHOWN} more rejects")
    for log in tally.strange[:LOGS_SHOWN]:
        _echo(
            f"  {printable(log)}: not one record was recognised: name its log with --source"
            " (quivive sources lists them), or write a field map (docs/reference/mapped.md)"
        )
    for log in tally.empty[:LOGS_SHOWN]:
        _echo(f"  {printable(log)}: holds no record")
    for source, text in large(tally.clocks):
        _echo(f"  clock: {printable(f'{source}: {text}')}")


def _echo(line: str) -> None:
    click.echo(line, err=True)


def without_password(state: object) -> str:
    """What ``--state`` was given, without a password in it."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", str(state))


def printable(text: str) -> str:
    """Text from a log, safe for a terminal: control characters are written out."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
