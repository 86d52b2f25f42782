"""What differs between two records that say the same: their time and their ids.

Machines repeat themselves: most lines of a cloud's audit log are, but for that, a line that was
read before. A source that names these members lets the rest be understood once.
"""

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from quivive.model.event import AuthEvent
from quivive.model.record import RejectError
from quivive.sources.fields import clean, timestamp


class Varying(Struct, frozen=True, kw_only=True):
    """Members of a source's JSON records, by name, and what each becomes in the event.

    time: ``time`` and ``metadata.original_time``; uid: ``metadata.uid``; correlation:
    ``metadata.correlation_uid``; second: ``session.uid_alt``; unread: nothing at all. All hold
    text, and nothing else in the event follows from them.
    """

    time: str
    uid: str
    correlation: str | None = None
    second: str | None = None
    unread: tuple[str, ...] = ()


class Apart(Struct, frozen=True, gc=False):
    """A record taken apart: all its bytes but the varying ones, and those."""

    rest: bytes
    time: str
    uid: str | None
    correlation: str | None
    second: str | None


def take_apart(body: bytes, varying: Varying) -> Apart | None:
    """The parts of a record's compact JSON; None where one cannot be told."""
    cuts: list[tuple[int, int]] = []
    values: list[str | None] = []
    for mark in _marks(varying):
        begin = body.find(mark) + len(mark) if mark else -1
        if begin < len(mark) or not mark:
            values.append(None)
            continue
        end = body.find(b'"', begin)
        value = body[begin:end]
        if end < 0 or b"\\" in value or not value.isascii():
            return None
        cuts.append((begin, end))
        values.append(value.decode())
    time, uid, correlation, second = values[:4]
    if not time:
        return None
    cuts.sort()
    pieces, last = [], 0
    for begin, end in cuts:
        pieces.append(body[last:begin])
        last = end
    pieces.append(body[last:])
    return Apart(b"".join(pieces), time, uid, correlation, second)


def is_certain(apart: Apart, varying: Varying) -> bool:
    """Whether every varying member can be seen to be the record's own, by the event that it gave.

    One that is there twice may be an inner object's, unless it is the first of all members; one
    that says nothing may stand anywhere.
    """
    rest = apart.rest
    ids = (apart.uid, apart.correlation, apart.second)
    if any(word is not None and clean(word) is None for word in ids):
        return False
    return all(
        rest.count(mark) < 2 or rest.startswith(b"{" + mark) for mark in _marks(varying) if mark
    )


@lru_cache(64)
def _marks(varying: Varying) -> tuple[bytes, ...]:
    named = (varying.time, varying.uid, varying.correlation, varying.second, *varying.unread)
    return tuple(f'"{name}":"'.encode() if name else b"" for name in named)


def again(event: AuthEvent, apart: Apart, sequence: int) -> AuthEvent | None:
    """The event of a record that says what that of ``event`` said, ``apart`` from what varies.

    None when its time is none: the record is for the parser to refuse.
    """
    try:
        time = timestamp(apart.time, "time")
    except RejectError:
        return None
    metadata, session = event.metadata, event.session
    if session is not None and apart.second is not None:
        session = replace(session, uid_alt=clean(apart.second))
    return replace(
        event,
        time=time,
        session=session,
        metadata=replace(
            metadata,
            uid=clean(apart.uid),
            sequence=sequence,
            original_time=apart.time[:64],
            correlation_uid=clean(apart.correlation),
        ),
    )
