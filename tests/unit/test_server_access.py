"""Who may call the server, how often, how slowly, and what the answers give away."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from quivive.app.access import SCOPES, Door, Wanted, allows, create
from quivive.app.errors import UsageError
from quivive.cli.main import cli
from quivive.server.front import HEALTH, OPEN, Bucket
from quivive.server.routes import ENDPOINTS, ENVOY, SSF, Endpoint
from quivive.server.run import Listen, checked
from quivive.server.settings import read_settings
from quivive.store.access import Access
from quivive.store.audit import Trail
from quivive.store.database import Store
from tests.unit.serving import DAY, NOW, Served, login

ALL = (*ENDPOINTS, *SSF, *ENVOY)
BY_NAME = [f"{e.method} {e.path}" for e in ALL]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("served") / "state")
    yield found
    found.close()


@pytest.fixture(scope="module")
def tokens(served: Served) -> dict[str, str]:
    return {scope: served.make(scope, scope) for scope in SCOPES}


def path_of(endpoint: Endpoint) -> str:
    return endpoint.path.replace("{path:path}", "/some/page").replace("{id}", "x")


# --- every route


@pytest.mark.parametrize("endpoint", ALL, ids=BY_NAME)
def test_no_route_but_what_is_public_answers_without_a_token(
    served: Served, endpoint: Endpoint
) -> None:
    for token in ("", "qv_000000000000_" + "A" * 43, served.token[:-1] + "!", "Basic x"):
        answer = served.ask(endpoint.method, path_of(endpoint), token=token)
        if endpoint.path in OPEN:
            assert answer.status_code == (200 if endpoint.path in HEALTH else 404)
        else:
            assert answer.status_code == 401
            given = bool(token)
            wanted = 'Bearer error="invalid_token"' if given else "Bearer"
            assert answer.headers["www-authenticate"] == wanted
            said = answer.json() if answer.content else {}
            if said:
                title = "this token is not valid" if given else "a token is needed"
                assert said["title"] == title
            assert set(said) <= {"title", "status", "detail", "request_id"}


@pytest.mark.parametrize("endpoint", ALL, ids=BY_NAME)
def test_no_route_answers_a_token_without_its_scope(
    served: Served, tokens: dict[str, str], endpoint: Endpoint
) -> None:
    if not endpoint.scope:
        assert endpoint.path in {*OPEN, "/v1/openapi.json"}
        return
    for scope, token in tokens.items():
        status = served.ask(endpoint.method, path_of(endpoint), token=token).status_code
        assert (status == 403) == (scope not in (endpoint.scope, "admin")), scope


def test_paths_that_are_not_there(served: Served) -> None:
    assert served.ask("GET", "/v1/nothing", token="").status_code == 401
    assert served.ask("GET", "/v1/nothing").status_code == 404
    assert served.ask("GET", "/v1/assess/").status_code == 404
    wrong = served.ask("DELETE", "/v1/assess")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert served.ask("HEAD", "/healthz", token="").status_code == 200


def test_every_answer_has_the_headers_that_keep_browsers_out(served: Served) -> None:
    for answer in (served.ask("GET", "/healthz"), served.ask("GET", "/v1/x", token="")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_a_request_id_is_taken_over_only_when_it_is_one(served: Served) -> None:
    assert (
        served.ask("GET", "/healthz", headers={"x-request-id": "a" * 65}).headers["x-request-id"]
        != "a" * 65
    )
    evil = served.ask("GET", "/healthz", headers={"x-request-id": "a b\tc"})
    assert re.fullmatch(r"[0-9a-f]{16}", evil.headers["x-request-id"])


def test_readiness_tells_details_only_to_those_who_may_read_metrics(
    served: Served, tokens: dict[str, str]
) -> None:
    assert set(served.ask("GET", "/readyz", token="").json()) == {"status", "store"}
    assert set(served.ask("GET", "/readyz", token=tokens["assess"]).json()) == {"status", "store"}
    assert "waiting" in served.ask("GET", "/readyz", token=tokens["metrics"]).json()


def test_the_log_has_ids_and_no_secrets_or_people(served: Served) -> None:
    with capture_logs() as said:
        served.ask("POST", "/v1/assess?source=auto", json=login(user="zoe@example.com"))
        served.ask("GET", "/v1/identities/zoe@example.com", headers={"x-request-id": "r1"})
    text = json.dumps(said)
    assert [line["route"] for line in said] == ["/v1/assess", "/v1/identities/{id}"]
    assert said[1]["request"] == "r1"
    assert said[0]["token"] in served.token
    assert "zoe" not in text
    assert served.token[-43:] not in text


# --- tokens


def test_tokens_are_kept_as_digests_and_can_be_revoked(tmp_path: Path) -> None:
    state = tmp_path / "state"
    runner = CliRunner()
    made = runner.invoke(
        cli,
        ["token", "create", "--state", str(state), "--name", "app", "--scope", "assess",
         "--fail", "closed", "--expires", "30d", "--by", "me"],
    )  # fmt: skip
    text = made.stdout.strip()
    assert re.fullmatch(r"qv_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text)
    assert not any(text.encode() in f.read_bytes() for f in state.rglob("*") if f.is_file())
    with Store(state) as store:
        kept = Access(store).all()
        assert text not in repr(kept)
        assert kept[0].digest.hex() not in repr(kept)
        door = Door(kept)
        who = door.who(text, kept[0].created)
        assert who is not None
        assert allows(who, "assess")
        assert not allows(who, "read")
        assert who.fallback == "closed"
        assert door.who(text, kept[0].created + 31 * DAY) is None
    token_id = text.split("_")[1]
    assert token_id in runner.invoke(cli, ["token", "list", "--state", str(state)]).output
    revoked = runner.invoke(
        cli, ["token", "revoke", token_id, "--state", str(state), "--why", "left", "--by", "me"]
    )
    assert revoked.exit_code == 0
    with Store(state) as store:
        assert Door(Access(store).all()).who(text, NOW) is None
        recorded = [(r.action, r.actor) for r in Trail(store).records()]
    assert recorded == [("token:created", "me"), ("token:revoked", "me")]
    assert "revoked" in runner.invoke(cli, ["token", "list", "--state", str(state)]).output


@pytest.mark.parametrize(
    "wanted",
    [Wanted("", ("read",)), Wanted("a", ()), Wanted("a", ("root",)), Wanted("a", ("read",), 1),
     Wanted("a\n", ("read", "x")), Wanted("a", ("read",), None, "ajar")],
)  # fmt: skip
def test_tokens_that_make_no_sense(tmp_path: Path, wanted: Wanted) -> None:
    with Store(tmp_path) as store, pytest.raises(UsageError):
        create(store, wanted, "me", NOW)


def test_a_revoked_token_is_refused_by_a_running_server(tmp_path: Path) -> None:
    served = Served(tmp_path / "state")
    try:
        token = served.make("gone", "read")
        assert served.ask("GET", "/v1/policy", token=token).status_code == 200
        CliRunner().invoke(
            cli,
            ["token", "revoke", token.split("_")[1], "--state", str(served.state), "--why", "x",
             "--by", "me"],
        )  # fmt: skip
        served.runner.run(served.server.renew_tokens())
        assert served.ask("GET", "/v1/policy", token=token).status_code == 401
    finally:
        served.close()


def test_a_token_may_ask_only_so_often(served: Served) -> None:
    token = served.make("slow", "read", rate=1.0)
    statuses = [served.ask("GET", "/v1/policy", token=token).status_code for _ in range(4)]
    assert statuses[:2] == [200, 200]
    assert statuses[-1] == 429
    assert served.ask("GET", "/v1/policy").status_code == 200


def test_the_bucket_fills_again() -> None:
    bucket = Bucket(10.0, 0.0)
    assert [bucket.take(0.0) for _ in range(20)] == [0.0] * 20
    assert bucket.take(0.0) == pytest.approx(0.1)
    assert bucket.take(0.1) == 0.0
    assert bucket.take(0.1) > 0


# --- where it listens, and its settings


def test_beyond_this_machine_only_with_tls(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        checked(Listen(host))
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.com"):
        with pytest.raises(UsageError, match="--insecure"):
            checked(Listen(host))
        checked(Listen(host, insecure=True))
    with pytest.raises(UsageError, match="PEM"):
        checked(Listen("0.0.0.0", tls=(tmp_path / "a", tmp_path / "b")))


def test_settings_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text("server:\n  events_bytes: 2048\n  edge:\n    identity: X-User\n")
    found = read_settings(file)
    assert (found.events_bytes, found.edge.identity) == (2048, "X-User")
    for text in ("server: {what: 1}", "serve: {}", "[1]", "server: {events_bytes: many}", "a: [",
                 "server: {edge: {identity: 'a b'}}"):  # fmt: skip
        file.write_text(text)
        with pytest.raises(UsageError, match=re.escape(str(file))):
            read_settings(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path / "none.yaml")


# --- slow callers, and large headers


class Wire(asyncio.Transport):
    """What a connection writes, without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


