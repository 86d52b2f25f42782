"""The words of JumpCloud's Directory Insights: event types, methods and kinds of initiator."""

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Service, Status, UserType


class Kind(Struct, frozen=True, kw_only=True):
    """What an event type means.

    status: where the record says nothing of success. fixed: the status of what did not fail.
    by_initiator: the identity is whoever did it, and the resource what it was done to.
    second: a refusal may be that of a second factor, which the record then tells.
    states_mfa: ``mfa`` false means one factor; else only that none was asked for just now.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.UNKNOWN
    fixed: bool = False
    by_initiator: bool = False
    second: bool = False
    states_mfa: bool = False
    service: Service | None = None
    protocol: str | None = None
    protocol_id: int | None = None


_PASSWORDS = Service(name="JumpCloud Password Manager")


def _of(name: str, status: Status = Status.SUCCESS, *, fixed: bool = False) -> Kind:
    return Kind(activity=Activity.OTHER, name=name, status=status, fixed=fixed)


SSO = Kind(second=True)
SYSTEM = Kind(states_mfa=True)
PASSWORD_CHANGE = _of("Password Change")
CHALLENGE = _of("MFA Challenge")
FACTOR_RESET = _of("Factor Reset")
_RESET_ASKED = _of("Password Reset", Status.OTHER, fixed=True)
_ENROL = _of("Factor Enroll")
_ENROL_BEGUN = _of("Factor Enroll", Status.OTHER, fixed=True)
_LOCK = _of("Account Lock")
_RADIUS = Kind(
    states_mfa=True,
    service=Service(name="JumpCloud RADIUS"),
    protocol="RADIUS",
    protocol_id=10,
)
_UNLOCK = Kind(status=Status.SUCCESS, service=_PASSWORDS)
CALL = Kind(status=Status.SUCCESS, by_initiator=True)
_NEW_KEY = Kind(
    activity=Activity.OTHER, name="Token Create", status=Status.SUCCESS, by_initiator=True
)

KINDS = {
    "user_login_attempt": Kind(
        second=True, states_mfa=True, service=Service(name="JumpCloud User Portal")
    ),
    "admin_login_attempt": Kind(
        second=True, states_mfa=True, service=Service(name="JumpCloud Admin Portal")
    ),
    "sso_auth": SSO,
    "ldap_bind": Kind(
        states_mfa=True, service=Service(name="JumpCloud LDAP"), protocol="LDAP", protocol_id=12
    ),
    "radius_auth": _RADIUS,
    "radius_auth_attempt": _RADIUS,
    "login_attempt": SYSTEM,
    "passwordmanager_app_unlock": _UNLOCK,
    "passwordmanager_extension_unlock": _UNLOCK,
    "user_password_change": PASSWORD_CHANGE,
    "admin_password_change": PASSWORD_CHANGE,
    "user_password_set": PASSWORD_CHANGE,
    "user_password_reset_request": _RESET_ASKED,
    "admin_password_reset_request": _RESET_ASKED,
    "totp_start_enrollment": _ENROL_BEGUN,
    "totp_finish_enrollment": _ENROL,
    "totp_delete_enrollment": FACTOR_RESET,
    "admin_totp_start_enrollment": _ENROL_BEGUN,
    "admin_totp_finish_enrollment": _ENROL,
    "admin_totp_disable": FACTOR_RESET,
    "user_lockout": _LOCK,
    "admin_lockout": _LOCK,
    "cert_issued_manual": _NEW_KEY,
    "cert_issued_self_service": _NEW_KEY,
    # What is done with a credential: most of it by administrators, in the portal or by API key.
    **dict.fromkeys(
        (
            *("admin_create", "admin_update", "admin_delete", "admin_suspended", "admin_unsuspend"),
            *("application_create", "application_update", "application_delete"),
            *("association_change", "authnpolicy_create", "authnpolicy_update"),
            *("authpolicy_update", "authnpolicy_delete", "ca_created", "cert_revoked"),
            *("command_create", "command_update", "command_delete", "command_run"),
            *("group_create", "group_update", "group_delete"),
            *("iplist_create", "iplist_update", "iplist_delete", "organization_update"),
            *("policy_create", "policy_update", "policy_delete"),
            *("radiusserver_create", "radiusserver_update", "radiusserver_delete"),
            *("remote_session_start", "system_delete", "system_fde_key_decrypt"),
            *("user_create", "user_update", "user_delete", "user_activated", "user_suspended"),
            *("user_unsuspended", "user_unlocked", "user_admin_granted", "user_admin_revoked"),
            *("user_group_admin_grant", "user_group_admin_revoke"),
            *("passwordmanager_items_export", "passwordmanager_item_reveal"),
            *("passwordvault_credential_export", "passwordvault_credential_reveal"),
            "passwordvault_credential_viewsecret",
        ),
        CALL,
    ),
}
PROFILE = "user_update"
# The member of a user that an update sets to false to free them of MFA.
MFA_REQUIRED = "enable_user_portal_multifactor"
SERVICES = frozenset(
    (
        *("access_management", "alert", "alerts", "asset_management", "directory", "ldap", "mdm"),
        *("msp", "notifications", "object_storage", "password_manager", "radius", "reports"),
        *("saas_app_management", "saas_management", "software", "sso", "systems"),
    )
)
# Methods as auth_context.auth_methods, mfa_meta.type and auth_method name them.
_FACTOR_WORDS = {
    FactorType.PASSWORD: ("password",),
    FactorType.OTP: ("totp", "otp"),
    FactorType.PUSH: ("jumpcloud_protect", "push"),
    FactorType.WEBAUTHN: ("webauthn",),
    FactorType.BIOMETRIC: ("jumpcloud_go_uv",),
    FactorType.OTHER: ("duo", "jumpcloud_go"),
}
FACTORS = {
    word: AuthFactor(factor_type_id=kind, factor_type=word)
    for kind, words in _FACTOR_WORDS.items()
    for word in words
}
PASSWORD = "password"  # noqa: S105
# A second factor beside the password; JumpCloud Go takes the password's place.
SECOND = frozenset({"totp", "otp", "jumpcloud_protect", "push", "webauthn", "duo"})
USER_TYPES = {"user": UserType.USER, "admin": UserType.ADMIN}
PROTOCOLS = {"saml": ("SAML", 5), "oidc": ("OpenID", 4), "oauth": ("OAUTH 2.0", 6)}
API_KEY = "api key"
REFUSED = "not authorized"
