"""What a verdict does to what was learned: it takes back, or teaches after all.

A true positive takes back all that the login taught and holds its kind from then on; any other
verdict teaches a held login now, with its own time, and lets its kind be learned. Both can be
reversed exactly: each gives an ``Effect``, and reversing it in the same state leads back to the
state before, but for when an address was last seen. Between them the engine may have gone on;
decayed counts stay exact then, and what is bounded (places, sessions, categories) may have dropped
what it would have kept.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from quivive.baseline.lesson import Lesson
from quivive.baseline.profile import AddressState, Held, Judged, Profile, ToldOf
from quivive.baseline.tables import Level
from quivive.engine.publish import publish_all
from quivive.engine.state import State
from quivive.engine.teaching import put, take
from quivive.model.verdict import TRUE_POSITIVE, VerdictKind

VOUCHED_TRUST = 1.0  # what a held login counts for once somebody answers for it
OWN_LOGINS = 3.0  # effective logins that make a country or client the identity's own
JUDGED_KEPT = 16
HOSTILE_KEPT = 16


class Effect(Struct, frozen=True, array_like=True):
    """What one verdict changed about one login, which is what reversing it needs.

    taught: the lesson as it was learned after all; None where the verdict took back or changed
        nothing. held, told, findings: what was forgotten of its kind, and of its address and
        network.
    """

    taught: Lesson | None = None
    held: Held | None = None
    told: ToldOf | None = None
    findings: tuple[int | None, ...] = ()


class Decided(NamedTuple):
    """Another login of the same identity, and the verdict that stands on it."""

    lesson: Lesson
    kind: VerdictKind


def apply(
    state: State, lesson: Lesson, kind: VerdictKind, others: Sequence[Decided] = ()
) -> Effect:
    """Changes the state as the verdict on a login asks for; gives what ``reverse`` needs.

    ``others`` are the identity's other logins with verdicts that stand, in the order in which
    they were given: what those took back is not put in the place of what is taken back now.
    """
    publish_all(state)
    effect = settle(state, lesson, kind, others)
    profile = profile_of(state, lesson)
    if kind != TRUE_POSITIVE:
        effect = _forget(state, lesson, profile, effect)
    mark(state, lesson, [*others, Decided(lesson, kind)])
    return effect


def settle(
    state: State, lesson: Lesson, kind: VerdictKind, others: Sequence[Decided] = ()
) -> Effect:
    """Takes back or teaches one lesson, without a word on its kind.

    For the logins of the same kind that a verdict on another one covers.
    """
    publish_all(state)
    profile = profile_of(state, lesson)
    if kind == TRUE_POSITIVE:
        if lesson.trust:
            take(state, profile, lesson, _undone(others))
        return Effect()
    if lesson.trust:
        return Effect()
    return Effect(taught=put(state, profile, lesson, VOUCHED_TRUST))


def reverse(
    state: State,
    lesson: Lesson,
    kind: VerdictKind,
    effect: Effect,
    others: Sequence[Decided] = (),
) -> None:
    """Undoes ``apply`` (or ``settle``), so that another verdict can take its place."""
    publish_all(state)
    profile = profile_of(state, lesson)
    if kind == TRUE_POSITIVE:
        if lesson.trust:
            put(state, profile, lesson, lesson.trust, again=True)
    elif effect.taught is not None:
        take(state, profile, effect.taught, _undone(others))
    _recall(state, lesson, profile, effect)
    mark(state, lesson, others)


def profile_of(state: State, lesson: Lesson) -> Profile:
    """The profile a lesson belongs to, under the name that the identity has by now."""
    name = lesson.identity
    if name not in state.profiles:
        joined = state.directory.by_local_part.get(name)
        if joined is not None and len(joined) == 1:
            name = joined[0]
    return state.profile(name)


def _undone(others: Sequence[Decided]) -> Mapping[int, Lesson]:
    return {o.lesson.time: o.lesson for o in others if o.kind == TRUE_POSITIVE and o.lesson.trust}


def _forget(state: State, lesson: Lesson, profile: Profile, effect: Effect) -> Effect:
    """Somebody answers for it: nothing of its kind is held or told any more."""
    held = next((h for h in profile.held if h.kind == lesson.alike), None)
    if held is not None:
        profile.held = [h for h in profile.held if h is not held]
    told = profile.told_constellations.pop(lesson.alike, None)
    findings: list[int | None] = []
    for address in _addresses(state, lesson):
        time = address.findings.get(lesson.identity)
        if time is not None and time <= lesson.time:
            del address.findings[lesson.identity]
            findings.append(time)
        else:
            findings.append(None)
    return Effect(effect.taught, held, told, tuple(findings))


def _recall(state: State, lesson: Lesson, profile: Profile, effect: Effect) -> None:
    if effect.held is not None and all(h.kind != lesson.alike for h in profile.held):
        profile.held = sorted([*profile.held, effect.held], key=lambda h: h.last)
    if effect.told is not None:
        told = profile.told_constellations
        told.setdefault(lesson.alike, effect.told)
        ordered = sorted(told.items(), key=lambda item: item[1].time)
        told.clear()
        told.update(ordered)
    for address, time in zip(_addresses(state, lesson), effect.findings, strict=False):
        if time is not None:
            address.findings.setdefault(lesson.identity, time)


def mark(state: State, lesson: Lesson, standing: Sequence[Decided]) -> None:
    """What the standing verdicts say of the lesson's kind and address; the last one counts."""
    profile = profile_of(state, lesson)
    profile.judged.pop(lesson.alike, None)
    same = [d for d in standing if d.lesson.alike == lesson.alike]
    if same:
        judged = _judged(profile, same[-1], sum(not d.lesson.trust for d in same))
        if judged is not None:
            profile.judged[lesson.alike] = judged
            if len(profile.judged) > JUDGED_KEPT:
                profile.judged.pop(next(iter(profile.judged)))
    if lesson.ip is None:
        return
    times = [
        d.lesson.time for d in standing if d.kind == TRUE_POSITIVE and d.lesson.ip == lesson.ip
    ]
    address = state.addresses.get(lesson.ip)
    if times:
        if address is None:
            address = state.addresses[lesson.ip] = AddressState(last_seen=lesson.time)
        address.hostile[lesson.identity] = max(times)
        if len(address.hostile) > HOSTILE_KEPT:
            address.hostile.pop(next(iter(address.hostile)))
    elif address is not None:
        address.hostile.pop(lesson.identity, None)


