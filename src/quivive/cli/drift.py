"""``quivive drift``: what changed in the organisation, and which log went silent."""

import time
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from quivive.cli.shared import printable

if TYPE_CHECKING:
    from quivive.learn.health import Health

DAY_MS = 86_400_000
FEWEST_DRIFT_DAYS = 21  # the last whole week, one before it, and what is cut off at both ends
MARKS = {"act": "[red]act[/red]  ", "watch": "[yellow]watch[/yellow]"}


@click.command("drift")
@click.option("--state", required=True, metavar="DIR", help="The state directory to look at.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the report.")
@click.option(
    "--live",
    is_flag=True,
    help="Measure silence up to now; otherwise up to the newest event of all logs.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when something asks for action.")
def command(state: str, as_json: bool, live: bool, strict: bool) -> None:
    """Say whether the logs still look as they did, what they no longer tell, and what is new."""
    import msgspec

    from quivive.app.health import stored_health

    report = stored_health(state, time.time_ns() // 1_000_000 if live else None)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _show(report)
    if strict and report.acts:
        raise click.exceptions.Exit(1)


def _show(report: "Health") -> None:
    from quivive.cli.findings import moment

    console = Console(highlight=False, soft_wrap=True)
    if not report.until:
        console.print("Nothing was scored yet with this version: score some weeks of logs first.")
        return
    console.print(f"Up to {moment(report.until)} UTC")
    console.print("\n[bold]Drift[/bold]  the last whole week against the four before")
    for drift in report.drift:
        since = f", since {moment(drift.since)[:10]}" if drift.since else ""
        console.print(f"  {MARKS[drift.severity]}  {_safe(drift.text)}{since}")
    begun = (report.until - report.since) / DAY_MS
    if not report.drift:
        early = f"too early to tell: {begun:.0f} days of logs, it takes three whole weeks"
        console.print("  none" if begun >= FEWEST_DRIFT_DAYS else f"  {early}")
    console.print("\n[bold]Gaps of telemetry[/bold]")
    for gap in report.gaps:
        console.print(f"  {MARKS[gap.severity]}  {_safe(gap.text)}, since {moment(gap.since)}")
        if gap.costs:
            console.print(f"         not evaluable: {_safe(', '.join(gap.costs))}")
        console.print(f"         → {_safe(gap.remedy)}")
    if not report.gaps:
        console.print("  none")
    console.print("\n[bold]Events of the organisation[/bold]  new to many within a day")
    for event in report.events:
        console.print(f"  {_safe(event.text)}")
        console.print(f"         [dim]such as {_safe(', '.join(event.examples))}[/dim]")
    if not report.events:
        console.print("  none")


def _safe(text: str) -> str:
    return escape(printable(text))
