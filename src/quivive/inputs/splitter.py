"""Cutting a JSON document into its records without holding the document.

Handles an array of records, an envelope ({"Records": [...]}, {"value": [...]}) and objects
printed over many lines, one after another. Memory is bounded by the largest record.
"""

import re
from collections.abc import Iterator

CONTAINERS = (b"Records", b"records", b"value", b"events", b"items", b"Events")
_TOKEN = re.compile(rb'["{}\[\]\n]')
_STRING_END = re.compile(rb'[^"\\\n]*(?:\\.[^"\\\n]*)*("|\n|$)', re.DOTALL)
_ENVELOPE_KEY = re.compile(
    rb'"(?:' + rb"|".join(CONTAINERS) + rb')"\s*:\s*$',
)


class Piece:
    """One element cut out: its bytes (None when over the limit), and the line it starts on."""

    __slots__ = ("body", "complete", "line")

    def __init__(self, body: bytes | None, line: int, complete: bool = True) -> None:
        """``complete`` is False for an element that the input breaks off in."""
        self.body = body
        self.line = line
        self.complete = complete


def split(chunks: Iterator[bytes], limit: int, line: int = 1) -> Iterator[Piece]:
    """The records of a JSON document given in chunks, starting at ``line``.

    ``limit`` bounds one record in bytes; a larger one comes as a Piece without body.
    """
    buffer = bytearray()
    position = 0  # scanned so far, in buffer
    depth = 0
    record_depth = 0  # depth outside the record being cut
    start: int | None = None  # where the current record starts, in buffer
    start_line = line
    oversized = False
    for chunk in chunks:
        buffer += chunk
        while True:
            token = _TOKEN.search(buffer, position)
            if token is None:
                position = len(buffer)
                break
            mark = token.group()
            if mark == b'"':
                end = _STRING_END.match(buffer, token.end())
                if end is None or not end.group(1):
                    position = token.start()
                    if len(buffer) - position > limit:
                        position = len(buffer)  # an endless string: drop it piecewise
                        oversized = True
                    break
                position = end.end() - (end.group(1) == b"\n")
                continue
            position = token.end()
            if mark == b"\n":
                line += 1
            elif mark in b"{[":
                if start is None and depth == record_depth:
                    if mark == b"[" and depth == 0:
                        record_depth = 1
                    elif mark == b"{":
                        start, start_line = token.start(), line
                elif (
                    mark == b"["
                    and depth == 1
                    and record_depth == 0
                    and start is not None
                    and _ENVELOPE_KEY.search(buffer, start, token.start())
                ):
                    start, record_depth = None, 2
                depth += 1
            else:
                depth = max(0, depth - 1)
                if start is not None and depth == record_depth:
                    body = None if oversized else bytes(buffer[start:position])
                    yield Piece(body, start_line)
                    start, oversized = None, False
                elif start is None and depth < record_depth:
                    record_depth = 0 if depth == 0 else record_depth
        keep = position if start is None else start
        if start is not None and len(buffer) - start > limit:
            oversized = True
        if oversized and start is not None:
            keep, start = position, 0
        if start is None:
            keep = max(0, position - 64) if depth == 1 and record_depth == 0 else position
        del buffer[:keep]
        position -= keep
        if start is not None:
            start = 0
    if start is not None:
        yield Piece(None if oversized else bytes(buffer[start:]), start_line, complete=False)
