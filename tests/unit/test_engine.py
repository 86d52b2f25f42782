"""The engine as a fold over events: the same again, in two halves, with duplicates."""

from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.app.errors import UsageError
from quivive.app.output import encode_scored
from quivive.app.registry import signals
from quivive.app.scoring import decode_state, encode_state
from quivive.engine.engine import Engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import CRITICAL, FINDING, HIGH, level_of
from quivive.model.event import Activity, AuthEvent, Status
from quivive.scoring.model import SHIPPED
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    FAR,
    PEOPLE,
    TORONTO,
    UNKNOWN_CLIENT,
    at,
    backup_run,
    in_order,
    login,
    ordinary,
    usual,
)


def engine(state: State | None = None) -> Engine:
    return Engine(state if state is not None else State(), Enricher(None, None), signals())


def lines(made: Engine, events: list[AuthEvent]) -> list[bytes]:
    return [encode_scored(s, "log") for s in map(made.step, events) if s is not None]


@cache
def stream() -> tuple[AuthEvent, ...]:
    """Three weeks of ten people and a machine, a guessing attack and a success, ids on all."""
    attack = [
        login("dana", at(18, 1) + n * 600_000, place, agent=UNKNOWN_CLIENT, mfa=None,
              status=Status.FAILURE)
        for n, place in enumerate(FAR)
    ]  # fmt: skip
    events = in_order(
        ordinary(0, 21, people=PEOPLE[:10]),
        [backup_run(day) for day in range(21)],
        attack,
        [login("dana", at(18, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)],
    )
    return tuple(
        msgspec.structs.replace(
            event,
            metadata=msgspec.structs.replace(event.metadata, uid=f"id-{number}", sequence=number),
        )
        for number, event in enumerate(events, start=1)
    )


@cache
def unbroken() -> tuple[bytes, ...]:
    return tuple(lines(engine(), list(stream())))


def test_the_same_input_twice_gives_the_same_bytes() -> None:
    assert tuple(lines(engine(), list(stream()))) == unbroken()
    assert len(unbroken()) == len(stream())


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.86, 0.99])
def test_a_state_saved_and_loaded_midway_goes_on_as_if_unbroken(share: float) -> None:
    events = list(stream())
    cut = int(len(events) * share)
    first = engine()
    before = lines(first, events[:cut])
    second = engine(decode_state(encode_state(first.state), "test"))
    assert tuple(before + lines(second, events[cut:])) == unbroken()


def test_saving_a_state_twice_gives_the_same_bytes() -> None:
    made = engine()
    lines(made, list(stream())[:400])
    once = decode_state(encode_state(made.state), "test")
    assert once == made.state
    body = encode_state(once)
    assert encode_state(decode_state(body, "test")) == body


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), max_size=40))
def test_duplicates_change_nothing(repeats: list[tuple[int, int]]) -> None:
    """Events seen before come again at any later place in the stream."""
    events = list(stream())[:300]
    again: dict[int, list[AuthEvent]] = {}
    for early, late in repeats:
        first, second = sorted((early % len(events), late % len(events)))
        again.setdefault(second, []).append(events[first])
    made = engine()
    found = []
    for number, event in enumerate(events):
        found += lines(made, [event])
        assert lines(made, again.get(number, [])) == []
    assert tuple(found) == unbroken()[:300]


def crowded() -> list[AuthEvent]:
    """Ten people at work within minutes of each other, a spray from one address that gets in, and
    ids that come twice.
    """
    spray = [
        login(person.name, at(9, 14) + n * 1_000, FAR[2], ip="95.24.8.9", mfa=None,
              status=Status.SUCCESS if n == 7 else Status.FAILURE)
        for n, person in enumerate(PEOPLE[:8])
    ]  # fmt: skip
    events = in_order(ordinary(0, 14, people=PEOPLE[:10]), spray, list(stream())[:200])
    return [event for event in events for _ in range(1 + (event.time % 7 == 0))]


@pytest.mark.parametrize("at_once", [1, 2, 7, 50, 10_000])
def test_side_by_side_is_as_one_by_one(at_once: int) -> None:
    events = crowded()
    one, many = engine(), engine()
    expected = [one.step(event) for event in events]
    found: list[Scored | None] = []
    sizes = []
    for begin in range(0, len(events), at_once):
        for piece in many.steps(events[begin : begin + at_once]):
            found += piece
            sizes.append(len(piece))
    assert [s and encode_scored(s, "log") for s in found] == [
        s and encode_scored(s, "log") for s in expected
    ]
    assert encode_state(many.state) == encode_state(one.state)
    assert at_once == 1 or max(sizes) > 1


def test_the_same_id_in_another_log_is_another_event() -> None:
    made = engine()
    event = usual(DANA, at(0, 15), uid="1")
    other = msgspec.structs.replace(
        event, metadata=msgspec.structs.replace(event.metadata, log_name="audit")
    )
    assert len(lines(made, [event, other, event])) == 2


def test_the_same_id_in_another_product_is_another_event() -> None:
    made = engine()
    events = []
    for product in ("sshd", "Kubernetes"):
        event = usual(DANA, at(0, 15), uid="1")
        metadata = msgspec.structs.replace(
            event.metadata, log_name=None, product=type(event.metadata.product)(name=product)
        )
        events.append(msgspec.structs.replace(event, metadata=metadata))
    assert len(lines(made, events)) == 2


