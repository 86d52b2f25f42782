"""From a request's body to events, framed and parsed as a file is; with ids and times."""

import hashlib
import io
from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from quivive.app import ingest
from quivive.app.recognise import recognise, stranger
from quivive.app.sigma import Marking
from quivive.inputs.framing import frame
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, Reject
from quivive.server.repeating import Memory
from quivive.sources.source import Source

DAY_MS = 86_400_000
AHEAD_MS = DAY_MS  # what is dated further ahead of this clock would age everything that was learned
EARLIEST_MS = 946_684_800_000  # 2000-01-01
MOST_ID = 512  # characters
NUL = b"\\u0000"  # in JSON; no database's text takes it
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AuthEvent)


class Read(Struct):
    """What a body came to. sources: events by source; skips: by reason; last: whose log the last
    record is.
    """

    events: list[AuthEvent] = []
    rejects: list[Reject] = []
    skips: Counter[str] = msgspec.field(default_factory=Counter)
    sources: Counter[str] = msgspec.field(default_factory=Counter)
    records: int = 0
    last: Source | None = None


def read(
    body: bytes,
    source: Source | None,
    name: str,
    now: int,
    *,
    one_id: str | None = None,
    untimed: str | None = None,
    memory: Memory | None = None,
    first: Source | None = None,
    place: str = "",
    rules: Marking | None = None,
) -> Read:
    """The events of a body in its own order.

    name: of the input, in positions; now: ms UTC. An event without an id of its own gets one of its
    content, so that sending it again changes nothing; ``one_id`` is for a single login instead.
    untimed: the id for a single login that names no time, which is taken to be now; without it such
    a record is rejected. memory: of bodies before, which gives the same events with less work.
    first: tried first where no source is given. place: of the body among others, so that records
    alike in two of them are two. rules: mark the events.
    """
    found = Read()
    tally = ingest.Tally()
    reference = now + DAY_MS
    alike: Counter[bytes] = Counter()
    last = source or first
    if memory is not None and last is not None:
        memory.read_by(last, again=rules is None or rules.repeatable(last))

    def find(body: bytes, sequence: int) -> AuthEvent | None:
        if memory is None or last is None:  # what a log is does not follow from bodies before
            return None
        event = memory.find(body, sequence)
        return event if event is not None and not _problem(event, now, timed=True) else None

    for record in frame(io.BytesIO(body), name, reference, find):
        found.records += 1
        if isinstance(record, AuthEvent):
            assert last is not None
            found.events.append(record)
            found.sources[last.name] += 1
            found.last = last
            continue
        if not isinstance(record, RawRecord):
            found.rejects.append(record)
            continue
        known = source or recognise(record, last)
        if known is None:
            found.rejects.append(_rejected(record, stranger(record)))
            continue
        last = found.last = known
        if memory is not None:
            memory.read_by(known, again=rules is None or rules.repeatable(known))
        event = ingest.parse(record, known, tally, rules)
        if event is None:
            continue
        timed = event.metadata.original_time is not None or event.time != reference
        problem = _problem(event, now, timed=timed or untimed is not None)
        if problem:
            found.rejects.append(_rejected(record, problem))
            continue
        event = clean(event)
        if not timed:
            event = replace(event, time=now)
        elif memory is not None and event.metadata.uid is not None:
            memory.keep(event)
        if event.metadata.uid is None:
            given = one_id or (untimed if not timed else None)
            event = _with_id(event, given or _content_id(record, known, alike, place))
        found.events.append(event)
        found.sources[known.name] += 1
    found.rejects += tally.rejects
    found.rejects.sort(key=lambda reject: reject.sequence)
    for (_, reason), count in tally.skips.items():
        found.skips[reason] += count
    return found


def traced(event: AuthEvent, trace: str) -> AuthEvent:
    """The event with the caller's trace id, where its log has no correlation id of its own."""
    if not trace or event.metadata.correlation_uid is not None:
        return event
    return replace(event, metadata=replace(event.metadata, correlation_uid=trace))


def _problem(event: AuthEvent, now: int, *, timed: bool) -> str:
    """Why an event cannot be judged; "" when it can."""
    if not timed:
        return "no time of its own: cannot be placed"
    if event.time > now + AHEAD_MS:
        return "dated more than a day ahead of this server's clock; check the clock of both"
    if event.time < EARLIEST_MS:
        return "dated before 2000; check the clock of whoever wrote it"
    if event.metadata.uid is not None and len(event.metadata.uid) > MOST_ID:
        return f"metadata.uid: over {MOST_ID} characters"
    return ""


def _with_id(event: AuthEvent, uid: str) -> AuthEvent:
    return replace(event, metadata=replace(event.metadata, uid=uid))


def _content_id(record: RawRecord, source: Source, alike: Counter[bytes], place: str) -> str:
    """An id of the record's bytes; the second of two alike in one body is another."""
    made = hashlib.blake2b(record.body, key=source.name.encode()[:64], digest_size=12)
    if place:
        made.update(b"\0" + place.encode())
    digest = made.digest()
    alike[digest] += 1
    again = f"-{alike[digest]}" if alike[digest] > 1 else ""
    return f"c-{digest.hex()}{again}"


def clean(event: AuthEvent) -> AuthEvent:
    """The event without NUL characters."""
    body = _encoder.encode(event)
    if NUL not in body:
        return event
    return _decoder.decode(body.replace(NUL, b"\\ufffd"))


def _rejected(record: RawRecord, reason: str) -> Reject:
    shown: Any = record.body[:160].decode("utf-8", "replace").replace("\0", "\ufffd")
    return Reject(
        log=record.log,
        sequence=record.sequence,
        line=record.line,
        reason=reason.replace("\0", "\ufffd"),
        sample=shown,
    )
