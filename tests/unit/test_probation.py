"""Probation: what an odd login teaches is put off for most of a day, and nothing is lost by it."""

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.app.output import encode_scored
from quivive.app.scoring import decode_state, encode_state
from quivive.baseline.lesson import Lesson
from quivive.baseline.profile import Profile, Waiting
from quivive.baseline.windows import HOUR_MS
from quivive.engine import verdicts
from quivive.engine.judged import Scored
from quivive.engine.probation import (
    PRIVATE,
    PROBATION,
    WAITING_KEPT,
    counts,
    forget,
    mature,
    wait,
)
from quivive.engine.publish import publish_all, teach_others
from quivive.engine.state import State
from quivive.engine.verdicts import Decided
from quivive.model.event import AuthEvent
from quivive.model.verdict import FALSE_POSITIVE, TRUE_POSITIVE
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    HAMILTON,
    PEOPLE,
    UNKNOWN_CLIENT,
    VANCOUVER,
    Company,
    at,
    engine,
    login,
    ordinary,
    usual,
)

ADDRESS = HAMILTON.ip(200)
OPERATOR = str(VANCOUVER.asn)
COFFEE = VANCOUVER.ip(77)


@cache
def _learned() -> bytes:
    made = Company(engine())
    made.sees(ordinary(0, 11, people=PEOPLE[:6]))
    return encode_state(made.engine.state)


def small() -> Company:
    """Six colleagues after eleven days; the next working day is the eleventh."""
    return Company(engine(decode_state(_learned(), "test")))


def elsewhere(time: int, **changes: Any) -> AuthEvent:
    """Dana with her own laptop from another city: odd, and below the gate."""
    return usual(DANA, time, VANCOUVER, **{"ip": COFFEE, **changes})


def seen(made: Company, factor: str, key: str, time: int) -> tuple[float, float]:
    """How often she, and everybody, showed a category."""
    state = made.engine.state
    publish_all(state)
    return (
        state.profiles[DANA.email].own.count(factor, key, time),
        state.organisation.everyone.count(factor, key, time),
    )


def weight(scored: Scored, signal: str) -> float:
    (found,) = [w.weight for w in scored.gathered.weighed if w.feature.signal == signal]
    return found


def lesson_of(scored: Scored) -> Lesson:
    lesson = scored.lesson
    assert lesson is not None
    return msgspec.msgpack.decode(msgspec.msgpack.encode(lesson), type=Lesson)


def copied(made: Company) -> State:
    return decode_state(encode_state(made.engine.state), "copy")


# in the engine


def test_an_odd_login_counts_only_the_next_day() -> None:
    made = small()
    first = made.judges(elsewhere(at(11, 15)))
    soon = made.judges(elsewhere(at(11, 15 + 1 / 6)))
    taught = lesson_of(first)
    assert (taught.trust, taught.held, taught.counted, taught.waits) == (1.0, False, True, True)
    for signal in ("address", "network", "city"):
        assert weight(soon, signal) >= weight(first, signal)
    assert soon.assessment.score >= first.assessment.score
    assert seen(made, "operator", OPERATOR, at(11, 16)) == (0.0, 0.0)
    late = made.judges(elsewhere(at(12, 15)))
    assert weight(late, "address") < weight(first, "address") - 1
    assert late.assessment.score < first.assessment.score - 2
    own, everyone = seen(made, "operator", OPERATOR, at(12, 15))
    assert not lesson_of(late).waits
    # As of the time of the first, not of its learning; the second was of the same hour.
    assert own == pytest.approx(1 + 2 ** (-1 / 30))
    assert everyone == pytest.approx(1 + 2 ** (-1 / 60))


def test_what_is_not_odd_counts_at_once() -> None:
    made = small()
    before = seen(made, "log", "signIns", at(11, 15))[0]
    scored = made.judges(usual(DANA, at(11, 15)))
    assert not lesson_of(scored).waits
    assert made.engine.state.profiles[DANA.email].waiting == []
    assert seen(made, "log", "signIns", at(11, 15))[0] == pytest.approx(before + 1)


def test_the_windows_and_the_welcome_do_not_wait() -> None:
    """Only the tables do: a journey from where she just was is none."""
    made = small()
    made.judges(elsewhere(at(11, 15)))
    state = made.engine.state
    publish_all(state)
    profile = state.profiles[DANA.email]
    assert profile.waiting
    assert profile.places[-1].label.startswith("Vancouver")
    assert DANA.email in state.addresses[COFFEE].good


def test_a_waiting_lesson_is_learned_when_its_identity_comes_again() -> None:
    made = small()
    made.judges(elsewhere(at(11, 15)))
    made.judges(usual(PEOPLE[1], at(12, 16)))
    assert seen(made, "operator", OPERATOR, at(12, 16)) == (0.0, 0.0)
    made.judges(usual(DANA, at(12, 16)))
    assert seen(made, "operator", OPERATOR, at(12, 16))[0] > 0.9


