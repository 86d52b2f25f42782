"""What the actions of Slack's audit log say of a login, and which of its anomalies weigh most."""

from msgspec import Struct

from quivive.model.event import Activity, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What one action is.

    name: the activity's name where it surrounds a login.
    of_entity: it is done to the user who is the entity, whoever the actor is.
    by_admin: only an administrator can do it.
    use: the use of a session or token for something, so that the action is its operation.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    of_entity: bool = False
    by_admin: bool = False
    use: bool = False


def _around(name: str, status: Status = Status.SUCCESS, *, by_admin: bool = False) -> Kind:
    return Kind(
        activity=Activity.OTHER, name=name, status=status, of_entity=True, by_admin=by_admin
    )


ANOMALY = Kind()
BULK = Kind(activity=Activity.LOGOFF, of_entity=True, by_admin=True)
TOKEN = Kind(activity=Activity.OTHER, name="Token Create")
USE = Kind(use=True)
_LOGOFF = Kind(activity=Activity.LOGOFF, of_entity=True)
_LOGIN = Kind(of_entity=True)
_LOCK = _around("Account Lock")

KINDS = {
    "user_login": _LOGIN,
    "user_login_failed": Kind(status=Status.FAILURE, of_entity=True),
    "cli_login": Kind(),
    "anomaly": ANOMALY,
    "user_logout": _LOGOFF,
    "user_logout_compromised": _LOGOFF,
    "user_logout_non_compliant_mobile_app_version": _LOGOFF,
    "user_session_invalidated": _LOGOFF,
    "user_sessions_reset_by_anomaly_event_response": _LOGOFF,
    "user_session_reset_by_admin": Kind(activity=Activity.LOGOFF, of_entity=True, by_admin=True),
    "bulk_session_reset_by_admin": BULK,
    # Asked for by anybody who knows the address.
    "user_password_reset_requested": _around("Password Reset", Status.OTHER),
    "user_password_reset_slack_security": _around("Password Reset"),
    # Where links to log in and to set a password go.
    "user_email_updated": _around("Factor Reset"),
    "user_deactivated": _LOCK,
    "guest_deactivated": _LOCK,
    "app_installed": TOKEN,
    "app_scopes_expanded": TOKEN,
    "org_app_upgraded_to_org_install": TOKEN,
    # What is worth a stolen session: taking data out, rights, and how others are let in.
    **dict.fromkeys(
        "file_downloaded file_public_link_created private_channel_converted_to_public "
        "manual_export_started manual_export_downloaded "
        "manual_user_export_started manual_user_export_downloaded "
        "channels_export_started channels_export_downloaded scheduled_export_downloaded "
        "corporate_exports_enabled corporate_exports_approved "
        "audit_logs_records_searched audit_logs_export_csv_started audit_logs_export_json_started "
        "app_approved app_manifest_created app_manifest_updated app_deployed "
        "external_shared_channel_invite_created external_shared_channel_invite_sent "
        "external_shared_channel_invite_approved "
        "role_change_to_admin role_change_to_owner role_assigned permissions_assigned "
        "owner_transferred service_owner_transferred user_created user_reactivated guest_created "
        "user_session_settings_changed auth_policy_entity_removed "
        "idp_configuration_added idp_configuration_deleted idp_prod_configuration_updated "
        "pref.two_factor_auth_changed pref.sso_setting_changed "
        "pref.anomaly_event_response_changed intune_disabled".split(),
        USE,
    ),
}

# Of an anomaly's reasons the first of these is Slack's verdict; the others tell of quantities.
REASONS = (
    "tor",
    "session_fingerprint",
    "unexpected_credential_testing",
    "spoofed_user_agent",
    "unexpected_client",
    "unexpected_scraping",
    "unexpected_user_agent",
    "user_agent",
    "asn",
    "ip_address",
    "unexpected_admin_action",
    "unexpected_api_call_volume",
)
# Actors that are none, and Slack's own.
PLACEHOLDER = "USLACKUSER"
SLACK_SECURITY = "USLACKSECURITY"
BOT_DOMAIN = "@slack-bots.com"
