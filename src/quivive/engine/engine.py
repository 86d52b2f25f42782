"""The way of one login, on one screen: observe, gather, assess, decide, learn."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from quivive.baseline.backoff import Levels
from quivive.baseline.lesson import Lesson
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.engine import gate, learn
from quivive.engine.again import again, teaches_little
from quivive.engine.arrive import Arrival, arrive
from quivive.engine.beside import Looking, Said
from quivive.engine.observe import observed, with_known_place
from quivive.engine.probation import ODD_SHARE, mature
from quivive.engine.publish import publish
from quivive.engine.road import open_or_close, passed
from quivive.engine.shared import Delta, Measured, Repeat
from quivive.engine.state import State, group_before
from quivive.engine.taught import Taught
from quivive.engine.watch import Watched, record, watch, watch_again
from quivive.enrich.enricher import Enriched, Enricher
from quivive.model.assessment import FINDING, Assessment, Decision, level_of
from quivive.model.event import AuthEvent
from quivive.policy.budget import Budgets, judge
from quivive.policy.deciding import Deciding, Telling
from quivive.scoring.assess import QUIET, Gathered, Standing, as_before, assess
from quivive.scoring.calibrate import calibration_of
from quivive.scoring.model import SHIPPED, Model, usable_trees
from quivive.scoring.trees import lifted, values_of
from quivive.scoring.weigh import weigh_all
from quivive.signals.signal import Signal, Spoken


class Judged(Struct, frozen=True, gc=False):
    """One login with what was thought of it and what it teaches, before it is decided what to do.

    shadow: what a model in shadow says. delta: what others are to know of it, and watched what the
    organisation's logs looked like, which the engine has kept already.
    """

    event: AuthEvent
    enriched: Enriched
    login: Observation
    gathered: Gathered
    assessment: Assessment
    taught: Taught | None
    shadow: Said | None
    delta: Delta | Repeat | None
    watched: Watched


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
        arrival = arrive(event, self.enricher, self.state)
        if arrival is None:
            return None
        judged = self.judge(arrival)
        record(judged.watched, judged.login, self.state)
        return self.tell(judged)

    def judge(self, arrival: Arrival) -> Judged:
        """Judges one login by what its identity did before, and by what is known to everyone by
        then; the identity learns of it at once, and others when its delta is due.
        """
        state = self.state
        event, enriched, identity = arrival.event, arrival.enriched, arrival.identity
        publish(state, arrival.due)
        if arrival.swept:
            state.sweep(event.time)
        profile = state.profile(identity)
        login = observed(event, enriched, identity, arrival.lent, profile.kind)
        fewer = 0
        if arrival.former is not None:
            fewer = state.merge_profile(arrival.former, login.identity)
        time = login.time
        matured = mature(profile, time)
        scene, levels = state.scene(login, profile)

        newcomer = profile.newcomer(time)
        standing = Standing(
            profile.effective_logins(time, levels.own_scale),
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

        number = arrival.number
        delta: Delta | Repeat | None = None
        if same is not None and not (matured or fewer) and teaches_little(login, profile):
            watched = watch_again(event, assessment.score)
            taught: Taught | None = again(login, profile)
            measured = Measured(login.kind, login.log, newcomer, assessment.score)
            state.pending.add(delta := Repeat(number, time, measured))
        else:
            watched = watch(event, login, scene, levels, said, gathered, assessment.score)
            own = Delta(number, time, login.identity, known=-fewer, matured=matured)
            taught = self._learn(login, scene, levels, said, gathered, assessment, standing, own)
            if own.says_something:
                state.pending.add(delta := own)
        shadow = self.beside.look(login, gathered, assessment) if self.beside else None
        event = with_known_place(event, login)
        judged = Judged(
            event, enriched, login, gathered, assessment, taught, shadow, delta, watched
        )
        if same is None:
            open_or_close(login, scene, what, judged)
        return judged

    def tell(self, judged: Judged) -> Scored:
        """Decides what to do about a login that is judged, and whether somebody is told."""
        login, assessment = judged.login, judged.assessment
        decision = self.decider.decide(judged.event, login, assessment)
        risk, identity, kind, time = assessment.risk_score, login.identity, login.kind, login.time
        telling = judge(risk, identity, kind, time, self.state.thresholds, self.budgets)
        if self.ranking is not None and telling.finding:
            assessment = self._ranked(judged, telling.threshold)
        return Scored(
            judged.event,
            judged.enriched,
            login,
            judged.gathered,
            assessment,
            decision,
            telling.finding,
            telling.threshold,
            telling.capped,
            judged.taught,
            judged.shadow,
        )

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
        delta: Delta,
    ) -> Taught | None:
        """Score first, learn after, and learn only what is not too unusual to trust.

        None where there was nothing to learn.
        """
        state, calibration = self.state, standing.calibration
        key = login.constellation
        learn.note(login, scene, levels, state, delta)
        learn.tell(login, assessment, scene.profile, delta)
        taught = None
        if login.learnable:
            profile = scene.profile
            before, group = None, group_before(profile, login)
            # A pinned rule may speak against a login that looks usual in everything else.
            unusual = calibration.gated(assessment.score) or assessment.undamped >= FINDING
            pinned = any(e.pinned is not None for e in gathered.evidence)
            trust, held = gate.trusted(login, scene, levels, unusual, pinned)
            waits = calibration.exceedance(assessment.score) < ODD_SHARE
            if trust:
                before, counted = learn.learn(
                    login, scene, levels, state, key, said, trust, waits, delta
                )
            else:
                counted = gate.first_of_hour(login, key, profile)
            taught = Taught(said, key, group, trust, held, counted, before, waits)
        if login.accepted and not assessment.repeated:
            newcomer = assessment.newcomer
            delta.measured = Measured(login.kind, login.log, newcomer, assessment.score)
        return taught

    def _ranked(self, judged: Judged, threshold: float) -> Assessment:
        """A finding's assessment with its place among findings."""
        assert self.ranking is not None
        login, assessment = judged.login, judged.assessment
        values = values_of(login, judged.gathered, assessment.history, self.model.weights)
        risk = lifted(assessment.risk_score, self.ranking.probability(values), threshold)
        return replace(assessment, risk_score=risk, risk_level=level_of(risk))
