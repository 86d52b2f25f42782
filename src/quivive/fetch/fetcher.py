"""What a fetcher is: one vendor's way to give its log, a page at a time.

A module of this package with a constant ``FETCHER`` is one vendor. It does no input or output and
reads no clock: ``request`` says what to ask for a cursor, ``read`` what an answer holds. Asking,
retrying and moving the cursor is done for all of them by ``pulling.py``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from quivive.model.record import RejectError
from quivive.respond.client import Answer
from quivive.respond.errors import RefusedError, RejectedError
from quivive.respond.response import Talk
from quivive.sources.fields import dig, timestamp

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')


class Cursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a stream was fetched, as it is kept between two runs. Times in ms UTC.

    since: everything before was fetched, whatever becomes of ``page``. page: the vendor's own word
    for what comes next, None to ask by time. until: the end of the window that is being read, at
    vendors that are asked by windows; opened: when that was begun to be read. newest: of the
    records so far. caught_up: when there was nothing more, the last time. records: how many so far.
    base: the API that the page is of.
    seen: digests (see ``overlapping.py``) of records that were given and will be asked for again;
    seeing: those of the window that is being read, which are the next ``seen``.
    """

    since: int
    page: str | None = None
    until: int | None = None
    opened: int = 0
    newest: int = 0
    caught_up: int = 0
    records: int = 0
    base: str = ""
    seen: bytes = b""
    seeing: bytes = b""


class Asked(Struct, frozen=True):
    """What is to be asked: a path, or a whole URL of the vendor's host, and headers."""

    path: str
    headers: Mapping[str, str] = {}


class Got(Struct, frozen=True):
    """What an answer holds. records: one JSON object each, without line breaks, as they came.

    page: the vendor's word for what comes next; None when it has none. more: whether to ask for
    that at once.
    """

    records: Sequence[bytes]
    page: str | None
    more: bool


class Fetcher(Struct, frozen=True, kw_only=True):
    """One vendor's log.

    name: the module's name and the ``vendor:`` word of the settings. vendor: the product as its
        users call it. title: in a phrase. source: the log source that reads the records.
    settings: the Struct of its settings, secrets only as ``Secret``.
    privileges: the least that its credential needs, by the vendor's names.
    documentation: where the vendor documents what is asked.
    hosts: the base URLs that may be asked, of the settings; the first is the one that paths follow.
    authorise: headers that prove who asks; may ask for a token.
    streams: the vendor's logs that are fetched, of the settings; each has a cursor of its own.
    request: what to ask for a cursor of a stream.
    read: what the answer holds.
    time: of one record, ms UTC; None where it states none.
    window: ms that are asked for at a time; None where the vendor goes on from its own cursor.
    overlap: ms that are asked for again, because records come late.
    late: the same of streams whose records come later than the others'.
    delay: ms for which the vendor holds records back.
    keeps: ms for which the vendor keeps them: nothing older is asked for.
    lost: statuses by which it refuses a page of a cursor that it no longer knows.
    """

    name: str
    vendor: str
    title: str
    source: str
    settings: type[Struct]
    privileges: tuple[str, ...]
    documentation: str
    hosts: Callable[[Any], tuple[str, ...]]
    authorise: Callable[[Any, Talk, Asked], Mapping[str, str]]
    streams: Callable[[Any], tuple[str, ...]]
    request: Callable[[Any, str, Cursor], Asked]
    read: Callable[[Any, str, Cursor, Answer], Got]
    time: Callable[[bytes], int | None]
    window: int | None = None
    overlap: int = 0
    late: Mapping[str, int] = {}
    delay: int = 0
    keeps: int = 90 * DAY_MS
    lost: tuple[int, ...] = (400, 404, 410)


def iso(time: int) -> str:
    """A time in ms UTC as vendors take it: 2026-03-01T08:00:00.000Z."""
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % 1000:03d}Z"


def records_of(items: Sequence[msgspec.Raw]) -> list[bytes]:
    """Records as they came, one line each: outside of strings, a line break is only space."""
    return [bytes(i).replace(b"\r", b" ").replace(b"\n", b" ") for i in items]


def decoded(answer: Answer, of: type[Any]) -> Any:
    """The body as a type. Raises UnavailableError where it is no JSON (it may be cut short),
    RejectedError where it is not what the vendor documents.
    """
    try:
        return msgspec.json.decode(answer.body, type=of)
    except msgspec.ValidationError as error:
        answer.json()
        raise RejectedError(f"the vendor's answer is not what it documents: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return answer.json()  # raises


def next_link(answer: Answer, base: str) -> str | None:
    """The URL of ``Link: <…>; rel="next"`` (RFC 8288). Raises RefusedError where it leads
    elsewhere than to ``base``: it would be sent the credential.
    """
    found = _NEXT.search(answer.headers.get("link", ""))
    return None if found is None else own_url(found[1], base)


def own_url(url: str, base: str) -> str:
    """The URL itself. Raises RefusedError unless it is of the host of ``base``."""
    try:
        given, own = httpx2.URL(url), httpx2.URL(base)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise RefusedError("the vendor's next page has a URL that cannot be read") from None
    if (given.scheme, given.host, given.port) != (own.scheme, own.host, own.port):
        raise RefusedError(
            f"the vendor's next page leads to {given.host}, which is not {own.host}; not asked"
        )
    return url


def time_at(*paths: str) -> Callable[[bytes], int | None]:
    """A ``time`` that reads the first member there is ("id.time"), ISO 8601 or epoch."""

    def time(record: bytes) -> int | None:
        try:
            fields = msgspec.json.decode(record)
            for path in paths:
                found = dig(fields, *path.split("."))
                if found is not None:
                    return timestamp(found, path)
        except (msgspec.DecodeError, RejectError):
            pass
        return None

    return time
