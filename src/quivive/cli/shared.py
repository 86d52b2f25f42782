"""What several commands share: options, progress, the summary of a reading."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from quivive.app.ingest import STDIN, Advance, Tally
from quivive.baseline.clocks import large

REJECTS_SHOWN = 20
SKIPS_SHOWN = 8

stderr = Console(stderr=True, highlight=False)


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """``--source``, ``--map`` and ``--strict``."""
    for option in (
        click.option("--strict", is_flag=True, help="Exit with 1 when records were rejected."),
        click.option(
            "--map",
            "map_file",
            type=click.Path(dir_okay=False),
            help="Field map for --source mapped.",
        ),
        click.option(
            "--source",
            default="auto",
            show_default=True,
            metavar="NAME",
            help="Log source; auto recognises each record by its content.",
        ),
    ):
        command = option(command)
    return command


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
    _echo(f"{sum(tally.events.values())} events, {skipped} skipped, {rejected} rejected")
    for (log, reason), count in tally.skips.most_common(SKIPS_SHOWN):
        _echo(f"  skipped {count}: {printable(f'{log}: {reason}')}")
    if len(tally.skips) > SKIPS_SHOWN:
        _echo(f"  … and {len(tally.skips) - SKIPS_SHOWN} more reasons to skip")
    for reject in tally.rejects[:REJECTS_SHOWN]:
        where = f"{reject.log}:{reject.line} (record {reject.sequence})"
        _echo(f"  rejected {printable(f'{where}: {reject.reason}')}")
    if rejected > REJECTS_SHOWN:
        _echo(f"  … and {rejected - REJECTS_SHOWN} more rejects")
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
