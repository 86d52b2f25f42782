"""Records for the tests of log sources, and the events that are made of them."""

from collections.abc import Callable
from typing import Any

from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, Skip

Parse = Callable[[RawRecord], AuthEvent | Skip]


def record_of(fields: dict[str, Any], log: str = "x") -> RawRecord:
    """The first record of a log, as it was decoded."""
    return RawRecord(log=log, sequence=1, line=1, body=b"", fields=fields)


def event_of(parse: Parse, record: RawRecord) -> AuthEvent:
    """The event of a record that is neither skipped nor rejected."""
    found = parse(record)
    assert isinstance(found, AuthEvent)
    return found
