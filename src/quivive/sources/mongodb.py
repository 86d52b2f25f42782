"""MongoDB servers: attempts to log in, from the server's log and from its audit log."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Endpoint,
    HttpRequest,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._mongodb_words import mechanism_of, user_of
from quivive.sources.fields import field, metadata, text, timestamp
from quivive.sources.source import Source

_PRODUCT = Product(name="MongoDB", vendor_name="MongoDB")
_SERVICE = Service(name="MongoDB")
_NO_LOGIN = Skip("no authentication event")
_COMMAND = Skip("a command of a connection whose login is told apart")
_UNNAMED = Skip("an attempt or log-off that names nobody")
_SUCCEEDED = frozenset({"Authentication succeeded", "Successfully authenticated"})
_FAILED = frozenset({"Authentication failed", "Failed to authenticate"})
_ACCEPTED = Unmapped(credential_accepted=True)
_COMPONENT = "ACCESS"
# https://www.mongodb.com/docs/manual/reference/error-codes/
_CODES = {
    "11": "UserNotFound",
    "13": "Unauthorized",
    "18": "AuthenticationFailed",
    "26": "NamespaceNotFound",
    "31": "RoleNotFound",
    "334": "MechanismUnavailable",
    "337": "AuthenticationAbandoned",
}
_OWN_PASSWORD, _PASSWORD = "Password Change", "Password Reset"


def recognise(record: RawRecord) -> bool:
    """A structured line of mongod or mongos, or a message of the audit log in its own schema."""
    row = record.fields
    if row is None:
        return False
    if "atype" in row:
        return "ts" in row and ("param" in row or "result" in row)
    stamp = row.get("t")
    return type(stamp) is dict and "$date" in stamp and "c" in row and "msg" in row and "s" in row


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The attempt, log-off or new password of one line."""
    row = record.fields or {}
    return _audited(record, row) if "atype" in row else _logged(record, row)


def _logged(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    message = row.get("msg")
    if row.get("c") != _COMPONENT or type(message) is not str:
        return _NO_LOGIN
    succeeded = message in _SUCCEEDED
    if not succeeded and message not in _FAILED:
        return _NO_LOGIN
    said = fields.mapping(row, "attr")
    named = said.get("user")
    if type(named) is dict:
        name, database = field(named, "user"), field(named, "db")
    else:
        name = field(said, "principalName") or field(said, "user")
        database = field(said, "authenticationDatabase") or field(said, "db")
    if name is None:
        if not succeeded:
            return _UNNAMED
        raise RejectError("attr.user: no name of the user")
    reason = field(said, "error") or text(said, "error", "errmsg")
    word, colon, _ = reason.partition(":") if reason else ("", "", "")
    code = text(said, "error", "codeName") or (word if colon else field(said, "result"))
    mechanism = mechanism_of(field(said, "mechanism"))
    remote = field(said, "remote") or field(said, "client")
    return AuthEvent(
        time=_time(row, "t", record.reference_time),
        activity_id=Activity.LOGON,
        status_id=Status.SUCCESS if succeeded else Status.FAILURE,
        status_code=None if succeeded else code,
        status_detail=reason if not succeeded else None,
        user=user_of(name, database, fields.boolean(said, "isClusterMember") or False),
        service=_SERVICE,
        src_endpoint=_client(remote) if remote else None,
        http_request=_agent(fields.mapping(said, "doc")),
        auth_factors=mechanism.factors,
        auth_protocol=mechanism.protocol,
        auth_protocol_id=mechanism.protocol_id,
        metadata=metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="mongod",
            original_time=text(row, "t", "$date"),
            event_code=field(row, "id"),
            correlation_uid=field(row, "ctx"),
        ),
    )


@lru_cache(16384)
def _client(remote: str) -> Endpoint | None:
    """ "192.0.2.4:40778", "[2001:db8::4]:40778"."""
    ip = fields.address(remote)
    head, colon, tail = remote.rpartition(":")
    numbered = colon and (head.endswith("]") or ":" not in head)
    return Endpoint(ip=ip, port=fields.port(tail) if numbered else None) if ip else None


def _agent(said: dict[str, Any]) -> HttpRequest | None:
    """What the client says of itself: its driver, and the program that names itself."""
    driver, version = text(said, "driver", "name"), text(said, "driver", "version")
    words = (text(said, "application", "name"), f"{driver}/{version}" if version else driver)
    found = " ".join(word for word in words if word)
    return HttpRequest(user_agent=found[: fields.MAX_TEXT]) if found else None


