"""Teaching a lesson at another time than its own, and taking one back: each undoes the other."""

from collections.abc import Mapping

from msgspec.structs import replace

from quivive.baseline.lesson import Before, Lesson
from quivive.baseline.profile import (
    CONSTELLATIONS_KEPT,
    GUESTS,
    PLACES_KEPT,
    SESSIONS_KEPT,
    AddressState,
    Place,
    Profile,
)
from quivive.engine.learn import WELCOME_TRUST, at_one, group_of, journey
from quivive.engine.probation import PROBATION, counts, forget, wait, waiting_of
from quivive.engine.publish import teach_others
from quivive.engine.resident import Resident
from quivive.engine.state import State


def put(
    state: State, profile: Profile, lesson: Lesson, trust: float, again: bool = False
) -> Lesson:
    """Teaches a lesson now, with its own time, for ``trust``; gives it as it was learned.

    ``again`` puts one back as it was learned once.
    """
    time, hour = lesson.time, lesson.hour
    former = lesson.before if again else None
    kind, group = profile.kind, profile.group
    known = profile.learned.get(lesson.constellation)
    counted = lesson.counted and (again or known != hour)
    if counted:
        if again and lesson.waits and profile.matured - time < PROBATION:
            for early in wait(profile, waiting_of(lesson, trust)):
                teach_others(state, early)
        else:
            counts(state, profile, time, lesson.group, lesson.features, trust)
        if known is None or known < hour:
            profile.learned.pop(lesson.constellation, None)
            profile.learned[lesson.constellation] = hour
            _bound(profile.learned, CONSTELLATIONS_KEPT)
    profile.successes += 1
    state.organisation.known += profile.successes == 1
    profile.last_seen = max(profile.last_seen, time)
    country = _see(profile.countries.last_seen, lesson.country, time, profile.countries.limit)
    networks = profile.networks.last_seen
    new_network = lesson.network is not None and (
        former.network is None if former is not None else lesson.network not in networks
    )
    if new_network:
        profile.network_rate.settle(time, 1.0)
    network = _see(networks, lesson.network, time, profile.networks.limit)
    welcomed: tuple[int | None, ...] = ()
    if trust >= WELCOME_TRUST:
        for table, key in _whereabouts(state, lesson):
            address = table.setdefault(key, AddressState())
            address.last_seen = max(address.last_seen, time)
            welcomed += (_see(address.good, lesson.identity, time, address.GOOD_KEPT),)
    replaced = dropped = None
    if lesson.place is not None:
        replaced, dropped = _place(profile, lesson.place, former)
    session = lesson.session is not None and lesson.session not in profile.sessions
    if session and lesson.session is not None and lesson.origin is not None:
        profile.sessions[lesson.session] = lesson.origin
        ordered = sorted(profile.sessions.items(), key=lambda item: item[1].time)
        profile.sessions = dict(ordered[-SESSIONS_KEPT:])
    if former is not None:
        if former.regrouped is not None and profile.group == former.group:
            profile.kind, profile.group = lesson.kind, former.regrouped
    elif counted and (not profile.group or profile.kind != lesson.kind):
        profile.kind = lesson.kind
        profile.group = GUESTS if lesson.group == GUESTS else group_of(profile, lesson.kind)
    regrouped = profile.group if profile.group != group else None
    before = Before(
        country, network, welcomed, replaced, dropped, session, known, kind, group, regrouped
    )
    return replace(
        lesson, trust=trust, counted=counted, before=before, waits=again and lesson.waits
    )


