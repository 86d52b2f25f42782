"""The short road: what an identity did this very hour, in the same circumstances, it may do again.

A constellation teaches once an hour, so within the hour the same login is as usual as it was. When
nothing has happened around the identity or its address since, it is not weighed anew: it keeps the
score of the first. A job that calls the same thing a thousand times an hour costs one long road.
Whatever is out of the ordinary takes the long one, and closes the short one behind it.
"""

from typing import Protocol

from quivive.baseline.observation import Observation
from quivive.baseline.profile import Passed, Scene
from quivive.baseline.windows import HOUR_MS
from quivive.engine.beside import Said
from quivive.engine.taught import Taught
from quivive.model.assessment import Assessment
from quivive.scoring.assess import QUIET
from quivive.scoring.gathered import Gathered

PASSED_KEPT = 32


def passed(login: Observation, scene: Scene, what: int) -> Passed | None:
    """The first login of this hour like this one, if all is as it was then."""
    profile = scene.profile
    if profile.road_hour != login.time // HOUR_MS:
        return None
    found = profile.road.get(what)
    if found is None or profile.judged or found.around != _around(scene):
        return None
    if login.session is not None:
        origin = profile.sessions.get(login.session)
        if origin is not None and origin.ip != login.ip:
            return None
    return found


class Ended(Protocol):
    """A login that is through, as the engine gives it."""

    @property
    def gathered(self) -> Gathered:
        """What the signals said."""

    @property
    def assessment(self) -> Assessment:
        """What came of it."""

    @property
    def taught(self) -> Taught | None:
        """What it taught."""

    @property
    def shadow(self) -> Said | None:
        """What a model in shadow said."""


def open_or_close(login: Observation, scene: Scene, what: int, ended: Ended) -> None:
    """Opens the short road behind an ordinary login that was learned at once and in full, and
    closes it behind any other.
    """
    profile, said, taught, shadow = scene.profile, ended.assessment, ended.taught, ended.shadow
    hour = login.time // HOUR_MS
    if profile.road_hour != hour:
        profile.road = {}
        profile.road_hour = hour
    # Evidence in an ordinary login may stay: whatever could add to it closes the road.
    ordinary = said.undamped < QUIET and not said.newcomer and not said.repeated
    learned = taught is not None and taught.trust == 1.0 and not taught.held
    # What waits for its probation is odd; but a repeat has nothing of its own that could wait.
    if taught is not None and taught.waits and taught.counted:
        learned = False
    # While a prompt waits for its answer, what it weighs depends on the minute.
    if not ordinary or not learned or not what or profile.prompted(login.time):
        profile.road = {}
    elif len(profile.road) < PASSED_KEPT:
        profile.road[what] = Passed(
            said.score,
            ended.gathered.share,
            said.not_evaluable,
            _around(scene),
            None if shadow is None else shadow.score,
        )


def _around(scene: Scene) -> int:
    """What others did at the address and its network, as far as it may change."""
    happened = 0
    for state in (scene.address, scene.network):
        if state is not None:
            happened += len(state.failing.last_seen) + len(state.findings) + len(state.hostile)
    return happened
