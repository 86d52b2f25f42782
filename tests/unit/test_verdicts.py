"""Verdicts on lessons: what was learned is taken back exactly, what was held is learned."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.app.scoring import decode_state, encode_state
from quivive.baseline.lesson import Lesson
from quivive.baseline.profile import Fading, Judged
from quivive.baseline.tables import DAY_MS, OTHER, Level, Table
from quivive.engine import verdicts
from quivive.engine.judged import Scored
from quivive.engine.probation import mature
from quivive.engine.publish import publish_all, teach_others
from quivive.engine.state import State
from quivive.engine.teaching import put
from quivive.engine.verdicts import Decided
from quivive.model.event import AuthEvent
from quivive.model.verdict import FALSE_POSITIVE, KINDS, TRUE_POSITIVE
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    EGRESS,
    ERIC,
    LISBON,
    LONDON,
    OFFICE,
    TORONTO,
    UNKNOWN_CLIENT,
    VANCOUVER,
    Company,
    at,
    company,
    engine,
    login,
    ordinary,
    usual,
)

NOW = at(60)
PLACES = (TORONTO, OFFICE, EGRESS, LONDON, BUCHAREST, VANCOUVER, LISBON)
SLOW = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])


def plain(state: State) -> Any:
    return msgspec.msgpack.decode(encode_state(state))


def same(one: Any, other: Any, path: str = "") -> None:
    """Equal up to float error; an empty table is as good as none."""
    if isinstance(one, dict) and "half_life_ms" in one and "value" in one:
        one, other = (Fading(**found) for found in (one, other))
        assert one.at(NOW) == pytest.approx(other.at(NOW), abs=1e-9), path
    elif isinstance(one, dict):
        assert sorted(map(str, one)) == sorted(map(str, other)), path
        for key, value in one.items():
            same(value, other[key], f"{path}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), path
        for n, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{path}/{n}")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-7, abs=1e-9), path
    else:
        assert one == other, path


def copied(state: State) -> State:
    return decode_state(encode_state(state), "copy")


def lesson_of(scored: Scored) -> Lesson:
    """The lesson of a login, as it comes back from where it was kept."""
    lesson = scored.lesson
    assert lesson is not None
    return msgspec.msgpack.decode(msgspec.msgpack.encode(lesson), type=Lesson)


def insider(time: int) -> AuthEvent:
    """Somebody else with her client and device in the office of a colleague: nothing is odd."""
    return usual(DANA, time, OFFICE, ip=OFFICE.ip(77), app="SharePoint")


def takeover(time: int, **changes: Any) -> AuthEvent:
    return login("dana", time, BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False, **changes)


# tables


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 400)), min_size=1, max_size=40),
    st.data(),
)
def test_what_a_level_learned_is_taken_back_whatever_came_between(
    added: list[tuple[str, float]], data: st.DataObject
) -> None:
    """Adding and taking commute, across any times: counts decay forward."""
    out = data.draw(st.lists(st.integers(0, len(added) - 1), unique=True))
    times = [1 + round(day * DAY_MS) for _, day in added]
    whole, without = Level(30 * DAY_MS, 48, anchor=1), Level(30 * DAY_MS, 48, anchor=1)
    for n, (key, _) in enumerate(added):
        whole.add("f", key, whole.scale(times[n]))
        if n not in out:
            without.add("f", key, without.scale(times[n]))
    for n in out:
        whole.take("f", added[n][0], whole.scale(times[n]))
    last = max(times)
    for key in "abcdef":
        assert whole.count("f", key, last) == pytest.approx(without.count("f", key, last), abs=1e-6)


@pytest.mark.parametrize("days", [1500, 3000])
def test_a_count_is_taken_back_after_its_level_was_rebased(days: int) -> None:
    level = Level(30 * DAY_MS, 48)
    first = 1_000
    for n in range(3):
        level.add("f", "kept", level.scale(first + days * DAY_MS + n))
    level.add("f", "gone", level.scale(first + days * DAY_MS))
    level.rebase(first + days * DAY_MS)
    level.take("f", "gone", level.scale(first + days * DAY_MS))
    assert set(level.tables["f"].values) == {"kept"}
    assert level.count("f", "kept", first + days * DAY_MS) == pytest.approx(3)


def test_what_joined_the_others_is_taken_from_them() -> None:
    table = Table()
    for n in range(9):
        table.add(f"k{n}", 1.0 + n, 8)
    assert "k0" not in table.values
    other, total = table.values[OTHER], table.total
    table.take("k0", 1.0)
    assert table.values[OTHER] == pytest.approx(other - 1)
    assert table.total == pytest.approx(total - 1) == pytest.approx(sum(table.values.values()))


def test_nothing_is_taken_below_nothing() -> None:
    table = Table()
    table.add("a", 2.0, 8)
    table.take("a", 5.0)
    table.take("b", 5.0)
    assert (table.values, table.total) == ({}, 0.0)


# lessons


def test_a_lesson_says_what_was_learned_and_what_was_held() -> None:
    made = company()
    own = lesson_of(made.judges(usual(DANA, at(43, 15))))
    odd = lesson_of(made.judges(takeover(at(43, 16))))
    failed = made.judges(takeover(at(43, 17), status=2))
    assert (own.trust, own.held, own.counted) == (1.0, False, True)
    assert own.before is not None
    assert (odd.trust, odd.held, odd.before) == (0.0, True, None)
    assert odd.alike == "RO|signIns|8708" or odd.alike.startswith("RO|signIns|")
    assert ("country", "RO", True) in odd.features
    assert failed.lesson is None


def test_only_the_first_of_an_hour_counts_when_it_is_held_too() -> None:
    made = company()
    counted = [lesson_of(made.judges(takeover(at(43, 16) + n * 900_000))).counted for n in range(6)]
    assert counted == [True, False, False, False, True, False]


def learned_lesson(made: Company, event: AuthEvent) -> Lesson:
    lesson = lesson_of(made.judges(event))
    assert lesson.trust > 0
    return lesson


@SLOW
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 40)), min_size=1, max_size=6))
def test_taking_back_undoes_learning(steps: list[tuple[Any, int]]) -> None:
    """unlearn after learn leads back, wherever she was; put again leads forth again."""
    made = company()
    time = at(42, 14)
    for place, quarters in steps:
        time += 60_000 + quarters * 900_000
        event = usual(DANA, time, place)
        publish_all(made.engine.state)
        for one in mature(made.engine.state.profile(DANA.email), time):
            teach_others(made.engine.state, one)
        held = copied(made.engine.state)
        scored = made.judges(event)
        lesson = lesson_of(scored)
        state = made.engine.state
        if not lesson.trust:
            continue
        publish_all(state)
        with_it = copied(state)
        undone = copied(state)
        effect = verdicts.settle(undone, lesson, TRUE_POSITIVE)
        for name in ("everyone", "groups"):
            same(plain(undone)["organisation"][name], plain(held)["organisation"][name], name)
        mine, former = undone.profiles[DANA.email], held.profiles[DANA.email]
        for name in ("own", "successes", "countries", "networks", "network_rate", "places",
                     "sessions", "learned", "group", "kind"):  # fmt: skip
            same(
                msgspec.to_builtins(getattr(mine, name)),
                msgspec.to_builtins(getattr(former, name)),
                name,
            )
        for table in ("addresses", "networks"):
            known = {k: v.good for k, v in getattr(held, table).items()}
            assert {k: v.good for k, v in getattr(undone, table).items() if v.good} == {
                k: good for k, good in known.items() if good
            }
        verdicts.reverse(undone, lesson, TRUE_POSITIVE, effect)
        same(plain(undone), plain(with_it))


@SLOW
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    st.sampled_from([insider, takeover]),
    st.integers(0, 3),
)
def test_an_amended_verdict_leaves_what_the_last_alone_would(
    kinds: list[Any], what: Callable[[int], AuthEvent], later: int
) -> None:
    made = company()
    lesson = lesson_of(made.judges(what(at(43, 15))))
    for n in range(later):
        made.judges(usual(DANA, at(43, 17 + n)))
        made.judges(usual(ERIC, at(43, 17 + n)))
    publish_all(made.engine.state)
    amended, alone = copied(made.engine.state), copied(made.engine.state)
    effect = verdicts.apply(amended, lesson, kinds[0])
    for former, kind in pairwise(kinds):
        verdicts.reverse(amended, lesson, former, effect)
        effect = verdicts.apply(amended, lesson, kind)
    verdicts.apply(alone, lesson, kinds[-1])
    same(plain(amended), plain(alone))
    verdicts.reverse(amended, lesson, kinds[-1], effect)
    same(plain(amended), plain(made.engine.state))


def test_released_at_once_is_as_if_it_had_never_been_held() -> None:
    made = company()
    held = lesson_of(made.judges(takeover(at(43, 15))))
    released = copied(made.engine.state)
    effect = verdicts.settle(released, held, FALSE_POSITIVE)
    assert effect.taught is not None
    assert effect.taught.trust == 1.0
    profile = released.profiles[DANA.email]
    assert profile.own.tables["country"].values["RO"] > 0
    assert profile.places[-1].label == "Bucharest, RO"
    assert DANA.email in released.addresses[BUCHAREST.ip()].good
    assert released.organisation.everyone.tables["country"].values["RO"] > 0


@pytest.mark.parametrize("order", [1, -1])
def test_the_logins_of_one_attacker_are_taken_back_in_any_order(order: int) -> None:
    """Each stood where the one before it had stood: behind them the owner's own comes back."""
    made = company()
    made.judges(usual(DANA, at(43, 14)))
    before = copied(made.engine.state)
    taught = [learned_lesson(made, insider(at(43, 15) + n * 60_000)) for n in range(4)]
    state, others = made.engine.state, []
    for lesson in taught[::order]:
        verdicts.apply(state, lesson, TRUE_POSITIVE, others)
        others.append(Decided(lesson, TRUE_POSITIVE))
    mine, former = state.profiles[DANA.email], before.profiles[DANA.email]
    for name in ("own", "successes", "countries", "networks", "places", "learned"):
        same(
            msgspec.to_builtins(getattr(mine, name)),
            msgspec.to_builtins(getattr(former, name)),
            name,
        )
    assert DANA.email not in state.addresses[OFFICE.ip(77)].good


