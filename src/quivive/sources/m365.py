"""Microsoft 365: records of the Office 365 Management Activity API and Purview audit searches.

Only logins, and changes of passwords and factors, become events. That somebody opened a file or
a mail with a session says nothing of how the session came about: those records are skipped.
"""

from typing import Any

from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._m365_change import parse_directory_change
from quivive.sources._m365_login import parse_login
from quivive.sources._microsoft import embedded, lower_keys
from quivive.sources.fields import field, text
from quivive.sources.source import Source

_LOGINS = frozenset({"userloggedin", "userloginfailed", "mailboxlogin", "teamssessionstarted"})
_COMMON = ("Workload", "RecordType", "UserKey", "UserType", "OrganizationId")
_NOT_A_LOGIN = Skip("use of a session, not a login")
_NOT_AN_ACCOUNT_CHANGE = Skip("directory change without bearing on logins")
_DIRECTORY = "azureactivedirectory"
_DIRECTORY_RECORD = "8"  # AuditLogRecordType AzureActiveDirectory


def recognise(record: RawRecord) -> bool:
    """Whether the record is one of the Microsoft 365 audit log, bare or wrapped by an export."""
    fields = record.fields
    if fields is None:
        return False
    if "AuditData" in fields:
        return "Operation" in fields or "Operations" in fields or "RecordType" in fields
    if "auditData" in fields:
        return "auditLogRecordType" in fields or "operation" in fields
    if "Operation" in fields and "CreationTime" in fields:
        return any(key in fields for key in _COMMON) or _is_login(text(fields, "Operation"))
    # Some pipelines write all names in lower case.
    return "operation" in fields and "creationtime" in fields and "workload" in fields


def _is_login(operation: str | None) -> bool:
    return operation is not None and operation.lower() in _LOGINS


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login or account change of one record."""
    fields = record.fields
    if fields is None:
        raise RejectError("record: not a JSON object or CSV row")
    row = _flat(fields)
    operation = field(row, "operation") or field(row, "operations")
    if operation is None:
        raise RejectError("Operation: missing")
    if _is_login(operation):
        return parse_login(record, row, operation)
    workload = (field(row, "workload") or "").lower()
    if workload == _DIRECTORY or field(row, "recordtype") == _DIRECTORY_RECORD:
        return parse_directory_change(record, row, operation) or _NOT_AN_ACCOUNT_CHANGE
    return _NOT_A_LOGIN


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The record with lower-case names; an export's AuditData laid over its columns."""
    row = lower_keys(fields)
    if "auditdata" in row:
        inner = embedded(row["auditdata"])
        if type(inner) is not dict:
            raise RejectError("AuditData: not a JSON object")
        row.update(lower_keys(inner))
    return row


SOURCE = Source(
    name="m365",
    title="Microsoft 365",
    reads=(
        "records of the Office 365 Management Activity API",
        "audit searches exported from Microsoft Purview as CSV or JSON",
    ),
    gives=(
        "user.uid",
        "user.email_addr",
        "actor.user",
        "src_endpoint.ip",
        "service.name",
        "device.uid",
        "device.is_compliant",
        "http_request.user_agent",
        "session.uid",
        "unmapped.credential_accepted",
        "unmapped.resource",
    ),
    documentation="https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-schema",
    recognise=recognise,
    parse=parse,
)
