"""A small client of the server, with the standard library alone: ask, and never break a login.

    from quivive.client import Client

    client = Client("https://quivive.example.com", token, fail="open", seconds=0.2)
    answer = client.assess(login)          # an OCSF Authentication object, or a vendor's record
    if answer.refused:
        ...

Whatever goes wrong, ``assess`` answers within its time: with what the server says, or with what
``fail`` says. Nothing is raised in a login's path. Use one client for all threads.
"""

import http.client
import json
import ssl
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

LETS_IN = frozenset({"allow", "notify", "ticket", "page"})
ACTING = frozenset({"enforce", "canary"})
MOST_BODY = 8 << 20  # bytes read of an answer
MARGIN = 0.8  # of the time for an answer that the server may use


class Answer(NamedTuple):
    """What to do with a login.

    action and mode: the decision; decided: whether it was judged, else ``why`` not; line: all that
    was said about it.
    """

    action: str
    mode: str = "enforce"
    decided: bool = True
    why: str = ""
    risk_score: float = 0.0
    risk_level: str = "unknown"
    line: Mapping[str, Any] = {}

    @property
    def refused(self) -> bool:
        """Whether the login is not to go on as it is: blocked, revoked, or another factor is due.
        Never in shadow.
        """
        return self.mode in ACTING and self.action not in LETS_IN


class ServerError(Exception):
    """The server refused what was sent, or cannot take it now. ``status`` is 0 without an answer.
    ``retry_after``: seconds, where the server named them.
    """

    def __init__(self, status: int, detail: str, retry_after: float | None = None) -> None:
        """Its text is what the server says is wrong."""
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after


class Client:
    """Keeps one connection a thread."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        fail: Literal["open", "closed"] = "open",
        seconds: float = 0.5,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """url: of the server; fail: what an unanswered login is told, let in (open) or not;
        seconds: for an answer. Raises ValueError for a URL that is not http or https.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"no URL of a server: {url!r}")
        self._host, self._port = parts.hostname, parts.port
        self._tls = parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._context = context or (ssl.create_default_context() if self._tls else None)
        self._token = token
        self.fail = fail
        self.seconds = seconds
        self._kept = threading.local()

    def __repr__(self) -> str:
        """Without the token."""
        return f"Client({self._host!r}, fail={self.fail!r})"

    def assess(
        self,
        login: Mapping[str, Any] | bytes,
        *,
        source: str = "auto",
        key: str | None = None,
        traceparent: str | None = None,
    ) -> Answer:
        """Asks about one login. key: an idempotency key, where the login has no id of its own."""
        headers = {"quivive-budget-ms": str(max(1, int(self.seconds * 1000 * MARGIN)))}
        headers |= {"idempotency-key": key} if key else {}
        headers |= {"traceparent": traceparent} if traceparent else {}
        path = "/v1/assess?" + urlencode({"source": source})
        try:
            body = login if isinstance(login, bytes) else json.dumps(login).encode()
            line = self._ask("POST", path, body, headers, self.seconds)
            decision = line["decision"]
            return Answer(
                action=decision["action"],
                mode=decision["mode"],
                decided=line.get("decided", True),
                why=line.get("why", ""),
                risk_score=line.get("risk_score", 0.0),
                risk_level=line.get("risk_level", "unknown"),
                line=line,
            )
        except Exception as error:  # noqa: BLE001 - a login must not break on anything
            why = str(error) if isinstance(error, ServerError) else type(error).__name__
            action = "allow" if self.fail == "open" else "block"
            return Answer(action, decided=False, why=why or "no answer")

    def send(
        self, records: bytes | Iterable[Mapping[str, Any]], *, source: str = "auto"
    ) -> Mapping[str, Any]:
        """Sends many records; returns the counts once they are kept. Raises ServerError: send the
        very same again, it doubles nothing.
        """
        if not isinstance(records, bytes):
            records = b"".join(json.dumps(one).encode() + b"\n" for one in records)
        path = "/v1/events?" + urlencode({"source": source})
        return self._ask("POST", path, records, {}, max(60.0, self.seconds))

    def verdict(
        self, event_id: str, verdict: str, why: str, *, by: str | None = None
    ) -> Mapping[str, Any]:
        """Says what a login was: true_positive, benign_true_positive or false_positive.

        Raises ServerError.
        """
        given = {"event_id": event_id, "verdict": verdict, "why": why}
        given |= {"by": by} if by else {}
        body = json.dumps(given).encode()
        return self._ask("POST", "/v1/verdicts", body, {}, max(30.0, self.seconds))

    def get(self, path: str, **query: Any) -> Mapping[str, Any]:
        """Reads, for example ``get("/v1/assessments", finding="true")``. Raises ServerError."""
        asked = f"?{urlencode(query)}" if query else ""
        return self._ask("GET", path + asked, b"", {}, max(10.0, self.seconds))

    def close(self) -> None:
        """Closes this thread's connection."""
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
            self._kept.connection = None

    def _ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> dict[str, Any]:
        said = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        for fresh in (False, True):
            connection, used = self._connection(seconds, fresh=fresh)
            try:
                connection.request(method, self._base + path, body, {**said, **headers})
                response = connection.getresponse()
                answer = response.read(MOST_BODY)
                break
            except TimeoutError:
                self.close()
                raise ServerError(0, f"no answer within {seconds:g} s") from None
            except (http.client.HTTPException, OSError) as error:
                self.close()
                if not used or fresh:  # an idle connection may have been closed meanwhile
                    raise ServerError(0, f"no connection: {type(error).__name__}") from None
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if response.status == 200 and isinstance(found, dict):
            return found
        detail = found.get("detail") or found.get("title") if isinstance(found, dict) else ""
        after = response.getheader("retry-after", "")
        wait = float(after) if after.isdecimal() else None
        raise ServerError(response.status, f"{response.status} {detail}".strip(), wait)

    def _connection(
        self, seconds: float, *, fresh: bool
    ) -> tuple[http.client.HTTPConnection, bool]:
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is not None and not fresh:
            kept.timeout = seconds
            if kept.sock is not None:
                kept.sock.settimeout(seconds)
            return kept, True
        if self._tls:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=seconds, context=self._context
            )
        else:
            made = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        self._kept.connection = made
        return made, False
