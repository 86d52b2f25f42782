"""A signed webhook: any program of yours is told what to do, and can check who told it.

The signature is HMAC-SHA256 over ``timestamp + "." + body`` with a shared secret, in
``X-Quivive-Signature: v1=<hex>``. A receiver refuses a timestamp more than five minutes from its
own clock (``WINDOW``), and remembers ``Idempotency-Key`` for as long, so that nothing it recorded
can be played back.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.response import CONTAINMENT, ResponseRequest
from quivive.respond.response import DONE, Action, Outcome, Talk
from quivive.respond.secret import Secret

WINDOW = 300  # seconds
VERSION = "v1"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: where to post. secret: shared with the receiver, at least 16 characters."""

    url: str
    secret: Secret


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The signature header of a body sent at ``timestamp`` (seconds)."""
    signed = f"{timestamp}.".encode() + body
    return f"{VERSION}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def genuine(secret: str, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    """Whether a request to a receiver is genuine and recent; ``now`` in seconds.

    headers: with names in lower case. For receivers written in Python, and for tests.
    """
    stamp, given = headers.get("x-quivive-timestamp", ""), headers.get("x-quivive-signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(now - int(stamp)) > WINDOW:
        return False
    known = signature(secret, int(stamp), body)
    return hmac.compare_digest(known.encode(), given.encode("utf-8", "replace"))


def _post(request: ResponseRequest, settings: Settings, talk: Talk, undo: bool) -> Outcome:
    body = msgspec.json.encode(
        {
            "type": "quivive.undo" if undo else "quivive.response",
            "key": request.key,
            "action": request.action,
            "target": request.target,
            "event_id": request.event_id,
            "rule": request.rule,
            "reason": request.reason,
            "risk_score": request.risk_score,
            "risk_level": request.risk_level,
            "time": request.time,
            "decided": request.decided,
        },
        order="sorted",
    )
    headers = {"Content-Type": "application/json"}
    if not talk.dry:
        stamp = talk.now // 1000
        headers |= {
            "Idempotency-Key": request.key + ("-undo" if undo else ""),
            "X-Quivive-Timestamp": str(stamp),
            "X-Quivive-Signature": signature(_secret(settings), stamp, body),
        }
    words = "ask the receiver to take back" if undo else "ask the receiver to"
    talk.change(
        f"{words} {request.action} {request.target.identity}",
        "POST",
        settings.url,
        body,
        headers=headers,
    )
    if not undo:
        talk.undo["posted"] = True
    return DONE


def _secret(settings: Settings) -> str:
    from quivive.model.errors import ConfigurationError

    secret = settings.secret.value()
    if len(secret) < 16:
        raise ConfigurationError(f"{settings.secret.place}: under 16 characters; use a longer one")
    return secret


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Posts the request."""
    return _post(request, settings, talk, undo=False)


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Posts that it is to be taken back."""
    return _post(request, settings, talk, undo=True)


ACTION = Action(
    name="webhook",
    title="Tells a program of yours what to do, signed",
    vendor="Webhook",
    does={action: f"Posts a signed request to {action}." for action in sorted(CONTAINMENT)}
    | {"ticket": "Posts a signed request to open a ticket."},
    undoes=tuple(sorted(CONTAINMENT)),
    products=("*",),
    settings=Settings,
    privileges=("none at a vendor: the receiver decides what it may do",),
    documentation="https://www.rfc-editor.org/rfc/rfc2104",
    hosts=lambda settings: (settings.url,),
    authorise=lambda settings, talk: {},
    perform=perform,
    undo=undo,
    private=False,
)
