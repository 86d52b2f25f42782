"""Exploration: how many things are new to an identity within a day, against its usual."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Organisation, Profile, Scene
from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.windows import HOUR_MS
from quivive.engine.learn import note
from quivive.engine.shared import Delta
from quivive.engine.state import State
from quivive.model.assessment import Evidence
from quivive.signals.exploration import MOST, SETTLED, evidence, unfamiliar
from tests.scenario.company import at

FIRST = at(0)
NOW = at(40, 9)
OWN = {
    "application": ["aws/console"],
    "operation": ["aws/s3:Get"],
    "host": ["web-1"],
    "resource": ["bucket"],
    "role": ["reader"],
}


def levels() -> Levels:
    """What the identity did often enough; nobody else did anything."""
    own, peers, everyone = (Level(30 * DAY_MS, 48) for _ in range(3))
    for factor, keys in OWN.items():
        for key in keys:
            own.add(factor, key, 10 * own.scale(NOW))
    return Levels(own, peers, everyone, own.scale(NOW), peers.scale(NOW), everyone.scale(NOW))


def call(hours: float = 0.0, **what: Any) -> Observation:
    """A use of a credential some hours after NOW."""
    given: dict[str, Any] = {"outcome": "success", "around": None, **what}
    return Observation(
        time=NOW + round(hours * HOUR_MS), identity="dana", kind="human", log="aws",
        accepted=True, hour=9, weekday=5, **given,
    )  # fmt: skip


def settled() -> Profile:
    return Profile(first_seen=FIRST)


def scene(profile: Profile) -> Scene:
    return Scene(profile, None, None, Organisation())


def says(login: Observation, profile: Profile) -> Evidence | None:
    found = list(evidence(login, scene(profile), levels()))
    assert len(found) <= 1
    return found[0] if found else None


def weights(profile: Profile, *logins: Observation) -> list[float]:
    """What each says before it is noted; 0 for nothing."""
    state, found = State(), []
    for login in logins:
        said = says(login, profile)
        found.append(said.weight if said else 0.0)
        note(login, scene(profile), levels(), state, Delta(1, login.time, "dana"))
    return found


def new(number: int, hours: float = 0.0) -> Observation:
    return call(hours, operation=f"s3:New{number}")


def test_the_first_new_thing_of_a_day_says_nothing_and_the_second_does() -> None:
    found = weights(settled(), new(1), new(2, 0.1), new(3, 0.2))
    assert found[0] == 0.0
    assert 0 < found[1] < found[2]


def test_it_rises_with_the_count_up_to_its_bound() -> None:
    found = weights(settled(), *(new(n, n / 20) for n in range(40)))
    assert all(one <= other for one, other in pairwise(found[:13]))
    assert found[6] > 2 * found[1] > 0
    assert max(found) <= MOST


def test_it_says_how_many_and_how_many_usually() -> None:
    profile = settled()
    weights(profile, *(new(n, n / 20) for n in range(4)))
    said = says(new(9, 1), profile)
    assert said is not None
    assert said.signal == "exploration"
    assert said.text.startswith("5 things (applications, operations, hosts) new to it in 24 h")


def test_the_same_new_thing_again_is_one_thing() -> None:
    assert weights(settled(), *(new(1, n / 10) for n in range(5))) == [0.0] * 5


def test_what_it_used_before_says_nothing_however_much_is_new_that_day() -> None:
    profile = settled()
    weights(profile, *(new(n, n / 20) for n in range(6)))
    assert says(call(1, operation="s3:Get"), profile) is None
    assert says(call(1, application="console", host="web-1", resource="bucket"), profile) is None


def test_yesterdays_things_do_not_count_today() -> None:
    assert weights(settled(), new(1), new(2, 24.1)) == [0.0, 0.0]
    assert weights(settled(), new(1), new(2, 23.9))[1] > 0


@pytest.mark.parametrize(("days", "speaks"), [(6.9, False), (7.0, True), (60, True)])
def test_to_a_newcomer_everything_is_new(days: float, speaks: bool) -> None:
    assert SETTLED == 7 * DAY_MS
    profile = Profile(first_seen=NOW + 6 * HOUR_MS - round(days * DAY_MS))
    weights(profile, *(new(n, n) for n in range(6)))
    assert (says(new(9, 6), profile) is not None) is speaks


def test_an_application_never_used_counts_once_whatever_is_done_in_it() -> None:
    inside = [
        call(n / 10, application="billing", operation=f"o{n}", host=f"h{n}", resource=f"r{n}",
             role=f"role{n}")
        for n in range(6)
    ]  # fmt: skip
    assert unfamiliar(inside[0], levels()) == ["aws/billing"]
    assert weights(settled(), *inside) == [0.0] * 6
    another = call(1, application="wiki")
    assert weights(settled(), *inside, another)[-1] > 0


def test_a_role_never_taken_counts_once_whatever_is_done_in_it() -> None:
    inside = [call(n / 10, role="admin", operation=f"o{n}", host=f"h{n}") for n in range(6)]
    assert unfamiliar(inside[0], levels()) == ["admin"]
    assert weights(settled(), *inside) == [0.0] * 6


def test_within_what_it_knows_each_new_thing_counts() -> None:
    login = call(application="console", role="reader", operation="s3:Put", host="web-2",
                 resource="secrets")  # fmt: skip
    assert unfamiliar(login, levels()) == ["aws/s3:Put", "web-2", "secrets"]


def test_an_operation_of_another_log_is_another() -> None:
    assert unfamiliar(call(operation="s3:Get"), levels()) == []
    found = Observation(
        time=NOW, identity="dana", kind="human", log="other", outcome="success", accepted=True,
        hour=9, weekday=5, operation="s3:Get",
    )  # fmt: skip
    assert unfamiliar(found, levels()) == ["other/s3:Get"]


def test_what_failed_explored_nothing_and_what_surrounds_a_login_is_not_judged() -> None:
    profile = settled()
    tried = [call(n / 10, operation=f"o{n}", outcome="failure") for n in range(5)]
    assert weights(profile, *tried) == [0.0] * 5
    assert profile.explored.last_seen == {}
    weights(profile, new(1), new(2, 0.1))
    assert says(call(1, operation="o", around="Password Reset"), profile) is None


def test_who_explores_daily_is_forgiven() -> None:
    """An engineer who meets five new things every day against a clerk who never does."""
    engineer = settled()
    for day in range(30):
        daily = [
            call((day - 31) * 24 + n / 10, operation=f"day{day}-{n}") for n in range(5)
        ]  # fmt: skip
        weights(engineer, *daily)
    today = [new(n, n / 10) for n in range(5)]
    hers, clerks = weights(engineer, *today), weights(settled(), *today)
    assert sum(hers) < 0.3 * sum(clerks)
    assert max(hers) < 0.7 < max(clerks)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 2_000)), max_size=60))
def test_what_is_remembered_of_it_is_bounded(calls: list[tuple[int, int]]) -> None:
    profile, state = settled(), State()
    for number, minutes in sorted(calls, key=lambda found: found[1]):
        login = new(number, minutes / 60)
        said = says(login, profile)
        assert said is None or 0 <= said.weight <= MOST
        note(login, scene(profile), levels(), state, Delta(1, login.time, "dana"))
    assert len(profile.explored.last_seen) <= profile.explored.limit == 32
