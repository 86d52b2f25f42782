"""``quivive user``: who may use the console."""

import sys
from typing import TYPE_CHECKING

import click

from quivive.cli.acting import now, who
from quivive.cli.shared import printable

if TYPE_CHECKING:
    from quivive.app.accounts import SignIn

ROLES = ("viewer", "analyst", "responder", "admin")
_state = click.option("--state", metavar="DIR|URL", required=True, help="The state of the server.")
_role = click.option(
    "--role",
    type=click.Choice(ROLES),
    required=True,
    help="viewer sees pseudonyms; analyst judges; responder acts; admin sets up.",
)


@click.group("user")
def command() -> None:
    """Say who may use the console, and as what."""


@command.command("add")
@_state
@_role
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--oidc", metavar="'ISSUER SUBJECT'", help="Signs in with the identity provider.")
@click.argument("name")
def add_command(state: str, role: str, password_stdin: bool, oidc: str | None, name: str) -> None:
    """Make a user. A password is made and shown once, unless --password-stdin or --oidc is given;
    it has to be changed at the first sign-in.
    """
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    people = _people(state)
    made = people.add(name, role, who(None), now(), password=given, subject=oidc)
    click.echo(f"{printable(name)} may sign in as {role}", err=True)
    _show(made)


@command.command("list")
@_state
def list_command(state: str) -> None:
    """List users: role, second factor, whether they may sign in."""
    found = _people(state).kept.all()
    for account in found:
        factor = "second factor" if account.totp else "password only"
        how = "OIDC" if account.subject else factor
        left = "  disabled" if account.disabled is not None else ""
        click.echo(printable(f"{account.name}  {account.role}  {how}{left}"))
    if not found:
        click.echo("no user; make one: quivive user add NAME --role admin", err=True)


@command.command("role")
@_state
@_role
@click.argument("name")
def role_command(state: str, role: str, name: str) -> None:
    """Give a user another role; the user signs in anew."""
    _people(state).set_role(name, role, who(None), now())


@command.command("reset")
@_state
@click.argument("name")
def reset_command(state: str, name: str) -> None:
    """Give a user who is locked out a new password, shown once, and take the second factor away."""
    _show(_people(state).reset(name, who(None), now()))


@command.command("disable")
@_state
@click.option("--undo", is_flag=True, help="Let the user sign in again.")
@click.argument("name")
def disable_command(state: str, undo: bool, name: str) -> None:
    """End a user's sessions, and let nobody sign in by that name."""
    _people(state).disable(name, who(None), now(), again=undo)


def _people(state: str) -> "SignIn":
    from quivive.app.accounts import SignIn
    from quivive.store.database import Store

    return SignIn(Store(state))


def _show(password: str) -> None:
    if password:
        click.echo("password, shown once, to be changed at the first sign-in:", err=True)
        click.echo(password)
