"""The contract every fetcher keeps: exactly what the vendor documents, and nothing is ever lost."""

import json
import re
from functools import cache

import httpx2
import joserfc.jwk
import msgspec
import pytest
from msgspec.structs import replace

from quivive.app.registry import fetchers, sources
from quivive.fetch.fetcher import Cursor
from quivive.fetch.pulling import open_at, pull
from quivive.respond.client import ATTEMPTS
from quivive.respond.errors import RefusedError, RejectedError, RespondError, UnavailableError
from quivive.respond.secret import Secret
from tests.fetched import FOLDER, SCRIPTS, Script, by_time, kept, parsed, records, rounds
from tests.vendor import Fake, Time

IDS = [f"{path.parent.name}-{path.stem}" for path in SCRIPTS]
EACH = pytest.mark.parametrize("path", SCRIPTS, ids=IDS)
NAMES = sorted(fetchers())
FOREIGN = "evil.example.net"
BY_TOKEN = {"duo", "google_workspace"}  # they name the next page by a word, the others by a URL
LINKED = [path for path in SCRIPTS if path.parent.name not in BY_TOKEN]


@pytest.fixture(autouse=True)
def _keys_are_imported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joserfc.jwk.import_key", _imported)


_imported = cache(joserfc.jwk.import_key)


def prepared(path, monkeypatch, faults=None) -> tuple[Script, Fake, Time]:
    script = Script(path)
    for name, value in script.secrets.items():
        monkeypatch.setenv(name, value)
    return script, Fake(script.exchange, faults), script.time()


def data_asks(script: Script) -> list[int]:
    """The numbers of requests that are answered with records, not with a token."""
    return [n for n, e in enumerate(script.exchange) if e["ask"]["method"] == "GET"]


