"""Security event tokens and their streams, by the specifications' own words."""

import hashlib
import hmac
import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet, RSAKey

from quivive.model.response import ResponseRequest, Target
from quivive.respond import webhook
from quivive.respond.errors import RefusedError
from quivive.respond.ssf import streams, tokens
from quivive.respond.ssf.streams import StreamError, Transmitter
from quivive.respond.ssf.tokens import Signer
from tests.vendor import NOW, key_pem

ADA = Target(identity="ada@example.com", email="ada@example.com", session="s-1", uid="00u1")
ISSUER = "https://quivive.example.com/"


def request(action: str, target: Target = ADA) -> ResponseRequest:
    return ResponseRequest(
        key="k" * 32, action=action, target=target, event_id="e", rule="default/critical-revoke",
        reason="a new country", time=NOW - 9000, decided=NOW,
    )  # fmt: skip


def token(action: str, signer: Signer, target: Target = ADA) -> str:
    kind, said = tokens.event(request(action, target))
    sub_id = tokens.subject(target)
    return signer.sign(
        tokens.claims(ISSUER, "https://app", sub_id, {kind: said}, now=NOW, about="k")
    )


@pytest.mark.parametrize(("kind", "algorithm"), [("ec", "ES256"), ("rsa", "RS256")])
def test_a_token_is_checked_with_the_published_keys(kind: str, algorithm: str) -> None:
    signer = Signer(key_pem(kind))
    keys = tokens.jwks([signer, Signer(key_pem("ec" if kind == "rsa" else "rsa"))])
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {k for key in keys["keys"] for k in key}
    found = jwt.decode(token("revoke", signer), KeySet.import_key_set(keys), [algorithm])
    assert found.header == {"alg": algorithm, "typ": "secevent+jwt", "kid": signer.key_id}
    assert found.claims == {
        "iss": ISSUER,
        "jti": found.claims["jti"],
        "iat": NOW // 1000,
        "aud": "https://app",
        "txn": "k",
        "sub_id": {
            "format": "complex",
            "user": {"format": "email", "email": "ada@example.com"},
            "session": {"format": "opaque", "id": "s-1"},
        },
        "events": {
            "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {
                "event_timestamp": NOW // 1000,
                "initiating_entity": "policy",
                "reason_admin": {"en": "default/critical-revoke: a new country"},
            }
        },
    }
    stranger = ECKey.generate_key("P-256") if kind == "ec" else RSAKey.generate_key(2048)
    with pytest.raises(BadSignatureError):
        jwt.decode(token("revoke", signer), stranger, [algorithm])


def test_what_each_action_tells() -> None:
    _, change = tokens.event(request("rotate"), credential_type="x509")
    assert (change["credential_type"], change["change_type"]) == ("x509", "revoke")
    kind, level = tokens.event(request("step_up"))
    assert kind.endswith("assurance-level-change")
    assert (level["namespace"], level["change_direction"]) == ("NIST-AAL", "decrease")
    with pytest.raises(RefusedError, match="no event for isolate"):
        tokens.event(request("isolate"))


def test_the_same_thing_has_the_same_id_for_the_same_receiver_only() -> None:
    def jti(audience: str, about: str) -> str:
        events = {tokens.SESSION_REVOKED: {}}
        said = tokens.claims(ISSUER, audience, {}, events, now=NOW, about=about)
        return str(said["jti"])

    assert jti("a", "1") == jti("a", "1")
    assert len({jti("a", "1"), jti("b", "1"), jti("a", "2")}) == 3


def test_a_subject_is_what_a_receiver_can_know() -> None:
    assert tokens.subject(Target(identity="x", uid="u")) == {"format": "opaque", "id": "u"}
    with pytest.raises(RefusedError, match="no id that a receiver could know"):
        tokens.subject(Target(identity="x"))


def weak_keys() -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = RSAKey.generate_key(1024)
    other, public = ECKey.generate_key("P-384"), ECKey.generate_key("P-256")
    return [
        "no key",
        "",
        other.as_pem(private=True).decode(),
        small.as_pem(private=True).decode(),
        public.as_pem(private=False).decode(),
    ]


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_weak_public_or_broken_key_signs_nothing() -> None:
    for pem in weak_keys():
        with pytest.raises(RefusedError) as caught:
            Signer(pem)
        assert "BEGIN" not in str(caught.value)


