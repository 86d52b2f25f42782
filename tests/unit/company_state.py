"""A small company's logins, scored into a store, for tests of what is made from a history."""

from pathlib import Path

from click.testing import CliRunner

from quivive.cli.main import cli
from quivive.sim.build import simulate


def company(folder: Path) -> Path:
    """The state of it: 25 days of 12 people and 2 machines, with three incidents."""
    simulate(folder / "org", seed=5, people=12, services=2, days=25, incidents=3)
    state = folder / "state"
    run("score", "--state", str(state), "--geoip", str(folder / "org" / "places.csv"),
        str(folder / "org" / "entra.jsonl"))  # fmt: skip
    return state


def run(*args: str) -> str:
    """What a command writes."""
    found = CliRunner().invoke(cli, args, catch_exceptions=False, standalone_mode=False)
    return found.output
