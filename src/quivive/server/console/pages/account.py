"""Somebody's own account: password, second factor, keys."""

import base64
import binascii

from starlette.responses import Response

from quivive.app import totp
from quivive.app.errors import UsageError
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit

KEYS = "keys"


async def account(visit: Visit) -> Response:
    """The page."""
    return _page(visit)


def _page(
    visit: Visit, *, problem: str = "", codes: list[str] | None = None, secret: bytes | None = None
) -> Response:
    fresh = secret or totp.new_secret()
    return visit.page(
        "account.html",
        422 if problem else 200,
        problem=problem,
        codes=codes,
        secret=base64.b32encode(fresh).decode(),
        written=totp.written(fresh),
        address=totp.address(fresh, visit.name),
    )


async def password(visit: Visit) -> Response:
    """Takes a new password, and begins a new session with it."""
    fields = await visit.form()
    mine, new = visit.account, fields.get("new", "")
    assert mine is not None
    console, present = visit.console, fields.get("present", "")
    async with console.hashing():
        right = await visit.aside(lambda: console.sign_in.is_password(mine, present))
        if not right:
            return _page(visit, problem="That is not your present password.")
        if new != fields.get("again"):
            return _page(visit, problem="The new password is not the same both times.")
        if new == present:
            return _page(visit, problem="That is the password you have now.")
        try:
            await visit.aside(lambda: console.sign_in.set_password(mine.name, new, visit.now))
        except UsageError as error:
            return _page(visit, problem=f"{error}.".capitalize())
    session = await visit.aside(lambda: console.sign_in.begin(mine, visit.now, how="new password"))
    response = visit.to("/account", said="password")
    visit.remember(response, session)
    return response


async def factor(visit: Visit) -> Response:
    """Takes a second factor into use once its code is right."""
    fields = await visit.form()
    try:
        secret = base64.b32decode(fields.get("secret", ""))
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != totp.SECRET_BYTES:
        raise RefusedError(422, "No key", "Load the page again.")
    code, console = fields.get("code", ""), visit.console
    codes = await visit.aside(lambda: console.sign_in.enrol(visit.name, secret, code, visit.now))
    if codes is None:
        problem = "That code is not of this key. See that your phone's clock is right."
        return _page(visit, problem=problem, secret=secret)
    return _page(visit, codes=codes)


async def keys(visit: Visit) -> Response:
    """Single keys on or off."""
    fields = await visit.form()
    response = visit.to("/account")
    chosen = "off" if fields.get("keys") == "off" else "on"
    response.set_cookie(KEYS, chosen, max_age=31_536_000, path="/", samesite="lax", httponly=True)
    return response


PAGES = (
    Page("/account", account, "viewer"),
    Page("/account/password", password, "viewer", method="POST"),
    Page("/account/factor", factor, "viewer", method="POST"),
    Page("/account/keys", keys, "viewer", method="POST"),
)
