"""The line that is written for every login."""

import msgspec

from quivive.baseline.observation import Observation
from quivive.engine.beside import Said
from quivive.engine.judged import Scored
from quivive.model.assessment import FINDING, Assessment, Decision, Reason
from quivive.model.event import AuthEvent
from quivive.model.naming import plain_id
from quivive.model.ocsf import encode_event
from quivive.policy.budget import Telling

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


def encode_scored(scored: Scored, log: str, name: str | None = None) -> bytes:
    """One JSON object: the event as OCSF, the assessment, the decision.

    ``name`` is what the login is called (app/naming.py); without it that is its vendor's id, or its
    place in ``log``.
    """
    name = name or plain_id(log, scored.event)
    telling = Telling(scored.finding, scored.threshold, scored.capped)
    event, login, assessment = scored.event, scored.login, scored.assessment
    return encode(event, login, assessment, scored.decision, telling, name, scored.shadow)


def encode(
    event: AuthEvent,
    login: Observation,
    assessment: Assessment,
    decision: Decision,
    telling: Telling,
    name: str,
    shadow: Said | None = None,
) -> bytes:
    """The same of the parts of a scored login that is called ``name``."""
    told = assessment.risk_level != "low"
    risk, undamped = round(assessment.risk_score, 4), round(assessment.undamped, 4)
    line = Line(
        risk_score=risk,
        risk_level=assessment.risk_level,
        confidence=round(assessment.confidence, 3),
        reasons=assessment.reasons,
        decision=decision,
        id=name,
        identity=login.identity,
        identity_kind=login.kind,
        finding=telling.finding,
        threshold=round(telling.threshold, 4),
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
    return b'{"event":' + encode_event(event) + b"," + _encoder.encode(line)[1:]


NOT_TOLD = Telling(False, FINDING, False)
_NOT_TOLD = b'"finding":false,"threshold":%s,' % _encoder.encode(FINDING)


def told_later(line: bytes, telling: Telling) -> bytes:
    """A line that was encoded as ``NOT_TOLD``, once it is known whether it is told."""
    if telling.threshold == FINDING and not telling.finding:
        return line
    # What a log says stands in strings, in which a quote never stands alone: the last one is ours.
    before, _, after = line.rpartition(_NOT_TOLD)
    finding = b"true" if telling.finding else b"false"
    threshold = _encoder.encode(round(telling.threshold, 4))
    return b'%s"finding":%s,"threshold":%s,%s' % (before, finding, threshold, after)
