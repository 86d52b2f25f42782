"""Circumstances that are weighed by how usual they are: whose company a key keeps, how a session
goes on, and what kind of network a foreign operator's is.
"""

from typing import Any

import pytest

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import SIGNED_IN_KEPT, Organisation, Profile, Scene, SessionOrigin
from quivive.baseline.tables import DAY_MS, Level
from quivive.engine.learn import note
from quivive.engine.shared import Delta
from quivive.engine.state import State
from quivive.scoring.weigh import weigh_all
from quivive.signals import elsewhere, network, session
from quivive.signals.elsewhere import LATELY
from quivive.signals.signal import Spoken
from tests.scenario.company import at

NOW = at(40, 9)
HOME, AWAY = "203.0.113.0/24", "198.51.100.0/24"


def seen(profile: Profile, **changes: Any) -> Observation:
    given: dict[str, Any] = {
        "log": "sshd", "host": "web-1", "ip": "203.0.113.9", "network": HOME, "asn": "812",
        "public": True, **changes,
    }  # fmt: skip
    time = given.pop("time", NOW)
    return Observation(
        time=time, identity="dana", kind=given.pop("kind", "human"), outcome="success",
        accepted=True, hour=9, weekday=5, **given,
    )  # fmt: skip


def scene(profile: Profile) -> Scene:
    return Scene(profile, None, None, Organisation())


def levels(profile: Profile, *seen: tuple[str, str, float]) -> Levels:
    """What the identity and everybody else have shown: factor, category, how often."""
    everyone = Level(60 * DAY_MS, 4096)
    peers = Level(60 * DAY_MS, 512)
    for factor, key, count in seen:
        for level in (profile.own, peers, everyone):
            level.add(factor, key, count * level.scale(NOW))
    scales = (level.scale(NOW) for level in (profile.own, peers, everyone))
    return Levels(profile.own, peers, everyone, *scales)


def key_of(said: Spoken) -> str | None:
    return said.weighed[0].key if said.weighed else None


def nats(said: Spoken, of: Levels) -> float:
    return sum(w.weight for w in weigh_all(said.weighed, of))


# --- company: where the owner of a key signed in


@pytest.mark.parametrize(
    ("signed_in", "where"),
    [
        ({HOME: NOW - LATELY + 1, "AS812": NOW - LATELY + 1}, "here"),
        ({HOME: NOW - LATELY, "AS812": NOW - 1}, "near"),
        ({HOME: NOW - LATELY, AWAY: NOW - 1}, "elsewhere"),
        ({HOME: NOW - LATELY}, "nowhere"),
    ],
)
def test_where_the_owner_signed_in(signed_in: dict[str, int], where: str) -> None:
    profile = Profile(signed_in=signed_in)
    said = elsewhere.features(seen(profile), scene(profile), levels(profile))
    assert key_of(said) == f"sshd/{where}"


@pytest.mark.parametrize(
    "changes",
    [
        {"host": None},
        {"kind": "service"},
        {"around": "Password Reset"},
        {"network": None},
        {"public": False},
    ],
    ids=["a-sign-in", "machine", "around", "no-address", "private"],
)
def test_company_is_asked_of_peoples_keys_alone(changes: dict[str, Any]) -> None:
    profile = Profile(signed_in={AWAY: NOW - 1})
    assert not elsewhere.features(
        seen(profile, **changes), scene(profile), levels(profile)
    ).features


def test_who_never_signed_in_is_not_missed() -> None:
    profile = Profile()
    assert not elsewhere.features(seen(profile), scene(profile), levels(profile)).features


def test_a_key_without_its_owner_weighs_by_how_often_that_happens() -> None:
    profile = Profile(signed_in={AWAY: NOW - 1})
    login = seen(profile)
    usually_here = levels(profile, ("company", "sshd/here", 50), ("credential used", "sshd", 50))
    alone = elsewhere.features(login, scene(profile), usually_here)
    assert nats(alone, usually_here) > 3
    often = Profile(signed_in={AWAY: NOW - 1})
    elsewhere_too = levels(
        often, ("company", "sshd/elsewhere", 40), ("company", "sshd/here", 10),
        ("credential used", "sshd", 50),
    )  # fmt: skip
    assert nats(alone, elsewhere_too) == 0  # and never speaks for anybody


def test_sign_ins_are_remembered_and_keys_are_not() -> None:
    state, profile = State(), Profile()
    for n in range(SIGNED_IN_KEPT):
        login = seen(profile, log="signIns", host=None, network=f"10.0.{n}.0/24", time=NOW + n)
        note(login, scene(profile), levels(profile), state, Delta(1, login.time, "dana"))
    delta = Delta(1, NOW, "dana")
    note(seen(profile, network=AWAY), scene(profile), levels(profile), state, delta)
    assert AWAY not in profile.signed_in
    assert "AS812" in profile.signed_in
    assert len(profile.signed_in) == SIGNED_IN_KEPT
    assert "10.0.0.0/24" not in profile.signed_in  # the oldest made room


# --- continuity: how a session goes on

ORIGIN = SessionOrigin(NOW - 1, "192.0.2.1", "812", "CA", "Windows", "Edge", "laptop-1")


