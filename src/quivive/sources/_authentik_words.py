"""The words of authentik: actions, methods of login, devices, sources."""

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Kind(Struct, frozen=True):
    """What an action means.

    use: a session that is there is used for something, so that the action is its operation.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    use: bool = False


def _around(name: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(Activity.OTHER, name, status)


# Equal ones are told apart by identity.
LOGIN = Kind()
FAILED = Kind(status=Status.FAILURE)
CHALLENGE = _around("MFA Challenge", Status.FAILURE)
APPLICATION = Kind()
IMPERSONATION = Kind()
IMPERSONATION_END = Kind(Activity.LOGOFF)
REVOKED = Kind(status=Status.FAILURE)
PASSWORD_CHANGE = _around("Password Change")
PASSWORD_RESET = _around("Password Reset")
ENROLL = _around("Factor Enroll")
RESET = _around("Factor Reset")
TOKEN = _around("Token Create")
USE = Kind(use=True)

KINDS = {
    "login": LOGIN,
    "login_failed": FAILED,
    "invalid_identifier": FAILED,
    "logout": Kind(Activity.LOGOFF),
    "authorize_application": APPLICATION,
    "impersonation_started": IMPERSONATION,
    "impersonation_ended": IMPERSONATION_END,
    "suspicious_request": REVOKED,
    "password_set": PASSWORD_CHANGE,
    "source_linked": ENROLL,
    "secret_view": USE,
    "token_view": USE,
    "secret_rotate": TOKEN,
}
CHANGES = frozenset({"model_created", "model_updated", "model_deleted"})
# All others have nothing to do with logins, and "custom_" begins those of a customer's own.
OTHERS = frozenset(
    "configuration_error configuration_warning email_sent export_ready flow_execution "
    "invitation_created invitation_used policy_exception policy_execution "
    "property_mapping_exception review_attested review_completed review_initiated review_overdue "
    "system_exception system_task_exception system_task_execution update_available "
    "user_write".split()
)


def _factor(kind: FactorType, word: str) -> AuthFactor:
    return AuthFactor(factor_type_id=kind, factor_type=word)


# By the model of a device, and by its class: "totpdevice" is of the class "totp".
DEVICES = {
    "static": _factor(FactorType.OTHER, "static"),
    "totp": _factor(FactorType.OTP, "totp"),
    "webauthn": _factor(FactorType.WEBAUTHN, "webauthn"),
    "duo": _factor(FactorType.OTHER, "duo"),
    "sms": _factor(FactorType.SMS, "sms"),
    "email": _factor(FactorType.EMAIL, "email"),
    "endpoint": _factor(FactorType.OTHER, "endpoint"),
}
PASSWORD = _factor(FactorType.PASSWORD, "password")
PASSKEY = "auth_webauthn_pwl"  # without a password
# Asked for after a password; a security key may also stand alone.
SECOND = frozenset(DEVICES) - {"webauthn"}

SOURCES = {
    "authentik_sources_oauth": ("OAUTH 2.0", 6),
    "authentik_sources_saml": ("SAML", 5),
    "authentik_sources_ldap": ("LDAP", 12),
    "authentik_sources_kerberos": ("Kerberos", 2),
}


def device_class(model_name: str | None) -> str | None:
    """ "totp" of "totpdevice"; None for a model that is no second factor."""
    if model_name is None or not model_name.endswith("device"):
        return None
    word = model_name.removesuffix("device")
    return word if word in DEVICES else None
