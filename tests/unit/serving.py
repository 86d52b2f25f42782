"""A server without a socket, for tests."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from quivive.app.access import Wanted, create
from quivive.enrich.enricher import Enricher
from quivive.policy.budget import Budgets
from quivive.server.app import Server
from quivive.server.judging import Settings
from quivive.server.reload import Fresh
from quivive.server.settings import ServerSettings
from quivive.store.database import Store

NOW = 1_782_864_000_000  # 2026-07-01, and the clock of every server here
DAY = 86_400_000
REVOKING = """
name: tests
version: 1
description: Revokes what mallory has.
owner: tests
defaults: {mode: enforce}
rules:
  - id: revoke-mallory
    description: Mallory is revoked.
    when: identity.name == "mallory@example.com"
    action: revoke
"""


class Served:
    """A server and a client of it. ``clock`` may be moved."""

    def __init__(
        self,
        state: Path | str,
        settings: ServerSettings | None = None,
        *,
        policy: Path | None = None,
        sending: bool = False,
        config: Path | None = None,
        renew: Callable[[], Fresh] | None = None,
    ) -> None:
        self.now = NOW
        self.state = state
        self.server = Server(
            state,
            Settings(Enricher(None, None), Budgets(), policy),
            settings,
            config=config,
            lasting=False,
            sending=sending,
            renew=renew,
            clock=lambda: self.now,
        )
        self.runner = asyncio.Runner()
        self.token = self.make("tests", "admin")

    def make(self, name: str, *scopes: str, **wanted: Any) -> str:
        """A token that is known at once."""
        with Store(self.state) as store:
            text, _ = create(store, Wanted(name, scopes, **wanted), "tests", self.now)
        context = self.server.context
        context.door.renew(context.access.all())
        return text

    def ask(
        self, method: str, path: str, *, token: str | None = None, **given: Any
    ) -> httpx2.Response:
        """One request, with the token that may do everything unless another is given, or ""."""
        said = self.token if token is None else token
        headers = {
            **({"authorization": f"Bearer {said}"} if said else {}),
            **given.pop("headers", {}),
        }

        async def go() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.server.front)  # type: ignore[arg-type]
            async with httpx2.AsyncClient(transport=transport, base_url="http://q") as client:
                return await client.request(method, path, headers=headers, **given)

        return self.runner.run(go())

    def together(self, *asks: Callable[[httpx2.AsyncClient], Any]) -> list[Any]:
        """Several requests at the same time, with the loop's own judging."""

        async def go() -> list[Any]:
            transport = httpx2.ASGITransport(app=self.server.front)  # type: ignore[arg-type]
            async with httpx2.AsyncClient(
                transport=transport,
                base_url="http://q",
                headers={"authorization": f"Bearer {self.token}"},
            ) as client:
                self.server.judge.here(asyncio.get_running_loop())
                return list(await asyncio.gather(*(ask(client) for ask in asks)))

        return self.runner.run(go())

    def close(self) -> None:
        """Ends it as SIGTERM would."""
        self.server.close()
        self.runner.close()


def login(
    number: int = 0, user: str = "ann@example.com", *, time: int = NOW, **fields: Any
) -> dict[str, Any]:
    """An OCSF login."""
    return {
        "class_uid": 3002,
        "category_uid": 3,
        "activity_id": 1,
        "status_id": 1,
        "time": time - 60_000 + number,
        "user": {"name": user, "email_addr": user},
        "src_endpoint": {"ip": "198.51.100.7"},
        "metadata": {
            "version": "1.8.0",
            "product": {"name": "Portal"},
            "uid": f"login-{user}-{number}",
        },
        "service": {"name": "mail"},
        **fields,
    }
