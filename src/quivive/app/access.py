"""Bearer tokens of the server: made, shown once, kept as a digest, compared in constant time.

A secret has 256 random bits, so a plain SHA-256 is enough to keep: there is nothing to guess, and
slow password hashing would only slow down every request.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from quivive.app.errors import UsageError
from quivive.model.audit import Entry
from quivive.store.access import Access, Token
from quivive.store.database import Store

SCOPES = {
    "assess": "ask for the risk of one login, and edge checks",
    "ingest": "send events",
    "read": "read assessments, identities, incidents, contexts and the policy",
    "verdict": "give verdicts, acknowledge and close incidents",
    "ssf": "set up a stream of security events, and receive it",
    "metrics": "read /metrics and the details of /readyz",
    "admin": "everything",
}
FALLBACKS = ("open", "closed")
DAY_MS = 86_400_000
MOST_NAME = 64
_SHAPE = re.compile(r"qv_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).digest()  # what an unknown token is compared with


class Wanted(NamedTuple):
    """A token to be made. expires: ms UTC or None; rate: requests a second or None."""

    name: str
    scopes: Sequence[str]
    expires: int | None = None
    fallback: str = "open"
    rate: float | None = None


def create(store: Store, wanted: Wanted, by: str, now: int) -> tuple[str, Token]:
    """Makes a token and keeps its digest; gives the secret, which is nowhere else.

    Raises UsageError for an unknown scope, an empty name or an end that is past.
    """
    name = wanted.name.strip()
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise UsageError(f"a token needs a name of at most {MOST_NAME} printable characters")
    if not wanted.scopes:
        raise UsageError(f"a token needs a scope: {', '.join(SCOPES)}")
    for scope in wanted.scopes:
        if scope not in SCOPES:
            raise UsageError(f"no scope {scope!r}; one of {', '.join(SCOPES)}")
    if wanted.fallback not in FALLBACKS:
        raise UsageError(f"--fail {wanted.fallback!r}: open or closed")
    if wanted.expires is not None and wanted.expires <= now:
        raise UsageError("the token would have expired already; mend --expires")
    secret, token_id = secrets.token_bytes(32), secrets.token_hex(6)
    text = f"qv_{token_id}_{_text(secret)}"
    token = Token(
        id=token_id,
        name=name,
        scopes=" ".join(s for s in SCOPES if s in wanted.scopes),
        digest=hashlib.sha256(text.encode()).digest(),
        created=now,
        expires=wanted.expires,
        fallback=wanted.fallback,
        rate=wanted.rate,
    )
    details: dict[str, object] = {"name": name, "scopes": token.scopes, "expires": wanted.expires}
    Access(store).add(token, _entry(now, by, "token:created", token_id, details))
    return text, token


def revoke(store: Store, token_id: str, by: str, why: str, now: int) -> None:
    """Ends a token. Raises StoreError for one that is not there."""
    entry = _entry(now, by, "token:revoked", token_id, {"why": why})
    Access(store).revoke(token_id, entry)


class Door:
    """The valid tokens in memory, asked at every request."""

    def __init__(self, tokens: Sequence[Token] = ()) -> None:
        """``tokens`` as the store has them."""
        self._known: dict[str, Token] = {}
        self.renew(tokens)

    def renew(self, tokens: Sequence[Token]) -> None:
        """Takes the tokens anew: some were made, some revoked."""
        self._known = {token.id: token for token in tokens}

    def who(self, given: str, now: int) -> Token | None:
        """The token of a bearer's text, or None. Takes as long for a wrong secret as for none."""
        shape = _SHAPE.fullmatch(given)
        token = self._known.get(shape[1]) if shape is not None else None
        digest = hashlib.sha256(given.encode("utf-8", "replace")).digest()
        right = hmac.compare_digest(digest, token.digest if token is not None else _NOBODY)
        return token if right and token is not None and token.valid(now) else None


def allows(token: Token, scope: str) -> bool:
    """Whether a token has a scope."""
    held = token.scopes.split(" ")
    return scope in held or "admin" in held


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def _entry(now: int, by: str, action: str, token_id: str, details: dict[str, object]) -> Entry:
    return Entry(time=now, actor=by, action=action, subject=f"token {token_id}", details=details)
