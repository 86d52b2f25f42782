"""Duo's administrator and offline enrolment logs: the logins of administrators, and what they do
to the second factors of others.
"""

from typing import Any

import msgspec

from quivive.model.event import (
    Actor,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    HttpRequest,
    Product,
    Service,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._duo_words import BYPASS, DEEDS, Deed, factor_of, word_of
from quivive.sources.fields import field

PRODUCT = Product(name="Duo", vendor_name="Cisco")
DUO = Service(name="Duo")
EMPTY: dict[str, Any] = {}
_PANEL = Service(name="Duo Admin Panel")
_NOTHING = Unmapped()
_NO_LOGIN = Skip("an administrator's change, no authentication event")
_MOST_WORDS = 8192


def section(value: Any) -> dict[str, Any]:
    """An object as it is, anything else as an empty one."""
    return value if type(value) is dict else EMPTY


def time_of(record: RawRecord, log: dict[str, Any]) -> tuple[Any, int]:
    """The time as the record writes it, and in ms UTC."""
    name = "isotimestamp" if log.get("isotimestamp") not in (None, "") else "timestamp"
    return log.get(name), fields.timestamp(log.get(name), name, default=record.reference_time)


def administration(record: RawRecord, log: dict[str, Any]) -> AuthEvent | Skip:
    """An action of the administrator or the offline enrolment log."""
    action = field(log, "action")
    if action is None:
        raise RejectError("action: missing")
    told = _description(log.get("description"))
    deed = DEEDS.get(action)
    if deed is None and action == "user_update" and word_of(field(told, "status")) == "bypass":
        deed = BYPASS
    if deed is None:
        return _NO_LOGIN
    written, time = time_of(record, log)
    user, actor = _parties(log, told, deed)
    ip = fields.address(told.get("ip_address"))
    factor = factor_of(field(told, "factor")) if deed.own else None
    agent, host = field(told, "user_agent"), field(told, "hostname")
    error = field(told, "error") or field(told, "message")
    extra = Unmapped(
        credential_accepted=deed.accepted or None,
        vendor_risk="fraud" if error and "fraud" in error.lower() else None,
    )
    return AuthEvent(
        time=time,
        activity_id=deed.activity,
        activity_name=deed.name,
        status_id=deed.status,
        status_detail=error,
        user=user,
        actor=actor,
        service=_enrolled_at(log) if deed.enrols else _PANEL if deed.own else DUO,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        device=Device(type_id=DeviceType.UNKNOWN, hostname=host) if host else None,
        http_request=HttpRequest(user_agent=agent) if agent else None,
        is_mfa=True if deed.mfa and factor else None,
        auth_factors=(factor,) if factor else None,
        auth_protocol="SAML" if field(told, "saml_idp") else None,
        auth_protocol_id=5 if field(told, "saml_idp") else None,
        metadata=fields.metadata(
            record,
            PRODUCT,
            uid=None,
            log_name="Duo administrator log",
            original_time=written,
            event_code=action,
            tenant_uid=field(log, "host"),
        ),
        unmapped=None if extra == _NOTHING else extra,
    )


def _description(value: Any) -> dict[str, Any]:
    """The details: an object as text, or one that a collector has opened."""
    if type(value) is str and value.startswith("{") and len(value) <= _MOST_WORDS:
        try:
            value = msgspec.json.decode(value.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return EMPTY
    return section(value)


def _enrolled_at(log: dict[str, Any]) -> Service:
    name = field(log, "object")
    return Service(name=name) if name else DUO


def _parties(log: dict[str, Any], told: dict[str, Any], deed: Deed) -> tuple[User, Actor | None]:
    """Administrators go by their full name, and by their address where a login failed."""
    shown, mail = field(log, "username"), field(told, "email")
    who = mail if deed.own and fields.email(mail) else shown
    acting = None
    if who is not None:
        acting = User(
            name=who,
            email_addr=fields.email(who),
            full_name=shown if shown != who else None,
            type_id=None if deed.enrols or _is_nobody(who) else UserType.ADMIN,
        )
    if deed.own:
        if acting is None:
            raise RejectError("username: no name of the administrator")
        return acting, None
    name = field(log, "object")
    if name is None:
        raise RejectError("object: no name of the user")
    user = User(name=name, uid=field(told, "user_id"), email_addr=fields.email(name))
    return user, Actor(user=acting) if acting else None


def _is_nobody(name: str) -> bool:
    """Whether the API, Duo itself or a directory's sync did it, of which no person is known."""
    return name in ("API", "System") or ": " in name