@EACH
def test_exactly_what_the_vendor_documents(path, monkeypatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    pages = script.pages(fake, time)
    assert not fake.left, f"not asked: {fake.left[0]['ask']}"
    assert records(pages) == script.given
    assert len(script.given) >= 3
    end = pages[-1].cursor
    assert (end.records, end.caught_up) == (len(script.given), script.now)
    assert script.begin.since <= end.since <= script.now
    assert not any(page.lost for page in pages)
    assert time.slept == []


@EACH
def test_records_are_lines_that_the_source_reads(path, monkeypatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    for page in script.pages(fake, time):
        for record in page.records:
            assert b"\n" not in record
            assert b"\r" not in record
            event = parsed(script.fetcher.source, record)
            assert event is not None
            assert event.metadata.uid, "without an id, twice would not be harmless"
            assert script.fetcher.time(record) is not None
            assert abs(script.fetcher.time(record) - event.time) < 1000


@EACH
def test_the_next_run_goes_on_where_the_last_one_stopped(path, monkeypatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    client = script.client(fake, time)
    end = rounds(script, client, script.begin)[-1].cursor
    fake.left = list(script.again)
    time.now += 60_000
    later = rounds(script, client, end)
    assert not fake.left, f"not asked: {fake.left[0]['ask']}"
    assert later[-1].cursor.since >= end.since
    assert later[-1].cursor.records >= end.records


@EACH
def test_what_comes_late_is_not_missed(path, monkeypatch) -> None:
    """Either the vendor's own cursor is gone on from, or the last while is asked for again."""
    script, fake, time = prepared(path, monkeypatch)
    end = script.pages(fake, time)[-1].cursor
    fetcher = script.fetcher
    if fetcher.window is None:
        assert end.page is not None
        assert end.since <= max(end.newest - fetcher.overlap, script.begin.since)
    else:
        assert end.page is None
        assert end.since <= script.now - fetcher.overlap - fetcher.delay
    assert fetcher.overlap > 0


@EACH
@pytest.mark.parametrize("status", [429, 503])
def test_busy_is_waited_out_and_asked_again(path, status, monkeypatch) -> None:
    script, _, _ = prepared(path, monkeypatch)
    for number in range(len(script.exchange)):
        busy = httpx2.Response(status, headers={"Retry-After": "2"})
        script, fake, time = prepared(path, monkeypatch, {number: busy})
        time.sleep = time.slept.append  # and the clock stands still, for the script's windows
        assert records(script.pages(fake, time)) == script.given
        assert time.slept == [2.0]


@EACH
def test_a_long_wait_is_for_the_next_round(path, monkeypatch) -> None:
    busy = httpx2.Response(429, headers={"Retry-After": "1800"})
    script, fake, time = prepared(path, monkeypatch, {0: busy})
    with pytest.raises(UnavailableError) as told:
        script.pages(fake, time)
    assert (told.value.retry_after, time.slept) == (1800.0, [])


@EACH
@pytest.mark.parametrize("kind", ["500", "connect", "timeout"])
def test_a_vendor_that_stays_unwell_is_left_with_the_cursor_where_it_was(
    path, kind, monkeypatch
) -> None:
    def fault():
        if kind == "500":
            return httpx2.Response(500)
        return (httpx2.ConnectError if kind == "connect" else httpx2.ReadTimeout)("broken")

    script, _, _ = prepared(path, monkeypatch)
    for number in data_asks(script):
        faults = {number + again: fault() for again in range(ATTEMPTS)}
        script, fake, time = prepared(path, monkeypatch, faults)
        got, cursor = interrupted(script, fake, time, UnavailableError)
        fake.faults.clear()
        assert_goes_on(script, fake, time, got, cursor)


@EACH
def test_a_page_cut_in_half_is_asked_for_again(path, monkeypatch) -> None:
    script, _, _ = prepared(path, monkeypatch)
    for number in data_asks(script):
        whole = json.dumps(script.exchange[number]["answer"]["json"]).encode()
        if len(whole) < 10:
            continue
        half = httpx2.Response(200, content=whole[: len(whole) // 2])
        script, fake, time = prepared(path, monkeypatch, {number: half})
        got, cursor = interrupted(script, fake, time, UnavailableError)
        assert_goes_on(script, fake, time, got, cursor)


def interrupted(script, fake, time, error) -> tuple[list, Cursor]:
    """What was fetched until it broke off, and the cursor of then."""
    client, cursor, got = script.client(fake, time), script.begin, []
    for _ in range(20):
        try:
            page = pull(script.fetcher, script.settings, script.stream, cursor, client)
        except error:
            return got, cursor
        got, cursor = got + records([page]), kept(page.cursor)
    raise AssertionError("it did not break off")


def assert_goes_on(script, fake, time, got, cursor) -> None:
    """With a new process, and its kept cursor, the rest comes and nothing is lost."""
    tokens = [e for e in script.exchange if e["ask"]["method"] != "GET"]
    held = any(e["ask"]["method"] != "GET" for e in fake.left)
    fake.left = ([] if held else tokens) + fake.left
    time.now = script.now
    got = got + records(script.pages(fake, time, cursor))
    assert not fake.left
    assert got == script.given


@EACH
def test_no_longer_allowed_names_the_credential_and_never_shows_it(path, monkeypatch) -> None:
    script, _, _ = prepared(path, monkeypatch)
    first = data_asks(script)[0]
    tokens = [e for e in script.exchange if e["ask"]["method"] != "GET"]
    faults = {first + n: httpx2.Response(401, json={"error": {"code": 1}}) for n in range(4)}
    script, fake, time = prepared(path, monkeypatch, faults)
    if tokens:  # asked for anew once, and refused again
        fake.faults[first + 1] = httpx2.Response(200, json=tokens[0]["answer"]["json"])
    with pytest.raises(RejectedError, match="credential") as told:
        script.pages(fake, time)
    assert told.value.status == 401
    assert time.slept == []
    for secret in script.secrets.values():
        for line in secret.splitlines():
            if len(line) > 8 and "-----" not in line:
                assert line not in str(told.value)


@EACH
def test_a_redirect_is_not_followed(path, monkeypatch) -> None:
    script, _, _ = prepared(path, monkeypatch)
    for number in range(len(script.exchange)):
        away = httpx2.Response(302, headers={"Location": f"https://{FOREIGN}/x"})
        script, fake, time = prepared(path, monkeypatch, {number: away})
        with pytest.raises(RejectedError, match="redirects elsewhere"):
            script.pages(fake, time)
        assert all(asked.url.host != FOREIGN for asked in fake.asked)


@pytest.mark.parametrize("path", LINKED, ids=[f"{p.parent.name}-{p.stem}" for p in LINKED])
def test_a_next_page_elsewhere_is_refused(path, monkeypatch) -> None:
    """Whoever follows it sends the credential there."""
    script, fake, time = prepared(path, monkeypatch)
    host = httpx2.URL(script.fetcher.hosts(script.settings)[0]).host
    changed = 0
    for each in script.exchange:
        text = json.dumps(each["answer"])
        if each["ask"]["method"] == "GET" and f"https://{host}" in text:
            each["answer"] = json.loads(text.replace(f"https://{host}", f"https://{FOREIGN}"))
            changed += 1
    assert changed
    fake = Fake(script.exchange)
    with pytest.raises(RefusedError, match=FOREIGN):
        script.pages(fake, time)
    assert all(asked.url.host != FOREIGN for asked in fake.asked)


@EACH
def test_a_page_that_the_vendor_no_longer_knows_is_asked_for_by_time(path, monkeypatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    client = script.client(fake, time)
    pages = rounds(script, client, script.begin)
    middle = next(page.cursor for page in pages if page.cursor.page is not None)
    fetcher = script.fetcher
    opened = open_at(fetcher, script.settings, by_time(middle), time.now)
    wanted = fetcher.request(script.settings, script.stream, opened).path
    seen: list[str] = []

    def forgetful(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        if len(seen) == 1:
            return httpx2.Response(fetcher.lost[0], json={"message": "invalid cursor"})
        whole = next(e for e in script.exchange if e["ask"]["method"] == "GET")["answer"]
        return httpx2.Response(200, json=whole["json"], headers=whole.get("headers"))

    again = script.client(forgetful, time)
    again.kept.update(client.kept)
    page = pull(fetcher, script.settings, script.stream, middle, again)
    assert page.lost
    assert seen[1].endswith(wanted)
    assert seen[1] != seen[0]
    assert page.records


@EACH
def test_another_tenants_page_is_never_asked_for(path, monkeypatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    foreign = replace(script.begin, page="https://other.example.net/page", base="https://other")
    assert records(script.pages(fake, time, foreign)) == script.given
    assert all("other" not in str(asked.url) for asked in fake.asked)


@EACH
def test_nothing_is_asked_for_that_the_vendor_no_longer_keeps(path) -> None:
    script = Script(path)
    old = Cursor(since=script.now - 400 * 86_400_000)
    opened = open_at(script.fetcher, script.settings, old, script.now)
    assert opened.since == script.now - script.fetcher.keeps


@EACH
@pytest.mark.parametrize("body", [b"", b"null", b"[[]]", b"{}", b'"x"', b"[1", b"\xff\xfe"])
def test_whatever_is_answered_is_an_error_of_the_vendors(path, body, monkeypatch) -> None:
    script, _, _ = prepared(path, monkeypatch)
    first = data_asks(script)[0]
    script, fake, time = prepared(
        path, monkeypatch, {first: httpx2.Response(200, content=body, headers={})}
    )
    client = script.client(fake, time)
    try:
        page = pull(script.fetcher, script.settings, script.stream, script.begin, client)
    except RespondError:
        return
    assert [json.loads(record) for record in page.records] in ([], [[]])


@pytest.mark.parametrize("name", NAMES)
def test_fetcher_describes_itself(name: str) -> None:
    fetcher = fetchers()[name]
    assert fetcher.name == name
    assert fetcher.title
    assert fetcher.vendor
    assert fetcher.privileges
    assert fetcher.documentation.startswith("https://")
    assert fetcher.source in sources()
    assert fetcher.settings.__struct_config__.forbid_unknown_fields
    assert fetcher.keeps > fetcher.overlap
    if fetcher.window is not None:
        assert fetcher.window > fetcher.overlap, "it would never come further"


@pytest.mark.parametrize("name", NAMES)
def test_every_stream_has_a_script(name: str) -> None:
    scripts = [Script(path) for path in sorted((FOLDER / name).glob("*.yaml"))]
    assert scripts
    told = {stream for s in scripts for stream in s.fetcher.streams(s.settings)}
    assert {script.stream for script in scripts} == told


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_references(name: str) -> None:
    for field in msgspec.structs.fields(fetchers()[name].settings):
        if re.search(r"(?<!integration_)(token|secret|password|key)$", field.name):
            assert field.type in (Secret, Secret | None), field.name