def test_the_configuration_document_names_everything() -> None:
    found = tokens.transmitter_configuration(ISSUER)
    assert found["spec_version"] == "1_0"
    assert found["issuer"] == ISSUER
    assert found["delivery_methods_supported"] == [streams.PUSH, streams.POLL]
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith("https://quivive.example.com/ssf/"), name


# --- streams


def wanted(**given: object) -> streams.Wanted:
    return streams.decode_wanted(json.dumps(given).encode())


def made() -> tuple[Transmitter, streams.Stream]:
    state = Transmitter(issuer=ISSUER)
    streams.create(state, "app", "https://app", wanted())
    return state, next(iter(state.streams.values()))


def test_a_stream_is_made_changed_and_removed() -> None:
    state = Transmitter(issuer=ISSUER)
    asked = wanted(
        events_requested=[tokens.SESSION_REVOKED, "https://elsewhere/event"],
        delivery={"method": streams.PUSH, "endpoint_url": "https://app/in",
                  "authorization_header": "Bearer hush"},
    )  # fmt: skip
    found = streams.create(state, "app", "https://app", asked)
    assert found["events_delivered"] == [tokens.SESSION_REVOKED]
    assert found["events_supported"] == list(tokens.EVENTS)
    assert found["delivery"] == {"method": streams.PUSH, "endpoint_url": "https://app/in"}
    assert "hush" not in json.dumps(found)
    with pytest.raises(StreamError) as caught:
        streams.create(state, "app", "https://app", wanted())
    assert caught.value.status == 409
    number = found["stream_id"]
    assert streams.read(state, "app", None) == [found]
    assert streams.read(state, "other", None) == []
    patched = streams.update(state, "app", wanted(stream_id=number, description="x"), replace=False)
    assert patched == found | {"description": "x"}
    replaced = streams.update(state, "app", wanted(stream_id=number), replace=True)
    assert replaced["delivery"]["method"] == streams.POLL
    assert "description" not in replaced
    for call in (
        lambda: streams.read(state, "other", number),
        lambda: streams.delete(state, "other", number),
        lambda: streams.update(state, "other", wanted(stream_id=number), replace=True),
    ):
        with pytest.raises(StreamError) as caught:
            call()
        assert caught.value.status == 404, "another's stream is as good as none"
    streams.delete(state, "app", number)
    assert state.streams == {}


@pytest.mark.parametrize(
    "body",
    [
        b"not json", b"[]", b'{"delivery": {"method": "smoke"}}', b'{"events_requested": "all"}',
        b'{"delivery": {"method": "urn:ietf:rfc:8935"}}',
        b'{"delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "http://app/"}}',
        b'{"delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://u:p@app/"}}',
    ],
)  # fmt: skip
def test_a_configuration_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(StreamError) as caught:
        streams.create(Transmitter(issuer=ISSUER), "a", "aud", streams.decode_wanted(body))
    assert caught.value.status == 400


def test_poll_gives_until_acknowledged() -> None:
    _, stream = made()
    for name in ("a", "b", "c"):
        streams.enqueue(stream, name, f"token {name}")
        streams.enqueue(stream, name, "again")
    answer, refused = streams.poll(stream, b'{"maxEvents": 2, "returnImmediately": true}')
    assert answer == {"sets": {"a": "token a", "b": "token b"}, "moreAvailable": True}
    assert streams.poll(stream, b'{"maxEvents": 2}')[0] == answer
    body = {"ack": ["a", "unknown"], "setErrs": {"b": {"err": "invalid_key", "description": "?"}}}
    answer, refused = streams.poll(stream, json.dumps(body).encode())
    assert answer == {"sets": {"c": "token c"}}
    assert refused == {"b": "invalid_key: ?"}
    assert streams.poll(stream, b'{"maxEvents": 0, "ack": ["c"]}')[0] == {"sets": {}}
    for bad in (b"[]", b'{"maxEvents": -1}', b'{"ack": "a"}'):
        with pytest.raises(StreamError):
            streams.poll(stream, bad)


