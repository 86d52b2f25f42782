"""What the actions of GitHub's audit log say of a login, and the names of its credentials."""

import re

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What one action is.

    name: the activity's name where it surrounds a login.
    accepted: no success, but the password was right.
    mfa: a second factor was shown.
    of_user: the record's ``user`` is whose account it is, also where somebody else acted.
    use: the use of a credential for something, so that the action is its operation.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    accepted: bool = False
    mfa: bool = False
    factor: AuthFactor | None = None
    saml: bool = False
    of_user: bool = False
    use: bool = False


def _around(name: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(activity=Activity.OTHER, name=name, status=status, of_user=True)


_EMAIL = AuthFactor(factor_type_id=FactorType.EMAIL, factor_type="device verification code")
_RECOVERY = AuthFactor(factor_type_id=FactorType.OTHER, factor_type="recovery code")
_PENDING = Kind(status=Status.OTHER, accepted=True)
_SSO = Kind(saml=True)
_ENROLL = _around("Factor Enroll")
_RESET = _around("Factor Reset")
_TOKEN = _around("Token Create")


def _challenge(status: Status, *, accepted: bool = False, factor: AuthFactor | None = None) -> Kind:
    return Kind(
        activity=Activity.OTHER,
        name="MFA Challenge",
        status=status,
        accepted=accepted,
        mfa=status == Status.SUCCESS,
        factor=factor,
    )


USE = Kind(use=True)
JOB = "workflows.prepared_workflow_job"
KINDS = {
    "user.login": Kind(),
    "user.failed_login": Kind(status=Status.FAILURE),
    "user.logout": Kind(activity=Activity.LOGOFF),
    "user.correct_password_from_unrecognized_device": _PENDING,
    "user.correct_password_from_unrecognized_device_and_location": _PENDING,
    "org.sso_response": _SSO,
    "business.sso_response": _SSO,
    "user.two_factor_requested": _challenge(Status.OTHER, accepted=True),
    "user.two_factor_challenge_success": _challenge(Status.SUCCESS),
    "user.two_factor_challenge_failure": _challenge(Status.FAILURE, accepted=True),
    "user.two_factor_recover": _challenge(Status.SUCCESS, factor=_RECOVERY),
    "user.device_verification_requested": _challenge(Status.OTHER, accepted=True, factor=_EMAIL),
    "user.device_verification_success": _challenge(Status.SUCCESS, factor=_EMAIL),
    "user.device_verification_failure": _challenge(Status.FAILURE, accepted=True, factor=_EMAIL),
    "user.change_password": _around("Password Change"),
    "user.reset_password": _around("Password Reset"),
    "user.forgot_password": _around("Password Reset", Status.OTHER),
    "user.suspend": _around("Account Lock"),
    "two_factor_authentication.enabled": _ENROLL,
    "two_factor_authentication.add_factor": _ENROLL,
    "two_factor_authentication.update_fallback": _ENROLL,
    "passkey.register": _ENROLL,
    "security_key.register": _ENROLL,
    "two_factor_authentication.disabled": _RESET,
    "two_factor_authentication.remove_factor": _RESET,
    "two_factor_authentication.recovery_codes_regenerated": _RESET,
    "passkey.remove": _RESET,
    "security_key.remove": _RESET,
    "personal_access_token.create": _TOKEN,
    "personal_access_token.access_granted": _TOKEN,
    "personal_access_token.credential_regenerated": _TOKEN,
    "personal_access_token.request_created": _around("Token Create", Status.OTHER),
    "org_credential_authorization.grant": _TOKEN,
    "oauth_access.create": _TOKEN,
    "oauth_access.regenerate": _TOKEN,
    "oauth_authorization.create": _TOKEN,
    "public_key.create": _TOKEN,
    "integration.generate_client_secret": _TOKEN,
    "oauth_application.generate_client_secret": _TOKEN,
    JOB: USE,
    **dict.fromkeys(
        "git.clone git.fetch git.push api.request workflows.approve_workflow_job "
        "workflows.cancel_workflow_run workflows.created_workflow_run "
        "workflows.delete_workflow_run workflows.disable_workflow workflows.enable_workflow "
        "workflows.reject_workflow_job workflows.rerun_workflow_run "
        "integration_installation.create integration_installation.repositories_added "
        "org.oauth_app_access_approved org.audit_log_export org.audit_log_git_event_export "
        "repo.access repo.create repo.destroy repo.download_zip repo.transfer".split(),
        USE,
    ),
}
_USES = re.compile(
    r"(?:repo|org|enterprise|business|environment)\.(?:"
    r"(?:create|update|remove)_(?:actions|codespaces|dependabot|integration)_secret"
    r"|(?:register|remove)_self_hosted_runner)"
)

# Beside the login's own record.
NOTICES = frozenset(
    {
        "user.new_device_used",
        "user.sign_in_from_unrecognized_device",
        "user.sign_in_from_unrecognized_device_and_location",
    }
)
# What starts a workflow run by somebody's own request; a run is otherwise the work of an event.
BY_REQUEST = frozenset({"workflow_dispatch", "repository_dispatch"})

CATEGORIES = frozenset(
    "account api artifact business business_advanced_security checks codespaces copilot "
    "dependabot_alerts deploy_key enterprise environment external_group external_identity git "
    "hook integration integration_installation ip_allow_list ip_allow_list_entry "
    "members_can_create_pages oauth_access oauth_application oauth_authorization org "
    "org_credential_authorization organization_moderators packages passkey "
    "personal_access_token project protected_branch public_key pull_request "
    "pull_request_review repo repository_ruleset repository_secret_scanning "
    "repository_visibility_change repository_vulnerability_alert required_status_check role "
    "secret_scanning secret_scanning_alert security_key ssh_certificate_authority team "
    "two_factor_authentication user workflows".split()
)


def kind_of(action: str) -> Kind | None:
    """What the action is, or None for one that is no use of a credential to be judged."""
    found = KINDS.get(action)
    if found is None and _USES.fullmatch(action):
        return USE
    return found


class Access(Struct, frozen=True):
    """A way to authenticate outside the browser.

    ``protocol`` and ``protocol_id`` are OCSF's; ``ephemeral`` tokens live for hours and identify
    nothing; ``machine`` ones belong to no person, ``deploy`` keys to one repository.
    """

    protocol: str | None = None
    protocol_id: int | None = None
    ephemeral: bool = False
    machine: bool = False
    deploy: bool = False


_BROWSER = Access()
_PERSONAL = Access("Personal access token", 99)
_MARKS = (
    ("deploy key", Access("SSH", 99, machine=True, deploy=True)),
    ("server-to-server", Access("OAUTH 2.0", 6, ephemeral=True, machine=True)),
    ("github app", Access("OAUTH 2.0", 6, ephemeral=True)),
    ("oauth", Access("OAUTH 2.0", 6)),
    ("personal access token", _PERSONAL),
    ("ssh", Access("SSH", 99)),
    ("public key", Access("SSH", 99)),
)


def access_of(words: str | None, transport: str | None) -> Access:
    """The way of ``programmatic_access_type``, else of the git transport."""
    said = (words or "").lower().replace("_", " ")
    for mark, access in _MARKS:
        if mark in said:
            return access
    return Access("SSH", 99) if transport == "ssh" else _BROWSER
