"""Taking verdicts in: all of a batch or nothing, with what they change, in one transaction."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import NamedTuple

import msgspec
from msgspec import Struct

from quivive.app.audit import sign
from quivive.app.incidents import judged
from quivive.app.keeping import changed_entries, changing, load_state, settled
from quivive.app.kept import decode_kept
from quivive.app.snapshot import encode_parts
from quivive.baseline.lesson import Lesson
from quivive.engine import verdicts as engine
from quivive.engine.state import State
from quivive.engine.verdicts import Decided, Effect
from quivive.model.verdict import TRUE_POSITIVE, Verdict, VerdictError, VerdictKind, checked
from quivive.store.database import Store
from quivive.store.named import ambiguous, named
from quivive.store.verdicts import Changed, Given, Login, Verdicts

PROBLEMS_SHOWN = 20
SUGGESTED = 3

_encoder = msgspec.msgpack.Encoder()


class Line(NamedTuple):
    """A verdict with where it came from: "file:line", or "" where it stands alone."""

    where: str
    verdict: Verdict


def refusal(problems: Sequence[str]) -> str:
    """Why none of a batch was taken: one sentence for one problem, else a line each."""
    return ("\n" if len(problems) > 1 else " ").join(["no verdict was taken:", *problems])


class Outcome(Struct):
    """What a batch came to.

    taken: new verdicts; known: said before, word for word. learned, unlearned: logins that were
    taught after all or taken back, those of the same kind included. without: logins scored
    before lessons were kept, or that taught nothing: their verdicts are kept, and change nothing.
    """

    taken: int = 0
    known: int = 0
    amended: int = 0
    learned: int = 0
    unlearned: int = 0
    without: int = 0


class _Done(Struct, array_like=True):
    """One login that a verdict changed, as it is kept."""

    kind: VerdictKind
    leader: str
    lesson: Lesson
    effect: Effect


_decoder = msgspec.msgpack.Decoder(_Done)


def done_of(store: Store) -> dict[str, _Done]:
    """What the standing verdicts did to each login, by event id."""
    return {one.event_id: _decoder.decode(one.body) for one in Verdicts(store).changed()}


def take(store: Store, lines: Sequence[Line], *, amend: bool = False) -> Outcome:
    """Takes a batch of verdicts, and changes the state as they ask for.

    ``amend`` lets a verdict take the place of one that stands. Raises VerdictError naming every
    verdict that cannot be taken, and why; nothing is taken then.
    """
    with changing(store, "verdict"):
        return _take(store, lines, amend)


def _take(store: Store, lines: Sequence[Line], amend: bool) -> Outcome:
    kept = Verdicts(store)
    lines = _named(store, lines)
    standing = kept.standing()
    logins = kept.logins([line.verdict.event_id for line in lines])
    new = _checked(kept, lines, standing, logins, amend)
    outcome = Outcome(known=len(lines) - len(new))
    if not new:
        return outcome
    settled(store)
    found = load_state(store)
    state = State() if found is None else found
    book = _Book(kept, state, standing, outcome)
    given = []
    for number, line in enumerate(new, kept.next_id()):
        former = standing.get(line.verdict.event_id)
        book.judge(number, line.verdict, logins[line.verdict.event_id])
        given.append(Given(number, line.verdict, former.id if former else None))
        standing[line.verdict.event_id] = given[-1]
        outcome.taken += 1
        outcome.amended += former is not None
    if found is None:
        kept.write(given, book.gone, book.changes(), {})
    else:
        changed = changed_entries(state)
        kept.write(given, book.gone, book.changes(), encode_parts(state), changed)
    judged(store, [one.verdict for one in given])
    sign(store)
    return outcome


def _named(store: Store, lines: Sequence[Line]) -> list[Line]:
    """The verdicts with the names under which their logins are kept. Raises VerdictError for ids
    that several logins have.
    """
    found = named(store, [line.verdict.event_id for line in lines])
    problems, known = [], []
    for where, verdict in lines:
        logins = found.get(verdict.event_id, [])
        if len(logins) > 1:
            said_of = ambiguous(verdict.event_id, logins)
            problems.append(f"{where}: {said_of}" if where else said_of)
        elif logins and logins[0].id != verdict.event_id:
            verdict = msgspec.structs.replace(verdict, event_id=logins[0].id)
        known.append(Line(where, verdict))
    if problems:
        raise VerdictError(refusal(_shown(problems)))
    return known


def _shown(problems: Sequence[str]) -> list[str]:
    shown = list(problems[:PROBLEMS_SHOWN])
    if len(problems) > len(shown):
        shown.append(f"… and {len(problems) - len(shown)} more")
    return shown


def _checked(
    kept: Verdicts,
    lines: Sequence[Line],
    standing: dict[str, Given],
    logins: dict[str, Login],
    amend: bool,
) -> list[Line]:
    """The verdicts that are new, in order. Raises VerdictError for those that cannot be taken."""
    horizon = kept.horizon()
    problems: list[str] = []
    first: dict[str, Line] = {}
    new = []
    for line in lines:
        verdict = line.verdict
        where = f"{line.where}: " if line.where else ""
        try:
            checked(verdict)
        except VerdictError as error:
            problems.append(f"{where}{error}")
            continue
        event_id, earlier = verdict.event_id, first.get(verdict.event_id)
        former = standing.get(event_id)
        login = logins.get(event_id)
        if login is None:
            problems.append(f"{where}{_unknown(kept, event_id, horizon)}")
        elif horizon is not None and verdict.when > horizon[1]:
            problems.append(
                f"{where}when is {said(verdict.when)}, after the newest login that is known"
                f" ({said(horizon[1])}); score the newer logs first, or mend the time"
            )
        elif verdict.when < login.time:
            problems.append(
                f"{where}when is {said(verdict.when)}, before the login itself"
                f" ({said(login.time)}); mend the time"
            )
        elif earlier is not None and earlier.verdict.kind != verdict.kind:
            problems.append(
                f"{where}{event_id} is {_words(verdict.kind)} here and"
                f" {_words(earlier.verdict.kind)} at {earlier.where}; leave one of them"
            )
        elif former is not None and former.verdict.kind != verdict.kind and not amend:
            problems.append(
                f"{where}{event_id} is {_words(former.verdict.kind)} already, by"
                f" {former.verdict.by} ({former.verdict.why}); to change that: --amend"
            )
        elif earlier is None and (former is None or former.verdict.kind != verdict.kind):
            new.append(line)
        first.setdefault(event_id, line)
    if problems:
        raise VerdictError(refusal(_shown(problems)))
    return new


def _unknown(kept: Verdicts, event_id: str, horizon: tuple[int, int] | None) -> str:
    if horizon is None:
        return f"no login {event_id}: nothing was scored into this store yet"
    close = get_close_matches(event_id, kept.near(event_id), SUGGESTED)
    if close:
        return f"no login {event_id}; there is {', '.join(close)}"
    return (
        f"no login {event_id}; the store holds those from {said(horizon[0])} to {said(horizon[1])}"
    )


def said(time: int) -> str:
    """A time in ms UTC for people."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _words(kind: str) -> str:
    return kind.replace("_", " ")


