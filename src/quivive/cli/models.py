"""``quivive models``: the versions of the model, and which of them scores."""

from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import author, opened_store
from quivive.cli.shared import printable, without_password
from quivive.model.words import counted

if TYPE_CHECKING:
    pass

_state = click.option("--state", metavar="DIR", required=True, help="The state directory.")
_by = click.option("--by", required=True, metavar="NAME", help="Who does it; kept in the history.")
_why = click.option("--why", required=True, metavar="REASON", help="Why; kept in the history.")


@click.group("models")
def command() -> None:
    """Show, compare, promote and roll back the versions of the model."""


@command.command("list")
@_state
def list_command(state: str) -> None:
    """List every version with its status."""
    from quivive.cli.model_text import day
    from quivive.store.models import SHIPPED_NAME, Models

    models = Models(opened_store(state))
    active = models.active()
    click.echo(f"{SHIPPED_NAME:8} {'active' if active == SHIPPED_NAME else 'available'}")
    for version in models.names():
        click.echo(
            f"{version.name:8} {version.status:10} learned {day(version.written)},"
            f" from logins until {day(version.created)}"
        )


@command.command("show")
@_state
@click.argument("version")
def show_command(state: str, version: str) -> None:
    """Show what a VERSION was learned from, how it compared, and every change of its status."""
    from quivive.app.models import model_of
    from quivive.app.promoting import report_of
    from quivive.cli.model_text import change_line, report_lines
    from quivive.store.models import Models

    store = opened_store(state)
    models = Models(store)
    model = model_of(models, version)
    click.echo(f"{version}: the weights of its signals; all others weigh 1")
    for name, weight in sorted(model.weights.items()):
        click.echo(f"  {name:<18}{weight:g}")
    if model.trees:
        click.echo("with boosted trees that rank findings")
    if (report := report_of(store, version)) is not None:
        for line in report_lines(report):
            click.echo(printable(line))
    for change in models.history():
        if change.version == version:
            click.echo(printable(change_line(change)))


@command.command("compare")
@_state
def compare_command(state: str) -> None:
    """Compare the version in shadow with the active one, over what was scored live."""
    from quivive.app.promoting import standing
    from quivive.cli.model_text import comparison_lines, gate_lines
    from quivive.store.models import Models

    store = opened_store(state)
    name = Models(store).named("shadow")
    if name is None:
        raise UsageError(
            f"{without_password(state)}: no version is in shadow; quivive learn --state"
            f" {without_password(state)} makes one"
        )
    found = standing(store, name)
    logins = counted(found.live.logins, "login")
    click.echo(f"{name} in shadow: {logins} over {found.live.days:.1f} days")
    if not found.live.logins:
        click.echo(
            f"nothing was scored since; score newer logs with --state {without_password(state)}"
        )
    compared = comparison_lines(found.live) if found.live.logins else ()
    for line in (*compared, *gate_lines(found.gate)):
        click.echo(printable(line))


@command.command("promote")
@_state
@_by
@_why
@click.option("--force", is_flag=True, help="Even if the gate says no; the history keeps that.")
@click.argument("version")
def promote_command(state: str, by: str, why: str, force: bool, version: str) -> None:
    """Make the VERSION in shadow the active one, if history and shadow speak for it."""
    from quivive.app.promoting import promote
    from quivive.cli.model_text import gate_lines
    from quivive.learn.promotion import PROMOTE

    gate = promote(opened_store(state), version, author(by, why), force=force)
    for line in gate_lines(gate):
        click.echo(printable(line))
    if gate.outcome != PROMOTE and not force:
        raise UsageError(f"{version} is not promoted; --force does it all the same")
    past = " past the gate" if gate.outcome != PROMOTE else ""
    click.echo(
        f"{version} is active now{past}; back again: quivive models rollback --state"
        f" {without_password(state)}"
    )


@command.command("rollback")
@_state
@click.option("--by", default="operator", show_default=True, metavar="NAME", help="Who does it.")
@click.option("--why", default="rolled back", show_default=True, metavar="REASON", help="Why.")
@click.option("--to", metavar="VERSION", help="To this version (or shipped), not the one before.")
def rollback_command(state: str, by: str, why: str, to: str | None) -> None:
    """Return to the model that was active before, exactly as it was."""
    from quivive.app.promoting import roll_back

    former, active = roll_back(opened_store(state), author(by, why), to)
    click.echo(f"{active} is active again, in place of {former}")


@command.command("shadow")
@_state
@_by
@_why
@click.argument("version")
def shadow_command(state: str, by: str, why: str, version: str) -> None:
    """Score a candidate or retired VERSION in shadow, beside the active model."""
    from quivive.app.promoting import put_in_shadow

    put_in_shadow(opened_store(state), version, author(by, why))
    click.echo(f"{version} is in shadow from the next run on")


@command.command("retire")
@_state
@_by
@_why
@click.argument("version")
def retire_command(state: str, by: str, why: str, version: str) -> None:
    """Take a VERSION out of shadow, or a candidate out of the way."""
    from quivive.app.promoting import retire

    retire(opened_store(state), version, author(by, why))
    click.echo(f"{version} is retired")
