"""GitHub: the audit log of an organisation or an enterprise, oldest first.

Its cursor follows the events' own time, so it is used for the pages of a window only, and the last
while is asked for again.
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
    next_link,
    records_of,
    time_at,
)
from quivive.respond.client import Answer
from quivive.respond.github import HEADERS
from quivive.respond.response import static
from quivive.respond.secret import Secret

LIMIT = 100  # events a page, the most that GitHub gives
_token = static("Authorization", "Bearer {}")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """organisation or enterprise: whose log, one of the two. token: a personal access token.

    events: web, git or all. url: another host, for GitHub Enterprise Server.
    """

    token: Secret
    organisation: str | None = None
    enterprise: str | None = None
    events: str = "all"
    url: str = "https://api.github.com"

    def __post_init__(self) -> None:
        """Raises ValueError unless one log is named."""
        if (self.organisation is None) == (self.enterprise is None):
            raise ValueError("write organisation or enterprise, one of the two")
        if self.events not in ("web", "git", "all"):
            raise ValueError("events: web, git or all")


def request(settings: Settings, stream: str, cursor: Cursor) -> Asked:
    """The next page, or the first of a window."""
    if cursor.page is not None:
        return Asked(cursor.page, HEADERS)
    assert cursor.until is not None
    whose = f"/orgs/{quote(settings.organisation or '', safe='')}"
    if settings.enterprise is not None:
        whose = f"/enterprises/{quote(settings.enterprise, safe='')}"
    query = {
        "phrase": f"created:{_second(cursor.since)}..{_second(cursor.until + 999)}",
        "include": settings.events,
        "order": "asc",
        "per_page": str(LIMIT),
    }
    return Asked(f"{whose}/audit-log?{urlencode(query)}", HEADERS)


def _second(time: int) -> str:
    return iso(time)[:19] + "Z"


def read(settings: Settings, stream: str, cursor: Cursor, answer: Answer) -> Got:
    """A list of events; the link to the next page, with its ``after``, is in a header."""
    records = records_of(decoded(answer, list[msgspec.Raw]))
    page = next_link(answer, settings.url)
    return Got(records, page, more=page is not None)


FETCHER = Fetcher(
    name="github",
    vendor="GitHub",
    title="The audit log",
    source="github",
    settings=Settings,
    privileges=(
        "a token of an owner: fine-grained with *Organization administration: read*",
        "or classic with `read:audit_log`, which an enterprise's log needs",
        "GitHub Enterprise Cloud; addresses are in the log only where the enterprise shows them",
    ),
    documentation="https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization",
    hosts=lambda settings: (settings.url,),
    authorise=lambda settings, talk, asked: _token(settings, talk),
    streams=lambda settings: ("audit-log",),
    request=request,
    read=read,
    time=time_at("@timestamp", "created_at"),
    window=6 * HOUR_MS,
    overlap=10 * MINUTE_MS,
    keeps=180 * DAY_MS,
)
