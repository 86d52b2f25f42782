"""What is trusted: logins held and released, devices enrolled, cities within an operator."""

import msgspec
import pytest

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import AddressState, Held, Organisation, Profile, Scene
from quivive.baseline.tables import DAY_MS, Level
from quivive.baseline.windows import HOUR_MS
from quivive.engine.gate import hold, released
from quivive.model.event import Status
from quivive.signals import device, failures, place
from quivive.signals.signal import Feature
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    TORONTO,
    UNKNOWN_CLIENT,
    at,
    company,
    login,
    usual,
)

T0 = at(43, 9)
OWN = {
    "log": ["signIns"],
    "address": ["70.24.10.10"],
    "device": ["dev-dana"],
    "client": ["signIns/macOS/Chrome"],
    "operator": ["577"],
}


def levels(own: dict[str, list[str]] | None = None) -> Levels:
    """Ten logins of an identity with each of its own things; nothing of its colleagues."""
    made = Level(30 * DAY_MS, 48)
    for factor, keys in (OWN if own is None else own).items():
        for key in keys:
            made.add(factor, key, 10 * made.scale(T0))
    shared = [Level(60 * DAY_MS, 512) for _ in range(2)]
    for level in shared:
        for factor, table in made.tables.items():
            for key, count in table.values.items():
                level.add(factor, key, count * level.scale(T0))
    return Levels(made, *shared, made.scale(T0), *(level.scale(T0) for level in shared))


def seen(days: float = 0.0, **changes: object) -> Observation:
    """Dana's own login at home some days after T0, or one that differs from it."""
    usually = Observation(
        time=T0 + round(days * DAY_MS), identity=DANA.email, kind="human", log="signIns",
        outcome="success", accepted=True, hour=9, weekday=1, ip="70.24.10.10", public=True,
        network="70.24.10.0/24", country="CA", city="Toronto", asn="577", os="macOS",
        browser="Chrome", device="dev-dana", managed=True,
    )  # fmt: skip
    return msgspec.structs.replace(usually, **changes)


def held_on(days: list[float], **changes: object) -> tuple[Observation, Held]:
    """The last of some logins that were all held."""
    profile = Profile()
    for day in days:
        last = seen(day, **changes)
        found = hold(last, profile)
    return last, found


# held logins


def test_what_is_held_counts_its_days_by_kind() -> None:
    profile = Profile()
    hold(seen(), profile)
    hold(seen(0.1), profile)
    hold(seen(0.2, country="RO"), profile)
    hold(seen(2), profile)
    late = hold(seen(1), profile)
    assert late.since == T0
    assert late.last == T0 + 2 * DAY_MS
    assert {held.kind.partition("|")[0]: held.days for held in profile.held} == {"RO": 1, "CA": 3}


def test_what_is_held_stays_bounded() -> None:
    profile = Profile()
    for number in range(40):
        hold(seen(number, device=f"d{number}"), profile)
    assert len(profile.held) == 8
    assert profile.held[-1].kind.endswith("d39")


@pytest.mark.parametrize("named", ["dev-dana", None])
def test_its_own_address_and_client_are_released_after_half_a_day(named: str | None) -> None:
    for days, expected in (([0, 0.2], False), ([0, 0.49], False), ([0, 0.51], True)):
        login_, held = held_on(days, device=named, managed=False)
        assert released(login_, levels(), held) is expected


AWAY = {"ip": "86.120.33.5", "network": "86.120.33.0/24", "country": "RO", "asn": "8708"}


def test_its_own_managed_device_is_released_on_the_fifth_day_past_a_week() -> None:
    for days, expected in (
        ([0, 1, 2, 3, 4, 5, 6], False),  # no week yet
        ([0, 1, 2, 8], False),  # four days only
        ([0, 1, 2, 3, 7], False),  # a week, but not over it
        ([0, 1, 2, 3, 8], True),
    ):
        login_, held = held_on(days, **AWAY)
        assert released(login_, levels(), held) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "dev-other"},  # though it is managed, and at home
        {"device": "dev-other", **AWAY},
        {"device": None, "os": "Windows", "browser": "Edge"},
        {"device": None, **AWAY},
        {"managed": False, **AWAY},
        {"around": "MFA Challenge"},
    ],
)
def test_nothing_else_is_ever_released(changes: dict[str, object]) -> None:
    login_, held = held_on(list(range(60)), **changes)
    assert held.days == 60
    assert not released(login_, levels(), held)


