"""What the second seed calls noise: deadlines, journeys, moves, growth, shared egress."""

import re
from dataclasses import replace
from random import Random

import msgspec
import pytest

from quivive.engine.judged import Scored
from tests.scenario.company import (
    CHROME_MAC,
    CHROME_WINDOWS,
    DANA,
    EGRESS,
    ERIC,
    HAMILTON,
    LISBON,
    OFFICE,
    PEOPLE,
    TORONTO,
    UNKNOWN_CLIENT,
    VANCOUVER,
    Company,
    Person,
    at,
    company,
    findings,
    is_finding,
    login,
    moved,
    ordinary,
    texts,
    usual,
    working_day,
)

OTHERS = tuple(person for person in PEOPLE if person is not DANA)


def test_two_ordinary_weeks_have_almost_no_finding() -> None:
    said = company().sees(ordinary(42, 56, seed=2))
    assert len(said) > 700
    assert len(findings(said)) <= 0.005 * len(said)


@pytest.mark.parametrize("hours", [(15, 17, 19), (14, 22)])
def test_weekend_deadline_work_is_no_finding(hours: tuple[int, ...]) -> None:
    """A Saturday and a Sunday, all else normal."""
    said = company().sees(
        [usual(DANA, at(day, hour), HAMILTON) for day in (40, 41) for hour in hours]
    )
    assert findings(said) == []
    assert any("weekend, here S" in texts(s) for s in said)


def test_a_late_evening_alone_is_no_finding() -> None:
    assert not is_finding(company().judges(usual(DANA, at(43, 2))))


def test_a_new_laptop_with_another_system_alone_is_no_alarm_above_medium() -> None:
    changed = msgspec.structs.replace(ERIC.device, uid="dev-new", name="NEW-1")
    said = company().judges(usual(DANA, at(43, 15), device=changed, agent=CHROME_WINDOWS))
    assert said.assessment.risk_level in ("low", "medium")


def move(days: range) -> tuple[Company, list[Scored]]:
    """Dana with her own laptop in Vancouver, while the others go on as before."""
    made, rng, own = company(), Random(5), []
    there = moved(DANA, VANCOUVER)
    for day in days:
        if day % 7 < 5:
            made.sees(ordinary(day, day + 1, seed=day, people=OTHERS))
            own += made.sees(working_day(there, day, rng))
    return made, own


def test_a_move_to_another_city_is_a_finding_or_two_in_four_weeks() -> None:
    _, own = move(range(42, 70))
    assert len(own) > 60
    assert len(findings(own)) <= 2


def test_a_new_home_is_learned_in_the_end() -> None:
    _, own = move(range(42, 84))
    assert own[-1].assessment.score < own[0].assessment.score - 2
    assert not any(re.search(r"([4-9]|\d\d) days (since|of)", texts(s)) for s in own)


def test_an_office_that_moves_is_told_for_a_few_days_only() -> None:
    made = company()
    new = replace(VANCOUVER, net="24.80.99", asn=852, operator="Telus")
    people = tuple(replace(p, office=new) if p.office is OFFICE else p for p in PEOPLE)
    by_day = [
        len(findings(made.sees(ordinary(day, day + 1, seed=day, people=people))))
        for day in range(42, 63)
        if day % 7 < 5
    ]
    assert sum(by_day[5:]) <= 1
    assert sum(by_day) <= 24  # sixteen colleagues work there


def test_thirty_new_hires_are_low_history_and_few_findings() -> None:
    made = company()
    hires = tuple(
        Person(f"new{n}", (TORONTO,), OFFICE, 120 + n, CHROME_WINDOWS if n % 2 else CHROME_MAC)
        for n in range(30)
    )
    said = made.sees(ordinary(42, 56, seed=4), ordinary(42, 56, seed=44, people=hires))
    new = [s for s in said if s.login.identity.startswith("new")]
    first = {}
    for scored in new:
        first.setdefault(scored.login.identity, scored)
    assert len(first) == 30
    assert all(s.assessment.low_history for s in first.values())
    assert all(s.assessment.confidence < 0.1 for s in first.values())
    assert not any(s.assessment.low_history for s in new[-30:])
    assert len(findings(said)) <= 0.01 * len(said)


def test_a_newcomer_attacked_on_the_first_day_is_judged_like_the_colleagues() -> None:
    odd = company().judges(login("new1", at(43, 3), LISBON, agent=UNKNOWN_CLIENT, mfa=False))
    plain = company().judges(login("new2", at(43, 15), TORONTO, agent=CHROME_WINDOWS))
    assert odd.assessment.score > plain.assessment.score + 3
    assert odd.assessment.low_history


def test_from_nothing_at_all_the_first_days_are_quiet() -> None:
    said = Company().sees(ordinary(0, 10))
    assert len(findings(said)) <= 0.005 * len(said)
    assert said[0].assessment.confidence == 0


def test_a_company_vpn_is_neither_a_finding_nor_an_impossible_journey() -> None:
    made = company()
    assert not ERIC.vpn
    made.judges(usual(ERIC, at(42, 15)))
    over_vpn = made.judges(usual(ERIC, at(42, 15.2), EGRESS))
    back = made.judges(usual(ERIC, at(42, 15.4)))
    assert not is_finding(over_vpn)
    assert not is_finding(back)
    for scored in (over_vpn, back):
        for reason in scored.assessment.reasons:
            assert reason.signal != "travel" or reason.weight < 1
    stranger = company()
    stranger.judges(usual(ERIC, at(42, 15)))
    unknown = stranger.judges(usual(ERIC, at(42, 15.2), replace(EGRESS, net="23.9.9", asn=20473)))
    assert unknown.assessment.score > over_vpn.assessment.score + 2


def test_a_record_without_an_address_is_not_evaluable_and_no_finding() -> None:
    blank = company().judges(login("dana", at(43, 15), None, device=DANA.device))
    assert any(told.startswith("country: ") for told in blank.assessment.not_evaluable)
    assert any(told.startswith("address: ") for told in blank.assessment.not_evaluable)
    assert not is_finding(blank)
    full = company().judges(usual(DANA, at(43, 15)))
    assert blank.assessment.confidence < full.assessment.confidence
