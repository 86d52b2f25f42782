"""A model in shadow: scored beside the active one on the same evidence, without any effect."""

from msgspec.structs import replace

from quivive.baseline.observation import Observation
from quivive.model.assessment import Assessment
from quivive.scoring.assess import risk_of
from quivive.scoring.calibrate import Calibration, calibration_of, count
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import Model
from quivive.scoring.stories import score_of
from quivive.scoring.trees import lifted, read_trees, values_of


class Shadow:
    """What another model says of the logins that the active one judges.

    It keeps calibrations of its own and changes nothing else. Repeats rank as much lower as they do
    in the active model, which remembers what was told; a repeat that only the shadow would tell
    counts in full, so that its number of findings is rather over- than understated.
    """

    def __init__(self, model: Model, active: Model, calibrations: dict[str, Calibration]) -> None:
        """``calibrations`` to go on from, changed in place."""
        self.model = model
        self.active = active
        self.calibrations = calibrations
        before, after = active.weights, model.weights
        self._changed = {
            signal: after.get(signal, 1.0)
            for signal in {*before, *after}
            if after.get(signal, 1.0) != before.get(signal, 1.0)
        }
        self._trees = read_trees(model.trees) if model.trees else None

    def risk(
        self, login: Observation, gathered: Gathered, assessment: Assessment
    ) -> tuple[float, float]:
        """The score (nats) and the risk (0 to 100) this model gives a login, which its calibration
        then counts.

        ``gathered`` and ``assessment`` are what the active model was told and said.
        """
        score = assessment.score
        if gathered.again is not None:
            score = gathered.again
        elif self._changed and not assessment.short_road:
            score = score_of(self.gathered(gathered).sums(), login.kind)
        calibration = calibration_of(self.calibrations, login, assessment.newcomer)
        undamped = risk_of(score, login, gathered.evidence, assessment.history, calibration)
        risk = max(0.0, undamped - (assessment.undamped - assessment.risk_score))
        if login.accepted and not assessment.repeated:
            newcomer = assessment.newcomer
            count(self.calibrations, login.kind, login.log, newcomer, score, login.time)
        return score, risk

    def ranked(
        self,
        risk: float,
        login: Observation,
        gathered: Gathered,
        assessment: Assessment,
        threshold: float,
    ) -> float:
        """The risk of a finding among findings, where the model has trees to rank them."""
        if self._trees is None:
            return risk
        values = values_of(login, gathered, assessment.history, self.active.weights)
        return lifted(risk, self._trees.probability(values), threshold)

    def gathered(self, gathered: Gathered) -> Gathered:
        """The same evidence as this model weighs it."""
        changed, before = self._changed, self.active.weights
        return replace(
            gathered,
            weighed=[
                w if w.feature.signal not in changed else w.by(changed[w.feature.signal])
                for w in gathered.weighed
            ],
            evidence=[
                e
                if e.signal not in changed
                else replace(e, weight=e.weight / before.get(e.signal, 1.0) * changed[e.signal])
                for e in gathered.evidence
            ],
        )
