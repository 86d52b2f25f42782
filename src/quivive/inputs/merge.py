"""Events of many logs in order of time, in bounded memory: an external merge sort.

Logs are rarely in order (exports are often newest first), so every log is cut into runs that are
sorted in memory and, when there are many, spilled to a temporary file each.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import BinaryIO, NamedTuple

import msgspec

from quivive.model.event import AuthEvent

RUN_EVENTS = 60_000


class Placed(NamedTuple):
    """An event with its place in the total order: time, input number, record number."""

    time: int
    input: int
    sequence: int
    event: AuthEvent


class _Stored(msgspec.Struct, array_like=True):
    input: int
    event: AuthEvent


_place = itemgetter(0, 1, 2)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def in_order(events: Iterable[tuple[int, AuthEvent]], run: int = RUN_EVENTS) -> Iterator[Placed]:
    """Events given as (input number, event), by time, then input, then record number.

    Holds at most ``run`` events in memory and one per spilled run.
    """
    spilled: list[BinaryIO] = []
    current: list[Placed] = []
    try:
        for number, event in events:
            current.append(Placed(event.time, number, event.metadata.sequence or 0, event))
            if len(current) >= run:
                current.sort(key=_place)
                spilled.append(_spill(current))
                current = []
        current.sort(key=_place)
        if not spilled:
            yield from current
        else:
            yield from heapq.merge(current, *(_recall(file) for file in spilled), key=_place)
    finally:
        for file in spilled:
            file.close()


def _spill(events: list[Placed]) -> BinaryIO:
    file = tempfile.TemporaryFile(prefix="quivive-")  # noqa: SIM115 - closed by in_order
    for placed in events:
        body = _encoder.encode(_Stored(placed.input, placed.event))
        file.write(len(body).to_bytes(4, "big"))
        file.write(body)
    file.seek(0)
    return file


def _recall(file: BinaryIO) -> Iterator[Placed]:
    while head := file.read(4):
        stored = _decoder.decode(file.read(int.from_bytes(head, "big")))
        event = stored.event
        yield Placed(event.time, stored.input, event.metadata.sequence or 0, event)
