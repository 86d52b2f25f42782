"""Decisions of the Snowflake source that golden records do not show well."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.snowflake import parse, recognise
from tests.unit.parsing import event_of

LOGIN = {
    "EVENT_ID": 1,
    "EVENT_TIMESTAMP": "2026-03-03 08:14:02.123 +0000",
    "EVENT_TYPE": "LOGIN",
    "USER_NAME": "ALICE",
    "CLIENT_IP": "192.0.2.10",
    "REPORTED_CLIENT_TYPE": "PYTHON_DRIVER",
    "REPORTED_CLIENT_VERSION": "3.12.3",
    "FIRST_AUTHENTICATION_FACTOR": "PASSWORD",
    "IS_SUCCESS": "YES",
}
FAILED = {"IS_SUCCESS": "NO", "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD"}


def row(**changed: Any) -> RawRecord:
    fields = {key: value for key, value in (LOGIN | changed).items() if value is not None}
    return RawRecord(log="x", sequence=1, line=1, body=b"", fields=fields)


def event(**changed: Any) -> AuthEvent:
    return event_of(parse, row(**changed))


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-03 08:14:02.123 +0000",
        "2026-03-03 08:14:02.123 Z",
        "2026-03-03 00:14:02.123 -0800",
        "2026-03-03 08:14:02.123000000",
        "2026-03-03T00:14:02.123-08:00",
        "1772525642.123000000",
        1_772_525_642_123,
    ],
)
def test_every_way_to_write_a_time_is_the_same_moment(written: object) -> None:
    assert event(EVENT_TIMESTAMP=written).time == 1_772_525_642_123


@pytest.mark.parametrize("written", ["2026-03-03 08:14 morning", "Tuesday 3rd", ["2026"], True])
def test_no_time_is_refused_by_name(written: object) -> None:
    with pytest.raises(RejectError, match="EVENT_TIMESTAMP"):
        parse(row(EVENT_TIMESTAMP=written))


@pytest.mark.parametrize(
    ("first", "second", "is_mfa"),
    [
        ("PASSWORD", "DUO_PUSH", True),
        ("PASSWORD", None, False),
        ("RSA_KEYPAIR", None, False),
        ("PROGRAMMATIC_ACCESS_TOKEN", None, False),
        ("SAML2_ASSERTION", None, None),  # the identity provider knows
        ("OAUTH_ACCESS_TOKEN", None, None),
        ("ID_TOKEN", None, None),
        (None, None, None),
    ],
)
def test_one_factor_is_only_said_where_snowflake_saw_it_all(
    first: str | None, second: str | None, is_mfa: bool | None
) -> None:
    found = event(FIRST_AUTHENTICATION_FACTOR=first, SECOND_AUTHENTICATION_FACTOR=second)
    assert found.is_mfa is is_mfa


def test_a_cached_second_factor_is_a_claim_and_not_shown_now() -> None:
    found = event(SECOND_AUTHENTICATION_FACTOR="MFA_TOKEN")
    assert found.unmapped is not None
    assert found.unmapped.mfa_by_claim is True
    assert [factor.factor_type for factor in found.auth_factors or ()] == ["PASSWORD"]


@pytest.mark.parametrize(
    ("error", "activity", "status"),
    [
        ({"ERROR_CODE": 390120}, Activity.OTHER, Status.FAILURE),
        ({"ERROR_MESSAGE": "EXT_AUTHN_DENIED"}, Activity.OTHER, Status.FAILURE),
        ({"ERROR_CODE": "390124"}, Activity.OTHER, Status.OTHER),
        ({"ERROR_CODE": 390122}, Activity.LOGON, Status.FAILURE),
    ],
)
def test_what_fails_behind_the_password_proves_it(
    error: dict[str, Any], activity: Activity, status: Status
) -> None:
    found = event(**({"IS_SUCCESS": "NO"} | error))
    assert (found.activity_id, found.status_id) == (activity, status)
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted is True


def test_a_wrong_password_proves_nothing() -> None:
    found = event(**FAILED)
    assert found.status_id == Status.FAILURE
    assert found.unmapped is None


def test_who_was_not_identified_is_skipped_only_when_refused() -> None:
    assert isinstance(parse(row(USER_NAME=None, **FAILED)), Skip)
    assert isinstance(parse(row(USER_NAME="NULL", **FAILED)), Skip)
    with pytest.raises(RejectError, match="USER_NAME"):
        parse(row(USER_NAME=None))


def test_workloads_are_services_and_snowflake_itself_is_the_system() -> None:
    assert event(FIRST_AUTHENTICATION_FACTOR="WORKLOAD_IDENTITY").user.type_id == UserType.SERVICE
    assert event(USER_NAME="WORKSHEETS_APP_USER").user.type_id == UserType.SYSTEM
    assert event().user.type_id is None


@pytest.mark.parametrize(
    "details",
    [
        "{",
        "[]",
        '"x"',
        '{"malicious_ip_protection_info": 3}',
        "[" * 5000,
        {"other": {}},
        7,
        "\ud800",
    ],
)
def test_details_that_cannot_be_read_are_left_out(details: object) -> None:
    assert event(LOGIN_DETAILS=details).unmapped is None


def test_columns_may_be_in_lower_case() -> None:
    lower = {key.lower(): value for key, value in LOGIN.items()}
    record = RawRecord(log="x", sequence=1, line=1, body=b"", fields=lower)
    assert recognise(record)
    assert event_of(parse, record) == event()


@pytest.mark.parametrize(
    "other",
    [
        {"EVENT_TIMESTAMP": "x", "USER_NAME": "ALICE", "EVENT_TYPE": "LOGIN"},
        {"QUERY_ID": "1", "USER_NAME": "ALICE", "EXECUTION_STATUS": "SUCCESS"},
        {"is_success": True, "user_name": "alice", "client_ip": "192.0.2.1"},
        {},
    ],
)
def test_other_tables_are_not_claimed(other: dict[str, Any]) -> None:
    assert not recognise(RawRecord(log="x", sequence=1, line=1, body=b"", fields=other))
