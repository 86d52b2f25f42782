"""Okta: the System Log, in the order in which Okta kept the events.

Asked without an end and ascending, Okta gives a link to what comes next even where nothing does
yet, and late events come behind it: nothing is missed, and nothing asked for twice.
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from quivive.fetch.fetcher import (
    DAY_MS,
    MINUTE_MS,
    Asked,
    Cursor,
    Fetcher,
    Got,
    decoded,
    iso,
    next_link,
    records_of,
    time_at,
)
from quivive.respond.client import Answer
from quivive.respond.response import static
from quivive.respond.secret import Secret

LIMIT = 1000  # events a page, the most that Okta gives
_token = static("Authorization", "SSWS {}")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the organisation. token: an API token."""

    url: str
    token: Secret


def request(settings: Settings, stream: str, cursor: Cursor) -> Asked:
    """The next page, or the first since a time."""
    if cursor.page is not None:
        return Asked(cursor.page)
    query = {"since": iso(cursor.since), "sortOrder": "ASCENDING", "limit": str(LIMIT)}
    return Asked(f"/api/v1/logs?{urlencode(query)}")


def read(settings: Settings, stream: str, cursor: Cursor, answer: Answer) -> Got:
    """A list of events; the link to the next page is in a header."""
    records = records_of(decoded(answer, list[msgspec.Raw]))
    page = next_link(answer, settings.url)
    return Got(records, page, more=bool(records) and page is not None)


FETCHER = Fetcher(
    name="okta",
    vendor="Okta",
    title="The System Log",
    source="okta",
    settings=Settings,
    privileges=("an API token of a service account whose only role is *Read-only administrator*",),
    documentation="https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/",
    hosts=lambda settings: (settings.url,),
    authorise=lambda settings, talk, asked: _token(settings, talk),
    streams=lambda settings: ("system-log",),
    request=request,
    read=read,
    time=time_at("published"),
    overlap=10 * MINUTE_MS,
    keeps=90 * DAY_MS,
)
