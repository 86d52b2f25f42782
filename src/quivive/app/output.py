"""The line that is written for every login."""

import msgspec

from quivive.engine.engine import Scored
from quivive.model.ocsf import encode_event

_encoder = msgspec.json.Encoder()


def encode_scored(scored: Scored, log: str) -> bytes:
    """One JSON object: the event as OCSF, the assessment, the decision.

    ``log`` is the input's name, part of the id of events whose vendor gives none.
    """
    assessment, login = scored.assessment, scored.login
    rest: dict[str, object] = {
        "risk_score": round(assessment.risk_score, 4),
        "risk_level": assessment.risk_level,
        "confidence": round(assessment.confidence, 3),
        "reasons": assessment.reasons,
        "decision": scored.decision,
        "id": scored.event.metadata.uid or f"{log}:{scored.event.metadata.sequence}",
        "identity": login.identity,
        "identity_kind": login.kind,
        "finding": scored.finding,
        "threshold": round(scored.threshold, 4),
        "score": round(assessment.score, 3),
        "reassuring": assessment.reassuring,
    }
    if assessment.risk_level != "low":
        rest["looks_like"] = assessment.looks_like
        rest["otherwise"] = assessment.otherwise
    if assessment.counterfactual is not None:
        rest["counterfactual"] = assessment.counterfactual
    if assessment.not_evaluable:
        rest["not_evaluable"] = assessment.not_evaluable
    if assessment.low_history:
        rest["low_history"] = True
    if assessment.repeated:
        rest["repeated"] = assessment.repeated
    if (shadow := scored.shadow) is not None:
        rest["shadow_model"] = shadow.model
        rest["shadow_risk"] = round(shadow.risk, 4)
        rest["shadow_finding"] = shadow.finding
    return b'{"event":' + encode_event(scored.event) + b"," + _encoder.encode(rest)[1:]
