"""Whether a session stays where it began."""

from collections.abc import Sequence
from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene, SessionOrigin
from quivive.model.assessment import Evidence
from quivive.signals.signal import (
    NOTHING,
    Case,
    Signal,
    Spoken,
    circumstance,
    familiarity,
    spoken,
)

REPLAY = ("T1539", "T1550.004")
STOLEN_KEY = ("T1550.001", "T1552.005")
CHANGED_SYSTEM = 3.0
# How stolen sessions go on at another address. (Another system is evidence of its own.)
CONTINUITY = {
    "unchanged": Case("session goes on as it began", 0.3),
    "client": Case("session goes on with another client", 0.25),
    "device": Case("session goes on without the device that it began on", 0.35),
    "system": Case("session goes on on another system", 0.1, weigh=False),
}
# Where the session of a key or token is used. A temporary key stays with the machine that it was
# given to.
ROAMING = {
    "here": Case("session of a key used where it began", 0.3, weigh=False),
    "near": Case("session of a key used at another address than where it began", 0.1),
    "elsewhere": Case("session of a key used over another operator than where it began", 0.6),
}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Whether the session of a key or token in use is where it began; and what changed about any
    session that goes on at another address. Both given the log.
    """
    origin = scene.profile.sessions.get(login.session) if login.session else None
    if origin is None or login.ip is None:
        return NOTHING
    roams = NOTHING
    if login.operation is not None and login.around is None and login.public:
        roams = _roaming(login.log, _where(login, origin))
    if login.ip == origin.ip:
        return roams
    changed = _features(login.log, _changed(login, origin))
    return changed if roams is NOTHING else spoken(*roams, *changed)


def _where(login: Observation, origin: SessionOrigin) -> str:
    if login.ip == origin.ip:
        return "here"
    return "near" if login.asn is not None and login.asn == origin.asn else "elsewhere"


@lru_cache(256)
def _roaming(log: str, where: str) -> Spoken:
    return circumstance("roaming", "credential's session", log, where, ROAMING, STOLEN_KEY)


def _changed(login: Observation, origin: SessionOrigin) -> str:
    if login.os and origin.os and login.os != origin.os:
        return "system"
    if origin.device is not None and login.device != origin.device:
        return "device"
    if login.browser and origin.browser and login.browser != origin.browser:
        return "client"
    return "unchanged"


@lru_cache(256)
def _features(log: str, changed: str) -> Spoken:
    return circumstance("continuity", "moved session", log, changed, CONTINUITY, REPLAY)


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """A session id met on another operating system."""
    origin = scene.profile.sessions.get(login.session) if login.session else None
    if origin is None or login.ip is None or login.ip == origin.ip:
        return ()
    # A session may roam with its laptop; it never changes its operating system.
    if not login.os or not origin.os or login.os == origin.os:
        return ()
    known = login.asn is not None and familiarity(levels, "operator", login.asn) == "own"
    return (
        Evidence(
            signal="session",
            weight=CHANGED_SYSTEM * (0.25 if known else 1.0),
            text=f"session begun on {origin.os} at {origin.ip} ({origin.country or '?'})"
            f" continues on {login.os} at {login.ip} ({login.country or '?'})",
            attack=REPLAY,
        ),
    )


SIGNAL = Signal(
    name="session",
    group="session",
    title="Whether a session stays where it began",
    tells={
        "session": "One session id on two operating systems: a replayed token.",
        "continuity": "How usual it is that a session goes on at another address without the device"
        " or client that it began with.",
        "roaming": "How usual it is that the session of a key or token is used at another address"
        " than where it began.",
    },
    attack=REPLAY + STOLEN_KEY,
    features=features,
    evidence=evidence,
)
