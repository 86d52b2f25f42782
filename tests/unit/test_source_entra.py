"""Decisions of the Entra ID source that its goldens do not single out."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RawRecord
from quivive.sources.aadsts import FAILURE, outcome, outcome_of_name
from quivive.sources.entra import parse, recognise
from tests.unit.parsing import event_of, record_of


def record(**fields: Any) -> RawRecord:
    base = {
        "createdDateTime": "2026-03-02T08:14:07Z",
        "userPrincipalName": "alice@example.com",
        "appDisplayName": "Azure Portal",
        "ipAddress": "192.0.2.1",
    }
    return record_of(base | fields)


def event(**fields: Any) -> AuthEvent:
    return event_of(parse, record(**fields))


@pytest.mark.parametrize(
    ("code", "status", "accepted"),
    [
        (0, Status.SUCCESS, None),
        (50126, Status.FAILURE, None),
        (50053, Status.FAILURE, None),
        (50133, Status.FAILURE, None),
        (700082, Status.FAILURE, None),
        (7000222, Status.FAILURE, None),
        (999999999, Status.FAILURE, None),
        (500121, Status.FAILURE, True),
        (53003, Status.FAILURE, True),
        (65004, Status.FAILURE, True),
        (50058, Status.OTHER, None),
        (81010, Status.OTHER, None),
        (16000, Status.OTHER, None),
        (50055, Status.OTHER, True),
        (50076, Status.OTHER, True),
        (50140, Status.OTHER, True),
        (65001, Status.OTHER, True),
    ],
)
def test_error_codes(code: int, status: Status, accepted: bool | None) -> None:
    assert outcome(code) == (status, accepted)
    found = event(status={"errorCode": code})
    assert found.status_id == status
    assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


def test_error_names_mean_what_their_numbers_mean() -> None:
    assert outcome_of_name("UserStrongAuthClientAuthNRequired") == outcome(50076)
    assert outcome_of_name("kmsiinterrupt") == outcome(50140)
    assert outcome_of_name("InvalidUserNameOrPassword") == FAILURE


def test_without_a_code_the_outcome_is_unknown() -> None:
    assert event().status_id == Status.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "is_mfa", "by_claim"),
    [
        ({}, None, None),
        ({"authenticationRequirement": "multiFactorAuthentication"}, True, None),
        ({"authenticationRequirement": "singleFactorAuthentication"}, False, None),
        (
            {
                "authenticationRequirement": "singleFactorAuthentication",
                "status": {
                    "errorCode": 0,
                    "additionalDetails": "MFA requirement satisfied by claim in the token",
                },
            },
            False,
            None,
        ),
        ({"mfaDetail": {"authMethod": "Text message"}}, True, None),
        ({"mfaDetail": {"authMethod": None}}, None, None),
        (
            {
                "authenticationRequirement": "multiFactorAuthentication",
                "authenticationDetails": [{"authenticationMethod": "Previously satisfied"}],
            },
            True,
            True,
        ),
    ],
)
def test_multifactor(fields: dict[str, Any], is_mfa: bool | None, by_claim: bool | None) -> None:
    found = event(**({"status": {"errorCode": 0}} | fields))
    assert found.is_mfa is is_mfa
    assert (found.unmapped.mfa_by_claim if found.unmapped else None) is by_claim


def test_a_user_sign_in_that_names_a_service_principal_is_the_users() -> None:
    found = event(servicePrincipalId="84f0c1d2-e3b4-4a56-9788-6950412a3b4c")
    assert found.user.name == "alice@example.com"
    assert found.user.type_id == UserType.USER


@pytest.mark.parametrize(
    "fields",
    [
        {"userPrincipalName": "a@example.com", "createdDateTime": "2026-03-02T08:14:07Z"},
        {
            "category": "Administrative",
            "operationName": "Microsoft.Compute/write",
            "properties": {},
        },
        {"category": "kube-audit", "operationName": "Read", "properties": {"log": "{}"}},
        {"createdDateTime": "2026-03-02T08:14:07Z", "displayName": "Sales"},
        {"TimeGenerated": "2026-03-02T08:14:07Z", "Type": "SecurityEvent"},
    ],
)
def test_other_microsoft_records_are_not_taken(fields: dict[str, Any]) -> None:
    assert not recognise(RawRecord(log="x", sequence=1, line=1, body=b"", fields=fields))
