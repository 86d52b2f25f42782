"""What one login taught: kept as references, and written down only when asked for."""

from collections.abc import Sequence

from msgspec import Struct

from quivive.baseline.lesson import Before, Lesson
from quivive.baseline.observation import Observation
from quivive.engine.learn import alike, origin_of, place_of
from quivive.signals.signal import Spoken


class Taught(Struct, frozen=True, gc=False):
    """What a login taught or, held, would have taught; the fields are those of a Lesson."""

    said: Sequence[Spoken]
    constellation: str
    group: str
    trust: float
    held: bool
    counted: bool
    before: Before | None
    waits: bool

    @property
    def is_repeat(self) -> bool:
        """Whether it taught only that it came again (again.py)."""
        return self.trust > 0.0 and self.before is None

    def lesson(
        self, login: Observation, features: tuple[tuple[str, str, bool], ...] | None = None
    ) -> Lesson:
        """The lesson as it is kept for an analyst's verdict; ``features`` where the caller has put
        together those of ``said`` himself.
        """
        session = login.session
        if features is None:
            features = tuple((f.factor, f.key, f.shared) for one in self.said for f in one.features)
        return Lesson(
            identity=login.identity,
            kind=login.kind,
            group=self.group,
            time=login.time,
            trust=self.trust,
            alike=alike(login),
            held=self.held,
            constellation=self.constellation,
            counted=self.counted,
            features=features,
            ip=login.ip,
            network=login.network,
            country=login.country,
            session=session,
            place=place_of(login),
            origin=None if session is None else origin_of(login),
            before=self.before,
            waits=self.waits,
        )
