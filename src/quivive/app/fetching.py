"""Fetching a connection's logs, a page at a time, with cursors that are kept in the store."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from quivive.app.contexts import when
from quivive.app.errors import UsageError
from quivive.app.fetches import Connection
from quivive.fetch.fetcher import DAY_MS, HOUR_MS, Cursor, iso
from quivive.fetch.pulling import Pulled, client_for, pull
from quivive.model.errors import ConfigurationError
from quivive.respond.client import Client, Clock, system_clock
from quivive.respond.errors import RespondError
from quivive.store import cursors
from quivive.store.database import Store

# Who fetches: each has cursors of its own, so that neither takes records away from the other.
Consumer = Literal["serve", "command"]
Connect = Callable[[Connection, Clock], Client]

_BACK = re.compile(r"(\d{1,4})\s*(h|d)")


class FetchError(ConfigurationError):
    """A vendor that could not be asked; what was written before is whole."""


class Fetched(NamedTuple):
    """What a run over all streams came to."""

    records: int
    pages: int


def connected(connection: Connection, clock: Clock) -> Client:
    """The way out to a connection's vendor."""
    return client_for(connection.fetcher, connection.settings, connection.http, clock=clock)


def cursor_name(consumer: Consumer, connection: Connection, stream: str) -> str:
    """What a cursor is kept as."""
    return f"{consumer}/{connection.name}/{stream}"


def cursor_of(
    store: Store | None, consumer: Consumer, connection: Connection, stream: str, now: int
) -> Cursor:
    """Where to go on; the beginning of the connection's first round where nothing is kept."""
    first = Cursor(since=now - connection.first)
    kept = None
    if store is not None:
        kept = cursors.load(store, cursor_name(consumer, connection, stream))
    if kept is None:
        return first
    try:
        return msgspec.json.decode(kept, type=Cursor)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return first  # by a version that kept something else: fetched twice is harmless


def encoded(cursor: Cursor) -> str:
    """A cursor as it is kept."""
    return msgspec.json.encode(cursor).decode()


def begin_of(text: str, now: int) -> int:
    """``--since`` in ms UTC: a date, a date and time, or "3d" and "12h" back from now.

    Raises UsageError for anything else, and for a time that is still to come.
    """
    back = _BACK.fullmatch(text.strip())
    if back is not None:
        return now - int(back[1]) * (DAY_MS if back[2] == "d" else HOUR_MS)
    found = when(text, now, now)
    if found > now:
        raise UsageError(f"--since {text}: that is still to come; write a date, 12h or 3d")
    return found


def fetch(
    connection: Connection,
    store: Store | None,
    write: Callable[[bytes], None],
    say: Callable[[str], None],
    *,
    since: int | None = None,
    clock: Clock | None = None,
    connect: Connect | None = None,
) -> Fetched:
    """Fetches all there is, and hands each page to ``write``: JSON lines. A cursor is kept once its
    page is written, so that a run that is cut short is gone on with, at worst with a page twice.

    since: begin here instead of where the last run stopped, ms UTC. say: told of what is not as it
    should be. Raises FetchError when the vendor cannot be asked or says no; its other logs are
    fetched all the same.
    """
    clock = clock or system_clock()
    client = (connect or connected)(connection, clock)
    records = pages = 0
    failed: list[FetchError] = []
    try:
        for stream in connection.fetcher.streams(connection.settings):
            cursor = cursor_of(store, "command", connection, stream, clock.now())
            if since is not None:
                cursor = Cursor(since=since, records=cursor.records)
            more = True
            while more:
                try:
                    page = one_page(connection, stream, cursor, client)
                except FetchError as error:
                    failed.append(error)
                    break
                for text in told(connection, stream, cursor, page):
                    say(text)
                if page.records:
                    write(b"\n".join(page.records) + b"\n")
                cursor, more = page.cursor, page.more
                records, pages = records + len(page.records), pages + 1
                if store is not None:
                    keep(store, connection, stream, cursor)
    finally:
        client.close()
    if failed:
        kept = "" if store is None else "; the next run goes on from there"
        reasons = "\n".join(str(error) for error in failed)
        raise FetchError(f"{reasons} ({records} records were written{kept})")
    return Fetched(records, pages)


def keep(store: Store, connection: Connection, stream: str, cursor: Cursor) -> None:
    """Keeps the command's cursor."""
    with store.transaction() as transaction:
        name = cursor_name("command", connection, stream)
        cursors.write(transaction, name, encoded(cursor))


def one_page(connection: Connection, stream: str, cursor: Cursor, client: Client) -> Pulled:
    """The next page. Raises FetchError, naming the connection; never anything secret."""
    try:
        return pull(connection.fetcher, connection.settings, stream, cursor, client)
    except (RespondError, ConfigurationError) as error:
        raise FetchError(f"fetch {connection.name}: {stream}: {error}") from error


def told(connection: Connection, stream: str, before: Cursor, page: Pulled) -> list[str]:
    """What is to be said of a page: a cursor that was lost, records that nobody has any more."""
    found = []
    name, vendor = f"fetch {connection.name}: {stream}", connection.fetcher.vendor
    if page.lost:
        found.append(
            f"{name}: {vendor} no longer knows the page where it stopped; asked again from"
            f" {iso(page.begin)}: some records come twice, which changes nothing"
        )
    if page.begin > before.since and (before.page is None or page.lost):
        found.append(
            f"{name}: {vendor} keeps nothing from before {iso(page.begin)}; what was logged since"
            f" {iso(before.since)} cannot be had there"
        )
    return found
