"""What the signals say about logins, weighed by the model in use."""

from collections.abc import Sequence

from msgspec.structs import replace

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.model.assessment import Evidence
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import Model
from quivive.scoring.weigh import weigh_all
from quivive.signals.signal import Signal, Spoken

Answers = tuple[Sequence[Spoken], Gathered]


class Gathering:
    """Asks every signal. groups: of evidence, by the signal that tells it; model: weighs it."""

    def __init__(self, signals: Sequence[Signal], model: Model) -> None:
        """``signals`` as the registry lists them."""
        self.groups = {told: s.group for s in signals for told in s.tells}
        self.model = model
        self._features = [s.features for s in signals if s.features is not None]
        self._evidence = [s.evidence for s in signals if s.evidence is not None]

    def all(self, of: Sequence[tuple[Observation, Scene, Levels]]) -> list[Answers]:
        """What every signal says about logins: each signal about all of them, one after another."""
        if len(of) == 1:
            return [self.one(*of[0])]
        families = [[features(*one) for one in of] for features in self._features]
        pieces = [[evidence(*one) for one in of] for evidence in self._evidence]
        found: list[Answers] = []
        for number, (_, _, levels) in enumerate(of):
            said = [family[number] for family in families]
            found.append((said, self._gathered(said, [p[number] for p in pieces], levels)))
        return found

    def one(self, login: Observation, scene: Scene, levels: Levels) -> Answers:
        """What every signal says about a login."""
        said = [of(login, scene, levels) for of in self._features]
        pieces = [of(login, scene, levels) for of in self._evidence]
        return said, self._gathered(said, pieces, levels)

    def _gathered(
        self, said: Sequence[Spoken], pieces: Sequence[Sequence[Evidence]], levels: Levels
    ) -> Gathered:
        factors = self.model.weights
        weighed = weigh_all([f for one in said for f in one.weighed], levels, factors)
        evidence = [
            e if e.signal not in factors else replace(e, weight=e.weight * factors[e.signal])
            for piece in pieces
            for e in piece
        ]
        missing = [m for one in said for m in one.missing]
        return Gathered(weighed, evidence, missing, self.groups)
