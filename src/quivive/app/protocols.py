"""Published protocols run with Quivive's own engine: what ``learn`` may not know of."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from quivive.app.registry import signals
from quivive.engine.engine import Engine
from quivive.engine.observe import observe
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.learn.detectors.freeman_model import (
    ADDRESS_WEIGHTS,
    CLIENT_WEIGHTS,
    InterpolatedFreeman,
    PublishedFreeman,
)
from quivive.learn.protocols import lanl as lanl_protocol
from quivive.learn.protocols import rba as rba_protocol
from quivive.learn.protocols.rba_data import Login, event_of
from quivive.learn.protocols.reading import Advance, silent
from quivive.learn.protocols.result import Judgement, Result
from quivive.model.event import AuthEvent
from quivive.scoring.model import SHIPPED, Model
from quivive.scoring.stories import score_of

NAME = "Quivive"
_WEIGHTS = (ADDRESS_WEIGHTS, CLIENT_WEIGHTS)


class QuiviveContender:
    """The engine on the RBA data, by its raw score: all users are one class of its calibration."""

    name = NAME

    def __init__(self, model: Model = SHIPPED) -> None:
        """From an empty state, without place databases or lists: the data state the place."""
        self._engine = Engine(State(), Enricher(), signals(), model)

    def take(self, login: Login) -> float:
        """The score of the next login in nats; the engine then learns what it trusts."""
        scored = self._engine.step(event_of(login))
        return scored.assessment.score if scored is not None else float("-inf")

    def probe(self, login: Login) -> float:
        """The score of a login in nats as if it came now; profiles and calibration stay."""
        state = self._engine.state
        event = event_of(login)
        seen = observe(event, self._engine.enricher.enrich(event), state)
        scene, levels = state.scene(seen, state.profile(seen.identity))
        _, gathered = self._engine.gathering.one(seen, scene, levels)
        return score_of(gathered.sums(), seen.kind)


def rba(
    path: Path,
    users: float = 0.01,
    limit: int | None = None,
    advance: Advance = silent,
    model: Model = SHIPPED,
) -> Result:
    """The RBA protocol: Quivive beside Freeman et al.'s model, both ways of it.

    ``users`` is the share of users judged, ``limit`` the rows read. Raises ProtocolError.
    """
    contenders = (
        rba_protocol.FreemanContender("Freeman, published", PublishedFreeman(_WEIGHTS)),
        rba_protocol.FreemanContender("Freeman, interpolated", InterpolatedFreeman(_WEIGHTS)),
        QuiviveContender(model),
    )
    return rba_protocol.run(path, contenders, users, limit, advance)


def lanl(
    auth: Path,
    redteam: Path,
    users: float = 0.05,
    limit: int | None = None,
    advance: Advance = silent,
    model: Model = SHIPPED,
) -> Result:
    """The LANL protocol: Quivive on the authentication log with the red team's logins as labels.

    ``users`` is the share of users judged, ``limit`` the lines read. Raises ProtocolError.
    """
    engine = Engine(State(), Enricher(), signals(), model)

    def judge(events: Iterable[AuthEvent]) -> Iterator[Judgement | None]:
        for event in events:
            scored = engine.step(event)
            if scored is None:
                yield None
            else:
                yield Judgement(scored.assessment.score, scored.assessment.risk_score)

    return lanl_protocol.run(auth, redteam, judge, users, limit, advance)
