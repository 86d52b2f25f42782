"""Records that cannot be placed in time: without one of their own, or years after all others."""

import json
from pathlib import Path

import pytest

from quivive.app.ingest import Tally
from quivive.app.scoring import STRAY_GAP_MS, STRAYS, merged, score, without_stray_dates
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import FINDING
from quivive.model.event import AuthEvent
from tests.scenario.company import (
    BUCHAREST,
    DAY_MS,
    PEOPLE,
    UNKNOWN_CLIENT,
    at,
    in_order,
    login,
    ordinary,
    usual,
)
from tests.unit.test_bad_input import GOOD

REASON = "dated more than a year after every other record"


def placed(events: list[AuthEvent]) -> tuple[list[AuthEvent], Tally]:
    """What is left of ordered events, and what was told of the others."""
    tally = Tally()
    tally.events["log"] += len(events)
    kept = [e for _, e in without_stray_dates((("log", e) for e in events), tally)]
    return kept, tally


def apart(number: int, first: float = 0.0) -> list[AuthEvent]:
    return [usual(PEOPLE[2], at(first + n, 15)) for n in range(number)]


@pytest.mark.parametrize("strays", [1, 5, STRAYS])
@pytest.mark.parametrize("years", [2, 10, 73])
def test_a_handful_of_last_records_years_ahead_are_rejected(strays: int, years: int) -> None:
    good, late = apart(60), apart(strays, first=366 * years + 60)
    kept, tally = placed(good + late)
    assert kept == good
    assert tally.events["log"] == len(good)
    assert tally.rejected["log"] == strays
    assert {reject.reason for reject in tally.rejects} == {REASON}


def test_strays_may_be_years_apart_from_each_other() -> None:
    good = apart(60)
    late = [usual(PEOPLE[2], at(365 * years, 15)) for years in (3, 20, 50)]
    assert placed(good + late)[0] == good


def test_more_than_a_handful_are_a_gap_in_the_logs() -> None:
    events = apart(60) + apart(STRAYS + 1, first=800) + apart(3, first=830)
    kept, tally = placed(events)
    assert kept == events
    assert not tally.rejects


def test_a_gap_of_a_year_is_none() -> None:
    good = apart(60)
    for gap, rejects in ((STRAY_GAP_MS, 0), (STRAY_GAP_MS + 1, 1)):
        event = usual(PEOPLE[2], good[-1].time + gap)
        assert placed([*good, event])[1].rejected["log"] == rejects


@pytest.mark.parametrize("number", [1, 15, STRAYS, STRAYS + 1, 60])
def test_one_record_from_long_ago_rejects_none_of_the_others(number: int) -> None:
    """A clock that starts in 2000 is as usual as one that is ahead."""
    events = [usual(PEOPLE[2], 946_684_800_000), *apart(number)]
    kept, tally = placed(events)
    assert kept == events
    assert not tally.rejects


def test_nothing_and_one_record_pass() -> None:
    assert placed([])[0] == []
    assert len(placed(apart(1))[0]) == 1


def test_one_record_from_ten_years_ahead_does_not_wipe_what_was_learned() -> None:
    """It is judged by no engine, whatever the logs it comes in."""
    attack = login("eric", at(22, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)
    stray = usual(PEOPLE[2], at(3650, 15))
    events = in_order(ordinary(0, 22, people=PEOPLE[:8]), [attack], [stray])
    state, tally = State(), Tally()
    ordered = without_stray_dates((("log", e) for e in events), tally)
    last = [scored for _, scored in score(ordered, state, Enricher(None, None))][-1]
    assert tally.rejected["log"] == 1
    assert last.event == attack
    assert not last.assessment.low_history
    assert last.assessment.risk_score >= FINDING
    assert state.organisation.everyone.anchor < at(30)
    assert state.organisation.swept < stray.time - 365 * DAY_MS


def undated() -> bytes:
    record = json.loads(GOOD[0])
    del record["published"]
    record["uuid"] = "no-time"
    return json.dumps(record).encode()


def test_merging_drops_the_undated_only(tmp_path: Path) -> None:
    path = tmp_path / "okta.jsonl"
    path.write_bytes(b"\n".join([undated(), *GOOD]) + b"\n")
    tally = Tally()
    kept = [event for _, event in merged([str(path)], None, tally, lambda _: None)]
    assert len(kept) == 3
    assert all(event.metadata.original_time for event in kept)
    assert tally.rejected["okta.jsonl"] == 1
