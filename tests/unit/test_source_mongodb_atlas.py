"""Decisions of the MongoDB Atlas source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources.mongodb_atlas import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"username": "ada@example.com", "userId": "5e9d"}


def event(name: str, **changed: Any) -> AuthEvent:
    row = {"eventTypeName": name, "created": "2026-03-04T08:00:00Z", "orgId": "5f2c"} | ADA
    return event_of(SOURCE.parse, record_of(row | changed))


def attempt(**changed: Any) -> AuthEvent | Skip:
    row = {
        "authResult": False,
        "authSource": "admin",
        "failureReason": "AuthenticationFailed: storedKey mismatch",
        "timestamp": "2026-03-04T08:00:00Z",
        "username": "reporting",
    }
    return SOURCE.parse(record_of(row | changed))


def test_all_that_is_done_is_a_call_by_its_type() -> None:
    found = event("A_TYPE_OF_TOMORROW")
    assert found.unmapped is not None
    assert (found.activity_id, found.unmapped.operation) == (Activity.LOGON, "A_TYPE_OF_TOMORROW")


@pytest.mark.parametrize(
    ("name", "activity", "status"),
    [
        ("SUCCESSFUL_LOGIN_AUDIT", None, Status.SUCCESS),
        ("UNSUCCESSFUL_LOGIN_AUDIT", None, Status.FAILURE),
        ("PASSWORD_RESET_EMAIL_SENT_AUDIT", "Password Reset", Status.OTHER),
        ("MULTI_FACTOR_AUTH_UPDATED_AUDIT", "Factor Enroll", Status.SUCCESS),
        ("API_KEY_CREATED", "Token Create", Status.SUCCESS),
    ],
)
def test_what_surrounds_a_login_is_no_call(name: str, activity: str | None, status: int) -> None:
    found = event(name)
    assert (found.activity_name, found.status_id) == (activity, status)
    assert found.unmapped is None


def test_somebody_else_who_resets_is_the_actor() -> None:
    found = event("PASSWORD_RESET_AUDIT", targetUsername="ben@example.com")
    assert found.user.name == "ben@example.com"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "ada@example.com"
    alone = event("PASSWORD_RESET_AUDIT", targetUsername="ada@example.com")
    assert (alone.user.uid, alone.actor) == ("5e9d", None)


@pytest.mark.parametrize(
    ("who", "name", "kind"),
    [
        ({"apiKeyId": "61b4", "publicKey": "qkrv"}, "qkrv", UserType.SERVICE),
        ({"username": "mdb_sa_id_66e1"}, "mdb_sa_id_66e1", UserType.SERVICE),
        ({"isGlobalAdmin": True}, "ada@example.com", UserType.SYSTEM),
        ({}, "ada@example.com", UserType.USER),
    ],
)
def test_who_acts(who: dict[str, Any], name: str, kind: UserType) -> None:
    user = event("GROUP_CREATED", **who).user
    assert (user.name, user.type_id) == (name, kind)


def test_a_user_of_an_identity_provider_is_joined_by_the_address_it_gives() -> None:
    found = attempt(authResult=True, username="5f2c/Ada@Example.com", authSource="$external")
    assert isinstance(found, AuthEvent)
    assert (found.user.name, found.user.email_addr) == ("5f2c/Ada@Example.com", "ada@example.com")
    role = attempt(authResult=True, username="arn:aws:iam::1:user/a@b.example")
    assert isinstance(role, AuthEvent)
    assert role.user.email_addr is None


@pytest.mark.parametrize(
    "written", ["2026-03-04T08:00:00Z", "Wed Mar 04 08:00:00 GMT 2026", 1772611200000]
)
def test_every_way_to_write_a_time_is_the_same_moment(written: object) -> None:
    found = attempt(timestamp=written)
    assert isinstance(found, AuthEvent)
    assert found.time == 1_772_611_200_000


def test_a_failure_without_a_name_is_skipped_and_a_success_refused() -> None:
    assert isinstance(attempt(username=""), Skip)
    with pytest.raises(RejectError, match=r"^username:"):
        attempt(username="", authResult=True)


def test_others_are_not_claimed() -> None:
    assert not SOURCE.recognise(record_of({"eventTypeName": "X"}))
    assert not SOURCE.recognise(record_of({"authResult": True, "username": "a"}))
    assert not SOURCE.recognise(record_of({"eventtypename": "X", "id": "1"}))
