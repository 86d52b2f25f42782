"""From a log's bytes to its records: lines, JSON documents, CSV rows or XML events.

The kind is found by content. Every record carries its number and its line; what cannot be
framed becomes a located Reject and the rest is read on. One record may hold 8 MiB.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

from quivive.inputs.opening import chunks
from quivive.inputs.splitter import CONTAINERS, Piece, is_envelope, salvage, split
from quivive.inputs.unpacking import UnreadableInputError
from quivive.model.record import RawRecord, Reject

T = TypeVar("T")

RECORD_LIMIT = 8 << 20
TOO_LARGE = f"record over {RECORD_LIMIT >> 20} MiB"
SAMPLE = 160
TAG = 16  # room for half a tag at the end of a chunk
DEEPEST_WRAPPING = 3  # an array of envelopes of records

_CSV_HEADER = re.compile(
    rb'^\s*"?[A-Za-z_@][\w .\[\]()/@-]*"?(?:[,;\t]"?[\w .\[\]()/@-]+"?){2,}\s*$'
)
_XML = re.compile(rb"(?:- )?<[?!A-Za-z]")  # and not the priority of a syslog line, "<34>"
_ARRAY = re.compile(rb"\[\s*(?:[{\[\]]|$)")  # and not a text line's "[2026-02-03"
_ENVELOPE = re.compile(rb'^\{.*?"(?:%b)"\s*:\s*\[' % "|".join(CONTAINERS).encode(), re.DOTALL)
_EVENT_TAG = re.compile(rb"<Event(?=[\s>])|</Event\s*>")
_ANSWER = {"stat", "response"}  # of Duo's API, around a page
_WRAPPERS = (*CONTAINERS, "response")
_decode = msgspec.json.Decoder(strict=False).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def frame(
    stream: BinaryIO,
    log: str,
    reference_time: int | None = None,
    known: Callable[[bytes, int], T | None] | None = None,
) -> Iterator[RawRecord | Reject | T]:
    """The records of one log, in order, and the rejects among them.

    ``log`` names the input in positions; ``reference_time`` (ms UTC) is handed to the records.
    ``known`` is asked for every record that is a line of JSON or stands in an array or envelope, by
    its bytes and its number: what it answers stands in the record's place.
    """
    framer = _Framer(log, reference_time, known)
    source = chunks(stream)
    head, broken = _head(source)
    try:
        yield from framer.dispatch(head, _fail(broken) if broken else source)
    except UnreadableInputError as error:
        yield framer.reject(framer.line, str(error))


def _head(source: Iterator[bytes]) -> tuple[bytes, UnreadableInputError | None]:
    """Enough of the input to tell its kind: its first line and how the next one begins."""
    head = b""
    try:
        for chunk in source:
            head += chunk
            _, newline, following = head.lstrip().partition(b"\n")
            if (newline and len(following.lstrip()) > 1) or len(head) > RECORD_LIMIT:
                break
    except UnreadableInputError as error:
        return head, error
    return head, None


def _fail(error: UnreadableInputError) -> Iterator[bytes]:
    raise error
    yield b""


class _Framer(Generic[T]):
    """Counts records and lines of one input, and knows the four framings."""

    def __init__(
        self,
        log: str,
        reference_time: int | None,
        known: Callable[[bytes, int], T | None] | None,
    ) -> None:
        self.known = known
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

    def like(self, body: bytes) -> T | None:
        """What stands in the place of a record that is known already."""
        found = self.known(body, self.sequence + 1) if self.known is not None else None
        self.sequence += found is not None
        return found

    def dispatch(self, head: bytes, rest: Iterator[bytes]) -> Iterator[RawRecord | Reject | T]:
        whole = _chain(head, rest)
        start = head.lstrip()
        first_line, _, following = start.partition(b"\n")
        if _XML.match(start):
            return self.xml(whole)
        if self.is_document(first_line, following):
            return self.document(whole)
        if _CSV_HEADER.match(first_line[:4096]):
            return self.rows(whole, first_line)
        return self.lines(whole)

    @staticmethod
    def is_document(first_line: bytes, following: bytes) -> bool:
        """Whether the input is an array, or an object that goes on past its first line."""
        if first_line.startswith(b"["):
            return _ARRAY.match(first_line) is not None
        if not first_line.startswith(b"{"):
            return False
        if len(first_line) > RECORD_LIMIT:
            return _ENVELOPE.match(first_line[:4096]) is not None
        try:
            _loads(first_line)
        except _UNDECODABLE:
            # Else it is a broken line among others, and the next one starts a record of its own.
            goes_on = following.lstrip()[:1]
            return first_line.rstrip().endswith((b"{", b"[", b",", b":")) or goes_on in b'",}]:'
        return False

    def document(self, source: Iterator[bytes]) -> Iterator[RawRecord | Reject | T]:
        watched = _Watched(source)
        for piece in split(watched, RECORD_LIMIT):
            self.line = piece.line
            if piece.complete or watched.error is None:
                yield from self.piece(piece)
        if watched.error is not None:
            raise watched.error
        if not self.sequence and not watched.is_empty:
            yield self.reject(1, "no JSON object in it")

    def piece(self, piece: Piece, inside: bool = False) -> Iterator[RawRecord | Reject | T]:
        if piece.body is None:
            yield self.reject(piece.line, TOO_LARGE)
        elif not piece.complete:
            yield self.reject(piece.line, "record breaks off: input truncated", piece.body)
        else:
            yield from self.json(piece.line, piece.body, inside)

    def json(
        self, line: int, body: bytes, inside: bool = False
    ) -> Iterator[RawRecord | Reject | T]:
        """The records of one JSON text; of a damaged array or envelope those that are whole."""
        like = self.like(body)
        if like is not None:
            yield like
            return
        try:
            value = _loads(body)
        except _UNDECODABLE as error:
            pieces = [] if inside else salvage(body, RECORD_LIMIT, line)
            for piece in pieces:
                yield from self.piece(piece, inside=True)
            if not pieces:
                yield self.reject(line, f"broken JSON: {error}", body)
            return
        yield from self.value(line, body, value)

    def value(
        self, line: int, body: bytes, value: Any, depth: int = 0
    ) -> Iterator[RawRecord | Reject | T]:
        """One decoded value as its records: an object, or the objects inside an envelope."""
        inner = _contents(value) if depth < DEEPEST_WRAPPING else None
        if inner is not None:
            for element in inner:
                yield from self.value(line, msgspec.json.encode(element), element, depth + 1)
        elif type(value) is dict:
            like = self.like(body) if depth else None
            yield self.record(line, body, value) if like is None else like
        else:
            yield self.reject(line, f"not a record: a JSON {type(value).__name__}", body)

    def lines(self, source: Iterator[bytes]) -> Iterator[RawRecord | Reject | T]:
        for line, body in _lines(source, self):
            if body is None:
                yield self.reject(line, TOO_LARGE)
                continue
            body = body.strip()
            if body.startswith(b"{"):
                like = self.like(body)
                if like is not None:
                    yield like
                    continue
                try:
                    value = _decode(body)
                except _UNDECODABLE:
                    yield from self.json(line, body)
                    continue
                if type(value) is dict and value.keys().isdisjoint(_WRAPPERS):
                    yield self.record(line, body, value)  # by far the most usual line
                else:
                    yield from self.value(line, body, value)
            elif _ARRAY.match(body):
                yield from self.json(line, body)
            elif body:
                yield self.record(line, body)

    def rows(self, source: Iterator[bytes], header: bytes) -> Iterator[RawRecord | Reject | T]:
        csv.field_size_limit(RECORD_LIMIT)
        delimiter = max(",;\t", key=lambda mark: header.count(mark.encode()))
        lines = _RowLines(_lines(source, self))
        reader = csv.reader(lines, delimiter=delimiter)
        columns: list[str] | None = None
        while True:
            lines.taken.clear()
            try:
                row = next(reader)
                problem = None
            except StopIteration:
                return
            except csv.Error as error:
                row, problem = [], f"broken CSV: {error}"
            line, text = lines.taken[0] if lines.taken else (self.line, "")
            body = msgspec.json.encode(row)
            if text is None:
                problem = TOO_LARGE
            elif columns is None and row and problem is None:
                columns = [name.strip() for name in row]
                continue
            elif problem is None and row and columns and len(row) != len(columns):
                problem = f"{len(row)} columns, the header has {len(columns)}"
            if problem is not None:
                yield self.reject(line, problem, body)
                lines.put_back()
            elif row and columns:
                yield self.record(line, body, dict(zip(columns, row, strict=True)))

    def xml(self, source: Iterator[bytes]) -> Iterator[RawRecord | Reject | T]:
        buffer = b""
        scanned = counted = start = 0  # counted: ``self.line`` is the line there
        begun: int | None = None  # the line that an open event starts on
        for chunk in source:
            buffer += chunk
            for tag in _EVENT_TAG.finditer(buffer, scanned):
                scanned = tag.end()
                self.line += buffer.count(b"\n", counted, tag.start())
                counted = tag.start()
                if tag.group().startswith(b"</"):
                    if begun is not None:
                        yield self.event(begun, buffer[max(start, 0) : scanned], scanned - start)
                    begun = None
                    continue
                if begun is not None:
                    yield self.reject(begun, "event breaks off", buffer[max(start, 0) : counted])
                begun, start = self.line, counted
            keep = max(scanned, len(buffer) - TAG)
            if begun is not None and len(buffer) - start <= RECORD_LIMIT:
                keep = start
            if keep > counted:
                self.line += buffer.count(b"\n", counted, keep)
                counted = keep
            buffer = buffer[keep:]
            scanned, counted, start = scanned - keep, counted - keep, start - keep
        if begun is not None:
            yield self.reject(begun, "event breaks off: input truncated", buffer[max(start, 0) :])
        elif not self.sequence:
            yield self.reject(1, "markup without an <Event>", buffer)

    def event(self, line: int, body: bytes, size: int) -> RawRecord | Reject:
        return self.reject(line, TOO_LARGE) if size > RECORD_LIMIT else self.record(line, body)


class _RowLines:
    """Lines for the CSV reader, which remembers those of the current row.

    A stray quote makes one row of all that follows; put back, the lines after it are read again.
    """

    def __init__(self, lines: Iterator[tuple[int, bytes | None]]) -> None:
        self.lines = lines
        self.waiting: deque[tuple[int, str | None]] = deque()
        self.taken: list[tuple[int, str | None]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.waiting:
            line, text = self.waiting.popleft()
        else:
            line, body = next(self.lines)
            text = None if body is None else body.decode("utf-8", "replace").replace("\0", "")
        self.taken.append((line, text))
        return "\n" if text is None else text + "\n"

    def put_back(self) -> None:
        """Gives the row's lines after its first one to the next row."""
        self.waiting.extendleft(reversed(self.taken[1:]))


def _loads(body: bytes) -> Any:
    """The JSON value; bytes that are no UTF-8, which a client can send, are replaced."""
    try:
        return _decode(body)
    except _UNDECODABLE:
        repaired = body.decode("utf-8", "replace").encode()
        if repaired == body:
            raise
        return _decode(repaired)


def _contents(value: Any) -> list[Any] | None:
    """What an array or an envelope wraps, and None for a record."""
    if type(value) is list:
        return value
    if type(value) is dict:
        if value.keys() == _ANSWER and type(value["response"]) is dict:
            value = value["response"]
        for key in CONTAINERS:
            inner = value.get(key)
            if type(inner) is list and is_envelope(value, key):
                return inner if all(type(element) is dict for element in inner) else None
    return None


class _Watched:
    """The chunks up to where their source fails; whether they hold more than brackets."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self.source = source
        self.error: UnreadableInputError | None = None
        self.is_empty = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self.source:
                self.is_empty = self.is_empty and not chunk.strip(b"[{}] \t\r\n")
                yield chunk
        except UnreadableInputError as error:
            self.error = error


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _lines(source: Iterator[bytes], at: _Framer[T]) -> Iterator[tuple[int, bytes | None]]:
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
