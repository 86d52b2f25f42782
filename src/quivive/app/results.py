"""What is written and kept of every login that a run judges, whichever process judged it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from quivive.app.incidents import known_of
from quivive.app.keeping import Saver
from quivive.app.kept import row_of
from quivive.app.naming import Names
from quivive.app.notices import Known
from quivive.app.output import encode_scored
from quivive.app.scoring import pieces
from quivive.engine.engine import Engine
from quivive.model.event import AuthEvent
from quivive.policy.actions import ALLOW
from quivive.store.batch import Batch, Row


class Result(NamedTuple):
    """One login: its row in the store, with the line; whether it is ranked lower as a repeat, and
    whether anything is to be done about it.
    """

    row: Row
    repeated: bool
    acts: bool


Step = tuple[str, AuthEvent, Result | None]


class Judging(Protocol):
    """Whatever judges the events of a run."""

    @property
    def known(self) -> Known:
        """What is known of the identity and the address of the login that was given last."""

    def judge(
        self, events: Iterable[tuple[str, AuthEvent]], run: int = 0, lines: int = 0
    ) -> Iterator[Step]:
        """Judges events, in order; nothing for duplicates and log-offs. ``lines`` are those that
        ``run`` has already: the rows are numbered on from there.
        """

    def take(self, others: Mapping[str, bytes]) -> Batch:
        """What has to be written to keep the state as it is after the events so far."""

    def saved(self) -> None:
        """What was taken is committed."""


class Alone:
    """Judges in this process."""

    def __init__(self, engine: Engine, names: Names | None = None) -> None:
        """The engine's state is the one that is kept; ``names`` are those of its store."""
        self._engine = engine
        self._names = names or Names()
        self._saver = Saver(engine.state)
        self.known = known_of(engine.state)

    def judge(
        self, events: Iterable[tuple[str, AuthEvent]], run: int = 0, lines: int = 0
    ) -> Iterator[Step]:
        """Judges events, in order; nothing for duplicates and log-offs."""
        for piece in pieces(self._engine, events):
            named = ["" if of is None else self._names.name(log, event) for log, event, of in piece]
            bodies = [
                b"" if of is None else encode_scored(of, log, name)
                for (log, _, of), name in zip(piece, named, strict=True)
            ]
            steps: list[Step] = []
            for (log, event, scored), name, body in zip(piece, named, bodies, strict=True):
                result = None
                if scored is not None:
                    lines += 1
                    row = row_of(name, scored, body, run, lines)
                    acts = scored.decision.action != ALLOW
                    result = Result(row, scored.assessment.repeated > 0, acts)
                steps.append((log, event, result))
            yield from steps

    def take(self, others: Mapping[str, bytes]) -> Batch:
        """What has to be written to keep the state as it is after the events so far."""
        return self._saver.take(others)

    def saved(self) -> None:
        """What was taken is committed."""
        self._saver.saved()
