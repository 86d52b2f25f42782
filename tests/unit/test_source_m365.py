"""Decisions of the Microsoft 365 source that its goldens do not single out."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RawRecord, RejectError
from quivive.sources.m365 import parse, recognise
from tests.unit.parsing import event_of, record_of


def record(**fields: Any) -> RawRecord:
    base = {
        "CreationTime": "2026-03-02T08:14:07",
        "Operation": "UserLoggedIn",
        "UserId": "alice@example.com",
        "ClientIP": "192.0.2.1",
    }
    return record_of(base | fields)


def event(**fields: Any) -> AuthEvent:
    return event_of(parse, record(**fields))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.SUCCESS),
        ({"ResultStatus": "Failed"}, Status.FAILURE),
        ({"ErrorNumber": "50140"}, Status.OTHER),
        ({"Operation": "UserLoginFailed", "ResultStatus": "Success"}, Status.FAILURE),
        ({"Operation": "UserLoginFailed", "LogonError": "InvalidReplyTo"}, Status.FAILURE),
        ({"Operation": "UserLoginFailed", "LogonError": "CmsiInterrupt"}, Status.OTHER),
    ],
)
def test_outcome(fields: dict[str, Any], status: Status) -> None:
    assert event(**fields).status_id == status


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (0, UserType.USER),
        (2, UserType.ADMIN),
        ("Admin", UserType.ADMIN),
        (3, UserType.SYSTEM),
        (5, UserType.SERVICE),
        (6, UserType.SERVICE),
        (10, UserType.OTHER),
        (99, UserType.USER),
    ],
)
def test_user_type(kind: object, expected: UserType) -> None:
    assert event(UserType=kind).user.type_id == expected


@pytest.mark.parametrize("name", ["Not Available", "", None, 7.5])
def test_a_placeholder_is_never_a_user(name: object) -> None:
    with pytest.raises(RejectError, match="UserId"):
        parse(record(UserId=name, UserKey="Not Available"))


def test_minimal_logins_and_no_other_operations_are_recognised() -> None:
    assert recognise(record())
    assert not recognise(record(Operation="Restart"))
