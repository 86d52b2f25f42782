"""Reading untrusted fields: text, numbers, times and addresses, with placeholders taken out.

Every getter answers None for a field that is absent, of another type, or a placeholder such as
"-" or "Not Available"; only ``timestamp`` raises, because a login of unknown time has no place
in a history.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache, wraps
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, ParamSpec, TypeVar

from quivive.model.address import mail_address
from quivive.model.event import OCSF_VERSION, Metadata, Product
from quivive.model.record import RawRecord, RejectError

PLACEHOLDERS = frozenset(
    {
        "",
        "-",
        "--",
        "n/a",
        "na",
        "none",
        "null",
        "nil",
        "unknown",
        "(unknown)",
        "(null)",
        "undefined",
        "not available",
        "not applicable",
        "notavailable",
        "not set",
        "%%1793",
    }
)
SHORT = 1 + max(map(len, PLACEHOLDERS))
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
EARLIEST_MS = 946_684_800_000  # 2000-01-01: an older "login" is an unset clock
LATEST_MS = 4_102_444_800_000  # 2100-01-01
MAX_TEXT = 4096
MAX_ADDRESS = 128


_P = ParamSpec("_P")
_T = TypeVar("_T")


def remembered(size: int) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Keeps the last ``size`` answers of a pure function of raw values, by value and type: most of
    what a log says, it said before. What cannot be looked up (a list where a word belongs) is
    worked out each time.
    """

    def around(function: Callable[_P, _T]) -> Callable[_P, _T]:
        kept = lru_cache(size, typed=True)(function)

        @wraps(function)
        def answer(*given: _P.args, **named: _P.kwargs) -> _T:
            try:
                return kept(*given)
            except TypeError:
                return function(*given, **named)

        return answer

    return around


def dig(fields: Any, *path: str) -> Any:
    """The value at a path of nested objects, or None where the path breaks off."""
    for key in path:
        if type(fields) is not dict:
            return None
        fields = fields.get(key)
    return fields


def text(fields: Any, *path: str) -> str | None:
    """A string (numbers are written out), stripped; None for absent or placeholder values.

    Without a path, ``fields`` is the value itself.
    """
    for key in path:
        if type(fields) is not dict:
            return None
        fields = fields.get(key)
    if type(fields) is str:
        return clean(fields)
    return str(fields) if type(fields) is int else None


def field(row: dict[str, Any], key: str) -> str | None:
    """``text`` for one name, in one call: a record has thirty of them."""
    value = row.get(key)
    if not value or type(value) is not str:
        return str(value) if type(value) is int else None
    word: str = value.strip()
    length = len(word)
    if length < SHORT:
        return None if word.lower() in PLACEHOLDERS else word
    if length <= MAX_TEXT:
        return None if word == ZERO_GUID else word
    return word[:MAX_TEXT]


def clean(value: Any) -> str | None:
    """The string itself without surrounding space; None if no string or a placeholder."""
    if type(value) is not str:
        return None
    word: str = value.strip()
    length = len(word)
    if length < SHORT:
        return None if word.lower() in PLACEHOLDERS else word
    if length <= MAX_TEXT:
        return None if word == ZERO_GUID else word
    return word[:MAX_TEXT]


def mapping(fields: Any, *path: str) -> dict[str, Any]:
    """A nested object, or an empty one."""
    for key in path:
        if type(fields) is not dict:
            return {}
        fields = fields.get(key)
    return fields if type(fields) is dict else {}


def items(fields: Any, *path: str) -> list[Any]:
    """A nested array, or an empty one."""
    value = dig(fields, *path)
    return value if type(value) is list else []


def integer(fields: Any, *path: str) -> int | None:
    """A whole number, also when written as text or as a float without fraction."""
    for key in path:
        if type(fields) is not dict:
            return None
        fields = fields.get(key)
    return whole(fields)


