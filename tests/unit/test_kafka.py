"""OCSF findings over Kafka: the real client against the mock cluster that its library carries."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("confluent_kafka", reason="extra kafka")

from confluent_kafka import Consumer, Producer, TopicPartition

from quivive.app.channels import settings_of as channels_of
from quivive.app.kafka import Producers, settings_of
from quivive.app.notifying import Worker, outgoing
from quivive.app.wire import Outside
from quivive.model.errors import ConfigurationError
from quivive.notify import ocsf
from quivive.notify.notifier import NotDeliveredError
from quivive.store.database import Store
from quivive.store.outbox import StoredOutbox
from tests.contract.test_notifiers import NOTE, NOW, read

TOPIC = "quivive.findings"


@pytest.fixture(scope="module")
def cluster() -> Any:
    """A broker of one process that speaks Kafka's own protocol on a port of 127.0.0.1."""
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = broker.list_topics(timeout=10).brokers
    yield ",".join(f"{b.host}:{b.port}" for b in found.values())
    broker.flush(1)


def settings(server: str, **more: Any) -> ocsf.Settings:
    kafka = {"servers": [server], "topic": TOPIC, "protocol": "plaintext"} | more
    return msgspec.convert({"kafka": kafka}, ocsf.Settings)


def records(server: str) -> list[Any]:
    about = {"bootstrap.servers": server, "group.id": "t", "enable.partition.eof": True}
    consumer = Consumer(about)
    parts = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, p, 0) for p in parts])
    found, ended = [], 0
    while ended < len(parts):
        message = consumer.poll(10)
        assert message is not None
        if message.error() is not None:
            ended += 1
        else:
            found.append(message)
    consumer.close()
    return found


def test_a_finding_is_in_the_topic_before_its_row_leaves_the_outbox(
    cluster: str, tmp_path: Path
) -> None:
    channel = {
        "name": "lake",
        "kind": "ocsf",
        "settings": {"kafka": {"servers": [cluster], "topic": TOPIC, "protocol": "plaintext"}},
    }
    with Store(tmp_path / "state") as store:
        rows = StoredOutbox(store, "notification")
        rows.put([outgoing(NOTE, NOW)])
        wire = Outside()
        told = channels_of({"channels": [channel]}, "test")
        came = Worker(rows, told, lambda _: wire, read, b"k" * 32).run(NOW)
        assert (came.delivered, came.failed) == (1, 0)
        assert rows.counts() == {"done": 2}
    (message,) = records(cluster)
    assert message.key() == NOTE.thread.encode()
    headers = dict(message.headers())
    assert headers["Idempotency-Key"] == NOTE.key.encode()
    body = json.loads(message.value())
    assert (body["class_uid"], body["metadata"]["uid"]) == (2004, NOTE.key)


def test_a_broker_that_is_gone_is_tried_again_and_named() -> None:
    message = ocsf.compose(NOTE, settings("127.0.0.1:1"), read, NOW)
    with pytest.raises(NotDeliveredError, match=r"Kafka: .*127\.0\.0\.1:1") as caught:
        Producers(timeout=0.2).publish(message)
    assert caught.value.again


def test_a_record_that_no_broker_takes_is_given_up(cluster: str) -> None:
    message = ocsf.compose(NOTE, settings(cluster), read, NOW)
    with pytest.raises(NotDeliveredError, match="size") as caught:
        Producers().publish(msgspec.structs.replace(message, body=b"x" * (2 << 20)))
    assert not caught.value.again


def test_settings_that_the_client_refuses_name_the_problem(tmp_path: Path) -> None:
    given = settings("127.0.0.1:1", protocol="ssl", ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match="Kafka: "):
        Producers().publish(ocsf.compose(NOTE, given, read, NOW))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"file": "a", "kafka": {"servers": ["k:9092"], "topic": "t"}}, "one of the three"),
        ({"kafka": {"servers": [], "topic": "t"}}, "length"),
        ({"kafka": {"servers": ["k"], "topic": "t"}}, "regex"),
        ({"kafka": {"servers": ["k:9092"], "topic": "a b"}}, "regex"),
        ({"kafka": {"servers": ["k:9092"], "topic": "t", "protocol": "sasl_ssl"}}, "needs"),
        ({"kafka": {"servers": ["k:9092"], "topic": "t", "user": "u"}}, "go with sasl"),
        ({"kafka": {"servers": ["k:9092"], "topic": "t", "cert_file": "c"}}, "go together"),
        ({"kafka": {"servers": ["k:9092"], "topic": "t", "acks": 0}}, "unknown field"),
    ],
)
def test_settings_are_checked(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(given, ocsf.Settings)


def test_a_password_is_read_at_the_end_and_never_shown() -> None:
    secret = {"mechanism": "SCRAM-SHA-512", "user": "quivive", "password": {"env": "KAFKA"}}
    given = settings("k:9093", protocol="sasl_ssl", ca_file="/ca.pem", **secret)
    message: Any = ocsf.compose(NOTE, given, read, NOW)
    found = settings_of(message)
    assert found["sasl.password"] == read(given.kafka.password)
    assert (found["security.protocol"], found["acks"]) == ("sasl_ssl", "all")
    assert found["sasl.password"] not in repr(message) + repr(message.how) + repr(given)
