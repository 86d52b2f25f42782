"""Judging for the server, a group of logins at a time: what was said, what is to be done, who is
to be told and what is recorded of it go into the store together, or not at all.

Used from one thread; ``judge.py`` has it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from quivive.app import burning
from quivive.app.audit import Recorder, signing_key
from quivive.app.budgets import in_force, save
from quivive.app.incidents import Desk, decision_entries, known_of
from quivive.app.intents import rows_of
from quivive.app.live import ROWS_AT_ONCE, Live
from quivive.app.models import InUse, active_model, model_of
from quivive.app.notices import Known
from quivive.app.policies import InForce
from quivive.app.policy_file import read as read_policy
from quivive.app.scoring import engine
from quivive.engine.engine import Engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.audit import Entry
from quivive.model.errors import ConfigurationError
from quivive.model.event import Activity, AuthEvent
from quivive.model.naming import plain_id
from quivive.model.origin import Origin
from quivive.model.record import Reject
from quivive.policy.budget import Budgets
from quivive.policy.decider import Decider
from quivive.server.figures import HISTORY_MS, Figures
from quivive.server.guardrail import Change
from quivive.store.audit import now as wall_clock
from quivive.store.batch import Outgoing, Writes
from quivive.store.database import Store
from quivive.store.models import Author, Models

RECENT = 4_096  # lines kept in memory for those who ask again at once
NEVER = 1 << 62  # logins after which a checkpoint is made by itself: judge.py says when
LIVE_MS = 3_600_000  # logs whose newest event is no older than this are read as they are written

T = TypeVar("T")


class Answer(NamedTuple):
    """What became of one event: its id, and its scored line.

    known: it was judged before; left_out: understood, and no login (a log-off). The line is None
    where there is none, or none any more. reused: it is known, as a login of another user.
    """

    id: str
    line: bytes | None
    what: Literal["judged", "known", "left_out"] = "judged"
    reused: bool = False


class _User(Struct):
    name: str | None = None
    uid: str | None = None


class _Event(Struct):
    user: _User


class _Line(Struct):
    event: _Event


class Settings(NamedTuple):
    """How logins are judged. policy, budgets: instead of the store's, where there are any."""

    enricher: Enricher
    budgets: Budgets
    policy: Path | None = None
    aliases: dict[str, str] | None = None


