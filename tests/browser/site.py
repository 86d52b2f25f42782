"""A server with a small company behind it, as its own process, and a browser that looks at it.

Shared with scripts/screenshots.py.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PASSWORD = "correct horse battery"
USERS = {"vic": "viewer", "ana": "analyst", "rob": "responder", "ada": "admin"}
LOGS = ("entra", "entra_audits", "cloudtrail", "kubernetes", "github")
_CALL = "from quivive.cli.main import main; main()"


def quivive(*args: str) -> None:
    """Runs a command of Quivive. Raises RuntimeError with what it says."""
    done = subprocess.run((sys.executable, "-c", _CALL, *args), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"quivive {args[0]}: {done.stderr}")


def make_state(folder: Path, *, people: int = 40, days: int = 40, incidents: int = 14) -> Path:
    """A state with a simulated company's logins in it, and users."""
    org, state = folder / "org", folder / "state"
    quivive(
        "simulate", "--out", str(org), "--seed", "11", "--people", str(people), "--services", "6",
        "--days", str(days), "--incidents", str(incidents),
    )  # fmt: skip
    logs = [str(org / f"{name}.jsonl") for name in LOGS if (org / f"{name}.jsonl").exists()]
    quivive(
        "score", "--state", str(state), "--geoip", str(org / "places.csv"), "--geoip",
        str(org / "networks.csv"), "--out", str(folder / "scored.jsonl"), *logs,
        str(org / "sshd.log"),
    )  # fmt: skip
    add_users(state)
    return state


def add_users(state: Path) -> None:
    """A user of every role."""
    from argon2 import PasswordHasher

    from quivive.app.accounts import SignIn
    from quivive.store.database import Store

    with Store(state) as store:
        people = SignIn(store, PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
        for name, role in USERS.items():
            people.add(name, role, "test", 1_800_000_000_000, password=PASSWORD)


@contextlib.contextmanager
def serving(state: Path, folder: Path) -> Iterator[str]:
    """The address of a server on a state; it is stopped at the end."""
    command = (sys.executable, "-c", _CALL, "serve", "--state", str(state), "--port", "0")
    said = folder / "serve.log"
    with said.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield _address(process, said)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _address(process: "subprocess.Popen[bytes]", said: Path) -> str:
    """Waits until the server says where it listens."""
    for _ in range(600):
        for line in said.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if found.get("event") == "serving":
                    return str(found["at"])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            break
    raise RuntimeError(f"the server did not start: {said.read_text(encoding='utf-8')}")


def chromium() -> str | None:
    """Where the browser is, if there is one."""
    named = os.environ.get("QUIVIVE_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Debian's Chromium, without its sandbox where we are root."""
    from playwright.sync_api import sync_playwright

    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium(), args=args)
        try:
            yield found
        finally:
            found.close()


def sign_in(page: Any, base: str, name: str) -> None:
    """Signs somebody in by the form."""
    page.goto(f"{base}/sign-in")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{base}/")
