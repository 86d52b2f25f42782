"""``--source auto``: which log source a record belongs to, found by its content."""

from quivive.app.registry import sources
from quivive.model.record import RawRecord
from quivive.sources.source import Source

# A hand-written map matches anything it names, so it is never guessed.
NEVER_GUESSED = frozenset({"mapped"})


def recognise(record: RawRecord, first: Source | None = None) -> Source | None:
    """The source of this record, or None. ``first`` is tried first: logs rarely alternate."""
    if first is not None and first.recognise(record):
        return first
    for source in sources().values():
        if source is not first and source.name not in NEVER_GUESSED and source.recognise(record):
            return source
    return None
