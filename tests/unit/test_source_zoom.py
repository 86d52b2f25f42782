"""Decisions of the Zoom source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, OsType
from quivive.model.record import RejectError
from quivive.sources.zoom import SOURCE
from tests.unit.parsing import event_of, record_of


def signed(**more: Any) -> AuthEvent:
    row = {
        "client_type": "mac",
        "email": "ada.archer@example.com",
        "ip_address": "203.0.113.17",
        "time": "2026-03-02T08:00:01Z",
        "type": "Sign in",
        "version": "6.4.1.50002",
    }
    return event_of(SOURCE.parse, record_of(row | more))


def operation(detail: str, **more: Any) -> AuthEvent:
    row = {
        "action": "Update",
        "category_type": "User",
        "operation_detail": detail,
        "operator": "ole.owner@example.com",
        "time": "2026-03-02T09:00:01Z",
    }
    return event_of(SOURCE.parse, record_of(row | more))


@pytest.mark.parametrize(
    ("client", "system"),
    [
        ("mac", OsType.MACOS),
        ("win", OsType.WINDOWS),
        ("iPhone", OsType.IOS),
        ("iPad", OsType.IPADOS),
        ("android", OsType.ANDROID),
    ],
)
def test_a_client_tells_its_system(client: str, system: OsType) -> None:
    found = signed(client_type=client)
    assert found.device is not None
    assert found.device.os is not None
    assert found.device.os.type_id == system


def test_a_browser_tells_none() -> None:
    found = signed(client_type="Browser", version="-")
    assert found.device is None
    assert found.http_request is not None
    assert found.http_request.user_agent == "Zoom Browser"


def test_a_deactivated_user_is_locked_by_the_operator() -> None:
    found = operation("Deactivate User ben.baker@example.com ")
    assert (found.activity_name, found.user.name) == ("Account Lock", "ben.baker@example.com")
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "ole.owner@example.com"


def test_a_role_is_told_with_whom_it_is_given_to() -> None:
    found = operation("Change Role  - ben.baker@example.com: from User to Co-Owner")
    assert (found.activity_id, found.user.name) == (Activity.LOGON, "ole.owner@example.com")
    assert found.unmapped is not None
    assert found.unmapped.operation == "Change Role to Co-Owner"
    assert found.unmapped.resource == "ben.baker@example.com"


def test_nobody_is_refused() -> None:
    with pytest.raises(RejectError, match="email"):
        signed(email="")
    with pytest.raises(RejectError, match="operator"):
        operation("Deactivate User ben.baker@example.com", operator=None)
