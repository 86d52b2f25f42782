"""The short road: only what is as it was this hour, and nothing is learned or found differently."""

import pytest
from msgspec.structs import replace

from quivive.app.kept import decode_kept, row_of
from quivive.engine.judged import Scored
from quivive.model.event import AuthEvent, Session, Status
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    ERIC,
    FAR,
    OFFICE,
    TORONTO,
    UNKNOWN_CLIENT,
    at,
    company,
    engine,
    login,
    machines,
    ordinary,
    usual,
)

MINUTE = 60_000


def short(scored: Scored) -> bool:
    return scored.assessment.short_road


def again(event: AuthEvent, minutes: float = 1, **changes: object) -> AuthEvent:
    return replace(event, time=event.time + round(minutes * MINUTE), **changes)


def test_the_same_again_within_the_hour_keeps_its_score() -> None:
    made = company()
    first = made.judges(usual(DANA, at(43, 15)))
    second = made.judges(again(first.event, 10))
    assert not short(first)
    assert short(second)
    assert second.assessment.score == first.assessment.score
    assert second.assessment.not_evaluable == first.assessment.not_evaluable
    assert second.assessment.confidence == pytest.approx(first.assessment.confidence, abs=1e-3)
    assert second.decision.action == "allow"


def test_the_next_hour_takes_the_long_road() -> None:
    made = company()
    made.judges(usual(DANA, at(43, 15)))
    assert not short(made.judges(usual(DANA, at(43, 16))))


@pytest.mark.parametrize(
    "between",
    [
        usual(DANA, at(43, 15.1), status=Status.FAILURE),
        login("dana", at(43, 15.1), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False),
        usual(ERIC, at(43, 15.1), status=Status.FAILURE, ip=TORONTO.ip(DANA.host)),
    ],
    ids=["it failed", "it came from elsewhere", "somebody failed at its address"],
)
def test_whatever_happened_in_between_closes_it(between: AuthEvent) -> None:
    made = company()
    first = made.judges(usual(DANA, at(43, 15)))
    assert short(made.judges(again(first.event, 1)))
    made.sees([between])
    assert not short(made.judges(again(first.event, 12)))


def test_what_is_odd_never_opens_it() -> None:
    made = company()
    taken = login("dana", at(43, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)
    assert made.judges(taken).finding
    assert not short(made.judges(again(taken, 5)))


def test_a_session_that_began_elsewhere_closes_it() -> None:
    made = company()
    session = Session(uid="s-1")
    made.sees([replace(usual(DANA, at(43, 14.5), OFFICE), session=session)])
    first = made.judges(usual(DANA, at(43, 15)))
    assert not short(made.judges(again(first.event, 5, session=session)))


def test_a_newcomer_takes_the_long_road() -> None:
    made = company()
    first = made.judges(login("nina", at(43, 15), FAR[0]))
    assert not short(made.judges(again(first.event)))


def test_it_finds_the_same_and_learns_the_same() -> None:
    """Six weeks with every login doubled, with and without the short road."""
    events = [
        twin
        for event in sorted([*ordinary(0, 42), *machines(0, 42)], key=lambda e: e.time)
        for twin in (event, again(event, 0.5))
    ]
    events += [
        login("dana", at(42, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False),
        usual(DANA, at(42, 15)),
    ]
    shortened, plain = engine(), engine()
    plain.shortens = False
    took, found = 0, []
    for event in events:
        one, two = shortened.step(event), plain.step(event)
        assert one is not None
        assert two is not None
        took += short(one)
        assert not short(two)
        assert one.finding == two.finding
        found.append(one.finding)
    assert took > 0.2 * len(events)
    assert any(found)
    for identity, profile in plain.state.profiles.items():
        other = shortened.state.profile(identity)
        # A score a shade apart may put one lesson off, no more.
        for factor, table in profile.own.tables.items():
            assert other.own.tables[factor].total == pytest.approx(table.total, rel=0.05)
        # Or hold it, at the gate.
        assert other.successes == pytest.approx(profile.successes, rel=0.01)
        assert other.last_seen == profile.last_seen
        assert other.sessions == profile.sessions
        for window in ("countries", "networks"):
            mine, its = getattr(other, window).last_seen, getattr(profile, window).last_seen
            assert list(mine) == list(its)
            # A machine's repeats move its windows once an hour.
            late = max((its[name] - mine[name] for name in its), default=0)
            assert 0 <= late < (60 * MINUTE if profile.kind == "service" else 1)


def test_a_repeat_is_kept_with_its_own_time_and_nothing_else_of_its_own() -> None:
    """Its lesson is the first one's bytes around another time."""
    made = company()
    *before, call = list(machines(43, 44))[:4]
    call = replace(call, session=Session(uid="s-1"))
    made.sees([*before, call])
    for minutes in (1, 2, 3):
        scored = made.judges(again(call, minutes))
        assert short(scored)
        assert scored.taught is not None
        assert scored.taught.is_repeat
        row = row_of("id", scored, b"{}")
        assert row.lesson is not None
        assert decode_kept(row.lesson, "here").lesson == scored.lesson
        assert scored.lesson is not None
        assert scored.lesson.time == call.time + minutes * MINUTE
