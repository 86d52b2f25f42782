"""``quivive demo``: a simulated company's logs, scored, and the takeover found in them."""

import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from quivive.cli import figure
from quivive.cli.demo_text import (
    columns,
    countries,
    day_of,
    decision_table,
    findings_table,
    graded,
    is_unicode,
    megabytes,
    moment_of,
    place,
    reasons_table,
    safe,
    share,
    side_by_side,
)
from quivive.cli.findings import COLOURS
from quivive.cli.shared import progress
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.app.demo import Incident, Login, Run, Takeover
    from quivive.sim.demo import Story

WIDEST = 120
WIDE = 110  # columns, from which the other findings have room for their strongest reason
OTHERS_SHOWN = 12
PLAIN = str.maketrans({"→": ">", "×": "x", "…": "...", "–": "-", "—": "-", "·": "-", "’": "'"})


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder to write the logs and the scored lines into.",
)
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same demo.")
@click.option("--people", default=60, show_default=True, type=click.IntRange(min=16, max=600))
@click.option(
    "--serve",
    is_flag=True,
    help="Then serve the console, where the takeover goes on; its dates are today's.",
)
@click.option("--port", default=8450, show_default=True, type=click.IntRange(1, 65_535))
def command(out: Path, seed: int, people: int, serve: bool, port: int) -> None:
    """Simulate a company, find the takeover in it, and show how."""
    from quivive.app import demo

    page = _Page(out)
    page.begin(people)
    until = time.time() if serve else None
    story = demo.simulate(out, seed, people, until)
    page.made(story)
    logs = list(story.summary.records)
    start = time.monotonic()
    with progress([str(out / name) for name in logs], "scoring") as advance:
        run = demo.detect(out, logs, advance, until)
    page.learnt(run, time.monotonic() - start)
    incidents = demo.grade(out, run)
    shown = demo.takeover(run, incidents, story)
    if shown is None:
        page.nothing()
    else:
        page.catch(run, shown)
        page.aftermath(run, shown, story)
    page.others(run, shown.incident if shown else None, incidents)
    page.next(shown.shown if shown else run.findings[0] if run.findings else None, run)
    if until is not None:
        onset = shown.first.seen.time if shown else int(story.first_success * 1000)
        _serve(page, out, logs, onset, int(until * 1000), port)


def _serve(page: "_Page", out: Path, logs: list[str], onset: int, until: int, port: int) -> None:
    """The console on a store with everything until shortly before the takeover."""
    from quivive.app import demo_live as live
    from quivive.policy.budget import Budgets
    from quivive.server import logging
    from quivive.server.app import Server
    from quivive.server.judging import Settings
    from quivive.server.run import Listen, checked, run

    before = onset - live.BEFORE_MS
    enricher = live.places_of(out)
    with progress([str(out / name) for name in logs], "reading in") as advance:
        ready = live.history(out, logs, before, advance, enricher)
    told = live.records(out, logs, before, until)
    listen = checked(Listen(port=port))
    logging.configure("warning", access=False)
    server = Server(ready.state, Settings(enricher, Budgets()), lasting=False)
    feed = live.Feed(f"http://{listen.host}:{listen.port}", ready.token, told)
    page.served(f"http://{listen.host}:{listen.port}/", live.USER, ready.password, len(told))
    feed.start()
    try:
        run(server, listen)
    finally:
        feed.stop()


