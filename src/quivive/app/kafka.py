"""The wire to Kafka: one producer a cluster, each record waited for until all replicas have it."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quivive.model.errors import ConfigurationError
from quivive.notify.kafka import Cluster
from quivive.notify.notifier import NotDeliveredError, Publish, Security

TIMEOUT = 10.0  # seconds for one record, with all that the client tries by itself
NEVER_TAKEN = ("MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD", "TOPIC_EXCEPTION")

NOT_INSTALLED = "confluent-kafka is not installed: quivive[kafka] has it"

silent = logging.Logger("quivive.kafka")
silent.addHandler(logging.NullHandler())


class Producers:
    """The producers in use, by where they lead and as whom."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        """``timeout``: seconds that a record may take."""
        self.timeout = timeout
        self._made: dict[tuple[object, ...], _Producer] = {}
        self._lock = threading.Lock()

    def publish(self, message: Publish) -> None:
        """Hands one record over. Raises NotDeliveredError unless all in-sync replicas have it."""
        known = (message.servers, *message.how)
        with self._lock:
            if known not in self._made:
                self._made[known] = _Producer(settings_of(message, self.timeout))
            producer = self._made[known]
            producer.send(message, self.timeout)


class _Producer:
    def __init__(self, settings: dict[str, Any]) -> None:
        try:
            from confluent_kafka import KafkaException, Producer
        except ImportError:
            raise ConfigurationError(NOT_INSTALLED) from None
        self._problem = ""
        try:
            self._producer = Producer({**settings, "error_cb": self._failed}, logger=silent)
        except KafkaException as error:
            raise ConfigurationError(f"Kafka: {words(error.args[0])}") from None

    def _failed(self, error: Any) -> None:
        if error.name() != "_ALL_BROKERS_DOWN" or not self._problem:
            self._problem = words(error)

    def send(self, message: Publish, timeout: float) -> None:
        came: list[Any] = []
        self._problem = ""
        try:
            self._producer.produce(
                message.topic,
                key=message.key,
                value=message.body,
                headers=[(name, value.encode()) for name, value in message.headers.items()],
                on_delivery=lambda error, _: came.append(error),
            )
        except BufferError:
            raise NotDeliveredError("Kafka: too much waits to be sent") from None
        except Exception as error:  # noqa: BLE001  KafkaException, known once the library is there
            found = error.args[0] if error.args else error
            raise NotDeliveredError(f"Kafka: {words(found)}", again=not _never(found)) from None
        self._producer.flush(timeout + 1.0)
        if not came:
            self._producer.purge()  # so that it is not sent behind the outbox's back
            self._producer.flush(1.0)
            raise NotDeliveredError(f"Kafka: no answer within {timeout:g} s{self._why()}")
        if came[0] is not None:
            raise NotDeliveredError(
                f"Kafka: {words(came[0])}{self._why()}", again=not _never(came[0])
            )

    def _why(self) -> str:
        return f" ({self._problem})" if self._problem else ""


def settings_of(message: Publish, timeout: float = TIMEOUT) -> dict[str, Any]:
    """What the client is told: nothing is sent twice by it, nothing counts before all have it."""
    return connecting(message.servers, message.how) | {
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 0,
        "message.timeout.ms": round(timeout * 1000),
        "socket.timeout.ms": round(timeout * 1000),
    }


def connecting(servers: Sequence[str], how: Security) -> dict[str, Any]:
    """What any client of a cluster is told."""
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(servers),
        "client.id": "quivive",
        "security.protocol": how.protocol,
        "reconnect.backoff.max.ms": 2_000,
    }
    given = {
        "sasl.mechanism": how.mechanism,
        "sasl.username": how.user,
        "sasl.password": how.password,
        "ssl.ca.location": how.ca_file,
        "ssl.certificate.location": how.cert_file,
        "ssl.key.location": how.key_file,
    }
    return found | {name: value for name, value in given.items() if value is not None}


def missing_files(cluster: Cluster) -> list[str]:
    """What is wrong with each of its files that cannot be read; the client would not name it."""
    found = []
    for path in (cluster.ca_file, cluster.cert_file, cluster.key_file):
        try:
            if path is not None:
                Path(path).open("rb").close()
        except OSError as error:
            found.append(f"{path}: {error.strerror}; name a PEM file")
    return found


def _never(error: Any) -> bool:
    name = getattr(error, "name", None)
    return callable(name) and name() in NEVER_TAKEN


def words(error: Any) -> str:
    """What the client says of an error, safe to show."""
    text = error.str() if hasattr(error, "str") else type(error).__name__
    return "".join(c if c.isprintable() else " " for c in text)[:200]
