"""What is kept of every login for verdicts: what it taught, and the evidence as it was."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from quivive.app.errors import UsageError
from quivive.baseline.lesson import Lesson
from quivive.engine.engine import Scored
from quivive.learn.evidence import Raw, raw_of
from quivive.store.database import Row

_encoder = msgspec.msgpack.Encoder()


class Kept(Struct, frozen=True, array_like=True):
    """One login's lesson (None: it taught nothing and was not held), evidence, kind of identity."""

    lesson: Lesson | None
    evidence: tuple[Raw, ...]
    kind: str


_decoder = msgspec.msgpack.Decoder(Kept)


def row_of(
    event_id: str,
    scored: Scored,
    line: bytes,
    factors: Mapping[str, float],
    run: int = 0,
    position: int = 0,
) -> Row:
    """The row of a login in the store; ``factors`` are the weights of the model that scored it,
    ``position`` is its line's number in its run.
    """
    login, lesson = scored.login, scored.lesson
    return Row(
        id=event_id,
        time=scored.event.time,
        identity=login.identity,
        risk_score=scored.assessment.risk_score,
        body=line,
        lesson=_encoder.encode(Kept(lesson, raw_of(scored.gathered, factors), login.kind)),
        kind=lesson.alike if lesson is not None and lesson.held else None,
        stratum=f"{login.kind}/{scored.event.metadata.product.name}",
        finding=scored.finding,
        run=run,
        position=position,
    )


def decode_kept(body: bytes, where: str) -> Kept:
    """What was kept of a login. Raises UsageError when it is damaged."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{where}: damaged lesson: {error}; restore the store") from None