def _judged(profile: Profile, decided: Decided, released: int) -> Judged | None:
    """The word on a kind; of a kind that is the owner's own, only on the network.

    A thief who looks like the owner and came over the owner's own network cannot be told apart,
    so nothing is held for him. ``released`` logins of the kind count only since verdicts.
    """
    lesson, own = decided.lesson, profile.own
    hostile = decided.kind == TRUE_POSITIVE
    enough = OWN_LOGINS + released
    if not (
        _is_own(own, lesson, enough, "country") and _is_own(own, lesson, enough, "device", "client")
    ):
        return Judged(hostile, lesson.time)
    if lesson.network is None or (hostile and _is_own(own, lesson, enough, "subnet")):
        return None
    return Judged(hostile, lesson.time, lesson.network)


def _is_own(level: Level, lesson: Lesson, enough: float, *factors: str) -> bool:
    """Whether the identity itself shows the login's category of the first factor it states."""
    for factor in factors:
        key = lesson.own(factor)
        if key is not None:
            return level.count(factor, key, lesson.time) >= enough
    return True


def _addresses(state: State, lesson: Lesson) -> list[AddressState]:
    found = []
    for table, key in ((state.addresses, lesson.ip), (state.networks, lesson.network)):
        address = None if key is None else table.get(key)
        if address is not None:
            found.append(address)
    return found
