"""``quivive fetch``: settings, files, cursors, and what is said when a vendor does not answer."""

import json
import time
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from quivive.app import fetching
from quivive.app.errors import UsageError
from quivive.app.fetches import load_fetches, named
from quivive.cli.main import cli
from quivive.fetch.fetcher import HOUR_MS
from quivive.fetch.pulling import client_for
from quivive.model.errors import ConfigurationError
from quivive.store import cursors
from quivive.store.database import Store
from tests.fetched import logins
from tests.okta_log import TOKEN, URL, OktaLog, events

NOW = time.time_ns() // 1_000_000 // 1000 * 1000


@pytest.fixture
def okta(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OKTA_TOKEN", TOKEN)
    log = OktaLog(events(5, NOW - HOUR_MS))
    monkeypatch.setattr(fetching, "connected", log.connect)
    return log


def config(tmp_path: Path, url: str, more: str = "") -> str:
    path = tmp_path / "quivive.yaml"
    path.write_text(
        "fetch:\n  connections:\n  - vendor: okta\n"
        f"    settings: {{url: '{url}', token: {{env: OKTA_TOKEN}}}}\n{more}"
    )
    return str(path)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["fetch", *words], catch_exceptions=True)


def uuids(text: str) -> list[str]:
    return [json.loads(line)["uuid"] for line in text.splitlines()]


def test_writes_the_vendors_own_records_and_goes_on_from_there(okta, tmp_path) -> None:
    out = tmp_path / "okta.jsonl"
    words = ("okta", "--config", config(tmp_path, URL), "--state", str(tmp_path / "s"))
    came = run(*words, "--out", str(out))
    assert came.exit_code == 0, came.stderr
    assert [json.loads(line) for line in out.read_text().splitlines()] == okta.events
    assert "5 records of Okta in 4 pages" in came.stderr
    okta.events += events(3, NOW - 60_000)
    assert run(*words, "--out", str(out)).exit_code == 0
    assert uuids(out.read_text()) == [e["uuid"] for e in okta.events]
    assert sum("since" in asked for asked in okta.asked) == 1
    scored = CliRunner().invoke(cli, ["score", str(out)])
    assert scored.exit_code == 0
    assert len(scored.stdout.splitlines()) == len(okta.events)
    assert TOKEN not in came.stderr + came.stdout + scored.stdout


def test_standard_output_and_no_state(okta, tmp_path) -> None:
    words = ("okta", "--config", config(tmp_path, URL))
    for _ in range(2):
        came = run(*words)
        assert uuids(came.stdout) == [e["uuid"] for e in okta.events]
        assert "the next run begins anew" in came.stderr


def test_begins_where_it_is_told_and_otherwise_a_day_ago(okta, tmp_path) -> None:
    okta.events = events(2, NOW - 30 * HOUR_MS) + okta.events
    words = ("okta", "--config", config(tmp_path, URL), "--state", str(tmp_path / "s"))
    assert len(uuids(run(*words).stdout)) == 5
    assert len(uuids(run(*words, "--since", "2d").stdout)) == 7
    assert len(uuids(run(*words).stdout)) == 0
    refused = run(*words, "--since", "2999-01-01")
    assert isinstance(refused.exception, UsageError)
    assert "still to come" in str(refused.exception)
    assert "no time" in str(run(*words, "--since", "soon").exception)


@pytest.mark.parametrize("cut", ["page", "unwell", "refused"])
def test_what_breaks_off_goes_on_with_nothing_lost(okta, tmp_path, cut) -> None:
    out = tmp_path / "okta.jsonl"
    words = ("okta", "--config", config(tmp_path, URL), "--state", str(tmp_path / "s"))
    words = (*words, "--out", str(out))
    first = okta.answer("/api/v1/logs?sortOrder=ASCENDING&limit=1000&after=0", f"SSWS {TOKEN}")
    bad = {
        "page": (200, {}, b'[{"uuid": "half'),
        "unwell": (503, {"Retry-After": "60"}, b""),
        "refused": (403, {}, json.dumps({"errorSummary": "not you"}).encode()),
    }[cut]
    okta.answers = [first, bad]
    came = run(*words)
    assert isinstance(came.exception, ConfigurationError), came.output
    said = str(came.exception)
    assert said.startswith("fetch okta: system-log: ")
    assert "2 records were written; the next run goes on from there" in said
    assert TOKEN not in said
    assert run(*words).exit_code == 0
    assert uuids(out.read_text()) == [e["uuid"] for e in okta.events]


def test_a_crash_between_writing_and_keeping_costs_a_page_twice(okta, tmp_path) -> None:
    connection = named(Path(config(tmp_path, URL)), "okta")
    written: list[bytes] = []

    class Killed(BaseException):
        pass

    def write(page: bytes) -> None:
        written.append(page)
        if len(written) == 2:
            raise Killed

    with Store(tmp_path / "s") as store:
        with pytest.raises(Killed):
            fetching.fetch(connection, store, write, print)
        fetching.fetch(connection, store, written.append, print)
    found = uuids(b"".join(written).decode())
    assert sorted(set(found)) == sorted(e["uuid"] for e in okta.events)
    assert len(found) == len(okta.events) + 2


def test_a_line_that_was_cut_short_does_not_spoil_the_next(okta, tmp_path) -> None:
    out = tmp_path / "okta.jsonl"
    out.write_text('{"uuid": "cut sho')
    run("okta", "--config", config(tmp_path, URL), "--out", str(out))
    lines = out.read_text().splitlines()
    assert lines[0] == '{"uuid": "cut sho'
    assert uuids("\n".join(lines[1:])) == [e["uuid"] for e in okta.events]


