"""Keycloak: end a user's sessions, disable the account, ask for a new password."""

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
    only,
    own_uid,
    segment,
)
from quivive.respond.secret import Secret

PRODUCTS = ("Keycloak",)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the server, with its path if it has one. realm: whose users.

    client_id, client_secret: of a confidential client of that realm with a service account.
    """

    url: str
    realm: str
    client_id: str
    client_secret: Secret


def authorise(settings: Settings, talk: Talk) -> Mapping[str, str]:
    """A token of the client's service account."""
    url = (
        f"{settings.url.rstrip('/')}/realms/{segment(settings.realm)}/protocol/openid-connect/token"
    )
    return client_credentials(talk, url, settings.client_id, settings.client_secret.value())


def _user(settings: Settings, talk: Talk, target: Target) -> tuple[str, str]:
    """The path of a user, and its name for people."""
    users = f"/admin/realms/{segment(settings.realm)}/users"
    uid = own_uid(target, PRODUCTS)
    if uid is not None:
        return f"{users}/{segment(uid)}", uid
    name = login_name(target)
    found: list[Any] = []
    for key in ("username", "email"):
        found = talk.look(
            f"look up {name} by {key}",
            users,
            params={key: name, "exact": "true"},
            stand_in=[{"id": f"(id of {name})"}],
        )
        if found:
            break
    if len(found) != 1:
        raise RefusedError(f"{len(found)} users of the realm are called {name}")
    uid = member(found[0], "id")
    return f"{users}/{uid if talk.dry else segment(uid)}", name


def _revoke(settings: Settings, talk: Talk, target: Target) -> Outcome:
    path, name = _user(settings, talk, target)
    talk.change(f"end all sessions of {name}", "POST", f"{path}/logout", expect=(204,))
    return Outcome("done", "access tokens already given stay valid until they expire")


def _disable(settings: Settings, talk: Talk, target: Target) -> Outcome:
    path, name = _user(settings, talk, target)
    found = talk.look(f"look up {name}", path, stand_in={"enabled": True})
    enabled = member(found, "enabled", bool)
    if enabled:
        talk.change(f"disable {name}", "PUT", path, {"enabled": False}, expect=(204,))
        talk.undo["path"] = path
    talk.change(f"end all sessions of {name}", "POST", f"{path}/logout", expect=(204,))
    return DONE if enabled else NOTHING


def _rotate(settings: Settings, talk: Talk, target: Target) -> Outcome:
    path, name = _user(settings, talk, target)
    found = talk.look(f"look up {name}", path, stand_in={"requiredActions": []})
    asked = found.get("requiredActions") or []
    if "UPDATE_PASSWORD" in asked:
        return NOTHING
    talk.change(
        f"ask {name} for a new password at the next sign-in",
        "PUT",
        path,
        {"requiredActions": [*asked, "UPDATE_PASSWORD"]},
        expect=(204,),
    )
    return DONE


_ACTIONS = {"revoke": _revoke, "disable": _disable, "rotate": _rotate}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(settings, talk, request.target)
    return outcome


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Enables the account again."""
    talk.change("enable again", "PUT", member(undo, "path"), {"enabled": True}, expect=(204,))
    return DONE


ACTION = Action(
    name="keycloak",
    title="Ends sessions, disables users, asks for new passwords",
    vendor="Keycloak",
    does={
        "revoke": "Ends all sessions of the user.",
        "disable": "Disables the user and ends their sessions.",
        "rotate": "Asks for a new password at the next sign-in.",
    },
    undoes=("disable",),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "the role `manage-users` of `realm-management`, for the service account of one client",
        "or, with fine-grained permissions, `view` and `manage` on the users concerned",
    ),
    documentation="https://www.keycloak.org/docs-api/latest/rest-api/index.html",
    hosts=lambda settings: (settings.url,),
    authorise=authorise,
    perform=perform,
    undo=undo,
)
