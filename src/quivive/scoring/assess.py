"""Evidence to an assessment: the sum, its calibrated risk, confidence, reasons, counterfactual."""

from collections.abc import Collection, Sequence
from math import exp

from msgspec import Struct

from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile
from quivive.model.assessment import Assessment, Evidence, Reason
from quivive.scoring.calibrate import Calibration
from quivive.scoring.stories import Weight, read
from quivive.scoring.weigh import Weighed
from quivive.signals.signal import Missing

FINDING = 46.0  # risk from which a login is worth telling: five in a thousand
HIGH = 66.0
CRITICAL = 80.0
STRONGEST = 5
REASSURING = 3
ENOUGH_LOGINS = 5.0
ATTEMPT_SHARE = 0.35  # a login that did not get in keeps this share of its risk
REPEAT = 0.5
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
            Weight(groups[w.feature.signal], w.weight, w.explained)
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
    risk = calibration.risk(score)
    pins = [e for e in gathered.evidence if e.pinned is not None]
    for pin in pins:
        floor = pin.pinned or 0.0
        risk = max(risk, floor + (100.0 - floor) * 0.2 * risk / 100)
    if login.outcome != "success" and not login.accepted:
        risk *= ATTEMPT_SHARE
    repeated = told.findings if score < told.worst + WORSE else 0.0
    risk /= 1 + REPEAT * repeated
    history = profile.effective_logins(login.time)
    spoken = len(gathered.weighed) + len(gathered.evidence)
    share = spoken / (spoken + len(gathered.missing)) if spoken else 0.0
    said: list[Weighed | Evidence] = [*gathered.weighed, *gathered.evidence]
    said.sort(key=_weight, reverse=True)
    strongest = [_reason(t) for t in said[:STRONGEST] if t.weight > 0.05 or _is_pin(t)]
    strongest = [_reason(p) for p in pins if p.signal not in {r.signal for r in strongest}][
        :2
    ] + strongest
    reassuring = [_reason(t) for t in reversed(said[-REASSURING:]) if t.weight < -0.05]
    return Assessment(
        score=score,
        risk_score=risk,
        risk_level=level(risk),
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
        repeated=round(repeated),
    )


def level(risk: float) -> str:
    """The word for a risk."""
    if risk >= CRITICAL:
        return "critical"
    if risk >= HIGH:
        return "high"
    return "medium" if risk >= FINDING else "low"


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
    names = [key.rpartition("/")[2] for key, count in best[:3] if count / levels.own_scale > 0.5]
    return "the usual " + " or ".join(names) if names else "known"
