"""What ``quivive doctor`` says of fetching: whether settings are whole, and how far it is."""

from pathlib import Path

from quivive.app.doctor import Check
from quivive.app.fetches import Connection, load_fetches
from quivive.app.fetching import cursor_of
from quivive.app.missing_secrets import unreadable
from quivive.model.errors import ConfigurationError
from quivive.store.database import Store

LATE_MS = 3_600_000  # after which a server that fetches every few minutes is behind
RUNBOOK = "see docs/runbooks/fetch-behind.md"


def fetch_status(path: Path, store: Store | None, now: int) -> list[Check]:
    """A line for each connection of a settings file; ``store`` tells how far the server is."""
    try:
        connections = load_fetches(path)
    except ConfigurationError as error:
        return [Check(name="fetch", level="missing", text=str(error), remedy="mend it there")]
    return [_of(connection, store, now) for connection in connections]


def _of(connection: Connection, store: Store | None, now: int) -> Check:
    name = f"fetch {connection.name}"
    missing = unreadable(connection.settings)
    if missing:
        return Check(
            name=name,
            level="missing",
            text="; ".join(missing),
            remedy="the server fetches nothing from there until its secret can be read",
        )
    vendor = connection.fetcher.vendor
    if store is None:
        text = f"settings for {vendor} are whole; --state DIR says how far the server is"
        return Check(name=name, level="ok", text=text)
    streams = connection.fetcher.streams(connection.settings)
    found = [cursor_of(store, "serve", connection, stream, now) for stream in streams]
    reached = min(cursor.caught_up for cursor in found)
    if not reached:
        text = f"settings for {vendor} are whole; the server has not fetched to the end yet"
        return Check(name=name, level="ok", text=text)
    minutes = max(0, now - reached) // 60_000
    text = f"{vendor}: everything was fetched {minutes} min ago"
    late = now - reached > max(LATE_MS, 5 * connection.every * 1000)
    return Check(
        name=name,
        level="warn" if late else "ok",
        text=text,
        remedy=RUNBOOK if late else None,
    )
