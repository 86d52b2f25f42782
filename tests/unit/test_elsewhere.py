"""A key used where its owner's main sign-in is not."""

from collections.abc import Sequence
from typing import Any

import pytest

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Organisation, Profile, Scene
from quivive.baseline.tables import DAY_MS, Level
from quivive.model.assessment import Evidence
from quivive.signals.elsewhere import (
    CREDENTIAL_WEIGHT,
    LATELY,
    OPERATOR_WEIGHT,
    SIGN_IN_WEIGHT,
    evidence,
)
from tests.scenario.company import at

NOW = at(40, 9)


def levels(sign_ins: int = 50) -> Levels:
    """Signs in to the identity provider at home every day, uses a key now and then."""
    own, peers, everyone = (Level(30 * DAY_MS, 48) for _ in range(3))
    for factor, key, count in (
        ("log", "signIns", sign_ins), ("log", "sshd", 5), ("country", "CA", sign_ins + 5),
        ("operator", "812", sign_ins + 5),
    ):  # fmt: skip
        own.add(factor, key, count * own.scale(NOW))
    return Levels(own, peers, everyone, own.scale(NOW), peers.scale(NOW), everyone.scale(NOW))


def used(**changes: Any) -> Observation:
    given: dict[str, Any] = {
        "log": "sshd", "host": "web-1", "country": "CA", "asn": "812", "kind": "human", **changes,
    }  # fmt: skip
    return Observation(
        time=NOW, identity="dana", outcome="success", accepted=True, hour=9, weekday=5, **given
    )


def says(login: Observation, of: Levels | None = None, ago: int = DAY_MS) -> Sequence[Evidence]:
    """With the main sign-in at home, and in Romania on AS8708, so long ago."""
    of = of or levels()
    profile = Profile(first_seen=at(0), own=of.own)
    for country, asn, time in (("CA", "812", NOW - DAY_MS), ("RO", "8708", NOW - ago)):
        profile.main_countries.last_seen[country] = time
        profile.main_operators.last_seen[asn] = time
    return evidence(login, Scene(profile, None, None, Organisation()), of)


def test_a_key_abroad_weighs_more_than_a_sign_in_abroad() -> None:
    (key,) = says(used(country="NG"))
    (sign_in,) = says(used(log="console", host=None, country="NG"))
    assert (key.weight, sign_in.weight) == (CREDENTIAL_WEIGHT, SIGN_IN_WEIGHT)
    assert "signIns, where this identity signs in most, has not seen it in NG" in key.text


def test_a_key_over_a_network_that_the_owner_is_not_on() -> None:
    (found,) = says(used(asn="14061"))
    assert found.weight == OPERATOR_WEIGHT < CREDENTIAL_WEIGHT
    assert "has not seen it on AS14061" in found.text


@pytest.mark.parametrize(
    "login",
    [
        used(),
        used(country=None),
        used(asn=None),
        used(country="NG", log="signIns"),
        used(country="NG", kind="service"),
        used(country="NG", around="Password Reset"),
        used(log="console", host=None, asn="14061"),
    ],
    ids=["home", "nowhere", "no-network", "main", "machine", "around", "sign-in-near"],
)
def test_what_says_nothing(login: Observation) -> None:
    assert not says(login)


@pytest.mark.parametrize("where", [{"country": "RO"}, {"asn": "8708"}])
def test_where_the_main_sign_in_was_lately_its_keys_may_be(where: dict[str, str]) -> None:
    assert not says(used(**where), ago=LATELY - 1)
    assert says(used(**where), ago=LATELY)


def test_who_hardly_signs_in_is_not_missed() -> None:
    assert not says(used(country="NG"), levels(sign_ins=6))
