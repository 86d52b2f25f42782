"""One request, one reply, and what is wrong with a request (RFC 9457)."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from starlette.types import Receive, Scope

from quivive.model.origin import Origin
from quivive.server.parameters import wrong
from quivive.store.access import Token

JSON = b"application/json"
PROBLEM = b"application/problem+json"
MOST_QUERY = 4_096  # bytes
MOST_DRAINED = 64 << 20  # bytes of a body that is too long, read so that the answer is

T = TypeVar("T")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class ProblemBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong, as RFC 9457 says it. request_id: what the log names the request by."""

    title: str
    status: int
    detail: str = ""
    request_id: str = ""


class Problem(Exception):  # noqa: N818
    """A request that is answered with an error."""

    def __init__(
        self, status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """``detail`` says what to do; headers are added to the reply."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})

    def reply(self, request_id: str) -> "Reply":
        """As it is sent."""
        body = ProblemBody(
            title=self.title, status=self.status, detail=self.detail, request_id=request_id
        )
        return Reply(msgspec.json.encode(body), self.status, self.headers, PROBLEM)


class Reply:
    """What is sent back."""

    __slots__ = ("body", "headers", "kind", "status")

    def __init__(
        self,
        body: bytes = b"",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        kind: bytes = JSON,
    ) -> None:
        """``kind`` is the content type."""
        self.body = body
        self.status = status
        self.headers = headers or {}
        self.kind = kind


def json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A value as JSON."""
    return Reply(msgspec.json.encode(value), status, headers)


class Request:
    """One request, as far as endpoints see it. token is None on the routes that need none."""

    __slots__ = ("_headers", "_receive", "id", "path", "sampled", "scope", "token", "trace")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Its id is that of X-Request-ID where that is well-formed, else empty."""
        self.scope = scope
        self.path: dict[str, str] = {}
        self.token: Token | None = None
        self._receive = receive
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        given = self.header("x-request-id")
        self.id = given if _REQUEST_ID.fullmatch(given) else ""
        found = _TRACE.fullmatch(self.header("traceparent"))
        known = found is not None and found[1].strip("0") and found[2].strip("0")
        self.trace = found[1] if found is not None and known else ""
        self.sampled = bool(found is not None and known and int(found[3], 16) & 1)

    @property
    def method(self) -> str:
        """GET, POST…"""
        return str(self.scope["method"])

    @property
    def origin(self) -> Origin:
        """What is passed on with all that is asked because of this request."""
        return Origin(request=self.id, trace=self.trace, sampled=self.sampled)

    @property
    def caller(self) -> Token:
        """The token. Only on routes that need one."""
        assert self.token is not None
        return self.token

    def header(self, name: str) -> str:
        """A header's text (name in lower case); "" where there is none."""
        return self._headers.get(name.encode(), b"").decode("latin-1").strip()

    def query(self, kind: type[T]) -> T:
        """The query as a struct. Raises Problem for what is unknown or of the wrong type."""
        raw: bytes = self.scope.get("query_string", b"")
        if not raw:
            found: dict[str, Any] = {}
        elif len(raw) > MOST_QUERY:
            raise Problem(414, "query too long", f"{MOST_QUERY} bytes are the most")
        else:
            try:
                pairs = parse_qsl(
                    raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=32
                )
            except (ValueError, UnicodeDecodeError):
                raise Problem(400, "query cannot be read", "write name=value&name=value") from None
            found = dict(pairs)
            if len(found) != len(pairs):
                names = [name for name, _ in pairs]
                twice = ", ".join(dict.fromkeys(n for n in names if names.count(n) > 1))
                raise Problem(400, "query has a parameter twice", f"{twice}: give each one once")
        try:
            return msgspec.convert(found, kind, strict=False)
        except msgspec.ValidationError:
            raise Problem(400, "query is wrong", "; ".join(wrong(found, kind))) from None

    async def chunks(self, most: int) -> AsyncIterator[bytes]:
        """The body as it comes. Raises Problem when it is longer than ``most`` bytes."""
        length = self.header("content-length")
        if length.isdecimal() and int(length) > most:
            if not self.header("expect"):
                await self._drain(int(length))
            raise _too_long(most)
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "the caller went away")
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > most:
                if message.get("more_body"):
                    await self._drain(most)
                raise _too_long(most)
            yield chunk
            if not message.get("more_body"):
                return

    async def _drain(self, length: int) -> None:
        """Reads on to nowhere, as far as that is worth it: whoever sends all of a body before
        reading, as most clients do, would see a broken connection instead of the answer.
        """
        left = MOST_DRAINED if length <= MOST_DRAINED else 0
        while left > 0:
            message = await self._receive()
            left -= max(1, len(message.get("body", b"")))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return

    async def body(self, most: int) -> bytes:
        """The whole body. Raises Problem when it is longer than ``most`` bytes."""
        parts = [chunk async for chunk in self.chunks(most)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def decoded(self, kind: type[T], most: int) -> T:
        """The body as JSON of a kind. Raises Problem for anything else."""
        body = await self.body(most)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            raise Problem(422, "body is not as it should be", str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "body is not JSON", str(error)) from None


def _too_long(most: int) -> Problem:
    return Problem(
        413, "body too long", f"{most} bytes are the most; send less", {"connection": "close"}
    )
