"""Decisions of the OneLogin source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, FactorType, Status
from quivive.model.record import Skip
from quivive.sources._onelogin_words import KINDS, factor_of, risk_of
from quivive.sources.onelogin import SOURCE
from tests.unit.parsing import event_of, record_of


def log(number: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": 81004690007,
        "created_at": "2026-03-02T08:14:05.118Z",
        "account_id": 192000,
        "event_type_id": number,
        "user_id": 1,
        "user_name": "Ada Meyer",
        "actor_user_id": 1,
        "actor_user_name": "Ada Meyer",
        "actor_system": "",
        "app_id": 11111,
        "ipaddr": "203.0.113.17",
    } | more


def event(number: Any, **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(log(number, **more)))


@pytest.mark.parametrize("number", sorted(KINDS))
def test_every_number_that_is_read_gives_an_event(number: int) -> None:
    found = event(number)
    assert found.metadata.event_code == str(number)
    assert found.status_id == KINDS[number].status
    assert event(str(number)) == found


def test_a_line_for_a_siem_is_the_event_that_it_wraps() -> None:
    wrapped = record_of({"event": log(5)})
    assert SOURCE.recognise(wrapped)
    assert event_of(SOURCE.parse, wrapped) == event(5)


@pytest.mark.parametrize(
    "fields",
    [
        {"event_type_id": 5},
        {"event_type_id": 5, "user_id": 1, "event": "login"},
        {"event_type_id": "login", "user_id": 1, "user_name": "a", "ipaddr": "203.0.113.17"},
        {"event_type_id": -5, "user_id": 1, "user_name": "a", "ipaddr": "203.0.113.17"},
        {"event": {"event_type_id": None, "user_id": 1, "user_name": "a"}},
        {"event": {"event": log(5)}},
        {"event_type": 5, "user_id": 1, "user_name": "a", "ipaddr": "203.0.113.17"},
    ],
)
def test_others_records_are_left_to_them(fields: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(fields))


@pytest.mark.parametrize(
    ("score", "level"),
    [(None, None), (0, None), (4, None), (5, "low"), (25, "low"), (26, "medium"), (50, "medium"),
     (51, "high"), (100, "high"), (101, None), (-1, None)],
)  # fmt: skip
def test_the_score_of_a_login_becomes_a_level(score: int | None, level: str | None) -> None:
    assert risk_of(score) == level


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("OneLogin SMS", FactorType.SMS),
        ("OneLogin Voice", FactorType.PHONE_CALL),
        ("Google Authenticator", FactorType.OTP),
        ("Security Questions", FactorType.SECURITY_QUESTION),
        ("OneLogin Protect", FactorType.OTHER),
        ("my old telephone", FactorType.OTHER),
    ],
)
def test_factors_go_by_the_names_that_onelogin_gives_them(name: str, kind: FactorType) -> None:
    assert factor_of(name).factor_type_id == kind


def test_a_device_beside_a_failed_login_was_not_shown() -> None:
    found = event(6, otp_device_id=7, otp_device_name="Google Authenticator")
    assert found.auth_factors is None
    assert found.is_mfa is None


def test_whoever_assumes_a_user_is_the_identity_and_later_the_actor() -> None:
    eve = {"actor_user_id": 9, "actor_user_name": "Eva Lind"}
    begun, used = event(3, **eve), event(8, assuming_acting_user_id=9)
    assert begun.user.uid == "9"
    assert begun.unmapped is not None
    assert begun.unmapped.role == "Ada Meyer"
    assert used.user.uid == "1"
    assert used.actor is not None
    assert used.actor.user is not None
    assert used.actor.user.uid == "9"


def test_a_password_changed_by_another_is_a_reset() -> None:
    assert event(11).activity_name == "Password Change"
    other = event(11, actor_user_id=9, actor_user_name="Eva Lind")
    assert other.activity_name == "Password Reset"
    assert other.actor is not None


def test_a_program_is_not_taken_for_the_user_it_acts_on() -> None:
    nobody = {"user_id": None, "user_name": None, "actor_user_id": None}
    system = nobody | {"actor_user_name": "Mapping", "actor_system": "Mapping"}
    for number, refused in ((6, True), (5, False)):
        if refused:
            assert isinstance(SOURCE.parse(record_of(log(number, **system))), Skip)
        else:
            with pytest.raises(ValueError, match="user_id: no name or id"):
                SOURCE.parse(record_of(log(number, **system)))
    key = event(515, **nobody, actor_user_name=None, client_id="8a1f", api_credential_name="HR")
    assert (key.user.name, key.user.uid, key.user.type_id) == ("HR", "8a1f", 4)


def test_times_are_read_as_the_api_and_the_webhook_write_them() -> None:
    webhook = event(5, created_at=None, event_timestamp="2026-03-02 08:14:05 UTC")
    assert webhook.time == 1_772_439_245_000
    assert webhook.metadata.original_time == "2026-03-02 08:14:05 UTC"
    assert event(5).time == 1_772_439_245_118
    assert event(6).status_id == Status.FAILURE
