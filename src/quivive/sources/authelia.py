"""Authelia's log: lines of text or JSON about attempts to authenticate."""

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.event import (
    Activity,
    AuthEvent,
    AuthFactor,
    Endpoint,
    FactorType,
    Product,
    Service,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources.fields import field
from quivive.sources.source import Source

MAX_LINE = 16384
_PRODUCT = Product(name="Authelia", vendor_name="Authelia")
_AUTHELIA = Service(name="Authelia")
_ACCEPTED = Unmapped(credential_accepted=True)

_OTHER_LINE = Skip("another line of the log")
_ABOUT_ADDRESS = Skip("an attempt from a banned address, without a user")
_NO_USER = Skip("an attempt without a user")

_LINE = re.compile(r'time="[^"]{1,64}" level=[a-z]+ msg=')
_PAIR = re.compile(r'(\w{1,64})=(?:"((?:[^"\\]|\\.)*)"|(\S*))(?: |$)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BLANKS = {"n": "\n", "t": "\t", "r": "\r"}
# To the last quote: what a user typed cannot pass for the rest of the sentence.
_FAILED = re.compile(
    r"Unsuccessful (\w+) authentication attempt by user '(.*)'"
    r"(?: and they are (banned until .*)|: (.*))?",
    re.DOTALL,
)
_PASSED = re.compile(r"Successful (\w+) authentication attempt made by user '(.*)'", re.DOTALL)
_ABSENT = re.compile(
    r"Error occurred getting details for user with username input '(.*)' which usually "
    r"indicates they do not exist",
    re.DOTALL,
)
_CHANGED = re.compile(r"Password of user (.*) has been (reset|changed|modified)", re.DOTALL)


def _factor(kind: FactorType, word: str) -> AuthFactor:
    return AuthFactor(factor_type_id=kind, factor_type=word)


_FIRST = {
    "1FA": _factor(FactorType.PASSWORD, "1FA"),
    "Passkey": _factor(FactorType.WEBAUTHN, "Passkey"),
}
_SECOND = {
    "TOTP": _factor(FactorType.OTP, "TOTP"),
    "WebAuthn": _factor(FactorType.WEBAUTHN, "WebAuthn"),
    "U2F": _factor(FactorType.U2F, "U2F"),
    "Duo": _factor(FactorType.OTHER, "Duo"),
    "Password": _factor(FactorType.PASSWORD, "Password"),  # after a passkey
}


class Attempt(Struct, frozen=True):
    """What one message says. ``way`` is Authelia's word for the factor."""

    user: str
    status: Status
    way: str | None = None
    change: str | None = None
    detail: str | None = None


def recognise(record: RawRecord) -> bool:
    """A line with the address and the path of a request to Authelia, or about an attempt."""
    row = _row(record)
    if row is None:
        return False
    message = row.get("msg")
    if type(message) is not str or "level" not in row or "time" not in row:
        return False
    path = row.get("path")
    if type(path) is str and path.startswith("/api/") and "remote_ip" in row:
        return True
    return message.startswith("Authelia v") or (
        "remote_ip" in row and _attempt(message) is not None
    )


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The attempt or the change of a password that a line tells of; a Skip for other lines."""
    row = _row(record)
    if row is None or "msg" not in row:
        raise RejectError("line: neither text nor JSON of Authelia")
    message = row.get("msg")
    found = _attempt(message) if type(message) is str else None
    if found is None:
        return _OTHER_LINE
    name = fields.clean(found.user)
    if name is None:
        return _NO_USER
    if (found.detail or "").startswith("banned") and fields.address(name):
        return _ABOUT_ADDRESS
    way = found.way
    second = _SECOND.get(way or "")
    factor = second or _FIRST.get(way or "")
    passed = found.status == Status.SUCCESS
    around = found.change or ("MFA Challenge" if second else None)
    ip = fields.address(row.get("remote_ip"))
    written = row.get("time")
    return AuthEvent(
        time=fields.timestamp(written, "time", default=record.reference_time),
        activity_id=Activity.OTHER if around else Activity.LOGON,
        activity_name=around,
        status_id=found.status,
        status_detail=found.detail or (None if passed else field(row, "error")),
        user=User(name=name, email_addr=fields.email(name)),
        service=_AUTHELIA,
        src_endpoint=Endpoint(ip=ip) if ip else None,
        is_mfa=True if second and passed else None,
        auth_factors=(factor,) if factor else None,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=None,
            log_name="Authelia log",
            original_time=written,
            event_code=way,
        ),
        # A second factor is asked for after the first.
        unmapped=_ACCEPTED if second and not passed else None,
    )


def _row(record: RawRecord) -> dict[str, Any] | None:
    return record.fields if record.fields is not None else _pairs(record.body)


@lru_cache(maxsize=16)
def _pairs(body: bytes) -> dict[str, Any] | None:
    """The members of a line of text. Recognised once, it is not read again."""
    if b'time="' not in body[:512]:
        return None
    line = body[:MAX_LINE].decode("utf-8", "replace").strip()
    start = _LINE.search(line)
    if start is None:
        return None
    row: dict[str, Any] = {}
    for name, quoted, bare in _PAIR.findall(line, start.start()):
        row.setdefault(name, _ESCAPE.sub(_unescaped, quoted) if "\\" in quoted else quoted or bare)
    return row


def _unescaped(match: re.Match[str]) -> str:
    return _BLANKS.get(match[1], match[1])


def _attempt(message: str) -> Attempt | None:
    if match := _PASSED.fullmatch(message):
        return Attempt(match[2], Status.SUCCESS, match[1])
    if match := _FAILED.fullmatch(message):
        return Attempt(match[2], Status.FAILURE, match[1], detail=match[3] or match[4])
    if match := _ABSENT.fullmatch(message):
        return Attempt(match[1], Status.FAILURE, "1FA")
    if match := _CHANGED.fullmatch(message):
        change = "Password Reset" if match[2] == "reset" else "Password Change"
        return Attempt(match[1], Status.SUCCESS, change=change)
    return None


SOURCE = Source(
    name="authelia",
    title="Authelia",
    reads=("lines of the log, as text (logfmt) or JSON",),
    gives=(
        "user.name",
        "user.email_addr",
        "src_endpoint.ip",
        "is_mfa",
        "auth_factors",
        "status_detail",
        "unmapped.credential_accepted",
    ),
    documentation="https://www.authelia.com/configuration/miscellaneous/logging/",
    recognise=recognise,
    parse=parse,
)
