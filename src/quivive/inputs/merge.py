"""Events of many logs in order of time, in bounded memory: an external merge sort.

Logs are rarely in order (exports are often newest first), so every log is cut into runs that are
sorted in memory and, when there are many, spilled to a temporary file each.
"""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import itemgetter
from typing import BinaryIO, NamedTuple

import msgspec

from quivive.model.event import AuthEvent

RUN_EVENTS = 60_000
BLOCK = 128  # events that are written, and read back, at once


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
_decoder = msgspec.msgpack.Decoder(list[_Stored])


def in_order(events: Iterable[tuple[int, AuthEvent]], run: int = RUN_EVENTS) -> Iterator[Placed]:
    """Events given as (input number, event), by time, then input, then record number.

    Holds at most ``run`` events in memory and a block per spilled run.
    """
    spilled: list[BinaryIO] = []
    current: list[Placed] = []
    follow, newest = True, (0, 0, 0)  # whether every run begins where the one before ends
    try:
        for number, event in events:
            current.append(Placed(event.time, number, event.metadata.sequence or 0, event))
            if len(current) >= run:
                current.sort(key=_place)
                follow = follow and _place(current[0]) >= newest
                newest = _place(current[-1])
                spilled.append(_spill(current))
                current = []
        current.sort(key=_place)
        follow = follow and (not current or _place(current[0]) >= newest)
        runs = [*map(_recall, spilled), iter(current)]
        if follow:
            yield from chain.from_iterable(runs)
        else:
            yield from heapq.merge(*runs, key=_place)
    finally:
        for file in spilled:
            file.close()


def _spill(events: list[Placed]) -> BinaryIO:
    file = tempfile.TemporaryFile(prefix="quivive-")  # noqa: SIM115 - closed by in_order
    for start in range(0, len(events), BLOCK):
        block = [_Stored(placed.input, placed.event) for placed in events[start : start + BLOCK]]
        body = _encoder.encode(block)
        file.write(len(body).to_bytes(4, "big"))
        file.write(body)
    file.seek(0)
    return file


def _recall(file: BinaryIO) -> Iterator[Placed]:
    while head := file.read(4):
        for stored in _decoder.decode(file.read(int.from_bytes(head, "big"))):
            event = stored.event
            yield Placed(event.time, stored.input, event.metadata.sequence or 0, event)
