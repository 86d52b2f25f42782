"""``POST /v1/events``: many events, acknowledged once they are kept."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from quivive.server.assess import KEY_HEADER, MOST_KEY
from quivive.server.context import Context, source_of
from quivive.server.faults import FaultError
from quivive.server.http import Problem, Reply, Request
from quivive.server.judging import Answer
from quivive.server.reading import Read, read
from quivive.server.waiting import FullError, answers
from quivive.store.access import Kept

REJECTS_TOLD = 100
EVENTS_A_SECOND = 2_000  # for a first guess at when to come again
_encoder = msgspec.json.Encoder()


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """source: a log source, auto for one found by content."""

    source: str = "auto"


class Rejected(Struct, frozen=True, kw_only=True):
    """A record that could not be read: its line, its number in the body, and why."""

    line: int
    record: int
    reason: str


class Counted(Struct, frozen=True, kw_only=True):
    """What became of the records of a body.

    events: those that were read; of them were judged now, known before (judged then, and nothing
    changed; reused: of these, ids that a login of another user had), left_out (log-offs), failed
    (through a fault, kept as dead letters). findings: of those judged now. skipped: records that
    are about something else, by reason. rejects: the first hundred of those rejected.
    """

    records: int
    events: int
    judged: int
    known: int
    reused: int
    left_out: int
    failed: int
    findings: int
    skipped: dict[str, int]
    rejected: int
    rejects: list[Rejected]


async def events(context: Context, request: Request) -> Reply:
    """Judges what a body holds, in order of event time."""
    query = request.query(EventsQuery)
    source = source_of(query.source)
    key = request.header(KEY_HEADER)
    if len(key) > MOST_KEY:
        raise Problem(400, "Idempotency-Key too long", f"{MOST_KEY} characters are the most")
    if context.judge.waiting[1] >= context.judge.asks.most_events:
        raise _later(context)
    if context.judge.problem is not None:
        raise Problem(503, "store unavailable", "send it again", {"retry-after": "2"})
    body = await request.body(context.settings.events_bytes)
    token = request.caller
    digest = hashlib.sha256(query.source.encode() + b"\0" + body).digest()
    stored_key = f"{token.id}:{key}" if key else f"body:{digest.hex()}"
    known = await context.aside(lambda: context.access.answer(stored_key))
    if known is not None:
        if known.digest != digest:
            raise Problem(422, "Idempotency-Key was used for another body", "use a new one")
        return Reply(known.body, headers={"idempotent-replayed": "true"})
    name = f"http:{token.name}"

    def parse() -> Read:
        with context.memories.lent(query.source) as memory:
            found = read(body, source, name, context.clock(), memory=memory, rules=context.rules)
        found.events.sort(key=lambda event: event.time)
        return found

    found = await context.parsing(parse)

    def kept(given: Sequence[Answer]) -> Kept:
        return Kept(stored_key, digest, _counted(found, given), context.clock())

    try:
        given = await answers(
            context.judge,
            name,
            found.events,
            urgent=False,
            rejects=found.rejects,
            answer=kept,
            origin=request.origin,
        )
    except FullError:
        raise _later(context) from None
    except FaultError as error:
        raise Problem(500, "a fault of the server", str(error)) from None
    count(context, found, given, by="http")
    return Reply(_counted(found, given))


def _counted(found: Read, given: Sequence[Answer]) -> bytes:
    what = Counter(answer.what for answer in given)
    told = [
        Rejected(line=r.line, record=r.sequence, reason=r.reason)
        for r in found.rejects[:REJECTS_TOLD]
    ]
    judged = [a.line for a in given if a.what == "judged" and a.line is not None]
    return _encoder.encode(
        Counted(
            records=found.records,
            events=len(found.events),
            judged=what["judged"],
            known=what["known"],
            reused=sum(answer.reused for answer in given),
            left_out=what["left_out"],
            failed=len(found.events) - len(given),
            findings=sum(b'"finding":true' in line for line in judged),
            skipped=dict(found.skips),
            rejected=len(found.rejects),
            rejects=told,
        )
    )


def count(context: Context, found: Read, given: Sequence[Answer], *, by: str) -> None:
    """Counts what became of records for /metrics; ``by``: how they came."""
    records = context.figures.records
    for name, count in found.sources.items():
        records[name, "event"] += count
    records[by, "known"] += sum(a.what == "known" for a in given)
    records[by, "skip"] += sum(found.skips.values())
    records[by, "reject"] += len(found.rejects)


def _later(context: Context) -> Problem:
    wait = max(1, context.judge.waiting[1] // EVENTS_A_SECOND)
    return Problem(
        429, "too many events wait", "send it again later", {"retry-after": str(min(wait, 60))}
    )
