"""``quivive doctor``: what is here, what is missing, and what the missing costs."""

import platform
import time

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
def command(state: str | None) -> None:
    """Say what is here, what is missing, and what the missing costs in detection."""
    from quivive.app.clocks import clock_status
    from quivive.app.doctor import Check
    from quivive.app.geoip import status
    from quivive.app.health import telemetry
    from quivive.app.key_health import key_status
    from quivive.app.lists import home_dir
    from quivive.app.models import model_status
    from quivive.app.registry import signals, sources
    from quivive.app.running import cut_short
    from quivive.store.database import Store, StoreError

    checks = [
        Check(name="python", level="ok", text=f"Python {platform.python_version()}", remedy=None),
        Check(
            name="components",
            level="ok",
            text=f"{len(sources())} log sources, {len(signals())} signal families",
            remedy=None,
        ),
        *status(home_dir(), time.time_ns() // 1_000_000),
    ]
    if state is not None:
        try:
            with Store(state, create=False) as store:
                checks.append(Check(name="state", level="ok", text=store.given, remedy=None))
                checks += model_status(store)
                checks += cut_short(store)
                checks += clock_status(store)
                checks += key_status(store)
            checks += telemetry(state)
        except StoreError as error:
            checks.append(Check(name="state", level="missing", text=str(error), remedy=None))
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        console.print(f"{MARKS[check.level]}  [bold]{check.name}[/bold]  {escape(check.text)}")
        if check.remedy:
            console.print(f"         → {escape(check.remedy)}")
