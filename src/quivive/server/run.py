"""The socket: uvicorn around a server, until it is told to stop."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import structlog
import uvicorn

from quivive.app.errors import UsageError
from quivive.model.errors import ConfigurationError
from quivive.server.app import Server
from quivive.server.protocol import protocol
from quivive.server.reload import Reloader, check_pair

COLLECT = (2_000, 25, 50)  # often and little: somebody waits for each login
SWITCH_SECONDS = 0.0005  # so that judging does not keep the event loop from answering


class Listen(NamedTuple):
    """Where to listen. tls: certificate (with its chain) and key, PEM files."""

    host: str = "127.0.0.1"
    port: int = 8450
    tls: tuple[Path, Path] | None = None
    insecure: bool = False


def checked(listen: Listen) -> Listen:
    """The same. Raises UsageError for an address outside without TLS, or files that are missing,
    ConfigurationError for a certificate and a key that cannot be used.
    """
    if listen.tls is not None:
        for path in listen.tls:
            try:
                path.open("rb").close()
            except OSError as error:
                raise UsageError(f"{path}: {error.strerror}; name a PEM file") from None
        check_pair(*listen.tls)
    elif not listen.insecure and not _loopback(listen.host):
        raise UsageError(
            f"--host {listen.host}: logins and tokens would cross the network in the clear; give"
            " --tls-cert and --tls-key, or put a proxy with TLS before 127.0.0.1, or say --insecure"
        )
    return listen


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Listener(uvicorn.Server):
    """uvicorn's, but that a signal ends it in order: it is not raised again before all is kept.
    ``hung_up`` is called at SIGHUP.
    """

    hung_up: Callable[[], None] = staticmethod(lambda: None)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops at SIGTERM and SIGINT; at a second one it no longer waits for requests."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.handle_exit, each, None)
        loop.add_signal_handler(signal.SIGHUP, self.hung_up)
        try:
            yield
        finally:
            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(each)
                signal.signal(each, signal.SIG_IGN)  # the rest is kept, whatever comes


def run(server: Server, listen: Listen) -> None:
    """Serves until SIGTERM or SIGINT; then what was accepted is finished and kept.

    Raises UsageError when nothing can listen there.
    """
    settings = server.settings
    cert, key = listen.tls or (None, None)
    config = uvicorn.Config(
        server.front,
        host=listen.host,
        port=listen.port,
        loop="uvloop",
        http=protocol(settings.slow_seconds),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=settings.connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, round(settings.stop_seconds)),
        ssl_certfile=cert,
        ssl_keyfile=key,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what was loaded lives as long as the process: the collector need not walk it
    gc.set_threshold(*COLLECT)
    try:
        bound = config.bind_socket()
    except SystemExit:
        server.close()
        raise UsageError(
            f"{listen.host}:{listen.port}: nothing can listen there; another server may, see --port"
        ) from None
    asyncio_run = config.get_loop_factory() if hasattr(config, "get_loop_factory") else None
    with asyncio.Runner(loop_factory=asyncio_run) as runner:
        runner.run(_serve(server, _Listener(config), listen, [bound]))


_running: set["asyncio.Task[object]"] = set()


def _reload(reloader: Reloader) -> None:
    async def run() -> None:
        with contextlib.suppress(ConfigurationError):  # said already
            await reloader.run("SIGHUP")

    task = asyncio.get_running_loop().create_task(run())
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _serve(
    server: Server, listener: _Listener, listen: Listen, sockets: list["object"]
) -> None:
    log = structlog.get_logger("quivive.server")
    server.console.pulse.stopping = lambda: listener.should_exit
    server.context.stopping = lambda: listener.should_exit
    reloader = server.reloader
    if reloader is not None:
        listener.hung_up = lambda: _reload(reloader)
        listener.config.load()
        if listen.tls is not None and listener.config.ssl is not None:
            reloader.tls = (listener.config.ssl, *listen.tls)
    server.begin()
    scheme = "https" if listen.tls else "http"
    port = sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    log.info("serving", at=f"{scheme}://{listen.host}:{port}", state=server.store.given)
    try:
        await listener.serve(sockets=sockets)  # type: ignore[arg-type]
    finally:
        log.info("stopping")
        await server.end()
        log.info("stopped")
