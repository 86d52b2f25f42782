"""Envoy's access log taken apart: JSON of any key spelling, and its and Istio's default lines."""

import re
from functools import lru_cache
from typing import Any

from quivive.model.record import RawRecord, RejectError
from quivive.sources._access_log import decoded, wrapped
from quivive.sources.fields import clean

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
_ANSWER = ("response_code", "status", "response_flags")
_OTHER_WORDS = re.compile(r"[^a-z0-9]+")
_CLAIM = re.compile(r"(?:jwt_claims?|jwt_payload|jwt|token_claims?|claims?)_(.+)")
_HOLDERS = frozenset(
    {
        *("jwt", "jwt_payload", "jwt_claims", "jwt_metadata", "auth_jwt", "claims"),
        *("token_claims", "dynamic_metadata"),
    }
)
_DEEPEST = 3
_WIDEST = 8

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


class Entry:
    """One line of the log: its members by name, and the claims of the token it was made with."""

    __slots__ = ("claims", "row")

    def __init__(self, row: dict[str, Any], claims: dict[str, Any]) -> None:
        """``row`` by names of small letters, digits and "_"."""
        self.row = row
        self.claims = claims

    def word(self, *names: str) -> str | None:
        """The first of these members that says something."""
        row = self.row
        for name in names:
            value = row.get(name)
            if value is not None:
                found = clean(value) if type(value) is str else None
                if found is not None:
                    return found
                if type(value) is int:
                    return str(value)
        return None

    def damaged(self, *names: str) -> str | None:
        """The first of these members that holds neither a text nor a number."""
        row = self.row
        return next((name for name in names if type(row.get(name)) in (list, dict, bool)), None)


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
        return _from_object(fields)
    line = wrapped(fields) or ""
    if not line.startswith("{"):
        return _from_line(line)
    inner = decoded(line)
    if inner is None:
        raise RejectError("log: no JSON object")
    return _from_object(inner)


def _is_object(fields: dict[str, Any]) -> bool:
    names = {_name(key) for key in fields}
    return len(names & _MARKS) >= _FEWEST_MARKS and not names.isdisjoint(_ANSWER)


@lru_cache(maxsize=4096)
def _name(key: str) -> str:
    """ "x_request_id" of "X-Request-Id", "authority" of ":authority"."""
    return _OTHER_WORDS.sub("_", key[:64].lower()).strip("_")


@lru_cache(maxsize=4096)
def _claim(name: str) -> str | None:
    """The claim that a member is named for: "sub" of "jwt_sub"."""
    found = _CLAIM.fullmatch(name)
    return found[1] if found else None


def _from_object(fields: dict[str, Any]) -> Entry:
    row: dict[str, Any] = {}
    claims: dict[str, Any] = {}
    for key, value in fields.items():
        name = _name(key)
        if name in _HOLDERS:
            claims = _claims(value) or claims
        elif (claim := _claim(name)) is not None:
            claims.setdefault(claim, value)
        else:
            row.setdefault(name, value)
    return Entry(row, claims)


def _claims(value: Any, depth: int = _DEEPEST) -> dict[str, Any] | None:
    """The payload of a token, under however many names of filters and issuers."""
    if type(value) is str and value.startswith("{"):
        value = decoded(value)
    if type(value) is not dict:
        return None
    if "sub" in value or "iss" in value:
        return {_name(key): inner for key, inner in value.items() if type(key) is str}
    if depth:
        for inner in list(value.values())[:_WIDEST]:
            if found := _claims(inner, depth - 1):
                return found
    return None


def _from_line(line: str) -> Entry | None:
    found = _ISTIO.fullmatch(line) or _ENVOY.fullmatch(line)
    if found is None:
        if _MESSAGE.match(line):
            return None
        # Quotes in a header are not escaped here: one that imitates the rest does not fit.
        raise RejectError("line: neither Envoy's nor Istio's default format")
    row: dict[str, Any] = found.groupdict()
    pairs = _PAIR.findall(row.pop("pairs") or "")
    said = {_name(key): quoted or bare for key, quoted, bare in pairs}
    if len(said) < len(pairs):
        raise RejectError("line: a name behind it twice; a value imitates the log")
    return _from_object(said | row)
