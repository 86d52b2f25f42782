"""Whatever decides about a judged login."""

from typing import Protocol

from quivive.baseline.observation import Observation
from quivive.model.assessment import Assessment, Decision
from quivive.model.event import AuthEvent


class Deciding(Protocol):
    """A policy at work."""

    def decide(self, event: AuthEvent, login: Observation, assessment: Assessment) -> Decision:
        """What to do about one login."""
