"""Shared by every test: no network, the same examples in every run, stores of each kind."""

import gc
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, however slow the machine: what fails, fails for everybody. To
# search further, load another profile here for a while.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def _thawed() -> Iterator[None]:
    """What batches froze (app/memory.py) is given back, or DuckDB says at the end that it leaks."""
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails where it does so."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tests make no network connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """The URL of a PostgreSQL of this worker's own; skips where none can be had."""
    folder = Path(tempfile.mkdtemp(prefix="quivive-pg-", dir="/tmp"))
    script = ["sh", str(ROOT / "scripts" / "postgres.sh")]
    started = subprocess.run([*script, "start", str(folder)], capture_output=True, text=True)
    if started.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL to test with: {started.stderr.strip()[-300:]}")
    yield started.stdout.strip()
    subprocess.run([*script, "stop", str(folder)], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_cluster: str) -> str:
    """The URL of an empty schema."""
    import psycopg

    schema = f"t{next(_numbers)}"
    with psycopg.connect(postgres_cluster, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{postgres_cluster}&options=-csearch_path%3D{schema}"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What ``--state`` may be given: each kind of store, empty."""
    if request.param == "sqlite":
        return str(tmp_path / "state")
    return str(request.getfixturevalue("postgres"))
