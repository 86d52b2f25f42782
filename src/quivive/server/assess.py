"""``POST /v1/assess``: the risk of one login, in the login's own path."""

import hashlib
from collections.abc import Sequence
from math import inf
from time import perf_counter
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from quivive.app.recognise import UNRECOGNISED
from quivive.app.registry import sources
from quivive.model.assessment import Decision, Reason
from quivive.model.event import AuthEvent
from quivive.server.context import Context, source_of
from quivive.server.faults import FaultError
from quivive.server.http import Problem, Reply, Request, json
from quivive.server.judging import Answer
from quivive.server.parameters import value_wrong
from quivive.server.reading import read, traced
from quivive.server.waiting import FullError, LateError, answers
from quivive.store.access import Kept, Token
from quivive.store.database import StoreError

MOST_KEY = 200
BUDGET_HEADER = "quivive-budget-ms"
KEY_HEADER = "idempotency-key"
Budget = Annotated[int, Meta(ge=1, le=60_000)]


class AssessQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """source: a log source, auto for one found by content; budget_ms: for the answer."""

    source: str = "auto"
    budget_ms: Budget | None = None


class Assessed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A judged login: the line that ``quivive score`` writes; reference/output.md has every key."""

    id: str
    event: AuthEvent
    risk_score: Annotated[float, Meta(ge=0, le=100)]
    risk_level: str
    confidence: Annotated[float, Meta(ge=0, le=1)]
    reasons: tuple[Reason, ...]
    decision: Decision
    identity: str
    identity_kind: str
    finding: bool
    threshold: float
    score: float
    reassuring: tuple[Reason, ...]


class Fallback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer without a judgement: why, and what the caller chose for that case."""

    decided: bool
    why: str
    decision: Decision
    id: str | None = None


def fallback(token: Token, cause: str, why: str, event_id: str | None = None) -> Reply:
    """The caller's choice: to let in (fail open), or not (fail closed)."""
    action = "allow" if token.fallback == "open" else "block"
    decision = Decision(action=action, mode="enforce", rule=f"server/fail-{token.fallback}")
    body = Fallback(decided=False, why=why, decision=decision, id=event_id)
    return json(body, headers={"quivive-fallback": cause})


async def assess(context: Context, request: Request) -> Reply:
    """Judges one login and answers with its line."""
    query = request.query(AssessQuery)
    source = source_of(query.source)
    within = _budget(request, query.budget_ms, context.settings.answer_seconds)
    key = request.header(KEY_HEADER)
    if len(key) > MOST_KEY:
        raise Problem(400, "Idempotency-Key too long", f"{MOST_KEY} characters are the most")
    body = await request.body(context.settings.assess_bytes)
    token = request.caller
    stored_key = f"{token.id}:{key}"
    digest = hashlib.sha256(body).digest()
    if key:
        known = await _known(context, stored_key, digest)
        if known is not None:
            return known
    name = f"http:{token.name}"
    one_id = f"k-{hashlib.sha256(stored_key.encode()).hexdigest()[:24]}" if key else None
    found = read(
        body,
        source,
        name,
        context.clock(),
        one_id=one_id,
        untimed=f"r-{request.id}",
        rules=context.rules,
    )
    for source_name, count in found.sources.items():
        context.figures.records[source_name, "event"] += count
    if found.records > 1:
        raise Problem(422, "more than one login", "send many to /v1/events")
    if not found.events:
        raise Problem(422, "no login", _why(found.rejects, found.skips))
    event = traced(found.events[0], request.trace)

    def kept(given: Sequence[Answer]) -> Kept:
        return Kept(stored_key, digest, given[0].id.encode(), context.clock())

    return await judged(context, request, event, within, kept=kept if key else None)


async def judged(
    context: Context,
    request: Request,
    event: AuthEvent,
    within: float,
    *,
    kept: "object" = None,
) -> Reply:
    """The line of one event, or the caller's fallback."""
    token, event_id = request.caller, event.metadata.uid
    cause, why, begun = "", "", perf_counter()
    try:
        given = await answers(
            context.judge,
            f"http:{token.name}",
            [event],
            urgent=True,
            within=within,
            answer=kept,  # type: ignore[arg-type]
            origin=request.origin,
        )
    except LateError:
        cause, why = "late", f"no answer within {within * 1000:.0f} ms"
    except FullError:
        cause, why = "busy", "too many logins wait"
    except StoreError:
        cause, why = "store", "the store cannot be used now"
    except FaultError as error:
        cause, why = "fault", str(error)
    context.figures.answered.observe(perf_counter() - begun)
    if cause:
        context.figures.fallbacks[cause, token.fallback] += 1
        return fallback(token, cause, why, event_id)
    answer = given[0]
    if answer.line is not None:
        if answer.what == "known" and not _same(answer.line, event):
            raise Problem(
                409,
                "the id was another login's",
                f"{answer.id} was judged with another user or address; give each login a"
                " metadata.uid of its own, or leave it out and send an Idempotency-Key",
            )
        headers = {"idempotent-replayed": "true"} if answer.what == "known" else None
        return Reply(answer.line, headers=headers)
    if answer.what == "left_out":
        raise Problem(422, "no login", "a log-off is not judged")
    raise Problem(409, "judged before", f"{answer.id} is known, its assessment is not kept")


class _Seen(Struct):
    event: AuthEvent


def _same(line: bytes, event: AuthEvent) -> bool:
    """Whether a line that was kept is of the same person at the same address: an answer about
    somebody else would let a stranger in.
    """
    kept = msgspec.json.decode(line, type=_Seen).event
    return _whose(kept) == _whose(event)


def _whose(event: AuthEvent) -> tuple[object, ...]:
    user, source = event.user, event.src_endpoint
    return user.name, user.uid, source.ip if source is not None else None


async def _known(context: Context, key: str, digest: bytes) -> Reply | None:
    """The answer that a key was given before. Raises Problem when it was for something else."""
    found = await context.aside(lambda: context.access.answer(key), settled=inf)
    if found is None:
        return None
    if found.digest != digest:
        raise Problem(422, "Idempotency-Key was used for another login", "use a new key for each")
    event_id = found.body.decode()
    line = await context.aside(lambda: context.store.assessment(event_id))
    return None if line is None else Reply(line, headers={"idempotent-replayed": "true"})


def _budget(request: Request, asked: int | None, most: float) -> float:
    """Seconds for an answer: of the query, else of the header, else the server's own."""
    given = request.header(BUDGET_HEADER)
    if asked is None and given:
        try:
            asked = msgspec.convert(given, Budget, strict=False)
        except msgspec.ValidationError:
            said = value_wrong(BUDGET_HEADER, given, Budget)
            raise Problem(400, f"{BUDGET_HEADER} is wrong", said) from None
    return most if asked is None else min(most, asked / 1000)


def _why(rejects: Sequence[object], skips: "dict[str, int]") -> str:
    for reject in rejects:
        reason = str(getattr(reject, "reason", ""))
        return f"{reason}: {_name_it()}" if reason == UNRECOGNISED else reason
    for reason in skips:
        return f"left out: {reason}"
    return "the body holds no record"


def _name_it() -> str:
    names = ", ".join(sorted(sources()))
    return f"send an OCSF Authentication object (class_uid 3002), or name ?source=, one of {names}"
