"""What the access logs of proxies share."""

import pytest

from quivive.model.event import Status
from quivive.sources._access_log import (
    client_of,
    names_of,
    operation_of,
    outcome,
    service_of,
)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/", "GET /"),
        ("/v1/orders?token=hunter2", "GET /v1/orders"),
        ("/v1/orders/81723", "GET /v1/orders/{id}"),
        ("/v1/orders/3f2b8c7e-1111-4a5b-8c7d-0123456789ab/lines", "GET /v1/orders/{id}/lines"),
        ("/u/tom.weber@example.com/inbox", "GET /u/{id}/inbox"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWE", "GET /reset/{id}"),
        ("/invite/Zx81kQpLm20Rt7vB3nYw", "GET /invite/{id}"),
        ("/shop.orders.v1.Orders/List", "GET /shop.orders.v1.Orders/List"),
        ("/static/img/logo.5f3a.PNG", "GET /static/img/*.png"),
        ("/cart;jsessionid=1F0A/items", "GET /cart/items"),
        ("/a/b/c/d/e/f", "GET /a/b/c/d/*"),
        ("https://shop.example.com:443/cart", "GET /cart"),
        ("https://shop.example.com:443", "GET /"),
        ("//double//slash", "GET /double/slash"),
        ("*", "GET"),
        (None, "GET"),
    ],
)
def test_a_path_is_shown_without_what_names_one_object_or_a_secret(
    target: str | None, shown: str
) -> None:
    assert operation_of("GET", target) == shown


@pytest.mark.parametrize("method", ["get", "\x16\x03\x01", "GET'--", "A" * 40])
def test_a_method_that_is_none_is_no_operation_of_its_own(method: str) -> None:
    assert operation_of(method, "/") == "HTTP"


@pytest.mark.parametrize(
    ("remote", "forwarded", "ip", "proxies"),
    [
        # A public address that the proxy saw is not overruled by what the client wrote.
        ("192.0.2.1:5000", "203.0.113.66", "192.0.2.1", None),
        # Of a chain told by an internal proxy, what stands before its own entry may be forged.
        ("10.0.0.9:5000", "203.0.113.66, 198.51.100.4", "198.51.100.4", ("10.0.0.9",)),
        ("10.0.0.9:5000", "198.51.100.4, 10.0.0.8", "198.51.100.4", ("10.0.0.8", "10.0.0.9")),
        ("10.0.0.9:5000", "10.1.2.3, 10.0.0.8", "10.1.2.3", ("10.0.0.8", "10.0.0.9")),
        ("10.0.0.9:5000", "10.1.2.3,10.0.0.9", "10.1.2.3", ("10.0.0.9",)),
        ("10.0.0.9:5000", "unknown, -", "10.0.0.9", None),
        ("[2001:db8::1]:443", None, "2001:db8::1", None),
        ("-", "2001:db8::7", "2001:db8::7", None),
        ("unix:", None, None, None),
    ],
)
def test_the_client_behind_proxies(
    remote: str, forwarded: str | None, ip: str | None, proxies: tuple[str, ...] | None
) -> None:
    found = client_of(remote, forwarded)
    if ip is None:
        assert found is None
        return
    assert found is not None
    assert (found.ip, found.intermediate_ips) == (ip, proxies)


def test_a_port_is_the_clients_own() -> None:
    direct, behind = client_of("192.0.2.1:5000", None), client_of("10.0.0.9:5000", "192.0.2.1")
    bare = client_of("2001:db8::1:443", None)
    assert direct is not None
    assert direct.port == 5000
    assert behind is not None
    assert behind.port is None
    assert bare is not None
    assert bare.port is None


@pytest.mark.parametrize(
    ("code", "proven", "status", "accepted"),
    [
        (204, False, Status.SUCCESS, None),
        (302, True, Status.SUCCESS, None),
        (401, True, Status.FAILURE, None),
        (403, True, Status.FAILURE, True),
        (403, False, Status.FAILURE, None),
        (404, True, Status.FAILURE, True),
        (429, False, Status.OTHER, None),
        (0, True, Status.OTHER, True),
        (None, False, Status.OTHER, None),
    ],
)
def test_what_an_answer_says_of_the_credential(
    code: int | None, proven: bool, status: Status, accepted: bool | None
) -> None:
    assert outcome(code, proven) == (status, accepted)


def test_names_of_a_certificate() -> None:
    assert names_of("CN=ana,OU=CI\\, CD,O=Example") == {
        "cn": "ana",
        "ou": "CI, CD",
        "o": "Example",
    }
    assert names_of("/C=DE/O=Example/CN=ana")["cn"] == "ana"
    assert names_of("no name") == {}


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("API.example.com:8443", "api.example.com"),
        ("api.example.com", "api.example.com"),
        ("[2001:db8::1]:443", "[2001:db8::1]"),
        (None, "Envoy"),
    ],
)
def test_the_service_is_the_host(authority: str | None, name: str) -> None:
    assert service_of(authority, "Envoy").name == name
