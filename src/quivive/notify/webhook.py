"""A webhook of your own: the notification as JSON, signed.

``Quivive-Signature: v1=HEX`` is HMAC-SHA256 over ``TIMESTAMP.BODY`` with ``Quivive-Timestamp`` in
seconds. A receiver compares it in constant time, refuses timestamps more than five minutes away,
and remembers ``Idempotency-Key`` for a day.
"""

import hashlib
import hmac
from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.notification import Notification
from quivive.notify import text
from quivive.notify.notifier import Notifier, Post, Read, Secret

MOST = 2_000  # characters of a text
_AS_IT_IS = frozenset({"event", "url", "link", "runbook"})
_order = msgspec.json.Encoder(order="deterministic")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: where to; secret: the key of the signature, shared with the receiver."""

    url: Secret
    secret: Secret


def compose(note: Notification, settings: Settings, read: Read, now: int) -> Post:
    """A POST of the notification."""
    body = _order.encode(_object(note))
    stamp = str(now // 1000)
    key = read(settings.secret).encode()
    signature = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return Post(
        url=read(settings.url),
        headers={
            "Content-Type": "application/json",
            "Idempotency-Key": text.clean(note.key, 200).encode("ascii", "replace").decode(),
            "Quivive-Timestamp": stamp,
            "Quivive-Signature": f"v1={signature}",
        },
        body=body,
    )


def _object(note: Notification) -> dict[str, Any]:
    """The notification as JSON values, its texts clean; ``event`` as the object that it is."""
    found: dict[str, Any] = _clean(msgspec.to_builtins(note))
    if note.event is not None:
        found["event"] = msgspec.Raw(note.event.encode())
    return found


def _clean(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        return value if name in _AS_IT_IS else text.clean(value, MOST)
    if isinstance(value, dict):
        return {k: _clean(v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v, name) for v in value]
    return value


NOTIFIER = Notifier(
    name="webhook",
    title="A webhook of your own, signed with HMAC-SHA256",
    documentation="https://www.rfc-editor.org/rfc/rfc2104",
    settings=Settings,
    compose=compose,
    repeats="folded",
    closes=True,
)
