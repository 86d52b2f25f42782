"""``quivive token``: who may call the server."""

import click

from quivive.cli.acting import who

_state = click.option(
    "--state", metavar="DIR|URL", required=True, help="The state of quivive serve."
)
_by = click.option("--by", metavar="NAME", help="Who does it; you, when not given.")


@click.group("token")
def command() -> None:
    """Make, list and revoke the bearer tokens of quivive serve."""


@command.command("create")
@_state
@_by
@click.option("--name", required=True, metavar="TEXT", help="Who will use it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["assess", "ingest", "read", "verdict", "ssf", "metrics", "admin"]),
    help="What it may do (may be repeated).",
)
@click.option(
    "--expires", default="365d", show_default=True, metavar="WHEN", help="90d, 2027-01-31, never."
)
@click.option(
    "--fail",
    default="open",
    show_default=True,
    type=click.Choice(["open", "closed"]),
    help="What it is told when a login cannot be judged in time: to let in, or not.",
)
@click.option(
    "--rate", type=click.FloatRange(min=0.01), metavar="N", help="Requests a second at most."
)
def create_command(
    state: str,
    by: str | None,
    name: str,
    scopes: tuple[str, ...],
    expires: str,
    fail: str,
    rate: float | None,
) -> None:
    """Make a token and print it: once, it is kept nowhere.

    A running server takes it within a second or two.
    """
    from quivive.app.access import Wanted, create
    from quivive.app.contexts import when
    from quivive.store.audit import now
    from quivive.store.database import Store

    at = now()
    ends = None if expires == "never" else when(expires, at, at)
    with Store(state) as store:
        text, token = create(store, Wanted(name, scopes, ends, fail, rate), who(by), at)
    click.echo(f"token {token.id} ({token.scopes}) for {token.name}; shown this once:", err=True)
    click.echo(text)


@command.command("list")
@_state
def list_command(state: str) -> None:
    """Show the tokens, never their secrets."""
    from quivive.app.contexts import said
    from quivive.cli.shared import printable
    from quivive.store.access import Access
    from quivive.store.audit import now
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        found = Access(store).all()
    at = now()
    for token in found:
        ends = "never ends" if token.expires is None else f"until {said(token.expires)}"
        stands = "revoked" if token.revoked else "expired" if not token.valid(at) else ends
        click.echo(
            printable(
                f"{token.id}  {stands:<22}  fail {token.fallback:<6}  {token.scopes:<28}"
                f"  {token.name}"
            )
        )
    if not found:
        click.echo("no token; make one with quivive token create", err=True)


@command.command("revoke")
@_state
@_by
@click.option("--why", required=True, metavar="TEXT", help="Kept in the audit trail.")
@click.argument("token_id", metavar="ID")
def revoke_command(state: str, by: str | None, why: str, token_id: str) -> None:
    """End a token: a running server refuses it within a second or two."""
    from quivive.app.access import revoke
    from quivive.store.audit import now
    from quivive.store.database import Store

    with Store(state, create=False) as store:
        revoke(store, token_id, who(by), why, now())
    click.echo(f"token {token_id} is revoked", err=True)
