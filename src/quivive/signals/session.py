"""Whether a session stays where it began."""

from collections.abc import Sequence
from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene, SessionOrigin
from quivive.model.assessment import Evidence
from quivive.signals.signal import NOTHING, Feature, Signal, Spoken, familiarity, spoken

REPLAY = ("T1539", "T1550.004")
STOLEN_KEY = ("T1550.001", "T1552.005")
CHANGED_SYSTEM = 3.0
# How stolen sessions go on at another address. (Another system is evidence of its own.)
PRIORS = {"unchanged": 0.3, "client": 0.25, "device": 0.35, "system": 0.1}
# Where the session of a key or token is used: at the address where it began, elsewhere over the
# same operator, or over another one. A temporary key stays with the machine it was given to.
ROAMING_PRIORS = {"here": 0.3, "near": 0.1, "elsewhere": 0.6}
_ROAMS = {
    "here": "session of a key used where it began",
    "near": "session of a key used at another address than where it began",
    "elsewhere": "session of a key used over another operator than where it began",
}
_LABELS = {
    "unchanged": "session goes on as it began",
    "client": "session goes on with another client",
    "device": "session goes on without the device that it began on",
    "system": "session goes on on another system",
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
    given = ("credential's session", log)
    return spoken(
        Feature(
            signal="roaming",
            factor="roaming",
            key=f"{log}/{where}",
            label=_ROAMS[where],
            given=given,
            categories=len(ROAMING_PRIORS),
            attacker=ROAMING_PRIORS[where],
            attack=STOLEN_KEY,
            alarms_only=True,
            weigh=where != "here",
        ),
        Feature(signal="roaming", factor=given[0], key=log, weigh=False),
    )


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
    given = ("moved session", log)
    return spoken(
        Feature(
            signal="continuity",
            factor="continuity",
            key=f"{log}/{changed}",
            label=_LABELS[changed],
            given=given,
            categories=len(PRIORS),
            attacker=PRIORS[changed],
            attack=REPLAY,
            alarms_only=True,
            weigh=changed != "system",
        ),
        Feature(signal="continuity", factor=given[0], key=log, weigh=False),
    )


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
