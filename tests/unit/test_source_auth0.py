"""Decisions of the Auth0 source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status
from quivive.model.record import Skip
from quivive.sources._auth0_types import KINDS, SKIPS
from quivive.sources.auth0 import SOURCE
from tests.unit.parsing import event_of, record_of

ADMIN = {"user_id": "google-oauth2|1", "email": "eve@example.com"}


def log(code: str, **more: Any) -> dict[str, Any]:
    return {
        "date": "2026-03-02T08:14:05.118Z",
        "type": code,
        "ip": "203.0.113.17",
        "log_id": "90020260302081405118000000000000000001",
        "client_id": "Kq3vT8wYb1nRz5mXc7pLd2sFh4jGa6eU",
        "user_id": "auth0|1",
        "user_name": "ada@example.com",
    } | more


def event(code: str, **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(log(code, **more)))


def call(method: str, path: str, body: dict[str, Any] | None = None) -> AuthEvent:
    request = {"method": method, "path": path, "body": body, "auth": {"user": ADMIN}}
    return event("sapi", details={"request": request, "response": {"statusCode": 200}})


def test_no_code_is_both_read_and_skipped() -> None:
    assert not KINDS.keys() & SKIPS.keys()


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_that_is_read_gives_an_event(code: str) -> None:
    found = event(code)
    assert found.metadata.event_code == code
    assert found.status_id == KINDS[code].status


@pytest.mark.parametrize("wrapping", ["data", "detail", "event"])
def test_a_log_is_found_in_its_envelope(wrapping: str) -> None:
    wrapped = record_of({"time": 1, wrapping: {"log_id": "9", "data": log("s")}})
    assert SOURCE.recognise(wrapped)
    assert event_of(SOURCE.parse, wrapped) == event("s")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "s", "date": "2026-03-02T08:14:05Z"},
        {"type": "login", "date": "2026-03-02T08:14:05Z", "client_id": "a", "details": {}},
        {"type": "s", "log_id": "17", "ip": "203.0.113.17"},
        {"type": "user.session.start", "log_id": "9" * 40, "ip": "203.0.113.17"},
        {"data": {"data": {"data": {"data": {"data": log("s")}}}}},
        {"type": ["s"], "log_id": "9" * 40},
        {"data": "s", "detail": [], "event": 7},
    ],
)
def test_others_records_are_left_to_them(fields: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(fields))


def test_a_refusal_after_the_password_proves_it_only_when_the_user_is_known() -> None:
    error = {"error": {"oauthError": "access_denied", "message": "no"}}
    known, unknown = event("f", details=error), event("f", details=error, user_id="")
    assert known.unmapped is not None
    assert known.unmapped.credential_accepted
    assert unknown.unmapped is None
    wrong = event("fp", details=error)
    assert wrong.unmapped is None


def test_a_failure_that_names_nobody_is_skipped_and_a_success_is_damage() -> None:
    for code in ("f", "fsa", "feacft", "slo", "gd_auth_failed"):
        found = SOURCE.parse(record_of(log(code, user_id="", user_name="")))
        assert isinstance(found, Skip), code
    with pytest.raises(ValueError, match="user_id: no name or id"):
        SOURCE.parse(record_of(log("ssa", user_id="", user_name="")))


def test_a_first_factor_without_password_is_no_mfa_and_proves_nothing_before_it() -> None:
    passed = event("gd_auth_succeed", details={"first_factor": True})
    failed = event("gd_auth_failed", details={"first_factor": True})
    assert passed.is_mfa is None
    assert failed.unmapped is None


def test_trust_told_by_the_vendor_is_risk_the_other_way_round() -> None:
    told = event("s", details={"riskAssessment": {"confidence": "low"}}).unmapped
    assert told is not None
    assert told.vendor_risk == "high"


@pytest.mark.parametrize(
    ("method", "path", "body", "activity", "name"),
    [
        ("post", "/api/v2/tickets/password-change", {"user_id": "auth0|2"}, 99, "Password Reset"),
        ("patch", "/api/v2/users/auth0%7C2", {"password": "x"}, 99, "Password Reset"),
        ("put", "/v2/users/auth0%7C2/authentication-methods", [], 99, "Factor Enroll"),
        ("delete", "/v2/users/auth0%7C2/authentication-methods/totp%7C1", None, 99, "Factor Reset"),
        ("DELETE", "/v2/users/auth0%7C2/refresh-tokens", None, 2, None),
    ],
)
def test_what_an_administrator_does_to_an_account_is_the_accounts(
    method: str, path: str, body: Any, activity: int, name: str | None
) -> None:
    found = call(method, path, body)
    assert (found.user.uid, found.activity_id, found.activity_name) == ("auth0|2", activity, name)
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "eve@example.com"
    assert found.session is None


def test_any_other_call_is_a_use_of_the_callers_token() -> None:
    found = call("get", "/api/v2/users/auth0%7C2/organizations?page=0")
    assert (found.user.name, found.activity_id) == ("eve@example.com", Activity.LOGON)
    assert found.unmapped is not None
    assert found.unmapped.operation == "GET users/{id}/organizations"
    assert found.unmapped.resource == "/api/v2/users/auth0%7C2/organizations"


def test_a_silent_login_that_needs_the_user_is_an_interrupt() -> None:
    asked = event("fsa", details={"error": {"oauthError": "login_required"}})
    refused = event("fsa", details={"error": {"oauthError": "server_error"}})
    assert (asked.status_id, refused.status_id) == (Status.OTHER, Status.FAILURE)
