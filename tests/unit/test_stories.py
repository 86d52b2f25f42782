"""Stories: one group of oddities is explained away, two are not."""

from itertools import combinations
from math import exp, log, log1p

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.model.assessment import Evidence
from quivive.scoring import stories
from quivive.scoring.assess import PER_GROUP, STRONGEST, _telling
from quivive.scoring.stories import (
    ABSENCE,
    ACCESS,
    AROUND,
    ATTACKS,
    CARRIER,
    CLIENT,
    CREDENTIAL,
    GROUPS,
    JOURNEY,
    ORDINARY,
    PLACE,
    TIME,
    Story,
    Weight,
    read,
)
from tests.scenario.company import BUCHAREST, UNKNOWN_CLIENT, at, company, login

ODD = 6.0


def odd(*groups: str, explained: float = ODD) -> list[Weight]:
    return [Weight(group, ODD, explained) for group in groups]


@pytest.mark.parametrize("kind", ["human", "service"])
def test_priors_are_shares_and_groups_exist(kind: str) -> None:
    for known in (ATTACKS[kind], ORDINARY[kind]):
        assert abs(sum(story.prior for story in known) - 1) < 0.005
        assert all(group in GROUPS for story in known for group in story.explains)
        assert len({story.name for story in known}) == len(known)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (PLACE, "travel"),
        (CLIENT, "device"),
        (ACCESS, "task"),
        (ABSENCE, "absence"),
        (AROUND, "fumble"),
        (TIME, "hours"),
    ],
)
def test_one_group_of_oddities_is_explained_by_its_story(group: str, name: str) -> None:
    found = read(odd(group), "human")
    assert found.ordinary.name == name
    assert found.score < ODD - 1.0
    assert found.score < read(odd(group, explained=0.0), "human").score - 1.2
    assert read(odd(group, explained=0.0), "human").ordinary.name == "usual"


def test_more_of_the_same_group_hardly_raises_the_score() -> None:
    one, four = read(odd(PLACE), "human").score, read(odd(*[PLACE] * 4), "human").score
    assert four - one < 1


# Groups that no one story explains together.
APART = tuple(combinations((PLACE, CLIENT, ACCESS), 2))


@pytest.mark.parametrize("kind", ["human", "service"])
@pytest.mark.parametrize("pair", APART)
def test_two_groups_of_oddities_are_not(pair: tuple[str, str], kind: str) -> None:
    both = read(odd(*pair), kind).score
    apart = [read(odd(group), kind).score for group in pair]
    assert both > max(apart) + 2.5
    assert both > read(odd(pair[0], pair[0]), kind).score + 2.5


def test_a_story_that_explains_two_groups_explains_them_together() -> None:
    vpn = read(odd(PLACE, CARRIER), "human")
    laptop = read(odd(CLIENT, CREDENTIAL), "human")
    assert (vpn.ordinary.name, laptop.ordinary.name) == ("vpn", "device")
    assert max(vpn.score, laptop.score) < read(odd(PLACE, CLIENT), "human").score - 2


def test_an_attacker_may_copy_what_reassures() -> None:
    """A familiar place takes off less than it weighs: a proxy in her city has it too."""
    alone = read(odd(CLIENT, ACCESS), "human").score
    near = read([*odd(CLIENT, ACCESS), Weight(PLACE, -8.0, 0.0)], "human")
    assert near.attack.name == "near"
    assert alone - 3 < near.score < alone


def story(kind: str, name: str) -> Story:
    (found,) = [s for s in ATTACKS[kind] if s.name == name]
    return found


def calm(groups: tuple[str, ...], nats: float = -4.0) -> list[Weight]:
    return [Weight(group, nats, 0.0) for group in groups]


def test_only_a_machines_token_does_what_it_always_does() -> None:
    assert set(story("service", "token").explains) == {CLIENT, CREDENTIAL, TIME, ACCESS}
    assert "token" not in {s.name for s in ATTACKS["human"]}


