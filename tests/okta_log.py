"""A fake of Okta's System Log without a socket, which grows, and fails when it is told to."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from quivive.app.fetches import Connection
from quivive.fetch.fetcher import iso
from quivive.fetch.pulling import client_for
from quivive.respond.client import Client, Clock
from tests.fetched import logins

TOKEN = "00aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcD"
URL = "https://example.okta.com"
PAGE = 2


def events(count: int, time: int, user: str = "ann@example.com") -> list[dict[str, Any]]:
    """Logins as Okta writes them, a second apart, the last one at ``time`` (ms UTC)."""
    model = logins("okta", "system-log.jsonl")[0]
    found = []
    for number in range(count):
        each = json.loads(json.dumps(model))
        each |= {"uuid": f"e-{time}-{number}", "published": iso(time - (count - 1 - number) * 1000)}
        each["actor"] |= {"alternateId": user, "id": f"00u{user}"}
        found.append(each)
    return found


class OktaLog:
    """``events`` is what there is; ``answers`` are given first, as (status, headers, body)."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[str] = []

    def answer(self, path: str, key: str | None) -> tuple[int, dict[str, str], bytes]:
        """A page behind ``after``, or from ``since``; with a link to what comes next."""
        self.asked.append(path)
        if self.answers:
            return self.answers.pop(0)
        if key != f"SSWS {TOKEN}":
            return 401, {}, b'{"errorSummary": "Invalid token provided"}'
        query = {k: v[0] for k, v in parse_qs(urlsplit(path).query).items()}
        assert urlsplit(path).path == "/api/v1/logs"
        assert (query["sortOrder"], query["limit"]) == ("ASCENDING", "1000")
        start = int(query.get("after", "0"))
        if "since" in query:
            start = sum(e["published"] < query["since"] for e in self.events)
        page = self.events[start : start + PAGE]
        after = f"{URL}/api/v1/logs?sortOrder=ASCENDING&limit=1000&after={start + len(page)}"
        return 200, {"Link": f'<{after}>; rel="next"'}, json.dumps(page).encode()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """As a transport's handler."""
        path = request.url.raw_path.decode()
        status, headers, body = self.answer(path, request.headers.get("authorization"))
        return httpx2.Response(status, headers=headers, content=body)

    def connect(self, connection: Connection, clock: Clock) -> Client:
        """In place of ``fetching.connected``."""
        return client_for(
            connection.fetcher,
            connection.settings,
            transport=httpx2.MockTransport(self),
            clock=Clock(clock.now, lambda _: None),
        )