def test_a_state_saved_while_lessons_wait_goes_on_as_if_unbroken() -> None:
    events = [
        elsewhere(at(11, 15)),
        usual(DANA, at(11, 16)),
        elsewhere(at(11, 17.5), app="SharePoint"),
        usual(PEOPLE[1], at(11, 18)),
        elsewhere(at(12, 11.5)),
        elsewhere(at(12, 15)),
        usual(DANA, at(12, 16)),
    ]
    whole = small()
    expected = [encode_scored(s, "log") for s in whole.sees(events)]
    for cut in (1, 3, 5):
        first = small()
        lines = [encode_scored(s, "log") for s in first.sees(events[:cut])]
        assert first.engine.state.profiles[DANA.email].waiting
        again = Company(engine(copied(first)))
        lines += [encode_scored(s, "log") for s in again.sees(events[cut:])]
        assert lines == expected
        assert encode_state(again.engine.state) == encode_state(whole.engine.state)


# verdicts


def test_a_confirmed_attack_that_waits_is_forgotten_and_comes_back_exactly() -> None:
    made = small()
    made.judges(usual(DANA, at(11, 14)))
    lessons = [
        lesson_of(made.judges(elsewhere(at(11, hour), app=app)))
        for hour, app in ((15, "Office 365"), (17.5, "SharePoint"), (19, "Office 365"))
    ]
    state, before = made.engine.state, copied(made)
    assert all(lesson.waits for lesson in lessons)
    profile = state.profiles[DANA.email]
    waiting = list(profile.waiting)
    effect = verdicts.apply(state, lessons[1], TRUE_POSITIVE)
    assert profile.waiting == [waiting[0], waiting[2]]
    assert msgspec.to_builtins(profile.own) == msgspec.to_builtins(before.profiles[DANA.email].own)
    verdicts.reverse(state, lessons[1], TRUE_POSITIVE, effect)
    assert profile.waiting == waiting  # in its place, though it was taken from the middle
    made.judges(usual(DANA, at(12, 16)))
    spared = Company(engine(before))
    spared.judges(usual(DANA, at(12, 16)))
    assert made.engine.state.profiles[DANA.email].own == before.profiles[DANA.email].own


def test_a_confirmed_attack_is_taken_back_after_its_probation_too() -> None:
    made = small()
    taught = lesson_of(made.judges(elsewhere(at(11, 15))))
    made.judges(usual(DANA, at(12, 16)))
    assert seen(made, "operator", OPERATOR, at(12, 16))[0] > 0.9
    state = made.engine.state
    effect = verdicts.apply(state, taught, TRUE_POSITIVE)
    assert seen(made, "operator", OPERATOR, at(12, 16)) == pytest.approx((0.0, 0.0), abs=1e-9)
    verdicts.reverse(state, taught, TRUE_POSITIVE, effect)
    assert state.profiles[DANA.email].waiting == []  # it had been learned: so it is again
    assert seen(made, "operator", OPERATOR, at(12, 16))[0] == pytest.approx(2 ** (-25 / 24 / 30))


def test_what_is_taken_back_while_it_waits_never_counts() -> None:
    made, spared = small(), small()
    taught = lesson_of(made.judges(elsewhere(at(11, 15))))
    verdicts.apply(made.engine.state, taught, TRUE_POSITIVE, [Decided(taught, TRUE_POSITIVE)])
    for one in (made, spared):
        one.sees([usual(DANA, at(12, 15)), usual(DANA, at(13, 15))])
    mine, theirs = (one.engine.state.profiles[DANA.email].own for one in (made, spared))
    assert OPERATOR not in mine.tables["operator"].values
    assert set(mine.tables) == set(theirs.tables)


def test_a_waiting_lesson_in_order_is_learned_and_a_held_one_at_once() -> None:
    made = small()
    taught = lesson_of(made.judges(elsewhere(at(11, 15))))
    assert taught.waits
    verdicts.apply(made.engine.state, taught, FALSE_POSITIVE)
    made.judges(usual(DANA, at(12, 16)))
    assert seen(made, "operator", OPERATOR, at(12, 16))[0] == pytest.approx(2 ** (-25 / 24 / 30))
    odd = login("dana", at(12, 17), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)
    held = lesson_of(made.judges(odd))
    assert (held.trust, held.held) == (0.0, True)
    before = copied(made)
    state = made.engine.state
    effect = verdicts.apply(state, held, FALSE_POSITIVE)
    assert effect.taught is not None
    assert not effect.taught.waits
    assert seen(made, "country", "RO", at(12, 17))[0] == pytest.approx(1.0)
    assert all("RO" not in key for w in state.profiles[DANA.email].waiting for key in w.features)
    verdicts.reverse(state, held, FALSE_POSITIVE, effect)
    assert seen(made, "country", "RO", at(12, 17)) == pytest.approx((0.0, 0.0), abs=1e-9)
    profile, former = state.profiles[DANA.email], before.profiles[DANA.email]
    assert (profile.waiting, profile.held) == (former.waiting, former.held)


# alone


def waiting(time: int, key: str = "home", trust: float = 1.0) -> Waiting:
    return Waiting(
        time, f"{key}|{time}", "human:X", trust, (("operator", key, True), ("address", key, False))
    )


