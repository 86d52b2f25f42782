"""Scoring a set of logs: the merged events through the engine, with what has to be kept."""

from collections.abc import Iterator, Sequence

import msgspec

from quivive.app import ingest
from quivive.app.errors import UsageError
from quivive.app.registry import signals
from quivive.engine.beside import Looking
from quivive.engine.engine import Engine, Scored
from quivive.engine.state import STATE_VERSION, State
from quivive.enrich.enricher import Enricher
from quivive.inputs.merge import in_order
from quivive.model.event import AuthEvent
from quivive.policy.budget import Budgets
from quivive.scoring.model import SHIPPED, Model
from quivive.sources.source import Source

STATE_NAME = "engine"
STRAY_GAP_MS = 366 * 86_400_000
STRAYS = 20

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def merged(
    paths: Sequence[str],
    source: Source | None,
    tally: ingest.Tally,
    advance: ingest.Advance,
) -> Iterator[tuple[str, AuthEvent]]:
    """The events of all inputs by event time, each with its input's name."""
    reference = ingest.reference_time(paths)
    names = ingest.log_names(paths)

    def each() -> Iterator[tuple[int, AuthEvent]]:
        for number, path in enumerate(paths):
            for event in ingest.events(path, source, tally, reference, advance, names[number]):
                if event.metadata.original_time is None and event.time == reference:
                    tally.drop(names[number], event, "no time of its own: cannot be placed")
                else:
                    yield number, event

    placed = ((names[p.input], p.event) for p in in_order(each()))
    yield from without_stray_dates(placed, tally)


def without_stray_dates(
    events: Iterator[tuple[str, AuthEvent]], tally: ingest.Tally
) -> Iterator[tuple[str, AuthEvent]]:
    """Ordered events without a last few that lie more than a year after all others.

    A handful of records with a broken clock would age everything that was learned to nothing.
    Where no more came before the gap than after it, it is not the last ones that are in doubt.
    """
    newest = kept = 0
    doubted: list[tuple[str, AuthEvent]] = []
    for log, event in events:
        if newest and event.time - newest > STRAY_GAP_MS:
            doubted.append((log, event))
            if len(doubted) <= STRAYS:
                continue
            yield from doubted  # too many to be a broken clock: the logs do have a gap
            newest = event.time
            doubted = []
            continue
        newest = event.time
        kept += 1
        yield log, event
    if len(doubted) >= kept:
        yield from doubted
        return
    for log, event in doubted:
        tally.drop(log, event, "dated more than a year after every other record")


def score(
    events: Iterator[tuple[str, AuthEvent]],
    state: State,
    enricher: Enricher,
    model: Model = SHIPPED,
    budgets: Budgets | None = None,
    beside: Looking | None = None,
    shortens: bool = True,
) -> Iterator[tuple[str, Scored]]:
    """Every login judged, in order, each with its input's name; ``state`` learns on the way.

    ``shortens``: repeats that take the short road come without evidence.
    """
    step = Engine(state, enricher, signals(), model, budgets, beside, shortens=shortens).step
    for log, event in events:
        scored = step(event)
        if scored is not None:
            yield log, scored


def encode_state(state: State) -> bytes:
    """The state as msgpack."""
    return _encoder.encode(state)


def decode_state(body: bytes, where: str) -> State:
    """The state of some msgpack. Raises UsageError when damaged or of another version."""
    try:
        state = _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{where}: damaged state: {error}; restore it or start anew") from None
    if state.version != STATE_VERSION:
        raise UsageError(
            f"{where}: state version {state.version}, this Quivive reads {STATE_VERSION};"
            " use the Quivive that wrote it or start anew"
        )
    return state
