"""The way out: bounded, retried by rule, to the configured hosts only."""

import os
from pathlib import Path

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.model.errors import ConfigurationError
from quivive.respond.addresses import why_not
from quivive.respond.breaker import COOL, LONGEST, THRESHOLD, Breaker
from quivive.respond.client import Client, HttpSettings
from quivive.respond.errors import RefusedError, RejectedError, UnavailableError
from quivive.respond.secret import Secret
from tests.vendor import NOW, Time


def client(answer, time: Time | None = None, base="https://api.example.com/v2", **given) -> Client:  # type: ignore[no-untyped-def]
    def handle(request: httpx2.Request) -> httpx2.Response:
        found = answer(request) if callable(answer) else answer
        if isinstance(found, Exception):
            raise found
        return found

    time = time or Time()
    return Client(base, transport=httpx2.MockTransport(handle), clock=time.clock(), **given)


# --- where it goes


def test_a_path_follows_the_base_and_a_url_must_be_of_a_configured_host() -> None:
    asked: list[str] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200)

    found = client(note, also=("https://tokens.example.com/x",))
    found.send("GET", "/users?a=1")
    found.send("POST", "https://tokens.example.com/token")
    assert asked == ["https://api.example.com/v2/users?a=1", "https://tokens.example.com/token"]
    for url in (
        "https://evil.example.net/",
        "http://api.example.com/",
        "https://api.example.com:8443/",
    ):
        with pytest.raises(RefusedError, match="is not the host of this connection"):
            found.send("GET", url)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "https://", "a.example", "https://user:pw@a.example/", "https://[::1", ""],
)
def test_a_url_that_is_none_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Client(url)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07::1", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("169.254.1.1", False), ("100.64.0.1", False),
        ("100.100.100.200", False), ("168.63.129.16", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False),
        ("fe80::1%eth0", False), ("fd00:ec2::254", False), ("fc00::1", False),
        ("::ffff:10.0.0.1", False), ("::ffff:93.184.215.14", True), ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False), ("ff02::1", False), ("not an address", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert (why_not(address) is None) is public, why_not(address)


def test_a_webhook_inside_the_network_is_refused_unless_allowed() -> None:
    ok = httpx2.Response(200)
    inside = {"private": False, "resolver": lambda host, port: ["93.184.215.14", "10.0.0.7"]}
    with pytest.raises(RefusedError, match=r"leads to 10\.0\.0\.7, a private or reserved address"):
        client(ok, **inside).send("POST", "/")
    allowed = client(ok, settings=HttpSettings(allow_private=True), **inside)
    assert allowed.send("POST", "/").status == 200


def test_the_address_that_was_checked_is_the_one_that_is_asked() -> None:
    """DNS rebinding: the second look-up would lead inside."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    asked: list[httpx2.Request] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200)

    found = client(note, private=False, resolver=lambda host, port: next(answers))
    found.send("POST", "/hook")
    assert asked[0].url.host == "93.184.215.14"
    assert asked[0].headers["host"] == "api.example.com"
    assert asked[0].extensions["sni_hostname"] == "api.example.com"
    with pytest.raises(RefusedError, match="this machine itself"):
        found.send("POST", "/hook")
    assert len(asked) == 1


def test_a_name_that_is_not_there_may_be_there_later() -> None:
    def gone(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(UnavailableError, match="no such host"):
        client(httpx2.Response(200), private=False, resolver=gone).send("POST", "/")


# --- retries


def test_other_refusals_are_never_tried_again() -> None:
    for status in (400, 401, 403, 404, 409, 410, 422):
        count = 0

        def refuse(_: httpx2.Request, status: int = status) -> httpx2.Response:
            nonlocal count
            count += 1
            return httpx2.Response(status, json={"message": "no\x1b[31m way" + "y" * 500})

        with pytest.raises(RejectedError) as caught:
            client(refuse).send("POST", "/")
        assert (count, caught.value.status) == (1, status)
        assert len(str(caught.value)) < 300
        assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ({"Retry-After": "3"}, 3.0), ({"Retry-After": "0"}, 0.0), ({}, 0.5),
        ({"Retry-After": "Mon, 02 Mar 2026 08:14:09 GMT"}, 4.0), ({"Retry-After": "soon"}, 0.5),
        ({"Retry-After": "Mon, 02 Mar 2026 08:00:00 GMT"}, 0.0),
        ({"X-Rate-Limit-Reset": str(NOW // 1000 + 2)}, 2.0),
    ],
)  # fmt: skip
def test_retry_after_is_honoured(header: dict[str, str], waited: float) -> None:
    time, answers = Time(), iter([httpx2.Response(429, headers=header), httpx2.Response(200)])
    assert client(lambda _: next(answers), time).send("GET", "/").status == 200
    assert time.slept == [waited]


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW // 1000 + 2)}, 2.0),
    ],
)
def test_a_403_that_only_means_too_often_is_waited_out(headers, waited) -> None:
    time, answers = Time(), iter([httpx2.Response(403, headers=headers), httpx2.Response(200)])
    assert client(lambda _: next(answers), time).send("GET", "/").status == 200
    assert time.slept == [waited]
    left = httpx2.Response(403, headers={"X-RateLimit-Remaining": "12"})
    with pytest.raises(RejectedError, match="privilege"):
        client(left, Time()).send("GET", "/")


def test_a_wait_beyond_the_cap_is_handed_on_and_capped() -> None:
    time = Time()
    busy = httpx2.Response(429, headers={"Retry-After": "999999"})
    with pytest.raises(UnavailableError) as caught:
        client(busy, time).send("GET", "/")
    assert (caught.value.retry_after, time.slept) == (3600.0, [])


def test_back_off_doubles() -> None:
    time = Time()
    with pytest.raises(UnavailableError, match="has a fault of its own"):
        client(httpx2.Response(500), time).send("GET", "/")
    assert time.slept == [0.5, 1.0]


def test_an_answer_that_is_packed_or_drips_is_not_waited_for() -> None:
    packed = httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=Drip(Time()))
    with pytest.raises(UnavailableError, match="answered packed"):
        client(packed).send("GET", "/")
    time = Time()
    with pytest.raises(UnavailableError, match="too slowly"):
        client(lambda _: httpx2.Response(200, stream=Drip(time)), time).send("GET", "/")


class Drip(httpx2.SyncByteStream):
    """A megabyte, one buffer in nine seconds."""

    def __init__(self, time: Time) -> None:
        self.time = time

    def __iter__(self):  # type: ignore[no-untyped-def]
        for _ in range(16):
            self.time.now += 9000
            yield b"x" * 65536


# --- the circuit breaker


def test_a_vendor_that_keeps_failing_is_left_alone_then_tried_once() -> None:
    time, healthy, asked = Time(), False, 0

    def answer(_: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        return httpx2.Response(200 if healthy else 500)

    found = client(answer, time)
    with pytest.raises(UnavailableError):
        found.send("GET", "/")
    with pytest.raises(UnavailableError):  # opens in the middle of it
        found.send("GET", "/")
    assert asked == THRESHOLD
    with pytest.raises(UnavailableError, match="left alone") as caught:
        found.send("GET", "/")
    assert caught.value.retry_after == pytest.approx(COOL / 1000, abs=2)
    assert asked == THRESHOLD
    time.now += COOL
    healthy = True
    found.send("GET", "/")
    assert (asked, found.breaker.state(time.now)) == (THRESHOLD + 1, "closed")


def test_refusals_and_rate_limits_open_no_breaker() -> None:
    found = client(httpx2.Response(404))
    for _ in range(3 * THRESHOLD):
        with pytest.raises(RejectedError):
            found.send("GET", "/")
    assert found.breaker == Breaker()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40_000)), max_size=60))
def test_breaker_never_lets_more_through_than_it_should(steps: list[tuple[bool, int]]) -> None:
    breaker, now, row = Breaker(), NOW, 0
    for good, later in steps:
        now += later
        state = breaker.state(now)
        allowed = breaker.allows(now)
        assert allowed == (state != "open")
        assert (state == "closed") == (breaker.open_until == 0)
        if not allowed:
            assert breaker.wait(now) > 0
            continue
        if state == "half-open":
            assert not breaker.allows(now), "only one may try"
        if good:
            breaker.succeeded()
            row = 0
            assert breaker.state(now) == "closed"
        else:
            breaker.failed(now)
            row += 1
            assert (breaker.state(now) == "open") == (row >= THRESHOLD)
        assert breaker.cool <= LONGEST


# --- secrets


def test_a_secret_file_is_read_and_its_faults_are_named(tmp_path: Path) -> None:
    file = tmp_path / "token"
    secret = Secret(file=str(file))
    for body, problem in ((b"", "empty"), (b"\xff\xfe", "not UTF-8"), (b"a\x00b", "control"),
                          (b"x" * (65 << 10), "more than")):  # fmt: skip
        file.write_bytes(body)
        with pytest.raises(ConfigurationError, match=problem):
            secret.value()
    file.write_text("hush\n")
    assert secret.value() == "hush"
    file.unlink()
    with pytest.raises(ConfigurationError, match="No such file"):
        secret.value()


@pytest.mark.parametrize("given", [{}, {"env": "A", "file": "b"}, "plain", {"value": "x"}])
def test_a_secret_is_exactly_one_reference(given: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Secret)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HTTPS_PROXY", "http://proxy.example:1")
    assert client(httpx2.Response(200)).send("GET", "/").status == 200