def test_a_page_that_okta_forgot_is_said_and_asked_by_time(okta, tmp_path) -> None:
    words = ("okta", "--config", config(tmp_path, URL), "--state", str(tmp_path / "s"))
    run(*words)
    okta.events += events(1, NOW - 60_000)
    okta.answers = [(400, {}, b'{"errorSummary": "Invalid parameter: after"}')]
    came = run(*words)
    assert "Okta no longer knows the page where it stopped" in came.stderr
    assert uuids(came.stdout)[-1] == okta.events[-1]["uuid"]


def test_what_okta_no_longer_keeps_is_said(okta, tmp_path) -> None:
    came = run("okta", "--config", config(tmp_path, URL), "--since", "200d")
    assert "Okta keeps nothing from before" in came.stderr
    assert came.exit_code == 0


def test_a_kept_cursor_of_another_shape_begins_anew(okta, tmp_path) -> None:
    words = ("okta", "--config", config(tmp_path, URL), "--state", str(tmp_path / "s"))
    with Store(tmp_path / "s") as store, store.transaction() as connection:
        cursors.write(connection, "command/okta/system-log", '{"since": "yesterday"}')
    assert len(uuids(run(*words).stdout)) == 5


def test_the_stores_own_file_is_not_written_over(okta, tmp_path) -> None:
    state = tmp_path / "s"
    with Store(state):
        pass
    words = ("okta", "--config", config(tmp_path, URL), "--state", str(state))
    came = run(*words, "--out", str(state / "quivive.sqlite"))
    assert isinstance(came.exception, UsageError)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fetch: {connections: [{vendor: octa}]}", "no vendor 'octa'; one of"),
        ("fetch: {connections: [{vendor: okta}]}", "settings"),
        ("fetch: {connection: []}", "is connections meant?"),
        (
            "fetch: {connections: [{vendor: okta, settings: {url: 'https://x', token: s3cret}}]}",
            "never the secret itself",
        ),
        (
            "fetch: {connections: [{vendor: okta, settings: {url: x, token: {env: A}}}]}",
            "not a URL",
        ),
        ("fetch: {connections: [{vendor: okta, every_seconds: 1}]}", "every_seconds"),
        ("fetch: [1]", "fetch: "),
        (
            (
                "fetch: {connections: [{vendor: github, overlap_minutes: 360,"
                " settings: {organisation: x, token: {env: A}}}]}"
            ),
            "overlap_minutes: of GitHub less than 360",
        ),
        ("fetch: {connections: [{vendor: github, settings: {token: {env: A}}}]}", "one of the two"),
        (
            (
                "fetch: {connections: [{vendor: entra, settings:"
                " {tenant: t, client_id: a, client_secret: {env: A}, logs: [signins]}}]}"
            ),
            "no 'signins'; some of interactiveUser",
        ),
        (
            (
                "fetch: {connections: [{vendor: entra, settings:"
                " {tenant: t, client_id: a, client_secret: {env: A}, logs: []}}]}"
            ),
            "names no log to fetch",
        ),
        ("[]", "expected sections"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, text, said) -> None:
    path = tmp_path / "quivive.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as told:
        load_fetches(path)
    assert said in str(told.value)
    assert str(path) in str(told.value)
    assert "s3cret" not in str(told.value)


def test_two_connections_of_one_name(tmp_path) -> None:
    one = "  - vendor: okta\n    settings: {url: 'https://a.example', token: {env: A}}\n"
    path = Path(config(tmp_path, "https://b.example", one))
    with pytest.raises(UsageError, match="there twice"):
        load_fetches(path)
    path = Path(config(tmp_path, "https://b.example", one + "    name: okta-eu\n"))
    assert [c.name for c in load_fetches(path)] == ["okta", "okta-eu"]
    with pytest.raises(UsageError, match="no connection 'duo'; it has okta, okta-eu"):
        named(path, "duo")


def test_the_overlap_can_be_set(tmp_path) -> None:
    path = tmp_path / "quivive.yaml"
    path.write_text(
        "fetch: {connections: [{vendor: google_workspace, overlap_minutes: 45, every_seconds: 300,"
        " settings: {key: {env: A}, administrator: admin@example.com}}]}"
    )
    (connection,) = load_fetches(path)
    assert (connection.every, connection.fetcher.overlap) == (300, 45 * 60_000)
    assert not connection.fetcher.late


def test_one_log_that_cannot_be_had_does_not_hold_up_the_others(tmp_path, monkeypatch) -> None:
    path = tmp_path / "quivive.yaml"
    path.write_text(
        "fetch: {connections: [{vendor: entra, settings: {tenant: t, client_id: a,"
        " client_secret: {env: ENTRA}, logs: [managedIdentity, audits]}}]}"
    )
    monkeypatch.setenv("ENTRA", "hush-hush")

    def graph(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 3600})
        if "signIns" in request.url.path:
            return httpx2.Response(403, json={"error": {"message": "no licence"}})
        return httpx2.Response(200, json={"value": list(logins("entra", "audits.jsonl")[:3])})

    def connect(connection, clock):
        transport = httpx2.MockTransport(graph)
        return client_for(connection.fetcher, connection.settings, transport=transport, clock=clock)

    written: list[bytes] = []
    with pytest.raises(fetching.FetchError) as told:
        fetching.fetch(named(path, "entra"), None, written.append, print, since=NOW - 600_000,
                       connect=connect)  # fmt: skip
    assert "managedIdentity: graph.microsoft.com refused (403): no licence" in str(told.value)
    assert "(3 records were written)" in str(told.value)
    assert len(b"".join(written).splitlines()) == 3
