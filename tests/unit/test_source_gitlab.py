"""Decisions of the GitLab source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources.gitlab import SOURCE
from tests.unit.parsing import event_of, record_of

RECORD = {
    "id": "1",
    "author_id": 7,
    "author_name": "Ada Archer",
    "entity_id": 7,
    "entity_type": "User",
    "entity_path": "ada.archer",
    "created_at": "2026-03-02T09:01:00Z",
}


def raw(event_type: str | None, **fields: Any) -> dict[str, Any]:
    details = fields.pop("details", {})
    return RECORD | {"event_type": event_type, "details": {"x": 1} | details} | fields


def event(event_type: str | None, **fields: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(raw(event_type, **fields)))


def test_a_person_goes_by_the_login_name_where_the_record_is_about_the_account() -> None:
    about = event("authenticated_with_password").user
    assert (about.name, about.uid, about.full_name) == ("ada.archer", "7", "Ada Archer")
    project = {"entity_type": "Project", "entity_id": 7, "entity_path": "example/shop"}
    elsewhere = event("repository_git_operation", **project).user
    assert (elsewhere.name, elsewhere.uid) == ("Ada Archer", "7")
    named = {"meta.user": "ada.archer", "meta.user_id": 7}
    assert event("repository_git_operation", **project, **named).user.name == "ada.archer"
    other = {"meta.user": "root", "meta.user_id": 1}
    assert event("repository_git_operation", **project, **other).user.name == "Ada Archer"


@pytest.mark.parametrize(
    ("way", "mfa", "protocol"),
    [
        ("standard", False, None),
        ("two-factor", True, None),
        ("two-factor-via-webauthn-device", True, None),
        ("passkey", None, None),
        ("saml", None, "SAML"),
        ("azure_oauth2", None, "OAUTH 2.0"),
        ("openid_connect", None, "OpenID"),
        ("ldapsecondary", None, "LDAP"),
        ("our-own", None, None),
    ],
)
def test_older_records_say_only_how_somebody_signed_in(
    way: str, mfa: bool | None, protocol: str | None
) -> None:
    found = event(None, details={"with": way})
    assert (found.status_id, found.is_mfa, found.auth_protocol) == (Status.SUCCESS, mfa, protocol)


@pytest.mark.parametrize(
    ("failed", "activity", "accepted"),
    [("STANDARD", None, None), ("LDAP", None, None), ("OTP", "MFA Challenge", True)],
)
def test_a_code_is_refused_after_a_password_was_right(
    failed: str, activity: str | None, accepted: bool | None
) -> None:
    found = event(None, details={"failed_login": failed})
    assert (found.status_id, found.activity_name) == (Status.FAILURE, activity)
    assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


def test_a_password_that_an_administrator_sets_is_a_reset() -> None:
    own = event("user_password_updated")
    assert (own.activity_name, own.actor) == ("Password Change", None)
    reset = event("user_password_updated", author_id=2, author_name="Grace Root")
    assert (reset.activity_name, reset.user.uid) == ("Password Reset", "7")
    assert reset.actor is not None
    assert reset.actor.user is not None
    assert reset.actor.user.uid == "2"


def test_a_job_is_its_project_and_keeps_who_started_it() -> None:
    project = {"entity_type": "Project", "entity_id": 29, "entity_path": "example/shop"}
    found = event("user_authenticated_using_job_token", **project, target_id=11)
    assert (found.user.name, found.user.uid) == ("project_path:example/shop", None)
    assert found.user.type_id == UserType.SERVICE
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.uid == "7"
    assert found.session is not None
    assert found.session.uid == "job:11"


@pytest.mark.parametrize("name", ["project_29_bot_9f2c", "group_3_bot2", "service_account_1a"])
def test_accounts_that_gitlab_makes_for_tokens_are_machines(name: str) -> None:
    found = event("personal_access_token_used_from_unseen_ip", entity_path=name)
    assert found.user.type_id == UserType.SERVICE


@pytest.mark.parametrize("number", [-2, -3])
def test_deploy_tokens_and_keys_are_no_accounts(number: int) -> None:
    found = event("repository_git_operation", author_id=number, author_name="mirror")
    assert (found.user.name, found.user.uid) == ("mirror", None)
    assert found.user.type_id == UserType.SERVICE


def test_a_reset_for_several_addresses_tells_them_all() -> None:
    asked = '["ada@example.com", "mallory@example.net"]'
    found = event("password_reset_requested", author_id=-1, target_details=asked)
    assert found.user.email_addr == "ada@example.com"
    assert found.status_detail is not None
    assert "mallory@example.net" in found.status_detail


def test_whoever_impersonates_is_told_by_the_message() -> None:
    said = {"custom_message": "Added SSH key (by Grace Root)"}
    by = event("add_ssh_key", details=said | {"author_class": "Gitlab::Audit::ImpersonatedAuthor"})
    assert by.actor is not None
    assert by.actor.user is not None
    assert by.actor.user.name == "Grace Root"
    assert event("add_ssh_key", details=said | {"author_class": "User"}).actor is None


@pytest.mark.parametrize(
    ("event_type", "fields", "reason"),
    [
        ("member_created", {}, "no authentication event"),
        ("user_signed_in_from_unseen_ip", {}, "a notice beside"),
        ("repository_download_operation", {"author_id": -1}, "anonymous"),
        ("ban_user", {"details": {"custom_message": "Unblocked user"}}, "an account is unblocked"),
    ],
)
def test_what_is_no_login_is_skipped(event_type: str, fields: Any, reason: str) -> None:
    found = SOURCE.parse(record_of(raw(event_type, **fields)))
    assert isinstance(found, Skip)
    assert found.reason.startswith(reason)


def test_a_login_of_nobody_is_rejected() -> None:
    with pytest.raises(RejectError, match="author_name"):
        SOURCE.parse(
            record_of(raw("authenticated_with_password", author_id=None, author_name=None))
        )


def test_only_the_shape_of_an_audit_event_is_taken() -> None:
    assert SOURCE.recognise(record_of(RECORD))
    for missing in ("author_id", "entity_id", "entity_type"):
        assert not SOURCE.recognise(record_of({k: v for k, v in RECORD.items() if k != missing}))
