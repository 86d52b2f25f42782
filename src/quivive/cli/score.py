"""``quivive score``: logs in, a judged line for every login out."""

import contextlib
import heapq
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app import ingest
from quivive.app.errors import UsageError
from quivive.cli.shared import (
    budget_options,
    opened_enricher,
    place_options,
    progress,
    reading_options,
    summarise,
    telemetry_options,
    without_password,
)
from quivive.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quivive.app.jobs.hall import Hall
    from quivive.app.lines import FileLines, StreamLines
    from quivive.app.models import InUse
    from quivive.app.results import Judging
    from quivive.app.sigma import Marking
    from quivive.engine.state import State
    from quivive.enrich.enricher import Enricher
    from quivive.policy.budget import Budgets
    from quivive.policy.decider import Decider
    from quivive.policy.rules import Policy
    from quivive.sources.source import Source
    from quivive.store.database import Store

FINDINGS_SHOWN = 10


class _Best:
    """The findings of the highest risk so far, and how many logins were offered."""

    def __init__(self) -> None:
        self.offered = 0
        self._heap: list[tuple[float, int, bytes]] = []

    def offer(self, risk: float, line: bytes, finding: bool) -> None:
        """Counts a login, and remembers it if it is a finding."""
        self.offered += 1
        if not finding:
            return
        rank = (risk, -self.offered, line)
        if len(self._heap) < FINDINGS_SHOWN:
            heapq.heappush(self._heap, rank)
        elif rank > self._heap[0]:
            heapq.heapreplace(self._heap, rank)

    def lines(self) -> list[bytes]:
        """Best first; of equals the earlier."""
        return [line for _, _, line in sorted(self._heap, reverse=True)]


@click.command("score")
@reading_options
@place_options
@click.option("--state", metavar="DIR|URL", help="Keep what is learned here, and go on from it.")
@budget_options
@click.option(
    "--policy",
    metavar="FILE",
    help="Decide by this policy.  [default: the store's active one, else the shipped one]",
)
@click.option(
    "--sigma",
    metavar="DIR",
    help="Hold the Sigma rules of this folder against every record; see quivive sigma check.",
)
@click.option(
    "--sigma-shadow",
    metavar="ID",
    multiple=True,
    help="With --sigma: a rule that only counts. May be given more than once.",
)
@click.option("--out", metavar="FILE", help="Write the lines here instead of standard output.")
@telemetry_options
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Judge in so many processes, an identity always in the same one; the output is the same.",
)
@click.option(
    "--abandon",
    is_flag=True,
    help="With --state: give up another run that was cut short there.",
)
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
    policy: str | None,
    sigma: str | None,
    sigma_shadow: tuple[str, ...],
    out: str | None,
    telemetry: bool,
    telemetry_dir: str | None,
    jobs: int,
    abandon: bool,
    files: tuple[str, ...],
) -> None:
    """Merge FILES by event time and write one line for every login: event, risk, reasons, decision.

    On a terminal, without --out, the findings are shown best first instead of the lines.
    """
    from quivive.app.aliases import load_aliases
    from quivive.app.lines import lines_to
    from quivive.app.maps import load_map
    from quivive.app.outputs import beside_store
    from quivive.app.policy_file import read
    from quivive.cli.findings import show_findings
    from quivive.policy.budget import parse_budgets

    if sigma_shadow and not sigma:
        raise UsageError("--sigma-shadow goes with --sigma")
    telemetry = telemetry or telemetry_dir is not None
    if telemetry and not state:
        raise UsageError("--telemetry goes with --state: it is kept in step with a store")
    allowed = parse_budgets(budgets, alerts)
    ingest.check_files(files)
    chosen = ingest.choose(source, load_map(Path(map_file)) if map_file else None)
    enricher = opened_enricher(geoip, lists)
    joined = load_aliases(Path(aliases)) if aliases else None
    readable = out is None and sys.stdout.isatty()
    ruled = read(Path(policy)).policy() if policy else None
    rules = _marking(sigma, sigma_shadow)
    job = _Job(files, chosen, enricher, allowed, joined, ruled, jobs, rules)
    named = (*geoip, *(path for path in (map_file, lists, aliases, policy) if path))
    if out and state:
        beside_store(Path(out), state)
    plain = None if readable else sys.stdout.buffer
    with contextlib.closing(lines_to(out, plain, (*files, *named))) as stream:
        if state:
            options = (source, *map(repr, budgets), str(alerts))
            if rules is not None:
                options = (*options, f"sigma {rules.digest}")
            job.telemetry = (telemetry, telemetry_dir)
            job.keep(state, stream, out, options, named, abandon=abandon)
        else:
            job.print(stream)
    if job.said is None:
        summarise(job.tally)
        left_out = sum(job.tally.events.values()) - job.best.offered
        if left_out > 0:
            click.echo(f"  not scored {left_out}: known before, or a log-off", err=True)
    else:
        click.echo(job.said, err=True)
    if rules is not None:
        click.echo(rules.said(), err=True)
    where = f" --state {without_password(state)}" if state else f" --in {out}" if out else ""
    show_findings(job.best.lines(), job.best.offered, sys.stdout.isatty(), where)
    if strict and job.tally.rejects:
        raise click.exceptions.Exit(1)


def _marking(folder: str | None, shadow: tuple[str, ...]) -> "Marking | None":
    from quivive.app.sigma import marking

    return marking(folder, shadow) if folder else None


