"""``quivive respond``: what was asked of vendors, what would be asked, and taking it back."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import who
from quivive.cli.shared import without_password

if TYPE_CHECKING:  # these take long to import, and help needs none
    from quivive.app.responses import Responses
    from quivive.model.response import ResponseRequest, ResponseResult

_state = click.option(
    "--state", required=True, metavar="DIR", help="The state directory or URL of quivive score."
)
_settings = click.option(
    "--settings",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The settings file with the section responses.",
)
_STATES = ("due", "done", "dead")


@click.group("respond")
def command() -> None:
    """Responses at vendors: list them, see what would be asked, take them back."""


@command.command("list")
@_state
@click.option("--only", type=click.Choice(_STATES), help="Only those that stand like this.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every detail.")
def list_(state: str, only: str | None, limit: int, as_json: bool) -> None:
    """Show intended responses and what came of them, newest first."""
    from quivive.app.responding import read_intended
    from quivive.cli.findings import moment
    from quivive.cli.shared import printable
    from quivive.store.database import Store
    from quivive.store.outbox import StoredOutbox

    with Store(_where(state), create=False) as store:
        found = StoredOutbox(store).rows(only, limit)
    if not found and not as_json:
        click.echo("No responses.")
    for row, due, error in found:
        if as_json:
            click.echo(_json_of(row.key, row.state, row.attempts, due, error, row.body))
            continue
        intended = read_intended(row.body)
        if intended is None:
            click.echo(f"{printable(row.key)}  {row.state}  not a response request")
            continue
        request = intended.request
        click.echo(
            printable(
                f"{row.key}  {row.state:<4}  {moment(request.decided)}  {request.action:<8}"
                f"  {request.target.identity}  ({request.rule})"
            )
        )
        for result in (*intended.results.values(), *intended.undone.values()):
            click.echo(f"    {_line(result)}")


@command.command("dry-run")
@click.argument("event_id")
@_state
@_settings
@click.option(
    "--action",
    metavar="ACTION",
    help="Show this action, whatever policy decided: revoke, disable, rotate, step_up…",
)
def dry_run(event_id: str, state: str, settings: str, action: str | None) -> None:
    """Show exactly what vendors would be asked about one stored login. Nothing is asked.

    EVENT_ID is the id in the scored line. Without --action it is what policy decided, also where
    the decision is in shadow.
    """
    from quivive.app.intents import requests_of_line
    from quivive.app.responses import load_responses
    from quivive.model.response import ACTIONS
    from quivive.store.database import Store
    from quivive.store.named import find

    if action is not None and action not in ACTIONS:
        raise UsageError(f"--action {action}: no response; one of {', '.join(ACTIONS)}")
    known = load_responses(Path(settings))
    with Store(_where(state), create=False) as store:
        found = find(store, event_id)
        body = store.assessment(found) if found is not None else None
    if body is None:
        raise UsageError(f"no scored login with the id {event_id!r} in {without_password(state)}")
    requests = requests_of_line(body, action=action, acting=False)
    if not requests:
        click.echo("Policy asks nothing of a vendor for this login; name an --action to see one.")
    for request in requests:
        _show(known, request)


def _show(known: "Responses", request: "ResponseRequest") -> None:
    from msgspec.structs import replace

    from quivive.cli.shared import printable
    from quivive.respond.performing import carry_out

    click.echo(printable(f"{request.action} {request.target.identity} ({request.rule})"))
    chosen = known.choose(request)
    if not chosen:
        product = request.target.product
        click.echo(printable(f"  nobody would be asked: no connection serves this for {product}"))
    for connection in chosen:
        asked = replace(request, action=connection.serves[request.action], dry_run=True)
        result = carry_out(
            connection.action, connection.settings, asked, None, connection=connection.name
        )
        click.echo(printable(f"  {connection.name} ({connection.action.vendor}):"))
        for number, words in enumerate(result.asked, 1):
            click.echo(printable(f"    {number}. {words}"))
        if result.detail:
            click.echo(printable(f"    {result.status}: {result.detail}"))
        if result.status == "dry_run":
            able = asked.action in connection.action.undoes
            click.echo("    can be taken back" if able else "    cannot be taken back")


@command.command("run")
@_state
@_settings
def run(state: str, settings: str) -> None:
    """Ask vendors for every response that is due, and end. For a timer, or by hand.

    What fails is due again later; what is given up pages, and stays in the list as dead.
    """
    from quivive.app.incidents import containment_failed
    from quivive.app.responding import Worker
    from quivive.app.responses import load_responses
    from quivive.app.ssf import transmitter_of
    from quivive.store.database import Store
    from quivive.store.outbox import StoredOutbox

    known = load_responses(Path(settings))
    with Store(_where(state), create=False) as store:
        outbox = StoredOutbox(store)
        transmitter = transmitter_of(store, known)
        outlet = transmitter.publish if transmitter is not None else None
        worker = Worker(outbox, known, outlet=outlet, failed=partial(containment_failed, store))
        count = 0
        try:
            while found := worker.run_once():
                count += found
        finally:
            worker.close()
        left = outbox.counts()
    told = ", ".join(f"{left.get(word, 0)} {word}" for word in _STATES)
    click.echo(f"{count} worked on; in all {told}", err=True)


@command.command("undo")
@click.argument("key")
@_state
@_settings
@click.option("--by", metavar="NAME", help="Who wants it.  [default: you, as the system knows you]")
@click.option("--why", required=True, metavar="TEXT", help="Why, so that a colleague can check it.")
@click.option("--dry-run", is_flag=True, help="Show what would be asked, and ask nothing.")
def undo(key: str, state: str, settings: str, by: str | None, why: str, dry_run: bool) -> None:
    """Take a response back at the vendors that did it, as far as they can.

    KEY, or its beginning, is what quivive respond list shows.
    """
    from quivive.app.responding import Worker
    from quivive.app.responses import load_responses
    from quivive.store.database import Store
    from quivive.store.outbox import StoredOutbox

    if not why.strip():
        raise UsageError("--why is empty; say why, so that a colleague can follow it")
    known = load_responses(Path(settings))
    with Store(_where(state), create=False) as store:
        worker = Worker(StoredOutbox(store), known)
        try:
            found = worker.undo(key, by=who(by), why=why, dry_run=dry_run)
        finally:
            worker.close()
    for result in found:
        click.echo(_line(result))
        for words in result.asked:
            click.echo(f"    {words}")
    if any(result.status not in ("undone", "dry_run") for result in found):
        raise UsageError("not everything was taken back; see above, and do the rest by hand")


def _line(result: "ResponseResult") -> str:
    from quivive.cli.shared import printable

    detail = f": {result.detail}" if result.detail else ""
    return printable(f"{result.connection} {result.status}{detail}")


def _json_of(key: str, state: str, attempts: int, due: int, error: str, body: bytes) -> str:
    import msgspec

    from quivive.app.responding import read_intended

    told = {
        "key": key,
        "state": state,
        "attempts": attempts,
        "due": due,
        "error": error,
        "intended": read_intended(body),
    }
    return msgspec.json.encode(told).decode()


def _where(state: str) -> Path | str:
    return state if "://" in state else Path(state)
