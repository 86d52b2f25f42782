"""From a log's bytes to its records: lines, JSON documents, CSV rows or XML events.

The kind is found by content. Every record carries its number and its line; what cannot be
framed becomes a located Reject and the rest is read on. One record may hold 8 MiB.
"""

import csv
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from quivive.inputs.opening import UnreadableInputError, chunks
from quivive.inputs.splitter import CONTAINERS, split
from quivive.model.record import RawRecord, Reject

RECORD_LIMIT = 8 << 20
SAMPLE = 160

_CSV_HEADER = re.compile(
    rb'^\s*"?[A-Za-z_@][\w .\[\]()/@-]*"?(?:[,;\t]"?[\w .\[\]()/@-]+"?){2,}\s*$'
)
_EVENT = re.compile(rb"<Event[\s>].*?</Event\s*>", re.DOTALL)
_decode = msgspec.json.Decoder(strict=False).decode


def frame(
    stream: BinaryIO, log: str, reference_time: int | None = None
) -> Iterator[RawRecord | Reject]:
    """The records of one log, in order, and the rejects among them.

    ``log`` names the input in positions; ``reference_time`` (ms UTC) is handed to the records.
    """
    framer = _Framer(log, reference_time)
    source = chunks(stream)
    try:
        head = next(source, b"")
        while b"\n" not in head and len(head) <= RECORD_LIMIT:
            more = next(source, None)
            if more is None:
                break
            head += more
        yield from framer.dispatch(head, source)
    except UnreadableInputError as error:
        yield framer.reject(framer.line, str(error))


