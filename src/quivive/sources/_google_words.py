"""The words of Google Workspace's audit logs: event names, challenge methods, login types."""

from msgspec import Struct

from quivive.model.event import Activity, FactorType, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What an event of a Workspace log means.

    target: the parameter that names whose account it is about; without one it is the actor's.
    owed: an event without its target is damaged, rather than about the actor.
    challenge: the outcome is that of the challenge, as the record tells it.
    accepted: on a failure, the credential itself was right.
    operation, resource: the parameters that say what was done, and on what.
    risk: Google's verdict that the event itself is.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    target: str | None = None
    owed: bool = False
    challenge: bool = False
    accepted: bool = False
    operation: str | None = None
    resource: str | None = None
    risk: str | None = None
    protocol: str | None = None
    protocol_id: int | None = None
    non_interactive: bool = False


def _around(name: str, target: str | None = None, owed: bool = False) -> Kind:
    return Kind(activity=Activity.OTHER, name=name, target=target, owed=owed)


def _blocked(risk: str) -> Kind:
    """A login that Google stopped; the event's actor is not always the account."""
    return Kind(status=Status.FAILURE, target=_AFFECTED, risk=risk)


def _locked(risk: str | None) -> Kind:
    return Kind(activity=Activity.OTHER, name="Account Lock", target=_AFFECTED, risk=risk)


def _by_admin(name: str) -> Kind:
    return _around(name, "USER_EMAIL", owed=True)


_AFFECTED = "affected_email_address"
CHALLENGE = Kind(activity=Activity.OTHER, name="MFA Challenge", challenge=True)
LOGIN = Kind()
FAILURE = Kind(status=Status.FAILURE)
TOKEN_USE = Kind(
    operation="method_name",
    resource="api_name",
    protocol="OAUTH 2.0",
    protocol_id=6,
    non_interactive=True,
)

_ACCOUNT = {
    "2sv_enroll": _around("Factor Enroll"),
    "2sv_disable": _around("Factor Reset"),
    "titanium_enroll": _around("Factor Enroll"),
    "titanium_unenroll": _around("Factor Reset"),
    "passkey_enrolled": _around("Factor Enroll"),
    "passkey_removed": _around("Factor Reset"),
    "password_edit": _around("Password Change"),
    "recovery_email_edit": _around("Factor Reset"),
    "recovery_phone_edit": _around("Factor Reset"),
    "recovery_secret_qa_edit": _around("Factor Reset"),
}
_LOGIN = {
    "login_success": LOGIN,
    "login_failure": FAILURE,
    "login_challenge": CHALLENGE,
    "login_verification": CHALLENGE,
    "logout": Kind(activity=Activity.LOGOFF),
    "risky_sensitive_action_allowed": Kind(
        activity=Activity.OTHER,
        name="MFA Challenge",
        operation="sensitive_action_name",
        risk="risky_sensitive_action",
    ),
    # Stopped in a session that was open: whoever is in it came past the login.
    "risky_sensitive_action_blocked": Kind(
        activity=Activity.OTHER,
        name="MFA Challenge",
        status=Status.FAILURE,
        accepted=True,
        operation="sensitive_action_name",
        risk="risky_sensitive_action",
    ),
    "suspicious_login": _blocked("suspicious_login"),
    "suspicious_login_less_secure_app": _blocked("suspicious_login_less_secure_app"),
    "suspicious_programmatic_login": _blocked("suspicious_programmatic_login"),
    # "Google has become aware that someone else knows its password".
    "account_disabled_password_leak": _locked("leakedCredentials"),
    "account_disabled_hijacked": _locked("hijacked"),
    "account_disabled_generic": _locked(None),
    "account_disabled_spamming": _locked("spamming"),
    "account_disabled_spamming_through_relay": _locked("spamming"),
}
_SAML = {
    "login_success": Kind(protocol="SAML", protocol_id=5),
    "login_failure": Kind(status=Status.FAILURE, protocol="SAML", protocol_id=5),
}
_TOKEN = {
    "activity": TOKEN_USE,
    "authorize": Kind(
        activity=Activity.OTHER,
        name="Token Create",
        operation="scope",
        protocol="OAUTH 2.0",
        protocol_id=6,
    ),
}
_ADMIN = {
    "CHANGE_PASSWORD": _by_admin("Password Reset"),
    "TURN_OFF_2_STEP_VERIFICATION": _by_admin("Factor Reset"),
    "UNENROLL_USER_FROM_STRONG_AUTH": _by_admin("Factor Reset"),
    "UNENROLL_USER_FROM_TITANIUM": _by_admin("Factor Reset"),
    "REVOKE_SECURITY_KEY": _by_admin("Factor Reset"),
    "DELETE_2SV_SCRATCH_CODES": _by_admin("Factor Reset"),
    "CHANGE_RECOVERY_EMAIL": _by_admin("Factor Reset"),
    "CHANGE_RECOVERY_PHONE": _by_admin("Factor Reset"),
    "GENERATE_2SV_SCRATCH_CODES": _by_admin("Factor Enroll"),
    "SECURITY_KEY_REGISTERED_FOR_USER": _by_admin("Factor Enroll"),
    "ADD_RECOVERY_EMAIL": _by_admin("Factor Enroll"),
    "ADD_RECOVERY_PHONE": _by_admin("Factor Enroll"),
    "SUSPEND_USER": _by_admin("Account Lock"),
    "RESET_SIGNIN_COOKIES": Kind(activity=Activity.LOGOFF, target="USER_EMAIL", owed=True),
    # A client that may from now on act as any user of the domain.
    "AUTHORIZE_API_CLIENT_ACCESS": Kind(
        activity=Activity.OTHER,
        name="Token Create",
        operation="API_SCOPES",
        resource="API_CLIENT_NAME",
    ),
}
# By applicationName. Account events were moved to a log of their own; both places still occur.
KINDS: dict[str, dict[str, Kind]] = {
    "login": _LOGIN | _ACCOUNT,
    "user_accounts": _LOGIN | _ACCOUNT,
    "saml": _SAML,
    "token": _TOKEN,
    "admin": _ADMIN,
}
# The logs that Cloud Logging keeps of them, by serviceName.
SERVICES = {"login.googleapis.com": "login", "admin.googleapis.com": "admin"}

_METHODS = {
    FactorType.PASSWORD: ("password",),
    FactorType.PUSH: ("google_prompt",),
    FactorType.OTP: ("google_authenticator", "offline_otp"),
    FactorType.SMS: ("idv_any_phone", "idv_preregistered_phone"),
    FactorType.EMAIL: (
        *("idv_any_email", "idv_preregistered_email", "access_to_preregistered_email"),
    ),
    FactorType.U2F: ("security_key",),
    FactorType.HARDWARE_TOKEN: ("security_key_otp",),
    FactorType.WEBAUTHN: ("passkey",),
    FactorType.SECURITY_QUESTION: ("login_location",),
    FactorType.OTHER: (
        *("backup_code", "rescue_code", "cross_device", "device_prompt", "device_assertion"),
        *("internal_two_factor", "same_device_screenlock", "web_approval", "other"),
    ),
}
# The rest shows no factor: none, captcha, recaptcha, time_delay, manual_recovery.
METHODS = {word: kind for kind, words in _METHODS.items() for word in words}
KNOWLEDGE = "knowledge_"  # _employee_id, _preregistered_phone…: something the user knows
NOT_ENTITLED = frozenset(
    {
        "failure_app_not_configured_for_user",
        "failure_app_not_enabled_for_user",
    }
)
