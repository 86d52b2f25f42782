"""Shared by the tests of single parts: an empty store, and the command line in this process."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from quivive.cli.main import main
from quivive.store.database import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a folder of the test's own."""
    with Store(tmp_path / "state") as opened:
        yield opened


class Ran(NamedTuple):
    """A command that has ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


def code_of(arguments: Iterable[object], home: Path, patch: pytest.MonkeyPatch) -> int:
    """Runs ``quivive``; nothing is installed for it but what ``home`` holds. Its exit code."""
    patch.setenv("QUIVIVE_HOME", str(home))
    patch.setattr(sys, "argv", ["quivive", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0  # type: ignore[return-value]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """``run("verdict", "add", …)`` runs a command, and gives what came of it."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = code_of(arguments, tmp_path / "home", monkeypatch)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return ran


def score(state: Path, log: Path) -> None:
    """Scores a log into a state, for fixtures of a whole module."""
    with pytest.MonkeyPatch.context() as patch:
        arguments = ["score", "--state", state, "--out", state.parent / "out", log]
        assert code_of(arguments, state.parent / "home", patch) == 0
