"""What arrives: one raw record with its position, and what may become of it."""

from typing import Any

from msgspec import Struct


class RawRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One record as a log holds it, framed but not yet understood.

    ``body`` holds the record's own bytes. ``fields`` is its decoded JSON object or CSV row, and
    None for a line of text or XML. ``sequence`` counts records in the input from 1; ``line`` is
    the line where the record starts. ``reference_time`` (ms UTC) is a moment shortly after the
    record was written, given by the shell; sources whose timestamps lack a year place them
    before it.
    """

    log: str
    sequence: int
    line: int
    body: bytes
    fields: dict[str, Any] | None = None
    reference_time: int | None = None

    @property
    def position(self) -> str:
        """``log:line``, as compilers print it."""
        return f"{self.log}:{self.line}"


class Skip(Struct, frozen=True, gc=False):
    """A record deliberately left out: understood, but not about authentication."""

    reason: str


class Reject(Struct, frozen=True, kw_only=True, gc=False):
    """A record that could not be read: where it stands, why, and how it begins."""

    log: str
    sequence: int
    line: int
    reason: str
    sample: str = ""


class RejectError(ValueError):
    """Raised by a parser for a record it cannot read; the message says which field and why."""
