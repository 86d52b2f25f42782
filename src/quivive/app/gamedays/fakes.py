"""The vendors of a game day: small stateful fakes behind a transport without a socket.

Each answers the few requests of the vendor's documented API that the responses make, keeps what
they change, and fails (404) at anything else. Hosts end in ``.invalid`` (RFC 6761).
"""

import hmac
import json
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

import httpx2
from msgspec import Struct

from quivive.notify.notifier import (
    Answer,
    Append,
    Apprise,
    Line,
    Mail,
    NotDeliveredError,
    Post,
    Publish,
)
from quivive.respond.client import Client, Clock
from quivive.respond.errors import RespondError
from quivive.respond.webhook import genuine

RBAC = "/apis/rbac.authorization.k8s.io/v1"
SECRET = "only-for-game-days-and-no-secret"  # noqa: S105  both ends of the fakes know it
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


class Asked(Struct, frozen=True):
    """A request as a fake saw it; ``time`` in ms UTC by the clock of the game day."""

    host: str
    method: str
    path: str
    body: bytes
    status: int
    time: int

    def __str__(self) -> str:
        """As it is compared and told: "DELETE /api/…"."""
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        """Whether it asked for a change that was made."""
        return self.method in CHANGING and self.status < 300


Reply = tuple[int, Any]


class Fake:
    """One vendor. Subclasses answer with a status and a JSON value."""

    host = "fake.invalid"
    token = SECRET

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://{self.host}"

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        """What it answers to one request; 404 by default."""
        return 404, {"message": f"no such thing: {request.method} {path}"}

    def allowed(self, request: httpx2.Request) -> bool:
        """Whether whoever asks may."""
        return request.headers.get("authorization") == f"Bearer {self.token}"


class Cluster(Fake):
    """A Kubernetes API server with a role binding for each of its users."""

    host = "cluster.invalid"

    def __init__(self, users: dict[str, str]) -> None:
        """``users``: namespace by user name."""
        self.bindings: dict[str, dict[str, Any]] = {}
        for number, (user, namespace) in enumerate(sorted(users.items()), 1):
            name = f"developer-{number}"
            path = f"{RBAC}/namespaces/{namespace}/rolebindings/{name}"
            self.bindings[path] = {
                "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{number}",
                             "resourceVersion": str(100 + number)},
                "subjects": [{"kind": "User", "name": user,
                              "apiGroup": "rbac.authorization.k8s.io"}],
                "roleRef": {"kind": "ClusterRole", "name": "edit",
                            "apiGroup": "rbac.authorization.k8s.io"},
            }  # fmt: skip

    def path_of(self, user: str) -> str:
        """The binding that names a user, by its path; "" where none does."""
        for path, binding in self.bindings.items():
            if any(subject["name"] == user for subject in binding["subjects"]):
                return path
        return ""

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        """Lists, deletes and makes role bindings."""
        if not self.allowed(request):
            return 401, {"message": "Unauthorized"}
        if request.method == "GET" and path == f"{RBAC}/rolebindings":
            return 200, {"items": list(self.bindings.values())}
        if request.method == "GET" and path in self.bindings:
            return 200, self.bindings[path]
        if request.method == "DELETE" and path in self.bindings:
            del self.bindings[path]
            return 200, {"status": "Success"}
        place = rf"{RBAC}/namespaces/[^/]+/rolebindings"
        if request.method == "POST" and re.fullmatch(place, path):
            made = json.loads(request.content)
            self.bindings[f"{path}/{made['metadata']['name']}"] = made
            return 201, made
        return super().answer(request, path, now)


class Vault(Fake):
    """A secret manager that counts the versions of each secret."""

    host = "vault.invalid"

    def __init__(self) -> None:
        """Every secret is at its first version."""
        self.versions: dict[str, int] = {}
        self.rotated: dict[str, int] = {}  # when last, ms UTC

    def version(self, path: str) -> int:
        """Which version is good now."""
        return self.versions.get(path, 1)

    def allowed(self, request: httpx2.Request) -> bool:
        """Vault has a header of its own."""
        return request.headers.get("x-vault-token") == self.token

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        """Rotates."""
        if not self.allowed(request):
            return 403, {"errors": ["permission denied"]}
        if request.method == "POST" and "/rotate" in path:
            key = path.removeprefix("/v1/")
            self.versions[key] = self.version(key) + 1
            self.rotated.setdefault(key, now)
            return 204, None
        return super().answer(request, path, now)


