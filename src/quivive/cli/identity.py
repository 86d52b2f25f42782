"""``quivive identity``: take one identity out of a store, or its name."""

from typing import TYPE_CHECKING

import click

from quivive.cli.acting import author
from quivive.cli.shared import printable, together
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.app.erasing import Erased
    from quivive.store.models import Author

_asked = together(
    click.option("--state", metavar="DIR|URL", required=True, help="The state directory."),
    click.option("--by", metavar="NAME", help="Who does it; kept.  [default: you]"),
    click.option("--why", metavar="REASON", required=True, help="Why; kept. Name nobody in it."),
    click.option(
        "--telemetry-dir", metavar="DIR", help="Telemetry that is not in the state's folder."
    ),
    click.option("--yes", is_flag=True, help="Do not ask first."),
    click.argument("identity", metavar="ID"),
)


@click.group("identity")
def command() -> None:
    """Erase one identity from a store, or put a pseudonym in its place."""


@command.command("erase")
@_asked
def erase_command(
    state: str, by: str | None, why: str, telemetry_dir: str | None, yes: bool, identity: str
) -> None:
    """Delete an identity's logins and baseline, and take back what it taught everyone.

    ID is its name as assessments give it. The audit trail keeps what it holds.
    """
    _do(state, identity, author(by, why), telemetry_dir, yes, keep=False)


@command.command("pseudonymise")
@_asked
def pseudonymise_command(
    state: str, by: str | None, why: str, telemetry_dir: str | None, yes: bool, identity: str
) -> None:
    """Delete an identity's baseline; keep its logins without name, address, device and session.

    ID is its name as assessments give it. The audit trail keeps what it holds.
    """
    _do(state, identity, author(by, why), telemetry_dir, yes, keep=True)


def _do(
    state: str, identity: str, author: "Author", telemetry: str | None, yes: bool, *, keep: bool
) -> None:
    from quivive.app.erasing import erase, pseudonymise
    from quivive.app.keeping import changing
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        if not yes:
            with changing(store, "identity"):
                pass  # whoever writes there, a server for one, is told of before anything is asked
            what = "Replace the name of" if keep else "Erase"
            click.confirm(f"{what} {printable(identity)} for good?", abort=True, err=True)
        _say((pseudonymise if keep else erase)(store, identity, author, telemetry), keep)


def _say(done: "Erased", keep: bool) -> None:
    what = "without a name now" if keep else "deleted"
    click.echo(
        f"{counted(done.logins, 'login')} {what}; where it is still spoken of: {done.stand_in}"
    )
    click.echo(
        f"{counted(done.taken_back, 'lesson')} taken back,"
        f" {counted(done.addresses, 'address or network', 'addresses and networks')},"
        f" {counted(done.incidents, 'incident')},"
        f" {counted(done.messages, 'message or action', 'messages and actions')},"
        f" {counted(done.dead_letters, 'dead letter')} changed",
    )
    if done.telemetry:
        click.echo(f"{counted(done.telemetry, 'row')} of telemetry deleted")
    if done.contexts:
        names = ", ".join(done.contexts)
        click.echo(f"contexts that still name it, which end by themselves: {names}", err=True)
    if done.in_trail:
        records = counted(
            done.in_trail,
            "record of the audit trail names it, and stays",
            "records of the audit trail name it, and stay",
        )
        click.echo(records, err=True)
