"""One connection event of MySQL's audit logs, alike in all formats that they are written in."""

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._syslog import MAX_LINE, line_time, syslog_line
from quivive.sources.fields import clean, field, integer, mapping, timestamp, whole

CONNECT, FAILED, DISCONNECT = "CONNECT", "FAILED_CONNECT", "DISCONNECT"
NO_LOGIN = Skip("no authentication event")
# The events of a connection, as each format calls them.
_ENTERPRISE = {"connect": CONNECT, "change_user": CONNECT, "disconnect": DISCONNECT}
_PERCONA = {"Connect": CONNECT, "Change user": CONNECT, "Quit": DISCONNECT}
_OPERATIONS = frozenset(
    {
        *(CONNECT, FAILED, DISCONNECT, "CHANGEUSER", "QUERY", "READ", "WRITE", "CREATE", "ALTER"),
        *("RENAME", "DROP", "TABLE", "QUERY_DDL", "QUERY_DML", "QUERY_DCL"),
    }
)
_CLASSES = frozenset(
    {
        *("audit", "authentication", "authorization", "command", "connection", "general"),
        *("global_variable", "message", "query", "stored_program", "table_access"),
    }
)
_SYSLOG_PROGRAM = "mysql-server_auditing"
# The own time of the plugin's file, in that of the server, or Aurora's microseconds.
_WHEN = re.compile(r"(?:\d{8} \d\d:\d\d:\d\d|\d{16}),")
_CONNECTION = re.compile(
    r",(?:CONNECT|FAILED_CONNECT|DISCONNECT|CHANGEUSER),[^,']*,[^,']*,\d+(?:,[\w/ ]*)?$"
)
_WAY = re.compile(r"[\w/ ]*")
_COLUMNS = 10  # the last is the code; Amazon RDS adds how the client is connected
_SOCKETS = frozenset({"socket", "named_pipe", "shared_memory", "2", "3", "5"})


class Entry(Struct, frozen=True, kw_only=True):
    """A connection event in its own words.

    event: CONNECT, FAILED or DISCONNECT; a CONNECT with a code failed as well.
    account: the account that the server took the user for, where that is known.
    host: an address or a name. local: through a socket of the same machine; None if not said.
    agent: what the client says of itself.
    """

    event: str
    time: int
    written: Any
    user: str | None
    code: int | None
    connection: str | None
    plugin: str
    code_name: str
    account: str | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    server: str | None = None
    local: bool | None = None
    agent: str | None = None
    uid: str | None = None


def is_entry(record: RawRecord) -> bool:
    """Whether a record is of one of the audit logs, about whatever."""
    row = record.fields
    if row is None:
        return _columns(record.body) is not None
    if "audit_record" in row:
        return type(row["audit_record"]) is dict and "name" in row["audit_record"]
    kind = row.get("class")
    if type(kind) is not str or kind not in _CLASSES or "timestamp" not in row:
        return False
    return "connection_id" in row or "server_id" in row or "startup_data" in row


def read_entry(record: RawRecord) -> Entry | Skip:
    """The connection event of a record, or why it is none. Raises RejectError."""
    row = record.fields
    if row is None:
        return _of_server_audit(record)
    if "audit_record" in row:
        return _of_percona(mapping(row, "audit_record"), record.reference_time)
    return _of_enterprise(row, record.reference_time)


def _of_enterprise(row: dict[str, Any], default: int | None) -> Entry | Skip:
    """MySQL Enterprise Audit, and Percona's audit_log_filter; times are UTC."""
    name = field(row, "event")
    event = _ENTERPRISE.get(name or "") if row.get("class") == "connection" else None
    if event is None or name is None:
        return NO_LOGIN
    login, account = mapping(row, "login"), mapping(row, "account")
    said = mapping(row, "connection_data")
    attributes = mapping(said, "connection_attributes")
    way = field(said, "connection_type")
    return Entry(
        event=event,
        time=timestamp(row.get("timestamp"), "timestamp", default=default),
        written=row.get("timestamp"),
        user=field(login, "user") or field(account, "user"),
        code=_code(said, "connection_data.status"),
        connection=field(row, "connection_id"),
        plugin="MySQL Enterprise Audit",
        code_name=name,
        account=field(account, "user"),
        host=field(login, "ip") or _known(field(account, "host")),
        database=field(said, "db"),
        local=way.lower() in _SOCKETS if way else None,
        agent=_agent(attributes) if attributes else None,
    )