# what comes after


def test_what_slipped_into_the_baseline_and_is_confirmed_was_never_there() -> None:
    """Its next login from there scores as in a company that never saw the first."""
    seen, spared = company(), company()
    slip = usual(DANA, at(40, 3), VANCOUVER, ip=VANCOUVER.ip(66), device=None)
    lesson = lesson_of(seen.judges(slip))
    if not lesson.trust:  # what the gate would have done were it a little less odd
        lesson = put(seen.engine.state, seen.engine.state.profiles[DANA.email], lesson, 1.0)
    for made in (seen, spared):
        made.sees(ordinary(42, 44, seed=8))
    again = usual(DANA, at(44, 3), VANCOUVER, ip=VANCOUVER.ip(66), device=None)
    easy = Company(engine(copied(seen.engine.state))).judges(again).assessment.score
    verdicts.apply(seen.engine.state, lesson, TRUE_POSITIVE)
    hard, expected = seen.judges(again).assessment.score, spared.judges(again).assessment.score
    assert hard == pytest.approx(expected, abs=1e-6)
    assert easy < hard - 1


def test_a_confirmed_kind_is_held_whatever_it_scores_and_for_ever() -> None:
    made = company()
    lesson = lesson_of(made.judges(takeover(at(43, 3))))
    verdicts.apply(made.engine.state, lesson, TRUE_POSITIVE)
    made.engine.state.calibrations.clear()  # nothing is odd to a calibration that knows nothing
    for day in range(44, 60):
        kept = lesson_of(made.judges(takeover(at(day, 3))))
        assert (kept.trust, kept.held) == (0.0, True)
    assert "RO" not in made.engine.state.profiles[DANA.email].own.tables["country"].values


