"""Signed links that ask for a verdict: made for one login, one audience, one use, and some days.

Opening a link shows a page that asks; only the form on it acts (a mail scanner that opens every
link must not give verdicts). The token says which login, which verdict, for whom and until when,
under HMAC-SHA256 (itsdangerous); ``serial`` names its one use, shared by the buttons of one
notification, so that the first answer is the only one.
"""

import hashlib

import msgspec
from itsdangerous import BadData, URLSafeSerializer
from msgspec import Struct

from quivive.model.errors import ConfigurationError
from quivive.model.notification import Button
from quivive.model.verdict import KINDS, VerdictKind

VALID_FOR = 3 * 86_400_000  # ms
MOST_TOKEN = 4_096  # characters
_SALT = b"quivive.verdict.1"
LABELS: dict[VerdictKind, str] = {
    "true_positive": "Not theirs",
    "benign_true_positive": "Odd, but in order",
    "false_positive": "Theirs, as ever",
}


class TokenError(ConfigurationError):
    """A verdict link that cannot be used: forged, changed, expired, for others, or used before."""


class Asked(Struct, frozen=True, kw_only=True):
    """What a token asks: this verdict on this login, of this audience, until ``expires`` (ms UTC).

    serial: what is used up by an answer.
    """

    event_id: str
    verdict: VerdictKind
    audience: str
    expires: int
    serial: str


def make(
    key: bytes, event_id: str, verdict: VerdictKind, audience: str, notification: str, now: int
) -> str:
    """A token for a link. ``audience``: whom it is given to, a channel's name."""
    serial = hashlib.sha256(f"{notification}\n{event_id}\n{audience}".encode()).hexdigest()[:24]
    said = [event_id, verdict, audience, now + VALID_FOR, serial]
    return str(_serializer(key).dumps(said))


def verify(key: bytes, token: str, now: int, audience: str | None = None) -> Asked:
    """What a token asks. That it was not used before is for the caller to see (``serial``).

    Raises TokenError for a token that is forged, changed, expired or for another audience.
    """
    if len(token) > MOST_TOKEN:
        raise TokenError("this link is too long to be one of ours")
    try:
        found = _serializer(key).loads(token)
        event_id, verdict, made_for, expires, serial = msgspec.convert(
            found, tuple[str, str, str, int, str]
        )
    except (BadData, ValueError):
        raise TokenError("this link was changed, or was never ours; open the incident") from None
    if now > expires:
        raise TokenError("this link has expired; give the verdict in the incident")
    if audience is not None and made_for != audience:
        raise TokenError("this link was made for others; give the verdict in the incident")
    kind = next((k for k in KINDS if k == verdict), None)
    if kind is None:
        raise TokenError("this link asks for a verdict that there is not")
    return Asked(event_id=event_id, verdict=kind, audience=made_for, expires=expires, serial=serial)


def buttons(
    key: bytes, base: str, event_id: str, audience: str, notification: str, now: int
) -> tuple[Button, ...]:
    """The three buttons of a notification; ``base`` is the console's address."""
    made = []
    for kind, label in LABELS.items():
        token = make(key, event_id, kind, audience, notification, now)
        made.append(Button(label=label, url=f"{base.rstrip('/')}/verdict/{token}", verdict=kind))
    return tuple(made)


def _serializer(key: bytes) -> URLSafeSerializer:
    """Signs with SHA-256; one key, and a salt that no other use of it shares."""
    return URLSafeSerializer(
        key,
        salt=_SALT,
        serializer=_Json,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


class _Json:
    """Compact JSON for itsdangerous."""

    @staticmethod
    def dumps(value: object) -> str:
        """As text."""
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(body: str | bytes) -> object:
        """Raises ValueError for what is no JSON."""
        return msgspec.json.decode(body)