def take(state: State, profile: Profile, lesson: Lesson, undone: Mapping[int, Lesson]) -> None:
    """Takes back what a lesson taught, as if it had been held.

    ``undone`` are other lessons of the identity that were taken back, by their time: what stood
    before this one is looked for behind them.
    """
    before = lesson.before
    if before is None:
        if lesson.trust:  # a repeat by the short road (again.py)
            profile.successes = max(0, profile.successes - 1)
        return
    time, hour = lesson.time, lesson.hour
    if lesson.counted:
        if not forget(profile, lesson):
            counts(state, profile, time, lesson.group, lesson.features, -lesson.trust)
        if profile.learned.get(lesson.constellation) == hour:
            _restore(profile.learned, lesson.constellation, before.learned)
    state.organisation.known -= profile.successes == 1
    profile.successes = max(0, profile.successes - 1)
    _unsee(profile.countries.last_seen, lesson.country, lesson, before.country, "country", undone)
    if lesson.network is not None and before.network is None:
        profile.network_rate.settle(time, -1.0)
    _unsee(profile.networks.last_seen, lesson.network, lesson, before.network, "network", undone)
    for n, (table, key) in enumerate(_whereabouts(state, lesson)):
        if key in table and n < len(before.welcomed):
            good = table[key].good
            _unsee(good, lesson.identity, lesson, before.welcomed[n], n, undone)
    if lesson.place is not None:
        _unplace(profile, lesson.place, before, undone)
    origin = profile.sessions.get(lesson.session or "")
    if before.session and origin is not None and origin.time == time:
        del profile.sessions[lesson.session or ""]
    if before.regrouped is not None and profile.group == before.regrouped:
        profile.kind, profile.group = before.kind, before.group


def _see(table: dict[str, int], key: str | None, time: int, limit: int) -> int | None:
    """Notes a time under a key, unless a later one stands there; gives what stood there."""
    if key is None:
        return None
    stood = table.get(key)
    if stood is None or stood < time:
        _restore(table, key, time)
        _bound(table, limit)
    return stood


def _unsee(
    table: dict[str, int],
    key: str | None,
    lesson: Lesson,
    stood: int | None,
    what: str | int,
    undone: Mapping[int, Lesson],
) -> None:
    """Takes a lesson's time from under a key and puts back what stood there before it."""
    if key is None or table.get(key) != lesson.time:
        return
    while stood is not None and stood in undone and stood < lesson.time:
        before = undone[stood].before
        if before is None:
            break
        if isinstance(what, int):
            stood = before.welcomed[what] if what < len(before.welcomed) else None
        else:
            stood = getattr(before, what)
    _restore(table, key, stood)


def _restore(table: dict[str, int], key: str, value: int | None) -> None:
    """Sets or removes one entry of a table that is kept oldest first."""
    table.pop(key, None)
    if value is not None:
        table[key] = value
        ordered = sorted(table.items(), key=lambda item: item[1])
        table.clear()
        table.update(ordered)


def _bound(table: dict[str, int], limit: int) -> None:
    while len(table) > limit:
        table.pop(next(iter(table)))


def _place(
    profile: Profile, place: Place, former: Before | None
) -> tuple[Place | None, Place | None]:
    after = next((p for p in profile.places if p.time > place.time), None)
    if after is not None and at_one(place, after):
        return None, None  # who stayed has moved on in time
    if former is None:
        return journey(place, profile)
    if former.replaced is not None:
        profile.places = [p for p in profile.places if p != former.replaced]
    merged = sorted([*profile.places, place], key=lambda p: p.time)
    profile.places = merged[-PLACES_KEPT:]
    return former.replaced, former.dropped


def _unplace(profile: Profile, place: Place, before: Before, undone: Mapping[int, Lesson]) -> None:
    places = [p for p in profile.places if p != place]
    if len(places) == len(profile.places):
        return  # moved on since: nobody is there any more
    back = before.replaced
    while back is not None and back.time in undone and back.time < place.time:
        earlier = undone[back.time]
        if earlier.place != back or earlier.before is None:
            break
        back = earlier.before.replaced
    for found in (back, before.dropped):
        if found is not None and found not in places:
            places.append(found)
    profile.places = sorted(places, key=lambda p: p.time)[-PLACES_KEPT:]


def _whereabouts(state: State, lesson: Lesson) -> list[tuple[Resident[AddressState], str]]:
    """Where the lesson's address and network are kept, in this order."""
    pairs = ((state.addresses, lesson.ip), (state.networks, lesson.network))
    return [(table, key) for table, key in pairs if key is not None]
