"""Streams that receivers set up over HTTP: from a decision to a token that is acknowledged."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from quivive.app.ssf import Transmitter, all_streams
from quivive.app.ssf_push import Pusher
from quivive.model.audit import Record
from quivive.model.errors import ConfigurationError
from quivive.respond import caep
from quivive.respond.client import Client, Clock, HttpSettings
from quivive.respond.secret import Secret
from quivive.respond.ssf import streams, tokens
from quivive.respond.ssf.streams import Poll, StreamError, Wanted
from quivive.store.audit import Trail
from quivive.store.database import Store
from tests.unit.serving import NOW, REVOKING, Served, login
from tests.vendor import key_pem

ISSUER = "https://quivive.example.com"
RECEIVER = "https://app.example.com"
CONFIG = """
responses:
  connections:
    - vendor: caep
      settings: {issuer: "%s", key: {env: SSF_KEY}, streams: true, poll_seconds: 0}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSF_KEY", key_pem("ec"))
    (tmp_path / "policy.yaml").write_text(REVOKING)
    (tmp_path / "config.yaml").write_text(CONFIG % ISSUER)
    return tmp_path


def started(files: Path) -> Served:
    found = Served(
        files / "state", policy=files / "policy.yaml", config=files / "config.yaml", sending=True
    )
    sender = found.server.sender
    assert sender is not None
    sender.responder.clock = Clock(now=lambda: found.now, sleep=lambda _: None)
    return found


@pytest.fixture
def served(files: Path) -> Iterator[Served]:
    found = started(files)
    yield found
    found.close()


def path_of(url: str) -> str:
    assert url.startswith(ISSUER)
    return url.removeprefix(ISSUER)


class Receiver:
    """What a receiver knows: the issuer, and its token."""

    def __init__(self, served: Served, name: str = RECEIVER) -> None:
        self.served = served
        self.token = served.make(name, "ssf")
        self.found = served.ask("GET", "/.well-known/ssf-configuration", token="").json()
        jwks = served.ask("GET", path_of(self.found["jwks_uri"]), token="").json()
        self.keys = KeySet.import_key_set(jwks)

    def ask(self, method: str, what: str, status: int = 200, **given: Any) -> Any:
        url = self.found.get(f"{what}_endpoint", what)
        answer = self.served.ask(method, path_of(url), token=self.token, **given)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    def poll(self, stream: dict[str, Any], **body: Any) -> dict[str, dict[str, Any]]:
        """Tokens by jti, checked as SSF asks."""
        answer = self.ask("POST", stream["delivery"]["endpoint_url"], json=body)
        return {jti: self.checked(token, stream) for jti, token in answer["sets"].items()}

    def checked(self, token: str, stream: dict[str, Any]) -> dict[str, Any]:
        found = jwt.decode(token, self.keys, ["ES256"])
        assert found.header["typ"] == "secevent+jwt"
        assert found.claims["iss"] == self.found["issuer"] == stream["iss"]
        assert found.claims["aud"] == stream["aud"] == RECEIVER
        assert "sub" not in found.claims
        assert "exp" not in found.claims
        return dict(found.claims)


def decide(served: Served, number: int = 0) -> None:
    """A login that policy revokes, and what the sender does of it."""
    answer = served.ask("POST", "/v1/assess", json=login(number, user="mallory@example.com"))
    assert answer.json()["decision"]["action"] == "revoke"
    sender = served.server.sender
    assert sender is not None
    while sender.responder.run_once():
        pass


def test_from_a_stream_to_an_acknowledged_token_though_the_server_dies_between(
    files: Path,
) -> None:
    served = started(files)
    receiver = Receiver(served)
    stream = receiver.ask("POST", "configuration", 201, json={"description": "app"})
    assert stream["delivery"]["method"] == streams.POLL
    asked = {"stream_id": stream["stream_id"], "state": "word-1"}
    receiver.ask("POST", "verification", 204, json=asked)
    proof = receiver.poll(stream)
    ((jti, claims),) = proof.items()
    assert claims["events"] == {tokens.VERIFICATION: {"state": "word-1"}}
    assert receiver.poll(stream, ack=[jti]) == {}

    # Decided, and the server dies before anybody was told: it is in the outbox.
    answer = served.ask("POST", "/v1/assess", json=login(user="mallory@example.com"))
    assert answer.json()["decision"]["action"] == "revoke"
    served.close()
    served = started(files)
    receiver.served = served
    sender = served.server.sender
    assert sender is not None
    assert sender.responder.run_once() == 1
    # In the stream, and the server dies before it is fetched.
    served.close()
    served = receiver.served = started(files)
    found = receiver.poll(stream)
    ((jti, claims),) = found.items()
    assert claims["sub_id"] == {"format": "email", "email": "mallory@example.com"}
    ((kind, said),) = claims["events"].items()
    assert kind == tokens.SESSION_REVOKED
    assert said["initiating_entity"] == "policy"
    assert "revoke-mallory" in said["reason_admin"]["en"]
    # Fetched and not acknowledged, and the server dies: it is given again.
    served.close()
    served = receiver.served = started(files)
    assert receiver.poll(stream) == found
    assert receiver.poll(stream, ack=[jti]) == {}
    served.close()
    served = receiver.served = started(files)
    assert receiver.poll(stream) == {}
    served.close()
    with Store(files / "state") as store:
        told = [record.action for record in Trail(store).records()]
    assert "stream:created" in told


