"""Decisions of the PingOne source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status
from quivive.model.record import Skip
from quivive.sources._pingone_words import KINDS
from quivive.sources.pingone import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"id": "7c1d", "name": "ada@example.com", "type": "USER"}
EVE = {"id": "9e0f", "name": "eve@example.com", "type": "USER"}
CRM = {"id": "a100", "name": "CRM", "type": "CLIENT"}


def log(action: str, word: str = "SUCCESS", **more: Any) -> dict[str, Any]:
    return {
        "id": "e5d0",
        "recordedAt": "2026-03-02T08:14:05.118Z",
        "action": {"type": action},
        "actors": {"user": ADA, "client": CRM},
        "resources": [ADA],
        "result": {"status": word, "description": "words"},
    } | more


def event(action: str, word: str = "SUCCESS", **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(log(action, word, **more)))


@pytest.mark.parametrize("action", sorted(KINDS))
def test_every_action_that_is_read_gives_an_event(action: str) -> None:
    found = event(action, "FAILED")
    assert found.metadata.event_code == action
    assert found.status_id == Status.FAILURE
    assert found.status == "FAILED"


def test_a_success_that_is_a_failure_by_its_name_is_not_called_a_success() -> None:
    found = event("DEVICE.FRAUD_REPORTED")
    assert (found.status_id, found.status) == (Status.FAILURE, None)


@pytest.mark.parametrize("action", ["FLOW.UPDATED", "AUTHENTICATION.CREATED", "NOTIFICATION.SENT"])
def test_the_steps_of_a_sign_on_are_left_out(action: str) -> None:
    assert isinstance(SOURCE.parse(record_of(log(action))), Skip)


def test_the_format_for_splunk_is_the_activity_that_it_wraps() -> None:
    wrapped = record_of({"event": log("USER.ACCESS_ALLOWED"), "time": 1, "source": "x"})
    assert SOURCE.recognise(wrapped)
    assert event_of(SOURCE.parse, wrapped) == event("USER.ACCESS_ALLOWED")


@pytest.mark.parametrize(
    "fields",
    [
        {"action": {"type": "user.access"}, "result": {}, "recordedAt": "2026-03-02T08:14:05Z"},
        {"action": {"type": "LOGIN"}, "result": {}, "recordedAt": "2026-03-02T08:14:05Z"},
        {"action": "USER.ACCESS_ALLOWED", "result": {}, "recordedAt": "2026-03-02T08:14:05Z"},
        {"action": {"type": "USER.ACCESS_ALLOWED"}, "recordedAt": "2026-03-02T08:14:05Z"},
        {"action": {"type": "USER.ACCESS_ALLOWED"}, "result": {}},
        {"event": {"event": log("USER.ACCESS_ALLOWED")}},
    ],
)
def test_others_records_are_left_to_them(fields: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(fields))


@pytest.mark.parametrize(
    ("actors", "name"),
    [
        ({"user": ADA, "client": CRM}, "Password Change"),
        ({"user": EVE, "client": CRM}, "Password Reset"),
        ({"client": CRM}, "Password Reset"),
        ({}, "Password Reset"),
    ],
)
def test_only_who_sets_their_own_password_changes_it(actors: dict[str, Any], name: str) -> None:
    found = event("PASSWORD.SET", actors=actors)
    assert found.activity_name == name
    assert (found.actor is None) == (name == "Password Change" or not actors)
    assert found.user.uid == "7c1d"


def test_who_is_let_into_the_console_is_an_administrator() -> None:
    console = {"id": "c0", "name": "PingOne Admin Console"}
    allowed = event("USER.ACCESS_ALLOWED", actors={"user": ADA, "client": console})
    denied = event("USER.ACCESS_DENIED", "FAILED", actors={"user": ADA, "client": console})
    assert (allowed.user.type_id, denied.user.type_id) == (2, 1)
    assert event("USER.ACCESS_ALLOWED", tags=["adminIdentityEvent"]).user.type_id == 2


def test_a_change_is_a_use_of_the_credential_of_who_makes_it() -> None:
    made = event("GROUP.CREATED", actors={"client": CRM}, resources=[{"id": "g1", "name": "VPN"}])
    assert made.activity_id == Activity.LOGON
    assert (made.user.name, made.user.type_id) == ("CRM", 4)
    assert made.unmapped is not None
    assert (made.unmapped.operation, made.unmapped.resource) == ("GROUP.CREATED", "VPN")
    assert made.unmapped.non_interactive
    own = SOURCE.parse(record_of(log("USER.UPDATED")))
    assert isinstance(own, Skip)