def test_an_attackers_address_is_learned_for_nobody_who_is_not_at_home_there() -> None:
    made = company()
    lesson = lesson_of(made.judges(takeover(at(43, 3), ip="70.24.10.99")))
    verdicts.apply(made.engine.state, lesson, TRUE_POSITIVE)
    other = lesson_of(made.judges(usual(ERIC, at(43, 15), TORONTO, ip="70.24.10.99")))
    home = lesson_of(made.judges(usual(ERIC, at(43, 16))))
    assert (other.trust, other.held) == (0.0, True)
    assert home.trust == 1.0


def test_a_confirmed_attack_speaks_against_its_address_for_others() -> None:
    made, quiet = company(), company()
    from_there = usual(ERIC, at(43, 15), TORONTO, ip="70.24.10.99")
    lesson = lesson_of(made.judges(takeover(at(43, 3), ip="70.24.10.99")))
    quiet.judges(takeover(at(43, 3), ip="70.24.10.99"))
    verdicts.apply(made.engine.state, lesson, TRUE_POSITIVE)
    said, without = made.judges(from_there), quiet.judges(from_there)
    (confirmed,) = [e for e in said.gathered.evidence if e.signal == "tainted_address"]
    assert "attacks on 1 from there are confirmed" in confirmed.text
    assert said.assessment.score > without.assessment.score + 0.5


