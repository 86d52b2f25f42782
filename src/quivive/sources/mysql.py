"""MySQL and MariaDB audit logs: connections, failed ones and their ends."""

from functools import lru_cache

from quivive.model.event import (
    Activity,
    AuthEvent,
    Endpoint,
    HttpRequest,
    Product,
    Service,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._mysql_lines import DISCONNECT, FAILED, Entry, is_entry, read_entry
from quivive.sources.source import Source

_SERVICE = Service(name="MySQL")
_NOTHING = Unmapped()
_UNNAMED = Skip("a connection that names nobody")
_MAX_NAME = 256
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
# The users by which MySQL itself, Amazon, Google and Microsoft run their servers.
_PLATFORM = frozenset(
    {
        *("mysql.infoschema", "mysql.session", "mysql.sys", "mariadb.sys", "event_scheduler"),
        *("rdsadmin", "rdsrepladmin", "cloudsqladmin", "cloudsqlreplica", "azure_superuser"),
    }
)
# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_CODES = {
    1040: "too many connections",
    1044: "access denied to database",
    1045: "access denied",
    1049: "unknown database",
    1129: "host is blocked",
    1130: "host is not allowed",
    1203: "too many connections of the user",
    1226: "user has exceeded a limit",
    1251: "authentication method not supported by the client",
    1698: "access denied without a password",
    1820: "password must be changed",
    1862: "expired password",
    3118: "account is locked",
    3159: "secure transport required",
    3955: "account is locked after failed logins",
    4151: "account is locked",
}
# What is only found out behind the password.
_ACCEPTED = frozenset({1044, 1049, 1203, 1226, 1820, 1862})


def recognise(record: RawRecord) -> bool:
    """Whether this is an entry of one of the audit logs, about whatever."""
    return is_entry(record)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The connection, refusal or end of a connection of one entry."""
    entry = read_entry(record)
    if isinstance(entry, Skip):
        return entry
    ended = entry.event == DISCONNECT
    failed = entry.event == FAILED or bool(entry.code and not ended)
    if entry.user is None:
        if ended or failed:
            return _UNNAMED
        raise RejectError("user: no name of the user")
    code = entry.code or None if not ended else None
    return AuthEvent(
        time=entry.time,
        activity_id=Activity.LOGOFF if ended else Activity.LOGON,
        status_id=Status.FAILURE if failed else _success(entry, ended),
        status_code=str(code) if code else None,
        status_detail=_CODES.get(code) if code else None,
        user=_user(entry.user[:_MAX_NAME]),
        service=_SERVICE,
        src_endpoint=_client(entry.host, entry.port),
        dst_endpoint=Endpoint(hostname=entry.server[:255]) if entry.server else None,
        http_request=_request(entry.agent),
        is_remote=_is_remote(entry),
        metadata=fields.metadata(
            record,
            _product(entry.plugin),
            uid=entry.uid,
            log_name="audit log",
            original_time=entry.written,
            event_code=entry.code_name,
            correlation_uid=entry.connection,
        ),
        unmapped=_unmapped(entry.database, _role(entry, failed), failed and code in _ACCEPTED),
    )


def _success(entry: Entry, ended: bool) -> Status:
    return Status.UNKNOWN if entry.code is None and not ended else Status.SUCCESS


@lru_cache(8)
def _product(plugin: str) -> Product:
    return Product(name=plugin, vendor_name=plugin.partition(" ")[0])


@lru_cache(4096)
def _user(name: str) -> User:
    return User(
        name=name,
        email_addr=fields.email(name),
        type_id=UserType.SYSTEM if name in _PLATFORM else None,
    )


@lru_cache(4096)
def _client(host: str | None, port: int | None) -> Endpoint | None:
    if host is None or host in _LOCAL:
        return None
    ip = fields.address(host)
    return Endpoint(ip=ip, port=port) if ip else Endpoint(hostname=host[:255], port=port)


@lru_cache(4096)
def _request(agent: str | None) -> HttpRequest | None:
    return HttpRequest(user_agent=agent[: fields.MAX_TEXT]) if agent else None


def _is_remote(entry: Entry) -> bool | None:
    if entry.local is not None:
        return not entry.local
    return None if entry.host is None else entry.host not in _LOCAL


def _role(entry: Entry, failed: bool) -> str | None:
    """The account that a proxy user, or one whom a plugin vouches for, works as."""
    return entry.account if not failed and entry.account != entry.user else None


@lru_cache(4096)
def _unmapped(database: str | None, role: str | None, accepted: bool) -> Unmapped | None:
    """The database is the resource."""
    found = Unmapped(credential_accepted=accepted or None, resource=database, role=role)
    return None if found == _NOTHING else found


SOURCE = Source(
    name="mysql",
    title="MySQL and MariaDB audit logs",
    reads=(
        "MySQL Enterprise Audit and Percona's audit_log_filter in JSON",
        "Percona's audit_log plugin in JSON",
        "lines of MariaDB's audit plugin: its own file, syslog, Amazon RDS and Aurora",
    ),
    gives=(
        "user.name",
        "user.email_addr",
        "user.type_id",
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.hostname",
        "dst_endpoint.hostname",
        "http_request.user_agent",
        "is_remote",
        "service.name",
        "status_code",
        "status_detail",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://dev.mysql.com/doc/refman/8.4/en/audit-log-file-formats.html",
    recognise=recognise,
    parse=parse,
)
