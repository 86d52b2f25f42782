"""Decisions of the JumpCloud source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, FactorType, Status
from quivive.model.record import Skip
from quivive.sources._jumpcloud_words import CALL, KINDS
from quivive.sources.jumpcloud import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"id": "6192", "type": "user", "username": "ada.meyer"}
EVE = {"id": "61e5", "type": "admin", "email": "eve@example.com"}


def log(event_type: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "648c",
        "event_type": event_type,
        "service": "directory",
        "organization": "641b",
        "timestamp": "2026-03-02T08:14:05.921449824Z",
        "initiated_by": ADA,
        "client_ip": "203.0.113.17",
        "success": True,
    } | more


def event(event_type: str, **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(log(event_type, **more)))


def methods(**told: bool) -> dict[str, Any]:
    return {"auth_methods": {word: {"success": right} for word, right in told.items()}}


@pytest.mark.parametrize("event_type", sorted(KINDS))
def test_every_type_that_is_read_gives_an_event(event_type: str) -> None:
    found = event(event_type, success=False)
    assert found.metadata.event_code == event_type
    assert found.status_id == Status.FAILURE


@pytest.mark.parametrize(
    "more",
    [
        {"service": "sales"},
        {"service": None},
        {"organization": 7},
        {"event_type": "user login"},
        {"event_type": 5},
        {"event_type": ""},
    ],
)
def test_others_records_are_left_to_them(more: dict[str, Any]) -> None:
    assert SOURCE.recognise(record_of(log("sso_auth")))
    assert not SOURCE.recognise(record_of(log("sso_auth") | more))
    without_time = log("sso_auth")
    del without_time["timestamp"]
    assert not SOURCE.recognise(record_of(without_time))


def test_a_second_factor_refused_after_the_password_is_a_challenge() -> None:
    told = methods(password=True, totp=False)
    found = event("user_login_attempt", success=False, auth_context=told)
    assert found.activity_name == "MFA Challenge"
    assert found.auth_factors is not None
    assert [factor.factor_type_id for factor in found.auth_factors] == [FactorType.OTP]
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted
    assert found.service is not None
    assert found.service.name == "JumpCloud User Portal"
    wrong = event("user_login_attempt", success=False, auth_context=methods(password=False))
    assert (wrong.activity_name, wrong.unmapped) == (None, None)


@pytest.mark.parametrize(
    ("event_type", "more", "is_mfa"),
    [
        ("user_login_attempt", {"mfa": True}, True),
        ("user_login_attempt", {"mfa": False}, False),
        ("user_login_attempt", {}, None),
        ("user_login_attempt", {"mfa": True, "success": False}, None),
        ("user_login_attempt", {"auth_context": methods(password=True, duo=True)}, True),
        ("user_login_attempt", {"mfa": False, "auth_context": methods(jumpcloud_go=True)}, None),
        # An application asks for nothing again in a session that had MFA.
        ("sso_auth", {"mfa": False}, None),
        ("sso_auth", {"mfa": True}, True),
        ("radius_auth", {"mfa": False}, False),
    ],
)
def test_one_factor_is_said_only_where_the_record_can_know(
    event_type: str, more: dict[str, Any], is_mfa: bool | None
) -> None:
    assert event(event_type, **more).is_mfa is is_mfa


def test_a_place_is_that_of_the_address_it_was_found_for() -> None:
    placed = {"geoip": {"country_code": "CH", "region_name": "Zurich"}, "username": "ben"}
    local = event("login_attempt", **placed)
    remote = event("login_attempt", src_ip="198.51.100.60", **placed)
    assert local.src_endpoint is not None
    assert local.src_endpoint.location is not None
    assert remote.src_endpoint is not None
    assert (remote.src_endpoint.ip, remote.src_endpoint.location) == ("198.51.100.60", None)


def test_the_id_of_a_system_is_nobodys() -> None:
    system = {"type": "system", "id": "6195"}
    found = event("login_attempt", initiated_by=system, username="root")
    assert (found.user.name, found.user.uid) == ("root", None)
    assert isinstance(SOURCE.parse(record_of(log("user_delete", initiated_by=system))), Skip)


@pytest.mark.parametrize(("by", "name"), [(ADA, "Password Change"), (EVE, "Password Reset")])
def test_a_password_changed_by_another_is_a_reset(by: dict[str, Any], name: str) -> None:
    found = event("user_password_change", initiated_by=by, resource=ADA)
    assert (found.user.uid, found.activity_name) == ("6192", name)
    assert (found.actor is None) == (by is ADA)


def test_an_update_counts_by_who_makes_it_and_what_it_takes_away() -> None:
    freed = [{"field": "enable_user_portal_multifactor", "from": True, "to": False}]
    bound = [{"field": "enable_user_portal_multifactor", "from": False, "to": True}]
    mfa = event("user_update", initiated_by=EVE, resource=ADA, changes=freed)
    assert (mfa.activity_name, mfa.user.uid) == ("Factor Reset", "6192")
    other = event("user_update", initiated_by=EVE, resource=ADA, changes=bound)
    assert (other.activity_name, other.user.uid) == (None, "61e5")
    assert KINDS["user_update"] is CALL
    own = SOURCE.parse(record_of(log("user_update", resource=ADA, changes=["x", {}])))
    assert isinstance(own, Skip)


@pytest.mark.parametrize(("method", "background"), [("api key", True), ("session", None)])
def test_an_api_key_works_without_anybody_present(method: str, background: bool | None) -> None:
    found = event("command_run", initiated_by=EVE, auth_method=method)
    assert found.unmapped is not None
    assert found.unmapped.operation == "command_run"
    assert found.unmapped.non_interactive is background