def test_somebody_elses_client_is_never_learned_however_long_it_comes() -> None:
    made = company()
    for day in range(42, 72):
        made.judges(login("dana", at(day, 15), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False))
    profile = made.engine.state.profiles[DANA.email]
    assert "RO" not in profile.own.tables["country"].values
    assert max(held.days for held in profile.held) >= 10


def test_her_own_managed_laptop_is_learned_abroad_after_a_week() -> None:
    made = company()
    said = [
        made.judges(usual(DANA, at(day, 15), BUCHAREST, ip=BUCHAREST.ip(99)))
        for day in range(42, 60)
    ]
    assert "RO" in made.engine.state.profiles[DANA.email].own.tables["country"].values
    assert said[-1].assessment.score < said[0].assessment.score - 2


# devices


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, "own"),
        ({"device": "dev-new"}, "enrolled"),
        ({"device": "dev-new", "managed": False}, "new"),
        ({"device": None}, "missing"),
    ],
)
def test_the_familiarity_of_a_device(changes: dict[str, object], known: str) -> None:
    said = device.features(seen(**changes), scene(), levels())
    weighed = [f for f in said if isinstance(f, Feature) and f.weigh]
    assert [f.key for f in weighed] == [f"signIns/{known}"]


def test_a_managed_new_device_is_less_an_attackers_than_any_other() -> None:
    assert device.PRIORS["enrolled"] == min(device.PRIORS.values())


def test_a_new_managed_laptop_scores_below_a_new_unmanaged_one() -> None:
    scores = []
    for managed in (True, False):
        laptop = msgspec.structs.replace(DANA.device, uid="dev-new", is_managed=managed)
        scores.append(company().judges(usual(DANA, at(43, 15), device=laptop)).assessment.score)
    assert scores[0] < scores[1]


# places


def scene(address: AddressState | None = None) -> Scene:
    return Scene(Profile(), address, None, Organisation())


@pytest.mark.parametrize(("asn", "factor"), [("577", "operator_city"), ("8708", "city")])
def test_a_city_is_judged_within_an_own_operator(asn: str, factor: str) -> None:
    said = place.features(seen(asn=asn), scene(), levels())
    cities = [f for f in said if isinstance(f, Feature) and f.signal == "city"]
    assert [f.factor for f in cities if f.weigh] == [factor]
    assert {f.factor for f in cities} == {"city", "operator_city"}  # both are remembered


def test_a_city_without_an_operator_is_judged_within_its_country() -> None:
    said = place.features(seen(asn=None), scene(), levels())
    cities = [f for f in said if isinstance(f, Feature) and f.signal == "city"]
    assert [(f.factor, f.weigh) for f in cities] == [("city", True)]


# guesses


def guessed(count: int, identity: str, good: tuple[str, ...] = ()) -> list[str]:
    address = AddressState()
    for other in good:
        address.welcome(other, T0)
    address.failures.add(T0 - HOUR_MS, count)
    address.failing.add(identity, T0 - HOUR_MS)
    said = failures.evidence(seen(), scene(address), levels())
    return [e.text for e in said if e.signal == "address_failures"]


def test_a_success_after_guesses_from_its_address_says_so() -> None:
    assert guessed(12, DANA.email) == [
        "12 failed logins from address 70.24.10.10 in 24 h before this one"
    ]
    assert guessed(1, DANA.email) == []


def test_guesses_where_the_identity_is_at_home_are_its_own_mistakes() -> None:
    assert guessed(12, DANA.email, good=(DANA.email,)) == []


def test_guesses_from_one_address_raise_the_success_that_follows() -> None:
    tried = [
        login("dana", at(43, 3) + n * 60_000, BUCHAREST, agent=UNKNOWN_CLIENT, mfa=None,
              status=Status.FAILURE)
        for n in range(15)
    ]  # fmt: skip
    success = login("dana", at(43, 4), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False)
    quiet, guesses = company(), company()
    guesses.sees(tried)
    loud = guesses.judges(success).assessment
    assert loud.score > quiet.judges(success).assessment.score + 1
    at_home = company()
    at_home.sees([usual(DANA, at(43, 14) + n * 1000, TORONTO, status=Status.FAILURE)
                  for n in range(15)])  # fmt: skip
    own = at_home.judges(usual(DANA, at(43, 15), TORONTO)).assessment
    assert "address_failures" not in {reason.signal for reason in own.reasons}
