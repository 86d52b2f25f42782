"""``quivive doctor``: what is here, what is missing, and what the missing costs."""

import platform
import time
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

MARKS = {
    "ok": "[green]ok[/green]     ",
    "warn": "[yellow]warning[/yellow]",
    "missing": "[red]missing[/red]",
}


@click.command("doctor")
@click.option("--state", metavar="DIR", help="Check this state directory too.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Check the section fetch of this settings file too.",
)
def command(state: str | None, config: Path | None) -> None:
    """Say what is here, what is missing, and what the missing costs in detection."""
    from quivive.app.clocks import clock_status
    from quivive.app.doctor import Check
    from quivive.app.fetch_health import fetch_status
    from quivive.app.geoip import status
    from quivive.app.health import telemetry
    from quivive.app.key_health import key_status
    from quivive.app.lists import home_dir
    from quivive.app.models import model_status
    from quivive.app.registry import signals, sources
    from quivive.app.running import cut_short
    from quivive.store.database import Store, StoreError

    now = time.time_ns() // 1_000_000
    checks = [
        Check(name="python", level="ok", text=f"Python {platform.python_version()}", remedy=None),
        Check(
            name="components",
            level="ok",
            text=f"{len(sources())} log sources, {len(signals())} signal families",
            remedy=None,
        ),
        *status(home_dir(), now),
    ]
    if state is not None:
        try:
            with Store(state, create=False) as store:
                checks.append(Check(name="state", level="ok", text=store.given, remedy=None))
                checks += model_status(store)
                checks += cut_short(store)
                checks += clock_status(store)
                checks += key_status(store)
                checks += fetch_status(config, store, now) if config is not None else []
            checks += telemetry(state)
        except StoreError as error:
            checks.append(Check(name="state", level="missing", text=str(error), remedy=None))
    elif config is not None:
        checks += fetch_status(config, None, now)
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        console.print(f"{MARKS[check.level]}  [bold]{check.name}[/bold]  {escape(check.text)}")
        if check.remedy:
            console.print(f"         → {escape(check.remedy)}")
