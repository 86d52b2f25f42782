"""The ``kafka:`` section of a settings file: which topics are read, and as whose log."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from quivive.app.errors import UsageError
from quivive.app.ingest import choose
from quivive.app.located import located
from quivive.app.responses import Word, convert, sections_of
from quivive.notify.kafka import Cluster, TopicName
from quivive.sources.source import Source

Group = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


class Topic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """source: whose log its records are, ``auto`` for found by content. begin: where a topic that
    was never read begins: with the first record the brokers still have, or the next one.
    """

    topic: TopicName
    source: str = "auto"
    begin: Literal["earliest", "latest"] = "earliest"


class Connection(Cluster, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cluster and the topics of it. name: of this connection, under which it is remembered how
    far each partition was read. group: a name for the brokers' access rules and quotas; nothing is
    committed to it.
    """

    name: Word = "kafka"
    topics: Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=256)]
    group: Group = "quivive"

    @property
    def sources(self) -> dict[str, Source | None]:
        """Whose log each topic is; None for found by content."""
        return {each.topic: choose(each.source) for each in self.topics}

    @property
    def begins(self) -> dict[str, str]:
        """Where each topic begins that was never read."""
        return {each.topic: each.begin for each in self.topics}


class _Section(Struct, kw_only=True, forbid_unknown_fields=True):
    connections: tuple[Connection, ...] = ()


@located(_Section, Connection, Topic)
def load_topics(path: Path) -> tuple[Connection, ...]:
    """The section of a settings file; none of it is an empty one.

    Raises UsageError naming the file and the setting, and never what a setting holds.
    """
    section = convert(sections_of(path).get("kafka") or {}, _Section, f"{path}: kafka")
    names: set[str] = set()
    for number, connection in enumerate(section.connections):
        where = f"{path}: kafka.connections[{number}]"
        if connection.name in names:
            raise UsageError(
                f"{where}.name: {connection.name} is there twice; give each a name of its own"
            )
        names.add(connection.name)
        topics: set[str] = set()
        for place, each in enumerate(connection.topics):
            at = f"{where}.topics[{place}]"
            if each.topic in topics:
                raise UsageError(f"{at}.topic: {each.topic} is there twice; once is enough")
            topics.add(each.topic)
            try:
                choose(each.source)
            except UsageError as error:
                said = str(error).replace("--source", "source")
                raise UsageError(f"{at}.source: {said}") from None
    found: tuple[Connection, ...] = section.connections
    return found
