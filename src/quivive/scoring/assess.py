"""Evidence to an assessment: the sum, its calibrated risk, confidence, reasons, counterfactual."""

from collections import Counter
from collections.abc import Collection, Sequence
from math import exp

from msgspec import Struct

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import ENOUGH_LOGINS, Profile
from quivive.model.assessment import FINDING, Assessment, Evidence, Reason, level_of
from quivive.scoring.calibrate import Calibration
from quivive.scoring.stories import Weight, read
from quivive.scoring.weigh import Weighed
from quivive.signals.signal import Missing

EVEN = 1.5  # nats that a finding needs at least, however quiet its class of identities is
STEEPNESS = 10.0
STRONGEST = 5
REASSURING = 3
PER_GROUP = 2
WORTH_TELLING = 1.0
TELLING = 0.1  # nats under which evidence is not worth a line
NEWCOMER_DISCOUNT = 0.25  # of the risk, while nothing is known: new people are unlike others
ATTEMPT_SHARE = 0.35  # a login that did not get in keeps this share of its risk
REPEAT = 14.0  # risk taken off for each time it was told already
REPEATS = 2.5
WORSE = 1.5  # nats from which a repeat is news after all


class Told(Struct, frozen=True):
    """Findings an analyst has of an identity already: how many (decayed), and the worst score."""

    findings: float
    worst: float


class Gathered(Struct, frozen=True):
    """All that the signals said about one login."""

    weighed: Sequence[Weighed]
    evidence: Sequence[Evidence]
    missing: Sequence[Missing]
    groups: dict[str, str]

    def weights(self, without: Collection[str] = ()) -> list[Weight]:
        """All evidence as weights of its groups, leaving out the signals named."""
        groups = self.groups
        found = [
            Weight(w.feature.group or groups[w.feature.signal], w.weight, w.explained)
            for w in self.weighed
            if w.feature.signal not in without
        ]
        found.extend(
            Weight(groups[e.signal], e.weight, max(0.0, e.weight))
            for e in self.evidence
            if e.signal not in without
        )
        return found


def assess(
    login: Observation,
    gathered: Gathered,
    profile: Profile,
    levels: Levels,
    calibration: Calibration,
    told: Told,
) -> Assessment:
    """The assessment of one login.

    ``told`` is what was told about this identity lately: what was told already ranks below what
    is new, unless it is worse.
    """
    reading = read(gathered.weights(), login.kind)
    score = reading.score
    history = profile.effective_logins(login.time)
    undamped = risk_of(score, login, gathered.evidence, history, calibration)
    repeated = min(told.findings, REPEATS) if score < told.worst + WORSE else 0.0
    risk = max(0.0, undamped - REPEAT * repeated)
    pins = [e for e in gathered.evidence if e.pinned is not None]
    spoken = len(gathered.weighed) + len(gathered.evidence)
    share = spoken / (spoken + len(gathered.missing)) if spoken else 0.0
    said: list[Weighed | Evidence] = [*gathered.weighed, *gathered.evidence]
    said.sort(key=_weight, reverse=True)
    strongest = [_reason(t) for t in _telling(said, gathered.groups)]
    strongest = [_reason(p) for p in pins if p.signal not in {r.signal for r in strongest}][
        :2
    ] + strongest
    reassuring = [_reason(t) for t in reversed(said[-REASSURING:]) if t.weight < -TELLING]
    return Assessment(
        score=score,
        risk_score=risk,
        risk_level=level_of(risk),
        confidence=(1 - exp(-history / 10)) * share,
        reasons=tuple(strongest[:STRONGEST]),
        reassuring=tuple(reassuring),
        counterfactual=_counterfactual(login, gathered, levels, calibration)
        if risk >= FINDING
        else None,
        looks_like=reading.attack.title,
        otherwise=reading.ordinary.title,
        not_evaluable=tuple(f"{m.signal}: {m.what}" for m in gathered.missing),
        low_history=history < ENOUGH_LOGINS,
        newcomer=profile.newcomer(login.time),
        repeated=round(repeated),
        undamped=undamped,
        history=history,
    )


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
    risk *= 1 - NEWCOMER_DISCOUNT * exp(-history / ENOUGH_LOGINS)
    for pin in evidence:
        if pin.pinned is not None:
            risk = max(risk, pin.pinned + (100.0 - pin.pinned) * 0.2 * risk / 100)
    if login.outcome != "success" and not login.accepted:
        risk *= ATTEMPT_SHARE
    return risk


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


def _reason(told: Weighed | Evidence) -> Reason:
    evidence = told.as_evidence() if isinstance(told, Weighed) else told
    return Reason(
        signal=evidence.signal,
        text=evidence.text,
        weight=round(evidence.weight, 3),
        attack=evidence.attack,
    )


_SUBJECTS = {
    "country": "the country",
    "city": "the city",
    "network": "the network",
    "address": "the address",
    "network_kind": "the kind of network",
    "os": "the operating system",
    "client": "the client",
    "device": "the device",
    "application": "the application",
    "operation": "the operation",
    "host": "the host",
    "role": "the role",
    "credential": "the credential",
    "hour": "the hour",
    "auth_method": "the way of authenticating",
}


def _counterfactual(
    login: Observation, gathered: Gathered, levels: Levels, calibration: Calibration
) -> str | None:
    """The smallest change, by strongest evidence first, that would have made this no finding."""
    changed: list[str] = []
    without: list[str] = []
    everything: list[Weighed | Evidence] = [*gathered.weighed, *gathered.evidence]
    for told in sorted(everything, key=_weight, reverse=True):
        if told.weight <= 0.3 or len(changed) == 3:
            break
        without.append(told.feature.signal if isinstance(told, Weighed) else told.signal)
        if isinstance(told, Weighed):
            subject = _SUBJECTS.get(told.feature.signal, f"the {told.feature.signal}")
            changed.append(f"{subject} been {_usual(told, levels)}")
        else:
            changed.append(f"there been no {told.signal.replace('_', ' ')}")
        if calibration.risk(read(gathered.weights(without), login.kind).score) < FINDING:
            return f"no finding had {' and '.join(changed)}"
    return None


def _usual(told: Weighed, levels: Levels) -> str:
    """What would have been usual instead: the identity's most frequent categories."""
    feature = told.feature
    if feature.factor.endswith("?"):
        return "one used before"
    table = levels.own.tables.get(feature.factor)
    if table is None or not table.values:
        return "known"
    best = sorted(table.values.items(), key=lambda item: (-item[1], item[0]))
    names: list[str] = []
    for key, count in best:
        name = key.rpartition("/")[2]
        if feature.signal == "network" and name.isdecimal():
            name = f"AS{name}"
        if count / levels.own_scale > 0.5 and name not in names:
            names.append(name)
    return "the usual " + " or ".join(names[:3]) if names else "known"
