"""The line that is written for every login."""

import msgspec

from quivive.engine.engine import Scored
from quivive.model.assessment import Decision, Reason
from quivive.model.ocsf import encode_event

_encoder = msgspec.json.Encoder()


class Line(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What follows the event. The first twelve stand in every line."""

    risk_score: float
    risk_level: str
    confidence: float
    reasons: tuple[Reason, ...]
    decision: Decision
    id: str
    identity: str
    identity_kind: str
    finding: bool
    threshold: float
    score: float
    reassuring: tuple[Reason, ...]
    looks_like: str = ""
    otherwise: str = ""
    counterfactual: str | None = None
    not_evaluable: tuple[str, ...] = ()
    low_history: bool = False
    short_road: bool = False
    repeated: int = 0
    undamped: float | None = None
    shadow_model: str | None = None
    shadow_risk: float | None = None
    shadow_finding: bool | None = None


def encode_scored(scored: Scored, log: str) -> bytes:
    """One JSON object: the event as OCSF, the assessment, the decision.

    ``log`` is the input's name, part of the id of events whose vendor gives none.
    """
    assessment, login, shadow = scored.assessment, scored.login, scored.shadow
    metadata = scored.event.metadata
    told = assessment.risk_level != "low"
    risk, undamped = round(assessment.risk_score, 4), round(assessment.undamped, 4)
    line = Line(
        risk_score=risk,
        risk_level=assessment.risk_level,
        confidence=round(assessment.confidence, 3),
        reasons=assessment.reasons,
        decision=scored.decision,
        id=metadata.uid or f"{log}:{metadata.sequence}",
        identity=login.identity,
        identity_kind=login.kind,
        finding=scored.finding,
        threshold=round(scored.threshold, 4),
        score=round(assessment.score, 3),
        reassuring=assessment.reassuring,
        looks_like=assessment.looks_like if told else "",
        otherwise=assessment.otherwise if told else "",
        counterfactual=assessment.counterfactual,
        not_evaluable=assessment.not_evaluable,
        low_history=assessment.low_history,
        short_road=assessment.short_road,
        repeated=assessment.repeated,
        undamped=undamped if undamped != risk else None,
        shadow_model=shadow.model if shadow else None,
        shadow_risk=round(shadow.risk, 4) if shadow else None,
        shadow_finding=shadow.finding if shadow else None,
    )
    return b'{"event":' + encode_event(scored.event) + b"," + _encoder.encode(line)[1:]
