"""Whether the way back into the account was used just before."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal, familiarity

ATTACK = ("T1098.005", "T1556.006")
HORIZON = 2 * DAY_MS
WEIGHTS = {
    "Password Reset": 1.0,
    "Password Change": 0.6,
    "Factor Enroll": 1.2,
    "Factor Reset": 1.5,
}


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """A reset or an enrolment within two days, heavier when this login is on new ground."""
    found = 0.0
    words: list[str] = []
    for recovery in scene.profile.recoveries:
        if not 0 <= login.time - recovery.time < HORIZON:
            continue
        weight = WEIGHTS.get(recovery.what, 0.0)
        if weight:
            found += weight * (0.5 if recovery.familiar else 1.0)
            if recovery.what not in words:
                words.append(recovery.what)
    if not found:
        return ()
    operator = login.asn or login.network
    table = "operator" if login.asn else "subnet"
    if operator is not None and familiarity(levels, table, operator) == "own":
        found *= 0.3
    return (
        Evidence(
            signal="recovery",
            weight=min(3.5, found),
            text=f"{' and '.join(words).lower()} within two days before",
            attack=ATTACK,
        ),
    )


SIGNAL = Signal(
    name="recovery",
    group="around",
    title="Whether the account was recovered just before",
    tells={"recovery": "Password resets and factor enrolments within two days before the login."},
    attack=ATTACK,
    evidence=evidence,
)
