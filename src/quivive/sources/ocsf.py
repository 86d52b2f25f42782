"""OCSF Authentication objects: from data lakes, other products and ``quivive normalize``.

https://schema.ocsf.io/1.8.0/classes/authentication, any version 1.x. Of Account Change (3001)
the activities around a login are read as well: passwords, factors and locks.
"""

from quivive.model.event import Activity, AuthEvent
from quivive.model.ocsf import CLASS_UID
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields as read
from quivive.sources.ocsf_object import event_from_ocsf
from quivive.sources.source import Source

ACCOUNT_CHANGE = 3001
# activity_id of Account Change
CREDENTIAL_CHANGES = {
    3: "Password Change",
    4: "Password Reset",
    9: "Account Lock",
    10: "Factor Enroll",
    11: "Factor Reset",
}


def recognise(record: RawRecord) -> bool:
    """Whether this is an OCSF object of any class."""
    fields = record.fields
    if fields is None:
        return False
    if type(fields.get("class_uid")) is int:
        return "category_uid" in fields or "type_uid" in fields
    return _is_named(fields) and read.text(fields, "metadata", "version") is not None


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of an Authentication object, or of a credential's Account Change."""
    fields = record.fields
    if fields is None:
        raise RejectError("record: not a JSON object")
    class_uid = _class_uid(fields)
    if class_uid == CLASS_UID:
        return event_from_ocsf(fields, record)
    if class_uid is None:
        given = "no class_uid" if fields.get("class_uid") is None else "class_uid is no number"
        raise RejectError(f"{given}: an Authentication object has 3002")
    if class_uid != ACCOUNT_CHANGE:
        return Skip(f"another OCSF class: {class_uid}")
    name = CREDENTIAL_CHANGES.get(_change(fields))
    if name is None:
        return Skip("account change without password, factor or lock")
    change = {"activity_id": int(Activity.OTHER), "activity_name": name}
    return event_from_ocsf(fields | change, record)


def _is_named(fields: dict[str, object]) -> bool:
    return (read.text(fields, "class_name") or "").lower() == "authentication"


def _class_uid(fields: dict[str, object]) -> int | None:
    class_uid = read.integer(fields, "class_uid")
    if class_uid is None and (type_uid := read.integer(fields, "type_uid")) is not None:
        class_uid = type_uid // 100
    if class_uid is None and _is_named(fields):
        return CLASS_UID
    return class_uid


def _change(fields: dict[str, object]) -> int:
    activity = read.integer(fields, "activity_id")
    return (read.integer(fields, "type_uid") or 0) % 100 if activity is None else activity


SOURCE = Source(
    name="ocsf",
    title="OCSF Authentication",
    reads=(
        "Authentication objects (class 3002) of any OCSF 1.x version",
        "Account Change objects (class 3001) for passwords, factors and locks",
    ),
    gives=(
        "src_endpoint.ip",
        "src_endpoint.intermediate_ips",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "dst_endpoint",
        "service",
        "actor.user",
        "device.uid",
        "device.os",
        "http_request.user_agent",
        "session.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "logon_type_id",
        "status_code",
        "status_detail",
        "unmapped.credential_accepted",
    ),
    documentation="https://schema.ocsf.io/1.8.0/classes/authentication",
    recognise=recognise,
    parse=parse,
)