@pytest.mark.parametrize(
    ("kind", "alarming", "as_ever", "name"),
    [
        ("service", PLACE, (CLIENT, CREDENTIAL, TIME, ACCESS), "token"),
        ("service", PLACE, (CLIENT, CREDENTIAL, TIME), "replay"),
        ("service", AROUND, (PLACE, JOURNEY, CARRIER, CLIENT, CREDENTIAL), "insider"),
        ("service", PLACE, (), "outsider"),
        ("human", AROUND, (PLACE, JOURNEY, CARRIER), "near"),
        ("human", PLACE, (CLIENT, CREDENTIAL, TIME), "replay"),
        ("human", AROUND, (PLACE, JOURNEY, CARRIER, CLIENT, CREDENTIAL), "insider"),
        ("human", PLACE, (), "outsider"),
    ],
)
def test_the_attacker_is_named_whose_copies_fit_best(
    kind: str, alarming: str, as_ever: tuple[str, ...], name: str
) -> None:
    assert read([*odd(alarming), *calm(as_ever)], kind).attack.name == name


@pytest.mark.parametrize(("kind", "name"), [("service", "token")])
def test_what_it_copies_counts_for_nothing_however_much_it_reassures(kind: str, name: str) -> None:
    copied = story(kind, name).explains
    alarming = odd(next(g for g in (AROUND, PLACE) if g not in copied))
    some, more = (read([*alarming, *calm(copied, nats)], kind).score for nats in (-9.0, -90.0))
    assert some == pytest.approx(more, abs=0.01)
    whole = read(alarming, kind).score
    assert some > whole + log(story(kind, name).prior) - 0.01
    elsewhere = next(g for g in (AROUND, ABSENCE) if g not in copied)
    assert read([*alarming, *calm((elsewhere,), -9.0)], kind).score < whole - 8


@pytest.mark.parametrize(("kind", "name"), [("service", "token")])
@given(
    weights=st.lists(
        st.builds(Weight, st.sampled_from(GROUPS), st.floats(-3, 6), st.floats(0, 3)), max_size=10
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_never_makes_a_login_look_better_and_adds_what_it_explains_at_most(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str, weights: list[Weight]
) -> None:
    found, kept, added = read(weights, kind).score, ATTACKS[kind], story(kind, name)
    fewer = tuple(s for s in kept if s is not added)
    with monkeypatch.context() as patch:
        patch.setitem(ATTACKS, kind, fewer)
        patch.setitem(stories._ATTACKS, kind, stories._compiled(fewer))
        without = read(weights, kind).score
    copied = sum(max(0.0, -w.nats) for w in weights if w.group in added.explains)
    assert without <= found + 1e-9
    assert found <= without + log1p(added.prior / (1 - added.prior) * exp(copied)) + 1e-6


@pytest.mark.parametrize("kind", ["human", "service"])
def test_what_is_as_usual_scores_below_nothing_known(kind: str) -> None:
    said = calm((PLACE, CLIENT, ACCESS, TIME), -1.0)
    assert read(said, kind).score < read([], kind).score < 0.5


def test_five_words_for_one_oddity_never_hide_another() -> None:
    said = [Evidence(signal=f"s{n}", weight=6.0 - n / 10, text="") for n in range(20)]
    groups = {f"s{n}": CLIENT if n < 16 else GROUPS[n % 2] for n in range(20)}
    told = _telling(said, groups)
    assert len(told) == STRONGEST
    assert {groups[e.signal] for e in told} == {CLIENT, GROUPS[0], GROUPS[1]}
    assert [e.weight for e in told] == sorted((e.weight for e in told), reverse=True)


def test_a_group_that_hardly_weighs_takes_nobodys_place() -> None:
    said = [Evidence(signal=f"s{n}", weight=3.0, text="") for n in range(2)]
    said.append(Evidence(signal="s2", weight=0.01, text=""))
    groups = {"s0": CLIENT, "s1": CLIENT, "s2": TIME}
    assert [e.signal for e in _telling(said, groups)] == ["s0", "s1"]


def test_the_reasons_of_a_takeover_are_of_several_groups() -> None:
    made = company()
    said = made.judges(login("dana", at(43, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False))
    groups = [made.engine.gathering.groups[reason.signal] for reason in said.assessment.reasons]
    assert len(groups) == STRONGEST
    assert max(map(groups.count, groups)) <= PER_GROUP
