"""``quivive learn``: weights from verdicts: learned, compared, put into shadow."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app import ingest
from quivive.app.errors import UsageError
from quivive.cli.shared import opened_enricher, printable, reading_options, stderr, summarise
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.model.event import AuthEvent
    from quivive.store.database import Store


@click.command("learn")
@reading_options
@click.option(
    "--geoip", multiple=True, metavar="FILE", help="Place or network database, as for scoring."
)
@click.option("--lists", metavar="DIR", help="Folder of address lists, as for scoring.")
@click.option("--state", metavar="DIR", required=True, help="Learn for this state directory.")
@click.option(
    "--recalibrate",
    is_flag=True,
    help="With too few verdicts: the active weights, with calibrations renewed on history.",
)
@click.option(
    "--trees",
    is_flag=True,
    help="Instead of weights: boosted trees that rank findings (100 incidents or more).",
)
@click.option(
    "--promote",
    is_flag=True,
    help="First promote the version in shadow if its gate passes; learn only when none is there.",
)
@click.option(
    "--by",
    default="quivive learn",
    show_default=True,
    metavar="NAME",
    help="Who does it; kept in the history.",
)
@click.argument("files", nargs=-1, metavar="[FILE…]")
def command(
    source: str,
    map_file: str | None,
    strict: bool,
    geoip: tuple[str, ...],
    lists: str | None,
    state: str,
    recalibrate: bool,
    trees: bool,
    promote: bool,
    by: str,
    files: tuple[str, ...],
) -> None:
    """Learn a model from analysts' verdicts, compare it with the active one, put it into shadow.

    History is what the state directory holds, or the logs in FILES; it is replayed from the
    beginning. Nothing that scores is changed, unless --promote finds a version in shadow that has
    proved itself.
    """
    from quivive.app.history import from_files, stored
    from quivive.app.learning import Task, learn_trees, learn_weights
    from quivive.app.maps import load_map
    from quivive.app.models import active_model
    from quivive.app.promoting import budgets_of, keep, kept_state, standing_verdicts, told
    from quivive.cli.model_text import report_lines
    from quivive.engine.beside import Scale, scale_of
    from quivive.store.database import Store
    from quivive.store.models import Author, Models

    if recalibrate and trees:
        raise UsageError("--recalibrate and --trees exclude each other")
    if ingest.STDIN in files:
        raise UsageError("history is read more than once: give files, not standard input")
    ingest.check_files(files)
    chosen = ingest.choose(source, load_map(Path(map_file)) if map_file else None)
    enricher = opened_enricher(geoip, lists)
    store = Store(state, create=False)
    click.get_current_context().call_on_close(store.close)
    models = Models(store)
    now = time.time_ns() // 1_000_000
    if promote and not _promoted(store, by, now):
        return
    memory = kept_state(store)
    tallies: list[ingest.Tally] = []

    def history() -> "Iterator[tuple[str, AuthEvent]]":
        if not files:
            return stored(store)
        tallies.append(ingest.Tally())
        return from_files(files, chosen, tallies[-1], lambda _: None)

    task = Task(
        history=history,
        verdicts=standing_verdicts(store),
        active=active_model(models),
        name=models.next_name(),
        enricher=enricher,
        budgets=budgets_of(memory),
        aliases=memory.directory.aliases if memory is not None else {},
        told=told(store) if recalibrate else {},
        say=lambda line: stderr.print(line, style="dim"),
    )
    if trees:
        learned = learn_trees(task, scale_of(memory) if memory is not None else Scale())
    else:
        learned = learn_weights(task, recalibrate=recalibrate)
    if tallies:
        summarise(tallies[-1])
    for line in learned.missing:
        click.echo(f"weights stay as they are: {printable(line)}")
    if learned.model is not None and learned.report is not None:
        for line in report_lines(learned.report):
            click.echo(printable(line))
        why = f"learned from {counted(learned.report.learned_from['verdicts'], 'verdict')}"
        status = keep(store, learned, Author(by, why, now))
        click.echo(f"kept as {task.name}: {status}")
    if strict and tallies and tallies[-1].rejects:
        raise click.exceptions.Exit(1)


def _promoted(store: "Store", by: str, now: int) -> bool:
    """Whether to go on to learning: nothing is in shadow any more."""
    from quivive.app.promoting import promote
    from quivive.cli.model_text import gate_lines
    from quivive.learn.promotion import PROMOTE, SHADOW
    from quivive.store.models import Author, Models

    models = Models(store)
    name = models.named("shadow")
    if name is None:
        return True
    gate = promote(store, name, Author(by, "its gate passed, on history and in shadow", now))
    click.echo(f"{name}, in shadow")
    for line in gate_lines(gate):
        click.echo(printable(line))
    if gate.outcome == SHADOW:
        click.echo(f"{name} stays in shadow; nothing new is learned meanwhile")
        return False
    if gate.outcome == PROMOTE:
        click.echo(f"{name} is active now")
    else:
        models.move(name, "shadow", "refused", "refused", Author(by, gate.reasons[0], now))
        click.echo(f"{name} is out of shadow")
    return True
