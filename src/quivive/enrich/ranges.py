"""Sorted, disjoint ranges of addresses with a small number attached to each."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import pairwise

Row = tuple[int, int, int]  # first address, last address, value


class Ranges:
    """Ranges of both IP versions, looked up by bisection.

    Values are numbers below 2**32. IPv4 bounds lie in 4-byte arrays: 12 bytes a range.
    """

    def __init__(self, rows: Iterable[tuple[int, Row]] = ()) -> None:
        """Takes ``(version, (first, last, value))`` in any order, overlapping or not."""
        self._starts: dict[int, array[int] | list[int]] = {4: array("I"), 6: []}
        self._ends: dict[int, array[int] | list[int]] = {4: array("I"), 6: []}
        self._values: dict[int, array[int]] = {4: array("I"), 6: array("I")}
        self._ordered = True
        for version, (first, last, value) in rows:
            self.add(version, first, last, value)
        self.close()

    def __len__(self) -> int:
        return len(self._starts[4]) + len(self._starts[6])

    def count(self, version: int) -> int:
        """How many ranges of one IP version there are."""
        return len(self._starts[version])

    def add(self, version: int, first: int, last: int, value: int) -> None:
        """Adds one range; ``close`` before the first lookup."""
        ends = self._ends[version]
        if ends and first <= ends[-1]:
            self._ordered = False
        self._starts[version].append(first)
        ends.append(last)
        self._values[version].append(value)

    def close(self) -> None:
        """Sorts and resolves overlaps: the narrower range wins, then the smaller value."""
        if self._ordered:
            return
        for version in (4, 6):
            starts: array[int] | list[int] = array("I") if version == 4 else []
            ends: array[int] | list[int] = array("I") if version == 4 else []
            values = array("I")
            for first, last, value in _disjoint(self._by_start(version)):
                starts.append(first)
                ends.append(last)
                values.append(value)
            self._starts[version], self._ends[version] = starts, ends
            self._values[version] = values
        self._ordered = True

    def find(self, version: int, number: int) -> int | None:
        """The value of the range that holds this address, or None."""
        at = bisect_right(self._starts[version], number) - 1
        if at < 0 or number > self._ends[version][at]:
            return None
        return self._values[version][at]

    def _by_start(self, version: int) -> Iterator[Row]:
        starts, ends, values = self._starts[version], self._ends[version], self._values[version]
        for at in sorted(range(len(starts)), key=starts.__getitem__):
            yield starts[at], ends[at], values[at]


def _disjoint(rows: Iterator[Row]) -> Iterator[Row]:
    """Cuts ranges, sorted by start, so that none overlaps; most stand alone and stay whole."""
    cluster: list[Row] = []
    reach = -1
    for row in rows:
        if row[0] > reach and cluster:
            yield from cluster if len(cluster) == 1 else _cut(cluster)
            cluster.clear()
        cluster.append(row)
        reach = max(reach, row[1])
    if cluster:
        yield from cluster if len(cluster) == 1 else _cut(cluster)


def _cut(rows: list[Row]) -> Iterator[Row]:
    """Cuts overlapping ranges, sorted by start: a heap holds the open ones, the winner on top."""
    cuts = sorted({first for first, _, _ in rows} | {last + 1 for _, last, _ in rows})
    open_ranges: list[tuple[int, int, int]] = []  # width, value, last
    upcoming = 0
    piece: Row | None = None
    for left, right in pairwise(cuts):
        while upcoming < len(rows) and rows[upcoming][0] == left:
            first, last, value = rows[upcoming]
            heappush(open_ranges, (last - first, value, last))
            upcoming += 1
        while open_ranges[0][2] < left:
            heappop(open_ranges)
        value = open_ranges[0][1]
        if piece is None or piece[2] != value:
            if piece is not None:
                yield piece
            piece = (left, right - 1, value)
        else:
            piece = (piece[0], right - 1, value)
    if piece is not None:
        yield piece
