"""Okta: end sessions, suspend, expire the password, ask for MFA by a group.

Okta takes a user's id or login in a path, but only ids in a group's.
"""

from typing import Any

from msgspec import Struct

from quivive.model.response import ResponseRequest, Target
from quivive.respond.response import (
    DONE,
    NOTHING,
    Action,
    Outcome,
    Talk,
    login_name,
    member,
    needed,
    only,
    own_uid,
    segment,
    static,
)
from quivive.respond.secret import Secret

PRODUCTS = ("Okta",)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the organisation. token: an API token. mfa_group: id of a group that must show MFA.

    oauth_tokens: whether ending sessions revokes OAuth tokens, too.
    """

    url: str
    token: Secret
    mfa_group: str | None = None
    oauth_tokens: bool = True


def _user(target: Target) -> str:
    return own_uid(target, PRODUCTS) or login_name(target)


def _known(talk: Talk, target: Target) -> tuple[str, str]:
    """The user's id and status."""
    user = _user(target)
    found = talk.look(
        f"look up {user}",
        f"/api/v1/users/{segment(user)}",
        stand_in={"id": own_uid(target, PRODUCTS) or f"(id of {user})", "status": "ACTIVE"},
    )
    return member(found, "id"), member(found, "status")


def _revoke(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    user = _user(request.target)
    tokens = "true" if settings.oauth_tokens else "false"
    talk.change(
        f"end all sessions of {user}",
        "DELETE",
        f"/api/v1/users/{segment(user)}/sessions?oauthTokens={tokens}",
    )
    return DONE


def _disable(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    uid, status = _known(talk, request.target)
    if status in ("SUSPENDED", "DEPROVISIONED"):
        return NOTHING
    talk.change(
        f"suspend {_user(request.target)}",
        "POST",
        f"/api/v1/users/{segment(uid)}/lifecycle/suspend",
    )
    talk.undo["user"] = uid
    return DONE


def _rotate(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    user = _user(request.target)
    talk.change(
        f"expire the password of {user}",
        "POST",
        f"/api/v1/users/{segment(user)}/lifecycle/expire_password?tempPassword=false",
    )
    return DONE


def _step_up(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    group = needed(settings.mfa_group, "settings.mfa_group")
    uid, _ = _known(talk, request.target)
    groups = talk.look(
        f"list the groups of {_user(request.target)}",
        f"/api/v1/users/{segment(uid)}/groups",
        stand_in=[],
    )
    if any(known.get("id") == group for known in groups):
        return NOTHING
    talk.change(
        f"put {_user(request.target)} into the group that must show MFA",
        "PUT",
        f"/api/v1/groups/{segment(group)}/users/{segment(uid)}",
    )
    talk.undo |= {"user": uid, "group": group}
    return DONE


_ACTIONS = {"revoke": _revoke, "disable": _disable, "rotate": _rotate, "step_up": _step_up}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(request, settings, talk)
    return outcome


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Takes a suspension or the membership of the MFA group back."""
    user = segment(member(undo, "user"))
    if "group" in undo:
        group = segment(undo["group"])
        talk.change(
            "take out of the group that must show MFA",
            "DELETE",
            f"/api/v1/groups/{group}/users/{user}",
        )
    else:
        talk.change("unsuspend", "POST", f"/api/v1/users/{user}/lifecycle/unsuspend")
    return DONE


ACTION = Action(
    name="okta",
    title="Ends sessions, suspends, expires passwords, asks for MFA",
    vendor="Okta",
    does={
        "revoke": "Ends all sessions of the user and revokes their OAuth tokens.",
        "disable": "Suspends the user.",
        "rotate": "Expires the password: the user sets a new one at the next sign-in.",
        "step_up": "Puts the user into a group whose sign-on policy asks for MFA each time.",
    },
    undoes=("disable", "step_up"),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "*Clear users' sessions* for revoke, *Suspend users* and *View users* for disable",
        "*Edit users' authenticator operations* for rotate",
        "*Manage group membership*, limited to the MFA group, for step_up",
        "all as a custom admin role of a service account, which then makes the API token",
    ),
    documentation="https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserSessions/",
    hosts=lambda settings: (settings.url,),
    authorise=static("Authorization", "SSWS {}"),
    perform=perform,
    undo=undo,
)