class Receiver(Fake):
    """A program of one's own that suspends credentials, and believes only what is signed."""

    host = "ci-gate.invalid"

    def __init__(self) -> None:
        """Nothing is suspended."""
        self.suspended: dict[str, int] = {}  # a credential, and when
        self.forged = 0
        self._keys: set[str] = set()

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        """Suspends the credential that the request names, once for each idempotency key."""
        headers = {k.lower(): v for k, v in request.headers.items()}
        if not genuine(SECRET, headers, request.content, now // 1000):
            self.forged += 1
            return 401, {"message": "the signature is wrong"}
        said = json.loads(request.content)
        if headers.get("idempotency-key", "") in self._keys:
            return 200, {"known": True}
        self._keys.add(headers.get("idempotency-key", ""))
        credential = said["target"].get("credential") or said["target"]["identity"]
        if said["type"] == "quivive.response" and said["action"] == "disable":
            self.suspended.setdefault(credential, now)
        return 200, {"done": True}


class Directory(Fake):
    """Microsoft Graph, with its token endpoint at the same host."""

    host = "graph.invalid"

    def __init__(self) -> None:
        """Nobody is signed out."""
        self.signed_out: dict[str, int] = {}

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        """Gives tokens; signs people out."""
        if request.method == "POST" and path.endswith("/oauth2/v2.0/token"):
            return 200, {"access_token": self.token, "expires_in": 3600}
        if not self.allowed(request):
            return 401, {"error": {"message": "no token"}}
        found = re.fullmatch(r"/v1\.0/users/([^/]+)/revokeSignInSessions", path)
        if request.method == "POST" and found:
            self.signed_out.setdefault(unquote(found[1]), now)
            return 200, {"value": True}
        if request.method == "POST" and path.endswith("/riskyUsers/confirmCompromised"):
            return 204, None
        return super().answer(request, path, now)


class Pager(Fake):
    """Where people are told: a webhook that checks the signature and keeps every message."""

    host = "people.invalid"

    def __init__(self) -> None:
        """Nobody was told anything."""
        self.messages: list[dict[str, Any]] = []

    def answer(self, request: httpx2.Request, path: str, now: int) -> Reply:
        """Takes a notification."""
        stamp = request.headers.get("quivive-timestamp", "")
        signed = hmac.new(SECRET.encode(), stamp.encode() + b"." + request.content, sha256)
        if request.headers.get("quivive-signature") != f"v1={signed.hexdigest()}":
            return 401, None
        self.messages.append(json.loads(request.content))
        return 200, None


class Fakes:
    """All fakes of a game day, as the transport and the wire of its clients."""

    def __init__(self, clock: Clock, *fakes: Fake) -> None:
        """``clock``: of the game day."""
        self.pager = Pager()
        self.clock = clock
        self.asked: list[Asked] = []
        self.unwell: set[str] = set()  # hosts that answer 500 to everything
        self._fakes = {fake.host: fake for fake in (*fakes, self.pager)}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answers one request. Nothing else can be asked."""
        host, path, now = request.url.host, request.url.path, self.clock.now()
        fake = self._fakes.get(host)
        status, body = 500, None
        if fake is None:
            raise httpx2.ConnectError(f"{host}: not a fake of this game day")
        if host not in self.unwell:
            status, body = fake.answer(request, path, now)
        self.asked.append(Asked(host, request.method, path, request.content, status, now))
        content = b"" if body is None else json.dumps(body).encode()
        return httpx2.Response(status, content=content)

    def changes(self, *but: str) -> list[Asked]:
        """The changes that vendors made, people told left out; ``but``: hosts to leave out too."""
        return [a for a in self.asked if a.changes and a.host not in (self.pager.host, *but)
                and not a.path.endswith("/token")]  # fmt: skip

    @property
    def hosts(self) -> list[str]:
        """Everybody who can be asked."""
        return list(self._fakes)

    @property
    def transport(self) -> httpx2.MockTransport:
        """What clients send through."""
        return httpx2.MockTransport(self)

    def wire(self) -> "Wire":
        """What the channels send through."""
        return Wire(self)


class Wire:
    """The notifiers' way to the fakes. Only HTTP: a game day's channel is a webhook."""

    def __init__(self, fakes: Fakes) -> None:
        """Sends to ``fakes``."""
        self._client: Callable[[str], Client] = lambda url: Client(
            url, clock=fakes.clock, transport=fakes.transport
        )

    def post(self, message: Post) -> Answer:
        """Sends an HTTP request."""
        try:
            found = self._client(message.url).send(
                message.method, message.url, headers=message.headers, content=message.body,
                repeatable=False,
            )  # fmt: skip
        except RespondError as error:
            raise NotDeliveredError(str(error)) from None
        return Answer(found.status, found.body)

    def mail(self, message: Mail) -> None:
        """No mail leaves a game day."""
        raise NotDeliveredError("a game day sends no mail", again=False)

    def line(self, message: Line) -> None:
        """No socket is opened in a game day."""
        raise NotDeliveredError("a game day opens no socket", again=False)

    def append(self, message: Append) -> None:
        """No file is written."""
        raise NotDeliveredError("a game day writes no file", again=False)

    def apprise(self, message: Apprise) -> None:
        """Nobody outside is told."""
        raise NotDeliveredError("a game day tells nobody outside", again=False)

    def publish(self, message: Publish) -> None:
        """No topic is written to."""
        raise NotDeliveredError("a game day writes to no topic", again=False)
