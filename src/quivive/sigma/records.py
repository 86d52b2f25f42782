"""A record under the names that Sigma rules have for its fields."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from quivive.model.event import AuthEvent, Status
from quivive.model.record import RawRecord
from quivive.sigma.facts import ANYWHERE, Find, dig, leaves
from quivive.sigma.logsources import NORMALISED
from quivive.sources._cloudtrail_record import record_fields
from quivive.sources._windows_event import read_entry

MESSAGE = "message"  # the name of a line of text
# Names of the rules' world for what a vendor's API calls otherwise: tried after the name itself.
ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "entra": {
        "resulttype": ("status.errorCode",),
        "resultdescription": ("status.failureReason",),
        "resultreason": ("status.failureReason",),
        "clientapp": ("clientAppUsed",),
        "username": ("userPrincipalName",),
        "ipaddress": ("callerIpAddress",),
        "initiatedby": ("initiatedBy.user.userPrincipalName", "initiatedBy.app.displayName"),
        "properties.message": ("activityDisplayName", "operationName"),
        "operationname": ("activityDisplayName",),
        "riskeventtype": ("riskEventTypes_v2", "riskEventTypes"),
    },
    "gcp": {
        "gcp.audit.method_name": ("protoPayload.methodName", "protopayload_auditlog.methodName"),
        "gcp.audit.service_name": ("protoPayload.serviceName", "protopayload_auditlog.serviceName"),
    },
    "google_workspace": {
        "eventname": ("events.name", "protoPayload.metadata.event.eventName", "event_name"),
        "eventservice": ("protoPayload.serviceName", "id.applicationName"),
    },
}
# Objects whose members rules name without it.
INNER: dict[str, tuple[str, ...]] = {
    "entra": ("properties",),
    "azure_activity": ("properties",),
    "m365": ("AuditData", "auditData"),
    "gcp": ("protoPayload", "protopayload_auditlog"),
    "google_workspace": ("protoPayload",),
}
OUTER: dict[str, str] = {"gcp": "data.", "google_workspace": "data."}
_OUTCOMES: dict[int, str] = {Status.SUCCESS: "Success", Status.FAILURE: "Failure"}
_SECURITY = "Microsoft-Windows-Security-Auditing"


def finder(source: str, record: RawRecord, event: AuthEvent) -> Find:
    """What looks a field up in a record of a source; by ANYWHERE it gives all that it says."""
    if source == NORMALISED:
        return _in([msgspec.to_builtins(event)], {}, None)
    if source == "windows":
        return _windows(record, event)
    fields = record.fields
    if fields is None:
        text = record.body.decode("utf-8", "replace")
        return _in([{MESSAGE: text}], {}, None)
    if source == "cloudtrail":
        return _in([record_fields(record)], {}, None)
    roots = [fields]
    for name in INNER.get(source, ()):
        inner = _object(fields.get(name))
        if inner is not None:
            roots.append(inner)
    found = _in(roots, ALIASES.get(source, {}), OUTER.get(source))
    return _with_status(found, event) if source == "entra" else found


def _with_status(inner: Find, event: AuthEvent) -> Find:
    """Entra's ``Status`` is an object; rules mean the word of what came of it, or its code."""

    def find(name: str) -> Any:
        if name.lower() == "status":
            return [_OUTCOMES.get(event.status_id, "Interrupted"), inner("ResultType")]
        return inner(name)

    return find


def _in(
    roots: Iterable[dict[str, Any]], aliases: Mapping[str, tuple[str, ...]], outer: str | None
) -> Callable[[str], Any]:
    roots = tuple(roots)

    def find(name: str) -> Any:
        if name == ANYWHERE:
            return [text for root in roots[:1] for text in leaves(root)]
        if outer is not None:
            name = name.removeprefix(outer)
        for each in (name, *aliases.get(name.lower(), ())):
            for root in roots:
                found = dig(root, each)
                if found is not None and not (type(found) is dict and name.lower() in aliases):
                    return found
        return None

    return find


def _object(value: Any) -> dict[str, Any] | None:
    if type(value) is str and value.startswith("{"):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
    return value if type(value) is dict else None


def _windows(record: RawRecord, event: AuthEvent) -> Find:
    """Reads the record only for what its event does not say: most rules ask for the kind first."""
    inner: Find | None = None

    def find(name: str) -> Any:
        nonlocal inner
        if name.lower() == "eventid":
            return event.metadata.event_code
        if inner is None:
            inner = _in(_named(record), {}, None)
        return inner(name)

    return find


def _named(record: RawRecord) -> list[dict[str, Any]]:
    """EventData beside the names of the event itself, whatever carried it."""
    entry = read_entry(record)
    named = {
        "Provider_Name": _SECURITY,
        "Channel": entry.channel,
        "Computer": entry.computer,
        **entry.data,
        "EventID": entry.event_id,
    }
    if entry.client is not None:
        named.setdefault("IpAddress", entry.client)
    if entry.workstation is not None:
        named.setdefault("WorkstationName", entry.workstation)
    return [named] if record.fields is None else [named, record.fields]