def test_events_without_an_id_are_never_taken_for_duplicates() -> None:
    event = usual(DANA, at(0, 15))
    assert len(lines(engine(), [event, event])) == 2


def test_a_log_off_gives_no_line_and_teaches_nothing() -> None:
    made = engine()
    lines(made, list(stream())[:200])
    before = encode_state(made.state)
    off = login("dana", at(5, 15), FAR[0], activity=Activity.LOGOFF, uid="off-1")
    assert lines(made, [off]) == []
    assert encode_state(made.state) == before


HEAVY = max(SHIPPED.weights.values())


def test_every_risk_is_within_its_bounds_and_has_its_level() -> None:
    for body in unbroken():
        line = msgspec.json.decode(body)
        risk = line["risk_score"]
        assert isinstance(risk, float)
        assert 0 <= risk <= 100
        assert line["risk_level"] == level_of(risk)
        assert 0 <= line["confidence"] <= 1
        assert len(line["reasons"]) <= 5
        assert len(line["reassuring"]) <= 3
        assert all(-3 * HEAVY <= r["weight"] <= 6 * HEAVY and r["text"] for r in line["reasons"])
        assert ("counterfactual" not in line) or risk >= FINDING


@pytest.mark.parametrize(
    ("risk", "word"),
    [
        (0.0, "low"), (FINDING - 1e-9, "low"), (FINDING, "medium"), (HIGH - 1e-9, "medium"),
        (HIGH, "high"), (CRITICAL, "critical"), (100.0, "critical"),
    ],
)  # fmt: skip
def test_levels_change_at_their_bounds(risk: float, word: str) -> None:
    assert level_of(risk) == word


def test_the_top_of_the_ranking_has_no_ties() -> None:
    risks = sorted((msgspec.json.decode(b)["risk_score"] for b in unbroken()), reverse=True)
    assert len(set(risks[:20])) == 20


def test_the_takeover_in_the_stream_ranks_first() -> None:
    best = max(map(msgspec.json.decode, unbroken()), key=lambda line: line["risk_score"])
    assert best["event"]["src_endpoint"]["location"]["country"] == "RO"


@pytest.mark.parametrize("status", [Status.FAILURE, Status.OTHER, Status.UNKNOWN])
def test_only_successes_are_learned(status: int) -> None:
    made = engine()
    lines(made, list(stream())[:300])
    own = made.state.profiles[DANA.email].own
    everyone = made.state.organisation.everyone
    before = msgspec.msgpack.encode((own, everyone))
    for hour in range(12):
        lines(made, [login("dana", at(9, hour), TORONTO, status=status)])
    assert msgspec.msgpack.encode((own, everyone)) == before


def test_what_surrounds_a_login_is_no_login() -> None:
    made = engine()
    lines(made, list(stream())[:300])
    own = made.state.profiles[DANA.email].own
    before = msgspec.msgpack.encode(own)
    reset = msgspec.structs.replace(
        usual(DANA, at(9, 15)), activity_id=Activity.OTHER, activity_name="Password Reset"
    )
    lines(made, [reset])
    assert msgspec.msgpack.encode(own) == before
    assert made.state.profiles[DANA.email].recoveries


def test_one_constellation_teaches_once_an_hour() -> None:
    made = engine()
    lines(made, list(stream())[:300])
    table = made.state.profiles[DANA.email].own.tables["log"]
    start = at(9, 15)
    before = table.total
    lines(made, [usual(DANA, start)])
    once = table.total
    assert once > before
    lines(made, [usual(DANA, start + n * 1000) for n in range(1, 200)])
    assert table.total == once
    lines(made, [usual(DANA, start + 3_600_000)])
    assert table.total > once


def test_a_profile_stays_bounded_under_ever_new_things() -> None:
    made = engine()
    for number in range(1500):
        place = FAR[number % len(FAR)]
        device = msgspec.structs.replace(DANA.device, uid=f"d{number}")
        made.step(
            login("dana", at(number / 24), place, ip=f"10.{number % 250}.{number % 199}.7",
                  agent=f"tool{number}/1", device=device, app=f"app {number}")
        )  # fmt: skip
    profile = made.state.profiles[DANA.email]
    assert all(len(t.values) <= profile.own.limit for t in profile.own.tables.values())
    assert len(profile.places) <= 8
    assert len(profile.learned) <= 48
    assert len(profile.held) <= 8
    assert len(msgspec.msgpack.encode(profile)) < 64_000


@pytest.mark.parametrize("years", [45, 73])
def test_a_record_at_the_end_of_the_century_is_scored(years: int) -> None:
    made = engine()
    lines(made, list(stream())[:100])
    assert len(lines(made, [usual(PEOPLE[1], at(365 * years, 15))])) == 1


def test_a_record_from_long_ago_is_scored_and_harms_nothing() -> None:
    made = engine()
    lines(made, list(stream()))
    assert len(lines(made, [usual(PEOPLE[2], 946_684_800_000)])) == 1
    after = made.step(login("eric", at(22, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False))
    assert after is not None
    assert after.assessment.risk_score >= FINDING


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "damaged state"),
        (b"\xc1", "damaged state"),
        (b"\x93\x01\x02\x03", "damaged state"),
        (encode_state(State(version=99)), "state version 99"),
    ],
)
def test_a_state_that_cannot_be_used_is_refused_in_words(body: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        decode_state(body, "somewhere")
