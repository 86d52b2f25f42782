"""Decisions of the 1Password source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RejectError
from quivive.sources._onepassword_words import CATEGORIES
from quivive.sources.onepassword import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"uuid": "ADA2", "name": "Ada Archer", "email": "ada.archer@example.com"}
OLE = {"uuid": "OLE9", "name": "Ole Owner", "email": "ole.owner@example.com"}


def attempt(**more: Any) -> dict[str, Any]:
    return {
        "uuid": "EVT1",
        "session_uuid": "SES1",
        "timestamp": "2026-03-02T08:00:01Z",
        "category": "success",
        "type": "credentials_ok",
        "country": "NO",
        "target_user": ADA,
        "client": {
            "app_name": "1Password Browser Extension",
            "app_version": "81200042",
            "platform_name": "Chrome",
            "platform_version": "145.0",
            "os_name": "MacOSX",
            "ip_address": "203.0.113.17",
        },
    } | more


def event(**more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(attempt(**more)))


def audit(action: str, about: str, **more: Any) -> AuthEvent:
    row = {
        "uuid": "EVT2",
        "timestamp": "2026-03-02T08:00:01Z",
        "actor_uuid": "OLE9",
        "actor_details": OLE,
        "action": action,
        "object_type": about,
        "object_uuid": "ADA2",
        "session": {"uuid": "SES2", "device_uuid": "dev", "ip": "203.0.113.17"},
    } | more
    return event_of(SOURCE.parse, record_of(row))


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_a_second_factor_alone_proves_the_first(category: str) -> None:
    found = event(category=category, type="totp_bad")
    accepted = found.unmapped is not None and bool(found.unmapped.credential_accepted)
    assert accepted == (category == "mfa_failed")
    assert (found.activity_name == "MFA Challenge") == accepted


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("totp_bad", Status.FAILURE),
        ("duo_disabled", Status.FAILURE),
        ("totp_timeout", Status.OTHER),
        ("u2f_timout", Status.OTHER),
        ("mfa_missing", Status.OTHER),
    ],
)
def test_a_factor_that_was_not_shown_is_no_failure(kind: str, status: Status) -> None:
    assert event(category="mfa_failed", type=kind).status_id == status


def test_a_category_that_is_not_known_is_no_outcome() -> None:
    assert event(category="moon_phase_failed").status_id == Status.UNKNOWN


def test_one_factor_is_told_by_nothing() -> None:
    assert event().is_mfa is None
    assert event(type="mfa_ok").is_mfa is True


def test_an_extension_tells_its_browser_and_an_app_its_machine() -> None:
    found = event()
    assert found.http_request is not None
    assert found.http_request.user_agent == "1Password Browser Extension/81200042 Chrome/145.0"
    assert found.device is not None
    assert found.device.name is None
    app = {"app_name": "1Password for Mac", "platform_name": "ada-mac", "ip_address": "192.0.2.1"}
    found = event(client=app)
    assert found.device is not None
    assert found.device.name == "ada-mac"
    assert found.service is not None
    assert found.service.name == "1Password for Mac"


def test_a_service_account_is_told_by_its_address() -> None:
    found = event(
        target_user={"uuid": "S", "name": "deploy", "email": "x@1passwordserviceaccounts.com"}
    )
    assert (found.user.name, found.user.type_id) == ("deploy", UserType.SERVICE)


def test_what_is_done_to_another_is_not_of_the_session() -> None:
    found = audit("disblmfa", "user", object_details=ADA)
    assert found.user.uid == "ADA2"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.uid == "OLE9"
    assert (found.session, found.device) == (None, None)


def test_a_setting_for_all_is_a_use_of_the_session() -> None:
    found = audit("disblmfa", "account")
    assert (found.activity_id, found.user.uid, found.actor) == (Activity.LOGON, "OLE9", None)
    assert found.unmapped is not None
    assert found.unmapped.operation == "disblmfa account"


def test_nobody_is_refused() -> None:
    with pytest.raises(RejectError, match="target_user"):
        event(target_user={})
    with pytest.raises(RejectError, match="actor_uuid"):
        audit("export", "vault", actor_uuid=None, actor_details=None)
    with pytest.raises(RejectError, match="object_uuid"):
        audit("suspend", "user", object_uuid=None)
