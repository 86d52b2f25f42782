"""Cutting a JSON document into its records without holding the document.

Handles an array of records, an envelope ({"Records": [...]}, {"value": [...]}) and objects
printed over many lines, one after another. Memory is bounded by the largest record, and a damaged
record ends where the next one begins.
"""

import re
from collections.abc import Collection, Iterable, Iterator

import msgspec

# Lists that are mostly an envelope's, and those that are only where nothing but a page is told.
WRAPPING = ("Records", "records", "value", "events", "items", "Events")
PAGED = ("logs", "authlogs", "results", "entries")
CONTAINERS = (*WRAPPING, *PAGED)
# A record can have such a list of its own, as the activities of Google Workspace have "events".
NO_ENVELOPE = frozenset({"id", "actor"})
# What tells where a page begins, how long it is and what comes next: lower case, without "_".
PAGING = frozenset(
    {
        "apiversion", "autocomplete", "count", "cursor", "end", "etag", "first", "hasmore",
        "haspreviouspage", "hasnextpage", "kind", "last", "length", "limit", "links", "metadata",
        "next", "nextcursor", "nextoffset", "nextpage", "nextpagetoken", "nexttoken", "offset",
        "ok", "page", "pageinfo", "pagesize", "pagination", "paging", "perpage", "prev", "previous",
        "responsemetadata", "self", "size", "start", "stat", "total", "totalcount", "totalobjects",
        "totalpages", "totalresults",
    }
)  # fmt: skip
DEEPEST = 1000  # no decoder goes deeper; beyond it brackets are only counted
INDENT = 256

_PLAIN = re.compile(rb'[^"{}\[\]\n]*+(?:"(?:[^"\\\n]++|\\[^\n])*+"[^"{}\[\]\n]*+)*+')
_STRING = re.compile(rb'(?:[^"\\\n]++|\\[^\n])*+')
_KEY = re.compile(rb'"(?:%b)"\s*:\s*$' % "|".join(CONTAINERS).encode())
_FIRST_LINE = re.compile(rb"\{[ \t]*(?:\r?\n([ \t]*))?")
_NEWLINE, _QUOTE, _ESCAPE = b'\n"\\'
_OBJECT, _ARRAY, _OBJECT_END, _ARRAY_END = b"{[}]"
_NOWHERE = -1  # as ``base``: no records at any depth, until the envelope is over


class Piece:
    """One record cut out: its bytes (None when over the limit), and the line it starts on."""

    __slots__ = ("body", "complete", "line")

    def __init__(self, body: bytes | None, line: int, complete: bool = True) -> None:
        """``complete`` is False for a record that the input breaks off in."""
        self.body = body
        self.line = line
        self.complete = complete


def is_envelope(keys: Collection[str], container: str) -> bool:
    """Whether an object with these keys, that of the list ``container`` among them, is only the
    wrapping.
    """
    if container in PAGED:
        return all(key == container or key.replace("_", "").lower() in PAGING for key in keys)
    if not NO_ENVELOPE.isdisjoint(keys):
        return False
    return len(keys) <= 4 or any("nextLink" in key for key in keys)


def split(chunks: Iterable[bytes], limit: int, line: int = 1) -> Iterator[Piece]:
    """The records of a JSON document given in chunks, starting at ``line``.

    ``limit`` bounds one record in bytes; a larger one comes as a Piece without body. An envelope
    within the limit comes whole, a larger or truncated one as its records.
    """
    splitter = _Splitter(limit, line, opening=False)
    for chunk in chunks:
        yield from splitter.feed(chunk)
    yield from splitter.end()


def salvage(body: bytes, limit: int, line: int) -> list[Piece]:
    """The records inside one array or envelope that does not decode; none for anything else."""
    splitter = _Splitter(limit, line, opening=True)
    found = [*splitter.feed(body), *splitter.end()]
    return found if splitter.opened else []


