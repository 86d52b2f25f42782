"""nginx's access log taken apart: the combined format and what is put behind it, and JSON."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from quivive.model.record import RawRecord, RejectError
from quivive.sources._access_log import decoded, wrapped
from quivive.sources._proxy_entry import Entry, entry_of, name_of
from quivive.sources._syslog import MONTHS, syslog_line
from quivive.sources.fields import address, timestamp

MAX_LINE = 16_384
# nginx's own variables; operators keep their names in JSON, or shorten them.
_MARKS = frozenset(
    {
        *("remote_addr", "remote_user", "time_local", "time_iso8601", "msec", "body_bytes_sent"),
        *("request_time", "request_length", "http_user_agent", "http_referer", "http_referrer"),
        *("request_uri", "http_x_forwarded_for", "upstream_response_time", "upstream_addr"),
        *("upstream_status", "ssl_client_s_dn", "ssl_client_verify", "server_protocol"),
        *("proxy_upstream_name", "http_host", "connection_requests"),
    }
)
_FEWEST_MARKS = 3
_CLIENT = frozenset({"remote_addr", "remote_user", "ssl_client_s_dn", "client_ip", "client"})

_TEXT = r'[^"\\]*(?:\\.[^"\\]*)*'
_QUOTED = rf'"({_TEXT})"'
_TIME = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]"
# A virtual host may stand before it, as in Apache's vhost_combined. The user may hold blanks and
# brackets, but its quotes are escaped.
_TIME_ENDS = '] "'
_BEGIN = re.compile(rf'(?:(?P<host>\S+) )??(?P<remote>(?!- )\S+) - (?P<user>[^"]*?) {_TIME} "')
_REST = re.compile(
    rf"({_TEXT})\" (\d{{3}}|-) (\d+|-)(?: {_QUOTED} {_QUOTED})?(?P<behind>.*)", re.DOTALL
)
_INGRESS = re.compile(
    r" \d+ [\d.]+ \[(?P<upstream>[^\]]*)\] \[[^\]]*\] .* (?P<id>[0-9a-f]{32})", re.DOTALL
)
_FORWARDED = re.compile(rf" {_QUOTED}")
_PAIR = re.compile(rf" (?:([A-Za-z]\w*)=)?(?:{_QUOTED}|(\S+))")
_ESCAPED = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")
_ERROR_LOG = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[[a-z]+\] \d+#\d+: ")
_CLOCK = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_SYSLOG = b"<"


def is_entry(record: RawRecord) -> bool:
    """Whether a record is of nginx's access log, or of its error log."""
    fields = record.fields
    if fields is not None:
        if _is_object(fields):
            return True
        line = wrapped(fields)
        if line is None:
            return False
        if line.startswith("{"):
            inner = decoded(line) if "remote_" in line else None
            return inner is not None and _is_object(inner)
    else:
        line = _text(record.body)
    if _TIME_ENDS in line:
        return _BEGIN.match(line) is not None
    return _ERROR_LOG.match(line) is not None


def read_entry(record: RawRecord) -> Entry | None:
    """The entry of a record, and None for a line of the error log.

    Raises RejectError for a line that is not in the combined format.
    """
    fields = record.fields
    if fields is None:
        return _from_line(_text(record.body))
    if not _is_object(fields):
        line = wrapped(fields) or ""
        if not line.startswith("{"):
            return _from_line(line)
        inner = decoded(line)
        if inner is None:
            raise RejectError("log: no JSON object")
        fields = inner
    return entry_of(fields)


def entry_time(value: Any, field: str, reference_time: int | None) -> int:
    """Milliseconds UTC of "05/Oct/2026:08:14:02 +0000" or of any other time. Raises RejectError."""
    if type(value) is str and (found := _clock(value)) is not None:
        return timestamp(found, field)
    return timestamp(value, field, default=reference_time)


@lru_cache(maxsize=1024)
def _clock(value: str) -> int | None:
    found = _CLOCK.fullmatch(value.strip())
    if found is None:
        return None
    day, name, year, hour, minute, second, sign, hours, minutes = found.groups()
    month, rest = divmod(MONTHS.find(name), 3)
    if rest:
        return None
    try:
        clock = (int(hour), int(minute), int(second))
        moment = datetime(int(year), month + 1, int(day), *clock, tzinfo=UTC)
    except ValueError:
        return None
    ahead = (int(hours) * 60 + int(minutes)) * 60_000
    return int(moment.timestamp()) * 1000 - (ahead if sign == "+" else -ahead)


def _is_object(fields: dict[str, Any]) -> bool:
    names = {name_of(key) for key in fields}
    if len(names & _MARKS) < _FEWEST_MARKS or names.isdisjoint(_CLIENT):
        return False
    return "status" in names or "response_code" in names


def _text(body: bytes) -> str:
    """The line, without the header that nginx's own syslog gives it."""
    if body.startswith(_SYSLOG):
        line = syslog_line(body)
        named = line is not None and line.program in ("nginx", "apache", "httpd", "apache2")
        return (line.message or "") if line is not None and named else ""
    return body[:MAX_LINE].decode("utf-8", "replace").strip()


def _from_line(line: str) -> Entry | None:
    begin = _BEGIN.match(line)
    if begin is None:
        if _ERROR_LOG.match(line):
            return None
        raise RejectError("line: not in the combined format")
    rest = _REST.fullmatch(line, begin.end())
    if rest is None:
        raise RejectError("line: breaks off, or is not in the combined format")
    request, status, _, _, agent, behind = rest.groups()
    host, remote, user, when = begin.groups()
    row: dict[str, Any] = {
        "remote_addr": remote,
        "remote_user": _unescaped(user),
        "time_local": when,
        "request": request,
        "status": status,
        "http_user_agent": _unescaped(agent) if agent else None,
    }
    if host is not None:
        row["host"] = host
    return entry_of(_behind(behind) | row if behind else row)


def _behind(text: str) -> dict[str, Any]:
    """What stands behind the combined format: ingress-nginx's, an X-Forwarded-For, name=value."""
    ingress = _INGRESS.fullmatch(text)
    if ingress is not None:
        return {"proxy_upstream_name": ingress["upstream"], "request_id": ingress["id"]}
    row: dict[str, Any] = {}
    first = _FORWARDED.match(text)
    if first is not None and all(address(part.strip()) for part in first[1].split(",")):
        row["x_forwarded_for"] = first[1]
    for name, quoted, bare in _PAIR.findall(text):
        if name:
            row[name] = _unescaped(quoted or bare)
    return row


def _unescaped(value: str) -> str:
    r"""What nginx wrote as "\x22", and the quotes that Apache wrote as "\""."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(_bytes, value).replace('\\"', '"').replace("\\\\", "\\")


def _bytes(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "replace")