def connect(served: Served, seconds: float) -> tuple[Any, Wire]:
    import uvicorn
    from uvicorn.server import ServerState

    from quivive.server.protocol import protocol

    config = uvicorn.Config(served.server.front, ws="none", lifespan="off", log_config=None)
    config.load()
    made = protocol(seconds)(config, ServerState(), {}, asyncio.get_running_loop())  # type: ignore[call-arg]
    wire = Wire()
    made.connection_made(wire)
    return made, wire


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"POST /v1/ass",
        b"POST / HTTP/1.1\r\nhost: q\r\n",
        b"POST /healthz HTTP/1.1\r\ncontent-length: 9\r\n\r\nab",
    ],
)
def test_a_caller_who_is_too_slow_is_cut_off(served: Served, said: bytes) -> None:
    async def go() -> Wire:
        made, wire = connect(served, 0.01)
        if said:
            made.data_received(said)
        for _ in range(100):
            await asyncio.sleep(0.005)
            if wire.closed:
                break
        made.connection_lost(None)
        return wire

    wire = served.runner.run(go())
    assert wire.closed
    assert b"408" in wire.written


def test_headers_without_end_are_cut_off(served: Served) -> None:
    async def go() -> Wire:
        made, wire = connect(served, 60)
        made.data_received(b"GET /healthz HTTP/1.1\r\nhost: q\r\n")
        for number in range(100):
            if not wire.closed:
                made.data_received(b"x-%d: %s\r\n" % (number, b"y" * 1_000))
        made.connection_lost(None)
        return wire

    wire = served.runner.run(go())
    assert wire.closed
    assert b"431" in wire.written


def test_a_long_body_that_comes_fast_is_no_large_header(served: Served) -> None:
    async def go() -> Wire:
        made, wire = connect(served, 60)
        body = b"x" * (200 << 10)
        head = b"POST /v1/assess HTTP/1.1\r\nhost: q\r\ncontent-length: %d\r\n\r\n"
        made.data_received(head % len(body))
        for start in range(0, len(body), 16_384):
            made.data_received(body[start : start + 16_384])
        for _ in range(50):
            await asyncio.sleep(0)
        made.data_received(b"GET /healthz HTTP/1.1\r\nhost: q\r\n\r\n")
        for _ in range(50):
            await asyncio.sleep(0)
        made.connection_lost(None)
        return wire

    wire = served.runner.run(go())
    assert b"HTTP/1.1 401" in wire.written
    assert b"alive" in wire.written
