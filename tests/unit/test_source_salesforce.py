"""Decisions of the Salesforce source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, FactorType, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources.salesforce import SOURCE
from tests.unit.parsing import event_of, record_of

FILE = {
    "EVENT_TYPE": "Login",
    "TIMESTAMP": "20260304080000.000",
    "ORGANIZATION_ID": "00D5f",
    "USER_ID": "0055f000002QwEr",
    "USER_ID_DERIVED": "0055f000002QwErAAM",
    "USER_NAME": "ada@example.com",
    "SOURCE_IP": "192.0.2.4",
    "LOGIN_STATUS": "LOGIN_NO_ERROR",
    "LOGIN_TYPE": "A",
}
EVENT = {
    "EventIdentifier": "8a1b",
    "EventDate": "2026-03-04T08:00:00.000+0000",
    "UserId": "0055f000002QwErAAM",
    "Username": "ada@example.com",
    "SourceIp": "192.0.2.4",
    "LoginKey": "k",
    "LoginType": "Application",
    "Status": "Success",
}


def row(**changed: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(FILE | changed))


def event(**changed: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(EVENT | changed))


def verified(**changed: Any) -> AuthEvent:
    said = {"VerificationMethod": "Totp", "Activity": "Login", "Status": "Succeeded"}
    return event(**({"LoginType": None} | said | changed))


def test_files_and_events_tell_the_same_of_a_login() -> None:
    one, other = row(), event()
    assert (one.time, one.user.uid, one.user.email_addr) == (
        other.time,
        other.user.uid,
        other.user.email_addr,
    )
    assert (one.status_id, one.logon_type, one.src_endpoint) == (
        other.status_id,
        other.logon_type,
        other.src_endpoint,
    )


@pytest.mark.parametrize(
    ("code", "words", "status", "accepted"),
    [
        ("LOGIN_NO_ERROR", "Success", Status.SUCCESS, None),
        ("LOGIN_ERROR_INVALID_PASSWORD", "Invalid Password", Status.FAILURE, None),
        (
            "LOGIN_CHALLENGE_ISSUED",
            "Failed: Computer activation required",
            Status.OTHER,
            True,
        ),
        ("LOGIN_TWOFACTOR_REQ", "Multi-factor required", Status.OTHER, True),
        (
            "LOGIN_ERROR_MUST_USE_API_TOKEN",
            "Failed: API security token required",
            Status.FAILURE,
            True,
        ),
        ("LOGIN_ERROR_RESTRICTED_DOMAIN", "Restricted IP", Status.FAILURE, None),
    ],
)
def test_codes_and_words_mean_the_same(
    code: str, words: str, status: Status, accepted: bool | None
) -> None:
    for found in (row(LOGIN_STATUS=code), event(Status=words)):
        assert found.status_id == status
        assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


def test_a_policy_that_blocks_makes_a_login_none() -> None:
    found = event(PolicyOutcome="Block")
    assert (found.status_id, found.status_code) == (Status.FAILURE, "Block")
    assert event(PolicyOutcome="NoAction").status_id == Status.SUCCESS


@pytest.mark.parametrize(
    ("kind", "flow", "protocol", "factors"),
    [
        ("A", "uiup", None, 1),
        ("i", "oauthpassword", 6, 1),
        ("i", "oauthcode", 6, 0),
        ("5", "", 5, 0),
        ("Remote Access 2.0", None, 6, 0),
    ],
)
def test_the_way_in_says_what_was_shown(
    kind: str, flow: str | None, protocol: int | None, factors: int
) -> None:
    found = row(LOGIN_TYPE=kind, LOGIN_SUB_TYPE=flow)
    assert found.auth_protocol_id == protocol
    assert len(found.auth_factors or ()) == factors


@pytest.mark.parametrize(
    ("reference", "is_mfa"),
    [
        ("pwd mfa", True),
        ("mfa,pwd", True),
        ("http://schemas.microsoft.com/claims/multipleauthn", True),
        ("pwd", None),
        ("famfab", None),
    ],
)
def test_an_identity_provider_may_vouch_for_more_factors(
    reference: str, is_mfa: bool | None
) -> None:
    found = event(AuthMethodReference=reference)
    assert found.is_mfa is is_mfa
    assert (found.unmapped.mfa_by_claim if found.unmapped else None) is is_mfa


def test_a_client_by_its_own_credential_is_a_service() -> None:
    assert row(LOGIN_SUB_TYPE="oauthclientcredential").user.type_id == UserType.SERVICE
    assert row(USER_TYPE="AutomatedProcess").user.type_id == UserType.SYSTEM
    assert row(USER_TYPE="Standard").user.type_id is None


def test_who_logs_in_as_another_takes_it_as_a_role() -> None:
    found = event(DelegatedUsername="admin@example.com")
    assert found.unmapped is not None
    assert (found.user.name, found.unmapped.role) == ("admin@example.com", "ada@example.com")


@pytest.mark.parametrize(
    ("said", "name", "status", "is_mfa"),
    [
        ({}, "MFA Challenge", Status.SUCCESS, True),
        ({"Status": "Denied"}, "MFA Challenge", Status.FAILURE, None),
        ({"Status": "Initiated"}, "MFA Challenge", Status.OTHER, None),
        ({"Policy": "PasswordlessLogin"}, "MFA Challenge", Status.SUCCESS, None),
        ({"Activity": "ConnectedApp"}, "MFA Challenge", Status.SUCCESS, True),
        ({"Activity": "ConnectU2F"}, "Factor Enroll", Status.SUCCESS, None),
    ],
)
def test_verifications(said: dict[str, Any], name: str, status: Status, is_mfa: Any) -> None:
    found = verified(**said)
    assert (found.activity_id, found.activity_name) == (Activity.OTHER, name)
    assert (found.status_id, found.is_mfa) == (status, is_mfa)
    assert bool(found.auth_factors) is (status != Status.OTHER)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("SalesforceAuthenticator", FactorType.PUSH),
        ("Sms", FactorType.SMS),
        ("U2F", FactorType.U2F),
        ("WebAuthnRoamingAuthenticator", FactorType.WEBAUTHN),
        ("SomethingNew", FactorType.OTHER),
    ],
)
def test_methods(method: str, kind: FactorType) -> None:
    factors = verified(VerificationMethod=method).auth_factors
    assert factors is not None
    assert factors[0].factor_type_id == kind


def test_what_a_client_says_of_its_way_is_not_believed() -> None:
    found = row(FORWARDED_FOR_IP="198.51.100.1, 192.0.2.4")
    assert found.src_endpoint is not None
    assert found.src_endpoint.ip == "192.0.2.4"
    assert found.http_request is not None
    assert found.http_request.x_forwarded_for == ("198.51.100.1", "192.0.2.4")


@pytest.mark.parametrize(
    "written", ["20260304080000.000", "20260304080000", "2026-03-04T08:00:00.000Z"]
)
def test_both_ways_of_the_files_to_write_a_time(written: str) -> None:
    assert row(TIMESTAMP=written).time == 1_772_611_200_000


@pytest.mark.parametrize(
    "other",
    [FILE | {"EVENT_TYPE": "RestApi"}, {k: v for k, v in EVENT.items() if k != "LoginType"}],
)
def test_other_events_are_skipped(other: dict[str, Any]) -> None:
    record = record_of(other)
    assert SOURCE.recognise(record)
    assert isinstance(SOURCE.parse(record), Skip)


def test_damage_is_named() -> None:
    with pytest.raises(RejectError, match=r"^UserId:"):
        event(UserId=None, Username=["ada"])
    with pytest.raises(RejectError, match=r"^EventDate:"):
        row(TIMESTAMP="2026")


def test_others_are_not_claimed() -> None:
    assert not SOURCE.recognise(record_of({"EVENT_TYPE": "LOGIN", "USER_NAME": "ADA"}))
    assert not SOURCE.recognise(record_of({"LoginTime": "x", "UserId": "1"}))
