"""What every page may use."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import NamedTuple

from quivive.app.accounts import SignIn
from quivive.app.oidc import Asked, Provider
from quivive.server.console import render
from quivive.server.console.live import Pulse
from quivive.server.console.veil import Names
from quivive.server.context import Context
from quivive.store.incidents import Incidents

MOST_LOOKS = 20_000
HASHING = 2  # at a time
MOST_WAITING = 32


class Nav(NamedTuple):
    """An entry of the menu, by order; shown to whoever has the role."""

    order: int
    label: str
    path: str
    role: str = "viewer"


class Console:
    """The console of one server."""

    def __init__(
        self,
        context: Context,
        menu: list[Nav],
        *,
        tls: bool = False,
        sign_in: SignIn | None = None,
    ) -> None:
        """tls: browsers reach it by https alone. Nothing is started here."""
        self.context = context
        self.menu = menu
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
