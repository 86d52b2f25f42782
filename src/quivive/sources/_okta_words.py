"""The words of Okta's System Log: event types, outcomes, factors, kinds of actor."""

from msgspec import Struct

from quivive.model.event import Activity, DeviceType, FactorType, OsType, Status, UserType


class Kind(Struct, frozen=True, kw_only=True):
    """What an event type means.

    of_target: somebody else may do it to the user, who is then the target.
    prompt: a factor is only asked for, so that Okta's SUCCESS says no more than "sent".
    status: the outcome whatever the record says.
    accepted: on a failure, the credential before this step was right.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    of_target: bool = False
    prompt: bool = False
    status: Status | None = None
    accepted: bool = False
    protocol: str | None = None
    protocol_id: int | None = None


# Equal ones are told apart by identity.
LOGON = Kind()
ADMIN_CONSOLE = Kind()
IMPERSONATION = Kind()
LOGOFF = Kind(activity=Activity.LOGOFF)
LOGOFF_OF = Kind(activity=Activity.LOGOFF, of_target=True)
REFUSED = Kind(accepted=True)
GRANT = Kind(protocol="OAUTH 2.0", protocol_id=6)
MFA = Kind(activity=Activity.OTHER, name="MFA Challenge")
MFA_BYPASS = Kind(activity=Activity.OTHER, name="MFA Challenge", status=Status.FAILURE)
PROMPT = Kind(activity=Activity.OTHER, name="MFA Challenge", prompt=True)
MFA_DENIED = Kind(
    activity=Activity.OTHER, name="MFA Challenge", status=Status.FAILURE, accepted=True
)
FACTOR_ENROLL = Kind(activity=Activity.OTHER, name="Factor Enroll", of_target=True)
FACTOR_RESET = Kind(activity=Activity.OTHER, name="Factor Reset", of_target=True)
LOCK = Kind(activity=Activity.OTHER, name="Account Lock", of_target=True)
PASSWORD_RESET = Kind(activity=Activity.OTHER, name="Password Reset", of_target=True)
PASSWORD_CHANGE = Kind(activity=Activity.OTHER, name="Password Change", of_target=True)
TOKEN_CREATE = Kind(activity=Activity.OTHER, name="Token Create")

KINDS = {
    "user.session.start": LOGON,
    "user.session.access_admin_app": ADMIN_CONSOLE,
    "user.session.impersonation.initiate": IMPERSONATION,
    "policy.evaluate_sign_on": LOGON,
    "user.authentication.auth_via_radius": Kind(protocol="RADIUS", protocol_id=10),
    "user.authentication.auth_via_LDAP_agent": Kind(protocol="LDAP", protocol_id=12),
    "user.authentication.auth_via_inbound_SAML": Kind(protocol="SAML", protocol_id=5),
    "application.policy.sign_on.deny_access": REFUSED,
    "app.generic.unauth_app_access_attempt": REFUSED,
    "app.oauth2.signon": LOGON,
    "app.oauth2.invalid_client_credentials": GRANT,
    "user.session.end": LOGOFF,
    "user.session.impersonation.end": LOGOFF,
    "user.authentication.slo": LOGOFF,
    "user.session.clear": LOGOFF_OF,
    "user.session.expire": LOGOFF_OF,
    "user.authentication.universal_logout": LOGOFF_OF,
    "user.authentication.universal_logout.scheduled": LOGOFF_OF,
    "user.authentication.auth_via_mfa": MFA,
    "user.mfa.okta_verify": MFA,
    # Written by the Classic Engine only, which asks for the password first.
    "user.mfa.okta_verify.deny_push": MFA_DENIED,
    "user.mfa.okta_verify.deny_push_upgrade_needed": MFA_DENIED,
    "user.mfa.attempt_bypass": MFA_BYPASS,
    "system.push.send_factor_verify_push": PROMPT,
    "system.sms.send_factor_verify_message": PROMPT,
    "system.voice.send_mfa_challenge_call": PROMPT,
    "system.email.send_factor_verify_message": PROMPT,
    "user.mfa.factor.activate": FACTOR_ENROLL,
    "user.mfa.factor.deactivate": FACTOR_RESET,
    "user.mfa.factor.reset_all": FACTOR_RESET,
    "user.mfa.factor.suspend": FACTOR_RESET,
    "user.mfa.factor.update": FACTOR_RESET,
    "user.account.lock": LOCK,
    "user.account.lock.limit": LOCK,
    "user.account.reset_password": PASSWORD_RESET,
    "user.account.update_password": PASSWORD_CHANGE,
    "system.api_token.create": TOKEN_CREATE,
}
# Every other way to authenticate (auth_via_IDP, auth_via_AD_agent, auth_via_social, sso…), and
# every token an OAuth client is given (access_token, refresh_token, id_token; no suffix: refused).
PREFIXES = {
    "user.authentication.": LOGON,
    "app.oauth2.token.grant": GRANT,
    "app.oauth2.as.token.grant": GRANT,
}

STATUS = {
    "SUCCESS": Status.SUCCESS,
    "ALLOW": Status.SUCCESS,
    "FAILURE": Status.FAILURE,
    "DENY": Status.FAILURE,
    "RATE_LIMIT": Status.FAILURE,
    "UNKNOWN": Status.UNKNOWN,
    # The rest is neither: CHALLENGE, UNANSWERED, ABANDONED, SKIPPED, DEFERRED, SCHEDULED.
}
# Of a factor that was asked for: nobody answered, or nobody waited any more.
UNANSWERED = frozenset({"UNANSWERED", "ABANDONED"})
USER_TYPES = {
    "User": UserType.USER,
    "AppUser": UserType.USER,
    "PublicClientApp": UserType.SERVICE,
    "ServiceClient": UserType.SERVICE,
    "Client": UserType.SERVICE,
    "AI Agent": UserType.SERVICE,
    "SystemPrincipal": UserType.SYSTEM,
}
# Factors as debugData.factor, authMethod*Type, methodTypeUsed or credentialType name them.
# SIGNED_NONCE is Okta FastPass: a key in the device, unlocked by biometrics or PIN.
_FACTOR_WORDS = {
    FactorType.PASSWORD: ("PASSWORD_AS_FACTOR", "PASSWORD"),
    FactorType.PUSH: ("OKTA_VERIFY_PUSH", "PUSH", "CUSTOM_PUSH", "GET A PUSH NOTIFICATION"),
    FactorType.OTP: (
        *("OKTA_SOFT_TOKEN", "SOFT_TOKEN", "GOOGLE_OTP", "CUSTOM_OTP", "SYMANTEC_VIP"),
        *("OTP", "TOTP", "HOTP", "ENTER A CODE"),
    ),
    FactorType.SMS: ("SMS_FACTOR", "SMS"),
    FactorType.PHONE_CALL: ("CALL_FACTOR", "CALL", "VOICE"),
    FactorType.EMAIL: ("EMAIL_FACTOR", "EMAIL"),
    FactorType.U2F: ("FIDO_U2F",),
    FactorType.WEBAUTHN: ("FIDO_WEBAUTHN", "WEBAUTHN"),
    FactorType.HARDWARE_TOKEN: ("YUBIKEY_TOKEN", "RSA_TOKEN"),
    FactorType.SECURITY_QUESTION: ("SECURITY_QUESTION", "QUESTION"),
    FactorType.OTHER: (
        *("SIGNED_NONCE", "USE OKTA FASTPASS", "DUO_SECURITY", "DUO"),
        *("SMART_CARD_IDP", "CLAIMS_PROVIDER", "GENERIC_SAML", "GENERIC_OIDC"),
    ),
}
FACTORS = {word: kind for kind, words in _FACTOR_WORDS.items() for word in words}
SIGN_ON_MODES = {"SAML_2_0": ("SAML", 5), "SAML_1_1": ("SAML", 5), "OPENID_CONNECT": ("OpenID", 4)}
DEVICES = {
    "Computer": DeviceType.DESKTOP,
    "Mobile": DeviceType.MOBILE,
    "Tablet": DeviceType.TABLET,
}
SYSTEMS = (
    ("windows phone", "Windows Phone", OsType.WINDOWS_MOBILE),
    ("windows", "Windows", OsType.WINDOWS),
    ("mac", "macOS", OsType.MACOS),
    ("os x", "macOS", OsType.MACOS),
    ("osx", "macOS", OsType.MACOS),
    ("ipados", "iPadOS", OsType.IPADOS),
    ("ios", "iOS", OsType.IOS),
    ("android", "Android", OsType.ANDROID),
    ("chrome", "ChromeOS", OsType.OTHER),
    ("linux", "Linux", OsType.LINUX),
    ("ubuntu", "Linux", OsType.LINUX),
)


def kind_of(event_type: str) -> Kind | None:
    """What an event type means, None for one that is not about authentication."""
    kind = KINDS.get(event_type)
    if kind is None:
        for prefix, other in PREFIXES.items():
            if event_type.startswith(prefix):
                return other
    return kind
