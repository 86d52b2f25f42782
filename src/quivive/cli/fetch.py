"""``quivive fetch``: a vendor's records, from its API to a file."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from quivive.cli.shared import printable


@click.command("fetch")
@click.argument("name")
@click.option(
    "--config",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML with the section fetch.",
)
@click.option(
    "--state", metavar="DIR|URL", help="Keep here how far it is, and go on from there next time."
)
@click.option(
    "--since",
    metavar="TIME|3d|12h",
    help="Begin here, not where the last run stopped.  [default at first: first_hours]",
)
@click.option(
    "--out",
    metavar="FILE|-",
    default="-",
    show_default=True,
    help="Append JSON lines to this file; - is standard output.",
)
def command(name: str, config: Path, state: str | None, since: str | None, out: str) -> None:
    """Fetch the log of the connection NAME: the vendor's own records, one a line, for quivive
    score.

    Run it again with the same --state and it goes on where it stopped. What is killed half way
    loses nothing: at worst a page comes twice, which changes nothing for whoever scores it.
    quivive serve fetches by itself what its --config names.
    """
    from quivive.app import fetching
    from quivive.app.fetches import named
    from quivive.app.outputs import beside_store
    from quivive.respond.client import system_clock
    from quivive.store.database import Store

    connection = named(config, name)
    clock = system_clock()
    begin = fetching.begin_of(since, clock.now()) if since is not None else None
    with ExitStack() as held:
        store = held.enter_context(Store(state)) if state is not None else None
        if out != "-":
            beside_store(Path(out), store.folder if store is not None else None)
        write = held.enter_context(_appending(out))
        if store is None:
            _say("without --state nobody remembers how far it came: the next run begins anew")
        came = fetching.fetch(connection, store, write, _say, since=begin, clock=clock)
    pages = "1 page" if came.pages == 1 else f"{came.pages} pages"
    records = "1 record" if came.records == 1 else f"{came.records} records"
    _say(f"{records} of {connection.fetcher.vendor} in {pages}")


@contextmanager
def _appending(out: str) -> Iterator[Callable[[bytes], None]]:
    """Writes whole pages, each on the disk before it returns."""
    if out == "-":
        yield _writer(sys.stdout.buffer, lasting=False)
        return
    with Path(out).open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a run before was cut short in a line, which comes again
                file.write(b"\n")
        yield _writer(file, lasting=True)


def _writer(file: BinaryIO, *, lasting: bool) -> Callable[[bytes], None]:
    def write(page: bytes) -> None:
        file.write(page)
        file.flush()
        if lasting:
            os.fsync(file.fileno())

    return write


def _say(text: str) -> None:
    click.echo(printable(text), err=True)
