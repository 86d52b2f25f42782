"""Edge checks: what nginx and Envoy send, and what they understand."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from quivive.server.settings import Edge, ServerSettings
from tests.conftest import DATA
from tests.unit.serving import Served

POLICY = DATA / "edge-policy.yaml"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path / "state", policy=POLICY)
    yield found
    found.close()


def check(served: Served, user: str, path: str = "/v1/edge/nginx", **more: str) -> httpx2.Response:
    headers = {
        "x-forwarded-user": user,
        "x-forwarded-for": "198.51.100.7, 10.0.0.1",
        "x-forwarded-host": "wiki.example.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    }
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return served.ask("GET", path, headers={n: v.encode() for n, v in headers.items() if v})


@pytest.mark.parametrize(
    ("user", "status", "action", "mode"),
    [
        ("ann@example.com", 200, "allow", "enforce"),
        ("mallory@example.com", 403, "block", "enforce"),
        ("carol@example.com", 401, "step_up", "enforce"),
        ("dave@example.com", 200, "revoke", "shadow"),
    ],
)
def test_the_decision_is_the_status_and_in_headers(
    served: Served, user: str, status: int, action: str, mode: str
) -> None:
    answer = check(served, user)
    assert answer.status_code == status
    assert answer.headers["x-quivive-action"] == action
    assert answer.headers["x-quivive-mode"] == mode
    assert answer.headers["x-quivive-rule"].startswith("edge/")
    assert float(answer.headers["x-quivive-risk"]) >= 0
    assert answer.content == b""


def test_the_login_is_what_the_proxy_tells(served: Served) -> None:
    answer = check(served, "ann@example.com")
    line = served.ask("GET", f"/v1/assessments/{answer.headers['x-quivive-id']}").json()
    event = line["event"]
    assert event["user"]["name"] == "ann@example.com"
    assert event["src_endpoint"]["ip"] == "198.51.100.7"
    assert event["service"]["name"] == "wiki.example.com"
    assert "Firefox" in event["http_request"]["user_agent"]
    assert event["metadata"]["product"]["name"] == "Edge"


def test_a_page_with_many_pictures_is_one_login(served: Served) -> None:
    first = check(served, "ann@example.com").headers["x-quivive-id"]
    assert check(served, "ann@example.com").headers["x-quivive-id"] == first
    assert served.server.figures.logins["human"] == 1
    other = check(served, "ann@example.com", user_agent="curl/8.5.0")
    assert other.headers["x-quivive-id"] != first
    served.now += 301_000
    assert check(served, "ann@example.com").headers["x-quivive-id"] != first
    assert served.server.figures.logins["human"] == 3


def test_nobody_signed_in(tmp_path: Path, served: Served) -> None:
    assert check(served, "").status_code == 401
    lax = Served(tmp_path / "other", ServerSettings(edge=Edge(anonymous="allow")))
    try:
        assert check(lax, "").status_code == 200
        assert not lax.server.figures.logins
    finally:
        lax.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_envoy_sends_the_requests_own_method_and_path_after_a_prefix(
    served: Served, method: str
) -> None:
    headers = {"x-forwarded-user": "mallory@example.com", "x-forwarded-for": "198.51.100.9"}
    path = "/v1/edge/envoy/pay/42?order=1%2F2&x=%00"
    answer = served.ask(method, path, headers=headers, content=b"")
    assert answer.status_code == 403
    assert answer.headers["x-quivive-action"] == "block"
    assert served.ask(method, "/v1/edge/envoy", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("given", "ip"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix:", None),
        ("evil\u00e9", None),
    ],
)
def test_addresses_as_proxies_write_them(served: Served, given: str, ip: str | None) -> None:
    answer = check(served, "ann@example.com", x_forwarded_for=given)
    line = served.ask("GET", f"/v1/assessments/{answer.headers['x-quivive-id']}").json()
    assert line["event"].get("src_endpoint", {}).get("ip") == ip


def test_names_in_other_scripts(served: Served) -> None:
    answer = check(served, "zoë@exämple.com")
    line = served.ask("GET", f"/v1/assessments/{answer.headers['x-quivive-id']}").json()
    assert line["event"]["user"]["name"] == "zoë@exämple.com"


def test_a_fallback_is_not_remembered(served: Served) -> None:
    with served.server.judge._work:
        served.server.context.settings = ServerSettings(answer_seconds=0.02)
        late = check(served, "mallory@example.com")
    assert (late.status_code, late.headers["quivive-fallback"]) == (200, "true")
    served.server.context.settings = ServerSettings()
    assert check(served, "mallory@example.com").status_code == 403
