"""A record of a proxy's access log: its members by name, and the claims of the token used."""

import re
from functools import lru_cache
from typing import Any

from quivive.sources._access_log import decoded
from quivive.sources.fields import clean

_OTHER_WORDS = re.compile(r"[^a-z0-9]+")
_CLAIM = re.compile(r"(?:jwt_claims?|jwt_payload|jwt|token_claims?|claims?)_(.+)")
_HOLDERS = frozenset(
    {
        *("jwt", "jwt_payload", "jwt_claims", "jwt_metadata", "auth_jwt", "claims"),
        *("token_claims", "dynamic_metadata"),
    }
)
_FINGERPRINTS = (
    *("tls_ja4_fingerprint", "ja4", "ja4_fingerprint", "x_ja4_fingerprint", "http_ssl_ja4"),
    *("ssl_ja4", "tls_ja4", "tls_ja3_fingerprint", "ja3_hash", "http_ssl_ja3_hash", "ssl_ja3_hash"),
    *("ja3", "ja3_fingerprint", "x_ja3_fingerprint", "tls_ja3"),
)
_DEEPEST = 3
_WIDEST = 8


class Entry:
    """One line of the log: its members by name, and the claims of the token it was made with."""

    __slots__ = ("claims", "row")

    def __init__(self, row: dict[str, Any], claims: dict[str, Any]) -> None:
        """``row`` by names of small letters, digits and "_"."""
        self.row = row
        self.claims = claims

    def word(self, *names: str) -> str | None:
        """The first of these members that says something."""
        row = self.row
        for name in names:
            value = row.get(name)
            if value is not None:
                found = clean(value) if type(value) is str else None
                if found is not None:
                    return found
                if type(value) is int:
                    return str(value)
        return None

    def damaged(self, *names: str) -> str | None:
        """The first of these members that holds neither a text nor a number."""
        row = self.row
        return next((name for name in names if type(row.get(name)) in (list, dict, bool)), None)


@lru_cache(maxsize=4096)
def name_of(key: str) -> str:
    """ "x_request_id" of "X-Request-Id", "authority" of ":authority"."""
    return _OTHER_WORDS.sub("_", key[:64].lower()).strip("_")


@lru_cache(maxsize=4096)
def _claim(name: str) -> str | None:
    """The claim that a member is named for: "sub" of "jwt_sub"."""
    found = _CLAIM.fullmatch(name)
    return found[1] if found else None


def entry_of(fields: dict[str, Any]) -> Entry:
    """The entry of a JSON object, or of the parts of a line."""
    row: dict[str, Any] = {}
    claims: dict[str, Any] = {}
    for key, value in fields.items():
        name = name_of(key)
        if name in _HOLDERS:
            claims = _claims(value) or claims
        elif (claim := _claim(name)) is not None:
            claims.setdefault(claim, value)
        else:
            row.setdefault(name, value)
    return Entry(row, claims)


def _claims(value: Any, depth: int = _DEEPEST) -> dict[str, Any] | None:
    """The payload of a token, under however many names of filters and issuers."""
    if type(value) is str and value.startswith("{"):
        value = decoded(value)
    if type(value) is not dict:
        return None
    if "sub" in value or "iss" in value:
        return {name_of(key): inner for key, inner in value.items() if type(key) is str}
    if depth:
        for inner in list(value.values())[:_WIDEST]:
            if found := _claims(inner, depth - 1):
                return found
    return None


def fingerprint_of(entry: Entry) -> str | None:
    """JA4 of the client's TLS, else JA3."""
    return entry.word(*_FINGERPRINTS)
