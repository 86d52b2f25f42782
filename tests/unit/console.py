"""The console of a small server, with logins made up for tests, and a browser without a window."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher

from quivive.app.accounts import SignIn
from quivive.app.incidents import Desk, decision_entries
from quivive.store.audit import append
from quivive.store.database import Store, assessments
from tests.unit.serving import NOW, Served

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
USERS = {"vic": "viewer", "ana": "analyst", "rob": "responder", "ada": "admin"}
MINUTE = 60_000


def line(
    number: int = 0, who: str = "ann@example.com", *, risk: float = 70.0, **fields: Any
) -> bytes:
    """A scored line. ``fields`` take the place of texts: place, network, device, client, service,
    product, reason, ip, full_name, and of time, finding, kind, action, mode.
    """
    time = fields.get("time", NOW - 3_600_000 + number * MINUTE)
    level = (
        "critical" if risk >= 80 else "high" if risk >= 66 else "medium" if risk >= 46 else "low"
    )
    event = {
        "class_uid": 3002, "category_uid": 3, "activity_id": 1, "type_uid": 300201,
        "severity_id": 1, "status_id": fields.get("status", 1), "time": time,
        "user": {"name": who, "email_addr": fields.get("email", who),
                 "full_name": fields.get("full_name", "Ann Orange"), "type_id": 1},
        "metadata": {"version": "1.8.0", "product": {"name": fields.get("product", "Entra ID")},
                     "uid": fields.get("id", f"login-{number}")},
        "service": {"name": fields.get("service", "Mail")},
        "src_endpoint": {"ip": fields.get("ip", "203.0.113.77"),
                         "location": {"city": fields.get("place", "Bucharest"), "country": "RO",
                                      **dict(zip(("lat", "long"), fields.get("at", ()),
                                                 strict=False))},
                         "autonomous_system": {"number": 64500,
                                               "name": fields.get("network", "Net")}},
        "device": {"type_id": 2, "name": fields.get("device", "ANNS-LAPTOP"),
                   "os": {"name": "macOS", "type_id": 300}},
        "http_request": {"user_agent": fields.get("client", "Mozilla/5.0")},
    }  # fmt: skip
    finding = fields.get("finding", risk >= 46)
    reason = fields.get("reason", "country RO: 0 of its 61 logins, 0 of 40 by peers")
    scored = {
        "event": event, "risk_score": risk, "risk_level": level, "confidence": 0.9,
        "reasons": [{"signal": "country", "text": reason, "weight": 4.0, "attack": ["T1078"]}],
        "decision": {"action": fields.get("action", "revoke"), "mode": fields.get("mode", "shadow"),
                     "rule": "default/critical-revoke"},
        "id": event["metadata"]["uid"], "identity": who,
        "identity_kind": fields.get("kind", "human"), "finding": finding, "threshold": 46.0,
        "score": 8.0, "reassuring": [],
        "looks_like": "an outsider with the password" if finding else "",
        "otherwise": "a journey" if finding else "", "counterfactual": fields.get("counterfactual"),
    }  # fmt: skip
    return msgspec.json.encode(scored)


def put(state: Path | str, lines: list[bytes]) -> None:
    """Puts scored lines into a store, with their incidents and records."""
    with Store(state, lasting=False) as store:
        desk = Desk(store)
        rows = []
        for body in lines:
            found = msgspec.json.decode(body)
            rows.append(
                {
                    "id": found["id"], "time": found["event"]["time"],
                    "identity": found["identity"],
                    "risk_score": found["risk_score"], "body": body, "finding": found["finding"],
                    "stratum": f"{found['identity_kind']}/x",
                }
            )  # fmt: skip
            desk.take(body)
        with store.transaction() as connection:
            connection.execute(sa.insert(assessments), rows)
            desk.write(connection, NOW)
            append(connection, decision_entries(lines))
        desk.kept()


def cheap(served: Served) -> Served:
    """The same with passwords that are hashed quickly, and users of every role."""
    console = served.server.console
    console.sign_in = SignIn(served.server.context.store, HASHER)
    for name, role in USERS.items():
        console.sign_in.add(name, role, "tests", NOW, password=PASSWORD)
    return served


class Browser:
    """Asks a server's console for pages, and keeps cookies."""

    def __init__(self, served: Served, name: str = "", base: str = "http://q") -> None:
        """``name``: who signs in at once."""
        self.served = served
        self.base = base
        self.cookies = httpx2.Cookies()
        if name:
            self.sign_in(name)

    def ask(self, method: str, path: str, **given: Any) -> httpx2.Response:
        """One request; redirects are not followed."""

        async def go() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.served.server.front)  # type: ignore[arg-type]
            async with httpx2.AsyncClient(
                transport=transport, base_url=self.base, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **given)
                self.cookies = client.cookies
                return answer

        return self.served.runner.run(go())

    def get(self, path: str, **given: Any) -> httpx2.Response:
        """A page."""
        return self.ask("GET", path, **given)

    def form(self, page: str) -> str:
        """The token of the forms of a page."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get(page).text)
        assert found is not None, page
        return found[1]

    def post(self, path: str, page: str = "/account", **fields: str) -> httpx2.Response:
        """Sends a form with the token of a page."""
        return self.ask("POST", path, data={"csrf": self.form(page), **fields})

    def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> httpx2.Response:
        """Fills in the form for signing in."""
        return self.post("/sign-in", "/sign-in", name=name, password=password, code=code)


class Page(HTMLParser):
    """What of a page's markup could act, and its visible text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.acting: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.acting += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        if "style" in given or tag == "style":
            self.acting.append(f"{tag} style")
        if tag == "script":
            self._script = True
            if "src" not in given:
                self.acting.append("inline script")
        for name in ("src", "href", "action", "hx-get", "hx-post", "sse-connect"):
            value = given.get(name)
            if value is not None and (tag, name) != ("a", "href"):
                self.loads.append(value)
            if (value or "").lower().lstrip().startswith(("javascript:", "data:")):
                self.acting.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.acting.append("inline script")
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
