"""Decisions of the GitHub source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.github import SOURCE
from tests.unit.parsing import event_of

TIME = 1_772_442_000_000
ADA = {"actor": "ada", "actor_id": 7, "external_identity_nameid": "Ada@example.com"}
APP_TOKEN = {
    "programmatic_access_type": "GitHub App server-to-server token",
    "hashed_token": "aGFzaA==",
    "token_id": 0,
}


def raw(action: str, **fields: Any) -> RawRecord:
    record = {"@timestamp": TIME, "action": action} | fields
    return RawRecord(log="x", sequence=1, line=1, body=b"", fields=record)


def event(action: str, **fields: Any) -> AuthEvent:
    return event_of(SOURCE.parse, raw(action, **fields))


def test_a_member_is_known_by_the_name_at_the_identity_provider() -> None:
    user = event("git.clone", **ADA, repo="o/r").user
    assert (user.name, user.uid, user.email_addr) == ("ada", "7", "ada@example.com")


def test_a_name_id_that_is_no_address_is_a_second_id() -> None:
    user = event("git.clone", actor="ada", external_identity_nameid="x9", repo="o/r").user
    assert (user.email_addr, user.uid_alt) == (None, "x9")


def test_a_long_lived_token_is_a_credential_and_an_hourly_one_a_session() -> None:
    token = {"programmatic_access_type": "OAuth access token", "hashed_token": "aGFzaA=="}
    lasting = event("git.clone", **ADA, **token, repo="o/r")
    assert lasting.user.credential_uid == "aGFzaA=="
    assert lasting.session is None
    hourly = event("git.clone", actor="renovate[bot]", **APP_TOKEN, repo="o/r")
    assert hourly.user.credential_uid is None
    assert hourly.user.type_id == UserType.SERVICE
    assert hourly.session is not None
    assert hourly.session.uid == "aGFzaA=="


@pytest.mark.parametrize(("number", "credential"), [(12, "token_id:12"), ("0", None), (0, None)])
def test_a_token_without_a_hash_goes_by_its_number(number: object, credential: str | None) -> None:
    assert event("git.push", **ADA, token_id=number).user.credential_uid == credential


def test_a_workflow_has_one_name_for_its_token_and_its_jobs() -> None:
    token = event("git.fetch", actor="github-actions[bot]", **APP_TOKEN, repo="o/r")
    job = event("workflows.prepared_workflow_job", **ADA, repo="o/r", actor_ip="192.0.2.1")
    assert token.user.name == job.user.name == "repo:o/r"
    assert job.src_endpoint is None, "that address is of whoever started the job"
    assert job.actor is not None
    assert job.actor.user is not None
    assert job.actor.user.name == "ada"


@pytest.mark.parametrize(
    ("fields", "runner"),
    [
        ({"runner_name": "build-3", "is_hosted_runner": False}, "build-3"),
        ({"runner_name": "GitHub Actions 1204"}, "GitHub-hosted"),
        ({"is_hosted_runner": True, "runner_labels": ["arm"]}, "GitHub-hosted arm"),
        ({"runner_labels": ["self-hosted", "linux"]}, "self-hosted, linux"),
        ({}, None),
    ],
)  # fmt: skip
def test_hosted_runners_go_by_their_label(fields: dict[str, Any], runner: str | None) -> None:
    found = event("workflows.prepared_workflow_job", repo="o/r", **fields)
    assert found.unmapped is not None
    assert found.unmapped.runner == runner


def test_a_deploy_key_is_an_identity_of_its_repository() -> None:
    found = event("git.clone", actor="deploy_key", repo="o/r", transport_protocol_name="ssh")
    assert (found.user.name, found.auth_protocol) == ("deploy_key:o/r", "SSH")


@pytest.mark.parametrize(
    ("code", "status", "accepted"),
    [
        (200, Status.SUCCESS, None),
        ("304", Status.SUCCESS, None),
        (401, Status.FAILURE, None),
        (403, Status.FAILURE, True),
        (404, Status.FAILURE, True),
        (None, Status.SUCCESS, None),
    ],
)
def test_a_request_has_the_status_of_its_answer(
    code: object, status: Status, accepted: bool | None
) -> None:
    found = event("api.request", **ADA, request_method="GET", route="/user", status_code=code)
    assert found.status_id == status
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted is accepted
    assert found.unmapped.operation == "GET /user"


def test_whose_token_an_administrator_approves() -> None:
    found = event("personal_access_token.access_granted", **ADA, user="ben", user_id=8)
    assert (found.user.name, found.user.uid) == ("ben", "8")
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "ada"


@pytest.mark.parametrize(
    ("action", "fields", "reason"),
    [
        ("team.add_member", {}, "no authentication event"),
        ("user.new_device_used", {}, "a notice beside the record of the login"),
        ("workflows.created_workflow_run", {"event": "push"}, "a workflow run that an event"),
        ("git.fetch", {"actor": "", "actor_id": 0, "repository_public": True}, "anonymous"),
    ],
)
def test_what_is_no_login_is_skipped(action: str, fields: dict[str, Any], reason: str) -> None:
    found = SOURCE.parse(raw(action, **{"actor": "ada", "repo": "o/r"} | fields))
    assert isinstance(found, Skip)
    assert found.reason.startswith(reason)


def test_private_access_by_nobody_is_rejected() -> None:
    with pytest.raises(RejectError, match="actor"):
        SOURCE.parse(raw("git.fetch", actor="", repo="o/r"))


def test_another_vendors_action_is_not_taken() -> None:
    for action in ("login", "s3.list", "user", "git clone"):
        assert not SOURCE.recognise(raw(action, actor="ada", org="o"))
    assert SOURCE.recognise(raw("user.login", actor="ada"))
    assert not SOURCE.recognise(raw("user.login"))
