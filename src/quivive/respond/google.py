"""Google Workspace: sign out, suspend, ask for a new password, by the Admin SDK's Directory API."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from quivive.model.errors import ConfigurationError
from quivive.model.response import ResponseRequest, Target
from quivive.respond.response import (
    DONE,
    NOTHING,
    Action,
    Outcome,
    Talk,
    kept_token,
    login_name,
    member,
    only,
    own_uid,
    segment,
    signed_jwt,
    token_of,
)
from quivive.respond.secret import Secret

PRODUCTS = ("Google Workspace",)
SCOPES = (
    "https://www.googleapis.com/auth/admin.directory.user.security",
    "https://www.googleapis.com/auth/admin.directory.user",
)
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE = 3600  # seconds a token is asked for


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """key: the service account's JSON key. administrator: whom it acts as (domain-wide delegation).

    api, tokens: other hosts, for tests and gateways.
    """

    key: Secret
    administrator: str
    api: str = "https://admin.googleapis.com"
    tokens: str = "https://oauth2.googleapis.com"


class _Key(Struct):
    client_email: str
    private_key: str


def authorise(
    settings: Settings, talk: Talk, scopes: tuple[str, ...] = SCOPES
) -> Mapping[str, str]:
    """A token for a JWT that the service account signs (RFC 7523)."""
    url = f"{settings.tokens.rstrip('/')}/token"

    def fetch() -> tuple[str, float]:
        try:
            key = msgspec.json.decode(settings.key.value(), type=_Key)
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise ConfigurationError(
                f"{settings.key.place}: not a service account's JSON key; make one in the console"
            ) from None
        now = talk.now // 1000
        claims = {
            "iss": key.client_email,
            "sub": settings.administrator,
            "scope": " ".join(scopes),
            "aud": url,
            "iat": now,
            "exp": now + LIFE,
        }
        assertion = signed_jwt(key.private_key, claims)
        return token_of(talk, url, {"grant_type": GRANT, "assertion": assertion})

    return {"Authorization": f"Bearer {kept_token(talk, url, fetch)}"}


def _user(target: Target) -> tuple[str, str]:
    name = own_uid(target, PRODUCTS) or login_name(target)
    return f"/admin/directory/v1/users/{segment(name)}", name


def _revoke(talk: Talk, target: Target) -> Outcome:
    path, name = _user(target)
    talk.change(f"sign {name} out everywhere", "POST", f"{path}/signOut", expect=(200, 204))
    return DONE


def _disable(talk: Talk, target: Target) -> Outcome:
    path, name = _user(target)
    found = talk.look(
        f"look up {name}", path, params={"fields": "suspended"}, stand_in={"suspended": False}
    )
    if found.get("suspended"):
        return NOTHING
    talk.change(f"suspend {name}", "PATCH", path, {"suspended": True}, expect=(200,))
    talk.undo["path"] = path
    return DONE


def _rotate(talk: Talk, target: Target) -> Outcome:
    path, name = _user(target)
    talk.change(
        f"ask {name} for a new password at the next sign-in",
        "PATCH",
        path,
        {"changePasswordAtNextLogin": True},
        expect=(200,),
    )
    return DONE


_ACTIONS = {"revoke": _revoke, "disable": _disable, "rotate": _rotate}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(talk, request.target)
    return outcome


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Ends the suspension."""
    talk.change("end the suspension", "PATCH", member(undo, "path"), {"suspended": False})
    return DONE


ACTION = Action(
    name="google",
    title="Signs out, suspends, asks for new passwords",
    vendor="Google Workspace",
    does={
        "revoke": "Signs the user out of all web and device sessions and resets sign-in cookies.",
        "disable": "Suspends the user.",
        "rotate": "Asks for a new password at the next sign-in.",
    },
    undoes=("disable",),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "a service account with domain-wide delegation for these scopes only: "
        + ", ".join(f"`{scope}`" for scope in SCOPES),
        "acting as an administrator with a custom role: *Users: read, suspend, reset password*",
    ),
    documentation="https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/signOut",
    hosts=lambda settings: (settings.api, settings.tokens),
    authorise=authorise,
    perform=perform,
    undo=undo,
)
