"""``--source auto``: which log source a record belongs to, found by its content."""

from quivive.app.registry import sources
from quivive.model.record import RawRecord
from quivive.sources.source import Source


def recognise(record: RawRecord, first: Source | None = None) -> Source | None:
    """The source of this record, or None. ``first`` is tried first: logs rarely alternate.

    Sources in code come before field maps, which know a record by its column names alone.
    """
    if first is not None and first.recognise(record):
        return first
    for source in sources().values():
        if source is not first and source.recognise(record):
            return source
    return None