@given(st.lists(st.sampled_from(["put", "poll", "ack"]), max_size=60))
def test_nothing_is_lost_or_given_out_of_order(steps: list[str]) -> None:
    _, stream = made()
    put, acked = 0, 0
    for step in steps:
        if step == "put":
            streams.enqueue(stream, f"{put:03}", f"t{put}")
            put += 1
        given = list(streams.poll(stream, b'{"maxEvents": 3}')[0]["sets"])
        assert given == [f"{n:03}" for n in range(acked, min(put, acked + 3))]
        if step == "ack" and given:
            streams.poll(stream, json.dumps({"ack": given[:1], "maxEvents": 0}).encode())
            acked += 1


def test_status_and_subjects_decide_what_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    state, stream = made()
    user = {"format": "email", "email": "ada@example.com"}
    both = tokens.subject(ADA)
    assert streams.wants(stream, tokens.SESSION_REVOKED, both)
    streams.set_subject(stream, dict(reversed(user.items())), wanted=False)
    assert not streams.wants(stream, tokens.SESSION_REVOKED, both)
    streams.set_subject(stream, user, wanted=True)
    assert streams.wants(stream, tokens.SESSION_REVOKED, both)
    with pytest.raises(StreamError):
        streams.set_subject(stream, "ada", wanted=True)
    streams.enqueue(stream, "a", "t")
    assert streams.set_status(stream, "paused", "holiday")["reason"] == "holiday"
    assert streams.poll(stream, b"{}")[0] == {"sets": {}}
    assert streams.wants(stream, tokens.SESSION_REVOKED, both), "it waits"
    streams.set_status(stream, "disabled", None)
    assert (stream.queue, streams.wants(stream, tokens.SESSION_REVOKED, both)) == ({}, False)
    with pytest.raises(StreamError):
        streams.set_status(stream, "asleep", None)
    monkeypatch.setattr(streams, "MOST_QUEUED", 2)
    streams.set_status(stream, "enabled", None)
    for name in ("a", "b", "c"):
        streams.enqueue(stream, name, "t")
    assert (list(stream.queue), stream.status) == (["a", "b"], "paused")
    told = streams.stream_updated(state, stream, Signer(key_pem("ec")), NOW)[1]
    found = jwt.decode(told, ECKey.import_key(key_pem("ec")), ["ES256"]).claims["events"]
    assert found[tokens.STREAM_UPDATED]["status"] == "paused"


def test_verification_carries_the_receivers_word_and_not_too_often() -> None:
    state, stream = made()
    signer = Signer(key_pem("ec"))
    _, told = streams.verification(state, stream, signer, "word-1", NOW)
    found = jwt.decode(told, ECKey.import_key(key_pem("ec")), ["ES256"]).claims
    assert found["events"] == {tokens.VERIFICATION: {"state": "word-1"}}
    assert found["sub_id"] == {"format": "opaque", "id": stream.stream_id}
    with pytest.raises(StreamError) as caught:
        streams.verification(state, stream, signer, None, NOW + 1000)
    assert caught.value.status == 429
    assert streams.verification(state, stream, signer, None, NOW + 61_000)


# --- the webhook's signature


def test_a_webhook_is_genuine_only_as_it_was_sent_and_only_for_five_minutes() -> None:
    secret, body, now = "0123456789abcdef", b'{"action":"revoke"}', NOW // 1000
    headers = {
        "x-quivive-timestamp": str(now),
        "x-quivive-signature": webhook.signature(secret, now, body),
    }
    by_hand = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-quivive-signature"] == f"v1={by_hand}"
    assert webhook.genuine(secret, headers, body, now)
    assert webhook.genuine(secret, headers, body, now + webhook.WINDOW)
    assert not webhook.genuine(secret, headers, body, now + webhook.WINDOW + 1)
    assert not webhook.genuine(secret, headers, body, now - webhook.WINDOW - 1)
    assert not webhook.genuine(secret, headers, body + b" ", now)
    assert not webhook.genuine("another secret!!", headers, body, now)
    for changed in (
        {"x-quivive-timestamp": str(now + 1)}, {"x-quivive-timestamp": "1e9"},
        {"x-quivive-timestamp": "٣"}, {"x-quivive-signature": ""}, {"x-quivive-signature": "é"},
    ):  # fmt: skip
        assert not webhook.genuine(secret, headers | changed, body, now)
    assert not webhook.genuine(secret, {}, body, now)