def test_a_stream_is_managed_over_http(served: Served) -> None:
    receiver, other = Receiver(served), Receiver(served, "https://other.example.com")
    stream = receiver.ask("POST", "configuration", 201, json={})
    number = stream["stream_id"]
    receiver.ask("POST", "configuration", 409, json={})
    assert receiver.ask("GET", "configuration", params={"stream_id": number}) == stream
    assert receiver.ask("GET", "configuration") == [stream]
    assert other.ask("GET", "configuration") == []
    changed = receiver.ask(
        "PATCH", "configuration",
        json={"stream_id": number, "events_requested": [tokens.CREDENTIAL_CHANGE]},
    )  # fmt: skip
    assert changed["events_delivered"] == [tokens.CREDENTIAL_CHANGE]
    decide(served)
    assert receiver.poll(stream) == {}, "it wants no session events"
    assert receiver.ask("PUT", "configuration", json={"stream_id": number}) == stream
    for method, what, body in (
        ("GET", "configuration", {"params": {"stream_id": number}}),
        ("PATCH", "configuration", {"json": {"stream_id": number}}),
        ("DELETE", "configuration", {"params": {"stream_id": number}}),
        ("GET", "status", {"params": {"stream_id": number}}),
        ("POST", "status", {"json": {"stream_id": number, "status": "paused"}}),
        ("POST", "verification", {"json": {"stream_id": number}}),
        ("POST", stream["delivery"]["endpoint_url"], {"json": {}}),
    ):
        other.ask(method, what, 404, **body)
    for what in ("add_subject", "remove_subject"):
        subject = {"format": "email", "email": "mallory@example.com"}
        other.ask("POST", what, 404, json={"stream_id": number, "subject": subject})

    about = {"stream_id": number, "subject": subject}
    receiver.ask("POST", "remove_subject", 204, json=about)
    decide(served, 1)
    assert receiver.poll(stream) == {}, "nothing about mallory"
    assert receiver.ask("POST", "add_subject", json=about) == {}
    paused = {"stream_id": number, "status": "paused", "reason": "maintenance"}
    assert receiver.ask("POST", "status", json=paused) == paused
    decide(served, 2)
    assert receiver.poll(stream) == {}
    assert receiver.ask("GET", "status", params={"stream_id": number}) == paused
    receiver.ask("POST", "status", json={"stream_id": number, "status": "enabled"})
    assert len(receiver.poll(stream)) == 1, "what came meanwhile"
    receiver.ask("POST", "status", json={"stream_id": number, "status": "disabled"})
    receiver.ask("POST", "status", json={"stream_id": number, "status": "enabled"})
    assert receiver.poll(stream) == {}
    receiver.ask("POST", "verification", 204, json={"stream_id": number})
    receiver.ask("POST", "verification", 429, json={"stream_id": number})
    receiver.ask("DELETE", "configuration", 204, params={"stream_id": number})
    assert receiver.ask("GET", "configuration") == []
    assert receiver.ask("POST", "configuration", 201, json={})["stream_id"] != number


@pytest.mark.parametrize(
    ("method", "what", "given"),
    [
        ("POST", "configuration", {"content": b"not json"}),
        ("POST", "configuration", {"content": b"[" * 5_000}),
        ("POST", "configuration", {"json": {"delivery": {"method": "smoke"}}}),
        ("POST", "configuration", {"json": {"events_requested": "all"}}),
        ("PATCH", "configuration", {"json": {}}),
        ("DELETE", "configuration", {}),
        ("GET", "configuration", {"params": {"stream": "1"}}),
        ("POST", "status", {"json": {"stream_id": "1", "status": "asleep"}}),
        ("POST", "add_subject", {"json": {"stream_id": "1", "subject": "ada"}}),
        ("POST", "verification", {"json": {"state": "x"}}),
    ],
)
def test_what_is_no_request_is_refused(served: Served, method: str, what: str, given: Any) -> None:
    receiver = Receiver(served)
    receiver.ask(method, what, 400, **given)
    receiver.ask("POST", "configuration", 413, content=b" " * 70_000)


