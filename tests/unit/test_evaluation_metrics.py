"""Figures of an evaluation on rows small enough to count by hand."""

from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.baseline.observation import Observation
from quivive.learn.evaluation.bootstrap import Part, share
from quivive.learn.evaluation.counting import allowance, count, operated, ranking
from quivive.learn.evaluation.labels import Label, Labels
from quivive.learn.evaluation.metrics import Context, measured, operational
from quivive.learn.evaluation.review import for_nothing, missed, together
from quivive.learn.evaluation.rows import QUIVIVE, Rows
from quivive.learn.evaluation.split import (
    SplitError,
    Trial,
    default_split,
    folds_of_kinds,
    parse_split,
    trial,
)
from quivive.learn.evaluation.teaching import lessons
from quivive.learn.evidence import Raw
from quivive.model.assessment import Assessment, Reason, level_of

DAY = 86_400_000
HOUR = 3_600_000
BEGIN = 20_000 * DAY


def added(
    rows: Rows,
    time: int,
    risk: float = 0.0,
    who: str = "dana",
    kind: str = "human",
    cold: bool = False,
    accepted: bool = True,
    undamped: float | None = None,
) -> int:
    """One more login, its number from 1."""
    number = len(rows) + 1
    login = Observation(
        time=time, identity=who, kind=kind, log="Test", outcome="success", accepted=accepted,
        hour=0, weekday=0,
    )  # fmt: skip
    said = Assessment(
        score=risk / 10,
        risk_score=risk,
        risk_level=level_of(risk),
        confidence=1.0,
        reasons=(Reason(signal="country", text=f"login {number}", weight=1.0),),
        reassuring=(),
        counterfactual=None,
        looks_like="",
        otherwise="",
        not_evaluable=(),
        low_history=cold,
        undamped=risk if undamped is None else undamped,
    )
    rows.add("a.log", number, None, login, said)
    return number


def labelled(*found: tuple[int, str, str]) -> Labels:
    return Labels([
        Label(f"f:{line}", "a.log", sequence, None, incident, kind)
        for line, (sequence, incident, kind) in enumerate(found, 1)
    ])  # fmt: skip


