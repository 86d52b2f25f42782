"""Decisions of the Keycloak source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._keycloak_log import pairs_of
from quivive.sources.keycloak import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = "a1f0c3d2-7b64-4e8a-9c55-1d2e3f405162"


def user_event(event_type: str, *, details: dict[str, Any] | None = None, **more: Any) -> RawRecord:
    event = {"time": 1789452000000, "type": event_type, "realmId": "example", "clientId": "wiki"}
    return record_of(event | {"userId": ADA, "details": details or {}} | more)


def parsed(event_type: str, *, details: dict[str, Any] | None = None, **more: Any) -> AuthEvent:
    return event_of(SOURCE.parse, user_event(event_type, details=details, **more))


def line(
    message: str, head: str = "2026-03-02 09:12:44,357 WARN  [org.keycloak.events] (t) "
) -> RawRecord:
    return RawRecord(log="x", sequence=1, line=1, body=(head + message).encode())


@pytest.mark.parametrize(
    "written",
    [
        'type="LOGIN", userId="u", note="a \\"b\\", userId=\\"v\\""',
        "type='LOGIN', userId='u', note='a \"b\", userId=\"v\"'",
    ],
)
def test_a_quoted_value_cannot_pass_for_other_members(written: str) -> None:
    note = 'a "b", userId="v"'
    assert pairs_of(written) == {"type": "LOGIN", "userId": "u", "note": note}


def test_a_backslash_before_a_closing_quote_is_the_value_s_own() -> None:
    found = pairs_of('type="LOGIN", username="EXAMPLE\\", error="x"')
    assert found == {"type": "LOGIN", "username": "EXAMPLE\\", "error": "x"}


def test_without_quotes_the_first_of_a_name_counts() -> None:
    found = pairs_of("type=LOGIN_ERROR, userId=null, username=x, userId=v, ipAddress=192.0.2.1")
    assert found["userId"] == "null"


def test_cookies_of_a_trace_are_not_read_into_a_value() -> None:
    found = pairs_of('type="LOGIN", userId="u", requestUri="/", cookies=[AUTH=secret, B=c]')
    assert found["requestUri"] == "/"


@pytest.mark.parametrize("prefix", ["", "keycloak-1  | ", "2026-03-02T09:12:45.1Z stdout F "])
def test_what_a_container_engine_writes_before_a_line_is_no_matter(prefix: str) -> None:
    found = event_of(
        SOURCE.parse,
        line(
            f'type="LOGIN", realmId="r", userId="{ADA}"',
            prefix + "2026-03-02 09:12:44,357 INFO  [org.keycloak.events] (executor-thread-1) ",
        ),
    )
    assert (found.time, found.user.uid) == (1772442764357, ADA)


def test_a_line_of_another_program_is_not_keycloak_s() -> None:
    other = line("type=LOGIN", "2026-03-02 09:12:44,357 WARN  [com.example.events] (main) ")
    assert not SOURCE.recognise(other)
    with pytest.raises(RejectError, match="record"):
        SOURCE.parse(other)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "LOGIN", "time": 1, "realm": "x"},
        {"type": "login", "realmId": "x", "time": 1, "userId": "u"},
        {"type": "LOGIN", "realmId": "x", "userId": "u"},
        {"operationType": "READ", "authDetails": {}, "resourcePath": "users"},
        {"loggerName": "com.example", "message": 'type="LOGIN"'},
    ],
)
def test_a_likeness_is_not_enough(fields: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(fields))


def test_a_refused_second_factor_proves_the_first() -> None:
    for details in ({"selected_credential_id": "x"}, {"credential_type": "webauthn"}):
        found = parsed("LOGIN_ERROR", error="invalid_user_credentials", details=details)
        assert (found.activity_name, found.status_id) == ("MFA Challenge", Status.FAILURE)
        assert found.unmapped is not None
        assert found.unmapped.credential_accepted is True
        assert found.is_mfa is None


def test_a_refused_passkey_proves_nothing() -> None:
    details = {"credential_type": "webauthn-passwordless"}
    found = parsed("LOGIN_ERROR", error="invalid_user_credentials", details=details)
    assert found.activity_id == Activity.LOGON
    assert found.unmapped is None


def test_a_key_of_unknown_rank_is_a_factor_and_no_second_one() -> None:
    found = parsed("LOGIN", details={"public_key_credential_id": "k"})
    assert found.is_mfa is None
    assert found.auth_factors is not None
    assert found.user.credential_uid == "k"


@pytest.mark.parametrize("event_type", ["CLIENT_LOGIN", "REFRESH_TOKEN"])
def test_a_service_account_goes_by_its_client(event_type: str) -> None:
    found = parsed(event_type, clientId="ci", details={"username": "service-account-ci"})
    assert (found.user.name, found.user.type_id) == ("ci", UserType.SERVICE)
    assert found.user.uid_alt == "service-account-ci"


def test_an_exchange_for_another_s_token_is_taking_their_role() -> None:
    details = {"impersonator": "root", "requested_subject": "ada"}
    found = parsed("TOKEN_EXCHANGE", details=details)
    assert (found.user.name, found.unmapped and found.unmapped.role) == ("root", "ada")


def test_an_attempt_without_a_name_is_left_out() -> None:
    found = SOURCE.parse(user_event("LOGIN_ERROR", userId=None, error="cookie_not_found"))
    assert found == Skip("an attempt without a user")