class Judging:
    """The engine at work on a store, with everything that follows from a login."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        figures: Figures,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """Loads the state. Raises ConfigurationError when it cannot be used."""
        self.store = store
        self.figures = figures
        self.clock = clock
        self._settings = settings
        self._policy = InForce(store, settings.policy)
        self._engine: Engine
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._outgoing: list[Outgoing] = []
        self._entries: list[Entry] = []
        self._rejects: list[Reject] = []
        self._also: list[Writes] = []
        self._judged = 0
        self._handed = False  # what was handed over to be kept, and is not yet
        self.newest = 0
        self.desk = Desk(store, oldest_ms=HISTORY_MS)
        self.recorder = Recorder(signing_key(store))
        self.live = Live(
            store,
            settings.enricher,
            settings.budgets,
            settings.aliases,
            NEVER,
            self._make,
            clock,
            ROWS_AT_ONCE,
        )
        figures.clocks = self.live.clocks
        figures.burn = burning.load(store)
        self._burnt = figures.burnt
        settings.enricher.warm_up()

    def _make(self, state: State, models: InUse) -> Callable[[AuthEvent], Scored | None]:
        """What judges: made anew whenever the state is loaded."""
        chosen = self._settings
        found = self._policy.decider(state.spent)
        self.budgets = in_force(self.store, chosen.budgets)
        if models.beside is not None:
            models.beside.hold(self.budgets)
        self._engine = engine(
            state, chosen.enricher, models.model, self.budgets, models.beside, found
        )
        self._beside = self._engine.beside
        self._spare()
        self.desk.known = self._known(state)
        return self._engine.step

    def _spare(self) -> None:
        """Leaves out of judging what the guardrail says, from the next login on."""
        thrift = self.figures.guardrail.thrift
        self._engine.words_from = thrift.words_from
        self._engine.beside = self._beside if thrift.looks_beside else None

    def guarded(self, change: Change) -> None:
        """Does as a step of the guardrail says, and records it."""
        self._spare()
        entry = Entry(
            time=self.clock(),
            actor="engine",
            action=f"guardrail:{'taken' if change.taken else 'taken back'}",
            subject=change.step.name,
            details={
                "leaves_out": change.step.leaves_out,
                "seconds_a_million": round(change.cost),
                "budget": round(change.budget),
                "steps_in_force": change.level,
            },
        )
        self.note(lambda connection: self.recorder.append(connection, [entry], entry.time))
        self.keep()

    def _known(self, state: State) -> Known:
        return known_of(state, self.policy.policy, self._policy.contexts())

    @property
    def policy(self) -> Decider:
        """What decides."""
        found = self._engine.decider
        assert isinstance(found, Decider)
        return found

    @property
    def own_budgets(self) -> bool:
        """Whether the server was told its budgets: then those that are saved do not hold."""
        return bool(self._settings.budgets.by_class)

    def save_budget(self, of: str, text: str, author: Author) -> str:
        """Saves a budget of findings; no login is judged again by another than its own. Raises what
        ``app.budgets.save`` raises.
        """
        return self.changing(lambda store: save(store, of, text, author))

    @property
    def policy_file(self) -> Path | None:
        """The file that decides in place of the store's active policy, if one was given."""
        return self._policy.file

    # --- one login

    def judge(self, log: str, event: AuthEvent, origin: Origin | None = None) -> Answer:
        """Judges one event; ``keep`` must follow before anybody is told. origin: its request.

        Raises StoreUnavailable, with nothing judged.
        """
        scored = self.live.judge(log, event)
        self._judged += 1  # a login known before is kept, too: it stands in the journal
        if scored is None:
            if event.activity_id == Activity.LOGOFF:
                return Answer(plain_id(log, event), None, "left_out")
            event_id = self.live.names.name(log, event)
            before = self._before(event_id)
            reused = before is not None and _user_of(before) != (event.user.name, event.user.uid)
            return Answer(event_id, before, "known", reused)
        self.newest = max(self.newest, event.time)
        line, event_id = self.live.line, self.live.names.name(log, event)
        self._recent[event_id] = line
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        now = self.clock()
        self.figures.login(scored, now)
        if scored.finding or scored.assessment.repeated:
            self.desk.take(line, origin)
        if scored.decision.action != "allow" or scored.decision.also:
            self._follow(event_id, scored, line, now, origin)
        return Answer(event_id, line)

    def _follow(
        self, event_id: str, scored: Scored, line: bytes, now: int, origin: Origin | None
    ) -> None:
        """What a decision asks for, and its record."""
        self._entries += decision_entries([line])
        self._outgoing += rows_of(scored, event_id, now, origin)

    def _before(self, event_id: str) -> bytes | None:
        return self._recent.get(event_id) or self.store.assessment(event_id)

    def reject(self, rejects: Sequence[Reject]) -> None:
        """Records that could not be read go to the dead letters with the next ``keep``."""
        self._rejects += rejects

    def note(self, writes: Writes) -> None:
        """Something to be written with the next ``keep``, in the same transaction."""
        self._also.append(writes)

    # --- keeping

    def keep(self) -> bool:
        """Keeps everything since the last time; returns whether anything is to be sent.

        Raises StoreUnavailable: nothing may be judged before a later ``keep`` came through.
        """
        if self._handed:
            self.live.commit()
            self._kept()
        desk = self.desk
        if not (self._judged or self._rejects or self._also or desk.changes or desk.book.dirty):
            return False
        outgoing, rejects, also = self._outgoing, self._rejects, self._also
        entries, now = self._entries, self.clock()
        if entries:
            also = [*also, lambda connection: self.recorder.append(connection, entries, now)]
        telling = bool(outgoing or desk.changes)
        if desk.changes or desk.book.dirty or desk.taken:
            also = [*also, lambda connection: desk.write(connection, now)]
        if self.figures.burnt != self._burnt:
            self._burnt = self.figures.burnt
            also = [*also, lambda connection: burning.write(connection, self.figures.burn)]
        self._outgoing, self._rejects, self._also, self._entries = [], [], [], []
        self._judged = 0
        self._handed = True
        self.live.commit(outgoing, rejects, also)
        self._kept()
        return telling

    def keep_burn(self) -> None:
        """Keeps the service level's alarms, too, which begin and end by the clock."""
        self.note(lambda connection: burning.write(connection, self.figures.burn))
        self.keep()

    def _kept(self) -> None:
        self._handed = False
        self.desk.kept()

    def settle(self) -> None:
        """Puts everything that was judged where it is read."""
        self.keep()
        self.live.settle()

    def checkpoint(self) -> None:
        """Keeps the whole state: before what changes it from outside, and at the end."""
        self.keep()
        self.live.checkpoint()

    def changing(self, change: Callable[[Store], T]) -> T:
        """Lets something change the kept state (a verdict), and takes it anew."""
        self.checkpoint()
        try:
            return change(self.store)
        finally:
            self.live.reload()

    def renew(self, settings: Settings) -> bool:
        """Judges with other places, lists, aliases and budgets from now on, and with the models
        that are active now; returns whether those have changed.

        Raises ConfigurationError, and goes on as before.
        """
        settings.enricher.warm_up()
        if settings.policy is not None:
            read_policy(settings.policy).policy()
        models, used = Models(self.store), self.live.models
        active_model(models)
        watching = models.named("shadow")
        if watching is not None:
            model_of(models, watching)
        beside = used.beside.model.version if used.beside is not None else None
        changed = (models.active(), watching) != (used.model.version, beside)
        former = self._settings
        try:
            self._work_by(settings)
            self.keep()
            if changed:
                self.checkpoint()
            self.live.renew(settings.enricher, settings.budgets, settings.aliases)
            if changed:
                self.live.reload()
        except ConfigurationError:
            self._work_by(former)
            self.live.renew(former.enricher, former.budgets, former.aliases)
            raise
        return changed

    def _work_by(self, settings: Settings) -> None:
        self._settings, self._policy.file = settings, settings.policy

    def forget(self) -> None:
        """Incidents and lines in memory are read anew: something of them was erased."""
        self._recent.clear()
        self._open_anew()

    def recover(self) -> None:
        """After a fault in the middle of a login: the state as it was before it."""
        self.live.reload()

    # --- between logins

    def refresh(self) -> bool:
        """Takes over what others changed: policy, contexts, incidents.

        Returns whether the policy or a context changed. Raises PolicyError for one that cannot be
        used: the one before stays in force.
        """
        changed = self._policy.changed
        if changed:
            self._engine.decider = self._policy.decider(self.live.state.spent)
            self.desk.known = self._known(self.live.state)
        if not self._handed and not self.desk.book.dirty and self.desk.behind:
            self._open_anew()
        return changed

    def _open_anew(self) -> None:
        self.desk = Desk(self.store, self.desk.known, oldest_ms=HISTORY_MS)

    def tick(self) -> None:
        """Time passes: what is quiet closes, what nobody answers is told again."""
        if not self.newest:
            return
        now = self.clock()
        time = now if 0 <= now - self.newest < LIVE_MS else self.newest
        self.desk.tick(time)


def _user_of(line: bytes) -> tuple[str | None, str | None]:
    """The name and id of the user in a scored line."""
    user = msgspec.json.decode(line, type=_Line).event.user
    return user.name, user.uid
