"""The way of one login, on one screen: observe, gather, assess, decide, learn."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.engine import learn
from quivive.engine.observe import observe, with_known_place
from quivive.engine.state import State
from quivive.enrich.enricher import Enriched, Enricher
from quivive.model.assessment import FINDING, Assessment, Decision
from quivive.model.event import Activity, AuthEvent
from quivive.policy.ladder import decide
from quivive.scoring.assess import Gathered, assess
from quivive.scoring.model import SHIPPED, Model
from quivive.scoring.weigh import weigh
from quivive.signals.signal import Feature, Missing, Signal

DUPLICATE_HORIZON_IDS = 500_000
RELEASED_TRUST = 0.5
# What makes two logins of one identity the same to an analyst.
CONSTELLATION = (
    "country",
    "asn",
    "network",
    "os",
    "browser",
    "device",
    "log",
    "application",
    "mfa",
)


class Scored(Struct, frozen=True):
    """One login with all that was said about it."""

    event: AuthEvent
    enriched: Enriched
    login: Observation
    gathered: Gathered
    assessment: Assessment
    decision: Decision


class Engine:
    """Judges events in order of time and remembers what they teach."""

    def __init__(
        self,
        state: State,
        enricher: Enricher,
        signals: Sequence[Signal],
        model: Model = SHIPPED,
    ) -> None:
        """``signals`` as the registry lists them; ``state`` is changed in place."""
        self.state = state
        self.enricher = enricher
        self.model = model
        self.groups = {told: s.group for s in signals for told in s.tells}
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
        scene, levels = state.scene(login, state.profile(login.identity))

        features, gathered = self.gather(login, scene, levels)
        calibration = state.calibration(login)
        told = learn.told_before(login, scene.profile)
        assessment = assess(login, gathered, scene.profile, levels, calibration, told)
        decision = decide(assessment, login.kind)

        self._learn(login, scene, levels, features, assessment)
        event = with_known_place(event, login)
        return Scored(event, enriched, login, gathered, assessment, decision)

    def gather(
        self, login: Observation, scene: Scene, levels: Levels
    ) -> tuple[list[Feature], Gathered]:
        """What every signal says about a login."""
        features: list[Feature] = []
        missing: list[Missing] = []
        for of in self.feature_signals:
            for found in of(login, scene, levels):
                if isinstance(found, Feature):
                    features.append(found)
                else:
                    missing.append(found)
        factors = self.model.weights
        weighed = [
            weigh(feature, levels, factors.get(feature.signal, 1.0))
            for feature in features
            if feature.weigh
        ]
        evidence = [
            e if e.signal not in factors else replace(e, weight=e.weight * factors[e.signal])
            for of in self.evidence_signals
            for e in of(login, scene, levels)
        ]
        return features, Gathered(weighed, evidence, missing, self.groups)

    def _learn(
        self,
        login: Observation,
        scene: Scene,
        levels: Levels,
        features: list[Feature],
        assessment: Assessment,
    ) -> None:
        """Score first, learn after, and learn only what is not too unusual to trust."""
        state, calibration = self.state, self.state.calibration(login)
        key = "|".join([str(getattr(login, name)) for name in CONSTELLATION])
        learn.note(login, scene, levels, state)
        learn.tell(login, assessment, scene, state)
        if login.learnable:
            trust = 1.0
            # A pinned rule may speak against a login that looks usual in everything else.
            if calibration.gated(assessment.score) or assessment.undamped >= FINDING:
                held = learn.hold(login, scene.profile)
                trust = RELEASED_TRUST if learn.released(login, levels, held) else 0.0
            if trust:
                learn.learn(login, scene, levels, state, key, features, trust)
        if login.accepted and not assessment.repeated:
            calibration.observe(assessment.score, login.time)

    def _duplicate(self, event: AuthEvent) -> bool:
        uid = event.metadata.uid
        if uid is None:
            return False
        seen = self.state.seen
        key = f"{event.metadata.product.name}|{event.metadata.log_name}|{uid}"
        if key in seen:
            return True
        seen[key] = event.time
        if len(seen) > DUPLICATE_HORIZON_IDS:
            for old in list(seen)[: DUPLICATE_HORIZON_IDS // 4]:
                del seen[old]
        return False
