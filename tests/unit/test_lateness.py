"""Events that come late: within an hour the same is found, later ones are judged all the same."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.baseline.clocks import LATENESS_MS
from quivive.baseline.windows import DistinctWindow, Window
from quivive.engine.judged import Scored
from quivive.model.event import AuthEvent, Status
from tests.scenario.company import (
    BUCHAREST,
    DAY_MS,
    FAR,
    HOUR_MS,
    PYTHON,
    UNKNOWN_CLIENT,
    at,
    company,
    login,
    numbered,
    ordinary,
    texts,
)


def in_order() -> list[AuthEvent]:
    """Two working days of the company, and three takeovers in them, one after many tries."""
    odd = {"agent": UNKNOWN_CLIENT, "mfa": False}
    events = [
        *ordinary(43, 45, seed=5),
        login("dana", at(43, 15.2), BUCHAREST, **odd),
        login("eric", at(44, 3.0), FAR[0], agent=PYTHON, mfa=False, app="Payroll"),
        *(
            login(
                "ca3", at(44, 16) + n * 20_000, FAR[2], agent=UNKNOWN_CLIENT, status=Status.FAILURE
            )
            for n in range(25)
        ),
        login("ca3", at(44, 16.2), FAR[2], **odd),
    ]
    events.sort(key=lambda event: event.time)
    return numbered(events, "e-")


def judged(events: list[AuthEvent]) -> dict[str, Scored]:
    step = company().engine.step
    return {event.metadata.uid or "": said for event in events if (said := step(event))}


@pytest.fixture(scope="module")
def expected() -> dict[str, Scored]:
    return judged(in_order())


# Not scoped by function, so that the company's forty days are decoded once an example only.
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32), bound=st.sampled_from([60_000, 900_000, LATENESS_MS]))
def test_the_same_is_found_of_events_that_come_late_within_the_bound(
    expected: dict[str, Scored], seed: int, bound: int
) -> None:
    """What is found is the same. Risks may differ a little: a login is weighed by what is known
    when it comes. Of the dozens that an identity has made those of the last hour may be missing;
    one of a hundred may be the second of its kind instead of the first.
    """
    rng = Random(seed)
    late = sorted(in_order(), key=lambda event: event.time + rng.random() * bound)
    found = judged(late)
    assert found.keys() == expected.keys()
    told = {uid for uid, said in expected.items() if said.finding}
    assert len(told) == 3
    assert {uid for uid, said in found.items() if said.finding} == told
    off = sorted(
        abs(found[uid].assessment.risk_score - said.assessment.risk_score)
        for uid, said in expected.items()
    )
    assert off[len(off) // 2] < 0.5
    assert off[int(0.98 * len(off))] < 6


def test_a_takeover_that_comes_two_days_late_is_still_judged_and_found() -> None:
    events = in_order()
    taken = next(e for e in events if e.src_endpoint and e.src_endpoint.ip == BUCHAREST.ip())
    there = company()
    there.sees([e for e in events if e is not taken])
    later = there.engine.step(taken)
    assert later is not None
    assert later.finding
    assert "km" in texts(later)  # measured from where she was before and after it


def test_the_same_event_again_changes_nothing_however_late() -> None:
    there = company()
    events = in_order()
    there.sees(events)
    assert [there.engine.step(event) for event in events[:40]] == [None] * 40


def test_windows_put_late_members_where_they_belong() -> None:
    now = 100 * DAY_MS
    seen = DistinctWindow()
    seen.add("RO", now)
    seen.add("RO", now - 5 * HOUR_MS)  # late: it was there later, too
    seen.add("CA", now - 2 * HOUR_MS)
    assert seen.members(now, hours=1) == ["RO"]
    assert sorted(seen.members(now)) == ["CA", "RO"]
    counts = Window()
    for hours in (0, 3, 3, 30):  # the last is beyond the window, and counts nowhere
        counts.add(now - hours * HOUR_MS)
    assert counts.total(now, hours=1) == 1
    assert counts.total(now) == 3
    assert counts.total(now - 2 * HOUR_MS) == 2
