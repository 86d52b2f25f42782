"""Decisions of the Teleport source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, FactorType, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources.teleport import SOURCE
from tests.unit.parsing import event_of, record_of


def raw(name: str, code: str, /, **members: Any) -> dict[str, Any]:
    record = {"ei": 0, "event": name, "uid": "1", "code": code, "time": "2026-03-02T09:01:00Z"}
    return record | {"user": "ada"} | members


def event(name: str, code: str, /, **members: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(raw(name, code, **members)))


@pytest.mark.parametrize(
    ("members", "mfa"),
    [
        ({"method": "local"}, False),
        ({"method": "local", "mfa_device": {"mfa_device_type": "TOTP"}}, True),
        ({"method": "saml"}, None),
        ({"method": "oidc", "attributes": {"amr": ["pwd"]}}, False),
        ({"method": "oidc", "attributes": {"amr": ["pwd", "otp"]}}, True),
        ({"method": "oidc", "attributes": {"amr": ["hwk"]}}, None),
        ({"method": "oidc", "attributes": {"amr": "pwd"}}, None),
    ],
)
def test_what_stood_behind_a_login(members: dict[str, Any], mfa: bool | None) -> None:
    assert event("user.login", "T1000I", success=True, **members).is_mfa is mfa


@pytest.mark.parametrize(
    ("kind", "factor"),
    [
        ("TOTP", FactorType.OTP),
        ("WebAuthn", FactorType.WEBAUTHN),
        ("U2F", FactorType.U2F),
        ("SSO", FactorType.OTHER),
    ],
)
def test_the_factor_is_that_of_the_device(kind: str, factor: FactorType) -> None:
    found = event("user.login", "T1000I", method="local", mfa_device={"mfa_device_type": kind})
    assert found.auth_factors is not None
    assert [f.factor_type_id for f in found.auth_factors] == [factor]


def test_a_login_says_itself_whether_it_succeeded_and_a_join_by_its_code() -> None:
    assert event("user.login", "T1000W", success=True).status_id == Status.SUCCESS
    joined = event("instance.join", "TJ002E", success=True, node_name="n")
    assert joined.status_id == Status.FAILURE


def test_a_headless_login_is_asked_for_and_answered() -> None:
    asked = event("user.login", "T1012I", success=False, method="headless")
    assert (asked.activity_id, asked.status_id) == (Activity.LOGON, Status.OTHER)
    refused = event("user.login", "T1014W", success=False, method="headless")
    assert (refused.activity_name, refused.status_id) == ("MFA Challenge", Status.FAILURE)


@pytest.mark.parametrize(
    ("name", "code", "members", "accepted"),
    [
        ("user.login", "T1000W", {"success": False, "method": "local"}, None),
        ("user.login", "T1001W", {"success": False, "attributes": {"email": "a@b.example"}}, True),
        ("auth", "T3007W", {"error": "ssh: cert has expired"}, None),
        ("auth", "T3007W", {"error": "access denied to root connecting to db-1"}, True),
        ("db.session.start", "TDB00W", {}, True),
        ("session.rejected", "T1006W", {}, True),
        ("kube.request", "T3009I", {"response_code": 401}, None),
        ("kube.request", "T3009I", {"response_code": 403}, True),
        ("mfa_auth_challenge.validate", "T1016W", {"challenge_scope": ""}, None),
        (
            "mfa_auth_challenge.validate",
            "T1016W",
            {"challenge_scope": "CHALLENGE_SCOPE_MANAGE_DEVICES"},
            True,
        ),
        ("cert.generation_mismatch", "TCB00W", {}, True),
    ],
)
def test_which_failures_show_a_right_credential(
    name: str, code: str, members: dict[str, Any], accepted: bool | None
) -> None:
    found = event(name, code, **members)
    assert found.status_id == Status.FAILURE
    assert (found.unmapped.credential_accepted if found.unmapped else None) is accepted


@pytest.mark.parametrize(
    ("user", "number", "type_id"),
    [
        ("ada", None, None),
        ("ada", 1, UserType.USER),
        ("bot-ci", None, UserType.SERVICE),
        ("bot-ci", 1, UserType.USER),
        ("ci", 2, UserType.SERVICE),
        ("okta", 3, UserType.SYSTEM),
        ("7e1f0c22-0a55-4c1b-8c58-1f3d5c7a9b10.example", 1, UserType.SYSTEM),
    ],
)
def test_kinds_of_users(user: str, number: int | None, type_id: UserType | None) -> None:
    members = {} if number is None else {"user_kind": number}
    assert event("session.start", "T2000I", **members | {"user": user}).user.type_id == type_id


def test_a_bot_has_one_name_where_it_joins_and_where_it_works() -> None:
    joined = event("bot.join", "TJ001I", user=None, bot_name="ci", method="github")
    worked = event("session.start", "T2000I", user="bot-ci", bot_name="ci", user_kind=2)
    assert joined.user.name == worked.user.name == "bot-ci"


def test_a_stranger_that_tries_to_join_goes_by_its_repository() -> None:
    claims = {"sub": "repo:example/fork:ref:refs/heads/main"}
    found = event("bot.join", "TJ001E", user=None, bot_name="unknown", attributes=claims)
    assert found.user.name == "repo:example/fork"


def test_who_acts_for_another() -> None:
    reset = event("reset_password_token.create", "T6000I", name="gus")
    certificate = event(
        "cert.create", "TC000I", user=None, identity={"user": "gus", "impersonator": "ada"}
    )
    locked = event("lock.created", "TLK00I", target={"user": "gus"})
    for found in (reset, certificate, locked):
        assert found.user.name == "gus"
        assert found.actor is not None
        assert found.actor.user is not None
        assert found.actor.user.name == "ada"
    own = event("cert.create", "TC000I", identity={"user": "ada", "impersonator": "ada"})
    assert own.actor is None


def test_the_address_of_a_desktop_is_not_the_clients() -> None:
    start = ("windows.desktop.session.start", "TDP00I")
    desktop = {"desktop_addr": "192.0.2.80:3389", "desktop_name": "win-7"}
    assert event(*start, **desktop, **{"addr.remote": "192.0.2.80:3389"}).src_endpoint is None
    client = event(*start, **desktop, **{"addr.remote": "203.0.113.9:50000"}).src_endpoint
    assert client is not None
    assert (client.ip, client.port) == ("203.0.113.9", 50000)


@pytest.mark.parametrize(
    ("name", "code", "members", "reason"),
    [
        ("role.created", "T9000I", {}, "no authentication event"),
        ("session.command", "T4000I", {}, "inside a session"),
        ("db.session.postgres.statements.bind", "TPG01I", {}, "inside a session"),
        ("sftp", "TS001I", {}, "inside a session"),
        ("mfa_auth_challenge.create", "T1015I", {}, "an MFA challenge"),
        ("device.authenticate", "TV006I", {}, "a notice beside"),
        ("user.login", "T1011W", {}, "a test of a connector"),
        ("cert.create", "TC000I", {"cert_type": "host"}, "a certificate of a server"),
        ("lock.created", "TLK00I", {"target": {"node": "x"}}, "a lock on no user"),
    ],
)
def test_what_is_no_login_is_skipped(
    name: str, code: str, members: dict[str, Any], reason: str
) -> None:
    found = SOURCE.parse(record_of(raw(name, code, **members)))
    assert isinstance(found, Skip)
    assert found.reason.startswith(reason)


def test_a_login_of_nobody_is_rejected() -> None:
    with pytest.raises(RejectError, match="user"):
        SOURCE.parse(record_of(raw("user.login", "T1001W", user=None)))


def test_another_vendors_event_is_not_taken() -> None:
    assert SOURCE.recognise(record_of(raw("user.login", "T1000I")))
    for code in ("login", "200", "T1000", "ABCDEFGHIJ1000I", 7, None):
        assert not SOURCE.recognise(record_of({**raw("user.login", "T"), "code": code}))
    assert not SOURCE.recognise(record_of({"event": "user.login", "code": "T1000I"}))
    assert not SOURCE.recognise(record_of({"event": {"code": "T1000I"}, "code": "T1000I", "ei": 0}))
