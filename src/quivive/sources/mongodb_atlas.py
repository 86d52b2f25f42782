"""MongoDB Atlas: events of organisations and projects, and the access history of databases."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Endpoint,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._atlas_words import Kind, kind_of
from quivive.sources._microsoft import embedded_object, lower_keys
from quivive.sources._mongodb_words import mechanism_of, user_of
from quivive.sources.fields import field, metadata, text, timestamp
from quivive.sources.source import Source

_PRODUCT = Product(name="MongoDB Atlas", vendor_name="MongoDB")
_ATLAS = Service(name="MongoDB Atlas")
_DATABASE = Service(name="MongoDB")
_NOBODY = Skip("an event that nobody caused, or nobody is named for")
_UNNAMED = Skip("a failed attempt that names nobody")
_SERVICE_ACCOUNT = "mdb_sa_id_"
_SECTIONS = ("orgId", "groupId", "isGlobalAdmin", "created")
_LOWER_SECTIONS = ("orgid", "groupid", "isglobaladmin", "created")
_TARGETS = ("targetusername", "targetpublickey", "dbusername", "whitelistentry", "clustername")
_MECHANISM = re.compile(r"SASL (\S+) authentication")
_JAVA_TIME = "%a %b %d %H:%M:%S GMT %Y"


def recognise(record: RawRecord) -> bool:
    """An event with its type, or an attempt of a database's access history."""
    row = record.fields
    if row is None:
        return False
    if "eventTypeName" in row:
        return any(name in row for name in _SECTIONS)
    if "eventtypename" in row:  # as some collectors write all names
        return any(name in row for name in _LOWER_SECTIONS)
    return "authResult" in row and ("authSource" in row or "logLine" in row)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The call, login or change of one record."""
    row = record.fields or {}
    return _attempt(record, row) if "authResult" in row else _event(record, lower_keys(row))


def _event(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    name = field(row, "eventtypename")
    if name is None:
        raise RejectError("eventTypeName: missing")
    kind = kind_of(name)
    acting = _acting(row)
    target = field(row, "targetusername") if kind.of_target else None
    if target is None or (acting is not None and acting.name == target):
        user, actor = acting, None
    else:
        user, actor = _person(target, None), Actor(user=acting) if acting else None
    if user is None:
        if row.get("username") or row.get("userid"):
            raise RejectError("username: not a text")
        return _NOBODY
    written = row.get("created")
    ip = fields.address(row.get("remoteaddress"))
    return AuthEvent(
        time=timestamp(written, "created", default=record.reference_time),
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=kind.status,
        user=user,
        actor=actor,
        service=_ATLAS,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        metadata=metadata(
            record,
            _PRODUCT,
            uid=field(row, "id"),
            log_name="Atlas events",
            original_time=written,
            event_code=name,
            tenant_uid=field(row, "orgid") or field(row, "groupid"),
        ),
        unmapped=_unmapped(kind, name, _resource(row)),
    )


@lru_cache(4096)
def _unmapped(kind: Kind, name: str, resource: str | None) -> Unmapped | None:
    if kind.call:
        return Unmapped(operation=name, resource=resource)
    return Unmapped(resource=resource) if resource and kind.name and not kind.of_target else None


def _resource(row: dict[str, Any]) -> str | None:
    """What it was done to: a person, a key, an address, a cluster; else the project."""
    for name in _TARGETS:
        if (found := field(row, name)) is not None:
            return found
    return field(row, "groupid")


def _acting(row: dict[str, Any]) -> User | None:
    """Whoever caused an event: an API key, a person, a service account, MongoDB's own people."""
    key, public = field(row, "apikeyid"), field(row, "publickey")
    if key or public:
        return _key(key, public)
    name, uid = field(row, "username"), field(row, "userid")
    if not (name or uid):
        return None
    return _person(name, uid, fields.boolean(row, "isglobaladmin") or False)


@lru_cache(4096)
def _key(uid: str | None, public: str | None) -> User:
    return User(name=public, uid=uid, type_id=UserType.SERVICE, credential_uid=public)


@lru_cache(4096)
def _person(name: str | None, uid: str | None, employee: bool = False) -> User:
    machine = name is not None and name.startswith(_SERVICE_ACCOUNT)
    kind = UserType.SERVICE if machine else UserType.SYSTEM if employee else UserType.USER
    return User(name=name, uid=uid, email_addr=fields.email(name), type_id=kind)


def _attempt(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    """An attempt to log in to a database, as a cluster's access history tells it."""
    succeeded = fields.boolean(row, "authResult")
    if succeeded is None:
        raise RejectError("authResult: not a truth value")
    name = field(row, "username")
    if name is None:
        if not succeeded:
            return _UNNAMED
        raise RejectError("username: no name of the user")
    line = embedded_object(row, "logLine")
    found = _MECHANISM.search(text(row, "logLine") or "")
    mechanism = mechanism_of(text(line, "attr", "mechanism") or (found[1] if found else None))
    reason = field(row, "failureReason")
    host = field(row, "hostname")
    ip = fields.address(row.get("ipAddress"))
    written = row.get("timestamp")
    return AuthEvent(
        time=_time(written, record.reference_time),
        activity_id=Activity.LOGON,
        status_id=Status.SUCCESS if succeeded else Status.FAILURE,
        status_code=reason.partition(":")[0] if reason and not succeeded else None,
        status_detail=reason if not succeeded else None,
        user=user_of(name, field(row, "authSource")),
        service=_DATABASE,
        dst_endpoint=Endpoint(hostname=host) if host else None,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        auth_factors=mechanism.factors,
        auth_protocol=mechanism.protocol,
        auth_protocol_id=mechanism.protocol_id,
        metadata=metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="Database access history",
            original_time=written,
            tenant_uid=field(row, "groupId"),
        ),
    )


def _time(written: Any, default: int | None) -> int:
    """The time, also as Java writes it: "Wed Mar 04 08:02:11 GMT 2026"."""
    if type(written) is str and written[:1].isalpha() and len(written) < 40:
        try:
            moment = datetime.strptime(written, _JAVA_TIME).replace(tzinfo=UTC)
        except ValueError:
            pass
        else:
            return timestamp(int(moment.timestamp()), "timestamp")
    return timestamp(written, "timestamp", default=default)


SOURCE = Source(
    name="mongodb_atlas",
    title="MongoDB Atlas",
    reads=(
        "events of an organisation or project: calls of people, API keys and service accounts",
        "keys and service accounts that are made",
        "logins, passwords and factors in the audit events of Ops Manager and Cloud Manager",
        "the access history of a database: logins and failures by address and mechanism",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.credential_uid",
        "user.domain",
        "actor.user",
        "src_endpoint.ip",
        "dst_endpoint.hostname",
        "service.name",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
    ),
    documentation="https://www.mongodb.com/docs/atlas/reference/atlas-alert-event-types/",
    recognise=recognise,
    parse=parse,
)
