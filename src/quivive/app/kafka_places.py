"""How far each partition was read, kept in the store; and where to go on from there."""

from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from quivive.store import cursors
from quivive.store.database import Store


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        """As it is shown: ``topic/number``."""
        return f"{self.topic}/{self.number}"


class Place(Struct, frozen=True, kw_only=True):
    """How far a partition was read.

    offset: of the next record. cluster: the id of the cluster that counts so; "" where brokers do
    not say. time: the brokers' time of the last record, ms UTC; 0 before there was one.
    """

    offset: int
    cluster: str = ""
    time: int = 0


class Begin(NamedTuple):
    """Where to go on; what is to be said of it, where that is not simply further."""

    place: Place
    told: str | None = None


def key_of(connection: str, partition: Partition) -> str:
    """What a place is kept as."""
    return f"kafka/{connection}/{partition}"


def load(store: Store, connection: str) -> dict[Partition, Place]:
    """All places of a connection."""
    found = {}
    prefix = f"kafka/{connection}/"
    for name, kept in cursors.beginning(store, prefix).items():
        topic, _, number = name.removeprefix(prefix).rpartition("/")
        try:
            found[Partition(topic, int(number))] = msgspec.json.decode(kept, type=Place)
        except ValueError:  # by a version that kept something else: read twice is harmless
            continue
    return found


def write(connection: sa.Connection, name: str, partition: Partition, place: Place) -> None:
    """Keeps a place, in the transaction of ``connection``. name: of the connection to Kafka."""
    cursors.write(connection, key_of(name, partition), msgspec.json.encode(place).decode())


def begin(
    partition: Partition,
    kept: Place | None,
    ends: tuple[int, int],
    cluster: str,
    *,
    latest: bool,
) -> Begin:
    """Where a partition is read from. ends: its oldest offset, and that of the next record to come.
    latest: what was there before is not wanted, where nothing is kept.
    """
    low, high = ends
    told = None
    if kept is not None and kept.cluster != cluster and kept.cluster and cluster:
        told = f"{partition}: another cluster than before; begun anew"
        kept = None
    if kept is None:
        return Begin(Place(offset=high if latest else low, cluster=cluster), told)
    if kept.offset > high:
        told = (
            f"{partition}: ends at {high}, and {kept.offset} records were read of it: the topic was"
            " made anew or lost records; read from its beginning"
        )
    elif kept.offset < low:
        told = (
            f"{partition}: the brokers deleted {low - kept.offset} records before they were read;"
            " they may be had from whoever wrote them: POST /v1/events takes them"
        )
    else:
        return Begin(kept)
    return Begin(Place(offset=low, cluster=cluster, time=kept.time), told)
