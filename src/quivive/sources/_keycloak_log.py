"""Keycloak's events as it writes them: in the server's log, plain or JSON, and in the Admin API."""

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.record import RawRecord

MAX_LINE = 16384
EMPTY: dict[str, Any] = {}
# What a server of Keycloak logs, whole or shortened to three letters a package.
_LOGGERS = ("org.key", "io.qua", "org.inf", "org.jgr", "org.hib", "com.arj", "liquibase")
_EVENTS = frozenset({"org.keycloak.events", "org.key.events"})
_STARTS = ("type=", "operationType=")
_LINE = re.compile(
    r"((?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) +"
    r"(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +\[([\w.$-]+)\] +\(([^)]{0,200})\) (.*)",
    re.DOTALL,
)
# A quote inside a value is escaped, a backslash at its end is not: a value therefore ends only
# where the next one begins.
_NEXT = {
    quote: re.compile(rf"{quote}, (?=[^\s=,\"']{{1,200}}={quote}|cookies=\[|stackTrace=)")
    for quote in "\"'"
}
_BARE = re.compile(
    r"""([^\s=,"']{1,200})=(?:'([^']*)'|(.*?))(?:, (?=[^\s=,"']{1,200}=)|\Z)""", re.DOTALL
)
_OPERATIONS = frozenset({"CREATE", "UPDATE", "DELETE", "ACTION"})
_TYPE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_ABOUT = ("clientId", "userId", "ipAddress", "details", "sessionId", "error")


class Entry(Struct, frozen=True):
    """One event, in the names of the Admin API, and the time as it is written.

    ``event`` is None for a line of the server's log about something else. ``details`` are a user
    event's own; in a line of text they stand among the rest.
    """

    when: Any
    event: dict[str, Any] | None
    details: dict[str, Any] = EMPTY


def entry_of(record: RawRecord) -> Entry | None:
    """The event that a record holds; None for a record that is none of Keycloak's."""
    row = record.fields
    if row is None:
        return _line(record.body)
    logger = row.get("loggerName") or row.get("log.logger")
    message = row.get("message")
    if type(logger) is str and type(message) is str and logger.startswith(_LOGGERS):
        return _entry(row.get("timestamp") or row.get("@timestamp"), logger, message)
    kind = row.get("type")
    if type(kind) is str and "realmId" in row and _TYPE.fullmatch(kind):
        if "time" in row and any(name in row for name in _ABOUT):
            details = row.get("details")
            return Entry(row["time"], row, details if type(details) is dict else EMPTY)
    operation = row.get("operationType")
    if type(operation) is str and operation in _OPERATIONS:
        if "authDetails" in row and ("resourcePath" in row or "resourceType" in row):
            return Entry(row.get("time"), row)
    return None


@lru_cache(maxsize=16)
def _line(body: bytes) -> Entry | None:
    """A line's event. Recognised once, it is not read again."""
    if b"] (" not in body[:MAX_LINE]:
        return None
    match = _LINE.search(body[:MAX_LINE].decode("utf-8", "replace"))
    if match is None or not match[2].startswith(_LOGGERS):
        return None
    return _entry(match[1], match[2], match[4])


def _entry(when: Any, logger: str, message: str) -> Entry:
    message = message[:MAX_LINE].strip()
    if logger not in _EVENTS or not message.startswith(_STARTS):
        return Entry(when, None)
    event = pairs_of(message)
    return Entry(when, event, event)


def pairs_of(message: str) -> dict[str, Any]:
    """The names and values of ``type="LOGIN", realmId="…"``, quoted or not.

    The first value of a name counts: what a user typed stands after what the server says.
    """
    found: dict[str, Any] = {}
    quote = message[message.find("=") + 1 :][:1]
    if quote in _NEXT:
        if message.endswith(quote):
            message = message[:-1]
        for part in _NEXT[quote].split(message):
            name, _, value = part.partition("=")
            found.setdefault(name, value.removeprefix(quote).replace("\\" + quote, quote))
    else:
        for name, quoted, bare in _BARE.findall(message):
            found.setdefault(name, quoted or bare)
    return found
