"""A strict fake of a vendor: a script of what it is asked, in order, and what it answers."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import msgspec
import yaml

from quivive.app.registry import actions
from quivive.model.response import ResponseRequest, Target, response_key
from quivive.respond import webhook
from quivive.respond.client import Client, Clock
from quivive.respond.performing import client_for
from tests.conftest import DATA

NOW = 1_772_439_245_000
FOLDER = DATA / "responses"
SCRIPTS = sorted(FOLDER.glob("*/*.yaml"))
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


@cache
def key_pem(kind: str) -> str:
    """A private key in PEM, made once a run."""
    from joserfc.jwk import ECKey, RSAKey

    key = RSAKey.generate_key(2048) if kind == "rsa" else ECKey.generate_key("P-256")
    return key.as_pem(private=True).decode()


def filled(secret: str) -> str:
    """A secret of a script, with the keys that no script should hold put in."""
    if secret == "{google}":
        return json.dumps(
            {"client_email": "q@p.iam.gserviceaccount.com", "private_key": key_pem("rsa")}
        )
    return key_pem(secret[1:-1]) if secret in ("{rsa}", "{ec}") else secret


@cache
def loaded(path: Path, key: str) -> Any:
    """A script with the request's idempotency key put in."""
    return yaml.load(path.read_text().replace("{key}", key), yaml.CSafeLoader)


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += round(seconds * 1000)


class Script:
    """One file: settings, request, and the exchange that it must lead to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.vendor = path.parent.name
        self.action = actions()[self.vendor]
        asked = loaded(path, "{key}")["request"]
        key = response_key("evt-1", "default/rule", asked["action"])
        self.body: dict[str, Any] = loaded(path, key)
        self.settings = msgspec.convert(self.body["settings"], self.action.settings)
        self.secrets = {k: filled(v) for k, v in self.body["secrets"].items()}
        self.request = ResponseRequest(
            key=key,
            action=asked["action"],
            target=msgspec.convert(asked["target"], Target),
            event_id="evt-1",
            rule="default/rule",
            reason="logged in from Romania, where nobody of the company ever was",
            time=NOW - 20_000,
            decided=NOW - 5_000,
            risk_score=91.5,
        )

    def client(self, fake: "Fake", time: Time) -> Client:
        known = self.body.get("resolves", {})
        return client_for(
            self.action,
            self.settings,
            transport=httpx2.MockTransport(fake),
            clock=time.clock(),
            resolver=lambda host, port: known[host],
        )


class Fake:
    """Answers by the script, and fails the test at the first thing that is not in it."""

    def __init__(
        self, exchange: list[dict[str, Any]], faults: dict[int, Any] | None = None
    ) -> None:
        self.left = list(exchange)
        self.faults = dict(faults or {})
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        number = len(self.asked) - 1
        if number in self.faults:
            found = self.faults[number]
            if isinstance(found, Exception):
                raise found
            return found
        assert self.left, f"not in the script: {request.method} {request.url}"
        wanted = self.left.pop(0)
        check(request, wanted["ask"])
        answer = wanted["answer"]
        body = json.dumps(answer["json"]).encode() if "json" in answer else b""
        return httpx2.Response(answer["status"], headers=answer.get("headers"), content=body)


def check(request: httpx2.Request, ask: dict[str, Any]) -> None:
    """Asserts that a request is the one that the vendor documents."""
    assert (request.method, str(request.url)) == (ask["method"], ask["url"])
    for name, value in ask.get("headers", {}).items():
        found = request.headers.get(name, "")
        if "{jwt}" in value:
            assert re.fullmatch(re.escape(value).replace(r"\{jwt\}", _JWT.pattern), found)
        else:
            assert found == value, name
    body = request.content
    if "form" in ask:
        form = dict(parse_qsl(body.decode()))
        assert {
            k: "{jwt}" if _JWT.fullmatch(v) and k == "assertion" else v for k, v in form.items()
        } == ask["form"]
    elif "json" in ask:
        assert json.loads(body) == ask["json"]
    elif "contains" in ask:
        found = json.loads(body)
        assert {k: found.get(k) for k in ask["contains"]} == ask["contains"]
    elif "set" in ask:
        from joserfc import jwt
        from joserfc.jwk import ECKey

        token = jwt.decode(body.decode(), ECKey.import_key(key_pem("ec")), ["ES256"])
        wanted = dict(ask["set"])
        assert token.header["typ"] == "secevent+jwt"
        assert [kind.rpartition("/")[2] for kind in token.claims["events"]] == [wanted.pop("event")]
        assert {k: token.claims[k] for k in wanted} == wanted
    else:
        assert body == b"", body
    if "signed" in ask:
        headers = {k.lower(): v for k, v in request.headers.items()}
        assert webhook.genuine(ask["signed"], headers, body, NOW // 1000)
