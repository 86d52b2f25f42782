"""What a login may cost. Above it, what is done beside judging is left out, a step at a time.

Every step is declared here, told in the log, at ``/readyz`` and ``/metrics``, and recorded in the
audit trail. None of them changes what is found, what is decided or what is kept of a login.
"""

from typing import NamedTuple

from quivive.model.assessment import FINDING
from quivive.scoring.assess import QUIET

LOGINS = 200  # fewer since the last look say too little
ROOM = 0.8  # of the budget: below it there is room for a step back
CALM = 6  # looks in a row with room, after which a step is taken back
FRESH = 0.5  # weight of the newest look in the running cost


class Step(NamedTuple):
    """name: in metrics and records; leaves_out: what is not done from this step on."""

    name: str
    leaves_out: str


STEPS = (
    Step("telemetry", "files of telemetry are not written; they catch up when there is room"),
    Step("shadow", "a model in shadow does not look on"),
    Step("words", "logins below a finding come with one reason at most"),
)


class Thrift(NamedTuple):
    """What the steps that are in force leave out of judging."""

    looks_beside: bool = True
    words_from: float = QUIET


class Change(NamedTuple):
    """A step that was taken, or taken back. cost: CPU seconds a million logins; budget: the same.

    level: how many steps are in force now.
    """

    step: Step
    taken: bool
    cost: float
    budget: float
    level: int


class Guardrail:
    """The running cost of a login, and the steps in force. ``budget``: CPU seconds that judging and
    keeping a million logins may take; None for any.
    """

    def __init__(self, budget: float | None = None) -> None:
        """Nothing was judged yet."""
        self.budget = budget
        self.level = 0
        self.cost: float | None = None
        self._logins = 0
        self._seconds = 0.0
        self._calm = 0

    def note(self, logins: int, seconds: float) -> None:
        """So many logins took so much of the processor."""
        self._logins += logins
        self._seconds += seconds

    def look(self) -> Change | None:
        """Compares the cost since the last look with the budget; the step it takes, if any."""
        if self._logins < LOGINS:
            return None
        found = self._seconds / self._logins * 1e6
        self.cost = found if self.cost is None else FRESH * found + (1 - FRESH) * self.cost
        self._logins, self._seconds = 0, 0.0
        if self.budget is None:
            return self._back() if self.level else None
        if self.cost > self.budget:
            self._calm = 0
            return self._on() if self.level < len(STEPS) else None
        self._calm = self._calm + 1 if self.cost < ROOM * self.budget else 0
        return self._back() if self.level and self._calm >= CALM else None

    @property
    def in_force(self) -> tuple[Step, ...]:
        """The steps taken."""
        return STEPS[: self.level]

    @property
    def thrift(self) -> Thrift:
        """What judging leaves out now."""
        names = {step.name for step in self.in_force}
        return Thrift("shadow" not in names, FINDING if "words" in names else QUIET)

    def _on(self) -> Change:
        self.level += 1
        return self._change(STEPS[self.level - 1], taken=True)

    def _back(self) -> Change:
        self.level -= 1
        self._calm = 0
        return self._change(STEPS[self.level], taken=False)

    def _change(self, step: Step, *, taken: bool) -> Change:
        return Change(step, taken, self.cost or 0.0, self.budget or 0.0, self.level)
