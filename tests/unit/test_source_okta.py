"""Decisions of the Okta source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.sources.countries import country_code
from quivive.sources.okta import SOURCE
from tests.unit.parsing import event_of, record_of

USER = {"id": "00u1", "type": "User", "alternateId": "ada@example.com", "displayName": "Ada"}
OTHER = {"id": "00u2", "type": "User", "alternateId": "ben@example.com", "displayName": "Ben"}
SYSTEM = {"id": "okta.1", "type": "SystemPrincipal", "alternateId": "system@okta.com"}
CLIENT = {"id": "0oa1", "type": "PublicClientApp", "alternateId": "0oa1", "displayName": "App"}


def event(event_type: str, **sections: Any) -> AuthEvent:
    log = {
        "eventType": event_type,
        "published": "2026-03-02T08:14:05.118Z",
        "actor": USER,
        "outcome": {"result": "SUCCESS"},
    } | sections
    return event_of(SOURCE.parse, record_of(log))


def debug(**data: str) -> dict[str, Any]:
    return {"debugData": data}


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("SUCCESS", Status.SUCCESS),
        ("ALLOW", Status.SUCCESS),
        ("DENY", Status.FAILURE),
        ("CHALLENGE", Status.OTHER),
        ("UNANSWERED", Status.OTHER),
        ("UNKNOWN", Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
)
def test_every_outcome_has_a_status(result: str | None, status: Status) -> None:
    assert event("policy.evaluate_sign_on", outcome={"result": result}).status_id == status


@pytest.mark.parametrize("result", ["UNANSWERED", "ABANDONED"])
def test_a_factor_that_nobody_answered_is_no_prompt_that_still_waits(result: str) -> None:
    found = event("user.authentication.auth_via_mfa", outcome={"result": result})
    assert (found.activity_name, found.status_id) == ("MFA Challenge", Status.FAILURE)


def test_a_password_verified_as_factor_is_a_login_step_and_no_mfa() -> None:
    found = event("user.authentication.auth_via_mfa", debugContext=debug(factor="password"))
    assert found.activity_id == Activity.LOGON
    assert found.is_mfa is None


def test_a_sent_push_is_no_passed_challenge() -> None:
    found = event("system.push.send_factor_verify_push", actor=SYSTEM, target=[USER])
    assert (found.user.name, found.status_id) == ("ada@example.com", Status.OTHER)
    assert found.is_mfa is None


def test_a_deny_proves_the_credential_only_after_a_verified_method() -> None:
    first = debug(authMethodFirstType="okta_password:password:lae1")
    for context, accepted in ((first, True), (debug(), None)):
        found = event("policy.evaluate_sign_on", outcome={"result": "DENY"}, debugContext=context)
        assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


def test_a_token_grant_is_the_clients_own_or_its_users() -> None:
    own = debug(grantType="client_credentials")
    found = event("app.oauth2.token.grant.access_token", actor=CLIENT, debugContext=own)
    assert (found.user.uid, found.user.type_id) == ("0oa1", UserType.SERVICE)
    found = event("app.oauth2.token.grant.access_token", actor=CLIENT, target=[OTHER])
    assert (found.user.name, found.user.type_id) == ("ben@example.com", UserType.USER)
    assert found.actor is not None
    assert found.actor.app_name == "App"


def test_one_method_is_one_factor_only_if_it_is_a_password() -> None:
    for method, is_mfa in (
        ("okta_password:password:1", False),
        ("okta_verify:signed_nonce:1", None),
    ):
        found = event("user.authentication.sso", debugContext=debug(authMethodFirstType=method))
        assert found.is_mfa is is_mfa


@pytest.mark.parametrize(
    ("risk", "expected"),
    [
        ({"risk": "{reasons=Anomalous Location, level=HIGH}"}, "high"),
        ({"logOnlySecurityData": '{"risk":{"level":"LOW"}}'}, "low"),
        ({"logOnlySecurityData": {"risk": {"level": "MEDIUM"}}}, "medium"),
        ({"threatSuspected": "true", "risk": "{level=LOW}"}, "threatSuspected"),
    ],
)
def test_the_risk_is_found_in_each_spelling(risk: dict[str, Any], expected: str) -> None:
    found = event("user.session.start", debugContext={"debugData": risk})
    assert found.unmapped is not None
    assert found.unmapped.vendor_risk == expected


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United States", "US"),
        ("Republic of Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Türkiye", "TR"),
        ("cote d'ivoire", "CI"),
        ("The Netherlands", "NL"),
        ("St. Lucia", "LC"),
        ("UK", "GB"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Atlantis", None),
        ("unknown", None),
        (7, None),
    ],
)
def test_countries_are_found_by_name(name: object, code: str | None) -> None:
    assert country_code(name) == code