class _Job:
    """One run, with or without a store."""

    def __init__(
        self,
        files: tuple[str, ...],
        source: "Source | None",
        enricher: "Enricher",
        budgets: "Budgets",
        aliases: dict[str, str] | None,
        policy: "Policy | None",
        jobs: int,
        rules: "Marking | None" = None,
    ) -> None:
        self.rules = rules
        self.jobs = jobs
        self.files = files
        self.source = source
        self.enricher = enricher
        self.budgets = budgets
        self.aliases = aliases
        self.policy = policy
        self.tally = ingest.Tally()
        self.best = _Best()
        self.said: str | None = None
        self.telemetry: tuple[bool, str | None] = (False, None)  # whether, and where else

    def print(self, stream: "FileLines | StreamLines") -> None:
        """Judges the logs from an empty state on, and keeps nothing."""
        from quivive.app.policy_file import shipped
        from quivive.engine.state import State
        from quivive.policy.decider import Decider

        memory = State()
        if self.aliases is not None:
            memory.directory.aliases = self.aliases
        decides = Decider(self.policy or shipped(), spent=memory.spent)
        stream.begin(0, 0, ())
        lines = self._lines if self.jobs == 1 else self._lines_of_many
        for risk, line, finding in lines(memory, decides):
            self.best.offer(risk, line, finding)
            stream.write(line)
        stream.finish()

    def _lines(self, memory: "State", decides: "Decider") -> "Iterator[tuple[float, bytes, bool]]":
        from quivive.app.naming import Names
        from quivive.app.output import encode_scored
        from quivive.app.scoring import merged, score

        with progress(self.files, "scoring") as advance:
            events = merged(self.files, self.source, self.tally, advance, self.rules)
            judged = score(events, memory, self.enricher, budgets=self.budgets, decider=decides)
            names = Names()
            for log, scored in judged:
                line = encode_scored(scored, log, names.name(log, scored.event))
                yield scored.assessment.risk_score, line, scored.finding

    def _lines_of_many(
        self, memory: "State", decides: "Decider"
    ) -> "Iterator[tuple[float, bytes, bool]]":
        from quivive.app.jobs.hall import Hall
        from quivive.app.jobs.judges import Judges
        from quivive.app.jobs.opening import without_store
        from quivive.app.scoring import merged

        make = without_store(self.enricher, self.policy)
        with (
            contextlib.closing(Hall(self.jobs, make)) as hall,
            progress(self.files, "scoring") as advance,
        ):
            events = merged(self.files, self.source, self.tally, advance, self.rules)
            judges = Judges(hall, memory, self.enricher, decides, self.budgets)
            for _, _, result in judges.judge(events):
                if result is not None:
                    yield result.row.risk_score, result.row.body, result.row.finding

    def keep(
        self,
        where: str,
        stream: "FileLines | StreamLines",
        out: str | None,
        options: tuple[str, ...],
        named: tuple[str, ...],
        *,
        abandon: bool,
    ) -> None:
        """Judges the logs and keeps what comes of it in a store; goes on where it was cut short."""
        from quivive.app.budgets import in_force
        from quivive.app.jobs.opening import check_jobs
        from quivive.app.keeping import begin_state
        from quivive.app.models import in_use
        from quivive.app.running import Run, asked, described
        from quivive.app.scoring import merged
        from quivive.app.telemetry import Telemetry, folder_of
        from quivive.store.database import Store

        with self._hall(where) as hall, Store(where) as store, store.writing("quivive score"):
            memory = begin_state(store)
            if not self.budgets.by_class:
                self.budgets = in_force(store, self.budgets)
                options = (*options, *map(str, self.budgets.by_class.items()))
            models = in_use(store, memory, self.budgets)
            check_jobs(self.jobs, models)
            if self.aliases is not None:
                memory.directory.aliases = self.aliases
            what = asked(self.files, (*options, *map(described, named)), out)
            run = Run.begin(store, models, what, stream, abandon=abandon)
            if self.telemetry[0]:
                run.telemetry = Telemetry(store, folder_of(store, self.telemetry[1]))
            if run.done:
                self.said = (
                    f"scored before with the same arguments: {counted(run.row.lines, 'line')}"
                )
            elif run.row.consumed:
                click.echo(
                    f"going on after {counted(run.row.lines, 'login')} kept before", err=True
                )
            run.resume(self.best.offer)
            if not run.done:
                judging = self._judging(store, memory, models, hall)
                with progress(self.files, "scoring") as advance:
                    events = merged(self.files, self.source, self.tally, advance, self.rules)
                    run.judge(events, judging, self.tally, self.best.offer)

    def _hall(self, where: str) -> "contextlib.AbstractContextManager[Hall | None]":
        """The processes, from before there is a connection that they must not share."""
        from quivive.app.jobs.hall import Hall
        from quivive.app.jobs.opening import with_store

        if self.jobs == 1:
            return contextlib.nullcontext()
        make = with_store(where, self.enricher, self.budgets, self.policy)
        return contextlib.closing(Hall(self.jobs, make))

    def _judging(
        self, store: "Store", memory: "State", models: "InUse", hall: "Hall | None"
    ) -> "Judging":
        """What judges, after what a server has left in the journal."""
        from quivive.app.jobs.judges import Judges
        from quivive.app.keeping import begin_state, save_state
        from quivive.app.live import replay
        from quivive.app.naming import Names
        from quivive.app.policies import decider
        from quivive.app.results import Alone
        from quivive.app.scoring import engine

        decides = decider(store, self.policy, memory.spent)
        alone = engine(memory, self.enricher, models.model, self.budgets, models.beside, decides)
        left = replay(store, alone.step)
        if hall is None:
            return Alone(alone, Names(store))
        if left:  # the processes read what is known from the store
            save_state(store, memory)
            memory = begin_state(store)
            if self.aliases is not None:
                memory.directory.aliases = self.aliases
            decides = decider(store, self.policy, memory.spent)
        return Judges(hall, memory, self.enricher, decides, self.budgets, Names(store))
