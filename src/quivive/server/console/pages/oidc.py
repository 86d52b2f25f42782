"""Signing in with an identity provider."""

from starlette.responses import RedirectResponse, Response

from quivive.app.errors import UsageError
from quivive.app.oidc import BACK, Known, Provider
from quivive.model.errors import ConfigurationError
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit, local
from quivive.store.accounts import Account

BOUND = "quivive-oidc"  # the cookie that ties an answer to the browser that asked


async def begin(visit: Visit) -> Response:
    """Off to the provider."""
    provider = _provider(visit)
    next_ = local(visit.request.query_params.get("next", "/"))
    try:
        address, pending = await visit.aside(lambda: provider.begin(next_))
    except ConfigurationError as error:
        raise RefusedError(502, "No sign-in that way now", f"{error}.".capitalize()) from None
    visit.console.asked.put(pending)
    response = RedirectResponse(address, 303)
    _bind(visit, response, pending.binding, 600)
    return response


async def back(visit: Visit) -> Response:
    """Back from the provider."""
    provider, query = _provider(visit), visit.request.query_params
    binding = visit.request.cookies.get(BOUND, "")
    clock = provider.clock.now()
    pending = visit.console.asked.take(query.get("state", ""), binding, clock)
    code = query.get("code", "")
    if pending is None or not code:
        raise RefusedError(403, "Not signed in", "That took too long, or was begun elsewhere.")
    try:
        known = await visit.aside(lambda: provider.finish(pending, code))
        account = await visit.aside(lambda: _account(visit, known))
    except ConfigurationError as error:
        raise RefusedError(403, "Not signed in", f"{error}.".capitalize()) from None
    where = visit.request.client.host if visit.request.client else ""
    people = visit.console.sign_in
    session = await visit.aside(lambda: people.begin(account, visit.now, where, "OIDC"))
    response = visit.to(pending.next)
    visit.remember(response, session)
    _bind(visit, response, "", 0)
    return response


def _account(visit: Visit, known: Known) -> Account:
    """The account of whom the provider knows; made, or given its role, by the provider's groups.

    Raises UsageError for somebody who may not use the console.
    """
    people = visit.console.sign_in
    found = people.kept.by_subject(known.subject)
    if found is not None and found.disabled is not None:
        raise UsageError("this account is disabled")
    if found is None:
        if known.role is None:
            raise UsageError("you have no role here; ask whoever runs Quivive for one")
        if people.kept.get(known.name) is not None:
            raise UsageError("somebody else has that name here; ask whoever runs Quivive")
        people.add(known.name, known.role, "OIDC", visit.now, subject=known.subject)
    elif known.role is not None and known.role != found.role:
        people.set_role(found.name, known.role, "OIDC", visit.now)
    account = people.kept.by_subject(known.subject)
    assert account is not None
    return account


def _provider(visit: Visit) -> Provider:
    provider = visit.console.provider
    if provider is None:
        raise RefusedError(404, "There is nothing here", "No identity provider is set up.")
    return provider


def _bind(visit: Visit, response: Response, value: str, age: int) -> None:
    secure = visit.secure
    response.set_cookie(
        BOUND, value, max_age=age, path="/sign-in", secure=secure, httponly=True, samesite="lax"
    )


PAGES = (
    Page("/sign-in/oidc", begin, None),
    Page(BACK, back, None),
)
