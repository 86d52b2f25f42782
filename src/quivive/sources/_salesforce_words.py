"""The words of Salesforce: ways to log in, statuses of a login, ways to verify an identity."""

from functools import lru_cache

from msgspec import Struct

from quivive.model.event import AuthFactor, FactorType, Status, UserType


class Outcome(Struct, frozen=True):
    """What a status means. accepted: no login, but the credential was right."""

    status: Status
    accepted: bool | None = None


_SUCCESS = Outcome(Status.SUCCESS)
_FAILURE = Outcome(Status.FAILURE)
_DUE = Outcome(Status.OTHER, accepted=True)
_STOPPED = Outcome(Status.FAILURE, accepted=True)
# Codes of event log files, and what login history says for them, in lower case.
_OUTCOMES = {
    "login_no_error": _SUCCESS,
    "success": _SUCCESS,
    # The identity is yet to be verified: from a device that is not known, or by a second factor.
    "login_challenge_issued": _DUE,
    "login_challenge_pending": _DUE,
    "login_twofactor_req": _DUE,
    "failed: computer activation required": _DUE,
    "failed: computer activation pending": _DUE,
    "multi-factor required": _DUE,
    "two-factor required": _DUE,
    # Right, but not by itself, not for this way in, or not by a policy.
    "login_error_must_use_api_token": _STOPPED,
    "login_error_user_api_only": _STOPPED,
    "login_end_session_txn_security_policy": _STOPPED,
    "failed: api security token required": _STOPPED,
    "failed: api-only user": _STOPPED,
}
# The codes of event log files, by what login history calls the same.
_TYPES = {
    "3": "Customer Service Portal",
    "5": "SAML Idp Initiated SSO",
    "6": "Remote Access Client",
    "7": "AppExchange",
    "8": "SAML Sfdc Initiated SSO",
    "9": "Partner Portal",
    "A": "Application",
    "E": "SelfService",
    "I": "Other Apex API",
    "R": "Partner Product",
    "b": "SAML Customer Service Portal SSO",
    "c": "SAML Partner Portal SSO",
    "h": "SAML Site SSO",
    "i": "Remote Access 2.0",
    "j": "Third Party SSO",
    "k": "Chatter Communities External User",
    "l": "Networks Portal API Only",
    "m": "SAML Chatter Communities External User SSO",
    "n": "Chatter Communities External User Third Party SSO",
    "q": "Partner Portal Third-Party SSO",
    "r": "Employee Login to Community",
    "s": "Certificate-based login",
    "w": "Passwordless Login",
    "z": "Lightning Login",
}
_PASSWORD = AuthFactor(factor_type_id=FactorType.PASSWORD, factor_type="Password")
_PASSWORDS = frozenset({"uiup", "oauthpassword"})
_CLIENT = "oauthclientcredential"
# Who is no person of the organisation's.
_USER_TYPES = {
    "automatedprocess": UserType.SYSTEM,
    "guest": UserType.OTHER,
}
_METHODS = (
    ("salesforceauthenticator", FactorType.PUSH),
    ("toopher", FactorType.PUSH),
    ("totp", FactorType.OTP),
    ("tempcode", FactorType.OTP),
    ("sms", FactorType.SMS),
    ("email", FactorType.EMAIL),
    ("u2f", FactorType.U2F),
    ("webauth", FactorType.WEBAUTHN),
    ("builtin", FactorType.WEBAUTHN),
    ("password", FactorType.PASSWORD),
)
_MULTIPLE = ("mfa", "multipleauthn")


class Way(Struct, frozen=True):
    """How somebody logs in."""

    name: str | None = None
    protocol: str | None = None
    protocol_id: int | None = None
    factors: tuple[AuthFactor, ...] | None = None
    machine: bool = False


@lru_cache(256)
def way_of(kind: str | None, flow: str | None) -> Way:
    """The type of a login, by its code or its name, and its subtype, which is the OAuth flow."""
    name = _TYPES.get(kind, kind) if kind else None
    protocol: tuple[str | None, int | None] = (None, None)
    if name and name.startswith("SAML"):
        protocol = ("SAML", 5)
    elif name == "Remote Access 2.0" or (flow and flow.startswith("oauth")):
        protocol = ("OAUTH 2.0", 6)
    return Way(
        name=name,
        protocol=protocol[0],
        protocol_id=protocol[1],
        factors=(_PASSWORD,) if flow in _PASSWORDS else None,
        machine=flow == _CLIENT,
    )


@lru_cache(256)
def outcome_of(status: str) -> Outcome:
    """What the status of a login means; all that is not known is a failure."""
    return _OUTCOMES.get(status.lower(), _FAILURE)


@lru_cache(256)
def verification_of(status: str) -> Status:
    """What came of an attempt to verify an identity."""
    word = status.lower()
    if "succe" in word:
        return Status.SUCCESS
    return Status.FAILURE if "fail" in word or "denied" in word else Status.OTHER


@lru_cache(256)
def method_of(method: str) -> AuthFactor:
    """The factor that an identity was verified by."""
    word = method.lower()
    kind = next((kind for mark, kind in _METHODS if mark in word), FactorType.OTHER)
    return AuthFactor(factor_type_id=kind, factor_type=method)


@lru_cache(256)
def is_multiple(reference: str) -> bool:
    """Whether an identity provider says that it asked for more than one factor: "pwd mfa"."""
    words = reference.lower().replace(",", " ").split()
    return any(word in _MULTIPLE or word.endswith("/multipleauthn") for word in words)


def user_type(word: str | None, way: Way) -> UserType | None:
    """What a record says of the kind of its user; an integration is a standard user to it."""
    if word is not None and (known := _USER_TYPES.get(word.lower())) is not None:
        return known
    return UserType.SERVICE if way.machine else None
