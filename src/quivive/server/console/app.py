"""The application: every request passes here, is checked once, and answered."""

from time import perf_counter
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from quivive.model.errors import ConfigurationError
from quivive.server.console.console import Console
from quivive.server.console.page import Page
from quivive.server.console.refused import RefusedError
from quivive.server.console.visit import Visit
from quivive.server.faults import where
from quivive.store.database import StoreUnavailable

SAFE = ("GET", "HEAD")
FOREVER = "public, max-age=31536000, immutable"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

log = structlog.get_logger("quivive.access")


class App:
    """Answers what is asked of the console of one server."""

    def __init__(self, console: Console, pages: list[Page]) -> None:
        """``pages``: in the order in which their paths are tried."""
        self.console = console
        self._routes = [(Route(page.path, _unused, methods=[page.method]), page) for page in pages]
        self._served = {asset.path: asset for asset in console.files.values()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        begun = perf_counter()
        request = Request(scope, receive)
        visit = Visit(self.console, request)
        page = Page("-", _unused, None)
        try:
            asset = self._served.get(scope["path"])
            if asset is not None and scope["method"] in SAFE:
                response = Response(
                    asset.body, media_type=asset.kind, headers={"cache-control": FOREVER}
                )
            else:
                page = self._page(scope)
                response = await self._answer(visit, page)
        except RefusedError as error:
            response = self._error(visit, error.status, error.title, error.text)
        except HTTPException as error:
            response = self._error(visit, error.status_code, error.detail, "")
        except (StoreUnavailable, DBAPIError):
            text = "The store cannot be used now. Nothing is lost; try again in a moment."
            response = self._error(visit, 503, "The store is not there", text)
        except ConfigurationError as error:
            response = self._error(visit, 422, "That was not done", str(error))
        except Exception as error:  # noqa: BLE001 - one request must not end the server
            kind = type(error).__name__
            log.error("fault", route=page.path, error=kind, where=where(error))
            response = self._error(visit, 500, "A fault of Quivive", "Its log says where.")
        await response(scope, receive, self._with_headers(send))
        self.console.context.figures.requests[scope["method"], page.path, response.status_code] += 1
        log.info(
            "request", method=scope["method"], route=page.path, status=response.status_code,
            ms=round((perf_counter() - begun) * 1000, 2), user=visit.name or None,
        )  # fmt: skip

    def _page(self, scope: Scope) -> Page:
        """The page that is asked for. Raises RefusedError for none."""
        partial = False
        for route, page in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                return page
            partial = partial or match is Match.PARTIAL
        if partial:
            raise RefusedError(405, "Not like this", "That address takes another method.")
        raise RefusedError(404, "There is nothing here", "The address may be mistyped, or old.")

    async def _answer(self, visit: Visit, page: Page) -> Response:
        request = visit.request
        if request.method not in SAFE:
            _same_origin(request.headers)
        await self._identify(visit, page)
        if page.role is not None:
            if visit.account is None:
                return self._to_sign_in(visit)
            if not visit.may(page.role):
                text = f"It takes the role {page.role}; yours is {visit.account.role}."
                raise RefusedError(403, "Not for your role", text)
            if visit.account.must_change and not page.path.startswith("/account"):
                return visit.to("/account")
        return await page.handler(visit)

    async def _identify(self, visit: Visit, page: Page) -> None:
        given = visit.request.cookies.get(self.console.cookie)
        if given:
            use = not page.passive
            who = await visit.aside(lambda: self.console.sign_in.who(given, visit.now, use=use))
            if who is not None:
                visit.enter(*who)

    def _to_sign_in(self, visit: Visit) -> Response:
        request = visit.request
        if visit.fragment or request.method not in SAFE:
            return Response(status_code=401, headers={"hx-redirect": "/sign-in?said=ended"})
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return (
            visit.to("/sign-in", next=asked) if asked != "/" else RedirectResponse("/sign-in", 303)
        )

    def _error(self, visit: Visit, status: int, title: str, text: str) -> Response:
        return visit.page("error.html", status, title=title, text=text)

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                if self.console.tls:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        return sending


def _same_origin(headers: Headers) -> None:
    """Raises RefusedError for a request that another site has made a browser send."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    wrong = site is not None and site not in ("same-origin", "none")
    if origin is not None:
        wrong = wrong or urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if wrong:
        raise RefusedError(
            403, "From elsewhere", "Forms are taken from this console's own pages only."
        )


async def _unused(_: object) -> Response:
    raise RefusedError(404, "There is nothing here")
