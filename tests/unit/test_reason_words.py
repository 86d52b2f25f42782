"""Reasons and counterfactuals say what is so: spans of time, and what is usual in the same log."""

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile, Scene
from quivive.baseline.tables import DAY_MS, OTHER, Level
from quivive.engine.state import State
from quivive.scoring.counterfactual import _usual
from quivive.scoring.weigh import weigh
from quivive.signals import absence, rhythm
from quivive.signals.signal import Feature

T0 = 1_790_000_000_000


def levels(factor: str, *keys: str) -> Levels:
    """An identity that has shown each category twice, and the first three times."""
    made = [Level(half * DAY_MS, 48) for half in (30, 60, 60)]
    for key in (*keys, *keys, keys[0]):
        made[0].add(factor, key, made[0].scale(T0))
    return Levels(*made, *(level.scale(T0) for level in made))


def usual(feature: Feature, *keys: str) -> str:
    known = levels(feature.factor, *keys)
    return _usual(weigh(feature, known), known)


def test_a_silence_is_told_from_when_to_when() -> None:
    told = []
    for days in (1, 3, 7, 15, 40):
        scene = Scene(Profile(last_seen=T0 - days * DAY_MS), None, None, State().organisation)
        login = Observation(time=T0, identity="x", kind="human", log="okta", outcome="success",
                            accepted=True, hour=0, weekday=0)  # fmt: skip
        (feature,) = absence.features(login, scene, levels("absence", "x")).features
        told.append(feature.label.removeprefix("last login "))
    assert told == [
        "less than 2 days ago",
        "2 to 5 days ago",
        "5 to 10 days ago",
        "10 to 20 days ago",
        "more than 20 days ago",
    ]


def test_a_slot_of_the_hour_is_told_from_when_to_when() -> None:
    assert [rhythm.minutes(slot) for slot in (0, 7, 11)] == ["00 to 04", "35 to 39", "55 to 59"]
    feature = Feature(signal="schedule", factor="slot", key="6", categories=12)
    assert usual(feature, "1") == "the usual 05 to 09"


def test_what_would_have_been_usual_is_of_the_same_log() -> None:
    feature = Feature(
        signal="application", factor="application", key="signIns/Azure Portal",
        given=("log", "signIns"),
    )  # fmt: skip
    known = ("sshd/sshd", "System Log/Jira", "signIns/Teams", "signIns/SAP a/b", OTHER)
    assert usual(feature, *known) == "the usual SAP a/b or Teams"
    assert usual(feature, "sshd/sshd", OTHER) == "the usual sshd"
    both = levels("application", "signIns/background/Outlook", "signIns/Teams")
    both.own.add("log", "signIns", 3.0)
    both.own.add("log", "signIns/background", 3.0)
    assert _usual(weigh(feature, both), both) == "the usual Teams"
    asn = Feature(signal="network", factor="asn", key="RO/9009", given=("country", "RO"))
    assert usual(asn, "CA/577", "CA/812") == "the usual AS577 or AS812"
    log = Feature(signal="log", factor="log", key="sshd")
    assert usual(log, "signIns/background") == "the usual signIns/background"
    assert usual(Feature(signal="client", factor="client", key="b"), OTHER) == "known"


def test_days_are_told_as_they_are_counted() -> None:
    """Weekend or not: six Mondays of ten working days are no ten Mondays."""
    labels = {}
    for weekday in (0, 4, 5, 6):
        login = Observation(time=T0, identity="x", kind="human", log="okta", outcome="success",
                            accepted=True, hour=0, weekday=weekday)  # fmt: skip
        scene = Scene(Profile(), None, None, State().organisation)
        _, day = rhythm.features(login, scene, levels("weekend", "x")).features
        labels[day.label] = day.key
    assert labels == {
        "working day, here Monday UTC": "weekday",
        "working day, here Friday UTC": "weekday",
        "weekend, here Saturday UTC": "weekend",
        "weekend, here Sunday UTC": "weekend",
    }
