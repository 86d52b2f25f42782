"""Decisions of the Duo source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, FactorType, Status
from quivive.model.record import Skip
from quivive.sources._duo_words import REFUSED, UNANSWERED, WITHOUT_FACTOR
from quivive.sources.duo import SOURCE
from tests.unit.parsing import event_of, record_of


def log(**more: Any) -> dict[str, Any]:
    return {
        "access_device": {"ip": "203.0.113.17"},
        "application": {"key": "DI1", "name": "Example VPN"},
        "auth_device": {"ip": "198.51.100.77", "name": "+47 900 00 001"},
        "event_type": "authentication",
        "factor": "duo_push",
        "isotimestamp": "2026-03-02T08:01:01.001111+00:00",
        "reason": "user_approved",
        "result": "success",
        "txid": "5b1d7c4e-8a2f-4c3d-9e60-000000000001",
        "user": {"key": "DU1", "name": "ada@example.com"},
    } | more


def event(**more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(log(**more)))


def test_the_telephone_that_answers_is_not_where_the_login_comes_from() -> None:
    found = event()
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "203.0.113.17"
    assert event(access_device={"ip": None}).src_endpoint is None


@pytest.mark.parametrize("reason", sorted(REFUSED | UNANSWERED))
def test_a_refused_or_unanswered_factor_is_a_challenge(reason: str) -> None:
    found = event(reason=reason, result="denied")
    assert (found.activity_id, found.activity_name) == (Activity.OTHER, "MFA Challenge")
    assert found.status_id == Status.FAILURE
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted


@pytest.mark.parametrize("reason", ["location_restricted", "locked_out", "deny_unenrolled_user"])
def test_a_login_that_a_policy_blocks_asked_for_no_factor(reason: str) -> None:
    found = event(reason=reason, result="denied")
    assert (found.activity_id, found.status_id) == (Activity.LOGON, Status.FAILURE)
    assert found.auth_factors is None
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted


@pytest.mark.parametrize("reason", sorted(WITHOUT_FACTOR))
def test_let_in_without_a_second_factor_is_one_factor(reason: str) -> None:
    found = event(reason=reason, factor="not_available")
    assert found.is_mfa is False
    assert found.auth_factors is None


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("duo_push", FactorType.PUSH),
        ("Duo Push", FactorType.PUSH),
        ("verified_duo_push", FactorType.PUSH),
        ("SMS Passcode", FactorType.SMS),
        ("duo_mobile_passcode_hotp", FactorType.OTP),
        ("WebAuthn Security Key", FactorType.WEBAUTHN),
        ("digipass_go_7_token", FactorType.HARDWARE_TOKEN),
        ("bypass_code", FactorType.OTHER),
        ("some_day_telepathy", FactorType.OTHER),
    ],
)
def test_factors_of_both_versions(word: str, kind: FactorType) -> None:
    found = event(factor=word)
    assert found.auth_factors is not None
    assert [factor.factor_type_id for factor in found.auth_factors] == [kind]
    assert found.is_mfa is True


def test_low_trust_is_high_risk_and_normal_trust_says_nothing() -> None:
    low, normal = (
        event(adaptive_trust_assessments={"more_secure_auth": {"trust_level": level}}).unmapped
        for level in ("LOW", "NORMAL")
    )
    assert low is not None
    assert low.vendor_risk == "high"
    assert normal is None


def test_a_directory_or_the_api_is_no_administrator() -> None:
    def by(name: str) -> AuthEvent:
        done = {
            "action": "bypass_create",
            "object": "ada",
            "username": name,
            "timestamp": 1772438400,
        }
        return event_of(SOURCE.parse, record_of(done | {"isotimestamp": None}))

    for name, type_id in (("Eve Ellis", 2), ("API", None), ("AD Sync: example", None)):
        actor = by(name).actor
        assert actor is not None
        assert actor.user is not None
        assert (actor.user.name, actor.user.type_id) == (name, type_id)


def test_an_action_on_others_things_is_skipped() -> None:
    done = {
        "action": "user_update",
        "username": "Eve Ellis",
        "object": "ada",
        "timestamp": 1772438400,
    }
    for description in (None, "free words", '{"status": "Active"}', '{"status": ["Bypass"]}', "{"):
        assert isinstance(SOURCE.parse(record_of(done | {"description": description})), Skip)


@pytest.mark.parametrize(
    "fields",
    [
        {"factor": "duo_push", "result": "success"},
        {"factor": "x", "result": "y", "user": {"name": "ada"}, "event_type": "login"},
        {"action": "user.login", "actor": "ada", "created_at": 1772438400000},
        {"action": "admin_login", "username": "eve", "timestamp": 1772438400},
        {"action": ["admin_login"], "username": "eve", "isotimestamp": "", "timestamp": 1},
    ],
)
def test_others_records_are_left_to_them(fields: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(fields))
