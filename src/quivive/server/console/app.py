"""The application: every request passes here, is checked once, and answered."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
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

from quivive.app.accounts import SignIn
from quivive.app.oidc import Provider
from quivive.model.errors import ConfigurationError
from quivive.server.console import render
from quivive.server.console.live import Pulse
from quivive.server.console.page import Page, RefusedError, found
from quivive.server.console.pages.oidc import Asked
from quivive.server.console.veil import Names
from quivive.server.console.visit import Visit
from quivive.server.context import Context
from quivive.server.judge import where
from quivive.store.database import StoreUnavailable
from quivive.store.incidents import Incidents

SAFE = ("GET", "HEAD")
MOST_LOOKS = 20_000
HASHING = 2  # at a time
MOST_WAITING = 32
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


class Console:
    """The console of one server."""

    def __init__(
        self, context: Context, *, tls: bool = False, sign_in: SignIn | None = None
    ) -> None:
        """tls: browsers reach it by https alone. Nothing is started here."""
        self.context = context
        self.tls = tls
        Incidents(context.store)  # makes its tables where the store is new
        self.sign_in = sign_in or SignIn(context.store)
        oidc = context.settings.oidc
        self.provider = Provider(oidc) if oidc is not None else None
        self.asked = Asked()
        self.names = Names(context.store)
        self.files = render.assets()
        self.templates = render.environment(self.files)
        self.land = f"{self.files['land.svg'].path}#land"  # what maps are drawn on
        self.pulse = Pulse(context)
        pages, self.menu = found()
        self.pages = pages
        self._routes = [(Route(page.path, _unused, methods=[page.method]), page) for page in pages]
        self._served = {asset.path: asset for asset in self.files.values()}
        self._hashing: asyncio.Semaphore | None = None
        self._waiting = 0
        self._looks: OrderedDict[tuple[str, ...], int] = OrderedDict()

    @contextlib.asynccontextmanager
    async def hashing(self) -> AsyncIterator[None]:
        """Passwords are hashed a few at a time: each takes 64 MB."""
        if self._hashing is None:
            self._hashing = asyncio.Semaphore(HASHING)
        self._waiting += 1
        try:
            async with self._hashing:
                yield
        finally:
            self._waiting -= 1

    @property
    def crowded(self) -> bool:
        """Whether so many wait for a password to be hashed that no more may."""
        return self._waiting >= MOST_WAITING

    def secure(self, visit: Visit) -> bool:
        """Whether cookies go over https alone."""
        return self.tls or visit.request.url.scheme == "https"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; the prefix keeps other hosts from setting it."""
        return "__Host-quivive" if self.tls else "quivive"

    def tell_look(self, what: tuple[str, ...], now: int, again: int) -> bool:
        """Whether a look is to be recorded: it was not within ``again`` ms."""
        before = self._looks.get(what)
        if before is not None and now - before < again:
            return False
        self._looks[what] = now
        self._looks.move_to_end(what)
        while len(self._looks) > MOST_LOOKS:
            self._looks.popitem(last=False)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        begun = perf_counter()
        request = Request(scope, receive)
        visit = Visit(self, request)
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
        self.context.figures.requests[scope["method"], page.path, response.status_code] += 1
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
        given = visit.request.cookies.get(self.cookie)
        if given:
            use = not page.passive
            who = await visit.aside(lambda: self.sign_in.who(given, visit.now, use=use))
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
                if self.tls:
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
