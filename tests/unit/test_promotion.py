"""The gate: what is never promoted, and what the comparison behind it counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.learn.comparison import (
    DAY_MS,
    FALSE,
    TRUE,
    Compared,
    Label,
    Rate,
    compare,
    labels_of,
    sign_test,
)
from quivive.learn.promotion import (
    PROMOTE,
    REFUSE,
    SHADOW,
    SHADOW_LOGINS,
    HeldOut,
    breaks,
    on_history,
    on_shadow,
)

BUDGETS = {"human": 0.005, "service": 0.005}


def row(
    number: int,
    before: float = 10.0,
    after: float | None = None,
    *,
    kind: str = "human",
    days: float = 0.0,
    cold: bool = False,
) -> Compared:
    """A login whose risks (46 is a finding) say whether it was and would be told."""
    after = before if after is None else after
    return Compared(
        id=f"e{number}",
        time=round((number / 1000 + days) * DAY_MS),
        identity=f"p{number % 50}",
        kind=kind,
        source="Entra ID",
        before=before,
        after=after,
        found_before=before >= 46,
        found_after=after >= 46,
        low_history=cold,
        reason="country",
    )


def quiet(count: int, first: int = 1000, days: float = 0.0) -> list[Compared]:
    return [row(first + n, days=days * n / count) for n in range(count)]


def attacks(found: str) -> tuple[list[Compared], dict[str, Label]]:
    """One incident a letter: both find it (B), the active one (A), the candidate (C), neither."""
    risks = {"B": (60.0, 61.0), "A": (60.0, 30.0), "C": (30.0, 60.0), "-": (20.0, 20.0)}
    rows = [row(n, *risks[letter]) for n, letter in enumerate(found)]
    return rows, {f"e{n}": Label(TRUE, f"i{n}") for n in range(len(found))}


def test_nothing_changed_goes_into_shadow() -> None:
    rows, labels = attacks("BBBB--")
    gate = on_history(compare([*rows, *quiet(4000)], labels, BUDGETS), None)
    assert gate.outcome == SHADOW
    assert any("4 of 6 confirmed incidents found now, 4 then" in r for r in gate.reasons)
    assert any("no verdict was held out" in r for r in gate.reasons)


def test_one_lost_incident_is_refused_whatever_is_gained() -> None:
    rows, labels = attacks("ACCCCCCCC")
    gate = on_history(compare([*rows, *quiet(4000)], labels, BUDGETS), None)
    assert gate.outcome == REFUSE
    assert gate.reasons == ("1 confirmed incident that the active model finds would be missed: i0",)


def test_an_incident_is_found_by_any_of_its_logins() -> None:
    rows = [row(0, 60.0, 20.0), row(1, 20.0, 60.0)]
    labels = {"e0": Label(TRUE, "one"), "e1": Label(TRUE, "one")}
    found = compare([*rows, *quiet(4000)], labels, BUDGETS)
    assert found.incidents.lost == ()
    assert on_history(found, None).outcome == SHADOW


def test_an_incident_lost_by_weights_that_never_saw_it_is_refused() -> None:
    rows, labels = attacks("BBBB")
    tried, tried_labels = attacks("BBBA")
    found = compare([*rows, *quiet(4000)], labels, BUDGETS)
    other = compare(tried, tried_labels, BUDGETS)
    held_out = HeldOut("the later verdicts", other.incidents, other.precision)
    gate = on_history(found, held_out)
    assert gate.outcome == REFUSE
    assert gate.reasons[0].startswith("on the later verdicts, 1 confirmed incident")


@pytest.mark.parametrize(("findings", "outcome"), [(22, SHADOW), (23, REFUSE)])
def test_110_per_cent_of_a_budget_is_the_most(findings: int, outcome: str) -> None:
    noise = [row(n, 20.0, 50.0) for n in range(findings)]
    found = compare([*noise, *quiet(4000 - findings)], {}, BUDGETS)
    gate = on_history(found, None)
    assert gate.outcome == outcome
    if outcome == REFUSE:
        assert "the budget of human logins: 23 findings of 4,000" in gate.reasons[0]
        assert on_shadow(found).outcome == REFUSE


def test_confirmed_attacks_are_no_load() -> None:
    rows, labels = attacks("C" * 60)
    assert on_history(compare([*rows, *quiet(4000)], labels, BUDGETS), None).outcome == SHADOW


def test_the_first_days_do_not_count_in_rates_but_their_incidents_do() -> None:
    rows, labels = attacks("A")
    noise = [row(n, 20.0, 50.0) for n in range(100, 200)]
    found = compare([*rows, *noise, *quiet(4000)], labels, BUDGETS, since=DAY_MS)
    assert found.rates[0].after == 0
    assert found.incidents.lost == ("i0",)


@pytest.mark.parametrize(
    ("logins", "findings", "broken"),
    [(200, 3, False), (200, 4, True), (20, 1, False), (0, 0, False), (100_000, 550, False),
     (100_000, 551, True)],
)  # fmt: skip
def test_where_a_budget_buys_little_luck_is_allowed_for(
    logins: int, findings: int, broken: bool
) -> None:
    assert breaks(Rate("human", logins, 0.005, 0, findings)) is broken


def test_many_new_false_positives_are_refused_even_within_the_budget() -> None:
    rows = [row(n, 20.0, 50.0) for n in range(8)]
    labels = {f"e{n}": Label(FALSE) for n in range(8)}
    gate = on_history(compare([*rows, *quiet(8000)], labels, BUDGETS), None)
    assert gate.outcome == REFUSE
    assert "8 false positives would be new and 0 gone (p = 0.0078, sign test)" in gate.reasons[0]


def test_shadow_takes_days_and_logins() -> None:
    few = on_shadow(compare(quiet(100, days=20), {}, BUDGETS))
    assert few.outcome == SHADOW
    assert few.reasons == (f"100 logins scored in shadow, it takes {SHADOW_LOGINS}",)
    short = on_shadow(compare(quiet(900, days=3), {}, BUDGETS))
    assert short.outcome == SHADOW
    assert "in shadow for 3.9 days, it takes 7" in short.reasons[0]
    assert on_shadow(compare(quiet(900, days=8), {}, BUDGETS)).outcome == PROMOTE
    nothing = on_shadow(compare([], {}, BUDGETS))
    assert nothing.outcome == SHADOW


def test_an_incident_lost_in_shadow_is_refused_at_once() -> None:
    rows, labels = attacks("A")
    gate = on_shadow(compare([*rows, *quiet(20)], labels, BUDGETS))
    assert gate.outcome == REFUSE
    assert gate.reasons[0].startswith("in shadow, 1 confirmed incident")


def test_counts_what_appears_and_disappears_by_kind_and_source() -> None:
    rows = [row(0, 20.0, 50.0), row(1, 20.0, 70.0, kind="service"), row(2, 50.0, 10.0, cold=True)]
    found = compare([*rows, *quiet(10)], {}, BUDGETS)
    assert (found.appeared.findings, found.disappeared.findings) == (2, 1)
    assert found.appeared.by_kind == {"human": 1, "service": 1}
    assert found.appeared.by_source == {"Entra ID": 2}
    assert [e.id for e in found.appeared.examples] == ["e1", "e0"]
    assert found.disappeared.examples[0].before == 50.0
    assert (found.cold_before, found.cold_after) == (1.0, 0.0)


def test_tells_what_would_be_found_at_the_budget_whatever_the_threshold() -> None:
    rows, labels = attacks("--")
    rows = [row(0, 40.0, 10.0), row(1, 10.0, 40.0)]
    found = compare([*rows, *quiet(198)], labels, {"human": 0.005})
    assert found.incidents.before == found.incidents.after == 0
    assert (found.at_budget.before, found.at_budget.after) == (1, 1)
    assert found.at_budget.lost == ("i0",)


def test_logins_of_one_identity_within_a_week_are_one_incident() -> None:
    logins = [("a", 0, "x"), ("b", 6 * DAY_MS, "x"), ("c", 12 * DAY_MS, "x"),
              ("d", 20 * DAY_MS, "x"), ("e", 0, "y"), ("f", 0, "x"), ("g", 0, "z")]  # fmt: skip
    verdicts = {**dict.fromkeys("abcde", TRUE), "f": FALSE}
    found = labels_of(logins, verdicts)
    assert {name: label.incident for name, label in found.items()} == {
        "a": "x 1970-01-01", "b": "x 1970-01-01", "c": "x 1970-01-01",
        "d": "x 1970-01-21", "e": "y 1970-01-01", "f": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wins", "losses", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (8, 1, 0.0390625),
                              (3, 3, 1.0)]
)  # fmt: skip
def test_the_sign_test_is_exact(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == sign_test(losses, wins) == p


@given(st.integers(0, 800), st.integers(0, 800))
def test_the_sign_test_is_a_probability(wins: int, losses: int) -> None:
    assert 0.0 <= sign_test(wins, losses) <= 1.0
