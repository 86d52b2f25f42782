"""``quivive score``."""

import heapq
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import click

from quivive.app import ingest
from quivive.app.errors import UsageError
from quivive.cli.shared import progress, reading_options, summarise

FINDINGS_SHOWN = 10


class _Best:
    """The findings of the highest risk so far, and how many logins were offered."""

    def __init__(self) -> None:
        self.offered = 0
        self._heap: list[tuple[float, int, bytes]] = []

    def offer(self, risk: float, line: bytes | None) -> None:
        """Counts a login; ``line`` is None when it is no finding."""
        self.offered += 1
        if line is None:
            return
        rank = (risk, -self.offered, line)
        if len(self._heap) < FINDINGS_SHOWN:
            heapq.heappush(self._heap, rank)
        elif rank > self._heap[0]:
            heapq.heapreplace(self._heap, rank)

    def lines(self) -> list[bytes]:
        """Best first; of equals the earlier."""
        return [line for _, _, line in sorted(self._heap, reverse=True)]


@contextmanager
def _output(out: str | None, readable: bool) -> Iterator[BinaryIO]:
    """The stream of lines. A file appears under its name only once it is whole."""
    if out is None:
        with Path(os.devnull).open("wb") if readable else nullcontext(sys.stdout.buffer) as stream:
            yield stream
        return
    target = Path(out)
    if target.is_dir():
        raise UsageError(f"{out}: a folder; name a file in it")
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:  # a device or a pipe: /dev/null, /dev/stderr
            yield stream
        return
    partial = target.with_name(target.name + ".partial")
    try:
        stream = partial.open("wb")
    except OSError as error:
        raise UsageError(
            f"{out}: cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None
    try:
        with stream:
            yield stream
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@click.command("score")
@reading_options
@click.option(
    "--geoip",
    multiple=True,
    metavar="FILE",
    help="Place or network database (mmdb, CSV; may be repeated).",
)
@click.option("--lists", metavar="DIR", help="Folder of address lists (hosting.txt, tor.txt, …).")
@click.option("--aliases", metavar="FILE", help="YAML of identities and their other names.")
@click.option("--state", metavar="DIR", help="Keep what is learned here, and go on from it.")
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    metavar="[CLASS=]AMOUNT",
    help='How much to tell: "20/day", "0.3%", "human=20/day", "service=0.1%" (may be repeated).',
)
@click.option(
    "--alerts",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Findings told of one identity within 24 hours.",
)
@click.option("--out", metavar="FILE", help="Write the lines here instead of standard output.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def command(
    source: str,
    map_file: str | None,
    strict: bool,
    geoip: tuple[str, ...],
    lists: str | None,
    aliases: str | None,
    state: str | None,
    budgets: tuple[str, ...],
    alerts: int,
    out: str | None,
    files: tuple[str, ...],
) -> None:
    """Merge FILES by event time and write one line for every login: event, risk, reasons, decision.

    On a terminal, without --out, the findings are shown best first instead of the lines.
    """
    from quivive.app.aliases import load_aliases
    from quivive.app.geoip import open_places
    from quivive.app.kept import row_of
    from quivive.app.lists import open_lists
    from quivive.app.maps import load_map
    from quivive.app.models import InUse, in_use
    from quivive.app.output import encode_scored
    from quivive.app.scoring import STATE_NAME, decode_state, encode_state, merged, score
    from quivive.cli.findings import show_findings
    from quivive.engine.state import State
    from quivive.enrich.enricher import Enricher
    from quivive.policy.budget import parse_budgets
    from quivive.store.database import Row, Store

    allowed = parse_budgets(budgets, alerts)
    ingest.check_files(files)
    chosen = ingest.choose(source, load_map(Path(map_file)) if map_file else None)
    places = open_places([Path(path) for path in geoip])
    enricher = Enricher(places, open_lists(Path(lists) if lists else None))
    store = Store(Path(state)) if state else None
    if store is not None:
        click.get_current_context().call_on_close(store.close)
    kept = store.load(STATE_NAME) if store else None
    memory = decode_state(kept, str(state)) if kept is not None else State()
    models = in_use(store, memory, allowed) if store else InUse()
    if aliases:
        memory.directory.aliases = load_aliases(Path(aliases))

    tally = ingest.Tally()
    readable = out is None and sys.stdout.isatty()
    best = _Best()

    def lines(advance: ingest.Advance) -> Iterator[Row]:
        events = merged(files, chosen, tally, advance)
        judged = score(events, memory, enricher, models.model, allowed, models.beside)
        for log, scored in judged:
            line = encode_scored(scored, log)
            risk = scored.assessment.risk_score
            best.offer(risk, line if scored.finding else None)
            uid = scored.event.metadata.uid or f"{log}:{scored.event.metadata.sequence}"
            if store is None:
                yield Row(uid, scored.event.time, scored.login.identity, risk, line)
            else:
                yield row_of(uid, scored, line, models.model.weights)

    with progress(files, "scoring") as advance, _output(out, readable) as stream:

        def written() -> Iterator[Row]:
            for row in lines(advance):
                if not readable:
                    stream.write(row.body + b"\n")
                yield row

        if store is None:
            for _ in written():
                pass
        else:
            store.commit(
                written(),
                lambda: {STATE_NAME: encode_state(memory), **models.states()},
                tally.rejects,
            )
        stream.flush()
    summarise(tally)
    where = f" --state {state}" if state else f" --in {out}" if out else ""
    show_findings(best.lines(), best.offered, sys.stdout.isatty(), where)
    if strict and tally.rejects:
        raise click.exceptions.Exit(1)