def test_it_lasts_most_of_a_day_so_that_the_same_hour_tomorrow_is_over_it() -> None:
    assert 12 * HOUR_MS < PROBATION < 23 * HOUR_MS
    profile = Profile()
    wait(profile, waiting(at(1)))
    mature(profile, at(1) + PROBATION - 1)
    assert (len(profile.waiting), profile.own.tables) == (1, {})
    mature(profile, at(1) + PROBATION)
    assert profile.waiting == []
    assert profile.own.count("operator", "home", at(1)) == 1.0


def test_what_only_an_identity_keeps_is_never_shared() -> None:
    profile = Profile()
    private = [(name, "c", True) for name in PRIVATE]
    features = [("operator", "a", True), ("hour", "b", False), *private]
    state = State()
    counts(state, profile, at(1), "human:X", features, 0.5)
    organisation = state.organisation
    assert set(profile.own.tables) == {"operator", "hour", *PRIVATE}
    assert set(organisation.everyone.tables) == {"operator", "hour"}
    assert set(organisation.groups["human:X"].tables) == {"operator"}
    assert profile.own.count("operator", "a", at(1)) == 0.5


@given(st.integers(0, 60), st.floats(0.001, 0.7))
def test_it_stays_bounded_and_the_oldest_is_learned_early(number: int, hours: float) -> None:
    profile = Profile()
    for n in range(number):
        wait(profile, waiting(at(1, n * hours / 60), f"k{n}"))
    early = max(0, number - WAITING_KEPT)
    assert [w.features[0][1] for w in profile.waiting] == [f"k{n}" for n in range(early, number)]
    table = profile.own.tables.get("operator")
    assert set(table.values if table else {}) == {f"k{n}" for n in range(early)}


@given(st.lists(st.integers(0, 200), max_size=50, unique=True))
def test_those_that_wait_are_in_order_of_time_however_they_came(minutes: list[int]) -> None:
    """So that the one which is learned early is the oldest, after a verdict was reversed too."""
    profile = Profile()
    for minute in minutes:
        wait(profile, waiting(at(1) + minute * 60_000))
    times = [w.time for w in profile.waiting]
    assert times == sorted(times)
    if len(minutes) > WAITING_KEPT:
        assert len(times) == WAITING_KEPT
        assert times[-1] == at(1) + max(minutes) * 60_000


@given(
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from([0.5, 1.0])), max_size=30),
    st.lists(st.integers(0, 120), max_size=6),
)
def test_in_the_end_the_same_is_learned_as_without_probation(
    lessons: list[tuple[int, float]], visits: list[int]
) -> None:
    """Counts decay forward: what is learned late is worth what it would have been worth."""
    late, prompt = State(), State()
    mine, theirs = Profile(), Profile()
    found = sorted((at(1, hour), trust) for hour, trust in lessons)
    steps = [(time, trust) for time, trust in found] + [(at(1, hour), None) for hour in visits]
    for time, trust in sorted(steps, key=lambda step: step[0]):
        ripe = mature(mine, time)
        if trust is not None:
            one = waiting(time, f"k{time % 7}", trust)
            ripe += wait(mine, one)
            counts(prompt, theirs, time, one.group, one.features, trust)
        for learned in ripe:
            teach_others(late, learned)
    for learned in mature(mine, at(9)):
        teach_others(late, learned)
    assert mine.waiting == []
    for level, other in (
        (mine.own, theirs.own),
        (late.organisation.everyone, prompt.organisation.everyone),
        (late.organisation.group("human:X"), prompt.organisation.group("human:X")),
    ):
        for key in (f"k{n}" for n in range(7)):
            expected = other.count("operator", key, at(9))
            assert level.count("operator", key, at(9)) == pytest.approx(expected, rel=1e-9)


def test_only_the_lesson_itself_is_forgotten() -> None:
    made = small()
    made.judges(elsewhere(at(11, 15)))
    taught = lesson_of(made.judges(elsewhere(at(11, 16))))
    profile = made.engine.state.profiles[DANA.email]
    assert len(profile.waiting) == 2
    assert not forget(profile, msgspec.structs.replace(taught, constellation="other"))
    assert not forget(profile, msgspec.structs.replace(taught, time=taught.time + 1))
    assert len(profile.waiting) == 2
    assert forget(profile, taught)
    assert [w.time for w in profile.waiting] == [at(11, 15)]
    assert not forget(profile, taught)


def test_lessons_go_on_waiting_under_the_full_name_of_their_identity() -> None:
    state = State()
    bare, full = state.profile("dana"), state.profile(DANA.email)
    for n in range(WAITING_KEPT):
        wait(bare, waiting(at(1, n / 10), f"bare{n}"))
        wait(full, waiting(at(1, n / 10 + 0.05), f"full{n}"))
    everything = sorted([*bare.waiting, *full.waiting], key=lambda w: w.time)
    state.merge_profile("dana", DANA.email)
    assert full.waiting == everything
    mature(full, at(1, 3))  # as the engine does before it looks at the login
    assert full.waiting == everything[WAITING_KEPT:]  # both lists together are over the bound
    assert set(full.own.tables["operator"].values) == {
        w.features[0][1] for w in everything[:WAITING_KEPT]
    }
