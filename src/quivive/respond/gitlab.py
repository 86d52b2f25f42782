"""GitLab: revoke personal access tokens, block, cancel pipelines."""

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
    entries,
    login_name,
    member,
    needed,
    only,
    own_uid,
    segment,
    static,
)
from quivive.respond.secret import Secret

PRODUCTS = ("GitLab",)
API = "/api/v4"
PAGE = 100
RUNNING = ("running", "pending")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of the instance. token: an administrator's token with the scope ``api``.

    projects: the project (id or path) of machine identities whose project tokens are revoked and
    whose pipelines are cancelled.
    """

    url: str
    token: Secret
    projects: dict[str, str] = {}


def _user(talk: Talk, target: Target) -> tuple[str, str, str]:
    """A user's number, name and state."""
    own = own_uid(target, PRODUCTS)
    name = own or (target.name if target.product in PRODUCTS else None) or login_name(target)
    stand_in = {"id": f"(id of {name})", "state": "active", "username": name}
    if own is not None:
        found = talk.look(f"look up user {own}", f"{API}/users/{segment(own)}", stand_in=stand_in)
    else:
        key = "search" if "@" in name else "username"
        listed = entries(
            talk.look(f"look up {name}", f"{API}/users", params={key: name}, stand_in=[stand_in])
        )
        if len(listed) != 1:
            raise RefusedError(f"{len(listed)} users are called {name}")
        found = listed[0]
    number = found.get("id") if isinstance(found, dict) else None
    return str(number), member(found, "username"), member(found, "state")


def _revoke(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    project = settings.projects.get(request.target.identity)
    if project is not None:
        place = f"{API}/projects/{segment(project)}/access_tokens"
        whose, params = f"project {project}", {"state": "active"}
    else:
        number, whose, _ = _user(talk, request.target)
        place = f"{API}/personal_access_tokens"
        params = {"user_id": number, "state": "active"}
    tokens = talk.pages(
        f"list the active tokens of {whose}",
        place,
        params=params,
        stand_in=[{"id": 0}],
        size=PAGE,
    )
    for token in tokens:
        number = str(member(token, "id", int))
        talk.change(
            f"revoke {'each token' if talk.dry else f'token {number}'} of {whose}",
            "DELETE",
            f"{place}/{number}",
            expect=(204, 404),
        )
    return DONE if tokens else NOTHING


def _block(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    number, name, state = _user(talk, request.target)
    if state in ("blocked", "banned", "deactivated", "ldap_blocked"):
        return NOTHING
    talk.change(
        f"block {name}", "POST", f"{API}/users/{_id(talk, number)}/block", expect=(200, 201)
    )
    talk.undo["user"] = number
    return DONE


def _cancel(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    target = request.target
    project = settings.projects.get(target.identity) or (
        target.resource if target.product in PRODUCTS else None
    )
    place = f"{API}/projects/{segment(needed(project, 'GitLab project'))}/pipelines"
    found: list[Any] = []
    for status in (None,) if target.run is not None else RUNNING:
        found += (
            [{"id": target.run}]
            if status is None
            else talk.pages(
                f"list the {status} pipelines of {project}",
                place,
                params={"status": status},
                stand_in=[{"id": 0}],
                size=PAGE,
            )
        )
    for pipeline in found:
        talk.change(
            f"cancel pipeline {pipeline['id']} of {project}",
            "POST",
            f"{place}/{segment(pipeline['id'])}/cancel",
            expect=(200, 201, 404),
        )
    return DONE if found else NOTHING


def _id(talk: Talk, number: str) -> str:
    return number if talk.dry else segment(number)


_ACTIONS = {"revoke": _revoke, "rotate": _revoke, "disable": _block, "isolate": _cancel}


def perform(request: ResponseRequest, settings: Settings, talk: Talk) -> Outcome:
    """Does what is asked."""
    outcome: Outcome = only(request, _ACTIONS)(request, settings, talk)
    return outcome


def undo(request: ResponseRequest, undo: dict[str, Any], settings: Settings, talk: Talk) -> Outcome:
    """Unblocks the user."""
    number = segment(member(undo, "user"))
    talk.change("unblock", "POST", f"{API}/users/{number}/unblock", expect=(200, 201))
    return DONE


ACTION = Action(
    name="gitlab",
    title="Revokes tokens, blocks users, cancels pipelines",
    vendor="GitLab",
    does={
        "revoke": "Revokes all active personal tokens of the user, or all tokens of the project.",
        "rotate": "The same: whoever needs a token makes a new one.",
        "disable": "Blocks the user.",
        "isolate": "Cancels the project's running and pending pipelines.",
    },
    undoes=("disable",),
    products=PRODUCTS,
    settings=Settings,
    privileges=(
        "an administrator's token with the scope `api`, for users",
        "or, where only `projects` are named, a project token of each with the role *Maintainer*",
    ),
    documentation="https://docs.gitlab.com/api/personal_access_tokens/",
    hosts=lambda settings: (settings.url,),
    authorise=static("PRIVATE-TOKEN", "{}"),
    perform=perform,
    undo=undo,
)
