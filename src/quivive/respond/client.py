"""The one way out: HTTP to one vendor, with its hosts fixed, bounded, retried by rule.

Only the configured hosts are asked, and redirects are not followed. 429, 5xx and connection errors
are tried again with back-off, other answers never. A vendor that keeps failing is left alone
(``breaker.py``). Where private addresses are refused, the address that was checked is the one that
is connected to, so that a name cannot change its mind in between (DNS rebinding).
"""

import ssl
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from quivive.respond.addresses import Resolve, resolve, why_not
from quivive.respond.breaker import Breaker
from quivive.respond.errors import RefusedError, RejectedError, UnavailableError

TIMEOUT = 10.0  # seconds
MOST_BODY = 1 << 20  # bytes of an answer
ATTEMPTS = 3  # within one performance; the outbox tries again later
PAUSE = 0.5  # seconds before the second attempt, doubled for the third
LONGEST_WAIT = 5.0  # seconds of Retry-After that are waited out here
LONGEST_RETRY = 3600.0  # seconds of Retry-After that are believed
REQUEST_IDS = ("x-okta-request-id", "request-id", "x-github-request-id", "x-request-id",
               "x-correlation-id", "audit-id", "x-arequestid")  # fmt: skip
# When one may ask again, in seconds since 1970: Okta's, Auth0's and GitHub's.
RESETS = ("x-rate-limit-reset", "x-ratelimit-reset")


class HttpSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a connection speaks HTTP.

    timeout: seconds, for each of connecting, sending and receiving. ca_file: PEM file of the
    authorities to trust instead of the public ones. proxy: its URL. allow_private: also ask
    addresses inside the network.
    """

    timeout: float = TIMEOUT
    ca_file: str | None = None
    proxy: str | None = None
    allow_private: bool | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a timeout outside 0.1 to 120 seconds."""
        if not 0.1 <= self.timeout <= 120:
            raise ValueError("timeout must lie between 0.1 and 120 seconds")


class Clock(Struct, frozen=True):
    """Time, given from outside so that tests need none: ``now`` in ms UTC, ``sleep`` in seconds."""

    now: Callable[[], int]
    sleep: Callable[[float], None]


