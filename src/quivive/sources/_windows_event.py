"""Windows events out of their carriers: Winlogbeat, NXLog, rendered XML."""

from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from msgspec import Struct

from quivive.model.record import RawRecord, RejectError
from quivive.sources.fields import dig, integer, mapping, text


class Entry(Struct, frozen=True, kw_only=True):
    """An event whatever carried it. ``data`` holds the names of its EventData."""

    event_id: int | None
    data: dict[str, Any]
    time: Any
    time_field: str
    computer: str | None
    channel: str | None
    record_id: str | None
    failed: bool | None
    client: Any = None
    client_port: Any = None
    workstation: str | None = None


def read_entry(record: RawRecord) -> Entry:
    """The event of a record of any carrier. Raises RejectError for XML that cannot be read."""
    fields = record.fields
    if fields is None:
        return _from_xml(record.body)
    if type(fields.get("winlog")) is dict:
        return _from_winlogbeat(fields, fields["winlog"])
    return _from_flat(fields)


def _from_winlogbeat(fields: dict[str, Any], winlog: dict[str, Any]) -> Entry:
    """Winlogbeat's security module moves the address and the workstation to ``source``."""
    source = mapping(fields, "source")
    data = mapping(winlog, "event_data")
    event_id = integer(winlog, "event_id")
    return Entry(
        event_id=integer(fields, "event", "code") if event_id is None else event_id,
        data=data,
        time=fields.get("@timestamp"),
        time_field="@timestamp",
        computer=text(winlog, "computer_name") or text(fields, "host", "name"),
        channel=text(winlog, "channel"),
        record_id=text(winlog, "record_id"),
        failed=_failed(winlog.get("keywords"), dig(fields, "event", "outcome")),
        client=data.get("IpAddress") or source.get("ip"),
        client_port=data.get("IpPort") or source.get("port"),
        workstation=text(data, "WorkstationName") or text(source, "domain"),
    )


_TIMES = ("EventTime", "TimeCreated", "@timestamp", "EventReceivedTime", "TimeGenerated")


def _from_flat(fields: dict[str, Any]) -> Entry:
    """NXLog's im_msvistalog: the EventData beside the fields of the event itself."""
    time_field = next((name for name in _TIMES if fields.get(name) is not None), "EventTime")
    return Entry(
        event_id=integer(fields, "EventID"),
        data=fields,
        time=fields.get(time_field),
        time_field=time_field,
        computer=text(fields, "Hostname") or text(fields, "Computer"),
        channel=text(fields, "Channel"),
        record_id=text(fields, "RecordNumber") or text(fields, "EventRecordID"),
        failed=_failed(fields.get("Keywords"), fields.get("EventType")),
        client=fields.get("IpAddress"),
        client_port=fields.get("IpPort"),
        workstation=text(fields, "WorkstationName"),
    )


def _from_xml(body: bytes) -> Entry:
    """A rendered event. Text between elements, such as a browser's "- ", is no matter."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or not body.startswith(b"<Event"):
        raise RejectError("event: no plain <Event> element")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - declares no entities, see above
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RejectError(f"event: broken XML: {error}") from None
    system: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for part in root:
        name = part.tag.rpartition("}")[2]
        if name == "System":
            for element in part:
                system[element.tag.rpartition("}")[2]] = element
        elif name == "EventData":
            data = {element.get("Name", ""): element.text for element in part}
    words = {name: element.text for name, element in system.items()}
    created = system.get("TimeCreated")
    return Entry(
        event_id=integer(words, "EventID"),
        data=data,
        time=None if created is None else created.get("SystemTime"),
        time_field="TimeCreated",
        computer=text(words, "Computer"),
        channel=text(words, "Channel"),
        record_id=text(words, "EventRecordID"),
        failed=_failed(words.get("Keywords"), None),
        client=data.get("IpAddress"),
        client_port=data.get("IpPort"),
        workstation=text(data, "WorkstationName"),
    )


AUDIT_FAILURE = 0x0010_0000_0000_0000
AUDIT_SUCCESS = 0x0020_0000_0000_0000


def _failed(keywords: Any, outcome: Any) -> bool | None:
    """Whether the event's keywords, a bit mask or words, or its outcome tell of a failure."""
    if type(outcome) is str and outcome:
        word = outcome.lower()
        if "failure" in word or "success" in word:
            return "failure" in word
    if type(keywords) is list:
        return "Audit Failure" in keywords if keywords else None
    mask = read_code(keywords)
    if mask is None or not mask & (AUDIT_FAILURE | AUDIT_SUCCESS):
        return None
    return bool(mask & AUDIT_FAILURE)


@lru_cache(maxsize=1024)
def _parse_code(value: str) -> int | None:
    try:
        return int(value, 0)
    except ValueError:
        return None


def read_code(value: Any) -> int | None:
    """A number written "0xC000006D", "0xc000006d" or "-1073741715"; any other form is None."""
    if type(value) is int:
        return value
    return _parse_code(value.strip()) if type(value) is str and len(value) < 32 else None


def ntstatus(value: Any) -> int | None:
    """An NTSTATUS: an unsigned 32-bit number, though some carriers write it signed."""
    number = read_code(value)
    return None if number is None else number & 0xFFFF_FFFF
