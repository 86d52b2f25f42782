"""Odd logins teach nothing for most of a day.

A login below the gate may still be an attacker's first. Were it learned at once, the second, a few
minutes later from the same address, would look like the owner's own. So whatever stands out among
its class counts in the tables only after a probation; until then every further login from there is
as odd as the first, and what else is new about it adds to that.
"""

from collections.abc import Iterable

from quivive.baseline.lesson import Lesson
from quivive.baseline.profile import Profile, Waiting
from quivive.baseline.windows import HOUR_MS
from quivive.engine.state import State
from quivive.signals.signal import PRIVATE

PROBATION = 20 * HOUR_MS  # so that the same hour of the next day counts as another day
ODD_SHARE = 0.1  # of the logins of a class: these wait
WAITING_KEPT = 24


def wait(profile: Profile, waiting: Waiting) -> list[Waiting]:
    """Puts a lesson off, in its place by time; beyond the bound the oldest is learned early.

    Gives those that the identity has learned now, and others are to learn as well.
    """
    profile.waiting = sorted([*profile.waiting, waiting], key=lambda w: w.time)
    return _bound(profile)


def mature(profile: Profile, time: int) -> list[Waiting]:
    """Learns what has waited long enough at ``time`` (ms UTC); gives it, as ``wait`` does."""
    profile.matured = max(profile.matured, time)
    if not profile.waiting:
        return []
    ripe = [w for w in profile.waiting if time - w.time >= PROBATION]
    if ripe:
        profile.waiting = [w for w in profile.waiting if time - w.time < PROBATION]
        _learn(profile, ripe)
    return ripe + _bound(profile)  # two names of one identity may have been joined


def waiting_of(lesson: Lesson, trust: float) -> Waiting:
    """A lesson as it waits."""
    return Waiting(lesson.time, lesson.constellation, lesson.group, trust, lesson.features)


def forget(profile: Profile, lesson: Lesson) -> bool:
    """Takes a lesson from those that wait. False when it does not wait any more."""
    kept = [
        w
        for w in profile.waiting
        if (w.time, w.constellation) != (lesson.time, lesson.constellation)
    ]
    waited = len(kept) < len(profile.waiting)
    profile.waiting = kept
    return waited


def counts(
    state: State,
    profile: Profile,
    time: int,
    group: str,
    features: Iterable[tuple[str, str, bool]],
    trust: float,
) -> None:
    """Adds features of ``time`` to the three levels, or takes them back where trust is below 0."""
    own, everyone = profile.own, state.organisation.everyone
    peers = state.organisation.group(group)
    amount = abs(trust)
    for factor, key, shared in features:
        levels = [own]
        if factor not in PRIVATE:
            levels = [own, everyone, peers] if shared else [own, everyone]
        for level in levels:
            scale = level.scale(time) * amount
            if trust > 0:
                level.add(factor, key, scale)
            else:
                level.take(factor, key, scale)


def _bound(profile: Profile) -> list[Waiting]:
    early = profile.waiting[:-WAITING_KEPT]
    if early:
        profile.waiting = profile.waiting[-WAITING_KEPT:]
        _learn(profile, early)
    return early


def _learn(profile: Profile, lessons: list[Waiting]) -> None:
    own = profile.own
    for one in lessons:
        pairs = [(factor, key) for factor, key, _ in one.features]
        own.add_all([pairs], own.scale(one.time) * one.trust)
