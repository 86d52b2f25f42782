"""``quivive geoip``: install place databases and see what is there."""

import time
from pathlib import Path

import click

from quivive.app.geoip import geoip_dir, install, status

_MARKS = {"ok": "ok     ", "warn": "warning", "missing": "missing"}


@click.group("geoip")
def command() -> None:
    """Install place databases; all lookups are local."""


@command.command("install")
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
def install_command(paths: tuple[Path, ...]) -> None:
    """Check databases (.mmdb, .csv, .csv.gz or a folder of them) and copy them into place.

    Knows MaxMind GeoLite2 and GeoIP2, DB-IP, and ip-location-db in both formats. Restart a
    running server afterwards.
    """
    for path in paths:
        for file in install(path):
            click.echo(f"installed {file}")


@command.command("status")
def status_command() -> None:
    """What is installed, how old it is, and what the missing parts cost in detection."""
    click.echo(f"databases: {geoip_dir()}")
    for finding in status(None, time.time_ns() // 1_000_000):
        click.echo(f"{_MARKS[finding.level]}  {finding.name}: {finding.text}")
        if finding.remedy:
            click.echo(f"         -> {finding.remedy}")