class _Plain:
    """A stream for what is no UTF-8 terminal: in characters of its encoding, no trailing blanks."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if not is_unicode(self.stream):
            encoding = self.stream.encoding or "ascii"
            text = text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
        if not self.stream.isatty():
            text = re.sub(" +$", "", text, flags=re.MULTILINE)
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Page:
    """What is printed, from top to bottom; all of it computed from the run."""

    def __init__(self, out: Path) -> None:
        self.out = out
        stream: Any = _Plain(sys.stdout)
        self.console = Console(file=stream, highlight=False)
        self.console.width = min(self.console.width, WIDEST)
        pretty = is_unicode(sys.stdout) and not os.environ.get("NO_COLOR")
        self.glyphs = figure.UNICODE if pretty else figure.ASCII

    def say(self, text: RenderableType = "", indent: int = 2) -> None:
        self.console.print(Padding(text, (0, 0, 0, indent), expand=False))

    def head(self, text: str) -> None:
        self.console.print()
        self.console.print(f"[bold cyan]{text.upper()}[/]")

    def begin(self, people: int) -> None:
        self.console.print(
            "[bold]Quivive[/] learns what is usual for every identity, human or machine, and tells "
            "with reasons which login is not its owner's."
        )
        self.head("the logs")
        self.say(f"Of an invented company of {people} people; made just now, attacks included:")

    def made(self, story: "Story") -> None:
        table = columns("left", "right", "right")
        for name, records in story.summary.records.items():
            path = self.out / name
            table.add_row(safe(path), f"{records:,} records", megabytes(path.stat().st_size))
        self.say(table, 4)

    def learnt(self, run: "Run", seconds: float) -> None:
        first, last = (day_of(run.logins[at].seen.time) for at in (0, -1))
        days = run.logins[-1].day - run.logins[0].day + 1
        skipped, rejected = sum(run.tally.skips.values()), sum(run.tally.rejected.values())
        extra = f", {skipped:,} records skipped as repeats or no logins" if skipped else ""
        if rejected:
            extra += f", [yellow]{rejected:,} rejected: {safe(run.tally.rejects[0].reason)}[/]"
        guests = f" (guests among them: {run.guests})" if run.guests else ""
        self.say(
            f"Read by time as one stream, in {seconds:.0f} s, on this computer alone: "
            f"[bold]{len(run.logins):,} logins[/] in {days} days ({first} – {last}){extra}."
        )
        self.say(
            "Learnt on the way, without rules or labels: what is usual for "
            f"[bold]{run.people} people[/]{guests} and [bold]{run.machines} machines[/]."
        )
        self.say(
            f"[bold]{counted(len(run.findings), 'login')}[/]"
            f" ({share(len(run.findings), len(run.logins))}) "
            f"{'was' if len(run.findings) == 1 else 'were'} unusual enough to report. Every"
            f" login, with its reasons: {safe(run.scored)}"
        )

    def nothing(self) -> None:
        self.head("the takeover")
        self.say("[yellow]None of the attacker's logins could be read: nothing to show.[/]")

    def catch(self, run: "Run", shown: "Takeover") -> None:
        login, line = shown.shown, run.line(shown.shown)
        self.head("the catch, at its onset" if shown.found else "the takeover that was missed")
        self._verdict(run, shown, login)
        self.console.print()
        self.say(side_by_side(shown), 4)
        self._said(
            f"What speaks against the owner (nats of evidence: +3 is {exp(3):.0f} to 1)",
            line["reasons"],
        )
        self._said("What speaks for the owner", line["reassuring"])
        self.console.print()
        self.say(decision_table(line, login))

    def _verdict(self, run: "Run", shown: "Takeover", login: "Login") -> None:
        day = [other for other in run.logins if other.day == login.day]
        rank = run.rank(login, day)
        self.say(
            f"[{COLOURS[login.level]}]{login.risk:.0f} {login.level}[/]  "
            f"[bold]{safe(login.seen.identity)}[/]  {moment_of(login.seen.time)} UTC  "
            f"{safe(place(login.seen))}"
        )
        self.say(
            f"{_timing(shown)} Risk {login.risk:.1f} of 100: number {rank} of the {len(day):,} "
            f"logins of that day, number {run.rank(login, run.logins)} of all {len(run.logins):,}"
            f"{_riskier(shown)}."
            f"{_attempts(shown)}"
        )

    def _said(self, title: str, reasons: Sequence[dict[str, Any]]) -> None:
        self.console.print()
        self.say(f"[bold]{title}[/]")
        self.say(reasons_table(reasons), 4)

    def aftermath(self, run: "Run", shown: "Takeover", story: "Story") -> None:
        """The figure of the account's whole time, and what became of the later visits."""
        account = [
            login for login in run.logins if login.seen.identity == shown.first.seen.identity
        ]
        self.head("the account's logins, by day and country")
        points = [
            figure.Point(seen.time, seen.country, seen.outcome == "success", login.finding)
            for login in account
            if (seen := login.seen).country is not None
        ]
        reset = int(story.reset * 1000)
        ended = reset <= run.logins[-1].seen.time
        marks = (
            [figure.Mark(reset, f"reset by the administrator, {day_of(reset)}")] if ended else []
        )
        for line in figure.figure(points, self.console.width - 2, marks=marks, glyphs=self.glyphs):
            self.say(line)
        self.console.print()
        self.say(_later(shown, reset if ended else None))

    def others(self, run: "Run", story: "Incident | None", incidents: "Sequence[Incident]") -> None:
        """All other findings, best first, one line an identity; then how many were attacks."""
        attacks = {login.id: i for i in incidents for login in i.logins}
        told: dict[tuple[str, str], list[Login]] = {}
        for login in run.findings:
            incident = attacks.get(login.id)
            if incident is None or incident is not story:
                key = (login.seen.identity, incident.kind if incident else "")
                told.setdefault(key, []).append(login)
        self.head("the other findings, best first")
        if not told:
            self.say("none")
        best = list(told.items())[:OTHERS_SHOWN]
        self.say(findings_table(run, best, wide=self.console.width >= WIDE))
        rest = list(told)[OTHERS_SHOWN:]
        if rest:
            hits = sum(bool(kind) for _, kind in rest)
            self.say(f"and {len(rest)} more identities, {hits or 'none'} of them attacked")
        self.console.print()
        self.say(graded(self.out, run, incidents, attacks))

    def next(self, login: "Login | None", run: "Run") -> None:
        quivive = _myself()
        event_id = login.id if login else "EVENT-ID"
        explain = f"{quivive} explain {shlex.quote(event_id)} --in {shlex.quote(str(run.scored))}"
        self.head("next")
        for line, what in (
            (explain, "all about this login"),
            (f"{quivive} score YOUR_LOG", "your own logs, as they are; any of: quivive sources"),
            (f"{quivive} doctor", "what is missing here, and what it costs in detection"),
        ):
            self.console.print(Text(f"  {line}", "bold"), soft_wrap=True)
            self.say(f"[dim]{what}[/]", 6)

    def served(self, url: str, user: str, password: str, coming: int) -> None:
        """Where the console is, and how to get in."""
        self.head("the console")
        self.say(f"[bold]{url}[/]  user [bold]{user}[/], password [bold]{safe(password)}[/]")
        self.say(
            "It holds everything until half an hour before the takeover; the "
            f"{coming:,} records since then come in within the next minutes. Ctrl-C ends it."
        )
        self.console.file.flush()


