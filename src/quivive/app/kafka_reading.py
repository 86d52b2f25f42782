"""Reading topics: one consumer a cluster, told which partitions to read and from where.

The brokers are asked to remember nothing: no consumer group is joined and nothing committed. Used
from one thread at a time.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from quivive.app.kafka import NOT_INSTALLED, connecting, missing_files, silent, words
from quivive.app.kafka_places import Partition, Place
from quivive.app.kafka_topics import Connection
from quivive.app.wire import read
from quivive.model.errors import ConfigurationError
from quivive.notify.kafka import security

TIMEOUT = 10.0  # seconds in which a broker has to answer
WAIT_SECONDS = 0.5  # for a record to come
BROKER_WAITS_MS = 500  # for a record to come, before it answers that there is none
MOST_RECORDS = 1_000  # taken at a time
MOST_BYTES = 4 << 20  # after which no more are taken at a time
AHEAD_KILOBYTES = 16 << 10  # that are fetched before they are asked for
_BEYOND = "_AUTO_OFFSET_RESET"  # asked for an offset that is not there any more


class BrokersError(ConfigurationError):
    """A cluster that cannot be read now; what was read before is kept."""


class Message(NamedTuple):
    """One record as it came. body: None for a tombstone; time: ms UTC, by producer or broker."""

    partition: Partition
    offset: int
    body: bytes | None
    time: int


class Reader:
    """The consumer of one connection.

    cluster: its id, once a broker was asked. next: the offset of the next record of each partition
    that is read. ends: that of the next record to come, as far as known. problems: why topics or
    partitions cannot be read.
    """

    def __init__(self, connection: Connection) -> None:
        """Raises ConfigurationError for settings the client refuses, or a secret that is missing;
        no broker is waited for.
        """
        try:
            from confluent_kafka import Consumer, KafkaException, TopicPartition
        except ImportError:
            raise ConfigurationError(NOT_INSTALLED) from None
        self._connection = connection
        self._exception = KafkaException
        self._at = TopicPartition
        self._said = ""
        self.cluster = ""
        self.next: dict[Partition, int] = {}
        self.ends: dict[Partition, int] = {}
        self.problems: list[str] = []
        self._refused: dict[Partition, str] = {}  # said once by the client, and true until a record
        for missing in missing_files(connection):
            raise ConfigurationError(f"kafka {connection.name}: {missing}")
        try:
            how = security(connection, read)
            self._consumer = Consumer(
                {**settings_of(connection, how), "error_cb": self._failed}, logger=silent
            )
        except KafkaException as error:
            raise ConfigurationError(f"kafka {connection.name}: {words(error.args[0])}") from None
        except ConfigurationError as error:
            raise ConfigurationError(f"kafka {connection.name}: {error}") from None

    def close(self) -> None:
        """Lets go of the brokers."""
        self._consumer.close()

    def unread(self) -> list[Partition]:
        """Partitions there are and that are not read yet; topics may get more of them.

        Raises BrokersError when no broker answers.
        """
        found, self.problems = [], list(self._refused.values())
        for topic in self._connection.begins:
            try:
                cluster = self._consumer.list_topics(topic, timeout=TIMEOUT)
            except self._exception as error:
                raise self._gone(error) from None
            self.cluster = cluster.cluster_id or ""
            known = cluster.topics[topic]
            if known.error is not None:
                self.problems.append(f"{topic}: {words(known.error)}")
            for number, told in sorted(known.partitions.items()):
                each = Partition(topic, number)
                if each in self.next:
                    continue
                if told.error is not None:
                    self.problems.append(f"{each}: {words(told.error)}")
                else:
                    found.append(each)
        return found

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """Its oldest offset, and that of the next record to come. Raises BrokersError."""
        try:
            low, high = self._consumer.get_watermark_offsets(self._at(*partition), timeout=TIMEOUT)
        except self._exception as error:
            raise self._gone(error) from None
        self.ends[partition] = high
        return low, high

    def begin(self, places: Mapping[Partition, Place]) -> None:
        """Reads these partitions, too."""
        if places:
            self._consumer.incremental_assign(
                [self._at(*each, place.offset) for each, place in places.items()]
            )
            self.next |= {each: place.offset for each, place in places.items()}

    def take(self) -> tuple[list[Message], list[str]]:
        """What came, or came ahead, in order within each partition; nothing after WAIT_SECONDS
        without a record. And what the brokers said that is to be looked into.
        """
        found: list[Message] = []
        told: list[str] = []
        size, wait = 0, WAIT_SECONDS
        while len(found) < MOST_RECORDS and size < MOST_BYTES:
            came = self._consumer.poll(wait)
            wait = 0
            if came is None:
                break
            if came.error() is not None:
                told += self._error(came)
                continue
            message = _message(came)
            self.next[message.partition] = message.offset + 1
            self._refused.pop(message.partition, None)
            size += len(message.body or b"")
            found.append(message)
        for each in self.next:
            self._end(each, cached=True)
        return found, told

    def pause(self) -> None:
        """Takes nothing more, and forgets what came ahead."""
        self._consumer.pause(self._assigned())

    def resume(self) -> None:
        """Goes on where it paused."""
        self._consumer.resume(self._assigned())

    def look(self) -> None:
        """Asks for the ends anew, while nothing is taken. Raises BrokersError."""
        for each in list(self.next):
            self.bounds(each)

    def _assigned(self) -> list[Any]:
        return [self._at(*each) for each in self.next]

    def _end(self, partition: Partition, *, cached: bool) -> None:
        _, high = self._consumer.get_watermark_offsets(self._at(*partition), cached=cached)
        if high >= 0:
            self.ends[partition] = high

    def _error(self, came: Any) -> Iterable[str]:
        """What is to be said of an event that is no record."""
        error, partition = came.error(), Partition(came.topic() or "", came.partition() or 0)
        name = error.name()
        if name == "_PARTITION_EOF":
            # Marks of transactions are offsets without a record: the end may be beyond the last.
            self._refused.pop(partition, None)
            if partition in self.next and came.offset() is not None:
                self.next[partition] = max(self.next[partition], came.offset())
            return ()
        if name == _BEYOND and partition in self.next:
            self._consumer.incremental_unassign([self._at(*partition)])
            del self.next[partition]
        elif partition in self.next:
            self._refused[partition] = f"{partition}: {words(error)}"
        where = f"{partition}: " if came.topic() else ""
        return (f"{where}{words(error)}",)

    def _failed(self, error: Any) -> None:
        if error.name() != "_ALL_BROKERS_DOWN" or not self._said:
            self._said = words(error)

    def _gone(self, error: Any) -> BrokersError:
        found = words(error.args[0])
        why = f" ({self._said})" if self._said and self._said not in found else ""
        return BrokersError(f"kafka {self._connection.name}: {found}{why}")


def settings_of(connection: Connection, how: Any) -> dict[str, Any]:
    """What the client is told: to keep its hands off offsets, and not to run far ahead."""
    return connecting(connection.servers, how) | {
        "group.id": connection.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "allow.auto.create.topics": False,
        "max.poll.interval.ms": 86_400_000,
        "fetch.wait.max.ms": BROKER_WAITS_MS,
        "queued.max.messages.kbytes": AHEAD_KILOBYTES,
        "fetch.max.bytes": AHEAD_KILOBYTES << 9,
    }


def _message(came: Any) -> Message:
    _, time = came.timestamp()
    return Message(
        Partition(came.topic(), came.partition()), came.offset(), came.value(), max(0, time)
    )
