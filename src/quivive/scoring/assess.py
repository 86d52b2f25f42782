"""Evidence to an assessment: the sum, its calibrated risk, confidence, reasons, counterfactual."""

from collections import Counter
from collections.abc import Sequence
from math import exp

from msgspec import Struct

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import ENOUGH_LOGINS
from quivive.model.assessment import FINDING, Assessment, Evidence, Reason, level_of
from quivive.scoring.calibrate import Calibration
from quivive.scoring.counterfactual import counterfactual_of
from quivive.scoring.gathered import Gathered
from quivive.scoring.stories import reading_of, score_of
from quivive.scoring.weigh import Weighed

EVEN = 1.5  # nats that a finding needs at least, however quiet its class of identities is
STEEPNESS = 10.0
STRONGEST = 5
REASSURING = 3
PER_GROUP = 2
ALWAYS = 2  # reasons that are told whatever else there is: of the gravest of an operator's rules
WORTH_TELLING = 1.0
QUIET = 20.0  # nine logins in ten are below: one reason is given at most, if it weighs
TELLING = 0.1  # nats under which evidence is not worth a line
NEWCOMER_DISCOUNT = 0.25  # of the risk, while neither they nor newcomers here are known
LATER_DISCOUNT = 0.1  # once it is known what newcomers do here
ATTEMPT_SHARE = 0.35  # a login that did not get in keeps this share of its risk
HALFWAY_SHARE = 0.75  # of its risk decides where one stands that waits for another factor
REPEAT = 20.0  # risk taken off for each time it was told already
REPEATS = 2.5
REPEATS_LATER = 1.75  # where the last news is of another day: a takeover that goes on is told daily
WORSE = 12.0  # risk above what was told from which a repeat is news after all
# But where a case stands high on the list already, getting worse counts as this; where it stands
# at least so high, as much as any repeat.
OPEN_CASE = 1.5
OPEN_AT_TOP = 70.0


class Standing(Struct, frozen=True, gc=False):
    """What a login's score is measured by: the effective logins of its identity that are known,
    whether it is a newcomer, and the calibration of the class that follows from that.
    """

    history: float
    newcomer: bool
    calibration: Calibration


class Told(Struct, frozen=True, gc=False):
    """Findings an analyst has of an identity already: how many (decayed), and the worst risk.

    ``later``: it is of a kind that was last news on another day. ``open_case``: the risk at
    which the same kind, or the same address, was told within a day; 0 where it was under 60.
    ``rules``: how often the same rules of the operator's were told within a day.
    """

    findings: float
    worst: float
    later: bool = False
    open_case: float = 0.0
    rules: float = 0.0


def assess(
    login: Observation,
    gathered: Gathered,
    levels: Levels,
    standing: Standing,
    told: Told,
    words_from: float = QUIET,
) -> Assessment:
    """The assessment of one login.

    ``told`` is what was told about this identity lately: what was told already ranks below what
    is new, unless it is worse. ``words_from``: the risk from which all of it is put in words.
    """
    sums = gathered.sums()
    score = score_of(sums, login.kind)
    history, calibration = standing.history, standing.calibration
    learned = [e for e in gathered.evidence if not e.always]
    undamped = risk_of(score, login, learned, history, calibration)
    most = REPEATS_LATER if told.later else REPEATS
    repeated = min(told.findings, most) if undamped < told.worst + WORSE else 0.0
    if told.open_case:
        repeated = max(repeated, OPEN_CASE if told.open_case < OPEN_AT_TOP else REPEATS)
    # The right password, at a prompt: if it gets further, the login after it is told of.
    halfway = HALFWAY_SHARE if login.outcome == "interrupt" else 1.0
    risk = max(0.0, undamped * halfway - REPEAT * repeated)
    without_rules = None
    if len(learned) < len(gathered.evidence):
        # What rules are told of hides nothing that was learned, nor the other way round.
        without_rules = undamped
        undamped = risk_of(score, login, gathered.evidence, history, calibration)
        by_rules = max(0.0, undamped * halfway - REPEAT * min(told.rules, REPEATS))
        if by_rules > risk:
            risk, repeated = by_rules, told.rules
    reassuring: tuple[Reason, ...] = ()
    attack = ordinary = ""
    counterfactual = None
    if undamped < words_from:
        reasons = _quiet(gathered, levels)
    else:
        reasons, reassuring = _reasons(gathered, levels)
        reading = reading_of(sums, login.kind)
        attack, ordinary = reading.attack.title, reading.ordinary.title
        if risk >= FINDING:
            counterfactual = counterfactual_of(login, gathered, levels, calibration)
    return Assessment(
        score=score,
        risk_score=risk,
        risk_level=level_of(risk),
        confidence=confidence_of(history, gathered.share),
        reasons=reasons,
        reassuring=reassuring,
        counterfactual=counterfactual,
        looks_like=attack,
        otherwise=ordinary,
        not_evaluable=tuple([m.text for m in gathered.missing]),
        low_history=history < ENOUGH_LOGINS,
        newcomer=standing.newcomer,
        repeated=round(repeated),
        undamped=undamped,
        without_rules=without_rules,
        history=history,
    )


