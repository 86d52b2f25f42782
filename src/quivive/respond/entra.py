"""Entra ID through Microsoft Graph: sign out, disable, confirm as compromised."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from quivive.model.response import ResponseRequest, Target
from quivive.respond.errors import RefusedError
from quivive.respond.response import (
    DONE,
    NOTHING,
    Action,
    Outcome,
    Talk,
    client_credentials,
    login_name,
    member,
    needed,
    only,
    own_uid,
    segment,
)
from quivive.respond.secret import Secret

PRODUCTS = ("Entra ID", "Microsoft 365")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """tenant: id or domain. client_id, client_secret: of the app registration.

    graph, login: other hosts, for the national clouds.
    """

    tenant: str
    client_id: str
    client_secret: Secret
    graph: str = "https://graph.microsoft.com"
    login: str = "https://login.microsoftonline.com"


def authorise(settings: Settings, talk: Talk) -> Mapping[str, str]:
    """A token of the app registration."""
    url = f"{settings.login.rstrip('/')}/{segment(settings.tenant)}/oauth2/v2.0/token"
    scope = f"{settings.graph.rstrip('/')}/.default"
    return client_credentials(talk, url, settings.client_id, settings.client_secret.value(), scope)


def _account(target: Target) -> tuple[str, str]:
    """The path of the account, and its name for people."""
    if target.kind == "service":
        uid = needed(own_uid(target, PRODUCTS), "id of a service principal")
        return f"/v1.0/servicePrincipals/{segment(uid)}", f"service principal {uid}"
    user = own_uid(target, PRODUCTS) or login_name(target)
    return f"/v1.0/users/{segment(user)}", user


def _revoke(request: ResponseRequest, talk: Talk) -> Outcome:
    if request.target.kind == "service":
        raise RefusedError("a service principal has no sessions to revoke; disable it instead")
    path, name = _account(request.target)
    talk.change(f"revoke all refresh tokens of {name}", "POST", f"{path}/revokeSignInSessions")
    return DONE


def _disable(request: ResponseRequest, talk: Talk) -> Outcome:
    path, name = _account(request.target)
    found = talk.look(
        f"look up {name}",
        path,
        params={"$select": "id,accountEnabled"},
        stand_in={"accountEnabled": True},
    )
    if member(found, "accountEnabled", bool) is False:
        return NOTHING
    talk.change(f"disable {name}", "PATCH", path, {"accountEnabled": False})
    talk.undo["path"] = path
    return DONE


def _compromised(request: ResponseRequest, talk: Talk) -> Outcome:
    if request.target.kind == "service":
        raise RefusedError("a service principal shows no MFA; disable it instead")
    path, name = _account(request.target)
    uid = own_uid(request.target, PRODUCTS)
    if uid is None:
        found = talk.look(
            f"look up {name}", path, params={"$select": "id"}, stand_in={"id": f"(id of {name})"}
        )
        uid = member(found, "id")
    talk.change(
        f"confirm {name} as compromised, so that conditional access asks for more",
        "POST",
        "/v1.0/identityProtection/riskyUsers/confirmCompromised",
        {"userIds": [uid]},
    )
    talk.undo["user"] = uid
    return DONE


_ACTIONS = {"revoke": _revoke, "disable": _disable, "step_up": _compromised}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(request, talk)
    return outcome


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Enables the account again, or dismisses the risk."""
    if "path" in undo:
        talk.change("enable again", "PATCH", member(undo, "path"), {"accountEnabled": True})
    else:
        talk.change(
            "dismiss the risk",
            "POST",
            "/v1.0/identityProtection/riskyUsers/dismiss",
            {"userIds": [member(undo, "user")]},
        )
    return DONE


ACTION = Action(
    name="entra",
    title="Revokes sessions, disables accounts, confirms them as compromised",
    vendor="Microsoft Entra ID",
    does={
        "revoke": "Revokes all refresh tokens and session cookies of the user.",
        "disable": "Disables the account of a user or a service principal.",
        "step_up": (
            "Confirms the user as compromised: user risk becomes high, and conditional access asks"
            " for MFA or a new password (licence P2)."
        ),
    },
    undoes=("disable", "step_up"),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "`User.RevokeSessions.All` for revoke",
        "`User.EnableDisableAccount.All` and `User.Read.All` for disable",
        "`Application.ReadWrite.OwnedBy`, as owner of them, to disable service principals",
        "`IdentityRiskyUser.ReadWrite.All` for step_up",
        "all as application permissions; administrators' accounts cannot be disabled with these",
    ),
    documentation="https://learn.microsoft.com/graph/api/user-revokesigninsessions",
    hosts=lambda settings: (settings.graph, settings.login),
    authorise=authorise,
    perform=perform,
    undo=undo,
)