def whole(value: Any) -> int | None:
    """``integer`` of a value by itself."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is str and len(value) < 20:
        try:
            return int(value.strip())
        except ValueError:
            return None
    return None


def number(fields: Any, *path: str) -> float | None:
    """A finite number, also when written as text."""
    for key in path:
        if type(fields) is not dict:
            return None
        fields = fields.get(key)
    if type(fields) is str and len(fields) < 40:
        try:
            fields = float(fields)
        except ValueError:
            return None
    if type(fields) is int:
        return float(fields)
    if type(fields) is float and fields - fields == 0:
        return fields
    return None


def boolean(fields: Any, *path: str) -> bool | None:
    """A truth value, also when written as "true"/"Yes"/"1"."""
    for key in path:
        if type(fields) is not dict:
            return None
        fields = fields.get(key)
    if type(fields) is bool:
        return fields
    if type(fields) is str:
        word = fields.strip().lower()
        if word in ("true", "yes", "1"):
            return True
        if word in ("false", "no", "0"):
            return False
    return None


def timestamp(value: Any, field: str, default: int | None = None) -> int:
    """Milliseconds UTC of an ISO 8601 text (any fraction, "Z" or offset, else UTC), a US-style
    "1/31/2026 3:04:05 PM", or epoch seconds, milliseconds, microseconds or nanoseconds.

    The ``default`` stands in for None and "": a record without a time of its own. Raises
    RejectError naming ``field`` for anything else and for times before 2000 or after 2099.
    """
    if default is not None and (value is None or value == ""):
        return default
    if type(value) is str:
        ms = _from_text(value.strip())
    elif type(value) in (int, float):
        ms = _from_number(value)
    else:
        ms = None
    if ms is None:
        shown = "missing" if value is None else f"not a time: {str(value)[:60]!r}"
        raise RejectError(f"{field}: {shown}")
    if not EARLIEST_MS <= ms < LATEST_MS:
        raise RejectError(f"{field}: outside 2000 to 2099: {str(value)[:60]!r}")
    return ms


def _from_number(value: float) -> int | None:
    if value != value or abs(value) > 4.2e18:
        return None
    size = abs(value)
    if size < 1e11:
        return round(value * 1000)
    if size < 1e14:
        return int(value)
    if size < 1e17:
        return int(value // 1000)
    return int(value // 1_000_000)


_US_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y, %I:%M:%S %p")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _from_text(value: str) -> int | None:
    if not value or len(value) > 64:
        return None
    if value[4:5] != "-" and len(value) >= 9 and value.isascii():
        if value.replace(".", "", 1).isdecimal():
            return _from_number(float(value) if "." in value else int(value))
    moment = _iso(value) or _us_style(value)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _iso(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _us_style(value: str) -> datetime | None:
    for pattern in _US_FORMATS:
        try:
            return datetime.strptime(value, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def zone(offset_minutes: int) -> timezone:
    """A fixed offset, for formats that state one apart from the time."""
    return timezone(timedelta(minutes=offset_minutes))


@lru_cache(maxsize=65536)
def _parse_address(value: str) -> str | None:
    candidate = value.strip().strip('"').removeprefix("::ffff:").removeprefix("::FFFF:")
    if candidate.startswith("["):
        candidate = candidate[1:].partition("]")[0]
    elif candidate.count(":") == 1 and "." in candidate:
        candidate = candidate.partition(":")[0]
    candidate = candidate.partition("%")[0].partition("/")[0]
    try:
        parsed: IPv4Address | IPv6Address = ip_address(candidate)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.is_unspecified or (isinstance(parsed, IPv6Address) and parsed.is_loopback):
        return None
    return str(parsed)


def address(value: Any) -> str | None:
    """Canonical text of one IP address; None for names, placeholders, "::", "0.0.0.0", "::1".

    Accepts a port ("192.0.2.1:443", "[2001:db8::1]:443"), a zone and an IPv4-mapped form
    ("::ffff:192.0.2.1" gives "192.0.2.1").
    """
    if type(value) is not str or not 2 <= len(value) <= MAX_ADDRESS:
        return None
    return _parse_address(value)


def port(value: Any) -> int | None:
    """A port from 1 to 65535, also when written as text; None for 0 and placeholders."""
    found = whole(value)
    return found if found is not None and 0 < found < 65536 else None


def email(value: str | None) -> str | None:
    """The value if it looks like an e-mail address or UPN ("a@b.c"), in lower case."""
    return mail_address(value)


def country(value: Any) -> str | None:
    """An ISO 3166-1 alpha-2 code in capitals; None for names and placeholders."""
    if type(value) is not str:
        return None
    word = value.strip()
    if len(word) != 2 or not word.isascii() or not word.isalpha() or word.lower() in PLACEHOLDERS:
        return None
    return word.upper()


def metadata(
    record: RawRecord,
    product: Product,
    *,
    uid: str | None,
    log_name: str,
    original_time: Any,
    event_code: str | None = None,
    correlation_uid: str | None = None,
    tenant_uid: str | None = None,
    logged_time: int | None = None,
) -> Metadata:
    """The metadata of an event read from this record."""
    return Metadata(
        version=OCSF_VERSION,
        product=product,
        uid=uid,
        log_name=log_name,
        sequence=record.sequence,
        original_time=None if original_time in (None, "") else str(original_time)[:64],
        event_code=event_code,
        correlation_uid=correlation_uid,
        tenant_uid=tenant_uid,
        logged_time=logged_time,
    )
