"""Entries of PostgreSQL's server log: jsonlog, csvlog, and stderr lines with the usual prefixes."""

import csv
import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.record import RawRecord, RejectError
from quivive.sources.fields import clean, field, timestamp

MAX_LINE = 16_384
CONTINUED = b"Connection matched "  # a failure's DETAIL goes on with it on a line of its own


class Entry(Struct, frozen=True, kw_only=True):
    """One message of the server, and what its line or record says around it.

    is_forged: a name in the line imitates a message, so that neither can be told from the other.
    """

    when: Any
    severity: str
    message: str
    user: str | None = None
    database: str | None = None
    host: str | None = None
    port: Any = None
    application: str | None = None
    session: str | None = None
    code: str | None = None
    detail: str | None = None
    context: str | None = None
    is_forged: bool = False


_TIME = (
    r"(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? "
    r"(?:[A-Za-z]{1,6}|[+-]\d\d(?::?\d\d)?))"
)
_MESSAGE = (
    r"(?P<severity>DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|QUERY"
    r"|CONTEXT|STATEMENT|LOCATION|BACKTRACE):  (?P<message>.*)"
)
_REMOTE = r"(?P<remote>\[local\]|[\w.:%-]+\(\d{1,5}\)|(?=\S*[.:])[0-9A-Fa-f.:%]+)"
_WHO = r"(?P<user>\S*)@(?P<database>[^\s@]*)"
_FORMS = tuple(
    re.compile(_TIME + form + _MESSAGE, re.DOTALL)
    for form in (
        # '%m [%p] ', and with %q%u@%d, %r or %h behind it
        rf" \[\d+\]:? (?:{_WHO} )?(?:{_REMOTE} )?",
        # '%t:%r:%u@%d:[%p]:', Amazon RDS
        rf":(?:{_REMOTE})?:(?P<user>[^\s:]*)@(?P<database>[^\s@:]*):\[\d+\]:",
        # '%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ', for pgBadger, Cloud SQL and others
        r" \[\d+\]:? (?:\[\d+-\d+\] )?\[?(?P<pairs>(?:user|db)=.*?)\]?:? ",
    )
)
_PAIR = re.compile(r"(?:^|,)(user|db|app|client|host)=([^,]*)")
_SECOND = re.compile(r"[\s:](?:LOG|WARNING|ERROR|FATAL|PANIC):  ")
_QUOTED = r'(?:"(?:[^"]|"")*")?'
_CSV = re.compile(
    _TIME + rf",{_QUOTED},{_QUOTED},\d*,{_QUOTED},(?:[0-9a-f]+\.[0-9a-f]+)?,\d*,", re.DOTALL
)
_COLUMNS = (
    *("log_time", "user_name", "database_name", "process_id", "connection_from", "session_id"),
    *("session_line_num", "command_tag", "session_start_time", "virtual_transaction_id"),
    *("transaction_id", "error_severity", "sql_state_code", "message", "detail", "hint"),
    *("internal_query", "internal_query_pos", "context", "query", "query_pos", "location"),
    *("application_name", "backend_type", "leader_pid", "query_id"),
)
_FEWEST = _COLUMNS.index("message") + 1
_ROW = ("log_time", "session_id", "sql_state_code")
_JSON = ("session_id", "line_num", "state_code", "ps", "backend_type", "remote_host")
# As PostgreSQL reads them. CST and IST, which are three zones each, are left out.
_HOURS = {
    **dict.fromkeys(("UTC", "GMT", "UCT", "Z", "WET"), 0),
    **dict.fromkeys(("CET", "BST", "WEST", "MET"), 1),
    **dict.fromkeys(("CEST", "EET", "SAST", "MEST"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **dict.fromkeys(("HKT", "AWST"), 8),
    **dict.fromkeys(("JST", "KST"), 9),
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "ADT": -3,
    **dict.fromkeys(("AST", "EDT"), -4),
    **dict.fromkeys(("EST", "CDT"), -5),
    "MDT": -6,
    **dict.fromkeys(("MST", "PDT"), -7),
    "PST": -8,
    "HST": -10,
}


def is_entry(record: RawRecord) -> bool:
    """Whether a record is of PostgreSQL's server log, or the known end of a message of its."""
    if record.fields is not None:
        return _object(record.fields) is not None
    body = record.body
    return body.startswith(CONTINUED) or (body[:1].isdigit() and _line(body) is not None)


def read_entry(record: RawRecord) -> Entry | None:
    """The entry of a record; None for a line that goes on with the one before.

    Raises RejectError for anything else.
    """
    if record.fields is not None:
        return _from_object(record.fields)
    entry = _line(record.body)
    if entry is None and record.body[:2].isdigit() and record.body[4:5] == b"-":
        raise RejectError("line: neither csvlog nor a known log_line_prefix")
    return entry


def entry_time(entry: Entry, reference_time: int | None) -> int:
    """Milliseconds UTC of "2026-03-03 08:14:02.123 CET". Raises RejectError."""
    when = entry.when
    if type(when) is not str or len(when) > 64:
        return timestamp(when, "timestamp", default=reference_time)
    clock, _, zone = when.strip().rpartition(" ")
    if not clock or ":" not in clock:
        return timestamp(when, "timestamp", default=reference_time)
    if zone[0] in "+-":
        return timestamp(clock.replace(" ", "T") + zone, "timestamp")
    hours = _HOURS.get(zone.upper())
    if hours is None:
        raise RejectError(f"timestamp: no certain time zone: {zone[:20]!r}; set log_timezone = UTC")
    return timestamp(clock, "timestamp") - int(timedelta(hours=hours).total_seconds()) * 1000


def _object(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The object that holds the message: jsonlog's own, CloudNativePG's ``record``, a CSV row."""
    inner = fields.get("record")
    if type(inner) is dict and "error_severity" in inner and "logger" in fields:
        return inner
    if "error_severity" not in fields:
        return None
    if "log_time" in fields:
        return fields if any(name in fields for name in _ROW[1:]) else None
    return fields if sum(name in fields for name in _JSON) >= 2 else None


def _from_object(fields: dict[str, Any]) -> Entry:
    row = _object(fields)
    if row is None:
        raise RejectError("error_severity: missing")
    message = "AUDIT" if type(row.get("audit")) is dict else row.get("message")
    severity = field(row, "error_severity")
    if type(message) is not str:
        raise RejectError("message: missing" if message is None else "message: no text")
    if severity is None:
        raise RejectError("error_severity: missing")
    message = message[:MAX_LINE]
    if "log_time" in row or row is not fields:
        host, port = _connection(field(row, "connection_from"))
        return _entry(row, "log_time", severity, message, "user_name", "database_name", host, port)
    host = field(row, "remote_host")
    return _entry(
        row, "timestamp", severity, message, "user", "dbname", host, row.get("remote_port")
    )


def _entry(
    row: dict[str, Any],
    when: str,
    severity: str,
    message: str,
    user: str,
    database: str,
    host: str | None,
    port: Any,
) -> Entry:
    return Entry(
        when=row.get(when),
        severity=severity,
        message=message,
        user=_name(row.get(user)),
        database=_name(row.get(database)),
        host=host,
        port=port,
        application=field(row, "application_name"),
        session=field(row, "session_id"),
        code=field(row, "state_code") or field(row, "sql_state_code"),
        detail=field(row, "detail"),
        context=field(row, "context"),
    )


def _name(value: Any) -> str | None:
    """A user or database; "[unknown]" stands for one that was not told yet."""
    name = clean(value)
    return None if name == "[unknown]" else name


def _connection(value: str | None) -> tuple[str | None, str | None]:
    """Host and port of csvlog's "192.0.2.1:5432", "2001:db8::1:5432" and "[local]"."""
    if value is None or value == "[local]":
        return value, None
    host, _, port = value.rpartition(":")
    return (host, port) if host else (value, None)


@lru_cache(maxsize=16)
def _line(body: bytes) -> Entry | None:
    """The entry of a line, if it begins one. Recognised once, it is not read again."""
    line = body[:MAX_LINE].decode("utf-8", "replace").replace("\0", "").strip()
    if _CSV.match(line):
        try:
            row = next(csv.reader([line]), [])
        except csv.Error:
            return None
        if len(row) < _FEWEST:
            return None
        return _from_object(dict(zip(_COLUMNS, row, strict=False)))
    for form in _FORMS:
        if match := form.fullmatch(line):
            return _from_line(match)
    return None


def _from_line(match: re.Match[str]) -> Entry:
    found = match.groupdict()
    message = found["message"]
    pairs = _PAIR.findall(found.get("pairs") or "")
    said = dict(pairs)
    remote = found.get("remote") or said.get("client") or said.get("host") or ""
    host, _, port = remote.partition("(")
    return Entry(
        when=found["when"],
        severity=found["severity"],
        message=message,
        user=_name(found.get("user") or said.get("user")),
        database=_name(found.get("database") or said.get("db")),
        host=_name(host),
        port=port.removesuffix(")") or None,
        application=_name(said.get("app")),
        # Whoever connects chooses the user, database and application in the prefix.
        is_forged=len(said) < len(pairs) or _SECOND.search(message) is not None,
    )
