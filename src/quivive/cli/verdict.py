"""``quivive verdict``: what analysts say of logins, and what follows from it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import who
from quivive.cli.shared import without_password
from quivive.model.verdict import KINDS, VerdictKind

if TYPE_CHECKING:  # the store takes long to import, and help needs none
    from quivive.app.verdicts import Outcome
    from quivive.store.database import Store

_state = click.option(
    "--state", required=True, metavar="DIR", help="The state directory of quivive score."
)
_amend = click.option(
    "--amend", is_flag=True, help="Let a verdict take the place of another on the same login."
)


@click.group("verdict")
def command() -> None:
    """Say what a login was, so that Quivive unlearns or learns it; and what to look into next."""


@command.command("add")
@click.argument("event_id")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.option("--by", metavar="NAME", help="Who says so.  [default: you, as the system knows you]")
@click.option("--why", required=True, metavar="TEXT", help="Why, so that a colleague can check it.")
@click.option(
    "--when", metavar="TIME", help="ISO 8601 or milliseconds.  [default: the newest login's time]"
)
@_state
@_amend
def add(
    event_id: str,
    kind: VerdictKind,
    by: str | None,
    why: str,
    when: str | None,
    state: str,
    amend: bool,
) -> None:
    """Give a verdict on one login.

    KIND is true_positive (somebody else did it), benign_true_positive (odd, and known to be in
    order) or false_positive (the owner, as ever). EVENT_ID is the id in the scored line.
    """
    from quivive.app.verdict_file import parse_time
    from quivive.app.verdicts import Line, take
    from quivive.model.verdict import Verdict
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        time = parse_time(when) if when else _newest(store, state)
        verdict = Verdict(
            event_id=event_id,
            kind=kind,
            by=who(by),
            why=why,
            when=time,
        )
        _tell(take(store, [Line("", verdict)], amend=amend))


@command.command("import")
@click.argument("file", metavar="FILE")
@_state
@_amend
def import_command(file: str, state: str, amend: bool) -> None:
    """Take in the verdicts of FILE, all of them or none.

    JSON lines, or CSV with a header: event_id, verdict, by, why and, if known, when.
    """
    from quivive.app.verdict_file import read_verdicts
    from quivive.app.verdicts import take
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        _tell(take(store, read_verdicts(Path(file), _newest(store, state)), amend=amend))


@command.command("list")
@click.option("--summary", is_flag=True, help="How right the findings are, instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@_state
def list_(summary: bool, as_json: bool, state: str) -> None:
    """The verdicts that were given, oldest first; what no longer stands is marked."""
    from quivive.cli.verdict_text import listed, summarised
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        for line in (summarised if summary else listed)(store, as_json):
            click.echo(line)


@command.command("ask")
@click.option(
    "--count",
    default=20,
    show_default=True,
    type=click.IntRange(min=1, max=1000),
    help="How many logins.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@_state
def ask(count: int, as_json: bool, state: str) -> None:
    """Which logins to look into next: the most telling, and about one in ten drawn at random.

    The slice drawn at random shows what the top of the list cannot: how often a low score is
    right. The same questions come again until they are answered.
    """
    from quivive.cli.verdict_text import questions
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        for line in questions(store, count, as_json):
            click.echo(line)


def _newest(store: "Store", state: str) -> int:
    from quivive.store.verdicts import Verdicts

    horizon = Verdicts(store).horizon()
    if horizon is None:
        raise UsageError(f"{without_password(state)}: no login was scored into it yet")
    return horizon[1]


def _tell(outcome: "Outcome") -> None:
    from quivive.cli.verdict_text import told

    for line in told(outcome):
        click.echo(line, err=True)
