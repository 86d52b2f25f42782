"""Sources that say what varies between records of the same: the rest must be all that matters."""

from datetime import datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from quivive.app.registry import sources
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, RejectError
from quivive.sources.varying import Apart, Varying, again, is_certain, take_apart
from tests.golden import raw_files, records

VARYING = sorted(name for name, source in sources().items() if source.varying is not None)


def other(record: RawRecord, varying: Varying) -> RawRecord | None:
    """The record an hour later, under other ids."""
    fields = dict(record.fields or {})
    for name in (varying.uid, varying.correlation, varying.second, *varying.unread):
        if name is not None and isinstance(fields.get(name), str):
            fields[name] = "7a0e3b52-9c41-4d0f-8d0e-2f6b1c9a5e11"
    try:
        moved = datetime.fromisoformat(fields[varying.time]) + timedelta(hours=1)
    except (KeyError, ValueError, TypeError):
        return None
    fields[varying.time] = moved.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return replace(record, fields=fields, body=msgspec.json.encode(fields))


def event_of(name: str, record: RawRecord) -> AuthEvent | None:
    try:
        found = sources()[name].parse(record)
    except RejectError:
        return None
    return found if isinstance(found, AuthEvent) else None


def known(name: str, record: RawRecord, varying: Varying) -> tuple[AuthEvent, Apart] | None:
    """The event to be remembered of a record, if it is one that may be."""
    apart = take_apart(record.body, varying)
    event = event_of(name, record)
    if apart is None or event is None or not is_certain(apart, varying):
        return None
    return (event, apart) if again(event, apart, record.sequence) == event else None


@pytest.mark.parametrize("name", VARYING)
def test_what_varies_is_time_and_ids_alone(name: str) -> None:
    varying = sources()[name].varying
    assert varying is not None
    checked = 0
    for source, path in raw_files():
        for record in records(path) if source == name else ():
            if not isinstance(record, RawRecord) or not record.fields:
                continue
            record = replace(record, body=msgspec.json.encode(record.fields))
            later = other(record, varying)
            found = known(name, record, varying)
            if later is None or found is None:
                continue
            event, apart = found
            taken = take_apart(later.body, varying)
            assert taken is not None
            assert taken.rest == apart.rest
            assert again(event, taken, later.sequence) == event_of(name, later), record.position
            checked += 1
    assert checked >= 3
