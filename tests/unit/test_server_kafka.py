"""Topics of Kafka are read and judged: exactly once in effect, whatever happens in between.

The real client reads the mock cluster that its library carries.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("confluent_kafka", reason="extra kafka")

from click.testing import CliRunner
from structlog.testing import capture_logs

from quivive.app import kafka_reading, wire
from quivive.app.kafka_places import Partition
from quivive.app.kafka_reading import Message
from quivive.cli.main import cli
from quivive.notify.kafka import security
from quivive.server import consuming, judge
from quivive.server.consuming import Session
from quivive.server.reading import read
from quivive.server.settings import ServerSettings
from quivive.store.database import Store, StoreUnavailable
from tests.kafka_cluster import KafkaCluster
from tests.unit.serving import NOW, Served, login

SSHD = (
    "2026-06-30T23:59:{:02d}+00:00 web1 sshd[{}]: Accepted password for ann"
    " from 203.0.113.7 port 50122 ssh2"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    made = KafkaCluster()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _little_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_reading, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(kafka_reading, "BROKER_WAITS_MS", 10)


@pytest.fixture
def topic(cluster: KafkaCluster, request: pytest.FixtureRequest) -> str:
    name = re.sub(r"\W", "-", request.node.name)
    cluster.topic(name)
    return name


def body(number: int, **fields: Any) -> bytes:
    return json.dumps(login(number, **fields)).encode()


def settings(folder: Path, cluster: KafkaCluster, *topics: str, more: str = "") -> Path:
    """``topics``: each with its own settings, such as "a, begin: latest"."""
    path = folder / "quivive.yaml"
    named = "".join(f"      - {{topic: {each}}}\n" for each in topics)
    path.write_text(
        f"kafka:\n  connections:\n  - name: main\n    servers: ['{cluster.servers}']\n"
        f"    protocol: plaintext\n{more}    topics:\n{named}"
    )
    return path


class Reading(Served):
    """A server, and one session of its only connection that is moved by hand."""

    def __init__(self, config: Path, limits: ServerSettings | None = None) -> None:
        super().__init__(config.parent / "state", limits, config=config)
        self.inflow = self.server.consuming
        (connection,) = self.inflow.connections
        self.stands = self.server.context.consumed["main"]
        self.session = Session(self.inflow, connection, self.stands)
        self.runner.run(self.session.open())

    def turn(self, records: int = 0) -> None:
        """Turns until so many more records were taken; one turn for none."""
        wanted = self.stands.records + records
        for _ in range(600):
            self.runner.run(self.session.turn())
            if self.stands.records >= wanted:
                return
        raise AssertionError(f"{self.stands.records} records came, not {wanted}")

    def close(self) -> None:
        self.runner.run(self.session.close())
        super().close()

    @property
    def ids(self) -> list[str]:
        """Of all logins there are."""
        return judged(self.state)

    @property
    def letters(self) -> list[tuple[str, int, str]]:
        """The dead letters: log, number, reason."""
        with Store(self.state) as store, store.reading() as connection:
            query = "SELECT log, line, reason FROM dead_letters ORDER BY id"
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def metric(self, start: str) -> float:
        text = self.ask("GET", "/metrics").text
        (line,) = [line for line in text.splitlines() if line.startswith(start)]
        return float(line.split()[-1])

    @property
    def ready(self) -> dict[str, Any]:
        found = self.ask("GET", "/readyz").json()["kafka"]["main"]
        assert isinstance(found, dict)
        return found


def judged(state: Path | str) -> list[str]:
    """Ids of logins in the order in which they were judged."""
    with Store(state) as store, store.reading() as connection:
        query = "SELECT id FROM assessments ORDER BY position"
        return [row[0] for row in connection.exec_driver_sql(query)]


def ids(*numbers: int) -> list[str]:
    return [f"login-ann@example.com-{number}" for number in numbers]


def test_each_partition_is_judged_in_its_own_order(tmp_path, cluster, topic) -> None:
    cluster.topic(f"{topic}-b", 2)
    cluster.send(topic, body(7), body(5), body(6))
    cluster.send(f"{topic}-b", body(11), body(10), partition=1)
    reading = Reading(settings(tmp_path, cluster, topic, f"{topic}-b"))
    try:
        reading.turn(5)
        assert [each for each in reading.ids if each in ids(5, 6, 7)] == ids(7, 5, 6)
        assert [each for each in reading.ids if each not in ids(5, 6, 7)] == ids(11, 10)
        name = 'quivive_kafka_records_total{connection="main",topic="'
        assert reading.metric(f'{name}{topic}"') == 3
        assert reading.metric(f'{name}{topic}-b"') == 2
        assert reading.ready == {"last_success": NOW}
        assert "kafka" not in reading.ask("GET", "/readyz", token="").json()
        text = reading.ask("GET", "/metrics").text
        assert 'quivive_records_total{outcome="event",source="ocsf"} 5.0' in text
    finally:
        reading.close()


def test_it_is_judged_as_what_is_sent_is(tmp_path, cluster, topic) -> None:
    users = ("ann@example.com", "bob@example.com")
    bodies = [body(n, user=users[n % 2], time=NOW - (80 - n) * 3_600_000) for n in range(60)]
    cluster.send(topic, None, *bodies)  # so that offsets are what lines of a body are
    (tmp_path / "sent").mkdir()
    sent = Served(tmp_path / "sent" / "state")
    reading = Reading(settings(tmp_path, cluster, f"{topic}, source: ocsf"))
    try:
        reading.turn(61)
        came = sent.ask("POST", "/v1/events?source=ocsf", content=b"\n".join(bodies))
        assert came.json()["judged"] == 60
        assert assessments(reading.state) == assessments(sent.state)
        assert len(assessments(sent.state)) == 60
    finally:
        reading.close()
        sent.close()


def assessments(state: Path | str) -> list[tuple[str, bytes]]:
    with Store(state) as store:
        return list(store.history())


def test_lag_is_what_is_there_and_not_judged(tmp_path, cluster, topic, monkeypatch) -> None:
    monkeypatch.setattr(kafka_reading, "MOST_RECORDS", 2)
    cluster.send(topic, *(body(number) for number in range(5)))
    reading = Reading(settings(tmp_path, cluster, topic))
    try:
        reading.turn(2)
        lag = f'quivive_kafka_lag{{connection="main",partition="0",topic="{topic}"}}'
        left = 5 - reading.stands.records
        assert left in (2, 3)
        assert reading.metric(lag) == left
        assert reading.ready["lag"] == {f"{topic}/0": left}
        reading.turn(left)
        assert reading.metric(lag) == 0
    finally:
        reading.close()


def test_another_server_goes_on_where_this_one_stopped(tmp_path, cluster, topic) -> None:
    path = settings(tmp_path, cluster, topic)
    cluster.send(topic, body(0), body(1))
    reading = Reading(path)
    reading.turn(2)
    reading.close()
    cluster.send(topic, body(2))
    again = Reading(path)
    try:
        again.turn(1)
        assert again.ids == ids(0, 1, 2)
        assert again.stands.records == 1
    finally:
        again.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.test_server_kafka import Reading

def die(folder, point):
    reading = Reading(folder / "quivive.yaml")
    left = [2]  # the first commit keeps where the topic begins, the next one the first records
    def at(name):
        left[0] -= name == point
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
    reading.server.store.at = at
    reading.turn(100)

for point in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        try:
            die(Path(sys.argv[1]) / point, point)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def test_killed_it_goes_on_and_nothing_is_doubled_or_lost(tmp_path, cluster, topic) -> None:
    points = ("before-commit", "after-commit")
    for point in points:
        (tmp_path / point).mkdir()
        settings(tmp_path / point, cluster, f"{topic}, source: sshd")
    lines = [SSHD.format(second, 100 + second).encode() for second in range(4)]
    cluster.send(topic, *lines[:3], lines[2], lines[3])  # two alike at two places are two
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), *points], check=True, timeout=120)
    cluster.send(topic, SSHD.format(9, 109).encode())
    for point in points:
        reading = Reading(tmp_path / point / "quivive.yaml")
        try:
            kept = len(reading.ids)
            assert (kept > 0) is (point == "after-commit")
            reading.turn(6 - kept)
            assert len(set(reading.ids)) == 6
            assert reading.server.figures.logins["human"] == 6 - kept
        finally:
            reading.close()


def test_what_was_judged_before_a_crash_in_the_middle_changes_nothing(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    """A batch longer than a slice is kept in parts; its place only with the last of them."""
    monkeypatch.setattr(judge, "BULK_SECONDS", 0.0)
    cluster.send(topic, *(body(number) for number in range(6)))
    path = settings(tmp_path, cluster, topic)
    reading = Reading(path)
    commits = []

    def broken(point: str) -> None:
        commits.append(point)
        if commits.count("before-commit") > 4:
            raise StoreUnavailable("no space left")

    reading.server.store.at = broken
    with pytest.raises(StoreUnavailable):
        reading.turn(6)
    del reading.server.store.at
    reading.runner.run(until_ready(reading))
    reading.close()
    before = len(judged(tmp_path / "state"))
    assert 0 < before < 6
    again = Reading(path)
    try:
        again.turn(6)
        assert again.ids == ids(*range(6))
        assert again.server.figures.logins["human"] == 6 - before
    finally:
        again.close()


async def until_ready(served: Served) -> None:
    while served.server.judge.problem is not None:
        await asyncio.sleep(0.01)


def test_bad_records_are_dead_letters_with_their_place(tmp_path, cluster, topic) -> None:
    bad = json.dumps(login(1) | {"time": "soon"}).encode()
    many = b"\n".join([body(2), b'{"a": 1}', body(3)])
    cluster.send(
        topic,
        body(0),
        b'{"time": ',
        bad,
        None,
        b" ",
        many,
        b"time,user,address",
        b"\0\0\0\0\7" + body(4),
    )
    reading = Reading(settings(tmp_path, cluster, topic))
    try:
        reading.turn(8)
        assert reading.ids == ids(0, 2, 3, 4)
        name = f"kafka:main/{topic}/0"
        assert [(log, line) for log, line, _ in reading.letters] == [
            (name, 1),
            (name, 2),
            (name, 5),
            (name, 6),
        ]
        assert reading.letters[3][2].startswith("no record in it")
        assert reading.letters[2][2].startswith("line 2 of the record: recognised by no log")
        text = reading.ask("GET", "/metrics").text
        assert 'quivive_records_total{outcome="reject",source="kafka"} 4.0' in text
        assert 'quivive_records_total{outcome="skip",source="kafka"} 2.0' in text
    finally:
        reading.close()


def test_an_offset_beyond_a_column_is_said_in_words() -> None:
    offset = 5_000_000_000
    message = Message(Partition("t", 0), offset, b'{"a": 1}', NOW)
    found = consuming.events_of([message], None, "kafka:main/t/0", NOW, 1_000)
    (reject,) = found.rejects
    assert reject.reason.startswith(f"offset {offset}: ")
    assert reject.line < 1 << 31


def test_a_fault_in_reading_one_record_leaves_the_rest(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    def faulty(body: bytes, *given: Any, **more: Any) -> Any:
        if b"login-ann@example.com-1" in body:
            raise ZeroDivisionError
        return read(body, *given, **more)

    monkeypatch.setattr(consuming, "read", faulty)
    cluster.send(topic, body(0), body(1), body(2))
    reading = Reading(settings(tmp_path, cluster, topic))
    try:
        reading.turn(3)
        assert reading.ids == ids(0, 2)
        ((_, line, reason),) = reading.letters
        assert (line, "ZeroDivisionError" in reason) == (1, True)
    finally:
        reading.close()


def test_records_that_are_too_large(tmp_path, cluster, topic) -> None:
    large = body(1, message="x" * 5_000)
    cluster.send(topic, body(0), large, body(2))
    reading = Reading(settings(tmp_path, cluster, topic), ServerSettings(events_bytes=4_096))
    try:
        reading.turn(3)
        assert reading.ids == ids(0, 2)
        ((_, line, reason),) = reading.letters
        assert line == 1
        assert reason == f"{len(large)} bytes; server.events_bytes allows 4096"
    finally:
        reading.close()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_by_kafka(tmp_path, cluster, topic, codec) -> None:
    packed = [body(number, message="x" * 500) for number in range(3)]
    cluster.send(topic, *packed, **{"compression.type": codec})
    reading = Reading(settings(tmp_path, cluster, topic))
    try:
        reading.turn(3)
        assert reading.ids == ids(0, 1, 2)
    finally:
        reading.close()


def test_a_topic_that_grows_is_read_from_the_first_of_its_new_records(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    name = f"{topic}-grows"
    cluster.topic(name, 2)
    reading = Reading(settings(tmp_path, cluster, f"{name}, begin: latest"))
    unread = reading.session.reader.unread
    try:
        monkeypatch.setattr(reading.session.reader, "unread", lambda: unread()[:1])
        cluster.send(name, body(0))
        reading.turn()
        cluster.send(name, body(1))
        cluster.send(name, body(10), body(11), partition=1)
        reading.turn(1)
        assert reading.ids == ids(1), "latest: what was there before is not wanted"
        monkeypatch.undo()
        reading.runner.run(reading.session.look())
        reading.turn(2)
        assert reading.ids == ids(1, 10, 11)
    finally:
        reading.close()


def test_latest_is_the_same_after_a_restart(tmp_path, cluster, topic) -> None:
    path = settings(tmp_path, cluster, f"{topic}, begin: latest")
    cluster.send(topic, body(0))
    reading = Reading(path)
    reading.turn()
    reading.close()
    cluster.send(topic, body(1))
    again = Reading(path)
    try:
        again.turn(1)
        assert again.ids == ids(1)
    finally:
        again.close()


def test_the_broker_is_away_and_back(tmp_path, topic, monkeypatch) -> None:
    monkeypatch.setattr(consuming, "LOOK_SECONDS", 0.0)
    cluster = KafkaCluster()
    cluster.topic(topic)
    cluster.send(topic, body(0))
    reading = Reading(settings(tmp_path, cluster, topic))
    (connection,) = reading.inflow.connections
    try:
        reading.turn(1)
        cluster.down()
        monkeypatch.setattr(kafka_reading, "TIMEOUT", 0.3)
        with capture_logs() as logs:
            pauses = [reading.runner.run(reading.inflow.attempt(connection)) for _ in range(3)]
        assert pauses == [1.0, 2.0, 4.0]
        assert {each["event"] for each in logs} == {"not read"}
        assert reading.ready["problem"].startswith("kafka main: ")
        assert reading.metric('quivive_kafka_failures_total{connection="main"}') == 3
        assert reading.metric('quivive_kafka_lag{connection="main"') == 0, "what was known last"
        cluster.up()
        cluster.send(topic, body(1))
        reading.runner.run(reading.session.close())
        reading.session = Session(reading.inflow, connection, reading.stands)
        monkeypatch.setattr(kafka_reading, "TIMEOUT", 10.0)
        reading.runner.run(reading.session.open())
        reading.turn(1)
        assert reading.ids == ids(0, 1)
        assert "problem" not in reading.ready
    finally:
        reading.close()
        cluster.close()


def test_a_topic_that_is_not_there_does_not_keep_others_from_being_read(
    tmp_path, cluster, topic
) -> None:
    cluster.send(topic, body(0))
    reading = Reading(settings(tmp_path, cluster, f"{topic}-none", topic))
    try:
        with capture_logs() as logs:
            reading.turn(1)
            reading.runner.run(reading.session.look())
        assert reading.ids == ids(0)
        assert reading.ready["problem"] == f"{topic}-none: Broker: Unknown topic or partition"
        assert [each["event"] for each in logs if each["log_level"] == "warning"] == ["not read"]
        cluster.topic(f"{topic}-none")
        cluster.send(f"{topic}-none", body(1))
        reading.runner.run(reading.session.look())
        reading.turn(1)
        assert len(reading.ids) == 2
        assert "problem" not in reading.ready
    finally:
        reading.close()


def test_a_topic_that_is_refused_is_said_until_it_is_read_again(tmp_path, cluster, topic) -> None:
    cluster.topic(f"{topic}-b")
    cluster.send(topic, body(0))
    reading = Reading(settings(tmp_path, cluster, topic, f"{topic}-b"))
    try:
        reading.turn(1)
        cluster.refuse(topic, 29)
        reading.session._looked = 0.0
        with capture_logs() as logs:
            cluster.send(f"{topic}-b", body(1))
            reading.turn(1)
        assert reading.ids == ids(0, 1)
        assert "Topic authorization failed" in reading.ready["problem"]
        assert "not read" in {each["event"] for each in logs}
        cluster.refuse(topic, 0)
        cluster.send(topic, body(2))
        reading.turn(1)
        reading.runner.run(reading.session.look())
        assert "problem" not in reading.ready
    finally:
        reading.close()


def test_what_retention_deleted_is_said(tmp_path, cluster, topic) -> None:
    path = settings(tmp_path, cluster, topic)
    cluster.send(topic, body(0))
    reading = Reading(path)
    reading.turn(1)
    reading.close()
    cluster.send(topic, *(body(number) for number in range(1, 5)))
    cluster.prune(topic, 0, 3)
    again = Reading(path)
    try:
        with capture_logs() as logs:
            again.turn(2)
        assert again.ids == ids(0, 3, 4)
        (said,) = [each["what"] for each in logs if each["event"] == "kafka"]
        assert "deleted 2 records before they were read" in said
    finally:
        again.close()


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(tmp_path, cluster, topic) -> None:
    path = settings(tmp_path, cluster, f"{topic}, source: sshd")
    cluster.send(topic, *(SSHD.format(second, 100).encode() for second in range(3)))
    reading = Reading(path)
    reading.turn(3)
    reading.close()
    cluster.delete(topic)
    cluster.topic(topic)
    cluster.send(topic, SSHD.format(8, 108).encode())
    again = Reading(path)
    try:
        with capture_logs() as logs:
            again.turn(1)
        assert len(again.ids) == 4, "offset 0 was there before, with other bytes"
        assert any("made anew" in str(each) for each in logs)
    finally:
        again.close()


def test_records_that_go_while_it_reads_are_gone_on_from(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    monkeypatch.setattr(kafka_reading, "AHEAD_KILOBYTES", 2_048)
    monkeypatch.setattr(kafka_reading, "MOST_RECORDS", 1)
    cluster.send(topic, body(0))
    reading = Reading(settings(tmp_path, cluster, topic))
    try:
        reading.turn(1)
        reading.runner.run(reading.session._in_thread(reading.session.reader.pause))
        cluster.send(topic, *(body(number) for number in range(1, 4)))
        cluster.prune(topic, 0, 3)
        reading.runner.run(reading.session._in_thread(reading.session.reader.resume))
        with capture_logs() as logs:
            reading.turn(1)
        assert reading.ids == ids(0, 3)
        assert any("deleted 2 records" in str(each) for each in logs)
    finally:
        reading.close()


def test_partitions_are_paused_while_too_much_waits(tmp_path, cluster, topic) -> None:
    cluster.send(topic, body(0), body(1))
    reading = Reading(settings(tmp_path, cluster, topic), ServerSettings(waiting_events=3))
    judge = reading.server.judge
    seen = []

    async def sleep(seconds: float) -> None:
        seen.append((seconds, reading.stands.paused, dict(reading.stands.lag)))
        cluster.send(topic, body(2))
        if len(seen) == 3:
            judge.asks.bulk_events = 0

    try:
        reading.turn(2)
        reading.inflow._sleep = sleep
        judge.asks.bulk_events = 3
        reading.turn(3)
        assert [each[:2] for each in seen] == [(1.0, True)] * 3
        assert [sum(each[2].values()) for each in seen] == [0, 1, 2], "lag is told meanwhile"
        assert not reading.stands.paused
        assert len(reading.ids) == 3
    finally:
        reading.close()


def test_it_reads_while_it_serves_and_stops_at_once(tmp_path, cluster, topic) -> None:
    cluster.send(topic, body(0))
    served = Served(tmp_path / "state", config=settings(tmp_path, cluster, topic))

    async def serve() -> None:
        inflow = served.server.consuming
        inflow.start()
        while not served.server.context.consumed["main"].records:
            await asyncio.sleep(0.01)
        await inflow.stop()
        assert not inflow._tasks

    try:
        served.runner.run(serve())
        assert judged(served.state) == ids(0)
    finally:
        served.close()


def test_a_changed_file_is_taken_over(tmp_path, cluster, topic) -> None:
    served = Served(tmp_path / "state", config=settings(tmp_path, cluster, topic))
    inflow = served.server.consuming
    try:
        path = settings(tmp_path, cluster, topic, f"{topic}-b")
        served.server.prepare(path)(ServerSettings())
        assert list(inflow.connections[0].sources) == [topic, f"{topic}-b"]
        path.write_text("kafka: {connections: [{servers: [a]}]}")
        with pytest.raises(Exception, match="kafka"):
            served.server.prepare(path)
        assert list(inflow.connections[0].sources) == [topic, f"{topic}-b"]
    finally:
        served.close()


def test_settings_that_the_client_refuses_are_tried_again(tmp_path, cluster, topic) -> None:
    """A certificate may be put there later, a secret too: others are served meanwhile."""
    path = settings(tmp_path, cluster, topic, more="    ca_file: none.pem\n")
    path.write_text(path.read_text().replace("protocol: plaintext", "protocol: ssl"))
    served = Served(tmp_path / "state", config=path)
    try:
        inflow = served.server.consuming
        assert served.runner.run(inflow.attempt(inflow.connections[0])) == 1.0
        problem = served.ask("GET", "/readyz").json()["kafka"]["main"]["problem"]
        assert problem == "kafka main: none.pem: No such file or directory; name a PEM file"
    finally:
        served.close()


SASL = """    protocol: sasl_plaintext
    mechanism: SCRAM-SHA-512
    user: quivive
    password: {env: KAFKA_PASSWORD}