def _audited(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    action = field(row, "atype")
    said = fields.mapping(row, "param")
    if action == "authenticate":
        user = _named(said)
    elif action == "logout":
        user = _first(said.get("initialUsers")) or _first(row.get("users"))
    elif action == "updateUser" and _sets_password(said):
        user = _named(said)
    else:
        return _COMMAND if action == "authCheck" else _NO_LOGIN
    result = fields.integer(row, "result")
    if result is None and row.get("result") is not None:
        raise RejectError("result: not a number")
    if user is None:
        if action == "logout" or (action == "authenticate" and result != 0):
            return _UNNAMED
        raise RejectError("param.user: no name of the user")
    acting = _first(row.get("users")) if action == "updateUser" else None
    own = acting is not None and (acting.name, acting.domain) == (user.name, user.domain)
    changed = None
    if action == "updateUser":
        changed = _OWN_PASSWORD if own else _PASSWORD
    mechanism = mechanism_of(field(said, "mechanism") if action == "authenticate" else None)
    code = str(result) if result else None
    connection = _binary(row.get("uuid"))
    return AuthEvent(
        time=_time(row, "ts", record.reference_time),
        activity_id=_activity(action, changed),
        activity_name=changed,
        status_id=_status(result),
        status_code=code,
        status_detail=_CODES.get(code) if code else None,
        user=user,
        actor=Actor(user=acting) if acting and not own else None,
        service=_SERVICE,
        src_endpoint=_remote(row),
        dst_endpoint=_endpoint(fields.mapping(row, "local")),
        session=Session(uid=connection) if connection else None,
        auth_factors=mechanism.factors,
        auth_protocol=mechanism.protocol,
        auth_protocol_id=mechanism.protocol_id,
        metadata=metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="MongoDB audit log",
            original_time=text(row, "ts", "$date"),
            event_code=action,
        ),
        # Whoever may not change a password had logged in all the same.
        unmapped=_ACCEPTED if code and changed else None,
    )


def _activity(action: str | None, changed: str | None) -> Activity:
    if changed:
        return Activity.OTHER
    return Activity.LOGOFF if action == "logout" else Activity.LOGON


def _status(result: int | None) -> Status:
    if result is None:
        return Status.UNKNOWN
    return Status.FAILURE if result else Status.SUCCESS


def _sets_password(said: dict[str, Any]) -> bool:
    return fields.boolean(said, "passwordChanged") is True or "pwd" in said


def _named(said: Any) -> User | None:
    name = text(said, "user")
    return user_of(name, text(said, "db")) if name else None


def _first(users: Any) -> User | None:
    """The user of a connection; of several, which older servers allow, the first."""
    return _named(users[0]) if type(users) is list and users else None


def _remote(row: dict[str, Any]) -> Endpoint | None:
    found = _endpoint(fields.mapping(row, "remote"))
    between = [fields.address(text(hop, "ip")) for hop in fields.items(row, "intermediates")[:16]]
    through = tuple(ip for ip in between if ip)
    if found is None or not through:
        return found
    return Endpoint(ip=found.ip, port=found.port, intermediate_ips=through)


def _endpoint(said: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(said.get("ip"))
    return Endpoint(ip=ip, port=fields.port(said.get("port"))) if ip else None


def _binary(said: Any) -> str | None:
    """A connection's id: {"$binary": …, "$type": "04"}, or as newer servers nest it."""
    return text(said, "$binary") or text(said, "$binary", "base64") or text(said, "$uuid")


def _time(row: dict[str, Any], name: str, default: int | None) -> int:
    said = row.get(name)
    written = said.get("$date") if type(said) is dict else said
    if type(written) is dict:
        written = fields.integer(written, "$numberLong")
    return timestamp(written, f"{name}.$date", default=default)


SOURCE = Source(
    name="mongodb",
    title="MongoDB server and audit log",
    reads=(
        "lines of mongod and mongos since 4.4: successful and failed authentication",
        "the audit log in MongoDB's own schema: authentication, log-off, passwords that are set",
    ),
    gives=(
        "user.name",
        "user.domain",
        "user.email_addr",
        "user.type_id",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.intermediate_ips",
        "dst_endpoint.ip",
        "service.name",
        "session.uid",
        "http_request.user_agent",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.credential_accepted",
    ),
    documentation="https://www.mongodb.com/docs/manual/reference/audit-message/mongo/",
    recognise=recognise,
    parse=parse,
)
