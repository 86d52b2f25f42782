"""What every record of the Microsoft 365 audit log holds, read from lower-case names."""

from typing import Any

from quivive.model.event import Endpoint, Metadata, Product, Status
from quivive.model.record import RawRecord
from quivive.sources._microsoft import client, embedded_items, embedded_object
from quivive.sources.fields import field, integer, metadata, text, timestamp

PRODUCT = Product(name="Microsoft 365", vendor_name="Microsoft")
WORKLOADS = {
    "azureactivedirectory": "Microsoft Entra ID",
    "exchange": "Exchange Online",
    "microsoftteams": "Microsoft Teams",
    "onedrive": "OneDrive",
    "sharepoint": "SharePoint Online",
}
_RECORD_TYPES = {
    "2": "ExchangeItem",
    "8": "AzureActiveDirectory",
    "15": "AzureActiveDirectoryStsLogon",
    "25": "MicrosoftTeams",
}
STATUS = {
    "success": Status.SUCCESS,
    "succeeded": Status.SUCCESS,
    "true": Status.SUCCESS,
    "failed": Status.FAILURE,
    "failure": Status.FAILURE,
    "false": Status.FAILURE,
}
CLAIM, NAME, OTHER, UPN = 0, 1, 2, 5  # kinds of id in Actor and Target (IdentityTypeEnum)


def time_of(record: RawRecord, row: dict[str, Any]) -> int:
    """When it happened; CreationTime is UTC without saying so. Raises RejectError."""
    return timestamp(_original_time(row), "CreationTime", default=record.reference_time)


def _original_time(row: dict[str, Any]) -> Any:
    return row.get("creationtime") or row.get("creationdate") or row.get("createddatetime")


def pairs(row: dict[str, Any], key: str) -> dict[str, Any]:
    """A list of names and values as an object."""
    found = {}
    for entry in embedded_items(row, key):
        if type(entry) is dict and type(entry.get("Name")) is str:
            found[entry["Name"]] = entry.get("Value")
    return found


def ids(row: dict[str, Any], key: str, kind: int) -> list[str]:
    """The ids of one kind in Actor or Target."""
    return [
        found
        for entry in embedded_items(row, key)
        if integer(entry, "Type") == kind and (found := text(entry, "ID")) is not None
    ]


def first(found: list[str]) -> str | None:
    """The first of several ids, if any."""
    return found[0] if found else None


def is_guid(value: str | None) -> bool:
    """Whether the text is shaped like an object id."""
    return value is not None and len(value) == 36 and value.count("-") == 4


def source_of(row: dict[str, Any]) -> Endpoint | None:
    """The client's address; Exchange's item records call it ClientIPAddress."""
    return (
        client(row.get("clientip"))
        or client(row.get("actoripaddress"))
        or client(row.get("clientipaddress"))
    )


def metadata_of(record: RawRecord, row: dict[str, Any], operation: str) -> Metadata:
    """The event's metadata, under the name of the record type."""
    kind = field(row, "recordtype") or field(row, "auditlogrecordtype") or "Audit"
    return metadata(
        record,
        PRODUCT,
        uid=field(row, "id") or field(row, "recordid"),
        log_name=_RECORD_TYPES.get(kind, kind),
        original_time=_original_time(row),
        event_code=operation,
        correlation_uid=field(row, "intersystemsid")
        or text(embedded_object(row, "appaccesscontext"), "CorrelationId"),
        tenant_uid=field(row, "organizationid"),
    )
