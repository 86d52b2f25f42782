"""Findings become incidents; priority, silence, patience, closing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.incidents import book as module
from quivive.incidents.book import Book
from quivive.incidents.priority import urgency, weight_of
from quivive.incidents.rules import DAY, HOUR, Rules
from quivive.model.incident import MOST_FINDINGS, MOST_MEMBERS, Finding

T0 = 1_790_000_000_000
MINUTE = 60_000


def finding(number: int = 1, **kw: object) -> Finding:
    made = {
        "id": f"e{number}",
        "time": T0 + number * MINUTE,
        "identity": "dana@example.com",
        "kind": "human",
        "risk": 62.0,
        "confidence": 0.9,
        "service": "Entra ID: Outlook",
        "alike": "RO|9050|Chrome",
        "links": ("address 91.92.1.130",),
    }
    return Finding(**made | kw)


def take(book: Book, *findings: Finding) -> list[str]:
    return [change.what for each in findings for change in book.take(each)]


def only(book: Book):
    (found,) = [i for i in book.incidents.values() if i.merged_into is None]
    return found


# --- grouping


def test_repeats_are_counted_and_not_told() -> None:
    book = Book()
    assert take(book, finding(1), finding(2), finding(3)) == ["opened"]
    incident = only(book)
    assert (incident.count, incident.repeats) == (3, 2)


def test_a_new_service_is_told() -> None:
    book = Book()
    take(book, finding(1))
    assert take(book, finding(2, service="AWS: console", alike="RO|AWS")) == ["grew"]


def test_many_more_of_another_kind_are_told_when_they_have_doubled() -> None:
    book = Book()
    kinds = [finding(n, alike=f"kind {n}") for n in range(1, 9)]
    assert take(book, *kinds) == ["opened", "grew", "grew", "grew"]  # at 2, 4 and 8


def test_a_repeat_after_a_day_is_none() -> None:
    book = Book(rules=Rules(quiet=3 * DAY))
    take(book, finding(1))
    book.take(finding(2, time=T0 + MINUTE + DAY))
    assert only(book).repeats == 0


def test_another_identity_from_the_same_address_is_a_campaign() -> None:
    book = Book()
    said = take(book, finding(1), finding(2, identity="eric@example.com"))
    assert said == ["opened", "grew"]
    incident = only(book)
    assert incident.campaign
    assert incident.joined_by == "address 91.92.1.130"


def test_without_a_link_identities_stay_apart() -> None:
    book = Book()
    take(book, finding(1, links=()), finding(2, identity="eric@example.com", links=()))
    assert len(book.incidents) == 2


def test_a_link_ends_with_its_window() -> None:
    book = Book()
    take(book, finding(1), finding(2, identity="eric@example.com", time=T0 + 2 * DAY))
    assert len(book.incidents) == 2


def test_two_incidents_become_one_when_a_finding_joins_them() -> None:
    book = Book()
    take(book, finding(1, links=("address 1.1.1.1",)))
    take(book, finding(2, identity="eric@example.com", links=("address 2.2.2.2",)))
    said = take(book, finding(3, identity="eric@example.com", links=("address 1.1.1.1",)))
    assert said == ["grew"]
    incident = only(book)
    assert set(incident.identities) == {"dana@example.com", "eric@example.com"}
    assert incident.count == 3
    gone = next(i for i in book.incidents.values() if i.merged_into)
    assert gone.status == "closed"
    assert take(book, finding(4, identity="eric@example.com", links=())) == []
    assert only(book).count == 4


def test_the_same_finding_twice_changes_nothing() -> None:
    book = Book()
    take(book, finding(1), finding(1))
    assert only(book).count == 1


def test_a_late_finding_joins_and_moves_the_beginning() -> None:
    book = Book()
    take(book, finding(5), finding(1, alike="other"))
    assert only(book).opened == T0 + MINUTE


# --- priority


@pytest.mark.parametrize(
    ("kw", "priority", "route"),
    [
        ({"risk": 50.0}, "P4", "ticket"),
        ({"risk": 62.0}, "P3", "ticket"),
        ({"risk": 66.0, "reach": 16}, "P2", "page"),
        ({"risk": 95.0}, "P1", "page"),
        ({"risk": 47.0, "privileged": True}, "P3", "page"),
        ({"risk": 70.0, "privileged": True}, "P1", "page"),
        ({"risk": 70.0, "kind": "service"}, "P2", "page"),
        ({"risk": 70.0, "guest": True}, "P3", "ticket"),
        ({"risk": 95.0, "confidence": 0.1}, "P1", "ticket"),
        ({"risk": 50.0, "confidence": 0.1, "paged": True}, "P4", "page"),
        ({"risk": 95.0, "confidence": 0.1, "pinned": True}, "P1", "page"),
    ],
)
def test_priority_is_risk_times_class_times_reach(
    kw: dict[str, object], priority: str, route: str
) -> None:
    book = Book()
    (change,) = book.take(finding(1, **kw))
    assert (change.priority, change.route) == (priority, route)


def test_a_campaign_is_more_urgent_than_its_findings() -> None:
    book = Book()
    said = take(book, *(finding(n, identity=f"u{n}@example.com") for n in range(1, 6)))
    assert said[0] == "opened"
    assert "raised" in said
    assert only(book).priority in ("P1", "P2")


@given(st.floats(1, 100), st.integers(1, 1000), st.booleans())
def test_more_risk_or_reach_is_never_less_urgent(risk: float, reach: int, admin: bool) -> None:
    def points(**kw: object) -> float:
        book = Book()
        book.take(finding(1, **kw))
        return urgency(only(book)).points

    base = points(risk=risk, reach=reach, privileged=admin)
    assert points(risk=min(100.0, risk + 1), reach=reach, privileged=admin) >= base
    assert points(risk=risk, reach=reach * 2, privileged=admin) >= base
    assert points(risk=risk, reach=reach, privileged=True) >= base
    assert 0.8 < weight_of(finding(1, reach=reach, privileged=admin)) <= 1.96


# --- patience, silence, closing


def test_a_page_that_nobody_answers_is_told_again_with_longer_pauses() -> None:
    book = Book()
    take(book, finding(1, risk=95.0))
    told = []
    for minutes in range(1, 60 * 24, 5):
        told += [(minutes, c.what) for c in book.tick(T0 + MINUTE + minutes * MINUTE)]
    assert [what for _, what in told] == ["escalated"] * 3
    assert [m for m, _ in told] == [16, 46, 106]


def test_who_acknowledges_is_left_in_peace_until_it_gets_worse() -> None:
    book = Book()
    take(book, finding(1, risk=80.0))
    incident = only(book)
    book.acknowledge(incident.id, "ana", T0 + 5 * MINUTE, "looking")
    assert book.tick(T0 + 3 * HOUR) == []
    assert take(book, finding(200, risk=80.0)) == []
    assert incident.status == "acknowledged"
    assert take(book, finding(201, risk=99.0)) == ["raised"]
    assert incident.status == "open"


def test_what_is_acknowledged_or_a_ticket_closes_after_a_quiet_day() -> None:
    book = Book()
    take(book, finding(1))
    (change,) = book.tick(T0 + 2 * DAY)
    assert change.what == "closed"
    assert only(book).closed_at == T0 + MINUTE + DAY


def test_an_unanswered_page_stays_open_for_two_weeks() -> None:
    book = Book()
    take(book, finding(1, risk=95.0))
    book.tick(T0 + 5 * DAY)
    assert only(book).status == "open"
    book.tick(T0 + 15 * DAY)
    assert only(book).closed_because == "nobody answered"


def test_what_comes_back_within_a_week_is_opened_again() -> None:
    book = Book()
    take(book, finding(1))
    assert take(book, finding(1, id="e2", time=T0 + 3 * DAY)) == ["closed", "reopened"]
    assert only(book).reopened == 1


def test_what_comes_back_later_is_another_incident() -> None:
    book = Book()
    take(book, finding(1))
    book.take(finding(2, time=T0 + 20 * DAY))
    assert [i.reopened for i in book.incidents.values()] == [0, 0]
    book.tick(T0 + 21 * DAY)
    assert len(book.incidents) == 1  # the old one is forgotten


def test_maintenance_is_silent_but_not_for_what_is_pinned() -> None:
    book = Book()
    assert take(book, finding(1, suppressed="maintenance db-7")) == []
    incident = only(book)
    assert (incident.suppressed, incident.suppressed_by) == (1, "maintenance db-7")
    assert book.tick(T0 + 5 * HOUR) == []
    assert take(book, finding(2, alike="else")) == ["opened"]
    loud = Book()
    assert take(loud, finding(1, suppressed="maintenance db-7", pinned=True)) == ["opened"]


def test_what_was_only_silent_closes_without_a_word() -> None:
    book = Book()
    take(book, finding(1, suppressed="deploy 12"))
    assert book.tick(T0 + 3 * DAY) == []
    assert only(book).status == "closed"


def test_failed_containment_pages_whatever_the_risk() -> None:
    book = Book()
    take(book, finding(1, risk=47.0))
    (change,) = book.containment_failed("e1", T0 + HOUR, "Okta refused")
    assert (change.what, change.priority, change.route) == ("raised", "P1", "page")
    assert book.containment_failed("e1", T0 + HOUR, "again") == []
    assert book.containment_failed("unknown", T0 + HOUR, "?") == []


def test_verdicts_close_or_acknowledge() -> None:
    book = Book()
    take(book, finding(1), finding(2))
    assert book.judged("e1", "false_positive", "ana", T0 + HOUR) == []
    (change,) = book.judged("e2", "benign_true_positive", "ana", T0 + HOUR)
    assert change.what == "closed"
    other = Book()
    take(other, finding(1))
    assert other.judged("e1", "true_positive", "ana", T0 + HOUR) == []
    assert only(other).status == "acknowledged"


def test_closed_and_unknown_incidents_cannot_be_acknowledged() -> None:
    book = Book()
    take(book, finding(1))
    incident = only(book)
    book.close(incident.id, "ana", T0 + HOUR, "her new phone")
    for name in (incident.id, "INC-0"):
        with pytest.raises(KeyError):
            book.acknowledge(name, "ana", T0 + HOUR)


# --- bounds, determinism, going on


def test_a_huge_campaign_stays_small() -> None:
    book = Book()
    for number in range(400):
        book.take(finding(number, identity=f"u{number}@example.com"))
    incident = only(book)
    assert len(incident.identities) == MOST_MEMBERS
    assert len(incident.identities) + incident.more_identities == 400
    assert len(incident.findings) == MOST_FINDINGS
    assert incident.count == 400


def test_there_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_INCIDENTS", 50)
    book = Book()
    take(book, finding(0, risk=99.0, links=()))
    for number in range(1, 200):
        book.take(finding(number, identity=f"u{number}", links=()))
    assert len(book.incidents) <= 50
    assert any(i.best == "e0" for i in book.incidents.values())  # the worst was not dropped
    assert len(book.dirty) == 200


_findings = st.lists(
    st.builds(
        finding,
        number=st.integers(0, 30_000),
        identity=st.sampled_from(["a", "b", "c"]),
        alike=st.sampled_from(["x", "y"]),
        risk=st.floats(46, 100),
        service=st.sampled_from(["s", "t"]),
        links=st.sampled_from([(), ("address 1",), ("address 2",), ("address 1", "network 3")]),
        suppressed=st.sampled_from([None, None, "maintenance 1"]),
    ),
    max_size=25,
    unique_by=lambda f: f.id,
)


@settings(max_examples=80)
@given(_findings)
def test_no_finding_is_lost_and_going_on_is_the_same(findings: list[Finding]) -> None:
    straight, restarted = Book(), Book()
    one, other = [], []
    for each in findings:
        one += straight.take(each)
        other += restarted.take(each)
        kept = [replace(i) for i in restarted.incidents.values()]
        restarted = Book(kept, restarted.rules)
    assert one == other
    assert len({change.key for change in one}) == len(one)
    alive = [i for i in straight.dirty.values() if i.merged_into is None]
    assert sum(i.count for i in alive) == len(findings)
    for incident in alive:
        assert incident.repeats <= incident.count
        assert incident.told_times or incident.suppressed == incident.count
