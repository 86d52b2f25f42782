"""Shared by every test: no network, and the folder of reference data where it is at hand."""

import socket
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails where it does so."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tests make no network connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real records kept beside a checkout; skips where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference records at {SHARED}")
    return SHARED
