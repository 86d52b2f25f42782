"""``quivive policy``: check, preview, activate and roll back what is done about a login."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import author, now, opened_store
from quivive.cli.shared import printable, without_password
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.policy.rules import Policy
    from quivive.store.database import Store

ACTIVE, SHIPPED = "active", "shipped"

_state = click.option("--state", metavar="DIR", required=True, help="The state directory.")
_by = click.option(
    "--by", metavar="NAME", help="Who does it; kept.  [default: you, as the system knows you]"
)


def _why(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--why", metavar="REASON", default=default, show_default=True, help="Why; kept."
    )


@click.group("policy")
def command() -> None:
    """Check, preview, activate and roll back what is done about a login."""


@command.command("show")
@click.argument("name", default=SHIPPED, metavar="[VERSION]")
@click.option("--state", metavar="DIR", help="The state directory; for any but the shipped one.")
def show_command(name: str, state: str | None) -> None:
    """Print a policy's text: the shipped one, to begin your own with, or a VERSION of a store."""
    from quivive.app.policy_file import shipped_text
    from quivive.store.policies import Policies

    if name == SHIPPED:
        click.echo(shipped_text(), nl=False)
        return
    if state is None:
        raise UsageError(f"{name} is a version of which store? name it with --state")
    kept = Policies(opened_store(state))
    name = kept.active() if name == ACTIVE else name
    click.echo(shipped_text() if name == SHIPPED else kept.version(name).body, nl=False)


@command.command("check")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@click.argument("file", metavar="FILE")
def check_command(strict: bool, file: str) -> None:
    """Find what is wrong with a policy FILE: types, fields, rules that never act or contradict.

    Exit 0: nothing but warnings; 1: errors; 2: the file cannot be read.
    """
    from quivive.app.policy_file import read

    found = read(Path(file), now())
    for problem in found.problems:
        click.echo(printable(problem.said(file)))
    warnings = len(found.problems) - len(found.errors)
    rules = len(found.parsed.policy.rules) if found.parsed.policy is not None else 0
    before = f"{counted(rules, 'rule')}, " if rules else ""
    errors = counted(len(found.errors), "error")
    click.echo(f"{file}: {before}{errors}, {counted(warnings, 'warning')}", err=True)
    if found.errors or (strict and warnings):
        raise click.exceptions.Exit(1)


@command.command("preview")
@_state
@click.option("--policy", metavar="FILE", help="The policy to look at.  [default: the active one]")
@click.option(
    "--against",
    metavar="FILE|VERSION",
    help="Another beside it, or active, or shipped.  [default: active, with --policy]",
)
@click.option("--as-written", is_flag=True, help="Leave rules in shadow that are in shadow.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def preview_command(
    state: str, policy: str | None, against: str | None, as_written: bool, as_json: bool
) -> None:
    """Decide the stored history anew: who would have been challenged or stopped, and what changes.

    All rules count as in force, whatever their mode, unless --as-written.
    """
    from quivive.app.preview import preview
    from quivive.cli.policy_text import preview_lines

    store = opened_store(state)
    one = _policy(store, policy or ACTIVE)
    if against is None and policy is not None:
        against = ACTIVE
    other = _policy(store, against) if against is not None else None
    found = preview(store, one, other, as_written=as_written)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(found.row()))
        return
    for line in preview_lines(found):
        click.echo(printable(line))


@command.command("list")
@_state
@click.option("--history", is_flag=True, help="Every change of policies, flags and contexts, too.")
def list_command(state: str, history: bool) -> None:
    """List the versions of the policy, and the flags that were switched."""
    from quivive.cli.policy_text import change_line, version_line
    from quivive.store.policies import Policies

    kept = Policies(opened_store(state))
    active = kept.active()
    click.echo(f"{SHIPPED:8} {'active' if active == SHIPPED else '':8} the one Quivive comes with")
    for version in kept.versions():
        click.echo(printable(version_line(version, active)))
    for name, on in kept.flags().items():
        click.echo(f"flag {name}: {'on' if on else 'off'}")
    for of, text in kept.budgets().items():
        click.echo(f"budget of findings {of}={text}")
    for change in kept.history() if history else ():
        click.echo(printable(change_line(change)))


@command.command("activate")
@_state
@_by
@_why("activated")
@click.argument("file", metavar="FILE")
def activate_command(state: str, by: str | None, why: str, file: str) -> None:
    """Make a policy FILE the active one. A file with errors is refused."""
    from quivive.app.policies import activate

    name = activate(opened_store(state), Path(file), author(by, why))
    click.echo(
        f"{name} is active now; back again: quivive policy rollback --state"
        f" {without_password(state)}"
    )


@command.command("rollback")
@_state
@_by
@_why("rolled back")
@click.option("--to", metavar="VERSION", help="To this version (or shipped), not the one before.")
def rollback_command(state: str, by: str | None, why: str, to: str | None) -> None:
    """Return to the policy that was active before."""
    from quivive.app.policies import roll_back

    former, active = roll_back(opened_store(state), author(by, why), to)
    click.echo(f"{active} is active again, in place of {former}")


@command.command("flag")
@_state
@_by
@_why("switched")
@click.argument("name")
@click.argument("value", metavar="on|off", type=click.Choice(("on", "off")))
def flag_command(state: str, by: str | None, why: str, name: str, value: str) -> None:
    """Switch the rules of a flag on or off at once, without another version."""
    from quivive.app.policies import switch

    rules = switch(opened_store(state), name, value == "on", author(by, why))
    click.echo(f"{name} is {value}: {', '.join(rules)}")


def _policy(store: "Store", named: str) -> "Policy":
    from quivive.app.policies import active, version
    from quivive.app.policy_file import read
    from quivive.store.policies import Policies

    if named == ACTIVE:
        return active(store)
    if named == SHIPPED or (named[:1] == "p" and named[1:].isdecimal()):
        return version(store, named)
    return read(Path(named)).policy().with_flags(Policies(store).flags())