def continued(origin: SessionOrigin = ORIGIN, **changes: Any) -> Spoken:
    profile = Profile(sessions={"s1": origin})
    given = {"os": "Windows", "browser": "Edge", "device": "laptop-1", **changes}
    login = seen(profile, log="signIns", host=None, session="s1", **given)
    return session.features(login, scene(profile), levels(profile))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, "unchanged"),
        ({"device": None}, "device"),
        ({"device": "other"}, "device"),
        ({"device": None, "browser": "Chrome"}, "device"),
        ({"browser": "Chrome"}, "client"),
        ({"browser": None}, "unchanged"),
    ],
)
def test_what_changed_about_a_session(changes: dict[str, Any], what: str) -> None:
    assert key_of(continued(**changes)) == f"signIns/{what}"


def test_another_system_is_left_to_its_own_evidence() -> None:
    said = continued(os="Linux", device=None)
    assert said.features
    assert not said.weighed


def test_a_session_that_named_no_device_may_name_one() -> None:
    unnamed = SessionOrigin(NOW - 1, "192.0.2.1", "812", "CA", "Windows", "Edge")
    assert key_of(continued(unnamed)) == "signIns/unchanged"


@pytest.mark.parametrize("changes", [{"session": "s2"}, {"session": None}, {"ip": "192.0.2.1"}])
def test_a_session_that_has_not_moved_says_nothing(changes: dict[str, Any]) -> None:
    profile = Profile(sessions={"s1": ORIGIN})
    login = seen(profile, **{"log": "signIns", "host": None, "session": "s1", **changes})
    assert not session.features(login, scene(profile), levels(profile)).features


def test_a_log_that_names_devices_at_random_makes_a_lost_device_usual() -> None:
    profile = Profile()
    said = continued(device=None)
    steady = levels(
        profile, ("continuity", "signIns/unchanged", 50), ("moved session", "signIns", 50)
    )
    assert nats(said, steady) > 3
    random = levels(
        Profile(), ("continuity", "signIns/unchanged", 30), ("continuity", "signIns/device", 20),
        ("moved session", "signIns", 50),
    )  # fmt: skip
    assert nats(said, random) < 0.5


# --- roaming: whether the session of a key stays where it began

KEY = SessionOrigin(NOW - 1, "192.0.2.1", "812", "CA", None)
CALL = {"log": "aws", "host": None, "operation": "s3:ListBuckets", "session": "ASIA1"}


def used(**changes: Any) -> Spoken:
    profile = Profile(sessions={"ASIA1": KEY})
    login = seen(profile, **{**CALL, **changes})
    return session.features(login, scene(profile), levels(profile))


def roaming(said: Spoken) -> list[str]:
    return [key for factor, key in said.own if factor == "roaming"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"ip": "192.0.2.1"}, "here"), ({}, "near"), ({"asn": "14061"}, "elsewhere"),
     ({"asn": None}, "elsewhere")],
)  # fmt: skip
def test_where_the_session_of_a_key_is_used(changes: dict[str, Any], where: str) -> None:
    said = used(**changes)
    assert roaming(said) == [f"aws/{where}"]
    assert ("roaming" in [f.signal for f in said.weighed]) is (where != "here")


@pytest.mark.parametrize(
    "changes",
    [{"operation": None}, {"around": "Token Create"}, {"public": False}, {"session": "ASIA2"}],
    ids=["a-sign-in", "around", "private", "not-met-before"],
)
def test_only_the_sessions_of_keys_stay_at_one_address(changes: dict[str, Any]) -> None:
    """A browser's session goes along with its laptop."""
    assert not roaming(used(**changes))


def test_a_stolen_temporary_key_stands_out_where_keys_do_not_move() -> None:
    steady = levels(
        Profile(), ("roaming", "aws/here", 300), ("credential's session", "aws", 300)
    )  # fmt: skip
    stolen = used(asn="14061")
    assert nats(stolen, steady) > 4
    moving = levels(
        Profile(), ("roaming", "aws/here", 20), ("roaming", "aws/elsewhere", 30),
        ("credential's session", "aws", 50),
    )  # fmt: skip
    assert nats(stolen, moving) < 0.5
    assert nats(used(ip="192.0.2.1"), moving) == 0


# --- the kind of a network, given whose operator it is


def test_a_proxy_of_ones_own_makes_no_other_proxy_usual() -> None:
    profile = Profile()
    known = levels(
        profile, ("operator", "812", 50), ("operator?", "own", 50), ("network_kind", "hosting", 50),
        ("operator?", "new", 5),
    )  # fmt: skip

    def said(asn: str) -> float:
        login = seen(profile, asn=asn, network_kind="hosting")
        found = network.features(login, scene(profile), known)
        kinds = [f for f in found.weighed if f.signal == "network_kind"]
        assert len(kinds) == 1
        return sum(w.weight for w in weigh_all(kinds, known))

    assert said("812") < 0 < said("14061")


@pytest.mark.parametrize(("kind", "own"), [("human", False), ("service", True)])
def test_a_machine_is_measured_by_its_own_kinds_of_networks(kind: str, own: bool) -> None:
    """What it never used at all is odd over any operator; a person may be underway."""
    profile = Profile()
    known = levels(profile, ("operator", "812", 50), ("network_kind", "private", 50))
    login = seen(profile, asn="14061", network_kind="hosting", kind=kind)
    (weighed,) = (
        f
        for f in network.features(login, scene(profile), known).weighed
        if f.signal == "network_kind"
    )
    assert (weighed.factor == "network_kind") is own