def test_a_poll_that_waits_is_answered_when_something_comes(served: Served) -> None:
    receiver = Receiver(served)
    stream = receiver.ask("POST", "configuration", 201, json={})
    transmitter = served.server.context.ssf
    assert transmitter is not None
    transmitter.settings = settings_of(poll_seconds=60.0)
    path = path_of(stream["delivery"]["endpoint_url"])
    headers = {"authorization": f"Bearer {receiver.token}"}

    async def later(client: httpx2.AsyncClient) -> int:
        await asyncio.sleep(0)
        return await asyncio.to_thread(
            transmitter.publish, tokens.SESSION_REVOKED, {}, {"format": "opaque", "id": "x"}, "1",
            NOW,
        )  # fmt: skip

    answer, count = served.together(
        lambda client: client.post(path, json={}, headers=headers), later
    )
    assert count == 1
    assert len(answer.json()["sets"]) == 1


def settings_of(**more: Any) -> caep.Settings:
    return caep.Settings(issuer=ISSUER, key=Secret(env="SSF_KEY"), streams=True, **more)


def test_without_a_transmitter_there_is_none(tmp_path: Path) -> None:
    served = Served(tmp_path / "state")
    for path in ("/.well-known/ssf-configuration", "/ssf/jwks.json", "/ssf/streams"):
        assert served.ask("GET", path).status_code == 404
    served.close()


# --- the transmitter itself


@pytest.fixture
def transmitter(where: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transmitter]:
    monkeypatch.setenv("SSF_KEY", key_pem("ec"))
    with Store(where) as store:
        yield Transmitter(store, settings_of())


def tell(transmitter: Transmitter, about: str) -> int:
    subject = {"format": "opaque", "id": "ada"}
    return transmitter.publish(tokens.SESSION_REVOKED, {}, subject, about, NOW)


def trail(transmitter: Transmitter) -> list[Record]:
    return list(Trail(transmitter.store).records())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["put", "again", "ack", "refuse"]), max_size=25))
def test_nothing_is_lost_or_given_out_of_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSF_KEY", key_pem("ec"))
        with Store(tmp_path_factory.mktemp("ssf") / "state", lasting=False) as store:
            transmitter = Transmitter(store, settings_of())
            number = transmitter.create("app", Wanted(), NOW)["stream_id"]
            waiting: list[str] = []
            for count, step in enumerate(steps):
                about = str(count)
                if step in ("put", "again"):
                    assert tell(transmitter, about) == 1
                    if step == "again":
                        tell(transmitter, about)
                    waiting.append(about)
                given = transmitter.poll("app", number, Poll(max_events=3), NOW)
                assert len(given["sets"]) == min(3, len(waiting))
                assert given.get("moreAvailable", False) == (len(waiting) > 3)
                first = list(given["sets"])[:1]
                if step == "ack":
                    transmitter.poll("app", number, Poll(ack=(*first, "unknown")), NOW)
                    waiting = waiting[1:]
                elif step == "refuse":
                    errors = {jti: streams.SetError(err="invalid_key") for jti in first}
                    transmitter.poll("app", number, Poll(set_errs=errors), NOW)
                    waiting = waiting[1:]
            left = transmitter.poll("app", number, Poll(), NOW)["sets"]
            told = [jwt_claims(token)["txn"] for token in left.values()]
            assert told == waiting


def jwt_claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, KeySet.import_key_set(public()), ["ES256"]).claims)


def public() -> Any:
    return tokens.jwks([tokens.Signer(key_pem("ec"))])


