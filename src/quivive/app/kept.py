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
from quivive.engine.engine import Scored
from quivive.engine.taught import Taught
from quivive.signals.signal import Spoken
from quivive.store.database import Row

PACKED = 16_384  # as many as the signals remember of what they said

_encoder = msgspec.msgpack.Encoder()


class Kept(Struct, frozen=True, array_like=True):
    """One login's lesson; None: it taught nothing and was not held. What stores of before kept
    after it is left unread.
    """

    lesson: Lesson | None


_decoder = msgspec.msgpack.Decoder(Kept)


class _Packed:
    """The features of what signals said, as msgpack, worked out once: signals say the same objects
    again of logins that are alike.
    """

    def __init__(self) -> None:
        # By identity, with the object itself: it lives as long as its entry.
        self._known: dict[int, tuple[Spoken, int, bytes]] = {}

    def features(self, said: Sequence[Spoken]) -> Raw:
        """The features of a lesson: an array of (factor, category, whether peers count it)."""
        known, count, bodies = self._known, 0, []
        for one in said:
            found = known.get(id(one))
            if found is None:
                found = self._pack(one)
            count += found[1]
            bodies.append(found[2])
        head = bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
        return Raw(head + b"".join(bodies))

    def _pack(self, one: Spoken) -> tuple[Spoken, int, bytes]:
        if len(self._known) >= PACKED:
            self._known.clear()
        body = b"".join(_encoder.encode((f.factor, f.key, f.weigh)) for f in one.features)
        packed = self._known[id(one)] = (one, len(one.features), body)
        return packed


_packed = _Packed()


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
            if len(self._known) >= PACKED:
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
    login, taught, body, kind = scored.login, scored.taught, None, None
    if taught is not None and taught.is_repeat:
        body = _repeated.lesson(taught, login)
    elif taught is not None:
        lesson = _lesson(taught, scored)
        body = _encoder.encode((lesson,))
        kind = lesson.alike if lesson.held else None
    return Row(
        event_id,
        scored.event.time,
        login.identity,
        scored.assessment.risk_score,
        line,
        body,
        kind,
        f"{login.kind}/{scored.event.metadata.product.name}",
        scored.finding,
        run,
        position,
    )


def _lesson(taught: Taught, scored: Scored) -> Lesson:
    packed: Any = _packed.features(taught.said)
    return taught.lesson(scored.login, packed)


def decode_kept(body: bytes, where: str) -> Kept:
    """What was kept of a login. Raises UsageError when it is damaged."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{where}: damaged lesson: {error}; restore the store") from None
