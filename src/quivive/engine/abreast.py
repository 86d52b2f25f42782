"""Logins that cannot know of each other go side by side.

What a login teaches others is known a while later (shared.py), so neighbours that are of different
identities do not depend on each other. Each stage is taken for all of them before the next begins:
a processor that has just run a piece of code runs it again in half the time. What comes out is the
same, to the last bit, as if they were judged one by one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile
from quivive.engine.arrive import Arrival, failed_at
from quivive.engine.observe import observed
from quivive.engine.publish import publish
from quivive.engine.state import State


class Coming(NamedTuple):
    """An arrival as its identity's profile finds it."""

    arrival: Arrival
    profile: Profile
    login: Observation


def abreast(arrivals: Sequence[Arrival], begin: int, state: State) -> list[Coming]:
    """The arrival at ``begin``, with what is due before it made known, and as many after it as
    depend on nothing that comes of those before them.
    """
    first = arrivals[begin]
    publish(state, first.due)
    if first.swept:
        state.sweep(first.event.time)
    found = [_coming(first, state)]
    if first.former is not None:
        return found  # two profiles become one
    # From here on there would be more to make known first.
    pending = state.pending.deltas
    until = min(first.number, pending[0].number) if pending else first.number
    identities = {first.identity}
    failed = _failed(found[0].login)
    for arrival in arrivals[begin + 1 :]:
        if arrival.due >= until or arrival.identity in identities:
            break
        if arrival.former is not None or arrival.swept:
            break
        coming = _coming(arrival, state)
        login = coming.login
        # Failures at an address are known there at once.
        if failed and (login.ip in failed or login.network in failed):
            break
        failed |= _failed(login)
        identities.add(arrival.identity)
        found.append(coming)
    return found


def _coming(arrival: Arrival, state: State) -> Coming:
    identity = arrival.identity
    profile = state.profile(identity)
    login = observed(arrival.event, arrival.enriched, identity, arrival.lent, profile.kind)
    return Coming(arrival, profile, login)


_NOWHERE: frozenset[str | None] = frozenset()


def _failed(login: Observation) -> frozenset[str | None]:
    """Where a login's failure will be known."""
    if failed_at(login) is None:
        return _NOWHERE
    return frozenset(where for where in (login.ip, login.network) if where is not None)