def test_a_full_stream_is_paused_and_says_so(
    transmitter: Transmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_QUEUED", 2)
    number = transmitter.create("app", Wanted(), NOW)["stream_id"]
    assert [tell(transmitter, str(n)) for n in range(4)] == [1, 1, 0, 0]
    said = transmitter.status("app", number)
    assert (said["status"], said["reason"]) == ("paused", streams.FULL)
    transmitter.set_status("app", number, "enabled", None, NOW)
    kinds = [
        next(iter(jwt_claims(token)["events"]))
        for token in transmitter.poll("app", number, Poll(), NOW)["sets"].values()
    ]
    assert kinds == [tokens.SESSION_REVOKED] * 2 + [tokens.STREAM_UPDATED]


def test_a_token_that_could_not_be_used_leaves_and_is_recorded(transmitter: Transmitter) -> None:
    number = transmitter.create("app", Wanted(), NOW)["stream_id"]
    tell(transmitter, "1")
    (jti,) = transmitter.poll("app", number, Poll(), NOW)["sets"]
    errors = {
        jti: streams.SetError(err="invalid_key", description="?\x1b[31m"),
        "unknown": streams.SetError(err="invalid_key"),
    }
    assert transmitter.poll("app", number, Poll(set_errs=errors), NOW) == {"sets": {}}
    (entry,) = [e for e in trail(transmitter) if e.action == "stream:token refused"]
    assert json.loads(entry.details) == {"jti": jti, "why": "invalid_key: ?[31m"}


def test_old_keys_are_published_and_the_first_signs(
    transmitter: Transmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSF_NEW", key_pem("rsa"))
    both = caep.Settings(
        issuer=ISSUER, key=Secret(env="SSF_NEW"), old_keys=(Secret(env="SSF_KEY"),), streams=True
    )
    renewed = Transmitter(transmitter.store, both)
    assert [key["alg"] for key in renewed.keys()["keys"]] == ["RS256", "ES256"]
    assert renewed.signer.algorithm == "RS256"
    monkeypatch.setenv("SSF_NEW", "no key")
    with pytest.raises(ConfigurationError):
        Transmitter(transmitter.store, both)


# --- pushed


class Endpoint:
    """A receiver that is pushed to."""

    def __init__(self) -> None:
        self.status = 202
        self.body: Any = {}
        self.came: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.came.append(request)
        return httpx2.Response(self.status, json=self.body)


def pusher_of(transmitter: Transmitter, endpoint: Endpoint, address: str = "8.8.8.8") -> Pusher:
    clock = Clock(now=lambda: NOW, sleep=lambda _: None)
    return Pusher(
        transmitter,
        lambda url: Client(
            url, HttpSettings(), private=False, clock=clock,
            transport=httpx2.MockTransport(endpoint), resolver=lambda *_: [address],
        ),
    )  # fmt: skip


PUSHED = Wanted(
    delivery=streams.Delivery(
        method=streams.PUSH, endpoint_url="https://app.example.com/in",
        authorization_header="Bearer hush",
    )
)  # fmt: skip


def test_a_push_is_tried_until_it_is_taken_in_order(transmitter: Transmitter) -> None:
    endpoint = Endpoint()
    pusher = pusher_of(transmitter, endpoint)
    number = transmitter.create("app", PUSHED, NOW)["stream_id"]
    tell(transmitter, "1")
    tell(transmitter, "2")
    endpoint.status = 404
    assert pusher.run(NOW) == 0
    assert len(endpoint.came) == 1, "what is behind it waits"
    assert pusher.run(NOW + 4_999) == 0
    assert len(endpoint.came) == 1, "not before it is due"
    endpoint.status = 202
    assert pusher.run(NOW + 5_000) == 2
    told = [jwt_claims(r.content.decode())["txn"] for r in endpoint.came]
    assert told == ["1", "1", "2"]
    request = endpoint.came[-1]
    assert request.headers["content-type"] == "application/secevent+jwt"
    assert request.headers["authorization"] == "Bearer hush"
    assert pusher.run(NOW + 9_000_000) == 0
    with pytest.raises(StreamError, match="pushed"):
        transmitter.poll("app", number, Poll(), NOW)
    assert "hush" not in repr(trail(transmitter)) + repr(all_streams(transmitter.store))
    pusher.close()


def test_a_push_that_is_refused_for_good_leaves_and_is_recorded(transmitter: Transmitter) -> None:
    endpoint = Endpoint()
    endpoint.status, endpoint.body = 400, {"err": "invalid_audience", "description": "not mine"}
    transmitter.create("app", PUSHED, NOW)
    tell(transmitter, "1")
    assert pusher_of(transmitter, endpoint).run(NOW) == 1
    assert json.loads(trail(transmitter)[-1].details)["why"] == "invalid_audience: not mine"


def test_a_push_never_leads_into_ones_own_network(transmitter: Transmitter) -> None:
    endpoint = Endpoint()
    transmitter.create("app", PUSHED, NOW)
    tell(transmitter, "1")
    assert pusher_of(transmitter, endpoint, "169.254.169.254").run(NOW) == 0
    assert endpoint.came == []
    assert "169.254.169.254" in trail(transmitter)[-1].details
