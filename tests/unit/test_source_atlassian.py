"""Decisions of the Atlassian source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RejectError
from quivive.sources._atlassian_actions import (
    ENROLL,
    FAILED,
    IMPERSONATION,
    LOCK,
    LOGIN,
    LOGOFF,
    PASSWORD_ASKED,
    PASSWORD_CHANGE,
    PASSWORD_RESET,
    RESET,
    TOKEN,
    USE,
    Kind,
    kind_of,
)
from quivive.sources.atlassian import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"id": "712020:ada", "name": "Ada Archer", "email": "ada.archer@example.com"}
OLE = {"id": "712020:ole", "name": "Ole Owner", "email": "ole.owner@example.com"}


def event(action: str, actor: dict[str, Any] | None = None, **more: Any) -> AuthEvent:
    inner = {
        "time": "2026-03-02T08:00:01.890Z",
        "action": action,
        "actor": ADA if actor is None else actor,
        "context": [],
        "container": [],
        "location": {"ip": "203.0.113.17"},
    }
    row = {"id": "a71a", "type": "events", "attributes": inner | more}
    return event_of(SOURCE.parse, record_of(row))


def user(person: dict[str, Any]) -> dict[str, Any]:
    return {"id": person["id"], "type": "users", "attributes": dict(person)}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("user_login", LOGIN),
        ("user_logged_in", LOGIN),
        ("user_login_failed", FAILED),
        ("failed_login_attempt", FAILED),
        ("user_logged_in_as_user", IMPERSONATION),
        ("user_logout", LOGOFF),
        ("account_logged_out", LOGOFF),
        ("user_sessions_revoked", LOGOFF),
        ("user_mfa_enabled", ENROLL),
        ("user_two_step_verification_disabled", RESET),
        ("user_password_recovery_requested", PASSWORD_ASKED),
        ("user_password_reset", PASSWORD_RESET),
        ("user_password_changed", PASSWORD_CHANGE),
        ("user_email_changed", RESET),
        ("user_deactivated", LOCK),
        ("user_api_token_created", TOKEN),
        ("oauth_client_created", TOKEN),
        ("user_ssh_key_added", TOKEN),
        # Rules for everybody, and what only sounds alike.
        ("mfa_policy_disabled", USE),
        ("password_policy_changed", USE),
        ("login_page_message_updated", USE),
        ("jira_issue_created", USE),
        ("user_added_to_group", USE),
        ("email_template_updated", USE),
        ("", USE),
    ],
)
def test_an_action_is_understood_by_its_words(action: str, kind: Kind) -> None:
    assert kind_of(action) is kind


def test_what_an_administrator_does_is_about_the_account() -> None:
    found = event("user_mfa_disabled", OLE, context=[user(ADA)])
    assert found.user.uid == "712020:ada"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.uid == "712020:ole"
    with pytest.raises(RejectError, match="context"):
        event("user_deactivated", OLE, context=[{"type": "users"}])


def test_whoever_logs_in_as_another_is_an_administrator_in_a_role() -> None:
    found = event("user_logged_in_as_user", OLE, context=[user(ADA)])
    assert (found.user.uid, found.user.type_id) == ("712020:ole", UserType.ADMIN)
    assert found.unmapped is not None
    assert found.unmapped.role == "ada.archer@example.com"


def test_a_failed_login_without_an_actor_is_that_of_the_context() -> None:
    found = event("user_login_failed", {}, context=[user(ADA)])
    assert (found.user.uid, found.status_id, found.actor) == ("712020:ada", Status.FAILURE, None)


def test_a_token_is_the_credential_and_nobody_is_present() -> None:
    token = {"authType": "container-token", "tokenId": "4f4f", "tokenLabel": "nightly"}
    found = event("jira_issue_viewed", ADA | {"auth": token})
    assert found.user.credential_uid == "4f4f"
    assert found.unmapped is not None
    assert found.unmapped.non_interactive


def test_an_app_acts_for_its_user() -> None:
    app = {"id": "557058:app", "name": "Automation", "onBehalfOf": ADA}
    found = event("jira_issue_updated", app)
    assert found.user.uid == "712020:ada"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "Automation"


def test_a_service_account_is_told_by_its_address() -> None:
    machine = {"id": "712020:s", "email": "x1@serviceaccount.atlassian.com"}
    assert event("jira_issue_viewed", machine).user.type_id == UserType.SERVICE