def system_clock() -> Clock:
    """The machine's clock."""
    return Clock(now=lambda: time.time_ns() // 1_000_000, sleep=time.sleep)


# Puts an event (kind, what it says, subject, what it is about, ms UTC) into the streams that want
# it; gives how many those are.
Outlet = Callable[[str, Mapping[str, Any], Mapping[str, Any], str, int], int]


class Answer(Struct, frozen=True):
    """What a vendor answered: status, headers (lower case), body, its id of the request."""

    status: int
    headers: dict[str, str]
    body: bytes
    request_id: str | None = None

    def json(self) -> Any:
        """The body as JSON. Raises UnavailableError for anything else: the vendor is unwell."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise UnavailableError(
                f"the vendor answered {self.status} with something that is not JSON"
            ) from None


class Client:
    """HTTP to one host. ``kept`` holds what may be used again for a while, such as tokens;
    ``carried`` the headers that every request has for now, such as a trace's; ``outlet`` is where
    events go that receivers fetch themselves.
    """

    def __init__(
        self,
        base: str,
        settings: HttpSettings | None = None,
        *,
        private: bool = True,
        also: tuple[str, ...] = (),
        clock: Clock | None = None,
        transport: httpx2.BaseTransport | None = None,
        resolver: Resolve = resolve,
        breaker: Breaker | None = None,
        most_body: int = MOST_BODY,
    ) -> None:
        """For the host of ``base``; ``private``: whether its address may be a private one.

        also: URLs of further hosts that may be asked, such as the one that gives tokens.
        most_body: bytes of an answer that are taken.
        Raises RefusedError for a base that is no plain http(s) URL.
        """
        self.settings = settings or HttpSettings()
        self.base = httpx2.URL(checked_url(base))
        self._origins = {
            _origin(url) for url in (self.base, *(httpx2.URL(checked_url(u)) for u in also))
        }
        if self.settings.allow_private is not None:
            private = self.settings.allow_private
        self._private = private
        self._most_body = most_body
        self.clock = clock or system_clock()
        self.breaker = breaker or Breaker()
        self._resolve = resolver
        self._transport = transport
        self._http: httpx2.Client | None = None
        self.kept: dict[str, tuple[int, str]] = {}
        self.carried: Mapping[str, str] = {}
        self.outlet: Outlet | None = None

    def _client(self) -> httpx2.Client:
        if self._http is None:
            verify: ssl.SSLContext | bool = True
            if self.settings.ca_file is not None:
                try:
                    verify = ssl.create_default_context(cafile=self.settings.ca_file)
                except (OSError, ssl.SSLError) as error:
                    raise RefusedError(
                        f"{self.settings.ca_file}: no certificates in it ({error.strerror})"
                    ) from None
            self._http = httpx2.Client(
                transport=self._transport,
                verify=verify,
                proxy=self.settings.proxy if self._transport is None else None,
                trust_env=False,
                follow_redirects=False,
                timeout=self.settings.timeout,
                headers={
                    "User-Agent": "quivive",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",  # nothing that unpacks to a thousandfold
                },
            )
        return self._http

    def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        expect: tuple[int, ...] = (200, 201, 202, 204),
        repeatable: bool = True,
    ) -> Answer:
        """Asks, tries again where that is right, and gives the answer of an expected status.

        path: what follows the host, or a whole URL of the same host. repeatable: False for what
        would happen twice when sent twice; only a refused connection is tried again then.
        Raises RejectedError for another answer, UnavailableError when trying later may help.
        """
        url = self._url(path)
        for attempt in range(1, ATTEMPTS + 1):
            if not self.breaker.allows(self.clock.now()):
                raise UnavailableError(
                    f"{url.host} kept failing and is left alone for a while",
                    retry_after=self.breaker.wait(self.clock.now()),
                )
            try:
                answer = self._once(method, url, headers or {}, content)
            except UnavailableError as error:
                self.breaker.failed(self.clock.now())
                again = error.before_sending or repeatable
                if attempt == ATTEMPTS or not again:
                    raise
                self.clock.sleep(PAUSE * 2 ** (attempt - 1))
                continue
            except BaseException:
                self.breaker.trying = False  # not the vendor's fault: the next one may try
                raise
            if answer.status in expect:
                self.breaker.succeeded()
                return answer
            busy = _is_busy(answer)
            if busy or answer.status >= 500:
                unwell = self._unwell(url, answer, busy)
                wait = unwell.retry_after
                if not busy:
                    self.breaker.failed(self.clock.now())
                else:
                    self.breaker.succeeded()  # it is well, only busy
                pause = PAUSE * 2 ** (attempt - 1) if wait is None else wait
                may = busy or answer.status == 503 or repeatable
                if attempt == ATTEMPTS or pause > LONGEST_WAIT or not may:
                    raise unwell
                self.clock.sleep(pause)
                continue
            self.breaker.succeeded()
            raise RejectedError(_refusal(url, answer), status=answer.status)
        raise AssertionError("unreachable")  # pragma: no cover

    def _once(
        self, method: str, url: httpx2.URL, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        pinned, named, extensions = self._pinned(url)
        until = self.clock.now() + 3 * self.settings.timeout * 1000
        try:
            with self._client().stream(
                method,
                pinned,
                headers={**self.carried, **headers, **named},
                content=content,
                extensions=extensions,
            ) as answer:
                body = bytearray()
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise UnavailableError(f"{url.host} answered packed, which was not asked for")
                for chunk in answer.iter_bytes(65536):
                    body += chunk
                    if self.clock.now() > until:
                        raise UnavailableError(f"{url.host} answered too slowly to wait for")
                    if len(body) > self._most_body:
                        raise UnavailableError(
                            f"{url.host} answered {answer.status_code} with more than"
                            f" {self._most_body >> 20} MiB"
                        )
                found = {k.lower(): v for k, v in answer.headers.items()}
                request_id = next((found[k] for k in REQUEST_IDS if k in found), None)
                return Answer(answer.status_code, found, bytes(body), _cut(request_id))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise UnavailableError(
                f"{url.host}: no connection ({_kind(error)})", before_sending=True
            ) from None
        except httpx2.TimeoutException as error:
            raise UnavailableError(
                f"{url.host} did not answer within {self.settings.timeout:g} s ({_kind(error)})"
            ) from None
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise UnavailableError(f"{url.host}: broken answer ({_kind(error)})") from None

    def _url(self, path: str) -> httpx2.URL:
        if "://" in path:
            url = httpx2.URL(checked_url(path))
        else:
            url = httpx2.URL(f"{str(self.base).rstrip('/')}/{path.lstrip('/')}")
        if _origin(url) not in self._origins:
            raise RefusedError(f"{url.host} is not the host of this connection, {self.base.host}")
        return url

    def _pinned(self, url: httpx2.URL) -> tuple[httpx2.URL, dict[str, str], dict[str, Any]]:
        """The URL with a checked address for a host, where private addresses are refused."""
        if self._private:
            return url, {}, {}
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = self._resolve(url.host, port)
        except OSError:
            raise UnavailableError(f"{url.host}: no such host", before_sending=True) from None
        for address in found:
            reason = why_not(address)
            if reason is not None:
                raise RefusedError(
                    f"{url.host} leads to {address}, {reason}; set http.allow_private if it should"
                )
        if not found:
            raise UnavailableError(f"{url.host}: no such host", before_sending=True)
        address = found[0].partition("%")[0]
        return url.copy_with(host=address), {"Host": url.netloc.decode("ascii")}, {
            "sni_hostname": url.host
        }  # fmt: skip

    def _unwell(self, url: httpx2.URL, answer: Answer, busy: bool) -> UnavailableError:
        wait = _retry_after(answer.headers.get("retry-after"), self.clock.now())
        resets = (answer.headers.get(name) for name in RESETS)
        reset = next((found for found in resets if found is not None), None)
        if wait is None and busy and reset is not None and reset.isdecimal():
            wait = float(int(reset[:12]) - self.clock.now() // 1000)
        if wait is not None:
            wait = max(0.0, min(wait, LONGEST_RETRY))
        what = "is asked too often" if busy else "has a fault of its own"
        return UnavailableError(f"{url.host} {what} ({answer.status})", retry_after=wait)


def _is_busy(answer: Answer) -> bool:
    """Whether it is only asked too often; GitHub says so with 403, too, and one of two headers."""
    if answer.status != 403:
        return answer.status == 429
    headers = answer.headers
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def checked_url(url: str) -> str:
    """The URL itself. Raises RefusedError for one that is not plain http(s), or holds a secret."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise RefusedError("not a URL; write https://host/…") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RefusedError("not a URL of a host; write https://host/…")
    if parsed.userinfo:
        raise RefusedError(f"the URL of {parsed.host} holds a user name or password; leave it out")
    return url


def _retry_after(text: str | None, now: int) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        return parsedate_to_datetime(text).timestamp() - now / 1000
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


_TOLD = ("errorSummary", "error_description", "message", "errorMessage", "description", "error")


def _refusal(url: httpx2.URL, answer: Answer) -> str:
    """What a vendor said to a request it rejected, cut short: it may repeat what it was sent."""
    if 300 <= answer.status < 400:
        return f"{url.host} redirects elsewhere ({answer.status}); correct the URL in the settings"
    said = ""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if isinstance(body, dict):
        inner = body.get("error")
        if isinstance(inner, dict):  # Microsoft's and Google's way
            body = inner
        said = next((t for k in _TOLD if isinstance(t := body.get(k), str) and t), "")
    hint = {401: "; is the credential still valid?", 403: "; grant the privilege it needs"}
    told = f": {_cut(said)}" if said else ""
    return f"{url.host} refused ({answer.status}){told}{hint.get(answer.status, '')}"


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= 200 else clean[:199] + "…"


def _kind(error: Exception) -> str:
    return type(error).__name__
