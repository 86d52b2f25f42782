"""Requests to Auth0's Management API: who calls, and what it does to somebody's account."""

import re
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from quivive.model.event import Activity, User, UserType
from quivive.sources import fields
from quivive.sources._auth0_event import EMPTY, section
from quivive.sources.fields import clean

_API = re.compile(r"^(?:https?://[^/]+)?(?:/api)?/v2/")
_OF_USER = re.compile(r"^users/([^/]+)(?:/([^/]+))?")
_WORD = re.compile(r"[a-z][a-z-]{0,40}")  # whatever else stands in a path is an id
_DASHBOARD = "://manage."
# What a request to users/<id>/<what> does; the methods that do it.
_DEEDS = {
    ("delete", "multifactor"): "Factor Reset",
    ("delete", "authenticators"): "Factor Reset",
    ("delete", "authentication-methods"): "Factor Reset",
    ("post", "recovery-code-regeneration"): "Factor Reset",
    ("post", "authentication-methods"): "Factor Enroll",
    ("put", "authentication-methods"): "Factor Enroll",
    ("patch", "authentication-methods"): "Factor Enroll",
    ("delete", "sessions"): "",
    ("delete", "refresh-tokens"): "",
}


class Deed(Struct, frozen=True):
    """What a request does: to the account of ``user``, or None for a client's new secret. ``name``
    is None for the end of an account's sessions."""

    activity: Activity
    name: str | None
    user: User | None


def caller_of(request: dict[str, Any]) -> User | None:
    """The user in whose name the request is made, an administrator at the dashboard."""
    person = section(section(request.get("auth")).get("user"))
    uid = clean(person.get("user_id"))
    mail = fields.email(clean(person.get("email")))
    name = mail or clean(person.get("name"))
    if uid is None and name is None:
        return None
    shown = clean(person.get("name"))
    return User(
        name=name,
        uid=uid,
        email_addr=mail or fields.email(name),
        full_name=shown if shown != name else None,
        type_id=UserType.ADMIN if _DASHBOARD in (clean(request.get("channel")) or "") else None,
    )


def token_of(request: dict[str, Any]) -> str | None:
    """The id of the token that the request was made with."""
    return clean(fields.dig(request, "auth", "credentials", "jti"))


def operation_of(request: dict[str, Any]) -> tuple[str | None, str | None]:
    """What is called, "PATCH users/{id}", and the path itself, which holds the ids."""
    path, method = clean(request.get("path")), clean(request.get("method"))
    if path is None or method is None:
        return None, path
    path = path.partition("?")[0]
    words = [
        part if _WORD.fullmatch(part) else "{id}" for part in _API.sub("", path).split("/") if part
    ]
    return f"{method.upper()} {'/'.join(words[:8])}", path


def deed_of(request: dict[str, Any], response: dict[str, Any]) -> Deed | None:
    """What the request does to a user's account; None for the many that do nothing to one."""
    path, method = clean(request.get("path")), clean(request.get("method"))
    if path is None or method is None:
        return None
    path, method = _API.sub("", path), method.lower()
    body = section(request.get("body"))
    if method == "post" and path == "tickets/password-change":
        uid, mail = clean(body.get("user_id")), fields.email(clean(body.get("email")))
        if uid is None and mail is None:
            return None
        user = User(name=mail, uid=uid, email_addr=mail, type_id=UserType.USER)
        return Deed(Activity.OTHER, "Password Reset", user)
    if method == "post" and path.startswith("clients/"):
        rotated = path.endswith(("/rotate-secret", "/credentials"))
        return Deed(Activity.OTHER, "Token Create", None) if rotated else None
    matched = _OF_USER.match(path)
    if matched is None:
        return None
    user_id, what = matched.groups()
    if what is None:
        name = "Password Reset" if method == "patch" and "password" in body else None
    else:
        name = _DEEDS.get((method, what))
    if name is None:
        return None
    target = _target(clean(unquote(user_id)), section(response.get("body")))
    if target is None:
        return None
    return Deed(Activity.OTHER if name else Activity.LOGOFF, name or None, target)


def _target(uid: str | None, answer: dict[str, Any]) -> User | None:
    if uid is None:
        return None
    if answer.get("user_id") not in (None, uid):
        answer = EMPTY
    mail = fields.email(clean(answer.get("email")))
    return User(
        name=mail or clean(answer.get("username")),
        uid=uid,
        email_addr=mail,
        type_id=UserType.USER,
    )


def status_code_of(response: dict[str, Any]) -> str | None:
    """The HTTP status of the answer, as text."""
    code = fields.integer(response, "statusCode")
    return None if code is None else str(code)
