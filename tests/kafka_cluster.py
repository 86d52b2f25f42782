"""A Kafka cluster for tests: the mock that librdkafka carries, asked by its own C interface.

It speaks Kafka's protocol on a port of 127.0.0.1. Python's client starts one too
(``test.mock.num.brokers``) but cannot make topics there, nor take the broker down.
"""

import ctypes
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import Producer

_CLUSTER = ctypes.c_void_p


def _library() -> Any:
    folder = Path(confluent_kafka.__file__).parent.with_suffix(".libs")
    library = ctypes.CDLL(str(next(folder.glob("librdkafka*"))))
    text, number = ctypes.c_char_p, ctypes.c_int
    types: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "new": (_CLUSTER, (number, _CLUSTER, text, ctypes.c_size_t)),
        "destroy": (None, (_CLUSTER,)),
        "conf_new": (_CLUSTER, ()),
        "conf_set": (number, (_CLUSTER, text, text, text, ctypes.c_size_t)),
        "mock_cluster_new": (_CLUSTER, (_CLUSTER, number)),
        "mock_cluster_destroy": (None, (_CLUSTER,)),
        "mock_cluster_bootstraps": (text, (_CLUSTER,)),
        "mock_topic_create": (number, (_CLUSTER, text, number, number)),
        "mock_topic_delete": (number, (_CLUSTER, text)),
        "mock_topic_set_error": (None, (_CLUSTER, text, number)),
        "mock_partition_delete_records": (number, (_CLUSTER, text, number, ctypes.c_int64)),
        "mock_broker_set_down": (number, (_CLUSTER, ctypes.c_int32)),
        "mock_broker_set_up": (number, (_CLUSTER, ctypes.c_int32)),
    }
    for name, (result, given) in types.items():
        function = getattr(library, f"rd_kafka_{name}")
        function.restype, function.argtypes = result, given
    return library


class KafkaCluster:
    """One broker with number 1."""

    def __init__(self) -> None:
        """It listens at ``servers``."""
        self._library = library = _library()
        conf = library.rd_kafka_conf_new()
        said = ctypes.create_string_buffer(200)
        library.rd_kafka_conf_set(conf, b"log_level", b"0", said, 200)
        self._handle = library.rd_kafka_new(0, conf, said, 200)
        self._cluster = library.rd_kafka_mock_cluster_new(self._handle, 1)
        self.servers = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        self._producer: Producer | None = None

    def topic(self, name: str, partitions: int = 1) -> None:
        """Makes a topic."""
        assert not self._call("topic_create", name.encode(), partitions, 1)

    def delete(self, name: str) -> None:
        """Deletes a topic."""
        self._call("topic_delete", name.encode())

    def refuse(self, name: str, code: int) -> None:
        """Lets a topic answer with an error of Kafka's protocol; 0 ends that."""
        self._call("topic_set_error", name.encode(), code)

    def prune(self, name: str, partition: int, before: int) -> None:
        """Deletes the records before an offset, as retention does."""
        assert not self._call("partition_delete_records", name.encode(), partition, before)

    def down(self) -> None:
        """The broker is away."""
        self._call("broker_set_down", 1)

    def up(self) -> None:
        """The broker is back."""
        self._call("broker_set_up", 1)

    def send(self, topic: str, *bodies: bytes | None, partition: int = 0, **how: Any) -> None:
        """Puts records into a partition; returns when they are there."""
        about = {"bootstrap.servers": self.servers, "linger.ms": 0, "log_level": 0} | how
        producer = Producer(about)
        for body in bodies:
            producer.produce(topic, body, key=b"k", partition=partition)
        assert producer.flush(10) == 0

    def close(self) -> None:
        """Ends it."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._handle)

    def _call(self, name: str, *given: Any) -> Any:
        return getattr(self._library, f"rd_kafka_mock_{name}")(self._cluster, *given)
