"""Entra ID through Microsoft Graph: sign-ins of every kind, and changes of the directory.

Only interactive sign-ins are in v1.0; the others, in which stolen tokens show, are in beta. Pages
come newest first, so windows are short.
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
    own_url,
    records_of,
    time_at,
)
from quivive.respond import entra
from quivive.respond.client import Answer

LOGS = ("interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity", "audits")
TOP = 500  # records a page; a sign-in with its policies can take 20 kB


class Settings(entra.Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """tenant: id or domain. client_id, client_secret: of the app registration. logs: which of them.

    graph, login: other hosts, for the national clouds.
    """

    logs: tuple[str, ...] = LOGS

    def __post_init__(self) -> None:
        """Raises ValueError for a log that is none."""
        unknown = sorted(set(self.logs) - set(LOGS))
        if unknown:
            raise ValueError(f"logs: no {unknown[0]!r}; some of {', '.join(LOGS)}")


class _Page(Struct):
    value: list[msgspec.Raw]
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)


def request(settings: Settings, stream: str, cursor: Cursor) -> Asked:
    """The next page, or the first of a window."""
    if cursor.page is not None:
        return Asked(cursor.page)
    assert cursor.until is not None
    at = "activityDateTime" if stream == "audits" else "createdDateTime"
    wanted = f"{at} ge {iso(cursor.since)} and {at} le {iso(cursor.until)}"
    path = "/v1.0/auditLogs/signIns"
    if stream == "audits":
        path = "/v1.0/auditLogs/directoryAudits"
    elif stream != "interactiveUser":
        path = "/beta/auditLogs/signIns"
        wanted += f" and signInEventTypes/any(t: t eq '{stream}')"
    query = {"$filter": wanted, "$top": str(TOP)}
    return Asked(f"{path}?{urlencode(query, quote_via=quote, safe='$')}")


def read(settings: Settings, stream: str, cursor: Cursor, answer: Answer) -> Got:
    """The records of ``value``; the link to the next page is in ``@odata.nextLink``."""
    found: _Page = decoded(answer, _Page)
    page = own_url(found.next, settings.graph) if found.next is not None else None
    return Got(records_of(found.value), page, more=page is not None)


FETCHER = Fetcher(
    name="entra",
    vendor="Microsoft Entra ID",
    title="Sign-ins and directory audits",
    source="entra",
    settings=Settings,
    privileges=(
        "`AuditLog.Read.All` as an application permission",
        "`Policy.Read.All` besides, to see which conditional access applied; it is optional",
        "the tenant needs Entra ID P1 or P2",
    ),
    documentation="https://learn.microsoft.com/graph/api/signin-list",
    hosts=lambda settings: (settings.graph, settings.login),
    authorise=lambda settings, talk, asked: entra.authorise(settings, talk),
    streams=lambda settings: settings.logs,
    request=request,
    read=read,
    time=time_at("createdDateTime", "activityDateTime"),
    window=HOUR_MS,
    overlap=15 * MINUTE_MS,
    late={"nonInteractiveUser": 30 * MINUTE_MS},
    keeps=30 * DAY_MS,
)
