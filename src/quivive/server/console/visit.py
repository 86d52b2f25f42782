"""One request to the console: who asks, what may be seen, and how it is answered."""

import hmac
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from quivive.app.accounts import ABSOLUTE, form_token, may
from quivive.model.audit import Entry
from quivive.server.console.asking import in_words
from quivive.server.console.console import Console
from quivive.server.console.refused import RefusedError
from quivive.server.console.veil import Veil
from quivive.store.accounts import Account, Session
from quivive.store.audit import append
from quivive.store.database import Store

T = TypeVar("T")
MOST_FORM = 64 << 10  # bytes
MOST_FIELDS = 200
LIVE = 3_600_000  # ms: a log whose newest login is no older is read as it is written
TOLD_AGAIN = 900_000  # ms after which the same look at the same thing is recorded again


class Visit:
    """What a page is given."""

    def __init__(self, console: Console, request: Request) -> None:
        """Nobody is signed in yet."""
        self.console = console
        self.request = request
        self.account: Account | None = None
        self.session: Session | None = None
        self.form_secret = ""
        self.now = console.context.clock()
        self.veil = Veil(console.names, drawn=True)
        self._newest: int | None = None

    # --- who

    @property
    def store(self) -> Store:
        """To read from, in a thread: see ``aside``."""
        return self.console.context.store

    @property
    def name(self) -> str:
        """Who is signed in; "" for nobody."""
        return self.account.name if self.account else ""

    def may(self, role: str) -> bool:
        """Whether whoever asks may do what a role may."""
        return self.account is not None and may(self.account.role, role)

    def enter(self, account: Account, session: Session) -> None:
        """Somebody is signed in."""
        self.account, self.session, self.form_secret = account, session, session.form
        self.veil = Veil(self.console.names, drawn=not may(account.role, "analyst"))

    # --- what is asked

    @property
    def path(self) -> Mapping[str, str]:
        """The parts of the path that are named."""
        found: Mapping[str, str] = self.request.path_params
        return found

    @property
    def fragment(self) -> bool:
        """Whether only a part of a page is asked for, by htmx."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-boosted") != "true"

    def query(self, kind: type[T]) -> T:
        """The query as a struct; empty values are as if they were not there.

        Raises RefusedError for what cannot be.
        """
        pairs = {k: v for k, v in self.request.query_params.items() if v.strip()}
        pairs.pop("said", None)
        try:
            return msgspec.convert(pairs, kind, strict=False)
        except msgspec.ValidationError as error:
            raise RefusedError(400, "That cannot be asked", in_words(error)) from None

    async def form(self) -> dict[str, str]:
        """The fields of a form whose token is right. Raises RefusedError for any other."""
        fields = await self.fields()
        given = fields.pop("csrf", "") or self.request.headers.get("x-csrf-token", "")
        right = form_token(self.form_secret, "form")
        if not self.form_secret or not hmac.compare_digest(given.encode(), right.encode()):
            raise RefusedError(
                403, "This form is too old", "Go back, load the page again, and send it once more."
            )
        return fields

    async def fields(self) -> dict[str, str]:
        """The fields of a form as they came; only for forms that carry a secret of their own."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise RefusedError(415, "No form", "Send it as application/x-www-form-urlencoded.")
        body = b""
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > MOST_FORM:
                raise RefusedError(413, "Too long", f"{MOST_FORM} bytes are the most.")
        try:
            pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS
            )
        except (ValueError, UnicodeDecodeError):
            raise RefusedError(400, "No form", "It cannot be read.") from None
        return dict(pairs)

    async def identity_of(self, handle: str) -> str:
        """The identity of a handle in a URL. Raises RefusedError for an unknown one."""
        found = await self.aside(lambda: self.console.names.identity(handle))
        if found is None:
            raise RefusedError(404, "No such identity", "It may have been erased.")
        return found

    @property
    def secure(self) -> bool:
        """Whether cookies go over https alone."""
        return self.console.tls or self.request.url.scheme == "https"

    # --- work

    async def aside(self, what: Callable[[], T]) -> T:
        """Something that blocks, in another thread."""
        return await self.console.context.aside(what)

    async def newest(self) -> int:
        """Until when logins are known: now for logs that are read as they are written, else the
        time of the newest login (ms UTC); now for an empty store.
        """
        if self._newest is None:
            from quivive.store import console

            found = await self.aside(lambda: console.newest(self.store))
            recent = found is None or self.now - found < LIVE
            self._newest = self.now if recent or found is None else found
        return self._newest

    async def looked(self, what: str, subject: str, **details: object) -> None:
        """Records that somebody looked at what concerns one identity or incident."""
        if not self.console.tell_look((self.name, what, subject), self.now, TOLD_AGAIN):
            return
        entry = Entry(
            time=self.now, actor=self.name, action=f"access:{what}", subject=subject,
            details={"path": self.request.url.path, **details},
        )  # fmt: skip

        def write() -> None:
            with self.store.transaction() as connection:
                append(connection, [entry])

        await self.aside(write)

    # --- answers

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page of a template."""
        console = self.console
        shown = {
            "visit": self,
            "path": self.request.url.path,
            "menu": [entry for entry in console.menu if self.may(entry.role)],
            "theme": self.theme,
            "said": self.request.query_params.get("said", ""),
            "csrf": self.csrf,
            "fragment": self.fragment,
        }
        text = console.templates.get_template(template).render({**shown, **values})
        return HTMLResponse(text, status)

    def to(self, path: str, said: str = "", **query: str) -> Response:
        """On to another page; ``said`` names what is told there (words.SAID)."""
        asked = {**query, **({"said": said} if said else {})}
        joined = "&" if "?" in path else "?"
        return RedirectResponse(path + (joined + urlencode(asked) if asked else ""), 303)

    def remember(self, response: Response, session: str) -> None:
        """Has the browser bring a session that was begun, until it ends in any case."""
        response.set_cookie(
            self.console.cookie,
            session,
            max_age=ABSOLUTE // 1000,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    @property
    def theme(self) -> str:
        """dark, light, or "" for as the system has it."""
        given = self.request.cookies.get("theme", "")
        return given if given in ("dark", "light") else ""

    @property
    def keys_off(self) -> bool:
        """Whether single keys are to do nothing."""
        return self.request.cookies.get("keys") == "off"

    def csrf(self) -> Markup:
        """The hidden field that every form begins with."""
        token = form_token(self.form_secret, "form") if self.form_secret else ""
        return Markup('<input type="hidden" name="csrf" value="{}">').format(token)

    @property
    def token(self) -> str:
        """What requests of scripts carry in X-CSRF-Token."""
        return form_token(self.form_secret, "form") if self.form_secret else ""


def local(path: str) -> str:
    """A path to go on to, if it is one of ours; else the first page."""
    if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable():
        return quote(path, safe="/?&=%:@,+;~!*'()#") if len(path) <= 2_048 else "/"
    return "/"
