"""Signing in with an identity provider: what is believed, and what is not."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from quivive.app.accounts import SignIn
from quivive.app.errors import UsageError
from quivive.app.oidc import Oidc, Provider
from quivive.server.settings import ServerSettings, read_settings
from tests.unit.console import HASHER, Browser
from tests.unit.serving import NOW, Served
from tests.vendor import Time

ISSUER = "https://idp.example"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
SETTINGS = Oidc(
    issuer=ISSUER,
    client_id="quivive",
    console="http://localhost:8450",
    title="Example SSO",
    roles={"analyst": ("soc",), "admin": ("soc-leads",)},
)


class Idp:
    """An identity provider that keeps the rules; ``wrong`` takes the place of claims."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {
            "sub": "u-1",
            "preferred_username": "dana",
            "groups": ["soc"],
        }
        self.wrong: dict[str, Any] = {}
        self.challenges: dict[str, tuple[str, str]] = {}
        self.key: Any = KEY
        self.algorithm = "RS256"
        self.issuer = ISSUER
        self.down = False

    def authorize(self, address: str) -> str:
        """What the provider's page does; gives the query that the browser comes back with."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == "http://localhost:8450/sign-in/oidc/back"
        code = f"code-{len(self.challenges)}"
        self.challenges[code] = (asked["code_challenge"], asked["nonce"])
        return f"code={code}&state={asked['state']}"

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.down:
            raise httpx2.ConnectError("down")
        path = request.url.path
        if path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json={
                "issuer": self.issuer, "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token", "jwks_uri": "https://keys.example/jwks",
            })  # fmt: skip
        if path == "/jwks":
            return httpx2.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        form = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
        challenge, nonce = self.challenges.pop(form["code"], ("", ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        claims = {
            "iss": ISSUER, "aud": "quivive", "exp": NOW // 1000 + 300, "iat": NOW // 1000,
            "nonce": nonce, **self.claims, **self.wrong,
        }  # fmt: skip
        token = jwt.encode(
            {"alg": self.algorithm, "kid": "one"}, claims, self.key, algorithms=[self.algorithm]
        )
        return httpx2.Response(200, json={"id_token": token})


@pytest.fixture
def idp() -> Idp:
    return Idp()


@pytest.fixture
def served(tmp_path: Path, idp: Idp) -> Iterator[Served]:
    found = Served(tmp_path / "state", ServerSettings(oidc=SETTINGS))
    console = found.server.console
    console.sign_in = SignIn(found.server.context.store, HASHER)
    time = Time()
    time.now = NOW
    console.provider = Provider(SETTINGS, clock=time.clock(), transport=httpx2.MockTransport(idp))
    yield found
    found.close()


def go(served: Served, idp: Idp, browser: Browser | None = None) -> tuple[Browser, httpx2.Response]:
    browser = browser or Browser(served)
    off = browser.get("/sign-in/oidc?next=/findings")
    assert off.status_code == 303, off.text
    back = idp.authorize(off.headers["location"])
    return browser, browser.get(f"/sign-in/oidc/back?{back}")


def test_the_provider_vouches_and_its_groups_say_what_one_may(served: Served, idp: Idp) -> None:
    assert "Sign in with Example SSO" in Browser(served).get("/sign-in").text
    browser, answer = go(served, idp)
    assert answer.headers["location"] == "/findings"
    assert browser.get("/findings").status_code == 200
    people = served.server.console.sign_in
    account = people.kept.by_subject(f"{ISSUER} u-1")
    assert account is not None
    assert (account.name, account.role, account.password) == ("dana", "analyst", "")
    assert people.sign_in("dana", "", "", NOW).account is None
    idp.claims["groups"] = ["soc", "soc-leads"]
    assert go(served, idp)[1].status_code == 303
    promoted = people.kept.get("dana")
    assert promoted is not None
    assert promoted.role == "admin"
    assert browser.get("/findings").status_code == 303  # the session of before has ended


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another"},
        {"aud": ["quivive", "another"]},
        {"azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": NOW // 1000 - 120},
        {"iat": NOW // 1000 + 3_600},
        {"nonce": "another"},
        {"sub": ""},
        {"sub": 7},
        {"exp": "soon"},
    ],
)
def test_an_answer_for_somebody_else_is_not_believed(
    served: Served, idp: Idp, wrong: dict[str, Any]
) -> None:
    idp.wrong = wrong
    browser, answer = go(served, idp)
    assert answer.status_code == 403
    assert "quivive" not in browser.cookies
    assert served.server.console.sign_in.kept.all() == []


@pytest.mark.parametrize("how", ["another key", "a shared key"])
def test_an_answer_that_the_provider_did_not_sign_is_not_believed(
    served: Served, idp: Idp, how: str
) -> None:
    if how == "another key":
        idp.key = OTHER
    else:  # the public key as a shared secret: the classic confusion of algorithms
        idp.key, idp.algorithm = OctKey.import_key(msgspec.json.encode(KEY.as_dict())), "HS256"
    _, answer = go(served, idp)
    assert answer.status_code == 403
    assert "not signed by it" in answer.text


def test_an_answer_counts_once_in_time_and_for_its_browser(served: Served, idp: Idp) -> None:
    browser = Browser(served)
    back = idp.authorize(browser.get("/sign-in/oidc").headers["location"])
    assert Browser(served).get(f"/sign-in/oidc/back?{back}").status_code == 403
    assert browser.get(f"/sign-in/oidc/back?{back}").status_code == 403  # used up by the try
    back = idp.authorize(browser.get("/sign-in/oidc").headers["location"])
    assert browser.get(f"/sign-in/oidc/back?{back}").status_code == 303
    assert browser.get(f"/sign-in/oidc/back?{back}").status_code == 403
    assert browser.get("/sign-in/oidc/back?error=access_denied").status_code == 403
    back = idp.authorize(browser.get("/sign-in/oidc").headers["location"])
    provider = served.server.console.provider
    assert provider is not None
    provider.clock.sleep(601)
    assert browser.get(f"/sign-in/oidc/back?{back}").status_code == 403


def test_nobody_without_a_role_gets_in_unless_somebody_added_them(served: Served, idp: Idp) -> None:
    idp.claims["groups"] = ["sales"]
    _, answer = go(served, idp)
    assert answer.status_code == 403
    assert "no role here" in answer.text
    people = served.server.console.sign_in
    people.add("erin", "viewer", "tests", NOW, subject=f"{ISSUER} u-1")
    assert go(served, idp)[1].status_code == 303
    people.disable("erin", "tests", NOW)
    assert go(served, idp)[1].status_code == 403


def test_a_name_that_is_taken_is_not_taken_over(served: Served, idp: Idp) -> None:
    served.server.console.sign_in.add("dana", "admin", "tests", NOW, password="quite a sentence")
    _, answer = go(served, idp)
    assert answer.status_code == 403
    assert "somebody else has that name" in answer.text.lower()


def test_a_provider_that_is_gone_or_another_is_said(served: Served, idp: Idp) -> None:
    idp.down = True
    answer = Browser(served).get("/sign-in/oidc")
    assert answer.status_code == 502
    assert "cannot be reached" in answer.text
    idp.down, idp.issuer = False, "https://evil.example"
    assert "calls itself something else" in Browser(served).get("/sign-in/oidc").text


def test_without_a_provider_there_is_no_such_page(tmp_path: Path) -> None:
    found = Served(tmp_path / "state")
    try:
        assert Browser(found).get("/sign-in/oidc").status_code == 404
    finally:
        found.close()


def test_settings_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    text = "server: {oidc: {issuer: 'ISSUER', client_id: q, console: 'https://q.example'}}"
    file.write_text(text.replace("ISSUER", "https://idp.example/realm"))
    assert read_settings(file).oidc is not None
    for wrong in ("http://idp.example", "idp.example", "https://idp.example?x=1"):
        file.write_text(text.replace("ISSUER", wrong))
        with pytest.raises(UsageError, match=r"oidc\.issuer"):
            read_settings(file)
