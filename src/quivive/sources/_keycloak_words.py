"""The words of Keycloak: types of user events, what administrators do, errors, credentials."""

import re

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Kind(Struct, frozen=True):
    """What a type of event means.

    grant: a token is given to an application, and no person need be present.
    client: the client itself authenticates, with its secret or key.
    failures: only failures are events of their own; a success is told by another record.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    grant: bool = False
    client: bool = False
    failures: bool = False


def _around(name: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(Activity.OTHER, name, status)


LOGON = Kind()
LOGOFF = Kind(Activity.LOGOFF)
CHALLENGE = _around("MFA Challenge")
PASSWORD_CHANGE = _around("Password Change")
PASSWORD_RESET = _around("Password Reset")
ENROLL = _around("Factor Enroll")
RESET = _around("Factor Reset")
TOKEN = _around("Token Create")
IMPERSONATION = Kind()  # equal to LOGON, told apart by identity
_LOCK = _around("Account Lock")
_GRANT = Kind(grant=True)
_STEP = Kind(failures=True)

# Without the "_ERROR" of a failure.
KINDS = {
    "LOGIN": LOGON,
    "IMPERSONATE": IMPERSONATION,
    "CLIENT_LOGIN": Kind(grant=True, client=True),
    "LOGOUT": LOGOFF,
    "USER_SESSION_DELETED": LOGOFF,
    "CODE_TO_TOKEN": Kind(grant=True, failures=True),
    "REFRESH_TOKEN": _GRANT,
    "TOKEN_EXCHANGE": _GRANT,
    "OAUTH2_DEVICE_CODE_TO_TOKEN": _GRANT,
    "OAUTH2_EXTENSION_GRANT": _GRANT,
    "AUTHREQID_TO_TOKEN": _GRANT,
    "JWT_BEARER": _GRANT,
    "PERMISSION_TOKEN": _GRANT,
    "IDENTITY_PROVIDER_LOGIN": _STEP,
    "IDENTITY_PROVIDER_FIRST_LOGIN": _STEP,
    "IDENTITY_PROVIDER_POST_LOGIN": _STEP,
    "IDENTITY_PROVIDER_RESPONSE": _STEP,
    "UPDATE_PASSWORD": PASSWORD_CHANGE,
    "RESET_PASSWORD": PASSWORD_RESET,
    "SEND_RESET_PASSWORD": _around("Password Reset", Status.OTHER),
    "UPDATE_TOTP": ENROLL,
    "UPDATE_CREDENTIAL": ENROLL,
    "REMOVE_TOTP": RESET,
    "REMOVE_CREDENTIAL": RESET,
    # Another way in, or another address to recover the account by.
    "FEDERATED_IDENTITY_LINK": ENROLL,
    "FEDERATED_IDENTITY_OVERRIDE_LINK": ENROLL,
    "REMOVE_FEDERATED_IDENTITY": RESET,
    "UPDATE_EMAIL": ENROLL,
    "GRANT_CONSENT": TOKEN,
    "USER_DISABLED_BY_PERMANENT_LOCKOUT": _LOCK,
    "USER_DISABLED_BY_TEMPORARY_LOCKOUT": _LOCK,
}
# CUSTOM_REQUIRED_ACTION tells of these where there was no UPDATE_CREDENTIAL yet.
REQUIRED_ACTIONS = {
    "webauthn-register": ENROLL,
    "webauthn-register-passwordless": ENROLL,
    "configure_recovery_authn_codes": ENROLL,
    "delete_credential": RESET,
}
# Errors after the credential was found right.
ACCEPTED = frozenset(
    {
        "consent_denied",
        "rejected_by_user",
        "resolve_required_actions",
        "different_user_authenticated",
    }
)

_OTP = AuthFactor(factor_type_id=FactorType.OTP, factor_type="otp")
# A security key: a second factor or a passkey, which older servers do not tell apart.
SECURITY_KEY = AuthFactor(factor_type_id=FactorType.WEBAUTHN)
FACTORS = {
    "password": AuthFactor(factor_type_id=FactorType.PASSWORD, factor_type="password"),
    "otp": _OTP,
    "webauthn": AuthFactor(factor_type_id=FactorType.WEBAUTHN, factor_type="webauthn"),
    "webauthn-passwordless": AuthFactor(
        factor_type_id=FactorType.WEBAUTHN, factor_type="webauthn-passwordless"
    ),
    "recovery-authn-codes": AuthFactor(
        factor_type_id=FactorType.OTHER, factor_type="recovery-authn-codes"
    ),
}
X509 = AuthFactor(factor_type_id=FactorType.OTHER, factor_type="x509")
# Asked for after a password, in Keycloak's own flows.
SECOND = frozenset({"otp", "webauthn", "recovery-authn-codes"})

# What administrators do to one account's credentials, by "OPERATION path/below/the/account".
_BY_ADMIN = (
    (r"(?:ACTION|UPDATE) reset-password", PASSWORD_RESET),
    (r"ACTION reset-password-email", _around("Password Reset", Status.OTHER)),
    (r"(?:ACTION|DELETE) credentials/[^/]+", RESET),
    (r"(?:ACTION|UPDATE) (?:disable-credential-types|remove-totp)", RESET),
    (r"ACTION logout", LOGOFF),
    (r"CREATE federated-identity/[^/]+", ENROLL),
    (r"DELETE federated-identity/[^/]+", RESET),
    (r"ACTION impersonation", IMPERSONATION),
)
_BY_ADMIN_RE = tuple((re.compile(pattern), kind) for pattern, kind in _BY_ADMIN)
_CLIENT_KEYS = re.compile(
    r"(?:ACTION|CREATE|UPDATE) (?:client-secret|registration-access-token"
    r"|certificates/[^/]+/(?:generate|generate-and-download|upload|upload-certificate))"
)


def kind_of(event_type: str, credential: str | None, action: str | None) -> Kind | None:
    """What a type of event means, by the credential or required action it names where those
    matter; None for one without bearing on logins."""
    if event_type == "CUSTOM_REQUIRED_ACTION":
        return REQUIRED_ACTIONS.get((action or "").lower())
    if credential == "password" and event_type == "UPDATE_CREDENTIAL":
        return PASSWORD_CHANGE
    return KINDS.get(event_type)


def admin_kind(operation: str, collection: str, below: str) -> Kind | None:
    """What an administrator did to one "users" or "clients", or None for other changes."""
    deed = f"{operation} {below}"
    if collection == "clients":
        return TOKEN if _CLIENT_KEYS.fullmatch(deed) else None
    if collection == "users":
        for pattern, kind in _BY_ADMIN_RE:
            if pattern.fullmatch(deed):
                return kind
    return None
