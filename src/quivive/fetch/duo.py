"""Duo: the authentication log, by the Admin API, oldest first.

Each request is signed for itself (HMAC). Duo holds records back for two minutes, so that none
comes behind the others.
"""

import base64
import hmac
from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import quote, urlencode

import httpx2
import msgspec
from msgspec import Struct

from quivive.fetch.fetcher import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    Asked,
    Cursor,
    Fetcher,
    Got,
    decoded,
    records_of,
    time_at,
)
from quivive.respond.client import Answer
from quivive.respond.response import Talk
from quivive.respond.secret import Secret

LIMIT = 1000  # records a page, the most that Duo gives


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: https:// and the API hostname.

    integration_key, secret_key: of an Admin API application.
    """

    url: str
    integration_key: str
    secret_key: Secret


class _Metadata(Struct):
    next_offset: tuple[str | int, str] | None = None


class _Logs(Struct):
    authlogs: list[msgspec.Raw]
    metadata: _Metadata


class _Page(Struct):
    response: _Logs


def request(settings: Settings, stream: str, cursor: Cursor) -> Asked:
    """A page of a window. Parameters stand in order of their names, as they are signed."""
    assert cursor.until is not None
    query = {"limit": str(LIMIT), "maxtime": str(cursor.until), "mintime": str(cursor.since)}
    if cursor.page is not None:
        query["next_offset"] = cursor.page
    query["sort"] = "ts:asc"
    return Asked(f"/admin/v2/logs/authentication?{urlencode(query, quote_via=quote, safe='~')}")


def authorise(settings: Settings, talk: Talk, asked: Asked) -> Mapping[str, str]:
    """Date and signature of a request: HMAC-SHA1 of date, method, host, path and parameters."""
    date = formatdate(talk.now / 1000)
    path, _, query = asked.path.partition("?")
    host = httpx2.URL(settings.url).host.lower()
    said = "\n".join((date, "GET", host, path, query))
    key = settings.secret_key.value().encode()
    signature = hmac.new(key, said.encode(), "sha1").hexdigest()
    pair = base64.b64encode(f"{settings.integration_key}:{signature}".encode()).decode()
    return {"Date": date, "Authorization": f"Basic {pair}"}


def read(settings: Settings, stream: str, cursor: Cursor, answer: Answer) -> Got:
    """The records; what comes next is named by a time and the id of a record."""
    found: _Page = decoded(answer, _Page)
    offset = found.response.metadata.next_offset
    page = None if offset is None else f"{offset[0]},{offset[1]}"
    return Got(records_of(found.response.authlogs), page, more=page is not None)


FETCHER = Fetcher(
    name="duo",
    vendor="Duo",
    title="The authentication log",
    source="duo",
    settings=Settings,
    privileges=("an *Admin API* application with *Grant read log* only",),
    documentation="https://duo.com/docs/adminapi#authentication-logs",
    hosts=lambda settings: (settings.url,),
    authorise=authorise,
    streams=lambda settings: ("authentication",),
    request=request,
    read=read,
    time=time_at("isotimestamp", "timestamp"),
    window=6 * HOUR_MS,
    overlap=5 * MINUTE_MS,
    delay=2 * MINUTE_MS,
    keeps=180 * DAY_MS,
)
