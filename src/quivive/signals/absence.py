"""How long the identity was away."""

from functools import lru_cache

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.signals.signal import NOTHING, Feature, Signal, Spoken, spoken

ATTACK = ("T1078",)
DAY_MS = 86_400_000
# Upper bounds in days, and how often attackers find an account that long unused.
STEPS = ((2, "2 days", 0.6), (5, "5 days", 0.15), (10, "10 days", 0.08), (20, "20 days", 0.06))
LONGER = 0.11


def features(login: Observation, scene: Scene, levels: Levels) -> Spoken:
    """The silence before this login, in steps."""
    last = scene.profile.last_seen
    if not last or login.time < last:
        return NOTHING
    days = (login.time - last) / DAY_MS
    least = 0
    for bound, name, share in STEPS:
        if days < bound:
            words = f"{least} to {name}" if least else f"less than {name}"
            return _features(f"less than {name}", words, share)
        least = bound
    return _features("more than 20 days", "more than 20 days", LONGER)


@lru_cache(len(STEPS) + 1)
def _features(step: str, words: str, attacker: float) -> Spoken:
    return spoken(
        Feature(
            signal="absence",
            factor="absence",
            key=step,
            label=f"last login {words} ago",
            categories=5,
            attacker=attacker,
            attack=ATTACK,
        )
    )


SIGNAL = Signal(
    name="absence",
    group="absence",
    title="How long the identity was away",
    tells={
        "absence": "Days since the last login: dormant accounts, leavers, forgotten keys.",
    },
    attack=ATTACK,
    features=features,
)
