"""Fetching one page: what is asked, through the one client, and where the cursor stands then."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from quivive.fetch.fetcher import Asked, Cursor, Fetcher, Got
from quivive.fetch.overlapping import fresh, seeing
from quivive.respond.client import Client, HttpSettings
from quivive.respond.errors import RejectedError
from quivive.respond.response import Talk

MOST_BODY = 32 << 20  # bytes of one page


class Pulled(Struct, frozen=True):
    """One page. records: those that were not given before. cursor: to be kept once they are.

    more: whether to go on at once.
    lost: the vendor no longer knew the page of the cursor, and was asked by time instead.
    begin: the time that was asked from, ms UTC: later than the cursor's where the vendor keeps
    nothing of it.
    """

    records: list[bytes]
    cursor: Cursor
    more: bool
    lost: bool
    begin: int


def client_for(
    fetcher: Fetcher, settings: Any, http: HttpSettings | None = None, **given: Any
) -> Client:
    """The way out to the vendor's hosts. Raises RefusedError for URLs that are none."""
    base, *also = fetcher.hosts(settings)
    return Client(base, http, also=tuple(also), most_body=MOST_BODY, **given)


def pull(fetcher: Fetcher, settings: Any, stream: str, cursor: Cursor, client: Client) -> Pulled:
    """The next page of a stream; with nothing more to come, one without records.

    Raises RespondError and ConfigurationError; the cursor is as good as before then.
    """
    now = client.clock.now()
    opened = open_at(fetcher, settings, cursor, now)
    if opened.until is not None and opened.until <= opened.since:
        done = replace(opened, until=None, caught_up=now)
        return Pulled([], done, more=False, lost=False, begin=opened.since)
    lost = False
    try:
        got = _ask(fetcher, settings, stream, opened, client, now)
    except RejectedError as error:
        if opened.page is None or error.status not in fetcher.lost:
            raise
        lost, opened = True, open_at(fetcher, settings, replace(opened, page=None), now)
        got = _ask(fetcher, settings, stream, opened, client, now)
    if got.more and got.page == opened.page:
        raise RejectedError(f"{fetcher.vendor} names the same page as the next one, over and over")
    records = fresh(opened, got.records)
    overlap = fetcher.late.get(stream, fetcher.overlap)
    moved, more = _moved(fetcher, overlap, opened, got, now)
    moved = replace(moved, records=opened.records + len(records))
    return Pulled(records, moved, more, lost, opened.since)


def open_at(fetcher: Fetcher, settings: Any, cursor: Cursor, now: int) -> Cursor:
    """The cursor to ask with: of this API, no older than the vendor's records, with a window."""
    base = fetcher.hosts(settings)[0]
    if cursor.base != base:  # another tenant: its pages are none of this one
        cursor = replace(cursor, page=None, until=None, base=base, seen=b"", seeing=b"")
    if cursor.page is not None:
        return cursor
    since = max(cursor.since, now - fetcher.keeps)
    until = None
    if fetcher.window is not None:
        until = min(since + fetcher.window, now - fetcher.delay)
    return replace(cursor, since=since, until=until, opened=now)


def _ask(
    fetcher: Fetcher, settings: Any, stream: str, cursor: Cursor, client: Client, now: int
) -> Got:
    asked: Asked = fetcher.request(settings, stream, cursor)
    talk = Talk(
        fetcher.hosts(settings)[0],
        client,
        lambda talk: fetcher.authorise(settings, talk, asked),
        now,
    )
    answer = talk.get(f"fetch {stream}", asked.path, headers=asked.headers)
    return fetcher.read(settings, stream, cursor, answer)


def _moved(
    fetcher: Fetcher, overlap: int, cursor: Cursor, got: Got, now: int
) -> tuple[Cursor, bool]:
    """Where the cursor stands after a page, and whether there is more."""
    times = [time for record in got.records if (time := fetcher.time(record)) is not None]
    newest = max([cursor.newest, *(time for time in times if time <= now)])
    since, until, more = cursor.since, cursor.until, got.more
    seen, met = cursor.seen, b""
    if until is None:  # the vendor's own cursor: the time is for when that is lost
        since = max(since, newest - overlap)
    else:
        reach = min(until, cursor.opened - fetcher.delay - overlap)  # its pages may be old by now
        met = seeing(fetcher, cursor, got.records, reach)
        if got.page is None:  # the window was read to its end
            since, seen, met = max(since, reach), met, b""
            more, until = until < now - fetcher.delay, None
    moved = replace(
        cursor,
        since=since,
        until=until,
        page=got.page,
        newest=newest,
        caught_up=cursor.caught_up if more else now,
        seen=seen,
        seeing=met,
    )
    return moved, more
