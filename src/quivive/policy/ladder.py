"""The built-in ladder of responses: notify, soft action, revocation only at high confidence."""

from quivive.baseline.observation import Observation
from quivive.model.assessment import Assessment, Decision, level_of
from quivive.model.event import AuthEvent

CONFIDENT = 0.6

_ALLOW = Decision(action="allow", mode="shadow", rule="default/allow")
_NOTIFY = Decision(action="notify", mode="shadow", rule="default/medium-notify")
_STEP_UP = Decision(action="step_up", mode="shadow", rule="default/high-step-up")
_REVOKE = Decision(action="revoke", mode="shadow", rule="default/critical-revoke")
_ROTATE = Decision(action="rotate", mode="shadow", rule="default/critical-machine-rotate")


def decide(assessment: Assessment, kind: str) -> Decision:
    """The decision for one assessment; always in shadow: it says what it would do.

    Step-up means nothing to a machine, so a machine's high risk is told to its owner.
    """
    level = level_of(assessment.undamped)
    if level == "low":
        return _ALLOW
    if level == "critical" and assessment.confidence >= CONFIDENT:
        return _REVOKE if kind == "human" else _ROTATE
    if level in ("high", "critical") and kind == "human":
        return _STEP_UP
    return _NOTIFY


class Ladder:
    """The ladder as a policy, for an engine that is given none."""

    def decide(self, event: AuthEvent, login: Observation, assessment: Assessment) -> Decision:
        """What to do about one login."""
        return decide(assessment, login.kind)
