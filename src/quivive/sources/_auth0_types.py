"""The type codes of Auth0's tenant logs, and what each says of a login."""

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status
from quivive.model.record import Skip


class Kind(Struct, frozen=True, kw_only=True):
    """What a type code means.

    status: the outcome that the code itself is. accepted: the credential before this step was
    right. machine: the client is the identity, not a user. exchange: tokens of OAuth are given
    out, with nobody present. mfa, factor: a second factor that the code names. call: a request
    to the Management API.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    accepted: bool = False
    machine: bool = False
    exchange: bool = False
    present: bool = False
    mfa: bool = False
    factor: AuthFactor | None = None
    call: bool = False
    risk: str | None = None


_FAILURE = Status.FAILURE
_AROUND = Activity.OTHER
PASSWORD = AuthFactor(factor_type_id=FactorType.PASSWORD)
_OTP = AuthFactor(factor_type_id=FactorType.OTP)
_RECOVERY = AuthFactor(factor_type_id=FactorType.OTHER, factor_type="recovery-code")
_PUSH = AuthFactor(factor_type_id=FactorType.PUSH)
_SMS = AuthFactor(factor_type_id=FactorType.SMS)

_LOGIN = Kind()
_REFUSED = Kind(status=_FAILURE)
SILENT_REFUSED = Kind(status=_FAILURE, exchange=True)
FAILED = Kind(status=_FAILURE)
_LOGOFF = Kind(activity=Activity.LOGOFF)
_GRANT = Kind(exchange=True)
_GRANT_REFUSED = Kind(exchange=True, status=_FAILURE)
_MACHINE = Kind(exchange=True, machine=True)
_MACHINE_REFUSED = Kind(exchange=True, machine=True, status=_FAILURE)
_CHALLENGE = "MFA Challenge"
_PROMPT = Kind(activity=_AROUND, name=_CHALLENGE, status=Status.OTHER)
_LOCK = Kind(activity=_AROUND, name="Account Lock")
_ENROLL = Kind(activity=_AROUND, name="Factor Enroll")
_RESET = Kind(activity=_AROUND, name="Factor Reset")
CALL = Kind(call=True)
CALL_REFUSED = Kind(call=True, status=_FAILURE)
OWN_METHOD = Kind(activity=_AROUND)
OWN_METHOD_REFUSED = Kind(activity=_AROUND, status=_FAILURE)


def _password(factor: AuthFactor, status: Status = Status.SUCCESS) -> Kind:
    """A second factor shown at the token endpoint, by the holder of a token that the first one
    gave: the login of an application without Auth0's own pages.
    """
    return Kind(
        exchange=True,
        present=True,
        status=status,
        mfa=True,
        factor=factor,
        accepted=status == _FAILURE,
    )


_OUT_OF_BAND = AuthFactor(factor_type_id=FactorType.OTHER, factor_type="oob")

KINDS = {
    "s": _LOGIN,
    "scoa": _LOGIN,
    "ssa": Kind(exchange=True),
    "f": FAILED,
    "fp": Kind(status=_FAILURE, factor=PASSWORD),
    "fu": _REFUSED,
    "fc": _REFUSED,
    "fco": _REFUSED,
    "fcoa": _REFUSED,
    "fsa": SILENT_REFUSED,
    "fdeac": _REFUSED,
    "fdecc": _REFUSED,
    "pwd_leak": Kind(status=Status.OTHER, risk="breached password"),
    "slo": _LOGOFF,
    "flo": Kind(activity=Activity.LOGOFF, status=_FAILURE),
    "session_revoked": _LOGOFF,
    "universal_logout_succeeded": _LOGOFF,
    "universal_logout_failed": Kind(activity=Activity.LOGOFF, status=_FAILURE),
    # Tokens for what the user granted.
    "seacft": _GRANT,
    "feacft": _GRANT_REFUSED,
    "sertft": _GRANT,
    "fertft": _GRANT_REFUSED,
    "ferrt": _GRANT_REFUSED,
    "sede": _GRANT,
    "fede": _GRANT_REFUSED,
    "secte": _GRANT,
    "fecte": _GRANT_REFUSED,
    "seta": _GRANT,
    "feta": _GRANT_REFUSED,
    "sd": _GRANT,
    "fd": _GRANT_REFUSED,
    "ciba_exchange_succeeded": _GRANT,
    "ciba_exchange_failed": _GRANT_REFUSED,
    "idjag_exchange_succeeded": _GRANT,
    "idjag_exchange_failed": _GRANT_REFUSED,
    "jwt_bearer_exchange_failed": _GRANT_REFUSED,
    "failed_on_behalf_of_token_exchange": _GRANT_REFUSED,
    "seccft": _MACHINE,
    "feccft": _MACHINE_REFUSED,
    # Logins at the token endpoint, in an application's own form.
    "sens": Kind(exchange=True, present=True),
    "fens": Kind(exchange=True, present=True, status=_FAILURE),
    "sepft": Kind(exchange=True, present=True, factor=PASSWORD),
    "fepft": Kind(exchange=True, present=True, factor=PASSWORD, status=_FAILURE),
    "fepotpft": Kind(exchange=True, present=True, factor=_OTP, status=_FAILURE),
    "seotpft": _password(_OTP),
    "feotpft": _password(_OTP, _FAILURE),
    "seoobft": _password(_OUT_OF_BAND),
    "feoobft": _password(_OUT_OF_BAND, _FAILURE),
    "sercft": _password(_RECOVERY),
    "fercft": _password(_RECOVERY, _FAILURE),
    "sepkotpft": _password(_OTP),
    "sepkoobft": _password(_OUT_OF_BAND),
    "sepkrcft": _password(_RECOVERY),
    # Second factors. The push or message itself is the challenge; "mfar" interrupts the login.
    "mfar": Kind(status=Status.OTHER, accepted=True),
    "gd_send_pn": _PROMPT,
    "gd_send_sms": _PROMPT,
    "gd_send_voice": _PROMPT,
    "gd_send_email": _PROMPT,
    "gd_auth_succeed": Kind(activity=_AROUND, name=_CHALLENGE, mfa=True),
    "gd_auth_failed": Kind(activity=_AROUND, name=_CHALLENGE, status=_FAILURE, accepted=True),
    "gd_auth_rejected": Kind(
        activity=_AROUND, name=_CHALLENGE, status=_FAILURE, accepted=True, factor=_PUSH
    ),
    "gd_otp_rate_limit_exceed": Kind(
        activity=_AROUND, name=_CHALLENGE, status=_FAILURE, accepted=True
    ),
    "gd_webauthn_challenge_failed": Kind(
        activity=_AROUND,
        name=_CHALLENGE,
        status=_FAILURE,
        accepted=True,
        factor=AuthFactor(factor_type_id=FactorType.WEBAUTHN),
    ),
    "gd_recovery_succeed": Kind(activity=_AROUND, name=_CHALLENGE, mfa=True, factor=_RECOVERY),
    "gd_recovery_failed": Kind(
        activity=_AROUND, name=_CHALLENGE, status=_FAILURE, accepted=True, factor=_RECOVERY
    ),
    "gd_recovery_rate_limit_exceed": Kind(
        activity=_AROUND, name=_CHALLENGE, status=_FAILURE, accepted=True, factor=_RECOVERY
    ),
    # Ways into the account.
    "gd_enrollment_complete": _ENROLL,
    "gd_unenroll": _RESET,
    "gd_update_device_account": _RESET,
    "my_account_authentication_method_succeeded": OWN_METHOD,
    "my_account_authentication_method_failed": OWN_METHOD_REFUSED,
    "scp": Kind(activity=_AROUND, name="Password Change"),
    "fcp": Kind(activity=_AROUND, name="Password Change", status=_FAILURE),
    "reset_pwd_leak": Kind(
        activity=_AROUND, name="Password Change", status=Status.OTHER, risk="breached password"
    ),
    "scpr": Kind(activity=_AROUND, name="Password Reset", status=Status.OTHER),
    "fcpr": Kind(activity=_AROUND, name="Password Reset", status=_FAILURE),
    "limit_wc": _LOCK,
    "limit_sul": _LOCK,
    # The Management API.
    "sapi": CALL,
    "fapi": CALL_REFUSED,
    "mgmt_api_read": CALL,
}

_NOTICE = Skip("a step or a notice beside the record of the login")
_ADDRESS = Skip("an address is blocked, no account")
_PROFILE = Skip("a change of the profile")
_ACCOUNT = Skip("an account made, invited, imported or deleted")
_REVOKED = Skip("a token, a block or a session of an application ends")
NO_LOGIN = Skip("no authentication event")

SKIPS = {
    **dict.fromkeys(
        (
            *(
                "w",
                "pla",
                "cls",
                "cs",
                "gd_start_auth",
                "gd_start_enroll",
                "gd_start_enroll_failed",
            ),
            *("gd_send_pn_failure", "gd_send_sms_failure", "gd_send_voice_failure"),
            *("gd_send_email_failure", "gd_send_email_verification", "gd_auth_email_verification"),
            *("gd_send_email_verification_failure", "gd_auth_fail_email_verification"),
            *("gd_webauthn_enrollment_failed", "passkey_challenge_started", "fpar", "fdeaz"),
            *("passkey_challenge_failed", "passkey_register_started", "passkey_register_failed"),
            *("ciba_start_succeeded", "ciba_start_failed", "scv", "fn", "wn", "depnote"),
        ),
        _NOTICE,
    ),
    "limit_mu": _ADDRESS,
    **dict.fromkeys(
        ("sce", "fce", "scu", "fcu", "scpn", "fcpn", "sv", "fv", "svr", "fvr"), _PROFILE
    ),
    **dict.fromkeys(
        (
            *("ss", "fs", "signup_pwd_leak", "si", "fi", "sdu", "fdu", "du", "sui", "fui"),
            *("sscim", "fscim", "wum", "too_many_records", "organization_member_added"),
        ),
        _ACCOUNT,
    ),
    **dict.fromkeys(
        (
            *("srrt", "ublkdu", "oidc_backchannel_logout_succeeded", "federated_logout_failed"),
            "oidc_backchannel_logout_failed",
        ),
        _REVOKED,
    ),
    **dict.fromkeys(
        (
            *("api_limit", "api_limit_warning", "appi", "acls_summary", "actions_execution_failed"),
            *("admin_update_launch", "coff", "con", "fcph", "scph", "fcpro", "fpurh"),
            *("gd_tenant_update", "kms_key_management_success", "kms_key_management_failure"),
            *("kms_key_state_changed", "limit_delegation", "limit_ui", "resource_cleanup"),
            *("rich_consents_access_error", "ss_sso_success", "ss_sso_failure", "ss_sso_info"),
        ),
        NO_LOGIN,
    ),
}

# Authenticators as details.authenticator.type and the prompts name them.
_FACTOR_WORDS = {
    FactorType.PUSH: ("push", "push-notification"),
    FactorType.OTP: ("otp", "totp", "google-authenticator", "authenticator"),
    FactorType.SMS: ("sms", "phone"),
    FactorType.PHONE_CALL: ("voice",),
    FactorType.EMAIL: ("email",),
    FactorType.WEBAUTHN: ("webauthn-roaming", "webauthn-platform", "webauthn", "passkey"),
    FactorType.OTHER: ("recovery-code", "duo", "guardian"),
    FactorType.PASSWORD: ("password",),
}
FACTORS = {
    word: AuthFactor(factor_type_id=kind, factor_type=word)
    for kind, words in _FACTOR_WORDS.items()
    for word in words
}
# Stages of a login at which a password was shown.
PASSWORD_STAGES = frozenset(
    {"prompt-authenticate", "prompt-authenticate-password", "lock-password-authenticate"}
)
STRATEGIES = {
    "samlp": ("SAML", 5),
    "oidc": ("OpenID", 4),
    "oauth2": ("OAUTH 2.0", 6),
    "ad": ("LDAP", 12),
}
