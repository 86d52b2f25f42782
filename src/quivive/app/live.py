"""Judging logins as they come, for the server: nothing that was answered is lost, nothing doubled.

A group of logins is one small transaction: the events in a journal with what was said of each, and
what is to be done. What was said goes from the journal into its table with its indexes for many
logins at once: a group of one would write seven pages for its row alone. The state, of which a
login changes a little of much, is kept at a checkpoint every so many logins; after a crash it is
the last checkpoint and the journal, judged again. The engine is deterministic: that gives the same
state, and nothing is sent twice.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from quivive.app.clocks import as_state
from quivive.app.clocks import load as load_clocks
from quivive.app.keeping import Saver, begin_state
from quivive.app.kept import row_of
from quivive.app.memory import settled
from quivive.app.models import InUse, in_use
from quivive.app.naming import Names
from quivive.app.output import encode_scored
from quivive.app.scoring import engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.model.record import Reject
from quivive.policy.budget import Budgets
from quivive.store.batch import Batch, Noted, Outgoing, Row
from quivive.store.database import Store, StoreError, StoreUnavailable, new_token

CHECKPOINT_LOGINS = 20_000  # what is judged again after a crash, at most
ROWS_AT_ONCE = 64  # logins that a server puts into their table together

Step = Callable[[AuthEvent], Scored | None]
Writes = Callable[[sa.Connection], None]


class _Entry(NamedTuple):
    """What the journal holds of one event: as it came, and its row until that is in its table."""

    event: AuthEvent
    row: Row | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Entry | AuthEvent)  # the event alone in stores of before


def replay(store: Store, step: Step) -> int:
    """Judges the events of the journal again, for what they teach, and puts what was said of them
    into its table where it is not there yet; returns how many there are.

    Raises StoreError for one that is damaged.
    """
    count, rows, newest = 0, list[Row](), store.newest_line(0)
    for noted in store.journal():
        try:
            entry = _decoder.decode(noted.body)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(
                f"{store.path}: journal, event {noted.position}: damaged: {error}; restore the"
                " store from a backup"
            ) from None
        if isinstance(entry, AuthEvent):
            entry = _Entry(entry)
        if entry.row is not None and entry.row.position > newest:
            rows.append(entry.row)
        step(entry.event)
        count += 1
    if rows:
        store.commit(Batch(rows=rows))
    return count


class _Judged(Struct):
    """What was judged and is not kept yet: the event as it came, and the row if it was a login."""

    log: str
    event: AuthEvent
    row: Row | None


class _Attempt(Struct):
    """A transaction that may have to be tried again. later: rows in the journal only, after it."""

    batch: Batch
    token: str
    checkpoint: bool = False
    later: Sequence[Row] = ()


class Live:
    """The state of a store, at work. Use it from one thread, with ``store.writing`` held."""

    def __init__(
        self,
        store: Store,
        enricher: Enricher,
        budgets: Budgets | None = None,
        aliases: dict[str, str] | None = None,
        checkpoint: int = CHECKPOINT_LOGINS,
        make: Callable[[State, InUse], Step] | None = None,
        clock: Callable[[], int] | None = None,
        rows: int = 1,
    ) -> None:
        """Loads the state and judges the journal again. ``make`` gives what judges; by default
        that is the engine with every signal there is. ``clock``: when an event comes in, ms UTC,
        to measure the clocks of the logs against. ``rows``: as many logins go into their table
        together; until then the journal has them, and ``settle`` puts them there.

        Raises StoreUnavailable when the store cannot be read, UsageError for a damaged state.
        """
        self.store = store
        self.state: State
        self.models: InUse
        self.replayed = 0
        self.clocks = load_clocks(store)
        self._clock = clock
        self.line = b""  # of the login judged last
        self.names = Names(store)
        self._enricher = enricher
        self._budgets = budgets or Budgets()
        self._aliases = aliases
        self._every = checkpoint
        self._rows = rows
        self._make = make or self._engine
        self._attempt: _Attempt | None = None
        self._judged: list[_Judged] = []
        self._later: Sequence[Row] = ()
        self._later_since = 0.0
        self._line = 0
        self._noted = 0
        self._since = 0
        self._lost = False
        self._load()

    def judge(self, log: str, event: AuthEvent) -> Scored | None:
        """Judges one event, as ``Engine.step`` does; ``log`` is its input's name.

        Raises StoreUnavailable, and has judged nothing, when what is known of the identity cannot
        be read: the same event can be given again.
        """
        self._recover()
        metadata = event.metadata
        if self._clock is not None:
            arrived = metadata.logged_time or self._clock()
            self.clocks.note(metadata.product.name, event.time, arrived)
        try:
            scored = self._step(event)
        except StoreUnavailable:
            self._lost = True  # in the middle of a login: what is in memory is half of it
            raise
        self._judged.append(_Judged(log, event, self._row(log, event, scored)))
        return scored

    def commit(
        self,
        outbox: Sequence[Outgoing] = (),
        rejects: Sequence[Reject] = (),
        also: Sequence[Writes] = (),
    ) -> None:
        """Keeps everything judged since the last commit, with what is to be done about it.

        Raises StoreUnavailable when it cannot be kept now: it is kept for the next ``commit``,
        whose own content comes after it. Whoever waits for an answer must be told to try again.
        """
        self._finish()
        judged = self._judged
        self._judged = []
        rows = list(self._later)
        for one in judged:
            if one.row is not None:
                self._line += 1
                one.row = one.row._replace(position=self._line)
                rows.append(one.row)
        # What others write may speak of the rows: then they are there.
        now = len(rows) >= self._rows or bool(outbox or rejects or also)
        journal = [
            Noted(
                self._noted + n,
                one.log,
                _encoder.encode(_Entry(one.event, None if now else one.row)),
            )
            for n, one in enumerate(judged, 1)
        ]
        self._noted += len(judged)
        self._since += len(judged)
        batch = Batch(
            rows=rows if now else (), rejects=rejects, journal=journal, outbox=outbox, also=also
        )
        self._attempt = _Attempt(batch, new_token(), later=() if now else rows)
        self._finish()
        if self._since >= self._every:
            with suppress(StoreUnavailable):  # the group is kept: this is tried again with the next
                self.checkpoint()

    @property
    def unsettled(self) -> float:
        """For how many seconds something is kept that whoever reads the store does not find."""
        return monotonic() - self._later_since if self._later else 0.0

    def settle(self) -> None:
        """Puts what is in the journal only where it is read. Raises StoreUnavailable."""
        self._finish()
        if self._later:
            self._attempt = _Attempt(Batch(rows=self._later), new_token())
            self._finish()

    def checkpoint(self) -> None:
        """Keeps the state as it is after the last commit: before verdicts, promotions, the end.

        Raises StoreUnavailable as ``commit`` does, StoreError when something is not committed yet.
        """
        self._finish()
        if self._judged:
            raise StoreError(f"{self.store.given}: a checkpoint between judging and committing")
        others = {**self.models.states(), **as_state(self.clocks)}
        batch = self._saver.take(others)
        batch.rows = self._later
        self._attempt = _Attempt(batch, new_token(), True)
        self._finish()

    def reload(self) -> None:
        """Takes the state anew from the store, after a verdict or a promotion has changed it."""
        self._lost = True
        self._recover()

    def renew(
        self, enricher: Enricher, budgets: Budgets | None, aliases: dict[str, str] | None
    ) -> None:
        """Judges with these from now on, on the state as it is. Everything judged is committed."""
        self._enricher, self._budgets, self._aliases = enricher, budgets or Budgets(), aliases
        self.state.directory.aliases = dict(aliases or {})
        self._step = self._make(self.state, self.models)

    def _finish(self) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        self.store.commit(attempt.batch, attempt.token)
        self._attempt = None
        if attempt.later and not self._later:
            self._later_since = monotonic()
        self._later = attempt.later
        if attempt.checkpoint:
            self._saver.saved()
            settled()
            self._since = self._noted = 0

    def _recover(self) -> None:
        """After a login that broke off: the state from the store, and what is not in it yet."""
        if not self._lost:
            return
        self._finish()
        self._load()
        for one in self._judged:
            one.row = self._row(one.log, one.event, self._step(one.event))
        self._lost = False

    def _load(self) -> None:
        store = self.store
        store.forget_loaded()
        self.state = begin_state(store)
        self.models = in_use(store, self.state, self._budgets)
        if self._aliases is not None:
            self.state.directory.aliases = dict(self._aliases)
        self._step = self._make(self.state, self.models)
        self._saver = Saver(self.state)
        self.replayed = self._since = replay(store, self._step)
        self._later = ()
        self._noted = store.journaled()
        self._line = store.newest_line(0)

    def _engine(self, state: State, models: InUse) -> Step:
        return engine(state, self._enricher, models.model, self._budgets, models.beside).step

    def _row(self, log: str, event: AuthEvent, scored: Scored | None) -> Row | None:
        if scored is None:
            return None
        name = self.names.name(log, event)
        line = encode_scored(scored, log, name)
        self.line = line
        return row_of(name, scored, line)
