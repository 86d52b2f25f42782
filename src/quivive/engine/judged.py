"""What is known of a login on its way through the engine, stage by stage."""

from collections.abc import Sequence

from msgspec import Struct

from quivive.baseline.backoff import Levels
from quivive.baseline.lesson import Lesson
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Passed, Scene, Waiting
from quivive.engine.arrive import Arrival
from quivive.engine.beside import Said
from quivive.engine.shared import Delta, Repeat
from quivive.engine.taught import Taught
from quivive.engine.watch import Watched
from quivive.enrich.enricher import Enriched
from quivive.model.assessment import FINDING, Assessment, Decision
from quivive.model.event import AuthEvent
from quivive.scoring.assess import Standing
from quivive.scoring.gathered import Gathered


class Looked(Struct, frozen=True, gc=False):
    """A login with what is known around it.

    what: its facts, if the short road is open to it; same: the login of this hour that it repeats;
    little: all that is to be learned of it is that it came again;
    fewer: by how many identities a join of names made fewer; matured: what has waited long enough.
    """

    arrival: Arrival
    login: Observation
    scene: Scene
    levels: Levels
    standing: Standing
    what: int
    same: Passed | None
    little: bool
    fewer: int
    matured: Sequence[Waiting]


class Judged(Struct, frozen=True, gc=False):
    """One login with what was thought of it and what it teaches, before it is decided what to do.

    shadow: what a model in shadow says. delta: what others are to know of it, and watched what the
    organisation's logs looked like, which the engine has kept already.
    """

    event: AuthEvent
    enriched: Enriched
    login: Observation
    gathered: Gathered
    assessment: Assessment
    taught: Taught | None
    shadow: Said | None
    delta: Delta | Repeat | None
    watched: Watched


class Scored(Struct, frozen=True, gc=False):
    """One login with all that was said about it.

    finding: whether it is told; threshold: the risk from which it would be; capped: whether only
    the number of findings on its identity kept it back. shadow: what a model in shadow says.
    """

    event: AuthEvent
    enriched: Enriched
    login: Observation
    gathered: Gathered
    assessment: Assessment
    decision: Decision
    finding: bool = False
    threshold: float = FINDING
    capped: bool = False
    taught: Taught | None = None
    shadow: Said | None = None

    @property
    def lesson(self) -> Lesson | None:
        """What the login taught, for an analyst's verdict; None where there was nothing to."""
        return None if self.taught is None else self.taught.lesson(self.login)
