"""The server fetches by itself: judged as what is sent, the cursor moving with what is kept."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from structlog.testing import capture_logs

from quivive.app import fetching
from quivive.cli.main import cli
from quivive.respond.client import Clock
from quivive.respond.errors import RejectedError
from quivive.server.fetching import LONGEST_PAUSE
from quivive.server.settings import ServerSettings
from quivive.store import views
from quivive.store.database import Store, StoreUnavailable
from tests.okta_log import TOKEN, URL, OktaLog, events
from tests.unit.serving import NOW, Served

HOUR = 3_600_000


def settings(tmp_path: Path, text: str = "") -> Path:
    path = tmp_path / "quivive.yaml"
    path.write_text(
        "fetch:\n  connections:\n  - vendor: okta\n    every_seconds: 60\n"
        f"    settings: {{url: '{URL}', token: {{env: OKTA_TOKEN}}}}\n{text}"
    )
    return path


@pytest.fixture
def okta(monkeypatch: pytest.MonkeyPatch) -> OktaLog:
    monkeypatch.setenv("OKTA_TOKEN", TOKEN)
    log = OktaLog(events(5, NOW - HOUR))
    monkeypatch.setattr(fetching, "connected", log.connect)
    return log


@pytest.fixture
def served(tmp_path: Path, okta: OktaLog):
    made = Served(tmp_path / "state", config=settings(tmp_path))
    yield made
    made.close()


def a_round(served: Served) -> float:
    """One round of the only connection; the seconds until the next one."""
    worker = served.server.fetching
    (connection,) = worker.connections
    client = fetching.connected(connection, Clock(lambda: served.now, lambda _: None))
    return served.runner.run(worker.round(connection, client))


def ids(served: Served) -> list[str]:
    with Store(served.state) as store:
        return sorted(uid for uid, _ in store.history())


def metric(served: Served, name: str) -> float:
    text = served.ask("GET", "/metrics").text
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
    return float(line.split()[-1])


def test_what_is_fetched_is_judged_and_not_asked_for_again(served, okta) -> None:
    assert a_round(served) == 60.0
    assert ids(served) == sorted(e["uuid"] for e in okta.events)
    asked = len(okta.asked)
    okta.events += events(2, NOW - 60_000)
    served.now += 60_000
    a_round(served)
    assert ids(served) == sorted(e["uuid"] for e in okta.events)
    assert all("since" not in path for path in okta.asked[asked:])
    assert metric(served, "quivive_fetched_records_total") == 7
    assert 'quivive_records_total{outcome="event",source="okta"} 7.0' in (
        served.ask("GET", "/metrics").text
    )


def test_another_server_goes_on_where_this_one_stopped(tmp_path, served, okta) -> None:
    a_round(served)
    served.close()
    asked = len(okta.asked)
    again = Served(tmp_path / "state", config=settings(tmp_path))
    try:
        okta.events += events(1, NOW - 1000)
        a_round(again)
        assert len(ids(again)) == 6
        assert all("since" not in path for path in okta.asked[asked:])
    finally:
        again.close()


def test_the_command_takes_nothing_away_from_the_server(tmp_path, served, okta) -> None:
    (connection,) = served.server.fetching.connections
    clock = Clock(lambda: served.now, lambda _: None)
    with Store(tmp_path / "state") as store:
        came = fetching.fetch(connection, store, lambda _: None, print, clock=clock)
    assert came.records == 5
    a_round(served)
    assert len(ids(served)) == 5


def test_a_store_that_is_gone_loses_nothing(served, okta) -> None:
    def broken(_: str) -> None:
        raise StoreUnavailable("no space left")

    served.server.store.at = broken
    with capture_logs() as logs:
        a_round(served)
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["not fetched"]
    del served.server.store.at
    for _ in range(3):
        served.server.fetching._sleep = until_ready(served)
        a_round(served)
    assert ids(served) == sorted(e["uuid"] for e in okta.events)
    assert served.server.figures.logins["human"] == 5


def until_ready(served: Served):
    async def sleep(_: float) -> None:
        while served.server.judge.problem is not None:
            await asyncio.sleep(0.01)

    return sleep


def test_too_much_waiting_is_waited_for(tmp_path, okta) -> None:
    served = Served(tmp_path / "state", ServerSettings(waiting_events=3), config=settings(tmp_path))
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert not okta.asked, "the vendor is not asked for what cannot be taken"
        served.server.judge.asks.bulk_events = 0

    try:
        served.server.judge.asks.bulk_events = 3
        served.server.fetching._sleep = sleep
        a_round(served)
        assert waited == [1.0]
        assert len(ids(served)) == 5
    finally:
        served.close()


def test_a_vendor_that_fails_is_left_alone_longer_and_longer(served, okta) -> None:
    unwell = (503, {"Retry-After": "2000"}, b"")
    okta.answers = [unwell]
    assert a_round(served) == 2000.0
    assert "503" in served.ask("GET", "/readyz").json()["fetch"]["okta"]["problem"]
    assert "fetch" not in served.ask("GET", "/readyz", token="").json()
    refused = (401, {}, b'{"errorSummary": "Invalid token provided"}')
    okta.answers = [refused] * 9
    pauses = [a_round(served) for _ in range(9)]
    assert pauses[:3] == [120.0, 240.0, 480.0]
    assert max(pauses) == LONGEST_PAUSE
    assert metric(served, "quivive_fetch_failures_total") == 10
    with capture_logs() as logs:
        assert a_round(served) == 60.0
    assert {"fetched again"} == {line["event"] for line in logs if "okta" in str(line)}
    ready = served.ask("GET", "/readyz").json()["fetch"]["okta"]
    assert ready == {"behind_seconds": 0.0, "last_success": NOW}
    assert metric(served, "quivive_fetch_success_timestamp_seconds") == NOW / 1000
    served.now += 600_000
    assert metric(served, "quivive_fetch_behind_seconds") == 600
    assert TOKEN not in str(logs) + served.ask("GET", "/readyz").text


def test_one_log_that_cannot_be_had_does_not_hold_up_the_others(served, okta, monkeypatch) -> None:
    (connection,) = served.server.fetching.connections
    two = replace(connection.fetcher, streams=lambda _: ("refused", "system-log"))
    read = connection.fetcher.read

    def refusing(settings, stream, cursor, answer):
        if stream == "refused":
            raise RejectedError("no licence for this log", status=403)
        return read(settings, stream, cursor, answer)

    served.server.fetching.connections = (replace(connection, fetcher=replace(two, read=refusing)),)
    a_round(served)
    assert len(ids(served)) == 5
    problem = served.ask("GET", "/readyz").json()["fetch"]["okta"]["problem"]
    assert problem == "fetch okta: refused: no licence for this log"


def test_what_cannot_be_read_is_a_dead_letter_with_its_place(served, okta) -> None:
    okta.events[3] = {"uuid": "odd", "eventType": "user.session.start", "published": "soon"}
    a_round(served)
    with served.server.context.store.reading() as connection:
        (letter,) = connection.exec_driver_sql("SELECT log, line, sample FROM dead_letters").all()
    assert (letter[0], letter[1]) == ("fetch:okta/system-log", 4)
    assert '"odd"' in letter[2]
    assert len(ids(served)) == 4
    assert 'records_total{outcome="reject",source="fetch"} 1.0' in (
        served.ask("GET", "/metrics").text
    )


def test_a_fault_in_one_login_does_not_hold_up_the_rest(served, okta, monkeypatch) -> None:
    judging = served.server.judge.judging
    judge = judging.judge

    def faulty(log, event, origin=None):
        if event.metadata.uid == okta.events[4]["uuid"]:
            raise ZeroDivisionError
        return judge(log, event, origin)

    monkeypatch.setattr(judging, "judge", faulty)
    assert a_round(served) == 60.0
    assert len(ids(served)) == 4
    asked = len(okta.asked)
    a_round(served)
    assert len(okta.asked) == asked + 1, "it is not fetched over and over"


def test_it_fetches_while_it_serves_and_stops_at_once(served, okta) -> None:
    async def serve() -> None:
        worker = served.server.fetching
        came = asyncio.Event()

        async def sleep(_: float) -> None:
            came.set()
            await asyncio.Event().wait()

        worker._sleep = sleep
        worker.start()
        await came.wait()
        await worker.stop()
        assert not worker._tasks

    served.runner.run(serve())
    assert len(ids(served)) == 5


def test_a_changed_file_is_taken_over(tmp_path, served, okta) -> None:
    worker = served.server.fetching
    a_round(served)
    path = settings(tmp_path, "  - vendor: okta\n    name: eu\n    settings:\n"
                    f"      {{url: '{URL}', token: {{env: OKTA_TOKEN}}}}\n")  # fmt: skip
    served.server.prepare(path)(ServerSettings())
    assert [c.name for c in worker.connections] == ["okta", "eu"]
    known = served.server.context.fetched
    assert (known["okta"].records, known["eu"].records) == (5, 0)
    path.write_text("fetch: {connections: [{vendor: nobody}]}")
    with pytest.raises(Exception, match="nobody"):
        served.server.prepare(path)
    assert [c.name for c in worker.connections] == ["okta", "eu"]


def test_doctor_says_whether_settings_are_whole_and_how_far_it_is(
    tmp_path, served, okta, monkeypatch
) -> None:
    path = str(tmp_path / "quivive.yaml")

    def said(*words: str, code: int = 0) -> str:
        came = CliRunner().invoke(cli, ["doctor", "--config", path, *words])
        assert came.exit_code == code
        return next(line for line in came.stdout.splitlines() if "fetch" in line)

    assert "settings for Okta are whole" in said()
    state = ("--state", str(tmp_path / "state"))
    assert "has not fetched to the end yet" in said(*state)
    served.now = fetching.system_clock().now()
    okta.events = []
    a_round(served)
    assert "everything was fetched 0 min ago" in said(*state)
    monkeypatch.delenv("OKTA_TOKEN")
    assert "OKTA_TOKEN: not set" in said(*state, code=1)
    Path(path).write_text("fetch: {connections: [{vendor: nobody}]}")
    assert "no vendor 'nobody'" in said(*state, code=1)


def test_a_secret_that_is_missing_is_said_at_the_start(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("OKTA_TOKEN", raising=False)
    with capture_logs() as logs:
        Served(tmp_path / "state", config=settings(tmp_path)).close()
    assert any("fetch okta: environment variable OKTA_TOKEN" in str(line) for line in logs)


def test_the_cursor_is_no_part_of_the_state_that_runs_contend_for(served, okta) -> None:
    a_round(served)
    with served.server.context.store.reading() as connection:
        assert views.reachable(served.server.context.store) is None
        found = connection.exec_driver_sql(
            "SELECT value FROM meta WHERE key = 'fetched:serve/okta/system-log'"
        ).scalar_one()
    assert json.loads(found)["records"] == 5
