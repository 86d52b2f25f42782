"""A model in shadow at work: what it would have said of each login, and told, without effect."""

from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from quivive.baseline.observation import Observation
from quivive.engine.state import State
from quivive.model.assessment import Assessment
from quivive.policy.budget import Budgets, Threshold, Thresholds, judge
from quivive.scoring.calibrate import Calibration
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import Model
from quivive.scoring.shadow import Shadow


class Scale(Struct, gc=False):
    """What the risks of one model are measured by: kept with each version that is not active."""

    calibrations: dict[str, Calibration] = field(default_factory=dict)
    thresholds: dict[str, Threshold] = field(default_factory=dict)


class Said(Struct, frozen=True, gc=False):
    """What a model in shadow says of a login: its version, the risk, whether it would tell, and
    the score in nats.
    """

    model: str
    risk: float
    finding: bool
    score: float = 0.0


class Looking(Protocol):
    """Whatever looks at the logins beside the active model."""

    def look(self, login: Observation, gathered: Gathered, assessment: Assessment) -> Said | None:
        """What it says of a login that the active model has just judged."""


class Beside:
    """A model in shadow with the scale, the budgets and the memory of findings of its own."""

    def __init__(self, model: Model, active: Model, budgets: Budgets, scale: Scale) -> None:
        """``scale`` is changed in place."""
        self.model = model
        self.scale = scale
        self._budgets = budgets
        self._shadow = Shadow(model, active, scale.calibrations)
        self._thresholds = Thresholds(scale.thresholds)

    def hold(self, budgets: Budgets) -> None:
        """Takes over other budgets: those that the active model holds."""
        self._budgets = budgets

    def look(self, login: Observation, gathered: Gathered, assessment: Assessment) -> Said:
        """What it says of a login that the active model has just judged."""
        score, risk = self._shadow.risk(login, gathered, assessment)
        telling = judge(
            risk, login.identity, login.kind, login.time, self._thresholds, self._budgets
        )
        if telling.finding:
            risk = self._shadow.ranked(risk, login, gathered, assessment, telling.threshold)
        return Said(self.model.version, risk, telling.finding, score)


def scale_of(state: State) -> Scale:
    """The scale of the active model, as it stands: a copy."""
    return Scale(
        {name: _copied(found) for name, found in state.calibrations.items()},
        {name: replace(found) for name, found in state.thresholds.by_class.items()},
    )


def first_scale(model: Model, state: State) -> Scale:
    """The scale a model begins with: its own calibrations; the thresholds of the active one, moved
    to where history settled its own.
    """
    own = model.thresholds
    return Scale(
        {name: _copied(found) for name, found in model.calibrations.items()},
        {
            name: replace(found, value=own.get(name, found.value))
            for name, found in state.thresholds.by_class.items()
        },
    )


def measured_by(state: State, scale: Scale) -> None:
    """Makes a scale that of the active model. ``state`` is changed in place."""
    state.calibrations = scale.calibrations
    state.thresholds.by_class = scale.thresholds


def _copied(found: Calibration) -> Calibration:
    return replace(found, bins=dict(found.bins), body=list(found.body))
