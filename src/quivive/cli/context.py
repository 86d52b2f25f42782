"""``quivive context``: circumstances that a person vouches for, and that end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import author, now, opened_store
from quivive.cli.policy import _by, _state
from quivive.cli.shared import printable, without_password

_KINDS = (
    "safelist travel maintenance deploy campaign grace vip countries override break_glass"
).split()


@click.group("context")
def command() -> None:
    """Say what is in order for a while: travel, maintenance, safelists, campaigns, exceptions."""


def _several(
    name: str, metavar: str, text: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(name, multiple=True, metavar=metavar, help=f"{text} (may be repeated).")


@command.command("add")
@click.argument("kind", type=click.Choice(_KINDS), metavar="KIND")
@_state
@_by
@click.option("--reason", required=True, metavar="TEXT", help="Why; a colleague reads it later.")
@click.option("--owner", metavar="NAME", help="Who answers for it.  [default: --by]")
@click.option("--id", "name", metavar="NAME", help="What to call it.  [default: c1, c2…]")
@click.option("--from", "begins", metavar="TIME", help="When it begins.  [default: now]")
@click.option(
    "--until", metavar="TIME", help="When it ends: a date, 12h, 14d.  [default: 30 days; grace: 1]"
)
@_several("--identity", "NAME", 'Whom it is about; "@example.com" for a whole domain')
@_several("--group", "NAME", "Whom it is about, by group")
@_several("--service", "NAME", "What is logged in to")
@_several("--address", "ADDRESS|CIDR", "From where")
@_several("--network", "ASN", "From where, by the network's operator")
@_several("--device", "ID", "With what")
@_several("--country", "CODE", "Of a journey, or the only ones allowed")
@click.option("--margin", type=float, help="What a campaign takes off the risk, 20 at most.")
@click.option("--action", metavar="ACTION", help="What an override does.")
def add_command(
    kind: str,
    state: str,
    by: str | None,
    reason: str,
    owner: str | None,
    name: str | None,
    begins: str | None,
    until: str | None,
    **criteria: Any,
) -> None:
    """Add a context. KIND is safelist, travel, maintenance, deploy, campaign, grace, vip,
    countries, override or break_glass; the reference page says what each does.
    """
    from quivive.app.contexts import from_fields, said
    from quivive.app.policies import record
    from quivive.store.policies import Policies

    who = author(by, " ".join(reason.split()) or " ")
    given = {
        "id": name,
        "kind": kind,
        "reason": reason,
        "owner": owner or who.by,
        "from": begins,
        "until": until,
        "identities": criteria["identity"],
        "groups": criteria["group"],
        "services": criteria["service"],
        "addresses": criteria["address"],
        "networks": criteria["network"],
        "devices": criteria["device"],
        "countries": criteria["country"],
        "margin": criteria["margin"] or 0.0,
        "action": criteria["action"],
    }
    context = from_fields(given, who.at)
    (added,) = Policies(opened_store(state)).add([context], who, record)
    click.echo(f"{added.id} holds from {said(added.begins)} until {said(added.ends)} UTC")


@command.command("list")
@_state
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@click.option("--learned", is_flag=True, help="Beside them: addresses that many are at home on.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_command(state: str, everything: bool, learned: bool, as_json: bool) -> None:
    """List the contexts that hold now or later, those that end first on top."""
    import msgspec

    from quivive.app.contexts import as_fields, safelisted, said, shared_egress
    from quivive.app.keeping import load_state
    from quivive.store.policies import Policies

    store, at = opened_store(state), now()
    contexts = Policies(store).contexts()
    shown = sorted((c for c in contexts if everything or c.ends > at), key=lambda c: (c.ends, c.id))
    for context in shown:
        if as_json:
            click.echo(msgspec.json.encode(as_fields(context)))
            continue
        status = "ended" if context.ends <= at else "until"
        click.echo(
            printable(
                f"{context.id:12} {context.kind:12} {status} {said(context.ends)}"
                f"  {_about(as_fields(context))}  ({context.owner}: {context.reason})"
            )
        )
    if not shown and not as_json:
        click.echo("no context holds now")
    if not learned:
        return
    kept = load_state(store)
    if kept is None:
        raise UsageError(
            f"{without_password(state)}: nothing was learned here yet; run quivive score --state"
            f" {without_password(state)}"
        )
    if not as_json:
        click.echo("learned: addresses and networks with many identities at home there")
    for shared in shared_egress(kept):
        covered = list(safelisted(shared.place, (c for c in contexts if c.ends > at)))
        if as_json:
            row = {"learned": shared.place, "identities": shared.identities, "safelisted": covered}
            click.echo(msgspec.json.encode(row))
            continue
        beside = f"  safelisted by {', '.join(covered)}" if covered else ""
        what = "identity" if shared.identities == 1 else "identities"
        click.echo(f"{shared.place:24} {shared.identities:>4} {what}{beside}")


@command.command("end")
@_state
@_by
@click.option("--why", default="ended", show_default=True, metavar="REASON", help="Why; kept.")
@click.argument("name")
def end_command(state: str, by: str | None, why: str, name: str) -> None:
    """End a context now."""
    from quivive.app.policies import record
    from quivive.store.policies import Policies

    ended = Policies(opened_store(state)).end(name, author(by, why), record)
    click.echo(f"{ended.id} has ended")


@command.command("import")
@_state
@_by
@click.option("--why", default="imported", show_default=True, metavar="REASON", help="Why; kept.")
@click.argument("file", metavar="FILE")
def import_command(state: str, by: str | None, why: str, file: str) -> None:
    """Add the contexts of a YAML FILE, all or none."""
    from quivive.app.contexts import read_file
    from quivive.app.policies import record
    from quivive.store.policies import Policies

    who = author(by, why)
    contexts = read_file(Path(file), who.at)
    added = Policies(opened_store(state)).add(contexts, who, record)
    click.echo(f"{len(added)} contexts added: {', '.join(c.id for c in added)}")


def _about(fields: dict[str, Any]) -> str:
    from quivive.app.contexts import LISTS

    named = []
    for key in LISTS:
        values = [str(v) for v in fields.get(key, ())]
        if values:
            more = f" and {len(values) - 3} more" if len(values) > 3 else ""
            named.append(", ".join(values[:3]) + more)
    return "; ".join(named)
