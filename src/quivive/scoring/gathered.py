"""All that the signals said about one login, and its sums by story."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from quivive.model.assessment import Evidence
from quivive.scoring.stories import GROUPS, PLACE_OF, Sums
from quivive.scoring.weigh import Weighed
from quivive.signals.signal import Missing


class Gathered(Struct, frozen=True, gc=False):
    """All that the signals said about one login; nothing for one that took the short road.

    again: the score a model in shadow gave the login that such a one repeats.
    """

    weighed: Sequence[Weighed]
    evidence: Sequence[Evidence]
    missing: Sequence[Missing]
    groups: dict[str, str]
    again: float | None = None

    @property
    def share(self) -> float:
        """The share of the signals that could speak."""
        spoken = len(self.weighed) + len([e for e in self.evidence if not e.always])
        return spoken / (spoken + len(self.missing)) if spoken else 0.0

    def sums(self, without: Collection[str] = ()) -> Sums:
        """All evidence added up, leaving out the signals named."""
        groups, place = self.groups, PLACE_OF
        explained = [0.0] * len(GROUPS)
        reassuring = [0.0] * len(GROUPS)
        everything = 0.0
        for weighed in self.weighed:
            feature = weighed.feature
            if without and feature.signal in without:
                continue
            nats = weighed.weight
            everything += nats
            if nats > 0.0:
                explained[place[feature.group or groups[feature.signal]]] += weighed.explained
            else:
                reassuring[place[feature.group or groups[feature.signal]]] += nats
        for evidence in self.evidence:
            if without and evidence.signal in without:
                continue
            nats = evidence.weight
            everything += nats
            (explained if nats > 0.0 else reassuring)[place[groups[evidence.signal]]] += nats
        return Sums(everything, explained, reassuring)