class _Book:
    """What stands on every login that a verdict changed, while a batch is taken in."""

    def __init__(
        self, kept: Verdicts, state: State, standing: dict[str, Given], outcome: Outcome
    ) -> None:
        self.kept = kept
        self.state = state
        self.standing = standing
        self.outcome = outcome
        self.done: dict[str, tuple[int, _Done]] = {}
        self.of: dict[str, dict[str, _Done]] = {}  # by identity
        self.gone: list[str] = []
        self.fresh: set[str] = set()
        for one in kept.changed():
            self._put(one.event_id, one.verdict_id, _decoder.decode(one.body))

    def judge(self, number: int, verdict: Verdict, login: Login) -> None:
        """Reverses what the former verdict did, then does what this one asks for."""
        event_id, kind = verdict.event_id, verdict.kind
        led = [one for one, (_, done) in self.done.items() if event_id in (one, done.leader)]
        for one in reversed(led):
            self._reverse(one)
        lesson = self._lesson(login)
        if lesson is None:
            self.outcome.without += 1
            return
        effect = engine.apply(self.state, lesson, kind, self._others(lesson))
        self._note(event_id, number, _Done(kind, event_id, lesson, effect))
        for other, found in self._alike(lesson, login):
            if bool(found.trust) == (kind == TRUE_POSITIVE):
                effect = engine.settle(self.state, found, kind, self._others(found))
                self._note(other.id, number, _Done(kind, event_id, found, effect))

    def changes(self) -> Iterator[Changed]:
        """What is to be kept anew."""
        for event_id in sorted(self.fresh):
            number, done = self.done[event_id]
            yield Changed(event_id, number, _encoder.encode(done))

    def _lesson(self, login: Login) -> Lesson | None:
        if login.lesson is None:
            return None
        return decode_kept(login.lesson, f"{self.kept.store.path}: login {login.id}").lesson

    def _alike(self, lesson: Lesson, login: Login) -> Iterator[tuple[Login, Lesson]]:
        """The other logins held as the same kind that nobody spoke of, as far as the verdict on
        this one speaks of them: the owner's own kind is judged by the network.
        """
        judged = engine.profile_of(self.state, lesson).judged.get(lesson.alike)
        if not lesson.held or judged is None:
            return
        for other in self.kept.held(login.identity, lesson.alike):
            if other.id not in self.standing and other.id not in self.done:
                found = self._lesson(other)
                if found is not None and judged.network in (None, found.network):
                    yield other, found

    def _others(self, lesson: Lesson) -> list[Decided]:
        """The identity's other logins that verdicts stand on, in the order of those."""
        mine = self.of.get(lesson.identity, {})
        return [Decided(done.lesson, done.kind) for done in mine.values()]

    def _put(self, event_id: str, number: int, done: _Done) -> None:
        self.done[event_id] = (number, done)
        self.of.setdefault(done.lesson.identity, {})[event_id] = done

    def _note(self, event_id: str, number: int, done: _Done) -> None:
        self._put(event_id, number, done)
        self.fresh.add(event_id)
        self.outcome.learned += done.effect.taught is not None
        self.outcome.unlearned += done.kind == TRUE_POSITIVE and done.lesson.trust > 0

    def _reverse(self, event_id: str) -> None:
        _, done = self.done.pop(event_id)
        del self.of[done.lesson.identity][event_id]
        self.fresh.discard(event_id)
        self.gone.append(event_id)
        others = self._others(done.lesson)
        engine.reverse(self.state, done.lesson, done.kind, done.effect, others)


def counted(store: Store) -> Counter[str]:
    """How many verdicts of each kind stand."""
    return Counter(g.verdict.kind for g in Verdicts(store).standing().values())
