"""``quivive audit``: what was decided and done, and whether the trail of it is whole."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import opened_store
from quivive.cli.shared import printable, without_password
from quivive.model.words import counted

if TYPE_CHECKING:
    from quivive.store.audit import Filters

_state = click.option("--state", metavar="DIR", required=True, help="The state directory.")
_key = click.option(
    "--key", metavar="FILE", help="The key as a JWK; else QUIVIVE_AUDIT_KEY, or the state's own."
)


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--until", metavar="TIME", help="Before this time (ISO 8601 with a zone)."),
        click.option("--since", metavar="TIME", help="From this time on."),
        click.option("--action", metavar="ACTION", help='"verdict", "decision:revoke"…'),
        click.option("--subject", metavar="ID", help="About this event, identity or version."),
        click.option("--by", metavar="NAME", help="What this person, or policy, did."),
    ):
        command = option(command)
    return command


@click.group("audit")
def command() -> None:
    """Verify, list and export the audit trail."""


@command.command("verify")
@_state
@_key
@click.option(
    "--checkpoint",
    "elsewhere",
    multiple=True,
    metavar="FILE",
    help="Checkpoints kept elsewhere, as quivive audit checkpoint wrote them (may be repeated).",
)
def verify_command(state: str, key: str | None, elsewhere: tuple[str, ...]) -> None:
    """Read the whole trail, and name the first record that is not as it was written.

    Exit 0: whole; 1: broken.
    """
    from quivive.app.audit import checking_key, load_key, read_checkpoints, verify

    store = opened_store(state)
    kept = []
    for name in elsewhere:
        try:
            with Path(name).open("rb") as stream:
                kept += read_checkpoints(stream, name)
        except OSError as error:
            raise UsageError(f"{name}: cannot be read ({error.strerror})") from None
    trusted = load_key(Path(key)) if key is not None else checking_key(store)
    found = verify(store, trusted, kept)
    if found.broken is not None:
        click.echo(f"broken at record {found.broken.seq}: {found.broken.what}")
        click.echo("what to do: docs/runbooks/audit-broken.md", err=True)
        raise click.exceptions.Exit(1)
    signed = f"signed for up to record {found.signed}" if found.signed else "not signed for yet"
    click.echo(
        f"{counted(found.records, 'record')}, each bound to the one before; {signed}"
        f" ({counted(found.checkpoints, 'checkpoint')}, key {trusted.thumbprint()})"
    )


@command.command("list")
@_state
@_filters
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_command(
    state: str,
    by: str | None,
    subject: str | None,
    action: str | None,
    since: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Show records, oldest first."""
    from quivive.app.audit import line_of
    from quivive.cli.findings import moment
    from quivive.store.audit import Trail

    for record in Trail(opened_store(state)).records(_chosen(by, subject, action, since, until)):
        if as_json:
            click.echo(line_of(record))
        else:
            said = f"{record.actor}  {record.action}  {record.subject}  {record.details}"
            click.echo(printable(f"{record.seq:>8}  {moment(record.time)}  {said}"))


@command.command("export")
@_state
@_key
@_filters
@click.option("--out", required=True, metavar="FILE", help="NDJSON; the manifest goes beside it.")
def export_command(
    state: str,
    key: str | None,
    by: str | None,
    subject: str | None,
    action: str | None,
    since: str | None,
    until: str | None,
    out: str,
) -> None:
    """Write records as evidence: NDJSON, and FILE.manifest.json with digests and checkpoints.

    The trail is verified first; a broken one is not exported.
    """
    from quivive.app.audit import exported, load_key, sign, signing_key, verify

    store = opened_store(state)
    private = load_key(Path(key)) if key is not None else signing_key(store)
    found = verify(store, private)
    if found.broken is not None:
        raise UsageError(
            f"{without_password(state)}: broken at record {found.broken.seq}: {found.broken.what};"
            " see docs/runbooks/audit-broken.md"
        )
    if private.is_private:
        sign(store, private)
    manifest = exported(store, Path(out), private, _chosen(by, subject, action, since, until))
    click.echo(
        f"{counted(manifest.records, 'record')} in {out}, SHA-256 {manifest.sha256}; the"
        " manifest is"
        f" {out}.manifest.json",
        err=True,
    )


@command.command("checkpoint")
@_state
@_key
def checkpoint_command(state: str, key: str | None) -> None:
    """Sign for all records so far, and print that as one JSON line to be kept elsewhere.

    What nobody with access to the store can change shows when the trail is cut off or made anew.
    """
    from quivive.app.audit import as_json, load_key, sign

    signed = sign(opened_store(state), load_key(Path(key)) if key is not None else None)
    if signed is None:
        raise UsageError(f"{without_password(state)}: nothing was recorded yet")
    import msgspec

    click.echo(msgspec.json.encode(as_json(signed)))


@command.command("key")
@_state
def key_command(state: str) -> None:
    """Print the public half of the key that signs, as a JWK, for whoever verifies elsewhere."""
    import msgspec

    from quivive.app.audit import signing_key

    public = signing_key(opened_store(state)).as_dict(private=False)
    click.echo(msgspec.json.encode(public, order="deterministic"))


def _chosen(
    by: str | None, subject: str | None, action: str | None, since: str | None, until: str | None
) -> "Filters":
    from quivive.app.verdict_file import parse_time
    from quivive.store.audit import Filters

    return Filters(
        subject=subject,
        actor=by,
        action=action,
        since=parse_time(since) if since else None,
        until=parse_time(until) if until else None,
    )