def thirty_days(risks: dict[int, float], labels: dict[int, tuple[str, str]]) -> tuple[Rows, Trial]:
    """Ten logins a day for thirty days, the last twenty judged; 200 logins, by number from 0."""
    rows = Rows()
    for number in range(300):
        risk = risks.get(number - 100, 1 + (number * 37 % 300) / 1000)
        added(rows, BEGIN + number // 10 * DAY + number % 10 * HOUR, risk, f"p{number % 7}")
    marks = labelled(*((number + 101, *mark) for number, mark in labels.items()))
    return rows, trial(rows, marks, BEGIN + 10 * DAY)


def test_recall_precision_and_time_at_a_budget() -> None:
    rows, tried = thirty_days(
        {10: 90, 30: 80, 55: 85, 14: 20},
        {10: ("i1", "spray"), 14: ("i1", "spray"), 31: ("i2", "travel"), 55: ("i3", "spray"),
         50: ("i3", "spray")},
    )  # fmt: skip
    assert (len(tried.rows), len(tried.incident)) == (200, 5)
    counted = count(rows, tried, QUIVIVE, "Quivive", [0.005, 0.01, 0.02])
    one, two, four = counted.at
    assert (one.alerts, one.found) == (1, [True, False, False])
    assert (two.alerts, two.found, two.hits) == (2, [True, False, True], 2)
    assert (four.alerts, four.hits) == (4, 3)  # 80 is nobody's, 20 is an attacker's again
    assert two.at_first == [True, False, False]
    assert two.delay == [0, None, 5 * HOUR]
    assert counted.best[:3:2] == [0, 1]

    context = Context(tried.incidents, len(tried.rows), len(tried.incident), tried.days)
    found = measured([(context, counted)])
    at = found.at[1]
    assert at.incident_recall.value == pytest.approx(2 / 3)
    assert at.event_recall == pytest.approx(2 / 5)
    assert at.precision.value == 1
    assert at.median_hours == 2.5
    assert at.at_first_login == 0.5
    assert {kind: (f.found, f.of) for kind, f in at.by_kind.items()} == {
        "spray": (2, 2), "travel": (0, 1)}  # fmt: skip
    assert at.alerts_a_day == pytest.approx(2 / tried.days)


def test_organisations_are_added_up_and_not_averaged() -> None:
    parts = []
    for found in ({10: 90.0}, {}):
        rows, tried = thirty_days(found, {10: ("i1", "spray")} if found else
                                  {10: ("i1", "spray"), 70: ("i2", "spray")})  # fmt: skip
        context = Context(tried.incidents, len(tried.rows), len(tried.incident), tried.days)
        parts.append((context, count(rows, tried, QUIVIVE, "Quivive", [0.005])))
    at = measured(parts).at[0]
    assert (at.incidents.found, at.incidents.of) == (1, 3)
    assert at.alerts == 2
    assert at.alerts_a_day == pytest.approx(2 / (2 * tried.days))


def test_an_incident_without_a_login_is_missed() -> None:
    rows, _ = thirty_days({10: 90}, {})
    marks = labelled((111, "i1", "spray"), (500, "i2", "spray"))  # 500 was a skipped record
    tried = trial(rows, marks, BEGIN + 10 * DAY)
    assert count(rows, tried, QUIVIVE, "", [0.01]).at[0].found == [True, False]
    told = missed(rows, tried, "org", 0.01)
    assert [(miss.incident, miss.logins, miss.rank) for miss in told] == [("i2", 0, None)]


def test_what_cannot_be_judged_is_never_told() -> None:
    rows, _ = thirty_days({}, {})
    rows.scores["other"] = rows.scores[QUIVIVE][:]
    for row in range(len(rows)):
        rows.scores["other"][row] = -inf if row % 100 else 1.0
    tried = trial(rows, labelled((102, "i1", "spray")), BEGIN + 10 * DAY)
    found = count(rows, tried, "other", "", [0.5])
    assert (found.at[0].alerts, found.best) == (2, [None])


@given(st.permutations(range(40)))
def test_ties_are_broken_whatever_the_label(order: Sequence[int]) -> None:
    rows = Rows()
    for number in range(40):
        added(rows, BEGIN + number * HOUR, 5.0)
    first = [order[0] + 1, order[1] + 1]
    here = ranking(rows, trial(rows, labelled((first[0], "i", "k")), BEGIN), QUIVIVE)
    there = ranking(rows, trial(rows, labelled((first[1], "i", "k")), BEGIN), QUIVIVE)
    assert here == there
    assert sorted(here) == list(range(40))
    assert here != sorted(here)  # nor by time, which labels could go with


def test_the_budget_is_of_the_test_window_alone() -> None:
    rows, tried = thirty_days({-50: 95, -20: 95, 10: 60}, {10: ("i1", "spray")})
    assert count(rows, tried, QUIVIVE, "", [0.005]).at[0].found == [True]


def test_an_incident_belongs_wholly_to_the_side_where_it_began() -> None:
    rows, _ = thirty_days({5: 90, 10: 80}, {})
    marks = labelled((50, "early", "spray"), (106, "early", "spray"), (111, "late", "spray"))
    tried = trial(rows, marks, BEGIN + 10 * DAY)
    assert [incident.name for incident in tried.incidents] == ["late"]
    assert 105 not in tried.rows
    assert len(tried.rows) == 199
    assert count(rows, tried, QUIVIVE, "", [0.0051]).at[0].found == [True]


def test_the_controller_realises_the_budget() -> None:
    rows, tried = thirty_days({190: 90}, {190: ("i1", "spray")})
    at = count(rows, tried, QUIVIVE, "", [0.05]).at[0]
    assert at.realised_found == [True]
    assert 0.02 < at.realised / 200 < 0.1
    quiet = count(rows, tried, QUIVIVE, "", [0.0001]).at[0]
    assert quiet.alerts == 0
    assert quiet.realised <= 1  # the first raises the threshold out of reach


def test_default_split_is_the_first_third_without_labels() -> None:
    assert default_split(0, 300, None) == 100
    assert default_split(0, 300, 250) == 100
    assert default_split(0, 300, 40) == 40
    rows, _ = thirty_days({}, {})
    assert trial(rows, labelled((31, "i1", "k"))).split == rows.time[30]


@pytest.mark.parametrize(
    ("text", "day"), [("1", 0), ("21", 20), ("2024-10-14", 10), ("2024-10-14T12:00:00+00:00", 10.5)]
)
def test_a_split_is_a_day_or_a_date(text: str, day: float) -> None:
    assert parse_split(text, BEGIN + HOUR) == BEGIN + day * DAY


def test_a_split_that_says_nothing_or_leaves_nothing_is_an_error() -> None:
    with pytest.raises(SplitError, match="neither a date"):
        parse_split("soon", BEGIN)
    rows, _ = thirty_days({}, {})
    with pytest.raises(SplitError, match="after the last login"):
        trial(rows, labelled(), BEGIN + 40 * DAY)
    with pytest.raises(SplitError, match="no logins"):
        trial(Rows(), labelled())


def test_folds_hold_everything_out_once() -> None:
    kinds = [f"k{n}" for n in range(12)]
    folds = folds_of_kinds(kinds)
    assert sorted(kind for fold in folds for kind in fold) == sorted(kinds)
    assert folds_of_kinds(["a", "b"]) == [{"a"}, {"b"}]


def test_intervals_hold_the_value_and_narrow_with_more() -> None:
    few = share([Part(n % 2, 1) for n in range(10)], "a")
    many = share([Part(n % 2, 1) for n in range(1000)], "a")
    assert few.value == many.value == 0.5
    assert few.low < 0.35 < 0.65 < few.high
    assert 0.45 < many.low < 0.5 < many.high < 0.55
    assert share([Part(n % 2, 1) for n in range(10)], "a") == few
    assert share([], "a").value is None
    assert share([Part(1, 2)], "a", 0).low is None
    assert (share([Part(1, 1)] * 9, "a").low, share([Part(0, 3)] * 9, "a").high) == (1, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_a_share_lies_in_its_interval_and_between_0_and_1(parts: list[tuple[int, int]]) -> None:
    found = share([Part(min(pair), max(pair)) for pair in parts], "x", 100)
    if found.value is not None and found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.high <= 1
        assert 0 <= found.value <= 1


@given(st.integers(0, 10**6), st.sampled_from([0.001, 0.003, 0.005, 0.01, 0.3]))
def test_allowance_is_the_whole_part(logins: int, budget: float) -> None:
    assert allowance(logins, budget) == logins * round(budget * 1000) // 1000


def test_operational_metrics() -> None:
    rows = Rows()
    for day in range(14):
        for who in ("dana", "eric"):
            added(rows, BEGIN + day * DAY, 5, who)
        added(rows, BEGIN + day * DAY + HOUR, 5, "svc", "service")
    added(rows, BEGIN + 13 * DAY + 2 * HOUR, 70, "eric")  # eric's own: a challenge for nothing
    added(rows, BEGIN + 13 * DAY + 3 * HOUR, 10, "dana")
    attack = added(rows, BEGIN + 13 * DAY + 4 * HOUR, 90, "dana")
    added(rows, BEGIN + 13 * DAY + 5 * HOUR, 50, "svc", "service")
    added(rows, BEGIN + 14 * DAY, 90, "guess", accepted=False)  # no user of ours is bothered
    tried = trial(rows, labelled((attack - 1, "i1", "k"), (attack, "i1", "k"),
                                 (9999, "i2", "k")), BEGIN)  # fmt: skip
    found = {metric.id: metric for metric in operational([operated(rows, tried)])}
    logins = len(rows)
    assert list(found) == [f"M{n}" for n in range(1, 11)]
    assert found["M1"].value == pytest.approx(4 / logins)
    assert found["M2"].value == pytest.approx(3 / 4)
    assert found["M3"].value == 3600
    assert found["M6"].value == pytest.approx(1 / 15)
    assert found["M7"].value == pytest.approx(1 / 4)  # one of two people in one of two weeks
    assert found["M8"].value == pytest.approx(4 / 14)
    assert found["M9"].value == pytest.approx(1 / 4)
    assert found["M10"].value == pytest.approx(1 / 2)
    for silent in ("M4", "M5"):
        assert found[silent].value is None
        assert "not computable offline" in found[silent].note


def test_alerts_for_nothing_are_grouped_by_reason_and_added_up() -> None:
    rows, tried = thirty_days({10: 90, 30: 80, 55: 85}, {10: ("i1", "spray")})
    (group,) = for_nothing(rows, tried, "org", 0.015)
    assert (group.signals, group.count, group.identity_kind) == ("country", 2, "human")
    assert [example.risk for example in group.examples] == [85, 80]
    assert group.examples[0].reasons == ("login 156",)
    assert group.examples[0].event == "a.log:156"
    (both,) = together([group, group])
    assert (both.count, both.identities) == (4, 4)


def test_evidence_is_kept_as_it_was() -> None:
    rows = Rows()
    said = [(Raw("country", "place", 2.5, 1.0),), (), (Raw("hour", "time", -1.0, 0.0),)]
    for evidence in said:
        added(rows, BEGIN, 1)
        rows.keep_evidence(evidence)
    assert [rows.evidence_of(row) for row in range(3)] == said


def test_lessons_are_what_an_analyst_would_have_judged() -> None:
    rows, _ = thirty_days({10: 90, 30: 80, 55: 85}, {})
    for _ in range(len(rows)):
        rows.keep_evidence((Raw("country", "place", 2.5, 1.0),))
    marks = labelled((111, "i1", "spray"), (104, "i1", "spray"), (200, "late", "travel"))
    found = lessons(rows, marks.until(rows.time[199]))
    attacks = [lesson for lesson in found if lesson.example.attack]
    assert [lesson.kind for lesson in attacks] == ["spray", "spray"]
    assert {lesson.example.incident for lesson in attacks} == {"i1"}
    assert all(lesson.time < rows.time[199] for lesson in found)
    assert 3 <= len(found) < 12  # and a few of the many that are nobody's
