"""How many things an identity meets for the first time in a day: who looks around."""

from collections.abc import Sequence

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.baseline.tables import DAY_MS
from quivive.baseline.tails import tail
from quivive.model.assessment import Evidence
from quivive.signals.failures import DAILY
from quivive.signals.sensitivity import ORDINARY, kind_of
from quivive.signals.signal import Signal, familiarity

DISCOVERY = ("T1526",)
WEIGHT = 0.6
PROWL_WEIGHT = 1.5
MOST = 4.0
SETTLED = 7 * DAY_MS  # to a newcomer everything is new


def unfamiliar(login: Observation, levels: Levels) -> list[str]:
    """What this login is for that its identity never used."""
    if login.application is not None:
        application = f"{login.log}/{login.application}"
        if familiarity(levels, "application", application) != "own":
            return [application, *_sought(login, levels)]  # what else is done in it is new with it
    if login.role is not None and familiarity(levels, "role", login.role) != "own":
        return [login.role, *_sought(login, levels)]
    found = []
    if login.operation is not None:
        found.append(("operation", f"{login.log}/{login.operation}"))
    if login.host is not None:
        found.append(("host", login.host))
    if login.resource is not None:
        found.append(("resource", login.resource))
    return [key for factor, key in found if familiarity(levels, factor, key) != "own"]


def _sought(login: Observation, levels: Levels) -> list[str]:
    """The operation, where it is new and of a kind that intruders come for."""
    if login.operation is None or kind_of(login.operation) == ORDINARY:
        return []
    operation = f"{login.log}/{login.operation}"
    return [operation] if familiarity(levels, "operation", operation) != "own" else []


def evidence(login: Observation, scene: Scene, levels: Levels) -> Sequence[Evidence]:
    """More than one thing new to the identity within 24 hours, against its usual; several of the
    kinds that intruders come for.
    """
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
    found = Evidence(
        signal="exploration",
        weight=min(MOST, WEIGHT * (tail(count, mean) - tail(1, mean))),
        text=f"{count} things (applications, operations, hosts) new to it in 24 h,"
        f" usually {mean:.1f} a day",
        attack=DISCOVERY,
    )
    sought = sorted({key for key in (*before, *new) if kind_of(key) != ORDINARY})
    if login.operation is None or len(sought) < 2:
        return (found,)
    return (
        found,
        Evidence(
            signal="prowl",
            weight=min(MOST, PROWL_WEIGHT * (len(sought) - 1)),
            text=f"{len(sought)} operations that intruders look for, new to it in 24 h:"
            f" {', '.join(sought[:3])}",
            attack=DISCOVERY,
        ),
    )


SIGNAL = Signal(
    name="exploration",
    group="reach",
    title="How much is new at once",
    tells={
        "exploration": "Several things used for the first time within 24 hours.",
        "prowl": "Several operations of the kinds that intruders come for (secrets, rights, shells,"
        " copies, traces), none of them used before.",
    },
    attack=DISCOVERY,
    evidence=evidence,
)