"""


def test_a_secret_that_is_missing_is_said_and_none_is_shown(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    path = settings(tmp_path, cluster, topic, more=SASL)
    path.write_text(path.read_text().replace("    protocol: plaintext\n", ""))
    monkeypatch.delenv("KAFKA_PASSWORD", raising=False)
    with capture_logs() as logs:
        served = Served(tmp_path / "state", config=path)
    try:
        assert any("kafka main: environment variable KAFKA_PASS" in str(each) for each in logs)
        inflow = served.server.consuming
        (connection,) = inflow.connections
        served.runner.run(inflow.attempt(connection))
        monkeypatch.setenv("KAFKA_PASSWORD", "s3cret")
        how = security(connection, wire.read)
        told = kafka_reading.settings_of(connection, how)
        assert (told["sasl.password"], told["sasl.mechanism"]) == ("s3cret", "SCRAM-SHA-512")
        assert (told["enable.auto.commit"], told["auto.offset.reset"]) == (False, "error")
        ready = served.ask("GET", "/readyz").text
        assert "KAFKA_PASSWORD: not set" in ready
        assert "s3cret" not in ready + repr(connection) + repr(how)
    finally:
        served.close()


def test_doctor_says_whether_settings_are_whole_and_how_far_it_is(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    path = settings(tmp_path, cluster, topic)

    def said(*words: str, code: int = 0) -> str:
        came = CliRunner().invoke(cli, ["doctor", "--config", str(path), *words])
        assert came.exit_code == code
        return next(line for line in came.stdout.splitlines() if "kafka" in line)

    state = ("--state", str(tmp_path / "state"))
    assert "settings for 1 topic are whole; --state DIR says" in said()
    reading = Reading(path)
    try:
        assert f"has not read {topic} yet" in said(*state)
        cluster.send(topic, body(0))
        reading.turn(1)
        assert "1 partition begun, the newest record that was judged is 0 min old" in said(*state)
    finally:
        reading.close()
    settings(tmp_path, cluster, topic, more="    ca_file: /nowhere/ca.pem\n")
    assert "/nowhere/ca.pem: No such file" in said(code=1)
    path.write_text("kafka: {connections: [{servers: []}]}")
    assert "kafka.connections[0]" in said(*state, code=1)


def test_another_cluster_of_the_same_name_is_begun_anew(tmp_path, cluster, topic) -> None:
    cluster.send(topic, body(0), body(1))
    reading = Reading(settings(tmp_path, cluster, topic))
    reading.turn(2)
    reading.close()
    other = KafkaCluster()
    other.topic(topic)
    other.send(topic, body(5), body(6), body(7))
    again = Reading(settings(tmp_path, other, topic))
    try:
        with capture_logs() as logs:
            again.turn(3)
        assert again.ids == ids(0, 1, 5, 6, 7)
        assert any("another cluster than before" in str(each) for each in logs)
    finally:
        again.close()
        other.close()


def test_without_the_library_it_is_said(tmp_path, cluster, topic, monkeypatch) -> None:
    path = settings(tmp_path, cluster, topic)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    served = Served(tmp_path / "state", config=path)
    try:
        inflow = served.server.consuming
        served.runner.run(inflow.attempt(inflow.connections[0]))
        assert "quivive[kafka] has it" in served.ask("GET", "/readyz").text
    finally:
        served.close()
    came = CliRunner().invoke(cli, ["doctor", "--config", str(path)])
    assert "quivive[kafka] has it" in came.stdout


def test_a_fault_in_judging_one_login_leaves_the_rest(
    tmp_path, cluster, topic, monkeypatch
) -> None:
    cluster.send(topic, body(0), body(1), body(2))
    reading = Reading(settings(tmp_path, cluster, topic))
    judging = reading.server.judge.judging
    whole = judging.judge

    def faulty(log: str, event: Any, origin: Any = None) -> Any:
        if event.metadata.uid == ids(1)[0]:
            raise ZeroDivisionError
        return whole(log, event, origin)

    monkeypatch.setattr(judging, "judge", faulty)
    try:
        reading.turn(3)
        assert reading.ids == ids(0, 2)
        ((log, line, reason),) = reading.letters
        assert (log, line) == (f"kafka:main/{topic}/0", 1)
        assert "a fault of Quivive (ZeroDivisionError)" in reason
    finally:
        reading.close()
