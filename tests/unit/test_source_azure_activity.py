"""Decisions of the Azure activity log that its documentation leaves to the reader."""

from typing import Any

import pytest

from quivive.engine.observe import observed
from quivive.enrich.client import Client
from quivive.enrich.enricher import Enriched
from quivive.model.event import AuthEvent, Status, UserType
from quivive.model.record import RejectError, Skip
from quivive.sources._azure_record import resource_of
from quivive.sources.azure_activity import SOURCE
from tests.unit.parsing import event_of, record_of

SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
TENANT = "6b1f0c52-8d3e-4a71-9c05-2e7a41d0b9f3"
ADA = {f"{SOAP}upn": "Ada@Example.com"}
APP = "e0a4c7b9-3d16-4f52-8b7e-a19c5d0f6e23"
OID = "74d9b1e6-0c8f-4a35-9e2d-b6f3a8c15d07"
IDENTITY = "/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/vm-1"


def row(claims: Any = ADA, **changed: Any) -> dict[str, Any]:
    return {
        "time": "2026-03-04T08:00:00Z",
        "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G",
        "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "Succeeded.OK",
        "callerIpAddress": "192.0.2.4",
        "identity": {"claims": claims},
        "tenantId": TENANT,
    } | changed


def parsed(claims: Any = ADA, **changed: Any) -> AuthEvent | Skip:
    return SOURCE.parse(record_of(row(claims, **changed)))


def event(claims: Any = ADA, **changed: Any) -> AuthEvent:
    return event_of(SOURCE.parse, record_of(row(claims, **changed)))


@pytest.mark.parametrize(
    ("claims", "name", "uid", "kind"),
    [
        (ADA, "Ada@Example.com", None, UserType.USER),
        ({OBJECT: OID, "name": "Ada Quist"}, "Ada Quist", OID, UserType.USER),
        ({OBJECT: OID, "appid": APP}, None, OID, UserType.SERVICE),
        ({"appid": APP, "idtyp": "app"}, None, APP, UserType.SERVICE),
        ({OBJECT: OID, "appid": APP, "idtyp": "user"}, None, OID, UserType.USER),
        ({OBJECT: OID, "xms_mirid": IDENTITY}, "vm-1", OID, UserType.SERVICE),
        ({f"{SOAP}spn": "Microsoft.Advisor"}, "Microsoft.Advisor", None, UserType.SYSTEM),
    ],
)
def test_who_calls(claims: dict[str, str], name: str | None, uid: str | None, kind: int) -> None:
    user = event(claims).user
    assert (user.name, user.uid, user.type_id) == (name, uid, kind)


def test_a_guest_is_known_by_the_tenant_that_vouches_for_it() -> None:
    provider = "http://schemas.microsoft.com/identity/claims/identityprovider"
    assert event(ADA | {provider: f"https://sts.windows.net/{TENANT}/"}).user.type is None
    assert event(ADA | {provider: "https://sts.windows.net/elsewhere/"}).user.type == "Guest"


def test_an_id_alone_may_be_anybodys() -> None:
    api = {
        "eventTimestamp": "2026-03-04T08:00:00Z",
        "eventDataId": "1",
        "operationName": {"value": "Microsoft.Web/sites/restart/action"},
        "status": {"value": "Succeeded"},
        "caller": OID,
    }
    user = event_of(SOURCE.parse, record_of(api)).user
    assert (user.uid, user.name, user.type_id) == (OID, None, None)


@pytest.mark.parametrize(
    ("methods", "is_mfa"),
    [("pwd", False), ("pwd,mfa", True), ("rsa, ngcmfa", True), ("rsa", None), ("fed", None)],
)
def test_one_factor_is_only_said_of_a_password(methods: str, is_mfa: bool | None) -> None:
    found = event(ADA | {METHODS: methods})
    assert found.is_mfa is is_mfa
    assert found.auth_factors is None
    assert (found.unmapped.mfa_by_claim if found.unmapped else None) is (is_mfa or None)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"resultType": "Accept", "resultSignature": "Accepted.Accepted"}, Status.SUCCESS),
        ({"resultSignature": "Succeeded."}, Status.SUCCESS),
        ({"callerIpAddress": None}, Status.SUCCESS),
        ({"callerIpAddress": None, "resultSignature": None}, Status.SUCCESS),
        ({"resultType": "Failure", "resultSignature": "Failed.Conflict"}, Status.FAILURE),
        ({"resultType": None}, Status.UNKNOWN),
    ],
)
def test_the_answer_is_the_call(changed: dict[str, Any], status: Status) -> None:
    assert event(**changed).status_id == status


@pytest.mark.parametrize(
    "changed",
    [
        {"resultType": "Start", "resultSignature": "Started."},
        {"callerIpAddress": "", "resultSignature": "Succeeded."},
        {"callerIpAddress": "", "resultType": "Failure", "resultSignature": "Failed."},
        {"resultType": "Canceled"},
        {"category": "Policy"},
        {"category": "ServiceHealth"},
        {"properties": {"eventCategory": "Autoscale"}},
        {"identity": {}},
    ],
)
def test_what_is_no_call_or_told_already_is_skipped(changed: dict[str, Any]) -> None:
    assert isinstance(parsed(**changed), Skip)


@pytest.mark.parametrize(
    ("code", "accepted", "outcome"),
    [("Forbidden", True, "failure"), ("Conflict", True, "success"), ("Unauthorized", None, None)],
)
def test_only_a_refused_token_proves_nothing(
    code: str, accepted: bool | None, outcome: str | None
) -> None:
    found = event(resultType="Failure", resultSignature=f"Failed.{code}")
    assert found.unmapped is not None
    assert (found.status_code, found.unmapped.credential_accepted) == (code, accepted)
    seen = observed(found, Enriched(client=Client(), scope="public"), "a", None, "user")
    assert seen.outcome == (outcome or "failure")


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ("/SUBSCRIPTIONS/S", "/subscriptions/s"),
        ("/subscriptions/s/resourceGroups/g/", "/subscriptions/s/resourcegroups/g"),
        (f"{IDENTITY}/extensions/vmaccess", IDENTITY.lower()),
        (f"{IDENTITY}/providers/Microsoft.Insights/diagnosticSettings/x", IDENTITY.lower()),
        (
            "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/1",
            "/subscriptions/s",
        ),
        ("/providers/Microsoft.Authorization", None),
    ],
)
def test_a_resource_is_told_without_what_passes(resource: str, told: str | None) -> None:
    assert resource_of(resource) == told


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"time": 12}, "time:"),
        ({"operationName": {}}, "operationName:"),
        ({"identity": 7}, "claims:"),
        ({"identity": {"claims": {"ver": "1.0"}}}, "claims:"),
    ],
)
def test_damage_is_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(RejectError, match=f"^{named}"):
        parsed(**changed)


def test_the_directorys_own_log_and_logs_of_resources_are_not_claimed() -> None:
    directory = f"/tenants/{TENANT}/providers/Microsoft.aadiam"
    assert not SOURCE.recognise(record_of(row(resourceId=directory)))
    assert not SOURCE.recognise(record_of(row(category="StorageRead")))
    assert not SOURCE.recognise(record_of(row(resourceId=None)))
    assert SOURCE.recognise(record_of(row()))
