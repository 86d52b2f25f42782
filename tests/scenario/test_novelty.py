"""What is new to many at once is one event of the organisation; an attack on many is none."""

from msgspec.structs import replace

from quivive.baseline.novelty import CANDIDATES_KEPT, FAILING_KEPT, First, OrganisationEvent
from quivive.model.event import Status
from tests.scenario.company import (
    BUCHAREST_HOTEL,
    CHROME_WINDOWS,
    DAY0,
    DAY_MS,
    DAYS,
    HOUR_MS,
    LISBON,
    OFFICE,
    PEOPLE,
    PYTHON,
    UNKNOWN_CLIENT,
    VANCOUVER,
    Company,
    Person,
    at,
    company,
    in_order,
    login,
    ordinary,
    usual,
)

MONDAY = DAYS + 2
CANADIANS = tuple(person for person in PEOPLE if person.office is OFFICE)
EDGE = CHROME_WINDOWS + " Edg/131.0.0.0"


def events(of: Company, domain: str) -> list[OrganisationEvent]:
    return [e for e in of.engine.state.novelty.events if e.domain == domain]


def morning(people: tuple[Person, ...] = CANADIANS, hour: float = 14.0, **changes: object) -> list:
    return [
        usual(person, at(MONDAY, hour + n / 10), **changes)  # type: ignore[arg-type]
        for n, person in enumerate(people)
    ]


def test_a_new_office_is_one_event_with_its_country_operator_and_network() -> None:
    new = morning(place=LISBON, ip=LISBON.ip(1))
    team = company()
    team.sees(new)
    (event,) = events(team, "place")
    assert event.what == {"network": ["85.240.1.0/24"], "operator": ["3243"], "country": ["PT"]}
    assert event.operator == "MEO"
    assert event.identities == event.anchored == len(CANADIANS)
    assert event.examples[0] == "dana@example.com"
    assert event.first == new[0].time
    assert event.last == new[-1].time
    assert not event.doubted


def test_the_next_days_join_the_event() -> None:
    team = company()
    team.sees(morning(CANADIANS[:6], place=VANCOUVER, ip=VANCOUVER.ip(1)))
    later = [usual(p, at(MONDAY + 2, 15), VANCOUVER, ip=VANCOUVER.ip(1)) for p in CANADIANS[6:]]
    team.sees(later)
    (event,) = events(team, "place")
    assert event.identities == len(CANADIANS)
    assert event.last == later[-1].time


def test_a_browser_that_is_rolled_out_is_an_event() -> None:
    team = company()
    team.sees(morning(agent=EDGE))
    (event,) = events(team, "client")
    assert event.what == {"client": ["signIns/Windows/Edge", "signIns/macOS/Edge"]}
    assert event.identities == len(CANADIANS)
    assert not events(team, "place")


def test_an_application_that_is_introduced_is_an_event() -> None:
    team = company()
    team.sees(morning(app="Travel Desk"))
    (event,) = events(team, "application")
    assert event.what == {"application": ["signIns/Travel Desk"]}


def test_a_few_travellers_and_an_ordinary_week_are_none() -> None:
    team = company()
    team.sees(morning(CANADIANS[:3], place=VANCOUVER), ordinary(MONDAY, MONDAY + 5, seed=9))
    assert team.engine.state.novelty.events == []


def test_two_things_at_once_are_two_events() -> None:
    team = company()
    team.sees(morning(place=VANCOUVER, app="Travel Desk"), morning(agent=EDGE, hour=20.0))
    assert [len(events(team, d)) for d in ("place", "application", "client")] == [1, 1, 1]


def test_those_who_come_one_a_week_are_none() -> None:
    team = company()
    for week, person in enumerate(CANADIANS[:7]):
        team.sees([usual(person, at(MONDAY + 7 * week, 15), VANCOUVER, ip=VANCOUVER.ip(1))])
    assert team.engine.state.novelty.events == []


# --- what an attacker may try


def stuffing(status: int, agent: str, people: tuple[Person, ...], hour: float) -> list:
    return [
        login(person.name, at(MONDAY, hour + n / 50), BUCHAREST_HOTEL, agent=agent, mfa=None,
              status=status)
        for n, person in enumerate(people)
    ]  # fmt: skip


def test_stuffing_that_succeeds_on_many_accounts_is_no_new_office() -> None:
    for agent in (UNKNOWN_CLIENT, PYTHON, CHROME_WINDOWS):
        team = company()
        team.sees(
            stuffing(Status.FAILURE, agent, PEOPLE[:8], 14.0),
            stuffing(Status.SUCCESS, agent, PEOPLE[8:], 15.0),
        )
        assert not events(team, "place")
        assert not events(team, "client")


def test_sessions_stolen_through_one_proxy_are_no_new_office() -> None:
    """No failure, a fresh factor, each victim's own browser: only the laptops are not there."""
    team = company()
    team.sees(
        [
            login(person.name, at(MONDAY, 14 + n / 20), BUCHAREST_HOTEL, agent=person.agent)
            for n, person in enumerate(PEOPLE)
        ]
    )
    assert not events(team, "place")


def test_even_on_their_own_laptops_beside_many_failures_it_is_a_campaign() -> None:
    team = company()
    team.sees(
        stuffing(Status.FAILURE, CHROME_WINDOWS, PEOPLE[10:], 13.0),
        morning(PEOPLE[:10], place=BUCHAREST_HOTEL),
    )
    assert not events(team, "place")


def test_failures_that_come_later_cast_doubt() -> None:
    team = company()
    team.sees(morning(place=BUCHAREST_HOTEL))
    assert not events(team, "place")[0].doubted
    team.sees(stuffing(Status.FAILURE, CHROME_WINDOWS, PEOPLE, 20.0))
    assert events(team, "place")[0].doubted


def test_mistyped_passwords_in_the_new_office_do_not() -> None:
    team = company()
    typo = usual(CANADIANS[3], at(MONDAY, 14.2), VANCOUVER, status=Status.FAILURE)
    team.sees(in_order([typo], morning(place=VANCOUVER)))
    (event,) = events(team, "place")
    assert not event.doubted


def test_it_changes_no_risk() -> None:
    team = company()
    with_event = [s.assessment.risk_score for s in team.sees(morning(place=LISBON))]
    forgetful = company()
    without = []
    for event in morning(place=LISBON):
        forgetful.engine.state.novelty.candidates.clear()
        without += [s.assessment.risk_score for s in forgetful.sees([event])]
    assert with_event == without
    assert events(team, "place")
    assert not events(forgetful, "place")


def test_what_is_remembered_of_failures_and_candidates_is_bounded() -> None:
    team = company()
    novelty = team.engine.state.novelty
    said = team.sees([usual(PEOPLE[0], DAY0 + MONDAY * DAY_MS + 15 * HOUR_MS)])[0].login
    for n in range(1000):
        moved = replace(said, network=f"n{n}", asn=str(n))
        novelty.failed(moved)
        novelty.note(moved, [First("network", f"n{n}", True)], True, 10)
    assert len(novelty.failing) == FAILING_KEPT
    assert len(novelty.candidates) == CANDIDATES_KEPT
