"""Zoom: the report of sign-ins and sign-outs, and the operation logs of administrators."""

import re
from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    HttpRequest,
    Os,
    Product,
    Service,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._systems import system_of
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="Zoom", vendor_name="Zoom")
_ZOOM = Service(name="Zoom")
_EMPTY: dict[str, Any] = {}
_NO_LOGIN = Skip("no authentication event")
_TYPES = {"sign in": Activity.LOGON, "sign out": Activity.LOGOFF}
# As the report names the clients; the rest, such as "Browser", tells no system.
_SYSTEMS = {
    "mac": "macOS",
    "win": "Windows",
    "windows": "Windows",
    "iphone": "iOS",
    "ipad": "iPadOS",
    "ios": "iOS",
    "android": "Android",
    "linux": "Linux",
    "chromeos": "ChromeOS",
}
_WORD = re.compile(r"[a-z]+")
# "Deactivate User ben@example.com", "Change Role  - ben@example.com: from User to Co-Owner".
_LOCKED = re.compile(r"Deactivate User\s+(\S+)")
_ROLE = re.compile(r"Change Role\s+-\s+([^\s:]+): from (.{1,80}?) to (.{1,80})")
_ABOUT = re.compile(r"\w+(?: \w+)? User\s+([^\s@]+@\S+)")
_MOST_DETAIL = 4096


def recognise(record: RawRecord) -> bool:
    """The members of either report's entries."""
    row = record.fields
    if row is None:
        return False
    if "operation_detail" in row:
        return "operator" in row and "category_type" in row and "action" in row
    kind = row.get("type")
    if type(kind) is not str or kind.lower() not in _TYPES:
        return False
    return "client_type" in row and "email" in row and "ip_address" in row


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The sign-in or sign-out of an entry, or what an administrator changed."""
    row = record.fields or _EMPTY
    if "operation_detail" in row:
        return _operation(record, row)
    kind = field(row, "type")
    activity = _TYPES.get(kind.lower()) if kind else None
    if activity is None:
        return _NO_LOGIN
    written = row.get("time")
    time = fields.timestamp(written, "time", default=record.reference_time)
    user = _person(field(row, "email"))
    if user is None:
        raise RejectError("email: no name or id of the user")
    ip = fields.address(row.get("ip_address"))
    client, version = field(row, "client_type"), field(row, "version")
    system = _system(client) if client else None
    words = " ".join(word for word in (client, version) if word)
    if not words.startswith("Zoom"):
        words = f"Zoom {words}"
    return AuthEvent(
        time=time,
        activity_id=activity,
        status_id=Status.SUCCESS,
        user=user,
        service=_ZOOM,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        device=Device(type_id=DeviceType.UNKNOWN, ip=ip, os=system) if system and ip else None,
        http_request=HttpRequest(user_agent=words[: fields.MAX_TEXT]) if client else None,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="Zoom sign-ins",
            original_time=written,
            event_code=kind,
        ),
    )


@lru_cache(maxsize=256)
def _system(client: str) -> Os | None:
    found = _WORD.match(client.lower())
    name = _SYSTEMS.get(found[0]) if found else None
    return system_of(name) if name else None


def _person(name: str | None) -> User | None:
    return User(name=name, email_addr=fields.email(name)) if name else None


def _operation(record: RawRecord, row: dict[str, Any]) -> AuthEvent:
    """An operation on an account of somebody's, or a use of the administrator's session."""
    written = row.get("time")
    time = fields.timestamp(written, "time", default=record.reference_time)
    operator = _person(field(row, "operator"))
    if operator is None:
        raise RejectError("operator: no name or id of the user")
    action, category = field(row, "action"), field(row, "category_type")
    detail = (field(row, "operation_detail") or "")[:_MOST_DETAIL]
    operation = " ".join(word for word in (action, category) if word) or None
    locked, role = _LOCKED.match(detail), _ROLE.match(detail)
    user, actor, name, unmapped = operator, None, None, None
    if locked and (account := _person(locked[1])) is not None:
        name = "Account Lock"
        if account.name != operator.name:
            user, actor = account, Actor(user=operator)
    elif role:
        unmapped = Unmapped(operation=f"Change Role to {role[3].strip()}", resource=role[1])
    else:
        about = _ABOUT.match(detail)
        resource = about[1] if about else None
        unmapped = Unmapped(operation=operation, resource=resource) if operation else None
    return AuthEvent(
        time=time,
        activity_id=Activity.OTHER if name else Activity.LOGON,
        activity_name=name,
        status_id=Status.SUCCESS,
        status_detail=detail.strip() or None,
        user=user,
        actor=actor,
        service=_ZOOM,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="Zoom operation logs",
            original_time=written,
            event_code=operation,
        ),
        unmapped=unmapped,
    )


SOURCE = Source(
    name="zoom",
    title="Zoom",
    reads=(
        "sign-ins and sign-outs of the activity report (/report/activities), one an object",
        "operation logs (/report/operationlogs): deactivated users, roles and other changes",
    ),
    gives=(
        "user.name",
        "user.email_addr",
        "actor.user",
        "src_endpoint.ip",
        "device.os",
        "http_request.user_agent",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
    ),
    documentation="https://developers.zoom.us/docs/api/meetings/#tag/reports/get/report/activities",
    recognise=recognise,
    parse=parse,
)
