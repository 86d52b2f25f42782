"""The way of one login, on one screen: observe, gather, assess, decide, learn."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from quivive.baseline.backoff import Levels
from quivive.baseline.lesson import Lesson
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.engine import learn
from quivive.engine.again import again, teaches_little
from quivive.engine.beside import Looking, Said
from quivive.engine.observe import observe, with_known_place
from quivive.engine.probation import ODD_SHARE, mature
from quivive.engine.road import open_or_close, passed
from quivive.engine.state import State, group_before
from quivive.engine.taught import Taught
from quivive.engine.watch import watch, watch_again
from quivive.enrich.enricher import Enriched, Enricher
from quivive.model.assessment import FINDING, Assessment, Decision, level_of
from quivive.model.event import Activity, AuthEvent
from quivive.policy.budget import Budgets, judge
from quivive.policy.deciding import Deciding, Telling
from quivive.scoring.assess import QUIET, Gathered, Standing, as_before, assess
from quivive.scoring.calibrate import calibration_of, count
from quivive.scoring.model import SHIPPED, Model, usable_trees
from quivive.scoring.trees import lifted, values_of
from quivive.scoring.weigh import weigh_all
from quivive.signals.signal import Signal, Spoken


class Scored(Struct, frozen=True):
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


class Engine:
    """Judges events in order of time and remembers what they teach."""

    def __init__(
        self,
        state: State,
        enricher: Enricher,
        signals: Sequence[Signal],
        model: Model = SHIPPED,
        budgets: Budgets | None = None,
        beside: Looking | None = None,
        decider: Deciding | None = None,
        shortens: bool = True,
    ) -> None:
        """``signals`` as the registry lists them; ``state`` is changed in place.

        ``beside`` is a model in shadow; ``decider`` the policy, without which findings are told of
        and nothing is done. ``shortens`` lets ordinary repeats take the short road, without
        evidence. Raises ModelError when the trees of the model want a signal that is not there.
        """
        self.state = state
        self.enricher = enricher
        self.model = model
        self.budgets = budgets or Budgets()
        self.beside = beside
        self.decider = decider or Telling()
        self.groups = {told: s.group for s in signals for told in s.tells}
        self.ranking = usable_trees(model, self.groups)
        self.shortens = shortens
        self.words_from = QUIET
        self.feature_signals = [s.features for s in signals if s.features is not None]
        self.evidence_signals = [s.evidence for s in signals if s.evidence is not None]

    def step(self, event: AuthEvent) -> Scored | None:
        """Judges one event, then learns from it. None for a duplicate and for a log-off."""
        state = self.state
        if event.activity_id == Activity.LOGOFF or self._duplicate(event):
            return None
        state.sweep(event.time)

        enriched = self.enricher.enrich(event)
        login = observe(event, enriched, state)
        former = state.directory.former_name(login.identity)
        if former is not None:
            state.merge_profile(former, login.identity)
        profile = state.profile(login.identity)
        mature(state, profile, login.time)
        scene, levels = state.scene(login, profile)

        newcomer = profile.newcomer(login.time)
        standing = Standing(
            profile.effective_logins(login.time, levels.own_scale),
            newcomer,
            calibration_of(state.calibrations, login, newcomer),
        )
        what = login.facts if self.shortens and login.learnable else 0
        same = passed(login, scene, what) if what else None
        if same is not None:
            said: list[Spoken] = []
            gathered = Gathered((), (), (), self.groups, same.beside)
            assessment = as_before(login, same.score, same.share, same.missing, standing)
        else:
            said, gathered = self.gather(login, scene, levels)
            told = learn.told_before(login, profile)
            assessment = assess(login, gathered, levels, standing, told, self.words_from)
        decision = self.decider.decide(event, login, assessment)
        telling = judge(
            assessment.risk_score,
            login.identity,
            login.kind,
            login.time,
            state.thresholds,
            self.budgets,
        )

        if same is not None and teaches_little(login, profile):
            watch_again(event, login, assessment.score, state)
            taught: Taught | None = again(login, scene)
            count(state.calibrations, standing.calibration, login, newcomer, assessment.score)
        else:
            watch(event, login, scene, levels, said, gathered, assessment.score, state)
            taught = self._learn(login, scene, levels, said, gathered, assessment, standing)
        event = with_known_place(event, login)
        scored = Scored(
            event,
            enriched,
            login,
            gathered,
            assessment,
            decision,
            telling.finding,
            telling.threshold,
            telling.capped,
            taught,
        )
        if self.beside is not None or self.ranking is not None:
            scored = self._ranked(scored)
        if same is None:
            open_or_close(login, scene, what, scored)
        return scored

    def gather(
        self, login: Observation, scene: Scene, levels: Levels
    ) -> tuple[list[Spoken], Gathered]:
        """What every signal says about a login."""
        said = [of(login, scene, levels) for of in self.feature_signals]
        factors = self.model.weights
        weighed = weigh_all([f for one in said for f in one.weighed], levels, factors)
        evidence = [
            e if e.signal not in factors else replace(e, weight=e.weight * factors[e.signal])
            for of in self.evidence_signals
            for e in of(login, scene, levels)
        ]
        missing = [m for one in said for m in one.missing]
        return said, Gathered(weighed, evidence, missing, self.groups)

    def _learn(
        self,
        login: Observation,
        scene: Scene,
        levels: Levels,
        said: list[Spoken],
        gathered: Gathered,
        assessment: Assessment,
        standing: Standing,
    ) -> Taught | None:
        """Score first, learn after, and learn only what is not too unusual to trust.

        None where there was nothing to learn.
        """
        state, calibration = self.state, standing.calibration
        key = login.constellation
        learn.note(login, scene, levels, state)
        learn.tell(login, assessment, scene, state)
        taught = None
        if login.learnable:
            profile = scene.profile
            before, group = None, group_before(profile, login)
            # A pinned rule may speak against a login that looks usual in everything else.
            unusual = calibration.gated(assessment.score) or assessment.undamped >= FINDING
            pinned = any(e.pinned is not None for e in gathered.evidence)
            trust, held = learn.trusted(login, scene, levels, unusual, pinned)
            waits = calibration.exceedance(assessment.score) < ODD_SHARE
            if trust:
                before, counted = learn.learn(login, scene, levels, state, key, said, trust, waits)
            else:
                counted = learn.first_of_hour(login, key, profile)
            taught = Taught(said, key, group, trust, held, counted, before, waits)
        if login.accepted and not assessment.repeated:
            count(state.calibrations, calibration, login, assessment.newcomer, assessment.score)
        return taught

    def _ranked(self, scored: Scored) -> Scored:
        """The login with what the model in shadow says, and a finding's place among findings."""
        login, gathered, assessment = scored.login, scored.gathered, scored.assessment
        shadow = self.beside.look(login, gathered, assessment) if self.beside else None
        if self.ranking is not None and scored.finding:
            values = values_of(login, gathered, assessment.history, self.model.weights)
            likely = self.ranking.probability(values)
            risk = lifted(assessment.risk_score, likely, scored.threshold)
            assessment = replace(assessment, risk_score=risk, risk_level=level_of(risk))
        return replace(scored, assessment=assessment, shadow=shadow)

    def _duplicate(self, event: AuthEvent) -> bool:
        uid = event.metadata.uid
        if uid is None:
            return False
        metadata = event.metadata
        return self.state.seen.again(f"{metadata.product.name}|{metadata.log_name}|{uid}")
