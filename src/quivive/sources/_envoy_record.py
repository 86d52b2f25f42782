"""Envoy's access log taken apart: JSON of any key spelling, and its and Istio's default lines."""

import re
from typing import Any

from quivive.model.record import RawRecord, RejectError
from quivive.sources._access_log import SPIFFE, decoded, wrapped
from quivive.sources._proxy_caller import Caller, certified, workload
from quivive.sources._proxy_entry import Entry, entry_of, name_of

MAX_LINE = 16_384
# Names as the command operators have them, with "_" for every other mark; Istio, Envoy Gateway and
# Contour write those below by default.
_MARKS = frozenset(
    {
        *("response_flags", "response_code_details", "connection_termination_details"),
        *("downstream_remote_address", "downstream_local_address", "upstream_cluster"),
        *("upstream_local_address", "upstream_transport_failure_reason", "x_envoy_origin_path"),
        *("requested_server_name", "downstream_direct_remote_address", "upstream_host"),
        *("downstream_peer_subject", "downstream_peer_uri_san", "route_name"),
    }
)
_FEWEST_MARKS = 2
_PEERS = ("downstream_peer_uri_san", "peer_uri_san", "source_principal", "downstream_peer")
_SUBJECTS = ("downstream_peer_subject", "peer_subject", "downstream_peer_certificate_subject")
_PRINTS = ("downstream_peer_fingerprint_256", "downstream_peer_fingerprint_1")
_ANSWER = ("response_code", "status", "response_flags")

_BEGIN = re.compile(
    r'\[\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]{4,6})?\] "\S+ \S+ \S+" (?:\d{1,3}|-) '
)
_HTTP = (
    r'\[(?P<start_time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) (?P<protocol>\S+)"'
    r" (?P<response_code>\S+) (?P<response_flags>\S+)"
)
_QUOTED = (
    r' "(?P<x_forwarded_for>[^"]*)" "(?P<user_agent>[^"]*)" "(?P<x_request_id>[^"]*)"'
    r' "(?P<authority>[^"]*)" "(?P<upstream_host>[^"]*)"'
)
_SIZES = r" \S+ \S+ \S+ \S+"
_PAIRS = r'(?P<pairs>(?: [A-Za-z][\w.-]*=(?:"[^"]*"|[^\s"]+))*)'
_ISTIO = re.compile(
    rf"{_HTTP} (?P<response_code_details>\S+) (?P<connection_termination_details>\S+)"
    rf' "[^"]*"{_SIZES}{_QUOTED} (?P<upstream_cluster>\S+) \S+'
    r" (?P<downstream_local_address>\S+) (?P<downstream_remote_address>\S+)"
    rf" (?P<requested_server_name>\S+)(?: (?P<route_name>[^\s=]+))?{_PAIRS}"
)
_ENVOY = re.compile(rf"{_HTTP}{_SIZES}{_QUOTED}{_PAIRS}")
_PAIR = re.compile(r' ([A-Za-z][\w.-]*)=(?:"([^"]*)"|(\S+))')
# Envoy's own messages, and those of Istio's agent beside it.
_MESSAGE = re.compile(
    r"\[\d{4}-\d\d-\d\d[ T][\d:.]+\]\[\d+\]\[\w+\]"
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z\t(?:debug|info|warn|error|fatal)\t"
)


def is_entry(record: RawRecord) -> bool:
    """Whether a record is of Envoy's access log, or another line of the same proxy."""
    if record.fields is not None:
        if _is_object(record.fields):
            return True
        line = wrapped(record.fields)
        if line is None:
            return False
        if line.startswith("{"):
            inner = decoded(line) if "response_" in line else None
            return inner is not None and _is_object(inner)
    else:
        body = record.body
        if not body.startswith((b"[2", b"2")):
            return False
        line = body[:MAX_LINE].decode("utf-8", "replace").strip()
    return _BEGIN.match(line) is not None or _MESSAGE.match(line) is not None


def read_entry(record: RawRecord) -> Entry | None:
    """The entry of a record, and None for another line of the proxy.

    Raises RejectError for a line that is none of its default formats, with pairs behind it or
    without.
    """
    fields = record.fields
    if fields is None:
        return _from_line(record.body[:MAX_LINE].decode("utf-8", "replace").strip())
    if _is_object(fields):
        return entry_of(fields)
    line = wrapped(fields) or ""
    if not line.startswith("{"):
        return _from_line(line)
    inner = decoded(line)
    if inner is None:
        raise RejectError("log: no JSON object")
    return entry_of(inner)


def peer_of(entry: Entry) -> Caller | None:
    """Whose certificate the connection was made with."""
    for name in _PEERS:
        said = entry.word(name)
        # A certificate may have several names; the first is the workload's.
        san = said.partition(",")[0] if said else None
        if san is not None and san.startswith(SPIFFE):
            return workload(san)
    subject = entry.word(*_SUBJECTS)
    if subject is None:
        return None
    return certified(subject, entry.word(*_PRINTS) or entry.word("downstream_peer_serial"))


def _is_object(fields: dict[str, Any]) -> bool:
    names = {name_of(key) for key in fields}
    return len(names & _MARKS) >= _FEWEST_MARKS and not names.isdisjoint(_ANSWER)


def _from_line(line: str) -> Entry | None:
    found = _ISTIO.fullmatch(line) or _ENVOY.fullmatch(line)
    if found is None:
        if _MESSAGE.match(line):
            return None
        # Quotes in a header are not escaped here: one that imitates the rest does not fit.
        raise RejectError("line: neither Envoy's nor Istio's default format")
    row: dict[str, Any] = found.groupdict()
    pairs = _PAIR.findall(row.pop("pairs") or "")
    said = {name_of(key): quoted or bare for key, quoted, bare in pairs}
    if len(said) < len(pairs):
        raise RejectError("line: a name behind it twice; a value imitates the log")
    return entry_of(said | row)
