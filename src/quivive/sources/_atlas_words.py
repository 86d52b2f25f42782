"""Types of MongoDB Atlas events that are more than a call: logins, keys, passwords, factors."""

from msgspec import Struct

from quivive.model.event import Activity, Status


class Kind(Struct, frozen=True):
    """What a type of event means.

    of_target: somebody else may do it to the user, who is then the target.
    call: a session or key that is there is used for something.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    of_target: bool = False
    call: bool = False


def _around(name: str, status: Status = Status.SUCCESS, of_target: bool = True) -> Kind:
    return Kind(Activity.OTHER, name, status, of_target)


_RESET, _CHANGE = "Password Reset", "Password Change"
_TOKEN = _around("Token Create", of_target=False)
_CALL = Kind(call=True)
_KINDS = {
    # Of accounts: in the audit log of Ops Manager and Cloud Manager.
    "SUCCESSFUL_LOGIN_AUDIT": Kind(),
    "UNSUCCESSFUL_LOGIN_AUDIT": Kind(status=Status.FAILURE),
    "ACCOUNT_LOCKED_AUDIT": _around("Account Lock"),
    "MULTI_FACTOR_AUTH_RESET_EMAIL_SENT_AUDIT": _around("Factor Reset", Status.OTHER),
    "MULTI_FACTOR_AUTH_RESET_AUDIT": _around("Factor Reset"),
    "MULTI_FACTOR_AUTH_UPDATED_AUDIT": _around("Factor Enroll"),
    "PASSWORD_RESET_EMAIL_SENT_AUDIT": _around(_RESET, Status.OTHER),
    "PASSWORD_RESET_FORM_VIEWED_AUDIT": _around(_RESET, Status.OTHER),
    "PASSWORD_RESET_FAILED_AUDIT": _around(_RESET, Status.FAILURE),
    "PASSWORD_RESET_AUDIT": _around(_RESET),
    "PASSWORD_UPDATED_AUDIT": _around(_CHANGE),
    "PASSWORD_UPDATE_FAILED_AUDIT": _around(_CHANGE, Status.FAILURE),
    # Another address to recover the account by.
    "USER_EMAIL_ADDRESS_CHANGED_AUDIT": _around("Factor Enroll"),
    "AGENT_API_KEY_CREATED": _TOKEN,
    "AI_MODELS_APIS_API_KEY_CREATED": _TOKEN,
    "API_KEY_CREATED": _TOKEN,
    "ORG_API_KEY_ADDED": _TOKEN,
    "SERVICE_ACCOUNT_CREATED": _TOKEN,
    "SERVICE_ACCOUNT_SECRET_ADDED": _TOKEN,
    "TEMP_GLOBAL_API_KEY_CREATED": _TOKEN,
}


def kind_of(name: str) -> Kind:
    """The kind of a type of event; all others are calls."""
    return _KINDS.get(name, _CALL)
