"""``--source auto``: which log source a record belongs to, found by its content."""

from collections.abc import Mapping
from typing import Any

from quivive.app.registry import sources
from quivive.model.record import RawRecord
from quivive.sources.source import Source

UNRECOGNISED = "recognised by no log source"
MOST_SAID = 120  # characters of what an API answered


def recognise(record: RawRecord, first: Source | None = None) -> Source | None:
    """The source of this record, or None. ``first`` is tried first: logs rarely alternate.

    Sources in code come before field maps, which know a record by its column names alone.
    """
    if first is not None and _own(first, record):
        return first
    for source in sources().values():
        if source is not first and _own(source, record):
            return source
    return next((s for s in sources().values() if s.foreign and s.recognise(record)), None)


def _own(source: Source, record: RawRecord) -> bool:
    return source.recognise(record) and (source.foreign is None or not source.foreign(record))


def stranger(record: RawRecord) -> str:
    """Why a record is of no source: what it is where that is a usual mistake."""
    fields = record.fields
    if not isinstance(fields, Mapping):
        return UNRECOGNISED
    if "risk_score" in fields and "event" in fields:
        return f"{UNRECOGNISED}: a line that quivive score wrote; give it the log itself"
    said = _refusal(fields)
    if said is None:
        return UNRECOGNISED
    return f"{UNRECOGNISED}: an API's refusal, saved in place of a log: {said[:MOST_SAID]}"


def _refusal(fields: Mapping[str, Any]) -> str | None:
    """What an API said that would not give the log: Microsoft's, Okta's, GitHub's, AWS's way."""
    error = fields.get("error")
    if isinstance(error, Mapping) and len(fields) <= 2:
        return _text(error.get("message") or error.get("code"))
    if "errorCode" in fields and "errorSummary" in fields:
        return _text(fields["errorSummary"])
    if "message" in fields and "documentation_url" in fields:
        return _text(fields["message"])
    if "__type" in fields:
        return _text(fields.get("message") or fields.get("Message") or fields["__type"])
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
