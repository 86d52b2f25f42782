"""How many things an identity meets for the first time in a day: who looks around."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS
from quivive.baseline.tails import tail
from quivive.model.assessment import Evidence
from quivive.signals.failures import DAILY
from quivive.signals.signal import Signal, familiarity

DISCOVERY = ("T1526",)
WEIGHT = 0.6
MOST = 4.0
SETTLED = 7 * DAY_MS  # to a newcomer everything is new


def unfamiliar(login: Observation, levels: Levels) -> list[str]:
    """What this login is for that its identity never used."""
    if login.application is not None:
        application = f"{login.log}/{login.application}"
        if familiarity(levels, "application", application) != "own":
            return [application]  # all that is done in it is new with it
    if login.role is not None and familiarity(levels, "role", login.role) != "own":
        return [login.role]
    found = []
    if login.operation is not None:
        found.append(("operation", f"{login.log}/{login.operation}"))
    if login.host is not None:
        found.append(("host", login.host))
    if login.resource is not None:
        found.append(("resource", login.resource))
    return [key for factor, key in found if familiarity(levels, factor, key) != "own"]


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """More than one thing new to the identity within 24 hours, against its usual."""
    profile = scene.profile
    if login.around is not None or login.time - profile.first_seen < SETTLED:
        return ()
    new = unfamiliar(login, levels)
    if not new:
        return ()
    before = profile.explored.members(login.time)
    count = len({*before, *new})
    if count < 2 or not before:
        return ()
    mean = 0.1 + profile.explored_rate.at(login.time - DAY_MS) / DAILY
    return (
        Evidence(
            signal="exploration",
            weight=min(MOST, WEIGHT * (tail(count, mean) - tail(1, mean))),
            text=f"{count} things (applications, operations, hosts) new to it in 24 h,"
            f" usually {mean:.1f} a day",
            attack=DISCOVERY,
        ),
    )


SIGNAL = Signal(
    name="exploration",
    group="reach",
    title="How much is new at once",
    tells={"exploration": "Several things used for the first time within 24 hours."},
    attack=DISCOVERY,
    evidence=evidence,
)