def as_before(
    login: Observation,
    score: float,
    share: float,
    missing: tuple[str, ...],
    standing: Standing,
) -> Assessment:
    """The assessment of a login that is as one before it: its ``score``, without words."""
    history = standing.history
    risk = risk_of(score, login, (), history, standing.calibration)
    return Assessment(
        score=score,
        risk_score=risk,
        risk_level=level_of(risk),
        confidence=confidence_of(history, share),
        reasons=(),
        reassuring=(),
        counterfactual=None,
        looks_like="",
        otherwise="",
        not_evaluable=missing,
        low_history=history < ENOUGH_LOGINS,
        newcomer=standing.newcomer,
        undamped=risk,
        history=history,
        short_road=True,
    )


def confidence_of(history: float, share: float) -> float:
    """0 to 1: effective logins known, times the share of the signals that could speak."""
    return (1 - exp(-history / 10)) * share


def risk_of(
    score: float,
    login: Observation,
    evidence: Sequence[Evidence],
    history: float,
    calibration: Calibration,
) -> float:
    """The risk of a score before repeats rank it lower: calibrated, floored by pinned rules.

    ``history`` is how many effective logins of the identity are known.
    """
    risk = min(calibration.risk(score), FINDING + STEEPNESS * (score - EVEN))
    risk = max(0.0, risk)
    discount = NEWCOMER_DISCOUNT if calibration.young(login.time) else LATER_DISCOUNT
    risk *= 1 - discount * exp(-history / ENOUGH_LOGINS)
    for pin in evidence:
        if pin.pinned is not None:
            risk = max(risk, pin.pinned + (100.0 - pin.pinned) * 0.2 * risk / 100)
    if login.outcome != "success" and not login.accepted:
        risk *= ATTEMPT_SHARE
    return risk


def _quiet(gathered: Gathered, levels: Levels) -> tuple[Reason, ...]:
    """The strongest reason alone, for a login that nobody would ask about: words are costly."""
    best: Weighed | Evidence | None = None
    weight = WORTH_TELLING
    for weighed in gathered.weighed:
        if weighed.weight > weight:
            best, weight = weighed, weighed.weight
    for evidence in gathered.evidence:
        if evidence.weight > weight:
            best, weight = evidence, evidence.weight
    always = [_reason(e, levels) for e in gathered.evidence if e.always][:ALWAYS]
    return tuple(always) if best is None else (*always, _reason(best, levels))


def _reasons(gathered: Gathered, levels: Levels) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What speaks for an attacker, pinned rules first, and what speaks most for the identity."""
    pins = [e for e in gathered.evidence if e.pinned is not None and not e.always]
    always = [_reason(e, levels) for e in gathered.evidence if e.always][:ALWAYS]
    said: list[Weighed | Evidence] = [*gathered.weighed]
    said += [e for e in gathered.evidence if not e.always]
    said.sort(key=_weight, reverse=True)
    strongest = [_reason(t, levels) for t in _telling(said, gathered.groups)]
    named = {reason.signal for reason in strongest}
    strongest = [_reason(p, levels) for p in pins if p.signal not in named][:2] + strongest
    strongest = always + strongest
    reassuring = [_reason(t, levels) for t in reversed(said[-REASSURING:]) if t.weight < -TELLING]
    return tuple(strongest[:STRONGEST]), tuple(reassuring)


def _telling(
    said: Sequence[Weighed | Evidence], groups: dict[str, str]
) -> list[Weighed | Evidence]:
    """The evidence to name, heaviest first: the best of every group that weighs something, then
    the seconds best, so that five words for one oddity never hide another.
    """
    firsts: list[Weighed | Evidence] = []
    others: list[Weighed | Evidence] = []
    taken: Counter[str] = Counter()
    for told in said:
        if told.weight <= TELLING and not _is_pin(told):
            continue
        group = _group(told, groups)
        taken[group] += 1
        if taken[group] == 1 and told.weight >= WORTH_TELLING:
            firsts.append(told)
        elif taken[group] <= PER_GROUP:
            others.append(told)
    found = firsts[:STRONGEST]
    found += others[: STRONGEST - len(found)]
    return sorted(found, key=_weight, reverse=True)


def _group(told: Weighed | Evidence, groups: dict[str, str]) -> str:
    return groups[told.feature.signal if isinstance(told, Weighed) else told.signal]


def _weight(told: Weighed | Evidence) -> float:
    return told.weight


def _is_pin(told: Weighed | Evidence) -> bool:
    return isinstance(told, Evidence) and told.pinned is not None


def _reason(told: Weighed | Evidence, levels: Levels) -> Reason:
    evidence = told.as_evidence(levels) if isinstance(told, Weighed) else told
    return Reason(
        signal=evidence.signal,
        text=evidence.text,
        weight=round(evidence.weight, 3),
        attack=evidence.attack,
    )
