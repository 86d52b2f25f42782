"""From a decided login to what is asked of a vendor: the rows that the outbox keeps."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from quivive.engine.judged import Scored
from quivive.model.assessment import Decision
from quivive.model.canary import is_canary
from quivive.model.event import AuthEvent
from quivive.model.origin import Origin
from quivive.model.response import ACTIONS, ResponseRequest, ResponseResult, Target, response_key
from quivive.store.batch import Outgoing

ACTING = frozenset({"enforce", "canary"})
KIND = "response"
REASONS_TOLD = 3


class Intended(Struct, kw_only=True, omit_defaults=True):
    """A row's body: what is intended, and what came of it so far, by connection.

    paged: somebody was called already.
    """

    request: ResponseRequest
    results: dict[str, ResponseResult] = {}
    undone: dict[str, ResponseResult] = {}
    paged: bool = False


def target_of(event: AuthEvent, identity: str, kind: str) -> Target:
    """Whom a response is about, with every id that the login showed."""
    user, session, extra = event.user, event.session, event.unmapped
    return Target(
        identity=identity,
        kind=kind,
        product=event.metadata.product.name,
        name=user.name,
        uid=user.uid,
        uid_alt=user.uid_alt,
        email=user.address,
        session=session.uid if session else None,
        credential=user.credential_uid,
        account=user.account.uid if user.account else None,
        tenant=event.metadata.tenant_uid,
        role=extra.role if extra else None,
        resource=extra.resource if extra else None,
    )


def requests_of(
    event: AuthEvent,
    decision: Decision,
    *,
    event_id: str,
    identity: str,
    kind: str,
    reasons: Iterable[str],
    risk_score: float,
    risk_level: str,
    decided: int,
    acting: bool = True,
    origin: Origin | None = None,
) -> list[ResponseRequest]:
    """What a decision asks of vendors: its action, and those that it asks for besides.

    ``decided``: ms UTC by the wall clock. acting: False to have also what is in shadow.
    origin: the request that brought the login.
    """
    if is_canary(identity):
        return []  # a rehearsal: nobody is asked about an identity that is nobody's
    wanted = [(decision.action, decision.mode, decision.rule)]
    wanted += [(ruled.action, ruled.mode, ruled.rule) for ruled in decision.also]
    told = list(reasons)[:REASONS_TOLD]
    if decision.instead_of is not None and decision.contexts:
        told.insert(0, f"people asked for it (context {', '.join(decision.contexts)})")
    why = "; ".join(told) or "no reason given"
    return [
        ResponseRequest(
            key=response_key(event_id, rule, action),
            action=action,
            target=target_of(event, identity, kind),
            event_id=event_id,
            rule=rule,
            reason=why,
            time=event.time,
            decided=decided,
            risk_score=risk_score,
            risk_level=risk_level,
            origin=origin,
        )
        for action, mode, rule in wanted
        if action in ACTIONS and (mode in ACTING or not acting)
    ]


def requests_of_line(
    line: bytes, *, decided: int | None = None, action: str | None = None, acting: bool = True
) -> list[ResponseRequest]:
    """The same of an output line as it is kept; ``action`` asks for that one instead."""
    found: dict[str, Any] = msgspec.json.decode(line)
    event = msgspec.convert(found["event"], AuthEvent)
    decision = msgspec.convert(found["decision"], Decision)
    if action is not None:
        decision = Decision(action=action, mode="enforce", rule="by hand")
    return requests_of(
        event,
        decision,
        event_id=found["id"],
        identity=found["identity"],
        kind=found["identity_kind"],
        reasons=[reason["text"] for reason in found["reasons"]],
        risk_score=found["risk_score"],
        risk_level=found["risk_level"],
        decided=event.time if decided is None else decided,
        acting=acting,
    )


def row_of(request: ResponseRequest) -> Outgoing:
    """The outbox row of a request."""
    body = msgspec.json.encode(Intended(request=request))
    return Outgoing(request.key, KIND, request.decided, request.decided, body)


def rows_of(
    scored: Scored, event_id: str, decided: int, origin: Origin | None = None
) -> list[Outgoing]:
    """The outbox rows of a judged login, for the transaction that keeps it; none for most.

    event_id: as in the output line. decided: ms UTC by the wall clock. origin: its request.
    """
    decision = scored.decision
    if decision.mode not in ACTING and not decision.also:
        return []
    assessment = scored.assessment
    found = requests_of(
        scored.event,
        decision,
        event_id=event_id,
        identity=scored.login.identity,
        kind=scored.login.kind,
        reasons=[reason.text for reason in assessment.reasons],
        risk_score=assessment.risk_score,
        risk_level=assessment.risk_level,
        decided=decided,
        origin=origin,
    )
    return [row_of(request) for request in found]