def _timing(shown: "Takeover") -> str:
    """When the finding came, against the attacker's first login."""
    if shown.found is None:
        return "[bold yellow]It was not reported: Quivive missed this attack.[/]"
    late = shown.found.seen.time - shown.first.seen.time
    if shown.found is shown.first:
        return (
            "[bold]It is the attacker's first login, and it was reported at once[/]: from the "
            "first hostile login to the finding 0 s, the same event."
        )
    if late < 0:
        return f"[bold]It was reported {_span(-late)} before the attacker first got in.[/]"
    earlier = [
        login
        for login in shown.incident.logins
        if login.seen.outcome == "success" and login.seen.time < shown.found.seen.time
    ]
    return (
        f"[bold yellow]It came {_span(late)} after the attacker's first login[/]; "
        f"{len(earlier)} hostile logins before it were not reported, the riskiest "
        f"{max(login.risk for login in earlier):.0f}."
    )


def _riskier(shown: "Takeover") -> str:
    """How many of those before it in the ranking are the same attacker's."""
    own = sum(login.risk > shown.shown.risk for login in shown.incident.logins)
    return f" (before it: {own} of this attack's own)" if own else ""


def _attempts(shown: "Takeover") -> str:
    """What the attacker had tried in vain before."""
    fails = [login for login in shown.attempts if login.seen.outcome != "success"]
    if not fails:
        return ""
    return (
        f" {len(fails)} failures from {countries(fails)} came before it, within "
        f"{_span(shown.first.seen.time - fails[0].seen.time)}; none got in, "
        f"and the riskiest of them was {max(login.risk for login in fails):.0f}."
    )


def _later(shown: "Takeover", reset: int | None) -> str:
    """What came after the login shown, and what became of it."""
    later = [
        login
        for login in shown.incident.logins
        if login.seen.outcome == "success" and login.seen.time > shown.shown.seen.time
    ]
    if not later:
        return "No further hostile login succeeded."
    told = sum(login.finding for login in later)
    lowered = sum(bool(login.repeated) and not login.finding for login in later)
    became = [
        f"{count} {what}"
        for count, what in (
            (told, "reported again"),
            (lowered, "ranked lower because the account had just been reported"),
            (len(later) - told - lowered, "not unusual enough to report"),
        )
        if count
    ]
    when = ""
    if shown.found and reset is not None:
        when = f"The finding came {_span(reset - shown.found.seen.time)} before the reset. "
    until = "Until then" if reset is not None else "Nobody has ended it yet:"
    return (
        f"{when}{until} the attacker got in {len(later)} more times, from "
        f"{countries(later)}: {', '.join(became)}."
    )


def _span(ms: int) -> str:
    """A length of time in its largest sensible unit."""
    for unit, length in (("days", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= 2 * length:
            return f"{ms / length:.0f} {unit}"
    return f"{ms / 1000:.0f} s"


def _myself() -> str:
    """This command as the reader can type it."""
    called = Path(sys.argv[0])
    if called.name != "quivive":
        return "quivive"
    known = shutil.which("quivive")
    return "quivive" if known and Path(known).resolve() == called.resolve() else str(called)
