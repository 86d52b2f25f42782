"""The way of one login, on one screen: observe, gather, assess, decide, learn."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from quivive.engine import gate, learn
from quivive.engine.abreast import Coming, abreast
from quivive.engine.again import again, teaches_little
from quivive.engine.arrive import Arrival, arrive
from quivive.engine.beside import Looking
from quivive.engine.gathering import Answers, Gathering
from quivive.engine.judged import Judged, Looked, Scored
from quivive.engine.observe import with_known_place
from quivive.engine.probation import ODD_SHARE, mature
from quivive.engine.road import open_or_close, passed
from quivive.engine.shared import Delta, Measured, Repeat
from quivive.engine.state import State, group_before
from quivive.engine.taught import Taught
from quivive.engine.watch import Watched, record, watch, watch_again
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import FINDING, Assessment, level_of
from quivive.model.event import AuthEvent
from quivive.policy.budget import Budgets, judge
from quivive.policy.deciding import Deciding, Telling
from quivive.scoring.assess import QUIET, Standing, as_before, assess
from quivive.scoring.calibrate import calibration_of
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import SHIPPED, Model, usable_trees
from quivive.scoring.trees import lifted, values_of
from quivive.signals.signal import Signal, Spoken


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
        self.budgets = budgets or Budgets()
        self.beside = beside
        self.decider = decider or Telling()
        self.gathering = Gathering(signals, model)
        self.ranking = usable_trees(model, self.gathering.groups)
        self.shortens = shortens
        self.words_from = QUIET

    def step(self, event: AuthEvent) -> Scored | None:
        """Judges one event, then learns from it. None for a duplicate and for a log-off."""
        arrival = arrive(event, self.enricher.enrich(event), self.state)
        if arrival is None:
            return None
        judged = self.judge(arrival)
        record(judged.watched, judged.login, self.state)
        return self.tell(judged)

    def steps(self, events: Sequence[AuthEvent]) -> Iterator[list[Scored | None]]:
        """The same for many events, side by side where none depends on another (abreast.py).

        Gives what ``step`` would of each, in order and in pieces: when it gives a piece, nothing
        after it is judged yet.
        """
        come: list[Arrival | None] = []
        enriched = [self.enricher.enrich(event) for event in events]
        for event, origin in zip(events, enriched, strict=True):
            arrival = arrive(event, origin, self.state)
            if arrival is not None and arrival.swept:
                # Whether a day is over is asked of the next only when this one is judged.
                yield from self._told(come)
                yield from self._told([arrival])
                come = []
            else:
                come.append(arrival)
        yield from self._told(come)

    def _told(self, come: Sequence[Arrival | None]) -> Iterator[list[Scored | None]]:
        place = 0
        for found in self.judge_all([arrival for arrival in come if arrival is not None]):
            for judged in found:
                record(judged.watched, judged.login, self.state)
            piece: list[Scored | None] = []
            for judged in found:
                while come[place] is None:
                    piece.append(None)
                    place += 1
                piece.append(self.tell(judged))
                place += 1
            yield piece
        if place < len(come):
            yield [None] * (len(come) - place)

    def judge(self, arrival: Arrival) -> Judged:
        """Judges one login by what its identity did before, and by what is known to everyone by
        then; the identity learns of it at once, and others when its delta is due.
        """
        return self._judged(abreast((arrival,), 0, self.state))[0]

    def judge_all(self, arrivals: Sequence[Arrival]) -> Iterator[list[Judged]]:
        """The same for many, in order, in pieces of those that go side by side."""
        begin = 0
        while begin < len(arrivals):
            together = abreast(arrivals, begin, self.state)
            begin += len(together)
            yield self._judged(together)

    def _judged(self, together: Sequence[Coming]) -> list[Judged]:
        """Judges logins of which none depends on another: each stage for all of them."""
        looked = [self._looked(coming) for coming in together]
        said = self._said(looked)
        assessed = [self._assessed(*of) for of in zip(looked, said, strict=True)]
        watched = [self._watched(*of) for of in zip(looked, said, assessed, strict=True)]
        every = zip(looked, said, assessed, watched, strict=True)
        return [self._ended(*of) for of in every]

    def _looked(self, coming: Coming) -> Looked:
        state = self.state
        arrival, profile, login = coming
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
        usual = login.learnable and not login.sigma
        what = login.facts if self.shortens and usual else 0
        same = passed(login, scene, what) if what else None
        little = same is not None and not (matured or fewer) and teaches_little(login, profile)
        return Looked(arrival, login, scene, levels, standing, what, same, little, fewer, matured)

    def _said(self, looked: Sequence[Looked]) -> list[Answers]:
        """What the signals say of each; nothing of those that take the short road."""
        long = [(one.login, one.scene, one.levels) for one in looked if one.same is None]
        gathered = iter(self.gathering.all(long))
        return [
            next(gathered)
            if one.same is None
            else ((), Gathered((), (), (), self.gathering.groups, one.same.beside))
            for one in looked
        ]

    def _assessed(self, one: Looked, said: Answers) -> Assessment:
        login, same = one.login, one.same
        if same is not None:
            return as_before(login, same.score, same.share, same.missing, one.standing)
        told = learn.told_before(login, one.scene.profile)
        return assess(login, said[1], one.levels, one.standing, told, self.words_from)

    def _watched(self, one: Looked, spoken: Answers, assessment: Assessment) -> Watched:
        event, score = one.arrival.event, assessment.score
        if one.little:
            return watch_again(event, score)
        return watch(event, one.login, one.scene, one.levels, *spoken, score)

    def _ended(
        self,
        one: Looked,
        spoken: Answers,
        assessment: Assessment,
        watched: Watched,
    ) -> Judged:
        """Learns from a login that is assessed."""
        state, login, scene = self.state, one.login, one.scene
        said, gathered = spoken
        arrival = one.arrival
        event, number = arrival.event, arrival.number
        delta: Delta | Repeat | None = None
        if one.little:
            taught: Taught | None = again(login, scene.profile)
            measured = Measured(login.kind, login.log, one.standing.newcomer, assessment.score)
            state.pending.add(delta := Repeat(number, login.time, measured))
        else:
            own = Delta(number, login.time, login.identity, known=-one.fewer, matured=one.matured)
            taught = self._learn(one, said, gathered, assessment, own)
            if own.says_something:
                state.pending.add(delta := own)
        shadow = self.beside.look(login, gathered, assessment) if self.beside else None
        event = with_known_place(event, login)
        judged = Judged(
            event, arrival.enriched, login, gathered, assessment, taught, shadow, delta, watched
        )
        if one.same is None:
            open_or_close(login, scene, one.what, judged)
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

    def _learn(
        self,
        one: Looked,
        said: Sequence[Spoken],
        gathered: Gathered,
        assessment: Assessment,
        delta: Delta,
    ) -> Taught | None:
        """Score first, learn after, and learn only what is not too unusual to trust.

        None where there was nothing to learn.
        """
        state, calibration = self.state, one.standing.calibration
        login, scene, levels = one.login, one.scene, one.levels
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
        # What was told of it may be a rule's word alone, which is no measure of it.
        if login.accepted and (not assessment.repeated or login.sigma):
            newcomer = assessment.newcomer
            delta.measured = Measured(login.kind, login.log, newcomer, assessment.score)
        return taught

    def _ranked(self, judged: Judged, threshold: float) -> Assessment:
        """A finding's assessment with its place among findings."""
        assert self.ranking is not None
        login, assessment = judged.login, judged.assessment
        values = values_of(login, judged.gathered, assessment.history, self.gathering.model.weights)
        risk = lifted(assessment.risk_score, self.ranking.probability(values), threshold)
        return replace(assessment, risk_score=risk, risk_level=level_of(risk))
