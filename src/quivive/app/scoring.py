"""Scoring a set of logs: the merged events through the engine, with what has to be kept."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from quivive.app import ingest
from quivive.app.policy_file import shipped
from quivive.app.registry import signals
from quivive.app.snapshot import STATE_NAME, decode_state, encode_state
from quivive.engine.beside import Looking
from quivive.engine.engine import Engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.inputs.merge import in_order
from quivive.model.event import AuthEvent
from quivive.policy.budget import Budgets
from quivive.policy.decider import Decider
from quivive.policy.deciding import Deciding
from quivive.scoring.model import SHIPPED, Model
from quivive.sources.source import Source

if TYPE_CHECKING:
    from quivive.app.sigma import Marking
    from quivive.app.spill import Spill

__all__ = ["STATE_NAME", "decode_state", "encode_state", "merged", "score", "without_stray_dates"]

LOOK_EVERY = 10_000  # logins
AHEAD = 50  # events that are taken up at once
STRAY_GAP_MS = 366 * 86_400_000
STRAYS = 20


def merged(
    paths: Sequence[str],
    source: Source | None,
    tally: ingest.Tally,
    advance: ingest.Advance,
    rules: "Marking | None" = None,
) -> Iterator[tuple[str, AuthEvent]]:
    """The events of all inputs by event time, each with its input's name; marked by ``rules``."""
    reference = ingest.reference_time(paths)
    names = ingest.log_names(paths)

    def each() -> Iterator[tuple[int, AuthEvent]]:
        clocks = tally.clocks
        for number, path in enumerate(paths):
            log = names[number]
            for event in ingest.events(path, source, tally, reference, advance, log, rules):
                metadata = event.metadata
                if metadata.original_time is None and event.time == reference:
                    tally.drop(log, event, "no time of its own: cannot be placed")
                    continue
                tally.order(log, metadata.product.name).note(event.time)
                if metadata.logged_time is not None:
                    clocks.note(metadata.product.name, event.time, metadata.logged_time)
                yield number, event
        tally.ordered()

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
    decider: Deciding | None = None,
    *,
    shortens: bool = True,
) -> Iterator[tuple[str, Scored]]:
    """Every login judged, in order, each with its input's name; ``state`` learns on the way.

    What of the state is more than memory should hold goes to a temporary file. ``shortens``:
    ordinary repeats take the short road and come without evidence.
    """
    found = engine(state, enricher, model, budgets, beside, decider)
    found.shortens = shortens
    spill: Spill | None = None
    stepped = chain.from_iterable(pieces(found, events))
    for number, (log, _, scored) in enumerate(stepped, 1):
        if scored is not None:
            yield log, scored
        if number % LOOK_EVERY == 0 and state.is_over_bounds:
            spill = spill or spill_of(state)
            spill.relieve()


Stepped = tuple[str, AuthEvent, Scored | None]


def pieces(engine: Engine, events: Iterable[tuple[str, AuthEvent]]) -> Iterator[list[Stepped]]:
    """Every event with what the engine says of it, in order; some events are read ahead.

    When it gives a piece, the state is as after each login of it, for its identity and all that is
    shared.
    """
    coming = iter(events)
    while ahead := list(islice(coming, AHEAD)):
        told = iter(ahead)
        for piece in engine.steps([event for _, event in ahead]):
            yield [(log, event, scored) for scored, (log, event) in zip(piece, told, strict=False)]


def spill_of(state: State) -> "Spill":
    """Where what memory should not hold goes to, in a temporary file."""
    # Imported when it is needed: it brings the whole store along.
    from quivive.app.spill import Spill

    return Spill(state)


def engine(
    state: State,
    enricher: Enricher,
    model: Model = SHIPPED,
    budgets: Budgets | None = None,
    beside: Looking | None = None,
    decider: Deciding | None = None,
) -> Engine:
    """The engine with every signal there is; ``state`` is changed in place.

    ``decider``: the policy; the shipped one where none is given.
    """
    decider = decider or Decider(shipped(), spent=state.spent)
    return Engine(state, enricher, signals(), model, budgets, beside, decider)
