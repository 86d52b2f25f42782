"""Time-based one-time passwords (RFC 6238 over RFC 4226): SHA-1, 6 digits, 30 seconds."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226, section 4: 160 bits are recommended
WINDOW = 1  # steps before and after the present one that count, too: clocks differ


def new_secret() -> bytes:
    """A random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def code(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 0xF
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: bytes, given: str, now: int) -> int | None:
    """The time step whose code was given at ``now`` (ms UTC), or None."""
    present = now // (STEP_SECONDS * 1000)
    steps = range(max(0, present - WINDOW), present + WINDOW + 1)
    said = given.encode("utf-8", "replace")
    right = [s for s in steps if hmac.compare_digest(code(secret, s).encode(), said)]
    return right[-1] if right else None


def written(secret: bytes) -> str:
    """A secret as people type it into an authenticator: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, name: str, issuer: str = "Quivive") -> str:
    """The otpauth:// address that an authenticator takes."""
    query = urlencode({"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer})
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?{query}"
