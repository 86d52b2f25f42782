"""Decisions of the Cloudflare source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.ocsf import encode_event
from quivive.model.record import RejectError, Skip
from quivive.sources.cloudflare import parse, recognise
from tests.unit.parsing import event_of, record_of

LOGIN = {
    "user_email": "ana@example.com",
    "ip_address": "192.0.2.61",
    "app_uid": "df7e2a5f",
    "app_domain": "wiki.example.com",
    "action": "login",
    "connection": "okta",
    "allowed": True,
    "created_at": "2026-10-05T07:20:00Z",
    "ray_id": "187d944c61940c77",
}
REQUEST = {
    "ClientIP": "192.0.2.61",
    "ClientRequestHost": "app.example.com",
    "ClientRequestMethod": "GET",
    "ClientRequestPath": "/",
    "EdgeResponseStatus": 200,
    "EdgeStartTimestamp": "2026-10-05T07:20:00Z",
    "RayID": "8f0c2a7b6d1e4c60",
}
CALL = {
    "id": "a-1",
    "action": {"result": "success", "time": "2026-10-05T07:20:00Z", "type": "create"},
    "actor": {"id": "u1", "context": "dash", "email": "ana@example.com", "type": "user"},
    "raw": {"method": "POST", "status_code": 200, "uri": "/accounts/4bb334f7c94c4a29/members"},
}


def event(base: dict[str, Any], **changed: Any) -> AuthEvent:
    return event_of(parse, record_of(base | changed))


def call(**actor: Any) -> AuthEvent:
    return event(CALL, actor=CALL["actor"] | actor)  # type: ignore[operator]


def test_who_is_denied_by_a_policy_was_signed_in_by_the_provider() -> None:
    found = event(LOGIN, allowed=False)
    assert found.status_id == Status.FAILURE
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted is True
    assert event(LOGIN, allowed=False, connection=None).unmapped is None


@pytest.mark.parametrize(
    ("connection", "protocol", "factors"),
    [("saml", 5, 0), ("oidc", 4, 0), ("onetimepin", None, 1), ("github", None, 0)],
)
def test_what_the_provider_says_of_the_login(
    connection: str, protocol: int | None, factors: int
) -> None:
    found = event(LOGIN, connection=connection)
    assert found.auth_protocol_id == protocol
    assert len(found.auth_factors or ()) == factors


@pytest.mark.parametrize(
    ("context", "background"),
    [("dash", None), ("oauth", None), ("api_token", True), ("api_key", True)],
)
def test_tokens_and_keys_are_used_without_a_person(context: str, background: bool | None) -> None:
    found = call(context=context)
    assert found.unmapped is not None
    assert found.unmapped.non_interactive is background


def test_a_token_that_the_account_owns_is_the_identity() -> None:
    found = call(type="account", email="", token_id="t1", token_name="ci")
    assert (found.user.name, found.user.uid, found.user.type_id) == ("ci", "t1", UserType.SERVICE)


def test_the_two_shapes_of_an_entry_give_the_same_event() -> None:
    flat = {
        "AuditLogID": "a-1",
        "ActionResult": "success",
        "ActionTimestamp": "2026-10-05T07:20:00Z",
        "ActionType": "create",
        "ActorContext": "dash",
        "ActorEmail": "ana@example.com",
        "ActorID": "u1",
        "ActorType": "user",
        "Raw": CALL["raw"],
    }
    assert event_of(parse, record_of(flat)) == event_of(parse, record_of(CALL))


def test_a_header_is_no_verified_token() -> None:
    headers = {"claims-sub": "root", "jwt-sub": "root", "jwt": '{"sub":"root","iss":"x"}'}
    assert isinstance(parse(record_of(REQUEST | {"RequestHeaders": headers})), Skip)


def test_secrets_that_somebody_logs_stay_out() -> None:
    headers = {
        "authorization": "Bearer hunter2",
        "cf-access-jwt-assertion": "hunter2",
        "x-user-id": "u-77",
    }
    found = event(
        REQUEST,
        RequestHeaders=headers,
        Cookies={"CF_Authorization": "hunter2"},
        ClientRequestURI="/?token=hunter2",
    )
    assert found.user.name == "u-77"
    assert b"hunter2" not in encode_event(found)


def test_a_certificate_that_was_refused_is_no_proof() -> None:
    shown = {"ClientMTLSAuthCertFingerprint": "f2a9", "EdgeResponseStatus": 200}
    refused = event(REQUEST, **shown, ClientMTLSAuthStatus="untrusted")
    assert (refused.status_id, refused.status_detail) == (Status.FAILURE, "untrusted")
    assert event(REQUEST, **shown, ClientMTLSAuthStatus="ok").status_id == Status.SUCCESS


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "login", "actor": {"type": "user"}, "when": "2026-10-05"},
        {"action": {"type": "login"}, "actor": {"email": "ana@example.com"}},
        {"allowed": True, "app_domain": "wiki.example.com"},
        {"ClientIP": "192.0.2.1", "RayID": "8f0c"},
    ],
)
def test_records_of_others_are_left_to_them(fields: dict[str, Any]) -> None:
    assert not recognise(record_of(fields))
    with pytest.raises(RejectError):
        parse(record_of({"kind": "none"}))
