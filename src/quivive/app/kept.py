"""What is kept of every login for verdicts: what it taught, so that it can be taken back exactly.

The evidence is not kept beside it: nothing weighs it again but ``quivive learn``, which replays the
events. The reasons are in the line.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from quivive.app.errors import UsageError
from quivive.baseline.lesson import Lesson
from quivive.baseline.observation import Observation
from quivive.engine.judged import Scored
from quivive.engine.taught import Taught
from quivive.model.event import AuthEvent
from quivive.model.naming import source_of
from quivive.signals.signal import Spoken
from quivive.store.database import Row

REPEATED = 16_384

_encoder = msgspec.msgpack.Encoder()


class Kept(Struct, frozen=True, array_like=True):
    """One login's lesson; None: it taught nothing and was not held. What stores of before kept
    after it is left unread.
    """

    lesson: Lesson | None


_decoder = msgspec.msgpack.Decoder(Kept)


def _features(said: Sequence[Spoken]) -> Raw:
    """The features of a lesson, of what is packed already: one array of those of all families."""
    count, bodies = 0, []
    for one in said:
        few = len(one.features)
        count += few
        bodies.append(one.packed[1 if few < 16 else 3 :])  # without the head of its own array
    head = bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    return Raw(head + b"".join(bodies))


class _Repeated:
    """The lessons of repeats by the short road, as msgpack: they differ in their time alone."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str, str | None], list[bytes]] = {}

    def lesson(self, taught: Taught, login: Observation) -> bytes:
        """What is kept of a login that taught only that it came again."""
        key = (login.identity, login.facts, taught.group, login.session)
        time = _encoder.encode(login.time)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REPEATED:
                self._known.clear()
            # No text holds these nine bytes: they begin like a letter of two and go on with a zero.
            found = _encoder.encode((taught.lesson(login),)).split(time)
            self._known[key] = found
        return time.join(found)

    def forget(self) -> None:
        """Forgets all of them."""
        self._known.clear()


_repeated = _Repeated()


def forget_lessons() -> None:
    """Forgets the lessons that are remembered: somebody in them has to be forgotten."""
    _repeated.forget()


def row_of(event_id: str, scored: Scored, line: bytes, run: int = 0, position: int = 0) -> Row:
    """The row of a login in the store; ``position`` is its line's number in its run."""
    login = scored.login
    body, kind = lesson_of(scored.taught, login)
    return Row(
        event_id,
        scored.event.time,
        login.identity,
        scored.assessment.risk_score,
        line,
        body,
        kind,
        stratum_of(login.kind, scored.event),
        scored.finding,
        run,
        position,
        *sourced(event_id, scored.event),
    )


def sourced(name: str, event: AuthEvent) -> tuple[str, str | None]:
    """Of which source a login is that is called ``name``, and its vendor's id if that is another
    name.
    """
    uid = event.metadata.uid
    return source_of(event), uid if uid is not None and uid != name else None


def stratum_of(kind: str, event: AuthEvent) -> str:
    """What logins are alike when some are chosen to be asked about: kind of identity, product."""
    return f"{kind}/{event.metadata.product.name}"


def lesson_of(taught: Taught | None, login: Observation) -> tuple[bytes | None, str | None]:
    """What is kept of what a login taught, and the kind it was held as, if it was."""
    if taught is None:
        return None, None
    if taught.is_repeat:
        return _repeated.lesson(taught, login), None
    packed: Any = _features(taught.said)
    lesson = taught.lesson(login, packed)
    return _encoder.encode((lesson,)), lesson.alike if lesson.held else None


def decode_kept(body: bytes, where: str) -> Kept:
    """What was kept of a login. Raises UsageError when it is damaged."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{where}: damaged lesson: {error}; restore the store") from None
