"""What memory holds, and when it is saved, changes no result."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.app.keeping import Saver, begin_state
from quivive.app.output import encode_scored
from quivive.app.scoring import engine
from quivive.app.snapshot import encode_state
from quivive.app.spill import Spill
from quivive.baseline.tables import DAY_MS
from quivive.engine import state as states
from quivive.engine.seen import SEEN_KEPT, NewlySeen, Seen
from quivive.engine.state import STRAY_IDLE, State
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent, Status
from quivive.store.database import Store
from tests.scenario.company import BUCHAREST, PEOPLE, UNKNOWN_CLIENT, at, in_order, login, ordinary

FAILED = Status.FAILURE


@pytest.fixture(scope="module")
def events() -> list[AuthEvent]:
    """Some weeks: everybody's days, guessed names that never get in, one from long ago."""
    guesses = [
        login(f"guess{n}", at(day, 3 + n / 9), BUCHAREST, agent=UNKNOWN_CLIENT, status=FAILED)
        for day in (2, 3, 6, 20)
        for n in range(day, day + 5)
    ]
    late = login("eric", at(-9, 4), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)
    usual = ordinary(0, 12, people=PEOPLE[:5]), ordinary(80, 84, people=PEOPLE[:3])
    days = in_order(*usual, guesses)
    return [*days[:60], late, *days[60:]]


@pytest.fixture(scope="module")
def in_memory(events: list[AuthEvent]) -> tuple[list[bytes], bytes]:
    state = State()
    step = engine(state, Enricher(None, None)).step
    lines = [encode_scored(scored, "x") for scored in map(step, events) if scored]
    return lines, encode_state(state)


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROFILES_IN_MEMORY", "ADDRESSES_IN_MEMORY", "PLACES_IN_MEMORY"):
        monkeypatch.setattr(states, name, 2)


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cuts=st.sets(st.integers(1, 260), max_size=25), reopened=st.booleans())
def test_when_it_is_saved_changes_nothing(
    events, in_memory, tight, tmp_path_factory, cuts: set[int], reopened: bool
) -> None:
    """``reopened``: each time with nothing left in memory."""
    lines: list[bytes] = []
    with Store(tmp_path_factory.mktemp("s"), lasting=False) as store:
        state = begin_state(store)
        step, saver = engine(state, Enricher(None, None)).step, Saver(state)
        for number, event in enumerate(events):
            if number in cuts:
                store.commit(saver.take())
                saver.saved()
                assert all(table.in_memory <= 2 for table in state.tables)
                if reopened:
                    state = begin_state(store)
                    step, saver = engine(state, Enricher(None, None)).step, Saver(state)
            scored = step(event)
            if scored is not None:
                lines.append(encode_scored(scored, "x"))
        assert (lines, encode_state(state)) == in_memory
        store.commit(saver.take())
        again = begin_state(store)
        assert encode_state(again) == in_memory[1]
        swept = again.organisation.swept
        assert all(
            row.until is None or row.until > swept or row.swept == swept
            for row in store.scan("profiles")
        )


def test_without_a_store_the_rest_goes_to_a_temporary_file(
    events, in_memory, tight, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    state = State()
    step, spill, lines = engine(state, Enricher(None, None)).step, Spill(state), []
    for number, event in enumerate(events):
        scored = step(event)
        if scored is not None:
            lines.append(encode_scored(scored, "x"))
        if number % 20 == 0:
            spill.relieve()
            assert state.profiles.in_memory <= 2
    assert list(tmp_path.iterdir())
    assert (lines, encode_state(state)) == in_memory
    del state, step, spill
    assert not list(tmp_path.iterdir())


def test_guessed_names_leave_nothing(events) -> None:
    state = State()
    step = engine(state, Enricher(None, None)).step
    for event in events:
        step(event)
    assert not any(name.startswith("guess") for name in state.profiles)
    assert state.organisation.known == 5
    assert len(state.profiles) >= 5
    name = next(iter(state.profiles))
    assert name in state.profiles
    del state.profiles[name]
    assert name not in state.profiles
    with pytest.raises(KeyError):
        state.profiles[name]


def test_an_idle_address_is_forgotten_by_the_sweep_and_not_before() -> None:
    state = State()
    state.sweep(at(10))
    fresh = states.AddressState(last_seen=at(10))
    state.addresses["192.0.2.1"] = fresh
    state.sweep(at(10) + DAY_MS)
    assert state.addresses.get("192.0.2.1") is fresh
    state.sweep(at(10) + STRAY_IDLE)
    assert state.addresses.get("192.0.2.1") is None
    assert state.addresses.take().dropped == ["192.0.2.1"]


def test_ids_are_remembered_up_to_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quivive.engine.seen.SEEN_KEPT", 8)
    seen, chunks = Seen(), []
    for number in range(30):
        assert not seen.again(f"id {number}")
        if number % 4 == 3:
            taken = seen.take()
            assert isinstance(taken, NewlySeen)
            chunks.append(taken)
    assert seen.again("id 29")
    assert not seen.again("id 1")
    restored = Seen()
    restored.restore([(c.number, c.digests) for c in chunks], chunks[-1].oldest)
    assert len(restored) <= 8
    fed = Seen()
    assert not any(fed.again(f"id {number}") for number in range(28))
    assert restored == fed
    assert restored != seen
    assert seen.take() is not None
    assert seen.take() is None
    assert SEEN_KEPT == 500_000
