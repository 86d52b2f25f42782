"""The data directory, and the operator's address lists in it."""

import os
from pathlib import Path

from quivive.app.doctor import Check
from quivive.app.errors import UsageError
from quivive.enrich.lists import AddressListError, AddressLists
from quivive.model.words import counted


def home_dir() -> Path:
    """The data directory: ``$QUIVIVE_HOME``, else ``~/.local/share/quivive``."""
    named = os.environ.get("QUIVIVE_HOME")
    return Path(named) if named else Path.home() / ".local" / "share" / "quivive"


def lists_dir(home: Path | None = None) -> Path:
    """Where the operator's address lists live."""
    return (home or home_dir()) / "lists"


def open_lists(folder: Path | None = None, home: Path | None = None) -> AddressLists | None:
    """The lists of the folder named, else the operator's own; None if there are none.

    Raises UsageError for a list that cannot be used and for a named folder without any.
    """
    where = folder or lists_dir(home)
    if folder is None and not where.is_dir():
        return None
    try:
        lists = AddressLists.open(where)
    except AddressListError as error:
        raise UsageError(str(error)) from None
    if folder is not None and not lists.files:
        raise UsageError(f"{folder}: a folder without lists; put vpn.txt, bad.txt and the like in")
    return lists if lists.files else None


def list_status(home: Path | None = None) -> list[Check]:
    """How the address lists stand, and what the missing ones cost in detection."""
    folder = lists_dir(home)
    try:
        lists = open_lists(home=home)
    except UsageError as error:
        return [Check(name="lists", level="warn", text=str(error))]
    if lists is None:
        return [
            Check(
                name="lists",
                level="missing",
                text="no address lists: VPN, Tor and proxy addresses are told only where the log "
                "or the network's name does, and no address is known to be bad",
                remedy=f"put vpn.txt, tor.txt, hosting.txt, bad.txt and the like into {folder}",
            )
        ]
    checks = [
        Check(
            name=info.path.name,
            level="ok" if info.entries else "warn",
            text=f"{info.kind} list, {counted(info.entries, 'entry', 'entries')}",
        )
        for info in lists.files
    ]
    if lists.skipped_lines:
        checks.append(
            Check(
                name="lists",
                level="warn",
                text=(
                    f"{counted(lists.skipped_lines, 'line')} skipped, the first:"
                    f" {lists.warnings[0]}"
                ),
                remedy="correct or remove these lines",
            )
        )
    kinds = {info.kind for info in lists.files}
    costs = {
        "tor": "Tor exits are told only where the log does",
        "vpn": "VPN addresses are told only where the log or the network's name does",
        "bad": "no address is known to be bad",
    }
    checks.extend(
        Check(
            name=f"{kind}.txt",
            level="missing",
            text=f"no {kind} list: {cost}",
            remedy=f"put {kind}.txt into {folder}",
        )
        for kind, cost in costs.items()
        if kind not in kinds
    )
    return checks