def test_a_thief_who_looks_like_the_owner_is_told_apart_by_the_network() -> None:
    made = company()
    event = usual(DANA, at(43, 3), VANCOUVER, ip=VANCOUVER.ip(66))
    lesson = lesson_of(made.judges(event))
    verdicts.apply(made.engine.state, lesson, TRUE_POSITIVE)
    judged = made.engine.state.profiles[DANA.email].judged[lesson.alike]
    assert (judged.hostile, judged.network) == (True, "24.80.6.0/24")
    assert lesson_of(made.judges(usual(DANA, at(43, 15)))).trust == 1.0
    assert lesson_of(made.judges(usual(DANA, at(43, 16), VANCOUVER, ip=VANCOUVER.ip(9)))).held


def test_from_the_owners_own_network_nothing_can_be_held() -> None:
    made = company()
    lesson = learned_lesson(made, usual(DANA, at(43, 15)))
    verdicts.apply(made.engine.state, lesson, TRUE_POSITIVE)
    assert made.engine.state.profiles[DANA.email].judged == {}
    assert lesson_of(made.judges(usual(DANA, at(43, 19)))).trust == 1.0


def test_a_mover_somebody_answers_for_is_low_from_then_on() -> None:
    def arrives(made: Company, days: range) -> list[Scored]:
        return [
            made.judges(usual(DANA, at(day, 15), LISBON, ip=LISBON.ip(9), device=None))
            for day in days
        ]

    told, quiet = company(), company()
    first = arrives(told, range(42, 45))
    arrives(quiet, range(42, 45))
    for scored in first:
        verdicts.apply(told.engine.state, lesson_of(scored), FALSE_POSITIVE)
    assert not told.engine.state.profiles[DANA.email].held
    after, without = arrives(told, range(45, 49)), arrives(quiet, range(45, 49))
    assert all(s.assessment.risk_level == "low" for s in after)
    assert all(lesson_of(s).trust > 0 for s in after)
    assert after[-1].assessment.score < without[-1].assessment.score - 3
    assert lesson_of(without[-1]).trust == 0


def test_a_verdict_follows_an_identity_to_its_full_name() -> None:
    made = company()
    lesson = msgspec.structs.replace(
        lesson_of(made.judges(takeover(at(43, 3)))), identity="dana", trust=0.0
    )
    verdicts.apply(made.engine.state, lesson, TRUE_POSITIVE)
    profiles = made.engine.state.profiles
    assert "dana" not in profiles
    assert profiles[DANA.email].judged[lesson.alike].hostile
    profiles["bare"] = msgspec.structs.replace(profiles[DANA.email], judged={"k": Judged(True, 1)})
    made.engine.state.merge_profile("bare", ERIC.email)
    assert profiles[ERIC.email].judged["k"].hostile


def test_a_state_from_before_verdicts_is_read() -> None:
    old = plain(company().engine.state)
    for profile in old["profiles"].values():
        del profile["judged"], profile["held_hours"]
    for address in old["addresses"].values():
        del address["hostile"]
    state = decode_state(msgspec.msgpack.encode(old), "old")
    assert state.profiles[DANA.email].judged == {}
    assert Company(engine(state)).judges(usual(DANA, at(43, 15))).lesson is not None


def test_judged_kinds_stay_bounded() -> None:
    made = company()
    lesson = lesson_of(made.judges(takeover(at(43, 3))))
    for n in range(40):
        one = msgspec.structs.replace(lesson, alike=f"RO|signIns|{n}", identity=f"who{n % 2}")
        verdicts.apply(made.engine.state, one, TRUE_POSITIVE)
        other = msgspec.structs.replace(lesson, identity=f"w{n}")
        verdicts.apply(made.engine.state, other, TRUE_POSITIVE)
    assert all(len(p.judged) <= 16 for p in made.engine.state.profiles.values())
    assert all(len(a.hostile) <= 16 for a in made.engine.state.addresses.values())
