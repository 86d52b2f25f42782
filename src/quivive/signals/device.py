"""On which device: known, a colleague's, new, or none at all."""

from collections.abc import Iterator

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import Feature, Missing, Signal, familiarity

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


def features(login: Observation, scene: Scene, levels: Levels) -> Iterator[Feature | Missing]:
    """Familiarity of the device, given the log."""
    reporting = levels.everyone.tables.get("device")
    if login.device is None and reporting is None:
        yield Missing("device", "this log names no devices")
        return
    known = "missing"
    if login.device is not None:
        known = familiarity(levels, "device", login.device)
        if known == "new" and login.managed:
            known = "enrolled"
        yield Feature(signal="device", factor="device", key=login.device, weigh=False)
    yield Feature(
        signal="device",
        factor="device?",
        key=f"{login.log}/{known}",
        label=_LABELS[known],
        given=("log", login.log),
        categories=5,
        attacker=PRIORS[known],
        attack=ATTACK,
    )


SIGNAL = Signal(
    name="device",
    group="client",
    title="On which device",
    tells={"device": "Whether the device is the identity's, a colleague's, new or not named."},
    attack=ATTACK,
    features=features,
)
