"""The game days by name, and playing one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quivive.app.errors import UsageError
from quivive.app.gamedays import s1, s2, s3, s4, s5, s6
from quivive.app.gamedays.day import LINKS, Day, Scenario
from quivive.app.gamedays.path import Make
from quivive.app.gamedays.report import Report

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        s1.SCENARIO,
        s2.SCENARIO,
        s3.SCENARIO,
        s4.SCENARIO,
        s5.SCENARIO,
        s6.SCENARIO,
    )
}


def find(name: str) -> Scenario:
    """A scenario by name. Raises UsageError for one that does not exist."""
    found = SCENARIOS.get(name.upper())
    if found is None:
        raise UsageError(f"no game day {name!r}; one of {', '.join(SCENARIOS)}, all, or list")
    return found


def run(
    scenario: Scenario,
    make: Make,
    *,
    seed: int | None = None,
    broken: str = "",
    keep: Path | None = None,
) -> Report:
    """Plays one game day, and says what came of it.

    make: what judges on a store; broken: a link of LINKS to break on purpose; keep: a folder for
    the logs and the stores, removed otherwise. Raises UsageError for a link that does not exist, a
    folder that is in use, and a seed with nobody to attack.
    """
    if broken and broken not in LINKS:
        raise UsageError(f"no link {broken!r} to break; one of {', '.join(LINKS)}")
    with _folder(keep, scenario.name) as folder:
        day = Day(scenario, folder, make, scenario.seed if seed is None else seed, broken)
        scenario.play(day)
        for name, text in day.report.documents.items():
            (folder / name).write_text(text, encoding="utf-8")
        return day.report


@contextmanager
def _folder(keep: Path | None, name: str) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="quivive-gameday-") as made:
            yield Path(made)
        return
    folder = keep / name.lower()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; choose a folder you can write") from None
    if used:
        raise UsageError(f"{folder}: not empty; remove it or choose another folder for --keep")
    yield folder
