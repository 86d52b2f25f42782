"""Syslog lines (RFC 3164, RFC 5424, ISO-dated) and journal entries taken apart."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.record import RejectError
from quivive.sources.fields import text, timestamp

MAX_LINE = 4096
FIRST_BYTES = frozenset(bytes([byte]) for byte in b"<0123456789ADFJMNOS")
MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


class Line(Struct, frozen=True):
    """One log line. ``when`` is the time as written; ``line_time`` reads it where it is needed."""

    when: str
    host: str | None
    program: str
    pid: str | None
    message: str | None
    uid: str | None = None


_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BSD = r"(?:\d{4} )?[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
# A level in the host's place is an application's own log, not syslog.
_HOST = r"(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\s)(\S*[^\s:])"
_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>)?({_ISO}|{_BSD}) (?:{_HOST} +)?"
    r"(?:([\w./@-]+(?:\(\w+\))?)(?:\[(\d+)\])?: ?(.*)|(?:--- )?last message repeated .*)",
    re.DOTALL,
)
_RFC5424 = re.compile(
    rf"<\d{{1,3}}>1 ({_ISO}|-) (\S+) (\S+) (\S+) \S+ "
    r'(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: \ufeff?(.*))?',
    re.DOTALL,
)
_BSD_TIME = re.compile(
    r"(?:(\d{4}) )?([A-Z][a-z]{2}) +(\d+) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})\d*)?"
)


@lru_cache(maxsize=16)
def syslog_line(body: bytes) -> Line | None:
    """The line if it is of a known format, else None. Recognised once, it is not read again."""
    if body[:1] not in FIRST_BYTES:
        return None
    line = body[:MAX_LINE].decode("utf-8", "replace").strip()
    if match := _RFC5424.fullmatch(line):
        when, host, program, pid, message = match.groups()
        pid = pid if pid.isdecimal() else None
    elif match := _SYSLOG.fullmatch(line):
        when, host, program, pid, message = match.groups()
    else:
        return None
    if when == "-":  # RFC 5424: the sender had no clock
        when = ""
    if host == "-":
        host = None
    return Line(when, host, program or "syslogd", pid, (message or "").rstrip())


def is_journal(fields: dict[str, Any]) -> bool:
    """Whether the object is an entry of the systemd journal."""
    return "__REALTIME_TIMESTAMP" in fields and ("MESSAGE" in fields or "__CURSOR" in fields)


def journal_entry(fields: dict[str, Any]) -> Line:
    """A journal entry as a line. Journald writes a message that is no UTF-8 as a list of byte
    numbers, and null for one over its limit. Raises RejectError for a list of anything else."""
    message = fields.get("MESSAGE")
    if type(message) is list:
        if not all(type(byte) is int and 0 <= byte < 256 for byte in message):
            raise RejectError("MESSAGE: a list of something else than bytes")
        message = bytes(message).decode("utf-8", "replace")
    program = text(fields, "SYSLOG_IDENTIFIER") or text(fields, "_COMM") or "unknown"
    return Line(
        text(fields, "__REALTIME_TIMESTAMP") or "",
        text(fields, "_HOSTNAME"),
        program,
        text(fields, "_PID") or text(fields, "SYSLOG_PID"),
        message[:MAX_LINE].strip() if type(message) is str else None,
        text(fields, "__CURSOR"),
    )


def line_time(when: str, reference_time: int | None) -> int:
    """Milliseconds UTC of a line's time; BSD dates are taken for UTC. One without a year is the
    latest such moment up to a day past the reference. Raises RejectError."""
    match = _BSD_TIME.fullmatch(when)
    if match is None:
        return timestamp(when.replace(",", "."), "time", default=reference_time)
    before, name, day, after, hour, minute, second, fraction = match.groups()
    month, rest = divmod(MONTHS.find(name), 3)
    if rest:
        raise RejectError(f"time: no such month: {name!r}")
    clock = (month + 1, int(day), int(hour), int(minute), int(second))
    if year := before or after:
        moment = _moment(int(year), *clock)
    else:
        moment = _inferred(reference_time, clock)
    if moment is None:
        raise RejectError(f"time: no such date: {when!r}")
    return moment + (int(fraction.ljust(3, "0")) if fraction else 0)


def _inferred(reference_time: int | None, clock: tuple[int, int, int, int, int]) -> int | None:
    """The latest moment of this clock; the last leap day may lie up to eight years back."""
    if reference_time is None:
        raise RejectError("time: has no year: give a reference time")
    limit = reference_time + 86_400_000
    year = _year(limit)
    for candidate in range(year, year - 9, -1):
        moment = _moment(candidate, *clock)
        if moment is not None and moment <= limit:
            return moment
    return None


@lru_cache(maxsize=1024)
def _year(ms: int) -> int:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).year


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    if not 2000 <= year < 2100:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000
