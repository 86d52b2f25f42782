"""Decisions of the Google Cloud source that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.engine.observe import observed
from quivive.enrich.client import Client
from quivive.enrich.enricher import Enriched
from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import Skip
from quivive.sources._gcp_call import operation_of, resource_of, service_name
from quivive.sources.gcp import SOURCE
from tests.unit.parsing import event_of, record_of

POOLS = "principal://iam.googleapis.com/projects/4/locations/global/workloadIdentityPools"
STAFF = "principal://iam.googleapis.com/locations/global/workforcePools/staff"
STATUSES = ({"code": 7}, {"code": 5})
AGENT = "service-400000000002@gcp-sa-invented.iam.gserviceaccount.com"


def entry(info: Any, method: str = "storage.objects.get", **payload: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-03-10T08:00:00Z",
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "protoPayload": {
            "authenticationInfo": info,
            "methodName": method,
            "serviceName": "storage.googleapis.com",
        }
        | payload,
    }


def _outcome(found: AuthEvent) -> str:
    enriched = Enriched(client=Client(), scope="public")
    return observed(found, enriched, "a", None, "user").outcome


def event(info: Any, method: str = "storage.objects.get", **payload: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(entry(info, method, **payload)))


@pytest.mark.parametrize(
    ("info", "name", "kind"),
    [
        ({"principalEmail": "ada@example.com"}, "ada@example.com", UserType.USER),
        ({"principalSubject": "user:ada@example.com"}, "ada@example.com", UserType.USER),
        (
            {"principalSubject": "serviceAccount:a@pro-ject.iam.gserviceaccount.com"},
            "a@pro-ject.iam.gserviceaccount.com",
            UserType.SERVICE,
        ),
        ({"principalEmail": AGENT}, AGENT, UserType.SYSTEM),
        ({"principalEmail": "system:node:n1"}, "system:node:n1", UserType.SYSTEM),
        (
            {"principalSubject": f"{POOLS}/ci/subject/repo:o/r:environment:prod"},
            "repo:o/r",
            UserType.SERVICE,
        ),
        ({"principalSubject": f"{POOLS}/aws/subject/x"}, "x", UserType.SERVICE),
        (
            {"principalSubject": f"{STAFF}/subject/ben@example.com"},
            "ben@example.com",
            UserType.USER,
        ),
        ({"principalSubject": "b6112abb"}, "b6112abb", None),
    ],
)
def test_who_calls(info: dict[str, Any], name: str, kind: UserType | None) -> None:
    user = event(info).user
    assert (user.name, user.type_id) == (name, kind)


def test_a_repository_is_one_identity_on_all_branches() -> None:
    names = {
        event(
            {"principalSubject": f"{POOLS}/ci/subject/repo:o/r:ref:refs/heads/{branch}"}
        ).user.name
        for branch in ("main", "next")
    }
    assert names == {"repo:o/r"}


def test_only_an_account_of_a_customer_lives_in_a_project() -> None:
    assert event({"principalEmail": AGENT}).user.account is None
    account = event({"principalEmail": "a@pro-ject.iam.gserviceaccount.com"}).user.account
    assert account is not None
    assert account.uid == "pro-ject"


def test_the_first_to_delegate_is_behind_the_call() -> None:
    chain = [
        {},
        {"principalSubject": "user:ada@example.com"},
        {"firstPartyPrincipal": {"principalEmail": "b@pro-ject.iam.gserviceaccount.com"}},
    ]
    info = {
        "principalEmail": "a@pro-ject.iam.gserviceaccount.com",
        "serviceAccountDelegationInfo": chain,
    }
    actor = event(info).actor
    assert actor is not None
    assert actor.user is not None
    assert actor.user.name == "ada@example.com"


@pytest.mark.parametrize(
    ("status", "service", "code", "accepted"),
    [
        ({"code": 7}, "storage.googleapis.com", "PERMISSION_DENIED", True),
        ({"code": "5"}, "storage.googleapis.com", "NOT_FOUND", True),
        ({"code": 16}, "storage.googleapis.com", "UNAUTHENTICATED", None),
        ({"code": 401}, "storage.googleapis.com", "401", None),
        ({"code": 3}, "sts.googleapis.com", "INVALID_ARGUMENT", None),
    ],
)
def test_a_failed_call_proves_its_credential_but_where_that_was_refused(
    status: dict[str, Any], service: str, code: str, accepted: bool | None
) -> None:
    found = event({"principalEmail": "a@example.com"}, status=status, serviceName=service)
    assert (found.status_id, found.status_code) == (Status.FAILURE, code)
    assert found.unmapped is not None
    assert found.unmapped.credential_accepted is accepted


@pytest.mark.parametrize("status", [None, {}, {"code": 0}, {"code": 0, "message": "OK"}])
def test_no_code_is_success(status: Any) -> None:
    found = event({"principalEmail": "a@example.com"}, status=status)
    assert (found.status_id, found.status_code) == (Status.SUCCESS, None)


@pytest.mark.parametrize(
    ("service", "method", "operation"),
    [
        ("compute.googleapis.com", "v1.compute.instances.insert", "compute:instances.insert"),
        ("compute.googleapis.com", "beta.compute.instances.insert", "compute:instances.insert"),
        ("iam.googleapis.com", "google.iam.admin.v1.CreateRole", "iam:CreateRole"),
        ("iamcredentials.googleapis.com", "SignJwt", "iamcredentials:SignJwt"),
        ("k8s.io", "io.k8s.core.v1.secrets.list", "list secrets"),
        ("k8s.io", "io.k8s.authorization.rbac.v1.roles.create", "create roles"),
        ("k8s.io", "io.k8s", "k8s:io.k8s"),
        (None, "io.k8s.readyz", "k8s:io.k8s.readyz"),
        (None, "SetIamPolicy", "gcp:SetIamPolicy"),
        (None, "compute.instances.list", "compute:instances.list"),
        (None, "v1", "gcp:v1"),
        (None, "....", "gcp:...."),
    ],
)
def test_operations_are_alike_in_all_versions(
    service: str | None, method: str, operation: str
) -> None:
    assert operation_of(service_name(service, method), method) == operation


def test_objects_jobs_and_versions_are_told_by_what_holds_them() -> None:
    assert resource_of("projects/_/buckets/b/objects/x/objects/y") == "projects/_/buckets/b"
    assert resource_of("projects/p/secrets/s/versions/3") == "projects/p/secrets/s"
    assert resource_of("/objects/x") is None


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("curl/8.5.0,gzip(gfe),gzip(gfe)", "curl/8.5.0"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("(gzip),gzip(gfe)", None),
        (",gzip(gfe)", None),
        (None, None),
    ],
)
def test_the_front_end_is_no_part_of_the_client(agent: str | None, told: str | None) -> None:
    request = {"callerSuppliedUserAgent": agent}
    found = event({"principalEmail": "a@example.com"}, requestMetadata=request).http_request
    assert (found.user_agent if found else None) == told


def test_activities_of_workspace_are_left_to_their_source() -> None:
    row = entry({"principalEmail": "a@example.com"}, serviceName="login.googleapis.com")
    assert SOURCE.recognise(record_of(row))
    row["protoPayload"]["metadata"] = {"activityId": {}, "event": []}
    assert not SOURCE.recognise(record_of(row))


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"protoPayload": "x"},
        {"protoPayload": {"methodName": "a"}},
        {"protoPayload": {"@type": "type.googleapis.com/google.appengine.logging.v1.RequestLog"}},
        {"jsonPayload": {"methodName": "a", "authenticationInfo": {}}},
    ],
)
def test_other_entries_are_not_recognised(row: dict[str, Any]) -> None:
    assert not SOURCE.recognise(record_of(row))


def test_a_refused_call_is_a_failure_and_one_that_found_nothing_a_use() -> None:
    codes = [_outcome(event({"principalEmail": "a@example.com"}, status=s)) for s in STATUSES]
    assert codes == ["failure", "success"]


def test_a_caller_whom_the_log_leaves_out_is_skipped() -> None:
    assert isinstance(SOURCE.parse(record_of(entry({}))), Skip)
