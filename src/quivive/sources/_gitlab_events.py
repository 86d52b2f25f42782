"""What GitLab's audit event types say of a login, and the names of its ways to sign in."""

import re

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What one event type is.

    name: the activity's name where it surrounds a login.
    accepted: no success, but the credential was right.
    mfa: whether more than one factor was shown; None where the type does not say.
    of_user: about an account, which its own user or an administrator changes.
    use: the use of a credential for something, so that the type is its operation.
    mark: tells apart what is otherwise the same.
    """

    mark: str = ""
    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    accepted: bool = False
    mfa: bool | None = None
    factor: AuthFactor | None = None
    protocol: str | None = None
    protocol_id: int | None = None
    of_user: bool = False
    use: bool = False


def _around(name: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(activity=Activity.OTHER, name=name, status=status, of_user=True)


def _token(status: Status = Status.SUCCESS) -> Kind:
    return Kind(activity=Activity.OTHER, name="Token Create", status=status)


def _sign_in(
    factor: FactorType | None, words: str | None, mfa: bool | None, protocol: str | None = None
) -> Kind:
    shown = AuthFactor(factor_type_id=factor, factor_type=words) if factor else None
    name, number = _PROTOCOLS.get(protocol or "", (protocol, None))
    return Kind(factor=shown, mfa=mfa, protocol=name, protocol_id=number)


_PROTOCOLS = {"saml": ("SAML", 5), "oauth": ("OAUTH 2.0", 6), "ldap": ("LDAP", 12)}
_FAILED = Kind(status=Status.FAILURE)
# The code or the key is asked for after the password.
_MFA_FAILED = Kind(
    activity=Activity.OTHER, name="MFA Challenge", status=Status.FAILURE, accepted=True
)
_PASSWORD = _sign_in(FactorType.PASSWORD, "standard", False)
_CODE = _sign_in(FactorType.OTP, "two-factor", True)
_KEY = _sign_in(FactorType.WEBAUTHN, "two-factor-via-webauthn-device", True)
_LDAP = _sign_in(None, None, None, "ldap")
_SAML = _sign_in(None, None, None, "saml")
_PROVIDER = Kind()
_LOCK = _around("Account Lock")
_TOKEN = _token()
NOTHING = Kind(mark="nothing")
USE = Kind(use=True)
JOB = Kind(mark="job", use=True)
PERSONAL_TOKEN = Kind(mark="token", use=True, protocol="Personal access token", protocol_id=99)
ADMIN_MODE = Kind(mark="admin mode")
IMPERSONATION = Kind(mark="impersonation")
IMPERSONATION_END = Kind(mark="impersonation", activity=Activity.LOGOFF)
PASSWORD_CHANGE = _around("Password Change")
PASSWORD_RESET = _around("Password Reset")
RESET_ASKED = _around("Password Reset", Status.OTHER)
MEMBER_TOKEN = Kind(activity=Activity.OTHER, name="Token Create", of_user=True)
FAILED_TOKEN = _token(Status.FAILURE)

KINDS = {
    "authenticated_with_password": _PASSWORD,
    "authenticated_with_two_factor": _CODE,
    "authenticated_with_webauthn": _KEY,
    "authenticated_with_passkey": _sign_in(FactorType.WEBAUTHN, "passkey", None),
    "authenticated_with_ldap": _LDAP,
    "authenticated_with_oauth": _PROVIDER,
    "authenticated_with_group_saml": _SAML,
    "smartcard_authentication_created": _sign_in(FactorType.OTHER, "smartcard", None),
    "user_email_changed_and_user_signed_in": Kind(),
    "user_enable_admin_mode": ADMIN_MODE,
    "login_failed_with_otp_authentication": _MFA_FAILED,
    "login_failed_with_webauthn_authentication": _MFA_FAILED,
    "omniauth_login_failed": _FAILED,
    "ip_restricted_group_accessed": Kind(status=Status.FAILURE, accepted=True),
    "user_impersonation": IMPERSONATION,
    "password_reset_requested": RESET_ASKED,
    "password_reset_failed": _around("Password Reset", Status.FAILURE),
    "user_password_updated": PASSWORD_CHANGE,
    "user_enable_two_factor": _around("Factor Enroll"),
    "user_disable_two_factor": _around("Factor Reset"),
    "user_access_locked": _LOCK,
    "user_blocked": _LOCK,
    "ban_user": _LOCK,
    "personal_access_token_created": MEMBER_TOKEN,
    "add_ssh_key": MEMBER_TOKEN,
    **dict.fromkeys(
        "project_access_token_created group_access_token_created deploy_key_added "
        "deploy_token_created group_deploy_token_created cluster_agent_token_created "
        "create_ssh_certificate oauth_application_created user_authorized_oauth_application "
        "user_authorized_iam_oauth_application".split(),
        _TOKEN,
    ),
    **dict.fromkeys(
        "project_access_token_creation_failed group_access_token_creation_failed "
        "deploy_token_creation_failed group_deploy_token_creation_failed".split(),
        FAILED_TOKEN,
    ),
    "personal_access_token_used_from_unseen_ip": PERSONAL_TOKEN,
    "user_authenticated_using_job_token": JOB,
    **dict.fromkeys(
        "repository_git_operation repository_download_operation "
        "public_repository_download_operation repository_file_accessed_api "
        "repository_file_accessed_web job_artifact_downloaded api_request_access_with_scope "
        "variable_viewed_api variable_viewed_graphql ci_runner_created ci_runner_registered "
        "ci_runner_token_reset set_runner_associated_projects webhook_created project_created "
        "project_destroyed project_visibility_level_updated project_export_created "
        "project_export_file_download_started group_export_created".split(),
        USE,
    ),
}
_USES = re.compile(
    r"secrets_manager_(?:create|read|update|delete)_(?:project|group)_secret"
    r"|ci_(?:(?:group|instance)_)?variable_(?:created|updated|deleted)"
    r"|security_policy_(?:access_token|service_account|user)_push_bypass"
    r"|[a-z_]+_by_project_bot"
)
_FAILURE = "login_failed_with_"

# Beside the login's own record.
NOTICES = frozenset({"user_signed_in_from_unseen_ip"})

# What ``details.with`` and ``details.failed_login`` call a way to sign in; the rest are the names
# that an administrator gave to a provider.
WAYS = {
    "standard": _PASSWORD,
    "two-factor": _CODE,
    "two-factor-via-u2f-device": _sign_in(FactorType.U2F, "two-factor-via-u2f-device", True),
    "two-factor-via-webauthn-device": _KEY,
    "passkey": KINDS["authenticated_with_passkey"],
    "smartcard": KINDS["smartcard_authentication_created"],
}
_MARKS = (
    ("ldap", ("LDAP", 12)),
    ("saml", ("SAML", 5)),
    ("openid", ("OpenID", 4)),
    ("oidc", ("OpenID", 4)),
    ("kerberos", ("Kerberos", 2)),
    ("oauth", ("OAUTH 2.0", 6)),
    ("github", ("OAUTH 2.0", 6)),
    ("gitlab", ("OAUTH 2.0", 6)),
    ("bitbucket", ("OAUTH 2.0", 6)),
)
# Records that name no type (before GitLab 16), by how their message begins.
_MESSAGES = (
    ("Ask for password reset", RESET_ASKED),
    ("Started Impersonation", IMPERSONATION),
    ("Stopped Impersonation", IMPERSONATION),
    ("Disabled two-factor authentication", KINDS["user_disable_two_factor"]),
    ("Created personal access token", MEMBER_TOKEN),
    ("Created project access token", _TOKEN),
    ("Created group access token", _TOKEN),
    ("Blocked user", _LOCK),
)


def kind_of(event_type: str | None, way: str | None, failed: str | None, message: str) -> Kind:
    """What a record is: by its type, else by how it says that somebody signed in or failed to,
    else by its message. ``NOTHING`` for one that is not about authentication.
    """
    if event_type is None:
        if way is not None:
            return WAYS.get(way.lower(), _PROVIDER)
        if failed is not None:
            return _MFA_FAILED if failed in ("OTP", "WEBAUTHN", "U2F") else _FAILED
        return next((kind for start, kind in _MESSAGES if message.startswith(start)), NOTHING)
    found = KINDS.get(event_type)
    if found is None:
        if event_type.startswith(_FAILURE):
            return _FAILED
        return USE if _USES.fullmatch(event_type) else NOTHING
    return found


def protocol_of(way: str | None) -> tuple[str | None, int | None]:
    """The protocol that a provider's name gives away ("saml", "ldapmain", "google_oauth2")."""
    lower = (way or "").lower()
    return next((protocol for mark, protocol in _MARKS if mark in lower), (None, None))
