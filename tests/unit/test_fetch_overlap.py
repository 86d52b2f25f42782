"""What is asked for again for the sake of late records is given once, and nothing is left out."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.app.registry import fetchers
from quivive.fetch import overlapping
from quivive.fetch.fetcher import Cursor
from quivive.fetch.pulling import client_for, pull
from quivive.respond.client import Clock
from quivive.respond.errors import UnavailableError
from quivive.sources.fields import timestamp

MINUTE = 60_000
NOW = 1_774_008_000_000
FETCHER = fetchers()["github"]
PAGE = 3


class Log:
    """GitHub's audit log: events by their own time, which may be put in late."""

    def __init__(self) -> None:
        self.now = NOW
        self.events: dict[str, int] = {}
        self.broken: set[int] = set()
        self.asked = 0
        settings = {"organisation": "example", "token": {"env": "GITHUB_TOKEN"}}
        self.settings: Any = msgspec.convert(settings, FETCHER.settings)
        self.client = client_for(
            FETCHER,
            self.settings,
            transport=httpx2.MockTransport(self.answer),
            clock=Clock(lambda: self.now, lambda _: None),
        )

    def put(self, name: str, time: int) -> None:
        self.events[name] = time

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.asked in self.broken:
            return httpx2.Response(200, content=b'[{"_document')
        query = {k: v[0] for k, v in parse_qs(urlsplit(str(request.url)).query).items()}
        begin, end = query["phrase"].removeprefix("created:").split("..")
        found = sorted(
            (time, name)
            for name, time in self.events.items()
            if timestamp(begin, "b") <= time <= timestamp(end, "e")
        )
        start = int(query.get("after", "0"))
        page = [{"@timestamp": t, "_document_id": n} for t, n in found[start : start + PAGE]]
        headers = {}
        if start + PAGE < len(found):
            url = str(request.url).split("&after")[0]
            headers["link"] = f'<{url}&after={start + PAGE}>; rel="next"'
        return httpx2.Response(200, json=page, headers=headers)

    def round(self, cursor: Cursor) -> tuple[list[str], Cursor]:
        """One round, as the server and the command make them; pages that fail come later."""
        names: list[str] = []
        more = True
        while more:
            try:
                page = pull(FETCHER, self.settings, "audit-log", cursor, self.client)
            except UnavailableError:
                break
            names += [json.loads(record)["_document_id"] for record in page.records]
            cursor = msgspec.json.decode(msgspec.json.encode(page.cursor), type=Cursor)
            more = page.more
        return names, cursor


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "github_pat_0123456789abcdef")


def test_the_overlap_is_asked_for_again_and_given_once() -> None:
    log, cursor = Log(), Cursor(since=NOW - 60 * MINUTE)
    for number in range(7):
        log.put(f"e{number}", NOW - (8 - number) * MINUTE)
    first, cursor = log.round(cursor)
    assert first == [f"e{n}" for n in range(7)]
    log.now += MINUTE
    log.put("late", NOW - 5 * MINUTE)
    log.put("new", NOW + 1)
    again, cursor = log.round(cursor)
    assert again == ["late", "new"]
    assert cursor.records == 9
    assert log.round(cursor)[0] == []


def test_a_record_that_was_changed_is_given_again() -> None:
    log = Log()
    log.put("e", NOW - MINUTE)
    _, cursor = log.round(Cursor(since=NOW - 60 * MINUTE))
    log.put("e", NOW - MINUTE + 1)
    assert log.round(cursor)[0] == ["e"]


def test_what_is_remembered_does_not_grow() -> None:
    log, cursor = Log(), Cursor(since=NOW - 60 * MINUTE)
    sizes = []
    for number in range(40):
        log.put(f"e{number}", log.now)
        _, cursor = log.round(cursor)
        log.now += MINUTE
        sizes.append(len(cursor.seen) // overlapping.DIGEST)
    overlap = FETCHER.overlap // MINUTE
    assert max(sizes) <= overlap + 2
    many = [json.dumps({"@timestamp": NOW, "n": n}).encode() for n in range(overlapping.MOST + 9)]
    kept = overlapping.seeing(FETCHER, cursor, many, NOW)
    assert len(kept) == overlapping.MOST * overlapping.DIGEST
    assert overlapping.fresh(replace(cursor, seeing=kept), many) == many[:9]


def test_what_came_late_while_nobody_read_on_is_not_missed() -> None:
    """A window is begun, the rest of it is read hours later: its first pages are old by then."""
    log = Log()
    for number in range(5):
        log.put(f"e{number}", NOW - (8 - number) * MINUTE)
    log.broken = {2}
    first, cursor = log.round(Cursor(since=NOW - 60 * MINUTE))
    assert len(first) == PAGE
    log.put("late", NOW - 7 * MINUTE - 1)
    log.now += 180 * MINUTE
    rest, cursor = log.round(cursor)
    more, _ = log.round(cursor)
    assert {*first, *rest, *more} == {*log.events}


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((0, 1, 9, 200)),  # minutes that pass
            st.lists(st.integers(0, 9), max_size=8),  # events put in, by their lateness in minutes
            st.booleans(),  # whether a page of the round is cut in half
        ),
        max_size=8,
    )
)
def test_nothing_is_left_out_and_nothing_given_twice(rounds) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GITHUB_TOKEN", "github_pat_0123456789abcdef")
        log, cursor, found = Log(), Cursor(since=NOW - 60 * MINUTE), []
        for number, (minutes, lateness, broken) in enumerate(rounds):
            log.now += minutes * MINUTE
            for which, late in enumerate(lateness):
                log.put(f"e{number}-{which}", log.now - late * MINUTE)
            if broken:
                log.broken = {log.asked + 2}
            names, cursor = log.round(cursor)
            found += names
        log.broken = set()
        for _ in range(2):  # the rest of a window, and what came late to its first pages
            names, cursor = log.round(cursor)
            found += names
        assert sorted(found) == sorted(log.events)
