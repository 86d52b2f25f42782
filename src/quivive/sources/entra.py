"""Microsoft Entra ID: sign-in and audit logs from Microsoft Graph, Azure Monitor or Log Analytics.

The three write the same fields in different places and cases: Graph flat in camelCase, Azure
Monitor inside ``properties`` of an envelope, Log Analytics flat in PascalCase. They are read as
one flat record with Graph's names.
"""

from typing import Any

from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._entra_audit import parse_audit
from quivive.sources._entra_signin import parse_sign_in
from quivive.sources._microsoft import embedded
from quivive.sources.source import Source
from quivive.sources.varying import Varying

SIGN_IN = "sign-in"
AUDIT = "audit"

# Diagnostic categories and Log Analytics tables.
_LOGS = {
    "signin": SIGN_IN,
    "signinlogs": SIGN_IN,
    "noninteractiveusersigninlogs": SIGN_IN,
    "serviceprincipalsigninlogs": SIGN_IN,
    "managedidentitysigninlogs": SIGN_IN,
    "microsoftserviceprincipalsigninlogs": SIGN_IN,
    "adfssigninlogs": SIGN_IN,
    "aadnoninteractiveusersigninlogs": SIGN_IN,
    "aadserviceprincipalsigninlogs": SIGN_IN,
    "aadmanagedidentitysigninlogs": SIGN_IN,
    "auditlogs": AUDIT,
}
_OTHER_LOGS = frozenset(
    {
        "aadprovisioninglogs",
        "aadriskyserviceprincipals",
        "aadriskyusers",
        "aadserviceprincipalriskevents",
        "aaduserriskevents",
        "azureadgraphactivitylogs",
        "b2crequestlogs",
        "enrichedoffice365auditlogs",
        "microsoftgraphactivitylogs",
        "networkaccessalerts",
        "networkaccessconnectionevents",
        "networkaccesstrafficlogs",
        "provisioninglogs",
        "remotenetworkhealthlogs",
        "riskyserviceprincipals",
        "riskyusers",
        "serviceprincipalriskevents",
        "userriskevents",
    }
)
# The names that are read, as Graph spells them.
_NAMES = {
    name.lower(): name
    for name in (
        "aadTenantId activityDateTime activityDisplayName additionalDetails alternateSignInName "
        "appDisplayName appId authenticationDetails authenticationProtocol "
        "authenticationRequirement autonomousSystemNumber callerIpAddress clientAppUsed "
        "correlationId createdDateTime deviceDetail federatedCredentialId "
        "globalSecureAccessIpAddress homeTenantId id identity initiatedBy ipAddress "
        "ipAddressFromResourceProvider isInteractive location locationDetails loggedByService "
        "mfaDetail networkLocationDetails operationName properties resourceDisplayName resourceId "
        "resourceIdentity resourceTenantId result resultDescription resultReason resultSignature "
        "resultType riskEventTypes riskEventTypes_v2 riskLevelDuringSignIn "
        "servicePrincipalCredentialKeyId servicePrincipalCredentialThumbprint "
        "servicePrincipalId servicePrincipalName sessionId signInEventTypes signInIdentifier "
        "status targetResources tenantId time timeGenerated type uniqueTokenIdentifier userAgent "
        "userDisplayName userId userPrincipalName userType"
    ).split()
}
_PROVIDER = "/providers/microsoft.aadiam"
_OTHER_LOG = Skip("other Entra ID log")


def recognise(record: RawRecord) -> bool:
    """Whether the record is of an Entra ID log, in any of its shapes."""
    fields = record.fields
    if fields is None:
        return False
    if "properties" in fields or "operationName" in fields or "operationname" in fields:
        if _log_name(fields) or _of_directory(fields):
            return True
    if "TimeGenerated" in fields and (
        _log_name(fields) or ("ResultType" in fields and "AppDisplayName" in fields)
    ):
        return True
    if "createdDateTime" in fields:
        return _is_graph_sign_in(fields)
    return "activityDisplayName" in fields and (
        "loggedByService" in fields or "targetResources" in fields or "initiatedBy" in fields
    )


def _is_graph_sign_in(fields: dict[str, Any]) -> bool:
    identified = "userPrincipalName" in fields or "servicePrincipalId" in fields
    return identified and (
        "appDisplayName" in fields
        or "ipAddress" in fields
        or "signInEventTypes" in fields
        or "conditionalAccessStatus" in fields
    )


def _log_name(fields: dict[str, Any]) -> str | None:
    """The category or table, in lower case, if it is one of Entra ID's."""
    for key in ("Type", "category", "Category"):
        value = fields.get(key)
        if type(value) is str:
            name = value.lower()
            if name in _LOGS or name in _OTHER_LOGS:
                return name
    return None


def _of_directory(fields: dict[str, Any]) -> bool:
    resource = fields.get("resourceId", fields.get("resourceid"))
    return type(resource) is str and _PROVIDER in resource.lower()


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login or directory change of one record."""
    fields = record.fields
    if fields is None:
        raise RejectError("record: not a JSON object")
    name = _log_name(fields)
    if name in _OTHER_LOGS:
        return _OTHER_LOG
    row = _flat(fields)
    if _kind(name, row) == AUDIT:
        return parse_audit(record, row)
    return parse_sign_in(record, row, name)


def _kind(name: str | None, row: dict[str, Any]) -> str:
    if name is not None:
        return _LOGS[name]
    if "activityDateTime" in row or "activityDisplayName" in row:
        return AUDIT
    operation = row.get("operationName")
    if type(operation) is str and operation.lower() != "sign-in activity":
        return AUDIT
    return SIGN_IN


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The record with Graph's names, ``properties`` laid over its envelope."""
    if "createdDateTime" in fields and "properties" not in fields:
        return fields  # Graph's own
    row = {_spelt(key): value for key, value in fields.items()}
    inner = embedded(row.get("properties"))
    if type(inner) is dict:
        for key, value in inner.items():
            if value is not None and value != "":
                row[_spelt(key)] = value
    return row


def _spelt(key: str) -> str:
    return _NAMES.get(key.lower(), key)


SOURCE = Source(
    name="entra",
    title="Microsoft Entra ID",
    reads=(
        "sign-ins of Microsoft Graph (v1.0 and beta)",
        "sign-in and audit logs of Azure Monitor diagnostic settings",
        "rows of the Log Analytics sign-in and audit tables",
        "directory audits of Microsoft Graph",
    ),
    gives=(
        "user.uid",
        "user.email_addr",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "service.name",
        "device.uid",
        "device.is_managed",
        "http_request.user_agent",
        "session.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
        "unmapped.non_interactive",
        "unmapped.vendor_risk",
    ),
    documentation="https://learn.microsoft.com/en-us/graph/api/resources/signin",
    recognise=recognise,
    parse=parse,
    varying=Varying(
        time="createdDateTime",
        uid="id",
        correlation="correlationId",
        second="uniqueTokenIdentifier",
    ),
)
