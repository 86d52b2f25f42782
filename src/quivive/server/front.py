"""What every request passes: its id, who asks, how often, headers of the reply, one line of log."""

import secrets
from collections.abc import Callable
from time import perf_counter

import structlog
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quivive.app.access import Door
from quivive.model.errors import ConfigurationError
from quivive.server.faults import where
from quivive.server.figures import Figures
from quivive.server.http import Problem, Reply, Request
from quivive.store.access import Token
from quivive.store.database import StoreUnavailable

# What an orchestrator asks without a token, and what is public of a transmitter of events.
HEALTH = frozenset({"/healthz", "/readyz"})
OPEN = HEALTH | {"/.well-known/ssf-configuration", "/ssf/jwks.json"}
BURST_SECONDS = 2.0
SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]
STRICT = (b"strict-transport-security", b"max-age=31536000")

log = structlog.get_logger("quivive.access")


class Bucket:
    """A token bucket: so many requests a second, and as many more as two seconds saved up."""

    __slots__ = ("at", "left", "rate")

    def __init__(self, rate: float, at: float) -> None:
        """Full at ``at`` (seconds of any steady clock)."""
        self.rate = rate
        self.left = max(1.0, rate * BURST_SECONDS)
        self.at = at

    def take(self, at: float) -> float:
        """0 when a request may pass, else the seconds until one may."""
        full = max(1.0, self.rate * BURST_SECONDS)
        self.left = min(full, self.left + (at - self.at) * self.rate)
        self.at = at
        if self.left >= 1.0:
            self.left -= 1.0
            return 0.0
        return (1.0 - self.left) / self.rate


class Front:
    """The application that uvicorn calls."""

    def __init__(
        self,
        router: Router,
        door: Door,
        figures: Figures,
        clock: Callable[[], int],
        rate: float,
        *,
        tls: bool = False,
    ) -> None:
        """rate: requests a second of a token without a rate of its own."""
        self.router = router
        self.door = door
        self.figures = figures
        self.clock = clock
        self.rate = rate
        self._always = [*SECURITY, STRICT] if tls else SECURITY
        self._buckets: dict[str, Bucket] = {}
        self.beside: ASGIApp | None = None  # what answers all other paths: the console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. What goes wrong in it is answered as a problem, without its details."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await _lifespan(receive, send)
            return
        if self.beside is not None and not _is_ours(scope["path"]):
            await self.beside(scope, receive, send)
            return
        begun = perf_counter()
        request = Request(scope, receive)
        request.id = request.id or secrets.token_hex(8)
        scope["quivive.request"] = request
        scope["app"] = self
        try:
            reply = await self._reply(request, scope, receive, send)
        except Problem as problem:
            reply = problem.reply(request.id)
        except HTTPException as error:
            known = Problem(error.status_code, error.detail, headers=error.headers)
            reply = known.reply(request.id)
        except StoreUnavailable:
            again = "the store cannot be used now; try again"
            reply = Problem(503, "store unavailable", again, {"retry-after": "1"}).reply(request.id)
        except ConfigurationError as error:
            reply = Problem(422, "refused", str(error)).reply(request.id)
        except Exception as error:  # noqa: BLE001 - one request must not end the server
            kind = type(error).__name__
            log.error("fault", request=request.id, error=kind, where=where(error))
            reply = Problem(500, "a fault of the server", "see its log").reply(request.id)
        await self._send(request, reply, send)
        self._log(request, reply, perf_counter() - begun)

    async def _reply(self, request: Request, scope: Scope, receive: Receive, send: Send) -> Reply:
        request.token = self._who(request)
        if request.token is not None:
            self._limit(request.token)
        elif scope["path"] not in OPEN:
            raise _unknown() if _bearer(request) else _nobody()
        await self.router(scope, receive, send)
        reply: Reply = scope["quivive.reply"]
        return reply

    def _who(self, request: Request) -> Token | None:
        text = _bearer(request)
        return self.door.who(text, self.clock()) if text else None

    def _limit(self, token: Token) -> None:
        at = perf_counter()
        bucket = self._buckets.get(token.id)
        if bucket is None:
            bucket = self._buckets[token.id] = Bucket(token.rate or self.rate, at)
        wait = bucket.take(at)
        if wait:
            raise Problem(
                429,
                "too many requests",
                f"this token may ask {bucket.rate:g} times a second",
                {"retry-after": str(max(1, round(wait + 0.5)))},
            )

    async def _send(self, request: Request, reply: Reply, send: Send) -> None:
        body = reply.body
        headers = [
            (b"content-type", reply.kind),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request.id.encode()),
            *self._always,
        ]
        headers += [(n.lower().encode(), _safe(v)) for n, v in reply.headers.items()]
        start: Message = {"type": "http.response.start", "status": reply.status}
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _log(self, request: Request, reply: Reply, seconds: float) -> None:
        route = str(request.scope.get("quivive.route", "-"))
        self.figures.requests[request.method, route, reply.status] += 1
        said: dict[str, object] = {
            "request": request.id,
            "method": request.method,
            "route": route,
            "status": reply.status,
            "ms": round(seconds * 1000, 2),
        }
        if request.token is not None:
            said["token"] = request.token.id
        if request.trace:
            said["trace"] = request.trace
        log.info("request", **said)


def _is_ours(path: str) -> bool:
    return path.startswith(("/v1/", "/ssf/")) or path in OPEN or path == "/metrics"


def _safe(value: str) -> bytes:
    """A header's value: one line of visible ASCII, whatever a login named itself."""
    return "".join(c if " " <= c <= "~" else "?" for c in value)[:1_024].encode("ascii")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _bearer(request: Request) -> str:
    scheme, _, text = request.header("authorization").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def _nobody() -> Problem:
    return Problem(
        401,
        "a token is needed",
        "Authorization: Bearer …; quivive token create makes one",
        {"www-authenticate": "Bearer"},
    )


def _unknown() -> Problem:
    return Problem(
        401,
        "this token is not valid",
        "mistyped, revoked or expired; one that was just made counts within two seconds",
        {"www-authenticate": 'Bearer error="invalid_token"'},
    )
