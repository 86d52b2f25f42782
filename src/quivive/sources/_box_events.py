"""What the events of Box say of a login, by their types, and the alerts of Box Shield."""

from typing import Any

from msgspec import Struct

from quivive.model.event import Activity, Status
from quivive.sources import fields
from quivive.sources.fields import field


class Kind(Struct, frozen=True, kw_only=True):
    """What one type of event is.

    name: the activity's name where it surrounds a login.
    of_source: it is done to the user who is the source, whoever the actor is.
    admin: only an administrator can do it.
    token: a token of OAuth is given or taken.
    use: the use of a session or token for something, so that the type is its operation.
    risk: what Box itself remarks on.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    of_source: bool = False
    admin: bool = False
    token: bool = False
    use: bool = False
    risk: str | None = None


def _around(name: str) -> Kind:
    return Kind(activity=Activity.OTHER, name=name, of_source=True)


ALERT = Kind()
TOKEN = Kind(activity=Activity.OTHER, name="Token Create")
_ENROLL = _around("Factor Enroll")
_RESET = _around("Factor Reset")

KINDS = {
    "LOGIN": Kind(of_source=True),
    "ADMIN_LOGIN": Kind(of_source=True, admin=True),
    "FAILED_LOGIN": Kind(of_source=True, status=Status.FAILURE),
    "ADD_LOGIN_ACTIVITY_DEVICE": Kind(of_source=True, risk="new_device"),
    "DEVICE_TRUST_CHECK_FAILED": Kind(of_source=True, status=Status.FAILURE),
    "USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE": Kind(of_source=True, token=True),
    "OAUTH2_ACCESS_TOKEN_REVOKE": Kind(activity=Activity.LOGOFF, of_source=True, token=True),
    "REMOVE_LOGIN_ACTIVITY_DEVICE": Kind(activity=Activity.LOGOFF, of_source=True),
    "ENABLE_TWO_FACTOR_AUTH": _ENROLL,
    "DISABLE_MULTI_FACTOR_AUTH": _RESET,
    "DISABLE_TWO_FACTOR_AUTH": _RESET,
    # A second address to log in with, where links for a new password go too.
    "EMAIL_ALIAS_CONFIRM": _ENROLL,
    "EMAIL_ALIAS_REMOVE": _RESET,
    "APPLICATION_PUBLIC_KEY_ADDED": TOKEN,
    "ENTERPRISE_APP_AUTHORIZATION_UPDATE": TOKEN,
    "SHIELD_ALERT": ALERT,
    # What is worth a stolen session: taking files out, rights, and how others are let in.
    **dict.fromkeys(
        "DOWNLOAD FILE_WATERMARKED_DOWNLOAD SHARE COLLABORATION_INVITE "
        "APPLICATION_CREATED CHANGE_ADMIN_ROLE NEW_USER EDIT_USER DELETE_USER GROUP_ADD_USER "
        "EXTERNAL_COLLAB_SECURITY_SETTINGS ACCESS_GRANTED".split(),
        Kind(use=True),
    ),
}
# Box's number for whoever is not logged in.
ANONYMOUS = "2"
AUTOMATION = "AutomationUser_"
CODE = "malicious content"


def suspect_of(alert: dict[str, Any]) -> dict[str, Any]:
    """The first activity that an alert finds suspicious, or an empty one."""
    summary = fields.mapping(alert, "alert_summary")
    for session in fields.items(summary, "sessions"):
        if field(session if type(session) is dict else {}, "session_type") == "suspicious":
            return _first(session)
    return _first({"activities": summary.get("alert_activities")})


def _first(session: dict[str, Any]) -> dict[str, Any]:
    for activity in fields.items(session, "activities"):
        if type(activity) is dict:
            return activity
    return {}
