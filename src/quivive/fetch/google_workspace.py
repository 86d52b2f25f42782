"""Google Workspace: sign-ins and account changes, by the Admin SDK's Reports API.

Pages come newest first; SAML and OAuth events come hours after the fact.
"""

from urllib.parse import quote, urlencode

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
    iso,
    records_of,
    time_at,
)
from quivive.respond import google
from quivive.respond.client import Answer

LOGS = ("login", "user_accounts", "saml", "token")
SCOPE = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
LIMIT = 1000  # activities a page, the most that Google gives


class Settings(google.Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """key: the service account's JSON key. administrator: whom it acts as (domain-wide delegation).
    logs: which of them, by the names of the API.

    api, tokens: other hosts, for tests and gateways.
    """

    logs: tuple[str, ...] = LOGS

    def __post_init__(self) -> None:
        """Raises ValueError for a log that is none."""
        unknown = sorted(set(self.logs) - set(LOGS))
        if unknown:
            raise ValueError(f"logs: no {unknown[0]!r}; some of {', '.join(LOGS)}")


class _Page(Struct):
    items: list[msgspec.Raw] = []
    next: str | None = msgspec.field(name="nextPageToken", default=None)


def request(settings: Settings, stream: str, cursor: Cursor) -> Asked:
    """A page of a window."""
    assert cursor.until is not None
    query = {
        "startTime": iso(cursor.since),
        "endTime": iso(cursor.until),
        "maxResults": str(LIMIT),
    }
    if cursor.page is not None:
        query["pageToken"] = cursor.page
    path = f"/admin/reports/v1/activity/users/all/applications/{quote(stream, safe='')}"
    return Asked(f"{path}?{urlencode(query)}")


def read(settings: Settings, stream: str, cursor: Cursor, answer: Answer) -> Got:
    """The activities of ``items``, which a page without any does not have."""
    found: _Page = decoded(answer, _Page)
    return Got(records_of(found.items), found.next, more=found.next is not None)


FETCHER = Fetcher(
    name="google_workspace",
    vendor="Google Workspace",
    title="Activities of the Reports API",
    source="google_workspace",
    settings=Settings,
    privileges=(
        f"a service account with domain-wide delegation for this scope only: `{SCOPE}`",
        "acting as an administrator with a custom role: *Reports*",
    ),
    documentation="https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list",
    hosts=lambda settings: (settings.api, settings.tokens),
    authorise=lambda settings, talk, asked: google.authorise(settings, talk, (SCOPE,)),
    streams=lambda settings: settings.logs,
    request=request,
    read=read,
    time=time_at("id.time"),
    window=6 * HOUR_MS,
    overlap=20 * MINUTE_MS,
    late={"saml": 3 * HOUR_MS, "token": 3 * HOUR_MS},
    keeps=180 * DAY_MS,
)
