"""Decisions of the authentik source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RawRecord, Skip
from quivive.sources.authentik import SOURCE
from tests.unit.parsing import event_of, record_of

ADA = {"pk": 7, "email": "ada@example.com", "username": "ada"}
NOBODY = {"pk": 1, "email": "", "username": "AnonymousUser"}
DEVICE = {"pk": 3, "model_name": "totpdevice"}


def record(
    action: str, context: dict[str, Any] | None = None, user: Any = ADA, **more: Any
) -> RawRecord:
    event = {"action": action, "app": "authentik.x", "user": user, "context": context or {}}
    return record_of(event | {"created": "2026-07-06T09:01:11Z"} | more)


def parsed(action: str, context: dict[str, Any] | None = None, user: Any = ADA) -> AuthEvent:
    return event_of(SOURCE.parse, record(action, context, user))


@pytest.mark.parametrize(
    ("context", "is_mfa"),
    [
        ({"auth_method": "password"}, False),
        ({"auth_method": "password", "auth_method_args": {"mfa_devices": [DEVICE]}}, True),
        ({"auth_method": "password", "auth_method_args": {"mfa_devices": ["?"]}}, True),
        # A code alone, where nothing says what came before it.
        ({"auth_method": "auth_mfa", "auth_method_args": {"mfa_devices": [DEVICE]}}, None),
        ({"auth_method": "auth_webauthn_pwl"}, None),
        ({"source": {"name": "Corp"}}, None),
        ({}, None),
    ],
)
def test_factors_are_counted_where_the_record_names_them(
    context: dict[str, Any], is_mfa: bool | None
) -> None:
    assert parsed("login", context).is_mfa is is_mfa


@pytest.mark.parametrize(
    ("device_class", "accepted"), [("totp", True), ("webauthn", None), ("new", None)]
)
def test_a_refused_code_proves_the_password_and_a_key_may_stand_alone(
    device_class: str, accepted: bool | None
) -> None:
    found = parsed("login_failed", {"username": "ada", "device_class": device_class}, NOBODY)
    assert (found.activity_name, found.status_id) == ("MFA Challenge", Status.FAILURE)
    assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


def test_nobody_has_failed_who_is_not_named() -> None:
    found = SOURCE.parse(record("login_failed", {}, NOBODY))
    assert found == Skip("an attempt without a user")


def test_a_number_is_nobody_s_without_its_system() -> None:
    assert parsed("login").user.uid == "pk:7"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v3/core/users/7/set_password/", "Password Reset"),
        ("/api/v3/flows/executor/default-password-change/", "Password Change"),
        (None, "Password Change"),
    ],
)
def test_a_password_set_by_the_api_is_set_by_an_administrator(path: Any, name: str) -> None:
    assert parsed("password_set", {"http_request": {"path": path}}).activity_name == name


def test_whoever_acts_for_another_is_the_actor() -> None:
    found = parsed("authorize_application", user={"username": "root"} | {"on_behalf_of": ADA})
    assert found.user.name == "ada"
    assert found.actor is not None
    assert found.actor.user is not None
    assert found.actor.user.name == "root"


def test_machines_are_known_by_their_names() -> None:
    assert parsed("login", user={"username": "ak-outpost-1"}).user.type_id == UserType.SYSTEM
    name = "ak-deploy-client_credentials"
    assert parsed("login", user={"username": name}).user.type_id == UserType.SERVICE


def test_no_address_is_no_address() -> None:
    found = event_of(SOURCE.parse, record("login", client_ip="255.255.255.255"))
    assert found.src_endpoint is None


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "login", "created": "2026-07-06T09:01:11Z", "user": "ada"},
        {"action": "sign_in", "app": "x", "user": {}, "context": {}, "created": ""},
        {"logger": "authentik", "event": "Created Event", "timestamp": ""},
        {"logger": "authentik.events.models", "action": "login"},
    ],
)
def test_a_likeness_is_not_enough(fields: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(fields))
