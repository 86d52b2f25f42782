"""Decisions of the Box source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources._box_events import ALERT, KINDS
from quivive.sources.box import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"type": "user", "id": "11000001", "name": "Ada Archer", "login": "ada.archer@example.com"}
OLE = {"type": "user", "id": "11000009", "name": "Ole Owner", "login": "ole.owner@example.com"}
NOBODY = {"type": "user", "id": "2", "name": "Unknown User", "login": ""}


def row(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "event",
        "event_id": "b0c0ffee-0000-4000-8000-000000000001",
        "event_type": kind,
        "created_at": "2026-03-02T09:00:01+01:00",
        "created_by": ADA,
        "source": ADA,
        "ip_address": "203.0.113.17",
        "session_id": "7009",
    } | more


def event(kind: str, **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(row(kind, **more)))


@pytest.mark.parametrize("kind", sorted(k for k, v in KINDS.items() if v is not ALERT))
def test_every_type_that_is_read_gives_an_event_of_its_user(kind: str) -> None:
    found = event(kind)
    assert (found.user.uid, found.actor) == ("11000001", None)
    assert found.time == 1772438401000
    assert (found.activity_name is not None) == (found.activity_id == Activity.OTHER)


def test_what_an_administrator_does_is_about_the_account() -> None:
    found = event("DISABLE_MULTI_FACTOR_AUTH", created_by=OLE)
    assert found.user.uid == "11000001"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.uid == "11000009"
    assert found.session is None


def test_a_change_of_role_is_a_use_by_whoever_makes_it() -> None:
    found = event("CHANGE_ADMIN_ROLE", created_by=OLE)
    assert found.user.uid == "11000009"
    assert found.unmapped is not None
    assert found.unmapped.resource == "ada.archer@example.com"


def test_nobody_who_is_logged_in_is_skipped_and_a_target_is_not() -> None:
    file = {"item_type": "file", "item_name": "plan.pdf"}
    record = record_of(row("DOWNLOAD", created_by=NOBODY, source=file))
    assert isinstance(SOURCE.parse(record), Skip)
    found = event("FAILED_LOGIN", created_by=NOBODY)
    assert (found.user.uid, found.status_id) == ("11000001", Status.FAILURE)


def test_an_application_is_a_machine() -> None:
    machine = {"type": "user", "id": "4", "login": "AutomationUser_1_x@boxdevedition.com"}
    found = event("DOWNLOAD", created_by=machine, source=None)
    assert found.user.type_id == UserType.SERVICE


def test_an_alert_is_of_the_time_and_place_that_it_is_about() -> None:
    suspect = {
        "session_type": "suspicious",
        "activities": [{"occurred_at": "2026-03-02T08:00:01Z", "ip_info": {"ip": "192.0.2.9"}}],
    }
    alert = {
        "rule_category": "Suspicious Sessions",
        "alert_summary": {"sessions": [{"session_type": "typical", "activities": []}, suspect]},
        "user": {"id": 11000001, "email": "ada.archer@example.com"},
    }
    found = event(
        "SHIELD_ALERT",
        created_by=NOBODY,
        created_at="2026-03-02T08:30:00Z",
        additional_details={"shield_alert": alert},
    )
    assert found.time == 1772438401000
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "192.0.2.9"
    assert (found.user.uid, found.session) == ("11000001", None)
    assert found.unmapped is not None
    assert found.unmapped.vendor_risk == "Suspicious Sessions"
    with pytest.raises(RejectError, match="shield_alert"):
        event("SHIELD_ALERT", additional_details=None)
