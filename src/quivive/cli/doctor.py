"""``quivive doctor``: what is here, what is missing, and what the missing costs."""

import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from quivive.app.doctor import Check

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
    type=click.Path(path_type=Path),
    help="Check this settings file of quivive serve.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="With --config: as of serve.")
@click.option(
    "--port",
    default=8450,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="With --config: as of serve.",
)
def command(state: str | None, config: Path | None, host: str, port: int) -> None:
    """Say what is here, what is missing, and what the missing costs in detection.

    With --config everything that is wrong with a settings file is told at once, with its lines;
    nothing is started, and no secret is shown. Exit 1: something in it, or what it names, is wrong.
    """
    from quivive.app.clocks import clock_status
    from quivive.app.doctor import Check
    from quivive.app.fetch_health import fetch_status
    from quivive.app.geoip import status
    from quivive.app.health import telemetry
    from quivive.app.kafka_health import kafka_status
    from quivive.app.key_health import key_status
    from quivive.app.lists import home_dir
    from quivive.app.models import model_status
    from quivive.app.registry import signals, sources
    from quivive.app.running import cut_short
    from quivive.app.settings_check import new_state
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
    told = _settings(config, host, port) if config is not None else []
    made = new_state(state) if config is not None and state is not None else None
    told += [made] if made is not None else []
    checks += told
    inputs: list[Check] = []
    if state is not None and made is None:
        try:
            with Store(state, create=False) as store:
                checks.append(Check(name="state", level="ok", text=store.given, remedy=None))
                checks += model_status(store)
                checks += cut_short(store)
                checks += clock_status(store)
                checks += key_status(store)
                if config is not None:
                    inputs = fetch_status(config, store, now) + kafka_status(config, store, now)
            checks += telemetry(state)
        except StoreError as error:
            told.append(Check(name="state", level="missing", text=str(error), remedy=None))
            checks.append(told[-1])
    elif config is not None:
        inputs = fetch_status(config, None, now) + kafka_status(config, None, now)
    told += inputs
    console = Console(highlight=False, soft_wrap=True)
    for check in (*checks, *inputs):
        console.print(f"{MARKS[check.level]}  [bold]{check.name}[/bold]  {escape(check.text)}")
        if check.remedy:
            console.print(f"         → {escape(check.remedy)}")
    if config is not None and any(check.level == "missing" for check in told):
        raise click.exceptions.Exit(1)


def _settings(config: Path, host: str, port: int) -> "list[Check]":
    from quivive.app import settings_check
    from quivive.server.settings import ServerSettings

    return [*settings_check.check(config, ServerSettings), settings_check.port(host, port)]