def _known(host: str | None) -> str | None:
    """The client's host, where it is not the pattern that an account is open to."""
    return host if host is not None and "%" not in host else None


def _agent(said: dict[str, Any]) -> str | None:
    client, version = field(said, "_client_name"), field(said, "_client_version")
    driver = f"{client}/{version}" if client and version else client
    return " ".join(word for word in (field(said, "program_name"), driver) if word) or None


def _of_percona(row: dict[str, Any], default: int | None) -> Entry | Skip:
    """Percona's audit_log plugin; times are UTC."""
    name = field(row, "name")
    event = _PERCONA.get(name or "")
    if event is None or name is None:
        return NO_LOGIN
    written = row.get("timestamp")
    when = written.removesuffix(" UTC") if type(written) is str else written
    return Entry(
        event=event,
        time=timestamp(when, "timestamp", default=default),
        written=written,
        user=field(row, "user"),
        code=_code(row, "status"),
        connection=field(row, "connection_id"),
        plugin="Percona Audit Log",
        code_name=name,
        account=field(row, "priv_user"),
        host=field(row, "ip") or _known(field(row, "host")),
        database=field(row, "db"),
        uid=field(row, "record"),
    )


def _code(row: dict[str, Any], name: str) -> int | None:
    code = integer(row, "status")
    if code is None and row.get("status") is not None:
        raise RejectError(f"{name}: not a number")
    return code


@lru_cache(16)
def _columns(body: bytes) -> tuple[str, str, tuple[str, ...]] | None:
    """Time as written, line and columns of the audit plugin of MariaDB, from the server's name on;
    None for other lines. Recognised once, a line is not taken apart again.
    """
    line = body[:MAX_LINE].decode("utf-8", "replace").strip()
    if match := _WHEN.match(line):
        when, rest = match[0][:-1], line[match.end() :]
    elif found := syslog_line(body):
        if found.program != _SYSLOG_PROGRAM or not found.message:
            return None
        when, rest = found.when, found.message
    else:
        return None
    columns = tuple(rest.split(","))
    if len(columns) < _COLUMNS - 1 or not _OPERATIONS & set(columns[5:]):
        return None
    return when, rest, columns


def _of_server_audit(record: RawRecord) -> Entry | Skip:
    """Server, user, host, connection, query, operation, database, object, code."""
    found = _columns(record.body)
    if found is None:
        raise RejectError("line: not of an audit log")
    when, line, columns = found
    operation = columns[5]
    if operation not in (CONNECT, FAILED, DISCONNECT, "CHANGEUSER"):
        if _CONNECTION.search(line):
            raise RejectError("line: a name in it imitates the log")
        return NO_LOGIN
    code, way = whole(columns[8]), columns[9] if len(columns) == _COLUMNS else None
    if len(columns) > _COLUMNS or (way and not _WAY.fullmatch(way)):
        raise RejectError("line: too many columns: a name in it has commas")
    if not columns[3].isdecimal() or not columns[4].isdecimal() or code is None:
        raise RejectError("line: connection, query or code: not a number")
    host, port = _host(clean(columns[2]))
    return Entry(
        event=CONNECT if operation == "CHANGEUSER" else operation,
        time=_moment(when, record.reference_time),
        written=when,
        user=clean(columns[1]),
        code=code,
        connection=columns[3],
        plugin="MariaDB Audit Plugin",
        code_name=operation,
        host=host,
        port=port,
        database=clean(columns[6]),
        server=clean(columns[0]),
        local=way.strip().lower() in _SOCKETS if way else None,
    )


def _moment(when: str, default: int | None) -> int:
    if when[:8].isdecimal() and when[8:9] == " ":
        when = f"{when[:4]}-{when[4:6]}-{when[6:8]}T{when[9:]}"
    return line_time(when, default)


def _host(written: str | None) -> tuple[str | None, int | None]:
    """The host, and its port as MariaDB writes it since 12.0: "192.0.2.4:50122"."""
    if written is None:
        return None, None
    head, colon, tail = written.rpartition(":")
    if colon and tail.isdecimal() and (":" not in head or head.endswith("]")):
        return head, whole(tail)
    return written, None
