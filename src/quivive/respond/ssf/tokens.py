"""Security event tokens (RFC 8417) of the CAEP 1.0 event types, and the keys that check them.

Subjects are RFC 9493 identifiers in the top-level ``sub_id``, as SSF 1.0 asks; ``event_timestamp``
is in seconds.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from quivive.model.response import ResponseRequest, Target
from quivive.respond.errors import RefusedError

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED = CAEP + "session-revoked"
CREDENTIAL_CHANGE = CAEP + "credential-change"
ASSURANCE_LEVEL_CHANGE = CAEP + "assurance-level-change"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
STREAM_UPDATED = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
EVENTS = (SESSION_REVOKED, CREDENTIAL_CHANGE, ASSURANCE_LEVEL_CHANGE)
TYPE = "secevent+jwt"
LEVELS = "NIST-AAL"

# What each action of policy tells a receiver.
OF_ACTION = {
    "revoke": SESSION_REVOKED,
    "disable": SESSION_REVOKED,
    "rotate": CREDENTIAL_CHANGE,
    "step_up": ASSURANCE_LEVEL_CHANGE,
}


def subject(target: Target) -> dict[str, Any]:
    """The subject identifier of a target: its e-mail, else its account, with the session if known.

    Raises RefusedError when there is nothing that a receiver could know it by.
    """
    email = target.email or (target.identity if "@" in target.identity else None)
    if email is not None:
        user: dict[str, Any] = {"format": "email", "email": email}
    elif target.uid or target.name:
        user = {"format": "opaque", "id": target.uid or target.name}
    else:
        raise RefusedError("the login shows no e-mail address and no id that a receiver could know")
    if target.session is None:
        return user
    session = {"format": "opaque", "id": target.session}
    return {"format": "complex", "user": user, "session": session}


def event(request: ResponseRequest, *, credential_type: str = "password") -> tuple[str, Any]:
    """The event type and event of a request. Raises RefusedError for an action without one."""
    kind = OF_ACTION.get(request.action)
    if kind is None:
        raise RefusedError(f"CAEP has no event for {request.action}")
    said: dict[str, Any] = {
        "event_timestamp": request.decided // 1000,
        "initiating_entity": "policy",
        "reason_admin": {"en": f"{request.rule}: {request.reason}"[:500]},
    }
    if kind == CREDENTIAL_CHANGE:
        said |= {"credential_type": credential_type, "change_type": "revoke"}
    elif kind == ASSURANCE_LEVEL_CHANGE:
        said |= {"namespace": LEVELS, "current_level": "nist-aal1", "change_direction": "decrease"}
    return kind, said


def claims(
    issuer: str,
    audience: str,
    sub_id: Mapping[str, Any],
    events: Mapping[str, Any],
    *,
    now: int,
    about: str,
) -> dict[str, Any]:
    """The claims of a token. ``now`` in ms.

    about: what the token is about; the same thing to the same audience has the same ``jti``, so
    that a receiver which gets it twice can tell.
    """
    named = "\x1f".join((issuer, audience, about, *sorted(events)))
    return {
        "iss": issuer,
        "jti": hashlib.sha256(named.encode()).hexdigest()[:32],
        "iat": now // 1000,
        "aud": audience,
        "txn": about,
        "sub_id": dict(sub_id),
        "events": dict(events),
    }


class Signer:
    """A private key with its id. The key itself is in no repr."""

    def __init__(self, pem: str) -> None:
        """Of an EC P-256 or an RSA key (2048 bits or more) in PEM. Raises RefusedError."""
        from joserfc import jwk

        self._key: Any = _tried(jwk.ECKey, pem) or _tried(jwk.RSAKey, pem)
        if self._key is None or not self._key.is_private:
            raise RefusedError("the signing key is no private EC or RSA key in PEM")
        self.algorithm = "ES256" if self._key.key_type == "EC" else "RS256"
        public = self._key.as_dict(private=False)
        if self.algorithm == "ES256" and public.get("crv") != "P-256":
            raise RefusedError("an EC signing key must be on P-256")
        if self.algorithm == "RS256" and len(str(public.get("n"))) < 340:
            raise RefusedError("an RSA signing key must have 2048 bits or more")
        self.key_id: str = self._key.thumbprint()

    def sign(self, said: Mapping[str, Any]) -> str:
        """The compact token."""
        from joserfc import jwt

        header = {"alg": self.algorithm, "typ": TYPE, "kid": self.key_id}
        return jwt.encode(header, dict(said), self._key, [self.algorithm])

    def public(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 7517)."""
        known = {k: v for k, v in self._key.as_dict(private=False).items() if v is not None}
        return known | {"kid": self.key_id, "use": "sig", "alg": self.algorithm}


def _tried(kind: Any, pem: str) -> Any:
    try:
        return kind.import_key(pem)
    except Exception:  # noqa: BLE001  of any kind: and none of their texts may be told
        return None


def jwks(signers: list[Signer]) -> dict[str, Any]:
    """The key set document; while a key is being replaced it holds both."""
    return {"keys": [signer.public() for signer in signers]}


def transmitter_configuration(issuer: str) -> dict[str, Any]:
    """The document at ``/.well-known/ssf-configuration`` (SSF 1.0, section 7)."""
    base = issuer.rstrip("/")
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{base}/ssf/jwks.json",
        "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
        "configuration_endpoint": f"{base}/ssf/streams",
        "status_endpoint": f"{base}/ssf/status",
        "add_subject_endpoint": f"{base}/ssf/subjects:add",
        "remove_subject_endpoint": f"{base}/ssf/subjects:remove",
        "verification_endpoint": f"{base}/ssf/verify",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6750"}],
        "default_subjects": "ALL",
    }
