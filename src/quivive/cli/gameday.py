"""``quivive gameday``: the scenarios of the field guide, played through the whole path."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from quivive.app.gamedays.report import Report

LINKS = ("detection", "policy", "vendor", "people", "audit")


@click.command("gameday")
@click.argument("name")
@click.option(
    "--report",
    "report_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as HTML or JSON, by the file's name.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the logs, the stores and the documents here.",
)
@click.option("--seed", type=int, help="Another organisation; not every one has a fitting target.")
@click.option(
    "--break",
    "broken",
    metavar="LINK",
    type=click.Choice(LINKS),
    help=f"Break a link on purpose, to see the report fail: {', '.join(LINKS)}.",
)
def command(
    name: str, report_file: Path | None, keep: Path | None, seed: int | None, broken: str | None
) -> None:
    """Play a scenario through the whole path, against local fakes of the vendors.

    NAME is S1 to S6, "all", or "list". Nothing leaves this machine. Exit 0 when every demand was
    met, 1 when one was not.
    """
    from quivive.app.gamedays.run import SCENARIOS, find, run
    from quivive.server.rehearsal import judging

    if name.lower() == "list":
        for scenario in SCENARIOS.values():
            click.echo(f"{scenario.name}  {scenario.title}")
            click.echo(f"    {scenario.goal}")
        return
    if report_file is not None and report_file.suffix not in (".html", ".json"):
        raise click.UsageError(f"--report {report_file}: name a file that ends in .html or .json")
    chosen = list(SCENARIOS.values()) if name.lower() == "all" else [find(name)]
    reports = []
    for scenario in chosen:
        report = run(scenario, judging, seed=seed, broken=broken or "", keep=keep)
        _print(report)
        reports.append(report)
    if report_file is not None:
        _write(report_file, reports)
    if not all(report.passed for report in reports):
        raise click.exceptions.Exit(1)


def _print(report: "Report") -> None:
    from quivive.app.report import moment
    from quivive.cli.shared import printable

    def say(text: str) -> None:
        click.echo(printable(text))

    say(f"{report.name}  {report.title}: {'passed' if report.passed else 'FAILED'}")
    if report.broken:
        say(f"    (broken on purpose: {report.broken})")
    for check in report.checks:
        say(f"  {'met    ' if check.passed else 'NOT MET'}  {check.what}: {check.expected}")
        say(f"           {check.found}")
    for one in report.moments:
        took = "" if one.seconds is None else f", {one.seconds * 1000:.0f} ms after the record"
        say(f"  {moment(one.time)}  {one.what}: {one.text}{took}")
    for what, value in report.figures.items():
        say(f"  {value:>10}  {what}")
    for what, measured in report.measured.items():
        say(f"  {measured:>10.4g}  {what} (measured here)")
    for note in report.notes:
        say(f"  {note}")
    click.echo()


def _write(path: Path, reports: "list[Report]") -> None:
    from quivive.app.gamedays.report import as_html, as_json

    text = as_html(reports) if path.suffix == ".html" else as_json(reports).decode()
    path.write_text(text, encoding="utf-8")
    click.echo(f"{path}", err=True)
