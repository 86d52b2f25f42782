"""``quivive normalize``: logs as OCSF events, in input order."""

import sys
from pathlib import Path

import click

from quivive.app import ingest
from quivive.cli.shared import progress, reading_options, summarise
from quivive.model.ocsf import encode_event


@click.command("normalize")
@reading_options
@click.argument("files", nargs=-1, metavar="[FILE…|-]")
def command(source: str, map_file: str | None, strict: bool, files: tuple[str, ...]) -> None:
    """Write one OCSF Authentication object a line for every event, in input order.

    The summary of events, skips and rejects, with their positions, goes to standard error.
    """
    from quivive.app.maps import load_map

    paths = files or (ingest.STDIN,)
    ingest.check_files(paths)
    chosen = ingest.choose(source, load_map(Path(map_file)) if map_file else None)
    reference = ingest.reference_time(paths)
    tally = ingest.Tally()
    out = sys.stdout.buffer
    with progress(paths, "reading") as advance:
        for path, name in zip(paths, ingest.log_names(paths), strict=True):
            for event in ingest.events(path, chosen, tally, reference, advance, name):
                out.write(encode_event(event) + b"\n")
    out.flush()
    summarise(tally)
    if strict and tally.rejects:
        raise click.exceptions.Exit(1)
