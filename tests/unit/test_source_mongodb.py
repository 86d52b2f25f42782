"""Decisions of the MongoDB source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources.mongodb import SOURCE
from tests.unit.parsing import event_of, record_of

STAMP = {"$date": "2026-03-04T08:00:00.000+00:00"}
USERS = [{"user": "ada", "db": "admin"}]


def line(message: str, component: str = "ACCESS", **said: Any) -> dict[str, Any]:
    return {"t": STAMP, "s": "I", "c": component, "id": 1, "ctx": "c", "msg": message, "attr": said}


def audit(action: str, param: Any, result: Any = 0, users: Any = USERS) -> AuthEvent | Skip:
    row = {"atype": action, "ts": STAMP, "users": users, "param": param, "result": result}
    return SOURCE.parse(record_of(row))


def event(message: str, **said: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(line(message, **said)))


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Authentication succeeded", Status.SUCCESS),
        ("Successfully authenticated", Status.SUCCESS),
        ("Authentication failed", Status.FAILURE),
        ("Failed to authenticate", Status.FAILURE),
    ],
)
def test_both_generations_of_messages_are_read(message: str, status: Status) -> None:
    old = event(message, principalName="ada", authenticationDatabase="shop", remote="192.0.2.4:1")
    new = event(message, user="ada", db="shop", client="192.0.2.4:1")
    assert (old.user, old.src_endpoint) == (new.user, new.src_endpoint)
    assert old.status_id == status


def test_a_failure_is_told_by_its_name_however_it_is_written() -> None:
    codes = {
        event("Failed to authenticate", user="ada", error="UserNotFound: none").status_code,
        event(
            "Failed to authenticate", user="ada", error="UserNotFound: none", result=11
        ).status_code,
        event("Failed to authenticate", user="ada", error={"codeName": "UserNotFound"}).status_code,
    }
    assert codes == {"UserNotFound"}
    assert event("Failed to authenticate", user="ada", result=18).status_code == "18"


@pytest.mark.parametrize(
    ("mechanism", "protocol", "factors"),
    [("SCRAM-SHA-256", 99, 1), ("PLAIN", 12, 1), ("GSSAPI", 2, 0), ("MONGODB-OIDC", 4, 0)],
)
def test_a_mechanism_says_what_was_shown(mechanism: str, protocol: int, factors: int) -> None:
    found = event("Successfully authenticated", user="ada", mechanism=mechanism)
    assert found.auth_protocol_id == protocol
    assert len(found.auth_factors or ()) == factors


def test_members_of_the_cluster_are_the_system() -> None:
    found = event("Successfully authenticated", user="CN=db-2", isClusterMember=True)
    assert found.user.type_id == UserType.SYSTEM
    assert event("Successfully authenticated", user="ada").user.type_id is None


def test_who_sets_whose_password() -> None:
    own = audit("updateUser", {"user": "ada", "db": "admin", "passwordChanged": True})
    others = audit("updateUser", {"user": "ada", "db": "shop", "passwordChanged": True}, 13)
    assert isinstance(own, AuthEvent)
    assert isinstance(others, AuthEvent)
    assert (own.activity_name, own.actor) == ("Password Change", None)
    assert (others.activity_name, others.status_id) == ("Password Reset", Status.FAILURE)
    assert others.actor is not None
    assert others.unmapped is not None
    assert others.unmapped.credential_accepted


@pytest.mark.parametrize(
    ("action", "param", "result"),
    [
        ("authCheck", {"command": "find"}, 0),
        ("createUser", {"user": "eve", "db": "admin"}, 0),
        ("updateUser", {"user": "ada", "db": "admin", "roles": []}, 0),
        ("authenticate", {}, 18),
    ],
)
def test_what_tells_of_no_login_is_skipped(action: str, param: dict[str, Any], result: int) -> None:
    assert isinstance(audit(action, param, result), Skip)


def test_a_connection_that_ends_is_its_users_log_off() -> None:
    found = audit("logout", {"initialUsers": USERS}, users=[])
    assert isinstance(found, AuthEvent)
    assert (found.activity_id, found.user.name) == (Activity.LOGOFF, "ada")


@pytest.mark.parametrize(
    ("param", "result", "named"),
    [({}, 0, r"^param\.user:"), ({"user": "ada"}, "no", r"^result:"), ([], 0, r"^param\.user:")],
)
def test_damage_is_named(param: Any, result: Any, named: str) -> None:
    with pytest.raises(RejectError, match=named):
        audit("authenticate", param, result)


def test_others_are_not_claimed() -> None:
    assert not SOURCE.recognise(record_of({"t": "2026", "c": "ACCESS", "msg": "x", "s": "I"}))
    assert not SOURCE.recognise(record_of({"atype": "authenticate"}))
    assert SOURCE.recognise(record_of(line("Connection accepted", "NETWORK")))
