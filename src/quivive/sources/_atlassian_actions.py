"""What the actions of Atlassian's organisation audit log say of a login.

Atlassian lists its activities by title alone, and adds to them all the time. Their names are made
of the same words in the same sense, and by these they are understood.
"""

import re
from functools import lru_cache

from msgspec import Struct

from quivive.model.event import Activity, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What an action means.

    name: the activity's name where it surrounds a login.
    of_context: it is done to the user in the context, whoever the actor is.
    use: the use of a session or token for something, so that the action is its operation.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    of_context: bool = False
    use: bool = False


def _around(name: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(activity=Activity.OTHER, name=name, status=status, of_context=True)


USE = Kind(use=True)
IMPERSONATION = Kind()
LOGIN = Kind()
FAILED = Kind(status=Status.FAILURE)
LOGOFF = Kind(activity=Activity.LOGOFF, of_context=True)
ENROLL = _around("Factor Enroll")
RESET = _around("Factor Reset")
PASSWORD_ASKED = _around("Password Reset", Status.OTHER)
PASSWORD_RESET = _around("Password Reset")
PASSWORD_CHANGE = _around("Password Change")
LOCK = _around("Account Lock")
TOKEN = Kind(activity=Activity.OTHER, name="Token Create")
_KNOWN = {"user_logged_in_as_user": IMPERSONATION, "user_login": LOGIN}

_SPLIT = re.compile(r"[^a-z0-9]+")
# What rules for everybody are called; a change of one is a use of the administrator's session.
_RULES = frozenset({"policy", "policies", "setting", "settings", "configuration", "rule"})
_FAILED = frozenset({"failed", "failure", "unsuccessful"})
_ENDED = frozenset({"reset", "revoked", "ended", "terminated", "invalidated"})
_MADE = frozenset({"created", "added", "generated", "create"})
_ON = frozenset({"enabled", "enrolled", "added", "created"})
_OFF = frozenset({"disabled", "removed", "reset", "deleted"})
_CHANGED = frozenset({"changed", "updated", "change"})
_SECOND = frozenset({"mfa", "2fa", "2sv", "tfa", "twostep"})
_ACCOUNT = frozenset({"user", "account"})
# Of which alone the name of a login is made: others speak of pages, alerts and links to log in.
_OF_LOGIN = _FAILED | frozenset(
    "user account atlassian managed login logged in to logout out of with attempt "
    "success successful succeeded password saml sso google".split()
)


@lru_cache(maxsize=4096)
def kind_of(action: str) -> Kind:
    """What an action means by its name; what is nothing else is a use."""
    known = _KNOWN.get(action)
    if known is not None:
        return known
    words = frozenset(_SPLIT.split(action.lower()))
    if words & _RULES:
        return USE
    return _session(words) or _credential(words) or USE


def _session(words: frozenset[str]) -> Kind | None:
    if words <= _OF_LOGIN:
        if "login" in words or {"logged", "in"} <= words:
            return FAILED if words & _FAILED else LOGIN
        if "logout" in words or {"logged", "out"} <= words:
            return LOGOFF
    if words & {"session", "sessions"} and words & _ENDED:
        return LOGOFF
    return None


def _credential(words: frozenset[str]) -> Kind | None:
    if words & _SECOND or {"two", "step"} <= words or {"two", "factor"} <= words:
        return ENROLL if words & _ON else RESET if words & _OFF else None
    if "password" in words:
        if "requested" in words:
            return PASSWORD_ASKED
        return PASSWORD_RESET if "reset" in words else PASSWORD_CHANGE if words & _CHANGED else None
    if words & _MADE:
        if words & {"token", "tokens"} or {"oauth", "client"} <= words:
            return TOKEN
        if "key" in words and words & {"api", "ssh", "access"}:
            return TOKEN
    if words & _ACCOUNT:
        if words & {"deactivated", "suspended"}:
            return LOCK
        if "email" in words and words & _CHANGED:
            return RESET
    return None
