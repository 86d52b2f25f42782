"""On which device: known, a colleague's, new, or none at all."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import CACHED, Feature, Missing, Signal, Spoken, familiarity, spoken

ATTACK = ("T1078", "T1539")
# Stolen passwords and proxied sessions mostly come without the device's registration.
PRIORS = {"own": 0.1, "enrolled": 0.02, "colleagues": 0.04, "new": 0.18, "missing": 0.66}
_LABELS = {
    "own": "device used before",
    "enrolled": "device never seen, managed by the organisation",
    "colleagues": "device that only colleagues have used",
    "new": "device never seen",
    "missing": "no device named",
}


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """Familiarity of the device, given the log."""
    reporting = levels.everyone.tables.get("device")
    if login.device is None and reporting is None:
        return _UNNAMED
    known = "missing"
    if login.device is not None:
        known = familiarity(levels, "device", login.device)
        if known == "new" and login.managed:
            known = "enrolled"
    logs = levels.everyone.tables.get("log")
    met = logs is not None and login.log in logs.values
    return _features(login.log, login.device, known, met)


_UNNAMED = spoken(Missing("device", "this log names no devices"))


@lru_cache(CACHED)
def _features(log: str, device: str | None, known: str, met: bool) -> Spoken:
    # Whether a log names devices is not known from its first logins: none is no evidence there.
    attacker = PRIORS[known] if met or device is not None else None
    familiar = Feature(
        signal="device",
        factor="device?",
        key=f"{log}/{known}",
        label=_LABELS[known],
        given=("log", log),
        categories=5,
        attacker=attacker,
        attack=ATTACK,
    )
    if device is None:
        return spoken(familiar)
    return spoken(Feature(signal="device", factor="device", key=device, weigh=False), familiar)


SIGNAL = Signal(
    name="device",
    group="client",
    title="On which device",
    tells={"device": "Whether the device is the identity's, a colleague's, new or not named."},
    attack=ATTACK,
    features=features,
)
