"""Decisions of the CloudTrail source that the golden pairs do not spell out."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import Skip
from quivive.sources.cloudtrail import SOURCE
from tests.unit.parsing import event_of, record_of

ACCOUNT = "111122223333"


def call(**changes: Any) -> AuthEvent:
    fields = {
        "eventTime": "2026-03-01T08:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "userIdentity": {"type": "IAMUser", "userName": "anna"},
    }
    return event_of(SOURCE.parse, record_of(fields | changes))


def session_of(role: str, session: str, **context: Any) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "sessionContext": context,
    }


@pytest.mark.parametrize(
    ("code", "status", "accepted"),
    [
        (None, Status.SUCCESS, None),
        ("ThrottlingException", Status.FAILURE, True),
        ("Client.DryRunOperation", Status.FAILURE, True),
        ("AccessDeniedException", Status.FAILURE, True),
        ("VpceAccessDenied", Status.FAILURE, True),
        ("Client.UnauthorizedOperation", Status.FAILURE, True),
        ("SignatureDoesNotMatch", Status.FAILURE, None),
        ("ExpiredTokenException", Status.FAILURE, None),
    ],
)
def test_a_failed_call_proves_its_credential_unless_the_error_is_about_that(
    code: str | None, status: Status, accepted: bool | None
) -> None:
    event = call(errorCode=code)
    assert event.status_id == status
    assert event.unmapped is not None
    assert event.unmapped.credential_accepted is accepted


def test_any_error_of_the_token_service_is_a_failed_login() -> None:
    event = call(eventSource="sts.amazonaws.com", errorCode="ThrottlingException")
    assert event.status_id == Status.FAILURE


@pytest.mark.parametrize("session", ["i-0123456789abcdef0", "botocore-session-1772352000"])
def test_varying_session_names_share_the_identity_of_their_role(session: str) -> None:
    user = call(userIdentity=session_of("Web", session)).user
    assert (user.name, user.uid) == ("Web", f"arn:aws:iam::{ACCOUNT}:role/Web")


@pytest.mark.parametrize(
    ("role", "session", "name", "kind"),
    [
        ("Web", "Anna@example.com", "Anna@example.com", UserType.USER),
        ("AWSReservedSSO_View_0123", "anna", "anna", UserType.USER),
        ("Web", "anna", "Web", None),
        ("Web", "GitHubActions", "Web", UserType.SERVICE),
        ("AWSServiceRoleForSupport", "x", "AWSServiceRoleForSupport", UserType.SYSTEM),
    ],
)
def test_who_a_role_session_is(role: str, session: str, name: str, kind: UserType | None) -> None:
    user = call(userIdentity=session_of(role, session)).user
    assert (user.name, user.type_id) == (name, kind)


def test_a_source_identity_names_the_person_behind_a_role() -> None:
    user = call(userIdentity=session_of("Web", "x", sourceIdentity="Anna@example.com")).user
    assert (user.name, user.email_addr) == ("Anna@example.com", "anna@example.com")


def test_no_mfa_at_aws_says_nothing_of_a_federated_sign_in() -> None:
    attributes = {"mfaAuthenticated": "false"}
    person = session_of("AWSReservedSSO_View_0123", "anna", attributes=attributes)
    assert call(userIdentity=person).is_mfa is None
    assert call(userIdentity=session_of("Web", "anna", attributes=attributes)).is_mfa is False


def test_other_vendors_events_are_not_taken_for_cloudtrail() -> None:
    assert not SOURCE.recognise(record_of({"eventName": "login", "eventTime": 1}))
    assert not SOURCE.recognise(record_of({"eventType": "user.session.start", "eventName": "x"}))
    assert not SOURCE.recognise(record_of({"detail": {"eventName": 5}}))


@pytest.mark.parametrize(
    ("subject", "identity"),
    [
        ("repo:example/shop:ref:refs/heads/main", "repo:example/shop"),
        ("repo:example/shop:environment:live", "repo:example/shop"),
        ("project_path:example/shop:ref_type:tag:ref:v1", "project_path:example/shop"),
    ],
)
def test_the_jobs_of_a_repository_share_one_identity(subject: str, identity: str) -> None:
    caller = {"type": "WebIdentityUser", "principalId": f"idp:aud:{subject}", "userName": subject}
    event = call(eventName="AssumeRoleWithWebIdentity", userIdentity=caller)
    assert (event.user.name, event.user.uid) == (identity, identity)
    assert event.user.type_id == UserType.SERVICE
    assert event.session is not None
    assert event.session.uid_alt == subject


@pytest.mark.parametrize("account", ["anonymous", "ANONYMOUS_PRINCIPAL"])
def test_anonymous_calls_are_no_logins(account: str) -> None:
    caller = {"type": "AWSAccount", "principalId": "", "accountId": account}
    fields = {"eventName": "GetObject", "eventTime": "2026-03-01T08:00:00Z", "userIdentity": caller}
    assert isinstance(SOURCE.parse(record_of(fields)), Skip)
