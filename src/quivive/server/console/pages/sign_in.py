"""Signing in and out, and the choice of dark or light."""

import hmac
import secrets

from starlette.responses import Response

from quivive.app.accounts import form_token
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit, local
from quivive.server.console.words import span

FORM = "quivive-form"  # the cookie that ties a sign-in form to the browser that was shown it
YEAR = 31_536_000


async def shown(visit: Visit) -> Response:
    """The form."""
    if visit.account is not None:
        return visit.to("/")
    return await _form(visit, next_=visit.request.query_params.get("next", "/"))


async def _form(
    visit: Visit, *, next_: str, name: str = "", problem: str = "", status: int = 200
) -> Response:
    kept = visit.request.cookies.get(FORM, "")
    if not 20 <= len(kept) <= 64:
        kept = secrets.token_urlsafe(32)
    provider = visit.console.provider
    nobody = provider is None and not await visit.aside(visit.console.sign_in.kept.all)
    response = visit.page(
        "sign_in.html",
        status,
        token=form_token(kept, "sign-in"),
        next=local(next_),
        name=name,
        problem=problem,
        nobody=nobody,
        state=visit.store.given,
        oidc=provider.settings.title if provider is not None else "",
    )
    _set(visit, response, FORM, kept, "strict", 3_600)
    return response


async def sign_in(visit: Visit) -> Response:
    """Tries what was entered. Whatever is wrong, the answer is the same."""
    fields = await visit.fields()
    kept = visit.request.cookies.get(FORM, "")
    given, right = fields.get("csrf", ""), form_token(kept, "sign-in")
    next_ = local(fields.get("next", "/"))
    if not kept or not hmac.compare_digest(given.encode(), right.encode()):
        return await _form(visit, next_=next_, problem="Please try once more.", status=403)
    name, password = fields.get("name", ""), fields.get("password", "")
    where = visit.request.client.host if visit.request.client else ""
    console = visit.console
    if console.crowded:
        problem = "Too many people sign in at this moment. Try again in a few seconds."
        return await _form(visit, next_=next_, name=name[:64], problem=problem, status=429)
    async with console.hashing():
        tried = await visit.aside(
            lambda: console.sign_in.sign_in(
                name, password, fields.get("code", ""), visit.now, where
            )
        )
    if tried.account is None:
        problem = "Name, password or code is not right."
        if tried.wait:
            problem += f" Too many tries: wait {span(tried.wait)}."
        return await _form(visit, next_=next_, name=name[:64], problem=problem, status=403)
    response = visit.to("/account" if tried.account.must_change else next_)
    visit.remember(response, tried.session)
    response.delete_cookie(FORM, path="/")
    return response


async def sign_out(visit: Visit) -> Response:
    """Ends the session."""
    await visit.form()
    session = visit.session
    if session is not None:
        await visit.aside(lambda: visit.console.sign_in.sign_out(session, visit.now))
    response = visit.to("/sign-in", said="signed-out")
    response.delete_cookie(visit.console.cookie, path="/", secure=visit.secure)
    return response


async def theme(visit: Visit) -> Response:
    """Dark, light, or as the system has it."""
    fields = await visit.form()
    chosen = fields.get("theme", "")
    if chosen not in ("", "dark", "light"):
        raise RefusedError(422, "No such theme")
    response = visit.to(local(fields.get("next", "/")))
    _set(visit, response, "theme", chosen, "lax", YEAR if chosen else 0)
    return response


def _set(visit: Visit, response: Response, name: str, value: str, site: str, age: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=age,
        path="/",
        secure=visit.secure,
        httponly=True,
        samesite="strict" if site == "strict" else "lax",
    )


PAGES = (
    Page("/sign-in", shown, None),
    Page("/sign-in", sign_in, None, method="POST"),
    Page("/sign-out", sign_out, "viewer", method="POST"),
    Page("/theme", theme, "viewer", method="POST"),
)
