"""What ``quivive doctor`` says of Kafka: whether settings are whole, how far topics are read."""

from importlib.util import find_spec
from pathlib import Path

from quivive.app import kafka_places
from quivive.app.doctor import Check
from quivive.app.kafka import NOT_INSTALLED, missing_files
from quivive.app.kafka_topics import Connection, load_topics
from quivive.app.missing_secrets import unreadable
from quivive.model.errors import ConfigurationError
from quivive.model.words import counted
from quivive.store.database import Store


def kafka_status(path: Path, store: Store | None, now: int) -> list[Check]:
    """A line for each connection of a settings file; ``store`` tells how far the server is. No
    broker is asked.
    """
    try:
        connections = load_topics(path)
    except ConfigurationError as error:
        return [Check(name="kafka", level="missing", text=str(error), remedy="mend it there")]
    return [_of(connection, store, now) for connection in connections]


def _of(connection: Connection, store: Store | None, now: int) -> Check:
    name = f"kafka {connection.name}"
    missing = unreadable(connection) + missing_files(connection)
    if find_spec("confluent_kafka") is None:
        missing.append(NOT_INSTALLED)
    if missing:
        return Check(
            name=name,
            level="missing",
            text="; ".join(missing),
            remedy="the server reads nothing from there until that is mended",
        )
    whole = f"settings for {counted(len(connection.topics), 'topic')} are whole"
    if store is None:
        return Check(name=name, level="ok", text=f"{whole}; --state DIR says how far the server is")
    places = kafka_places.load(store, connection.name)
    kept = {each: place for each, place in places.items() if each.topic in connection.begins}
    topics = {each.topic for each in kept}
    never = [topic for topic in connection.begins if topic not in topics]
    if never:
        return Check(
            name=name,
            level="ok",
            text=f"{whole}; the server has not read {', '.join(never)} yet",
        )
    newest = max(place.time for place in kept.values())
    said = f"{whole}; {counted(len(kept), 'partition')} begun"
    if newest:
        said += f", the newest record that was judged is {max(0, now - newest) // 60_000} min old"
    return Check(name=name, level="ok", text=said)
