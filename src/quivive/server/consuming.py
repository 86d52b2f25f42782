"""Reading Kafka: what topics bring is judged as ``POST /v1/events`` would, partition by partition.

How far a partition was read is written in the transaction that keeps the last login of what was
taken of it, never at the brokers: killed at any instant, the next server goes on there.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
import structlog
from msgspec.structs import replace

from quivive.app import kafka_places
from quivive.app.kafka_places import Begin, Partition, Place
from quivive.app.kafka_reading import BrokersError, Message, Reader
from quivive.app.kafka_topics import Connection, load_topics
from quivive.app.sigma import Marking
from quivive.model.event import AuthEvent
from quivive.model.record import Reject
from quivive.server.consumed import Consumed
from quivive.server.context import Context
from quivive.server.faults import where
from quivive.server.inflow import MOST_POSITION, ROOM_SECONDS, Inflow, Sleep
from quivive.server.reading import Read, read
from quivive.server.repeating import Memory
from quivive.sources.source import Source

LOOK_SECONDS = 30.0  # after which topics are looked at again: whether they have more partitions
LONGEST_PAUSE = 60.0  # seconds between two attempts at brokers that do not answer
SCHEMA_BYTES = 5  # before JSON whose schema a registry has: a nought and the schema's number

T = TypeVar("T")
log = structlog.get_logger("quivive.kafka")


class Consuming(Inflow[Connection]):
    """The connections of one server to Kafka."""

    kind = "kafka"
    verb = "read"

    def __init__(
        self, context: Context, config: Path | None, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        """For the section ``kafka`` of a settings file. Raises UsageError for a bad one."""
        super().__init__(context, load_topics(config) if config is not None else (), sleep)

    def _forget(self) -> None:
        known = self.context.consumed
        self.context.consumed = {c.name: known.get(c.name, Consumed()) for c in self.connections}

    async def attempt(self, connection: Connection) -> float:
        """Reads until something fails; returns the seconds until the next attempt."""
        state = self.context.consumed[connection.name]
        session = Session(self, connection, state)
        try:
            await session.open()
            while True:
                await session.turn()
        except Exception as error:  # noqa: BLE001 - the next session goes on where this one kept
            self.failed(state, connection.name, self.words(connection.name, error))
        finally:
            await session.close()
        return min(2.0 ** min(state.in_a_row - 1, 10), LONGEST_PAUSE)


class Session:
    """One consumer, from its first question to the brokers until it fails or is stopped."""

    def __init__(self, inflow: Consuming, connection: Connection, state: Consumed) -> None:
        """Nothing is asked yet."""
        self.inflow, self.context = inflow, inflow.context
        self.connection, self.state = connection, state
        self.sources = connection.sources
        self.reader: Reader
        self._looked = 0.0
        # A thread of its own: waiting for records would take one away from everybody else.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"kafka-{connection.name}")

    async def _in_thread(self, what: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, what)

    async def open(self) -> None:
        """Raises ConfigurationError for settings that cannot be used."""
        self.reader = await self._in_thread(lambda: Reader(self.connection))

    async def close(self) -> None:
        """Lets go of the brokers; what was taken and not kept comes again."""
        if hasattr(self, "reader"):
            await self._in_thread(self.reader.close)
        self._thread.shutdown(wait=False)

    async def turn(self) -> None:
        """Takes what came and has it judged. Raises BrokersError, StoreUnavailable."""
        now = asyncio.get_running_loop().time()
        if not self._looked or now - self._looked >= LOOK_SECONDS:
            await self.look()
            self._looked = now
        if self.inflow.full:
            await self._paused()
        messages, told = await self._in_thread(self.reader.take)
        for text in told:
            self.inflow.log.warning("kafka", connection=self.connection.name, what=text)
        if told:
            self._looked = 0.0
        parts: dict[Partition, list[Message]] = {}
        for message in messages:
            parts.setdefault(message.partition, []).append(message)
        done = [self._judge(partition, found) for partition, found in parts.items()]
        for came in await asyncio.gather(*done, return_exceptions=True):
            if isinstance(came, BaseException):
                raise came
        self._stands()

    async def look(self) -> None:
        """Begins with partitions that are not read yet, and says what topics cannot be read."""
        reader, name = self.reader, self.connection.name
        unread = await self._in_thread(reader.unread)
        if unread:
            store = self.context.store
            kept = await self.context.aside(
                lambda: kafka_places.load(store, name), settled=float("inf")
            )
            begins = await self._in_thread(lambda: self._begins(unread, kept))
            for begin in begins.values():
                if begin.told:
                    self.inflow.log.warning("kafka", connection=name, what=begin.told)
            places = {each: begin.place for each, begin in begins.items()}
            await self._keep(places)
            await self._in_thread(lambda: reader.begin(places))
            self.state.next |= {each: place.offset for each, place in places.items()}
            self.inflow.log.info("begun", connection=name, partitions=len(places))
        if reader.problems:
            why = "; ".join(reader.problems)
            if why != self.state.problem:
                self.inflow.log.warning("not read", connection=name, error=why)
            self.state.problem = why
        else:
            self.inflow.succeeded(self.state, name)

    def _begins(
        self, unread: Sequence[Partition], kept: dict[Partition, Place]
    ) -> dict[Partition, Begin]:
        """Where each begins. What a topic grows by is read from its first record on."""
        cluster = self.reader.cluster
        known = {each.topic for each, place in kept.items() if place.cluster == cluster}
        latest = {topic for topic, at in self.connection.begins.items() if at == "latest"} - known
        return {
            each: kafka_places.begin(
                each,
                kept.get(each),
                self.reader.bounds(each),
                cluster,
                latest=each.topic in latest,
            )
            for each in unread
        }

    async def _keep(self, places: dict[Partition, Place]) -> None:
        """Keeps where partitions begin: "the next one" is not to be another after a restart."""

        def write(connection: sa.Connection) -> None:
            for each, place in places.items():
                kafka_places.write(connection, self.connection.name, each, place)

        await self.inflow.judged(f"kafka:{self.connection.name}", Read(), write)

    async def _paused(self) -> None:
        reader, state = self.reader, self.state
        await self._in_thread(reader.pause)
        state.paused = True
        try:
            while self.inflow.full:
                await self.inflow._sleep(ROOM_SECONDS)
                with suppress(BrokersError):
                    await self._in_thread(reader.look)
                self._stands()
        finally:
            state.paused = False
        await self._in_thread(reader.resume)

    async def _judge(self, partition: Partition, messages: Sequence[Message]) -> None:
        """Has records of one partition judged, and returns once that and their end are kept."""
        context, connection = self.context, self.connection
        name, source = f"kafka:{connection.name}/{partition}", self.sources[partition.topic]
        asked = source.name if source is not None else "auto"
        most, now = context.settings.events_bytes, context.clock()

        def parse() -> Read:
            with context.memories.lent(asked) as memory:
                return events_of(messages, source, name, now, most, memory, context.rules)

        found = await context.parsing(parse)
        last = messages[-1]
        place = Place(offset=last.offset + 1, cluster=self.reader.cluster, time=last.time)
        await self.inflow.judged(
            name,
            found,
            lambda to: kafka_places.write(to, connection.name, partition, place),
        )
        state = self.state
        state.next[partition] = place.offset
        state.records += len(messages)
        state.taken[partition.topic] = state.taken.get(partition.topic, 0) + len(messages)

    def _stands(self) -> None:
        """All that was taken is kept: what the reader knows is how far we are."""
        reader, state = self.reader, self.state
        state.next, state.ends = dict(reader.next), dict(reader.ends)


def events_of(
    messages: Sequence[Message],
    source: Source | None,
    name: str,
    now: int,
    most: int,
    memory: Memory | None = None,
    rules: Marking | None = None,
) -> Read:
    """The events of records of one partition, in its order. most: bytes of one record; memory: of
    records before; rules: mark the events.

    What has no id of its own gets one of its place and bytes: read again it is known, and two alike
    at two places are two.
    """
    found = Read(last=source)
    for message in messages:
        if not message.body or message.body.isspace():
            found.skips["an empty record (a tombstone)"] += 1
            found.records += 1
            continue
        if len(message.body) > most:
            one = _none(name, f"{len(message.body)} bytes; server.events_bytes allows {most}")
        else:
            one = _read(message, source, name, now, found.last, memory, rules)
            if not one.records and not message.body.startswith(b"["):
                one = _none(name, "no record in it; a table of CSV needs more than its header")
        found.last = one.last or found.last
        found.records += one.records
        found.skips += one.skips
        found.sources += one.sources
        found.events += [_numbered(event, message.offset) for event in one.events]
        found.rejects += [_placed(reject, message.offset, one.records) for reject in one.rejects]
    return found


def _read(
    message: Message,
    source: Source | None,
    name: str,
    now: int,
    first: Source | None,
    memory: Memory | None,
    rules: Marking | None,
) -> Read:
    place, body = f"{message.partition}/{message.offset}", message.body or b""
    if body.startswith(b"\0") and body[SCHEMA_BYTES : SCHEMA_BYTES + 1] == b"{":
        body = body[SCHEMA_BYTES:]
    try:
        return read(body, source, name, now, first=first, place=place, memory=memory, rules=rules)
    except Exception as error:  # noqa: BLE001 - one record must not hold up its partition
        if memory is not None:
            memory.forget()
        kind = type(error).__name__
        log.error("fault", log=name, record=message.offset, error=kind, where=where(error))
        return _none(name, f"could not be read: a fault of Quivive ({kind}); please report it")


def _none(name: str, why: str) -> Read:
    return Read(rejects=[Reject(log=name, sequence=1, line=1, reason=why)], records=1)


def _numbered(event: AuthEvent, offset: int) -> AuthEvent:
    number = offset % MOST_POSITION
    return replace(event, metadata=replace(event.metadata, sequence=number))


def _placed(reject: Reject, offset: int, records: int) -> Reject:
    """A reject with its offset for a number; in words where that is not enough."""
    said = []
    if offset >= MOST_POSITION:
        said.append(f"offset {offset}")
    if records > 1:
        said.append(f"line {reject.line} of the record")
    reason = ", ".join(said) + ": " + reject.reason if said else reject.reason
    number = offset % MOST_POSITION
    return replace(reject, sequence=number, line=number, reason=reason)
