"""Whatever decides about a judged login, and what does without a policy."""

from typing import Protocol

from quivive.baseline.observation import Observation
from quivive.model.assessment import FINDING, Assessment, Decision
from quivive.model.event import AuthEvent


class Deciding(Protocol):
    """A policy at work."""

    def decide(self, event: AuthEvent, login: Observation, assessment: Assessment) -> Decision:
        """What to do about one login."""


_ALLOW = Decision(action="allow", mode="shadow", rule="none/allow")
_NOTIFY = Decision(action="notify", mode="shadow", rule="none/notify")


class Telling:
    """Without a policy: what is worth telling is told, and nothing is done."""

    def decide(self, event: AuthEvent, login: Observation, assessment: Assessment) -> Decision:
        """What to do about one login."""
        return _ALLOW if assessment.undamped < FINDING else _NOTIFY
