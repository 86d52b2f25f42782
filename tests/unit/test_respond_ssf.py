"""Security event tokens and their streams, by the specifications' own words."""

import hashlib
import hmac
import json
import warnings

import msgspec
import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet, RSAKey

from quivive.model.response import ResponseRequest, Target
from quivive.respond import webhook
from quivive.respond.errors import RefusedError
from quivive.respond.ssf import streams, tokens
from quivive.respond.ssf.streams import StreamError, Wanted
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


def wanted(**given: object) -> Wanted:
    return msgspec.json.decode(json.dumps(given), type=Wanted)


def made(**given: object) -> streams.Stream:
    return streams.create([], "s1", "app", "https://app", wanted(**given))


def test_a_stream_is_made_and_changed() -> None:
    stream = made(
        events_requested=[tokens.SESSION_REVOKED, "https://elsewhere/event"],
        delivery={"method": streams.PUSH, "endpoint_url": "https://app/in",
                  "authorization_header": "Bearer hush"},
    )  # fmt: skip
    found = streams.configuration(ISSUER, stream)
    assert found["events_delivered"] == [tokens.SESSION_REVOKED]
    assert found["events_supported"] == list(tokens.EVENTS)
    assert found["delivery"] == {"method": streams.PUSH, "endpoint_url": "https://app/in"}
    assert "hush" not in json.dumps(found) + repr(stream)
    with pytest.raises(StreamError) as caught:
        streams.create([stream], "s2", "app", "https://app", wanted())
    assert caught.value.status == 409
    streams.update(stream, wanted(description="x\n"), replace=False)
    assert streams.configuration(ISSUER, stream) == found | {"description": "x"}
    streams.update(stream, wanted(), replace=True)
    found = streams.configuration(ISSUER, stream)
    assert found["delivery"]["method"] == streams.POLL
    assert found["delivery"]["endpoint_url"] == f"{ISSUER}ssf/poll/s1"
    assert "description" not in found
    for owner, number in (("other", "s1"), ("app", "s2"), ("other", None)):
        with pytest.raises(StreamError) as caught:
            streams.of([stream], owner, number)
        assert caught.value.status == 404, "another's stream is as good as none"


@pytest.mark.parametrize(
    "delivery",
    [
        {"method": streams.PUSH},
        {"method": streams.PUSH, "endpoint_url": "http://app/"},
        {"method": streams.PUSH, "endpoint_url": "https://u:p@app/"},
        {"method": streams.PUSH, "endpoint_url": "https://app/", "authorization_header": "a\r\nb"},
    ],
)
def test_a_delivery_that_cannot_be_is_refused(delivery: dict[str, str]) -> None:
    with pytest.raises(StreamError) as caught:
        made(delivery=delivery)
    assert caught.value.status == 400


def test_status_and_subjects_decide_what_is_delivered() -> None:
    stream = made()
    assert stream.wants(tokens.SESSION_REVOKED)
    assert not stream.wants("https://elsewhere/event")
    assert streams.set_status(stream, "paused", "holiday")["reason"] == "holiday"
    assert stream.wants(tokens.SESSION_REVOKED), "it waits"
    streams.set_status(stream, "disabled", None)
    assert not stream.wants(tokens.SESSION_REVOKED)
    with pytest.raises(StreamError):
        streams.set_status(stream, "asleep", None)
    user = {"format": "email", "email": "ada@example.com"}
    assert streams.subject(dict(reversed(user.items()))) in streams.about(tokens.subject(ADA))
    assert streams.about(user) == (streams.subject(user),)
    for bad in ("ada", {}, {"format": 1}, {"format": "x" * 3_000}):
        with pytest.raises(StreamError):
            streams.subject(bad)
    told = streams.stream_updated(ISSUER, stream, Signer(key_pem("ec")), NOW)[1]
    found = jwt.decode(told, ECKey.import_key(key_pem("ec")), ["ES256"]).claims["events"]
    assert found[tokens.STREAM_UPDATED]["status"] == "disabled"


def test_verification_carries_the_receivers_word_and_not_too_often() -> None:
    stream = made()
    signer = Signer(key_pem("ec"))
    _, told = streams.verification(ISSUER, stream, signer, "word-1", NOW)
    found = jwt.decode(told, ECKey.import_key(key_pem("ec")), ["ES256"]).claims
    assert found["events"] == {tokens.VERIFICATION: {"state": "word-1"}}
    assert found["sub_id"] == {"format": "opaque", "id": stream.stream_id}
    with pytest.raises(StreamError) as caught:
        streams.verification(ISSUER, stream, signer, None, NOW + 1000)
    assert caught.value.status == 429
    assert streams.verification(ISSUER, stream, signer, None, NOW + 61_000)


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
