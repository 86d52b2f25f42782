"""History replayed: what the store or log files hold, through the engine from an empty state.

Stored logins are replayed as they were written, with the place they were judged by; so a replay
of a store and the run that filled it differ only where that place came from another log.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from quivive.app import ingest
from quivive.app.naming import Names
from quivive.app.scoring import merged, score
from quivive.baseline.observation import Observation
from quivive.engine.beside import Beside, Said
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Assessment
from quivive.model.event import AuthEvent
from quivive.policy.budget import Budgets
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import Model
from quivive.sources.source import Source
from quivive.store.database import Store, StoreError


class _Line(Struct, frozen=True):
    event: AuthEvent


_decoder = msgspec.json.Decoder(_Line)


class Row(Struct, frozen=True, gc=False):
    """One replayed login. others: risk and finding of each model that looked on, in order."""

    id: str
    time: int
    identity: str
    kind: str
    source: str
    risk: float
    finding: bool
    low_history: bool
    reason: str
    others: tuple[tuple[float, bool], ...] = ()


class Replay(NamedTuple):
    """What a replay gives: every login, the state at its end, and the logins asked for in full."""

    rows: list[Row]
    state: State
    logins: dict[str, Scored]


def stored(store: Store) -> Iterator[tuple[str, AuthEvent]]:
    """The stored logins by event time, each with its id.

    Raises StoreError naming a login that is damaged.
    """
    for event_id, body in store.history():
        try:
            yield event_id, _decoder.decode(body).event
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(
                f"{store.path}: login {event_id}: damaged: {error}; restore the store, or learn"
                " from log files instead"
            ) from None


def from_files(
    paths: Sequence[str], source: Source | None, tally: ingest.Tally, advance: ingest.Advance
) -> Iterator[tuple[str, AuthEvent]]:
    """The logins of log files by event time, each with its id."""
    names = Names()
    for log, event in merged(paths, source, tally, advance):
        yield names.name(log, event), event


class _Onlookers:
    """Several models looking on at once."""

    def __init__(self, models: Sequence[Beside]) -> None:
        self.models = models
        self.said: tuple[tuple[float, bool], ...] = ()

    def look(self, login: Observation, gathered: Gathered, assessment: Assessment) -> Said | None:
        found = [model.look(login, gathered, assessment) for model in self.models]
        self.said = tuple((said.risk, said.finding) for said in found)
        return None


def replay(
    history: Iterable[tuple[str, AuthEvent]],
    enricher: Enricher,
    model: Model,
    budgets: Budgets,
    aliases: dict[str, str],
    onlookers: Sequence[Beside] = (),
    in_full: Collection[str] = (),
) -> Replay:
    """Every login of ``history`` judged by ``model`` from an empty state on.

    ``onlookers`` look at every login beside it; ``in_full`` are the ids of the logins whose
    evidence is kept. ``aliases`` are the names an operator joined.
    """
    state = State()
    state.directory.aliases = dict(aliases)
    looking = _Onlookers(onlookers)
    rows: list[Row] = []
    logins: dict[str, Scored] = {}
    beside = looking if onlookers else None
    for event_id, scored in score(
        iter(history), state, enricher, model, budgets, beside, shortens=False
    ):
        login, assessment = scored.login, scored.assessment
        rows.append(
            Row(
                event_id,
                login.time,
                login.identity,
                login.kind,
                scored.event.metadata.product.name,
                assessment.risk_score,
                scored.finding,
                assessment.low_history,
                assessment.reasons[0].signal if assessment.reasons else "",
                looking.said,
            )
        )
        if event_id in in_full:
            logins[event_id] = scored
    return Replay(rows, state, logins)
