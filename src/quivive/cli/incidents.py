"""``quivive incidents``: what belongs together, who looks at it, and who was told."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quivive.app.errors import UsageError
from quivive.cli.acting import opened_store, who
from quivive.cli.shared import printable
from quivive.model.words import counted, shortened

if TYPE_CHECKING:
    from quivive.model.incident import Incident

_state = click.option("--state", metavar="DIR", required=True, help="The state directory.")
_by = click.option("--by", metavar="NAME", help="Who does it; you, when not given.")


@click.group("incidents")
def command() -> None:
    """List, show, acknowledge and close incidents; send their notifications."""


@command.command("list")
@_state
@click.option("--status", type=click.Choice(["open", "acknowledged", "closed"]), help="Only these.")
@click.option("--priority", type=click.Choice(["P1", "P2", "P3", "P4"]), help="Only these.")
@click.option("--count", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_command(
    state: str, status: str | None, priority: str | None, count: int, as_json: bool
) -> None:
    """List incidents, newest first."""
    import msgspec

    from quivive.store.incidents import Incidents

    found = Incidents(opened_store(state)).listed(status=status, priority=priority, limit=count)
    for incident in found:
        click.echo(msgspec.json.encode(incident) if as_json else printable(_line(incident)))
    if not found and not as_json:
        click.echo("no incident", err=True)


@command.command("show")
@_state
@click.argument("incident_id", metavar="ID")
def show_command(state: str, incident_id: str) -> None:
    """Show one incident: why it is one, its findings, and what was done about it."""
    from quivive.cli.findings import moment
    from quivive.store.incidents import Incidents
    from quivive.store.named import spoken

    store = opened_store(state)
    kept = Incidents(store)
    incident = kept.get(incident_id)
    if incident is None:
        raise UsageError(f"{incident_id}: no such incident; quivive incidents list names them")
    for line in _told(incident):
        click.echo(printable(line))
    click.echo("findings:")
    members = kept.findings(incident_id)
    names = spoken(store, [event_id for event_id, _, _ in members])
    for event_id, time, identity in members:
        verdict = incident.judged.get(event_id, "").replace("_", " ")
        found = f"  {moment(time)}  {identity}  {names[event_id]}  {verdict}"
        click.echo(printable(found.rstrip()))
    for note in incident.notes:
        click.echo(printable(f"note  {moment(note.time)}  {note.by}: {note.text}"))


@command.command("ack")
@_state
@_by
@click.option("--note", default="", metavar="TEXT", help="What you are about to do.")
@click.argument("incident_id", metavar="ID")
def ack_command(state: str, by: str | None, note: str, incident_id: str) -> None:
    """Take an incident on: it is not told again unless it gets worse."""
    _act(state, incident_id, by, note, close=False)
    click.echo(
        f"{incident_id} is yours; when done: quivive incidents close {incident_id}", err=True
    )


@command.command("close")
@_state
@_by
@click.option("--why", required=True, metavar="TEXT", help="What it was, and what was done.")
@click.argument("incident_id", metavar="ID")
def close_command(state: str, by: str | None, why: str, incident_id: str) -> None:
    """Close an incident. A finding on the same identity within a week opens it again."""
    _act(state, incident_id, by, why, close=True)
    click.echo(
        f"{incident_id} is closed; a verdict teaches, too: quivive verdict add EVENT_ID", err=True
    )


@command.command("rebuild")
@_state
def rebuild_command(state: str) -> None:
    """Group all findings of the store anew. Nobody is told."""
    from quivive.app.incidents import known_of, rebuild
    from quivive.app.policies import active
    from quivive.app.promoting import kept_state
    from quivive.store.policies import Policies

    with opened_store(state) as store:
        learned = kept_state(store)
        contexts = Policies(store).contexts()
        known = known_of(learned, active(store), contexts) if learned is not None else None
        count = rebuild(store, known)
    click.echo(f"{counted(count, 'finding')} grouped", err=True)


@command.command("send")
@_state
@click.option(
    "--settings", "settings_file", required=True, metavar="FILE", help="YAML with a section notify."
)
@click.option("--dry-run", is_flag=True, help="Only say what is waiting.")
def send_command(state: str, settings_file: str, dry_run: bool) -> None:
    """Send the notifications that are due. quivive serve does this all the time."""
    from quivive.app.channels import read_settings
    from quivive.app.keys import random_key
    from quivive.app.notifying import KIND, VERDICT_KEY, Worker
    from quivive.app.wire import Wires, read
    from quivive.store.audit import now
    from quivive.store.outbox import StoredOutbox

    settings = read_settings(Path(settings_file))
    store = opened_store(state)
    rows = StoredOutbox(store, KIND)
    if dry_run:
        for what, number in sorted(rows.counts().items()):
            click.echo(f"{what}: {number}")
        return
    worker = Worker(rows, settings, Wires(), read, random_key(store, VERDICT_KEY))
    came = worker.run(now())
    click.echo(
        f"{came.delivered} delivered, {came.failed} to be tried again, {came.put_off} put off,"
        f" {came.given_up} given up",
        err=True,
    )
    if came.given_up or came.failed:
        raise click.exceptions.Exit(1)


@command.command("resend")
@_state
def resend_command(state: str) -> None:
    """Put the notifications that were given up back, after whatever was in the way is mended."""
    from quivive.app.notifying import KIND
    from quivive.store.audit import now
    from quivive.store.outbox import StoredOutbox

    rows = StoredOutbox(opened_store(state), KIND)
    for row, _, error in rows.rows("dead"):
        click.echo(printable(f"{row.key}: {error}"))
    click.echo(f"{rows.revive(now())} are due again", err=True)


def _act(state: str, incident_id: str, by: str | None, why: str, *, close: bool) -> None:
    from quivive.app.incidents import act
    from quivive.store.audit import now

    with opened_store(state) as store:
        act(store, incident_id, who(by), why, now(), close=close)


def _line(incident: "Incident") -> str:
    from quivive.cli.findings import moment

    names = sorted(incident.identities)
    many = len(names) + incident.more_identities
    who = shortened(names[0]) + (f" and {many - 1} more" if many > 1 else "")
    findings = f"{incident.count:>4} finding{' ' if incident.count == 1 else 's'}"
    return (
        f"{incident.id}  {incident.priority}  {incident.status:<12}  {moment(incident.last)}"
        f"  risk {incident.risk:5.1f}  {findings}  {who}"
    )


def _told(incident: "Incident") -> list[str]:
    from quivive.cli.findings import moment
    from quivive.incidents.priority import urgency

    when = f"{moment(incident.opened)} to {moment(incident.last)}"
    told = f"told {counted(incident.told_times, 'time')} ({incident.route})"
    lines = [
        _line(incident),
        f"  {when}; {told}, {urgency(incident).points:.0f} points",
        "  identities: " + ", ".join(sorted(incident.identities)),
        "  services: " + ", ".join(f"{n} ({c})" for n, c in sorted(incident.services.items())),
    ]
    if incident.joined_by:
        lines.append(f"  joined by: {incident.joined_by}")
    if incident.suppressed:
        lines.append(f"  {incident.suppressed} suppressed by {incident.suppressed_by}")
    if incident.containment_failed:
        lines.append("  containment failed")
    if incident.acknowledged_by:
        lines.append(f"  acknowledged by {incident.acknowledged_by}")
    if incident.closed_because:
        lines.append(f"  closed {moment(incident.closed_at)}: {incident.closed_because}")
    if incident.merged_into:
        lines.append(f"  part of {incident.merged_into}")
    return lines
