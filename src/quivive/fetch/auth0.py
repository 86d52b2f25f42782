"""Auth0: tenant logs by checkpoint, in Auth0's own order of arrival (``log_id``).

A checkpoint is the id of a log. The first is looked for by time; its page comes once more then,
because ids, not times, say what is new.
"""

from collections.abc import Mapping
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
from quivive.respond.response import Talk, kept_token, token_of
from quivive.respond.secret import Secret

TAKE = 100  # logs a page, the most that Auth0 gives


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the tenant. client_id, client_secret: of a machine-to-machine application.

    audience: the Management API's identifier, where the URL is a custom domain.
    """

    url: str
    client_id: str
    client_secret: Secret
    audience: str | None = None


class _Log(Struct):
    log_id: str


def authorise(settings: Settings, talk: Talk, asked: Asked) -> Mapping[str, str]:
    """A token of the application for the Management API."""
    base = settings.url.rstrip("/")
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.value(),
        "audience": settings.audience or f"{base}/api/v2/",
    }
    url = f"{base}/oauth/token"
    return {"Authorization": "Bearer " + kept_token(talk, url, lambda: token_of(talk, url, form))}


def request(settings: Settings, stream: str, cursor: Cursor) -> Asked:
    """What is behind the checkpoint, or the first logs since a time."""
    if cursor.page is not None:
        return Asked(cursor.page)
    query = {
        "q": f"date:[{iso(cursor.since)} TO *]",
        "sort": "date:1",
        "page": "0",
        "per_page": str(TAKE),
    }
    return Asked(f"/api/v2/logs?{urlencode(query)}")


def read(settings: Settings, stream: str, cursor: Cursor, answer: Answer) -> Got:
    """A list of logs. Behind a checkpoint, a header links to the next one."""
    records = records_of(decoded(answer, list[msgspec.Raw]))
    ids = [log.log_id for log in decoded(answer, list[_Log])]
    page = cursor.page
    if page is not None:
        page = next_link(answer, settings.url) or (_behind(max(ids)) if ids else page)
    elif ids:
        page = _behind(min(ids))
    return Got(records, page, more=bool(ids))


def _behind(log_id: str) -> str:
    return f"/api/v2/logs?{urlencode({'from': log_id, 'take': str(TAKE)})}"


FETCHER = Fetcher(
    name="auth0",
    vendor="Auth0",
    title="Tenant logs",
    source="auth0",
    settings=Settings,
    privileges=("a machine-to-machine application for the Management API with `read:logs` only",),
    documentation="https://auth0.com/docs/deploy-monitor/logs/retrieve-log-events-using-mgmt-api",
    hosts=lambda settings: (settings.url,),
    authorise=authorise,
    streams=lambda settings: ("logs",),
    request=request,
    read=read,
    time=time_at("date"),
    overlap=10 * MINUTE_MS,
    keeps=30 * DAY_MS,
)