class _Framer:
    """Counts records and lines of one input, and knows the four framings."""

    def __init__(self, log: str, reference_time: int | None) -> None:
        self.log = log
        self.reference_time = reference_time
        self.sequence = 0
        self.line = 1

    def reject(self, line: int, reason: str, sample: bytes = b"") -> Reject:
        self.sequence += 1
        shown = sample[:SAMPLE].decode("utf-8", "replace")
        return Reject(log=self.log, sequence=self.sequence, line=line, reason=reason, sample=shown)

    def record(self, line: int, body: bytes, fields: dict[str, Any] | None = None) -> RawRecord:
        self.sequence += 1
        return RawRecord(
            log=self.log,
            sequence=self.sequence,
            line=line,
            body=body,
            fields=fields,
            reference_time=self.reference_time,
        )

    def dispatch(self, head: bytes, rest: Iterator[bytes]) -> Iterator[RawRecord | Reject]:
        whole = _chain(head, rest)
        start = head.lstrip()
        first_line, _, following = start.partition(b"\n")
        if start.startswith((b"<", b"- <")):
            return self.xml(whole)
        if start.startswith((b"{", b"[")):
            if self.is_document(first_line, following):
                return self.document(whole)
            return self.lines(whole)
        if _CSV_HEADER.match(first_line[:4096]):
            return self.rows(whole, first_line)
        return self.lines(whole)

    @staticmethod
    def is_document(first_line: bytes, following: bytes) -> bool:
        """Whether the JSON goes on past its first line (or its first line holds it all)."""
        if first_line.startswith(b"["):
            return True
        if len(first_line) > RECORD_LIMIT:
            return any(b'"%s"' % key in first_line[:200] for key in CONTAINERS)
        try:
            _decode(first_line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # A broken first line of many: the next one starts a record of its own.
            return not following.lstrip(b" \t\r").startswith(b'{"')
        return False

    def document(self, source: Iterator[bytes]) -> Iterator[RawRecord | Reject]:
        for piece in split(source, RECORD_LIMIT):
            if piece.body is None:
                yield self.reject(piece.line, f"record over {RECORD_LIMIT >> 20} MiB")
            elif not piece.complete:
                yield self.reject(piece.line, "record breaks off: input truncated", piece.body)
            else:
                yield from self.json(piece.line, piece.body)

    def json(self, line: int, body: bytes) -> Iterator[RawRecord | Reject]:
        try:
            value = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield self.reject(line, f"broken JSON: {error}", body)
            return
        yield from self.value(line, body, value)

    def value(self, line: int, body: bytes, value: Any) -> Iterator[RawRecord | Reject]:
        """One decoded value as its records: an object, or the objects inside an envelope."""
        if type(value) is dict:
            for key in CONTAINERS:
                inner = value.get(key.decode())
                if type(inner) is list and (len(value) <= 4 or "nextLink" in str(list(value))):
                    for element in inner:
                        yield from self.value(line, msgspec.json.encode(element), element)
                    return
            yield self.record(line, body, value)
        elif type(value) is list:
            for element in value:
                yield from self.value(line, msgspec.json.encode(element), element)
        else:
            yield self.reject(line, f"not a record: a JSON {type(value).__name__}", body)

    def lines(self, source: Iterator[bytes]) -> Iterator[RawRecord | Reject]:
        for line, body in _lines(source, self):
            if body is None:
                yield self.reject(line, f"line over {RECORD_LIMIT >> 20} MiB")
                continue
            body = body.strip()
            if not body:
                continue
            if body[:1] in b"{[":
                yield from self.json(line, body)
            else:
                yield self.record(line, body)

    def rows(self, source: Iterator[bytes], header: bytes) -> Iterator[RawRecord | Reject]:
        csv.field_size_limit(RECORD_LIMIT)
        delimiter = max(",;\t", key=lambda mark: header.count(mark.encode()))
        reader = csv.reader(_text_lines(source, self), delimiter=delimiter)
        columns: list[str] | None = None
        while True:
            line = self.line
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self.reject(line, f"broken CSV: {error}")
                continue
            if not row:
                continue
            body = msgspec.json.encode(row)
            if columns is None:
                columns = [name.strip() for name in row]
            elif len(row) != len(columns):
                yield self.reject(line, f"{len(row)} columns, the header has {len(columns)}", body)
            else:
                yield self.record(line, body, dict(zip(columns, row, strict=True)))

    def xml(self, source: Iterator[bytes]) -> Iterator[RawRecord | Reject]:
        buffer = b""
        dropping = False
        for chunk in source:
            buffer += chunk
            end = 0
            for match in _EVENT.finditer(buffer):
                self.line += buffer.count(b"\n", end, match.start())
                if dropping:
                    dropping = False
                else:
                    yield self.record(self.line, match.group())
                self.line += buffer.count(b"\n", match.start(), match.end())
                end = match.end()
            buffer = buffer[end:]
            if len(buffer) > RECORD_LIMIT:
                yield self.reject(self.line, f"event over {RECORD_LIMIT >> 20} MiB", buffer)
                self.line += buffer.count(b"\n")
                buffer, dropping = b"<Event ", True
        if not dropping and (rest := re.search(rb"<Event[\s>]", buffer)):
            line = self.line + buffer.count(b"\n", 0, rest.start())
            yield self.reject(line, "event breaks off: input truncated", buffer[rest.start() :])
        elif not self.sequence and buffer.strip():
            yield self.reject(self.line, "markup without an <Event>", buffer)


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _lines(source: Iterator[bytes], at: _Framer) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; a line over the limit comes as None once its end is reached."""
    buffer = b""
    dropping = False
    for chunk in source:
        parts = (buffer + chunk).split(b"\n")
        buffer = parts.pop()
        for part in parts:
            at.line += 1
            yield at.line - 1, None if dropping or len(part) > RECORD_LIMIT else part
            dropping = False
        if len(buffer) > RECORD_LIMIT:
            buffer, dropping = b"", True
    if buffer or dropping:
        yield at.line, None if dropping else buffer


def _text_lines(source: Iterator[bytes], at: _Framer) -> Iterator[str]:
    for _, body in _lines(source, at):
        yield "" if body is None else body.decode("utf-8", "replace").replace("\0", "") + "\n"
