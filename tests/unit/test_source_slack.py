"""Decisions of the Slack source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources._slack_actions import KINDS
from quivive.sources.slack import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"id": "W0ADA00001", "name": "Ada Archer", "email": "ada.archer@example.com"}
OLE = {"id": "W0OLE00009", "name": "Ole Owner", "email": "ole.owner@example.com"}


def entry(action: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "5e6f0000-1111-4222-8333-000000000001",
        "date_create": 1772438400,
        "action": action,
        "actor": {"type": "user", "user": ADA},
        "entity": {"type": "user", "user": ADA},
        "context": {
            "location": {"type": "enterprise", "id": "E0EXAMPLE0"},
            "ua": "Mozilla/5.0",
            "ip_address": "203.0.113.17",
            "session_id": "8000000000001",
        },
    } | more


def event(action: str, **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(entry(action, **more)))


@pytest.mark.parametrize("action", sorted(KINDS))
def test_every_action_that_is_read_gives_an_event_of_its_user(action: str) -> None:
    found = event(action)
    assert found.user.uid == "W0ADA00001"
    assert found.actor is None
    assert found.metadata.event_code == action
    assert (found.activity_name is not None) == (found.activity_id == Activity.OTHER)


def test_what_an_administrator_does_is_about_the_account_and_not_the_session() -> None:
    found = event("user_session_reset_by_admin", actor={"type": "user", "user": OLE})
    assert found.activity_id == Activity.LOGOFF
    assert found.user.email_addr == "ada.archer@example.com"
    assert found.actor is not None
    assert found.actor.user is not None
    assert (found.actor.user.uid, found.actor.user.type_id) == ("W0OLE00009", UserType.ADMIN)
    assert found.session is None


def test_the_placeholder_for_nobody_is_nobody() -> None:
    nobody = {"type": "user", "user": {"id": "USLACKUSER", "name": "Slack"}}
    found = event("user_login_failed", actor=nobody)
    assert (found.user.uid, found.actor) == ("W0ADA00001", None)
    assert found.status_id == Status.FAILURE
    with pytest.raises(RejectError, match=r"actor\.user"):
        event("user_login_failed", actor=nobody, entity=None)


def test_an_anomaly_is_of_the_time_when_it_was_done() -> None:
    found = event("anomaly", details={"action_timestamp": 1772438349989994, "reason": ["asn"]})
    assert found.time == 1772438349989
    assert found.unmapped is not None
    assert found.unmapped.vendor_risk == "asn"


@pytest.mark.parametrize(
    ("reasons", "risk"),
    [
        (["unexpected_client", "spoofed_user_agent"], "spoofed_user_agent"),
        (["ip_address", "asn"], "asn"),
        (["excessive_downloads"], "excessive_downloads"),
        (["something_new", "tor"], "tor"),
        ([], "anomaly"),
    ],
)
def test_the_gravest_reason_is_the_verdict(reasons: list[str], risk: str) -> None:
    found = event("anomaly", details={"reason": reasons})
    assert found.unmapped is not None
    assert found.unmapped.vendor_risk == risk


def test_a_session_that_takes_files_is_seen_without_a_login() -> None:
    found = event("file_downloaded", entity={"type": "file", "file": {"name": "plan.pdf"}})
    assert found.activity_id == Activity.LOGON
    assert found.session is not None
    assert found.unmapped is not None
    assert (found.unmapped.operation, found.unmapped.resource) == ("file_downloaded", None)


@pytest.mark.parametrize("action", ["emoji_added", "user_channel_join", "something_new"])
def test_all_else_is_skipped(action: str) -> None:
    assert isinstance(SOURCE.parse(record_of(entry(action))), Skip)
