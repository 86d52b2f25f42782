"""One record of Azure's activity log, alike in whichever of its three shapes it was written."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.sources._microsoft import embedded_object
from quivive.sources.fields import clean, field, mapping

_ENDPOINT = "management.azure.com"
_TENANT = "http://schemas.microsoft.com/identity/claims/tenantid"
# Categories that diagnostic settings write, and those of before, which were parts of operations.
_CATEGORIES = frozenset(
    {
        *("administrative", "alert", "autoscale", "policy", "recommendation", "resourcehealth"),
        *("security", "servicehealth", "action", "delete", "write"),
    }
)
CALLS = frozenset({"administrative", "action", "delete", "write"})
# The directory's own operations come in the logs of Entra ID.
_DIRECTORY = "/providers/microsoft.aadiam"
# What is not one thing but one of many that come and go: of these the scope is told.
_PASSING = frozenset({"microsoft.authorization", "microsoft.resources"})
_PROVIDERS = "/providers/"
_FAILURES = ("statusMessage", "statusmessage", "responseBody", "responsebody")


class Call(Struct, frozen=True):
    """A record as its own words; absent ones are None, absent objects empty.

    clock: the member that ``written``, the time, stands in.
    substatus: None where the record has no place for it, "" where that place is empty.
    caller: the caller by the envelope: a UPN, an address or an id.
    """

    clock: str
    written: Any
    category: str
    operation: str | None
    status: str | None
    substatus: str | None
    address: Any
    caller: str | None
    identity: Any
    claims: dict[str, Any]
    evidence: dict[str, Any]
    resource: str | None
    uid: str | None
    correlation: str | None
    tenant: str | None
    properties: dict[str, Any]
    description: str | None


def is_activity(row: dict[str, Any]) -> bool:
    """Whether a record is of the activity log: by the API, a diagnostic setting or a workspace."""
    if "eventTimestamp" in row:
        return "operationName" in row and ("eventDataId" in row or "authorization" in row)
    if "OperationNameValue" in row:
        return row.get("Type") == "AzureActivity" or "CallerIpAddress" in row or "Caller" in row
    if type(row.get("operationName")) not in (str, dict) or "time" not in row:
        return False
    category, resource = row.get("category"), row.get("resourceId")
    if type(category) is not str or category.lower() not in _CATEGORIES:
        return False
    return type(resource) is str and _is_resource(resource)


def _is_resource(resource: str) -> bool:
    lower = resource.lower()
    return lower.startswith(("/subscriptions/", "/providers/", "/tenants/")) and (
        _DIRECTORY not in lower
    )


def read(row: dict[str, Any]) -> Call:
    """The record in one shape."""
    if "eventTimestamp" in row:
        return _of_api(row)
    return _of_workspace(row) if "OperationNameValue" in row else _of_setting(row)


def _of_api(row: dict[str, Any]) -> Call:
    """REST, ``az monitor activity-log list``: words stand beside their translations."""
    request = mapping(row, "httpRequest")
    claims = mapping(row, "claims")
    return Call(
        clock="eventTimestamp",
        written=row.get("eventTimestamp"),
        category=(_word(row.get("category")) or "administrative").lower(),
        operation=_word(row.get("operationName")),
        status=_word(row.get("status")),
        substatus=_word(row["subStatus"]) or "" if "subStatus" in row else None,
        address=request.get("clientIpAddress"),
        caller=field(row, "caller"),
        identity=row.get("claims"),
        claims=claims,
        evidence=mapping(row, "authorization", "evidence"),
        resource=field(row, "resourceId"),
        uid=field(row, "eventDataId"),
        correlation=field(row, "correlationId"),
        tenant=field(row, "tenantId") or field(claims, _TENANT),
        properties=mapping(row, "properties"),
        description=field(row, "description"),
    )


def _of_setting(row: dict[str, Any]) -> Call:
    """What a diagnostic setting sends to storage or an event hub."""
    identity = mapping(row, "identity")
    claims = mapping(identity, "claims")
    properties = mapping(row, "properties")
    category = field(properties, "eventCategory") or field(row, "category")
    return Call(
        clock="time",
        written=row.get("time"),
        category=(category or "administrative").lower(),
        operation=_word(row.get("operationName")),
        status=_word(row.get("resultType")),
        substatus=_signature(field(row, "resultSignature")),
        address=row.get("callerIpAddress"),
        caller=field(row, "caller"),
        identity=row.get("identity"),
        claims=claims,
        evidence=mapping(identity, "authorization", "evidence"),
        resource=field(row, "resourceId"),
        uid=None,
        correlation=field(row, "correlationId"),
        tenant=field(row, "tenantId") or field(claims, _TENANT),
        properties=mapping(properties, "eventProperties") or properties,
        description=field(row, "resultDescription"),
    )


def _of_workspace(row: dict[str, Any]) -> Call:
    """A row of the table AzureActivity, whose ``TenantId`` is the workspace's."""
    claims = embedded_object(row, "Claims_d") or embedded_object(row, "Claims")
    rights = embedded_object(row, "Authorization_d") or embedded_object(row, "Authorization")
    sub = row.get("ActivitySubstatusValue")
    return Call(
        clock="TimeGenerated",
        written=row.get("TimeGenerated"),
        category=(field(row, "CategoryValue") or "administrative").lower(),
        operation=field(row, "OperationNameValue"),
        status=field(row, "ActivityStatusValue"),
        substatus=None if sub is None else clean(sub) or "",
        address=row.get("CallerIpAddress"),
        caller=field(row, "Caller"),
        identity=row.get("Claims_d") or row.get("Claims"),
        claims=claims,
        evidence=mapping(rights, "evidence"),
        resource=field(row, "_ResourceId") or field(row, "ResourceId"),
        uid=field(row, "EventDataId"),
        correlation=field(row, "CorrelationId"),
        tenant=field(claims, _TENANT),
        properties=embedded_object(row, "Properties_d") or embedded_object(row, "Properties"),
        description=None,
    )


def _word(value: Any) -> str | None:
    """A word, also where it stands in an object beside its translation."""
    return clean(value.get("value") if type(value) is dict else value)


@lru_cache(1024)
def _signature(written: str | None) -> str | None:
    """The second half of "Failed.Forbidden"; "" of "Succeeded."; all of "403"."""
    if written is None:
        return None
    head, dot, tail = written.partition(".")
    return tail if dot else head


def error_of(call: Call) -> tuple[str | None, str | None]:
    """The code and the words of an Azure error, which stands as JSON in the properties."""
    for name in _FAILURES:
        found = embedded_object(call.properties, name)
        if not found:
            continue
        error = mapping(found, "error") or found
        code, message = field(error, "code"), field(error, "message")
        if code or message:
            return code, message
    return None, None


@lru_cache(16384)
def operation_of(name: str) -> str:
    """The operation, alike in all logs: storage has it in capitals, the API as documented."""
    return name.lower()


@lru_cache(4096)
def provider_of(operation: str) -> str:
    """ "microsoft.compute" of "microsoft.compute/virtualmachines/write"."""
    return operation.partition("/")[0]


@lru_cache(16384)
def resource_of(resource: str) -> str | None:
    """The resource without the parts that belong to it; for deployments and assignments of roles,
    which are without number, where they were made.
    """
    scope, _, rest = resource.lower().rstrip("/").partition(_PROVIDERS)
    if not rest:
        return scope or None
    words = rest.partition(_PROVIDERS)[0].split("/")
    if words[0] in _PASSING:
        return scope or None
    return f"{scope}{_PROVIDERS}{'/'.join(words[:3])}"
