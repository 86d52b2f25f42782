"""Decisions of the Kubernetes source that the golden pairs do not spell out."""

from typing import Any

import pytest

from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import Skip
from quivive.sources.kubernetes import SOURCE
from tests.unit.parsing import record_of


def request(**changes: Any) -> dict[str, Any]:
    fields = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "stage": "ResponseComplete",
        "verb": "get",
        "user": {"username": "anna"},
        "requestReceivedTimestamp": "2026-04-02T06:00:00.000000Z",
    }
    return fields | changes


def parsed(**changes: Any) -> AuthEvent:
    event = SOURCE.parse(record_of(request(**changes)))
    assert isinstance(event, AuthEvent)
    return event


@pytest.mark.parametrize(
    ("code", "status", "accepted"),
    [
        (None, Status.SUCCESS, None),
        (101, Status.SUCCESS, None),
        (404, Status.FAILURE, True),
        (503, Status.FAILURE, True),
        (401, Status.FAILURE, None),
        (403, Status.FAILURE, True),
    ],
)
def test_a_failed_request_proves_its_credential_unless_that_was_refused(
    code: int | None, status: Status, accepted: bool | None
) -> None:
    event = parsed(responseStatus={"code": code})
    assert event.status_id == status
    assert event.unmapped is not None
    assert event.unmapped.credential_accepted is accepted


@pytest.mark.parametrize(
    ("username", "groups", "kind"),
    [
        ("anna", ["system:authenticated"], UserType.USER),
        ("anna", ["system:masters"], UserType.ADMIN),
        ("system:serviceaccount:shop:checkout", ["system:masters"], UserType.SERVICE),
        ("system:apiserver", ["system:masters"], UserType.SYSTEM),
        ("system:node:node-1", [], UserType.SYSTEM),
        ("eks:addon-manager", [], UserType.SYSTEM),
    ],
)
def test_identity_kinds(username: str, groups: list[str], kind: UserType) -> None:
    assert parsed(user={"username": username, "groups": groups}).user.type_id == kind


def test_anonymous_health_checks_are_skipped_but_not_other_anonymous_requests() -> None:
    anonymous = {"username": "system:anonymous"}
    probe = request(user=anonymous, requestURI="/livez?exclude=etcd")
    assert SOURCE.parse(record_of(probe)) == Skip("anonymous probe")
    assert parsed(user=anonymous, requestURI="/api/v1/secrets").user.name == "system:anonymous"
    assert parsed(requestURI="/livez").user.name == "anna"


def test_core_events_of_a_cluster_are_not_audit_events() -> None:
    core = {"kind": "Event", "apiVersion": "v1", "involvedObject": {"kind": "Pod"}}
    assert not SOURCE.recognise(record_of(core))
    assert not SOURCE.recognise(record_of({"message": "{broken", "log": 5}))
    assert SOURCE.recognise(record_of({"kind": "Event", "verb": "list", "objectRef": {}}))


def test_a_pod_is_a_session_and_no_runner() -> None:
    extra = {"authentication.kubernetes.io/pod-name": ["checkout-6c5d8f7b9-x2x4z"]}
    event = parsed(user={"username": "system:serviceaccount:shop:checkout", "extra": extra})
    assert event.session is not None
    assert event.session.uid_alt == "checkout-6c5d8f7b9-x2x4z"
    assert event.unmapped is not None
    assert event.unmapped.runner is None
