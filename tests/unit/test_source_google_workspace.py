"""Decisions of the Google Workspace source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources.google_workspace import SOURCE
from tests.unit.parsing import event_of, record_of

TIME = "2026-03-10T08:00:00Z"
ADA = {"email": "ada@example.com", "profileId": "11", "callerType": "USER"}


def activity(app: str, name: str, actor: Any = ADA, **parameters: Any) -> dict[str, Any]:
    return {
        "id": {"applicationName": app, "time": TIME, "uniqueQualifier": "7"},
        "actor": actor,
        "ipAddress": "198.51.100.24",
        "events": [{"name": name, "parameters": parameters}],
    }


def event(app: str, name: str, actor: Any = ADA, **parameters: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(activity(app, name, actor, **parameters)))


def accepted(found: AuthEvent) -> bool | None:
    return found.unmapped.credential_accepted if found.unmapped else None


@pytest.mark.parametrize(
    ("methods", "login_type", "is_mfa"),
    [
        (["password"], "google_password", False),
        (["password", "password"], "google_password", False),
        (["password", "security_key"], "google_password", True),
        (["google_prompt"], "google_password", True),
        (["google_prompt"], "unknown", None),
        (["passkey"], "google_password", None),
        (["none"], "google_password", None),
        ([], "google_password", None),
    ],
)
def test_more_than_one_factor_is_what_the_record_says(
    methods: list[str], login_type: str, is_mfa: bool | None
) -> None:
    found = event("login", "login_success", login_type=login_type, login_challenge_method=methods)
    assert found.is_mfa is is_mfa


@pytest.mark.parametrize(
    ("methods", "code", "right"),
    [
        (["password"], "login_failure_invalid_password", None),
        (["password", "google_prompt"], "login_failure_unknown", True),
        (["password", "google_prompt"], "login_failure_invalid_password", None),
        (["passkey"], "login_failure_unknown", None),
    ],
)
def test_a_failure_after_the_password_says_that_the_password_was_right(
    methods: list[str], code: str, right: bool | None
) -> None:
    found = event(
        "login",
        "login_failure",
        login_type="google_password",
        login_challenge_method=methods,
        login_failure_type=code,
    )
    assert accepted(found) is right


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Challenge Passed.", Status.SUCCESS),
        ("passed", Status.SUCCESS),
        ("Challenge Failed.", Status.FAILURE),
        ("", Status.UNKNOWN),
        (None, Status.UNKNOWN),
        (["passed"], Status.UNKNOWN),
    ],
)
def test_a_challenge_ends_as_it_says(word: Any, status: Status) -> None:
    found = event("login", "login_verification", login_challenge_status=word, is_second_factor=True)
    assert found.status_id == status
    assert accepted(found) is (None if status == Status.SUCCESS else True)


def test_a_passkey_that_fails_proves_no_password() -> None:
    found = event(
        "login",
        "login_challenge",
        login_type="google_password",
        login_challenge_method=["passkey"],
        login_challenge_status="Challenge Failed.",
    )
    assert accepted(found) is None


def test_the_three_forms_of_one_activity_name_the_same_account_and_id() -> None:
    admin = {"email": "admin@example.com"}
    report = activity("admin", "CHANGE_PASSWORD", admin, USER_EMAIL="ada@example.com")
    logged = {
        "timestamp": TIME,
        "insertId": "x1",
        "protoPayload": {
            "serviceName": "admin.googleapis.com",
            "authenticationInfo": {"principalEmail": "admin@example.com"},
            "requestMetadata": {"callerIp": "198.51.100.24"},
            "metadata": {
                "activityId": {"uniqQualifier": "7"},
                "event": [
                    {
                        "eventName": "CHANGE_PASSWORD",
                        "parameter": [{"name": "USER_EMAIL", "value": "ada@example.com"}],
                    }
                ],
            },
        },
    }
    row = {
        "record_type": "admin",
        "event_name": "CHANGE_PASSWORD",
        "time_usec": "1773129600000000",
        "email": "admin@example.com",
        "ip_address": "198.51.100.24",
        "unique_identifier": "7",
        "admin": {"user_email": "ada@example.com"},
    }
    found = []
    for form in (report, logged, row):
        assert SOURCE.recognise(record_of(form))
        one = event_of(SOURCE.parse, record_of(form))
        found.append((one.time, one.user, one.actor, one.src_endpoint, one.metadata.uid))
    assert found[0] == found[1] == found[2]


def test_robots_and_google_itself_are_no_people() -> None:
    robot = event("token", "activity", {"email": "a@p.iam.gserviceaccount.com"}).user
    keyed = event("token", "activity", {"callerType": "KEY", "key": "consumer.example.com"}).user
    system = event("login", "logout", {"callerType": "KEY", "key": "SYSTEM"}).user
    kinds = (robot.type_id, keyed.type_id, system.type_id)
    assert kinds == (UserType.SERVICE, UserType.SERVICE, UserType.SYSTEM)


def test_an_administrator_ends_the_sessions_of_another() -> None:
    found = event("admin", "RESET_SIGNIN_COOKIES", USER_EMAIL="ben@example.com")
    assert found.activity_id == Activity.LOGOFF
    assert found.user.name == "ben@example.com"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "ada@example.com"


def test_the_first_event_that_bears_on_a_login_is_told() -> None:
    row = activity("login", "email_forwarding_out_of_domain")
    row["events"] += [{"name": "password_edit"}, {"name": "2sv_disable"}]
    assert event_of(SOURCE.parse, record_of(row)).activity_name == "Password Change"


def test_activities_of_other_applications_are_known_and_skipped() -> None:
    row = activity("drive", "view")
    assert SOURCE.recognise(record_of(row))
    assert SOURCE.parse(record_of(row)) == Skip("an activity of another application")


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"id": 7, "events": []},
        {"id": {"applicationName": 7}, "events": []},
        {"id": {"applicationName": "login"}},
        {"protoPayload": {"serviceName": "compute.googleapis.com", "metadata": {"event": []}}},
        {"protoPayload": {"serviceName": ["login.googleapis.com"]}},
        {"record_type": "login"},
    ],
)
def test_what_is_not_an_activity_is_left_to_others(row: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(row))


def test_a_record_without_its_account_is_rejected_with_the_field() -> None:
    with pytest.raises(RejectError, match=r"events\.parameters\.USER_EMAIL"):
        event("admin", "SUSPEND_USER", USER_EMAIL=["ben@example.com"])
    with pytest.raises(RejectError, match="actor"):
        event("login", "login_success", {})