class _Splitter:
    """A scanner that survives any chunk boundary.

    ``stack`` holds the open brackets, and records begin where it is ``base`` deep: 0 at the top,
    1 in an array (deeper in arrays of arrays), 2 in an envelope's list.
    """

    def __init__(self, limit: int, line: int, opening: bool) -> None:
        self.limit = limit
        self.line = line
        self.opening = opening  # open an envelope at once, not only when it cannot be held
        self.opened = False
        self.buffer = bytearray()
        self.position = 0  # scanned so far
        self.line_start = 0
        self.in_string = False
        self.stack = bytearray()
        self.excess = 0  # brackets open beyond DEEPEST
        self.base = 0
        self.start: int | None = None  # of the record being cut
        self.start_line = line
        self.column: int | None = None  # of its brace, if that begins a line
        self.separable: bool | None = None
        self.elements: tuple[int, int] | None = None  # offset and line of an envelope's list
        self.oversized = False

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        self.buffer += chunk
        while (mark := self.next_mark()) is not None:
            if (piece := self.take(mark)) is not None:
                yield piece
        if self.check_size(self.position):
            yield from self.feed(b"")
        self.forget()

    def end(self) -> Iterator[Piece]:
        """What is left when the input is over."""
        if self.start is not None and self.elements is not None:
            self.open_envelope()
            yield from self.feed(b"")
        if self.start is not None:
            body = None if self.oversized else bytes(self.buffer[self.start :])
            yield Piece(body, self.start_line, complete=False)

    def next_mark(self) -> int | None:
        """The next bracket or newline outside of strings; None when the buffer is used up."""
        buffer = self.buffer
        while True:
            pattern = _STRING if self.in_string else _PLAIN
            match = pattern.match(buffer, self.position)
            end = match.end() if match else self.position
            self.position = end
            if end == len(buffer):
                return None
            mark = buffer[end]
            if not self.in_string:
                self.position = end + 1
                if mark != _QUOTE:
                    return mark
                self.in_string = True
            elif mark == _ESCAPE and end + 1 == len(buffer):
                return None
            else:  # a newline ends a string too: JSON has none inside
                self.position = end + (mark != _NEWLINE)
                self.in_string = False

    def take(self, mark: int) -> Piece | None:
        if mark == _NEWLINE:
            self.line += 1
            self.line_start = self.position
            return None
        if self.check_size(self.position - 1):
            return None  # back at an envelope's list, before this mark
        if mark in (_OBJECT, _ARRAY):
            damaged = mark == _OBJECT and self.starts_over()
            piece = self.cut(self.position - 1) if damaged else None
            self.open(mark)
            return piece
        return self.close(_OBJECT if mark == _OBJECT_END else _ARRAY)

    def open(self, mark: int) -> None:
        depth = len(self.stack)
        if self.start is None:
            if depth == self.base and mark == _OBJECT:
                self.begin()
            elif depth == self.base:
                self.base += 1
                self.opened = True
            elif mark == _ARRAY and depth == 1 and self.base == _NOWHERE and self.has_key(0):
                self.base = 2
        elif mark == _ARRAY and depth == 1 and self.base == 0 and self.elements is None:
            if not self.oversized and self.has_key(self.start) and self.is_wrapping():
                self.elements = (self.position - self.start, self.line)
        if depth < DEEPEST:
            self.stack.append(mark)
        else:
            self.excess += 1
        if self.opening and self.elements is not None:
            self.open_envelope()

    def begin(self) -> None:
        self.start = self.position - 1
        self.start_line = self.line
        self.column = self.indent()
        self.separable = self.elements = None
        self.oversized = False

    def close(self, opener: int) -> Piece | None:
        if self.excess:
            self.excess -= 1
            return None
        if self.start is None:
            if self.stack and self.stack[-1] == opener:
                self.leave()
            return None
        index = self.stack.rfind(opener, self.base)
        if index >= 0:
            del self.stack[index:]
            return self.finish() if index == self.base else None
        if opener == _OBJECT or self.base == 0:
            return None
        piece = self.cut(self.position - 1)  # the container ends within a record
        self.leave()
        return piece

    def leave(self) -> None:
        """At a container's end: on in the one around it, or in the rest of an envelope."""
        self.stack.pop()
        if self.stack and (self.base == _NOWHERE or self.stack == b"{"):
            self.base = _NOWHERE
        else:
            self.base = len(self.stack)

    def finish(self) -> Piece | None:
        """A whole record, unless it is an envelope too large to be one."""
        assert self.start is not None
        if self.position - self.start > self.limit and self.elements is not None:
            self.open_envelope()
            return None
        return self.cut(self.position)

    def cut(self, end: int) -> Piece:
        assert self.start is not None
        too_large = self.oversized or end - self.start > self.limit
        body = None if too_large else bytes(self.buffer[self.start : end])
        self.start = None
        del self.stack[self.base :]
        self.excess = 0
        return Piece(body, self.start_line)

    def check_size(self, end: int) -> bool:
        """Gives up holding a record that grows over the limit; True if it is an envelope."""
        if self.start is None or end - self.start <= self.limit or self.oversized:
            return False
        if self.elements is not None:
            self.open_envelope()
            return True
        self.is_separable()  # while its beginning is still there
        self.oversized = True
        return False

    def open_envelope(self) -> None:
        """Goes back to the start of the envelope's list, whose elements are the records."""
        assert self.start is not None
        assert self.elements is not None
        offset, self.line = self.elements
        self.position = self.line_start = self.start + offset
        self.stack[:] = b"{["
        self.excess = 0
        self.base = 2
        self.start = self.elements = None
        self.in_string = False
        self.opened = True

    def starts_over(self) -> bool:
        """Whether this brace stands where records begin, though one is still open: it is damaged.

        So it is when records begin lines of their own, all in the same column, and what is
        inside of one is either on its own line or further right.
        """
        if self.start is None or self.column is None or self.elements is not None:
            return False
        return self.indent() == self.column and self.is_separable()

    def is_separable(self) -> bool:
        if self.separable is None:
            assert self.start is not None
            match = _FIRST_LINE.match(self.buffer, self.start)
            inner = match and match.group(1)
            self.separable = inner is None or len(inner) > (self.column or 0)
        return self.separable

    def indent(self) -> int | None:
        """The column of the brace just scanned if only blanks stand before it."""
        width = self.position - 1 - self.line_start
        if self.line_start < 0 or width > INDENT:
            return None
        before = self.buffer[self.line_start : self.position - 1]
        return None if before.strip(b" \t") else width

    def has_key(self, since: int) -> bool:
        """Whether the bracket just scanned is the value of a container's key."""
        end = self.position - 1
        return _KEY.search(self.buffer, max(since, end - INDENT), end) is not None

    def is_wrapping(self) -> bool:
        """Whether the object up to this list looks like an envelope."""
        try:
            keys = msgspec.json.decode(bytes(self.buffer[self.start : self.position]) + b"]}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        named = (key for key in reversed(keys) if key in CONTAINERS and keys[key] == [])
        return is_envelope(keys, next(named, ""))

    def forget(self) -> None:
        """Drops what is neither part of a record nor needed to see where a line began."""
        if self.start is not None and not self.oversized:
            keep = self.start
        else:
            keep = max(self.position - INDENT, 0)
        del self.buffer[:keep]
        self.position -= keep
        self.line_start -= keep
        if self.start is not None:
            self.start -= keep
