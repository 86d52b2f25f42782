"""Taking over changed files without a restart: at SIGHUP, or when ``POST /v1/reload`` asks.

Everything is read and checked first. What is bad is refused whole: the server goes on as before,
and says so in its log, in /readyz and in the audit trail.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog
from msgspec import Struct

from quivive.model.audit import Entry
from quivive.model.errors import ConfigurationError
from quivive.server.context import Context
from quivive.server.http import Problem, Reply, Request, json
from quivive.server.judging import Settings as JudgingSettings
from quivive.server.settings import ServerSettings
from quivive.server.waiting import act
from quivive.store import audit

# Settings that only a new process takes.
FIXED = ("connections", "slow_seconds", "stop_seconds", "behind_tls", "oidc")

Adopt = Callable[[ServerSettings], None]  # has the server work by these; cannot fail
log = structlog.get_logger("quivive.server")


class Fresh(NamedTuple):
    """What the files say now. judging: with places, lists and aliases opened anew."""

    judging: JudgingSettings
    settings: ServerSettings


class Reloaded(Struct, frozen=True, kw_only=True):
    """What was taken over, and the settings of ``server`` that wait for a restart."""

    taken: tuple[str, ...]
    after_restart: tuple[str, ...] = ()


class Reloader:
    """One server's way to take over changed files."""

    def __init__(
        self, context: Context, renew: Callable[[], Fresh], prepare: Callable[[], Adopt]
    ) -> None:
        """``renew`` reads everything anew, ``prepare`` makes what works by the settings file;
        both raise ConfigurationError for what is bad, with nothing changed.
        """
        self._context = context
        self._renew = renew
        self._prepare = prepare
        self._busy = asyncio.Lock()
        self.tls: tuple[ssl.SSLContext, Path, Path] | None = None

    async def run(self, by: str) -> Reloaded:
        """Takes everything over, or nothing. Raises ConfigurationError for what is bad."""
        async with self._busy:
            try:
                done = await self._run()
            except ConfigurationError as error:
                why = self._context.refused = str(error)
                log.error("not reloaded", by=by, error=why)
                await self._record(by, "server:reload refused", {"why": why})
                raise
            self._context.refused = None
            log.info("reloaded", by=by, taken=done.taken, after_restart=done.after_restart)
            details: dict[str, object] = {"taken": list(done.taken)}
            if done.after_restart:
                details["after_restart"] = list(done.after_restart)
            await self._record(by, "server:reloaded", details)
            return done

    async def _run(self) -> Reloaded:
        context = self._context
        fresh = await context.aside(self._renew)
        adopt = await context.aside(self._prepare)
        if self.tls is not None:
            _, cert, key = self.tls
            await context.aside(lambda: check_pair(cert, key))
        models = await act(context.judge, lambda judging: judging.renew(fresh.judging))
        # From here on nothing can fail.
        former = context.settings
        adopt(fresh.settings)
        if self.tls is not None:
            held, cert, key = self.tls
            held.load_cert_chain(cert, key)
        taken = ["places, lists and aliases", "settings"]
        taken += ["models"] if models else []
        taken += ["certificate"] if self.tls is not None else []
        later = tuple(n for n in FIXED if getattr(former, n) != getattr(fresh.settings, n))
        return Reloaded(taken=tuple(taken), after_restart=later)

    async def _record(self, by: str, action: str, details: dict[str, object]) -> None:
        context = self._context
        entry = Entry(
            time=context.clock(), actor=by, action=action, subject="server", details=details
        )

        def write() -> None:
            with context.store.transaction() as connection:
                audit.append(connection, [entry])

        try:
            await context.aside(write)
        except ConfigurationError as error:
            log.error("not recorded", action=action, error=str(error))


async def reload(context: Context, request: Request) -> Reply:
    """Reads places, lists, aliases, settings, certificate and models anew; all of it or nothing."""
    if context.reload is None:
        raise Problem(409, "nothing to reload", "this server was started without files")
    try:
        return json(await context.reload(f"token {request.caller.name}"))
    except ConfigurationError as error:
        raise Problem(422, "refused; the server goes on as before", str(error)) from None


def check_pair(cert: Path, key: Path) -> None:
    """Whether certificate and key can be used. Raises ConfigurationError."""

    def ask() -> str:
        raise ConfigurationError(
            f"{key}: the key is locked with a passphrase; give one without, readable for the"
            " server's account alone"
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, ask)
    except (OSError, ssl.SSLError) as error:
        said = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise ConfigurationError(
            f"{cert}, {key}: no certificate with its key ({said}); name PEM files of one pair"
        ) from None
