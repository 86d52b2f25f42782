"""Snowflake LOGIN_HISTORY: rows of the view or table function, as JSON objects or CSV."""

from functools import lru_cache
from typing import Any

import msgspec

from quivive.model.event import (
    Account,
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
from quivive.sources._snowflake_factors import (
    CACHED,
    STOPS,
    First,
    Stop,
    factors_shown,
    first_factor,
    is_mfa,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="Snowflake", vendor_name="Snowflake")
_SNOWFLAKE = Service(name="Snowflake")
_WEB = Service(name="Snowflake UI")
_WEB_CLIENTS = frozenset({"SNOWFLAKE_UI", "SNOWSIGHT"})
_SYSTEM_USERS = frozenset({"SNOWFLAKE", "SYSTEM", "WORKSHEETS_APP_USER"})
_NOTHING = Unmapped()
_NO_LOGIN = Skip("no authentication event")
_NOBODY = Skip("a failed attempt of a user that Snowflake could not identify")
_LONGEST_DETAILS = 8192
_COLUMNS = (
    "IS_SUCCESS",
    "EVENT_TIMESTAMP",
    "REPORTED_CLIENT_TYPE",
    "FIRST_AUTHENTICATION_FACTOR",
)
_LOWER = ("is_success", "event_timestamp", "reported_client_type", "first_authentication_factor")
_NETWORKS = (
    ("TOR_EXITS", "tor"),
    ("ANONYMOUS_VPN", "vpn"),
    ("ANONYMOUS_PROXIES", "vpn"),
)


def recognise(record: RawRecord) -> bool:
    """Column names that only Snowflake's login history has, in either case."""
    row = record.fields
    return row is not None and (_has(row, *_COLUMNS) or _has(row, *_LOWER))


def _has(row: dict[str, Any], outcome: str, time: str, client: str, factor: str) -> bool:
    return (outcome in row or time in row) and (client in row or factor in row)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login attempt, or logout, of one row."""
    row = record.fields or {}
    if not _has(row, *_COLUMNS):
        row = {key.upper(): value for key, value in row.items()}
    kind = field(row, "EVENT_TYPE")
    if kind is None:
        raise RejectError("EVENT_TYPE: missing")
    if kind not in ("LOGIN", "LOGOUT"):
        return _NO_LOGIN
    success = fields.boolean(row, "IS_SUCCESS")
    first = field(row, "FIRST_AUTHENTICATION_FACTOR")
    user = _user(row, first)
    if user is None:
        if success is False and type(row.get("USER_NAME")) in (str, type(None)):
            return _NOBODY
        raise RejectError("USER_NAME: no name of the user")
    written = row.get("EVENT_TIMESTAMP")
    time = fields.timestamp(_iso(written), "EVENT_TIMESTAMP", default=record.reference_time)
    code = field(row, "ERROR_CODE")
    message = field(row, "ERROR_MESSAGE")
    stop = None if success else STOPS.get(code or "") or STOPS.get(message or "")
    challenged = stop is not None and stop.challenge
    status = Status.UNKNOWN
    if stop is not None:
        status = stop.status
    elif success is not None:
        status = Status.SUCCESS if success else Status.FAILURE
    second = field(row, "SECOND_AUTHENTICATION_FACTOR")
    shown = first_factor(first) if first else First()
    activity = Activity.LOGOFF if kind == "LOGOUT" else Activity.LOGON
    client = field(row, "REPORTED_CLIENT_TYPE")
    connection = field(row, "CONNECTION")
    return AuthEvent(
        time=time,
        activity_id=Activity.OTHER if challenged else activity,
        activity_name="MFA Challenge" if challenged else None,
        status_id=status,
        status_code=code,
        status_detail=message,
        user=user,
        service=_WEB if client in _WEB_CLIENTS else _SNOWFLAKE,
        dst_endpoint=Endpoint(name=connection) if connection else None,
        src_endpoint=_source(row),
        http_request=_client(client, field(row, "REPORTED_CLIENT_VERSION")),
        is_mfa=is_mfa(shown, second) if status == Status.SUCCESS else None,
        auth_factors=factors_shown(shown, second) if activity == Activity.LOGON else None,
        auth_protocol=shown.protocol,
        auth_protocol_id=shown.protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(row, "EVENT_ID"),
            log_name="LOGIN_HISTORY",
            original_time=written,
            event_code=kind,
            tenant_uid=field(row, "ACCOUNT_LOCATOR"),
        ),
        unmapped=_unmapped(row, stop, status, second),
    )


def _iso(value: Any) -> Any:
    """Snowflake's own way to write a time, "2026-03-03 08:14:02.123 -0800", as ISO 8601."""
    if type(value) is str and len(value) < 64 and value[10:11] == " ":
        day, _, rest = value.partition(" ")
        clock, _, offset = rest.partition(" ")
        return f"{day}T{clock}{offset}" if offset else value
    return value


def _user(row: dict[str, Any], first: str | None) -> User | None:
    name = field(row, "USER_NAME") if type(row.get("USER_NAME")) is str else None
    if name is None:
        return None
    type_id = None
    if name in _SYSTEM_USERS:
        type_id = UserType.SYSTEM
    elif first == "WORKLOAD_IDENTITY":
        type_id = UserType.SERVICE
    uid = field(row, "ACCOUNT_LOCATOR")
    account = field(row, "ACCOUNT_NAME") or field(row, "READER_ACCOUNT_NAME")
    return User(
        name=name,
        email_addr=fields.email(name),
        type_id=type_id,
        credential_uid=field(row, "FIRST_AUTHENTICATION_FACTOR_ID"),
        account=Account(uid=uid, name=account) if uid or account else None,
    )


def _source(row: dict[str, Any]) -> Endpoint | None:
    """The client; 0.0.0.0 stands for Snowflake itself and for failures it left out."""
    ip = fields.address(row.get("CLIENT_IP"))
    link = field(row, "CLIENT_PRIVATE_LINK_ID")
    return Endpoint(ip=ip, uid=link) if ip or link else None


@lru_cache(1024)
def _client(kind: str | None, version: str | None) -> HttpRequest | None:
    """The driver, as it calls itself; behind the web interface is a browser that is not said."""
    if kind is None or kind in _WEB_CLIENTS:
        return None
    agent = f"{kind}/{version}" if version not in (None, "0") else kind
    return HttpRequest(user_agent=agent[: fields.MAX_TEXT])


def _unmapped(
    row: dict[str, Any], stop: Stop | None, status: Status, second: str | None
) -> Unmapped | None:
    risk = network = None
    if row.get("LOGIN_DETAILS"):
        risk, network = _protection(row["LOGIN_DETAILS"])
    found = Unmapped(
        credential_accepted=True if stop is not None else None,
        mfa_by_claim=True if second == CACHED and status == Status.SUCCESS else None,
        network_kind=network,
        vendor_risk=risk,
    )
    return None if found == _NOTHING else found


def _protection(details: Any) -> tuple[str | None, str | None]:
    """The risk and the kind of network that Malicious IP Protection says an address has."""
    found = _opened(_opened(details).get("malicious_ip_protection_info"))
    risk = clean(found.get("riskClassification"))
    categories = fields.items(found, "categories")
    network = next((kind for word, kind in _NETWORKS if word in categories), None)
    return risk.lower() if risk else None, network


def _opened(value: Any) -> dict[str, Any]:
    """An object, also when it is written as a text of JSON."""
    if type(value) is str and len(value) <= _LONGEST_DETAILS:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return {}
    return value if type(value) is dict else {}


SOURCE = Source(
    name="snowflake",
    title="Snowflake login history",
    reads=(
        "rows of LOGIN_HISTORY (ACCOUNT_USAGE, ORGANIZATION_USAGE, READER_ACCOUNT_USAGE) as JSON",
        "rows of the table functions LOGIN_HISTORY and LOGIN_HISTORY_BY_USER",
        "the same as CSV with a header",
    ),
    gives=(
        "user.name",
        "user.email_addr",
        "user.type_id",
        "user.credential_uid",
        "user.account",
        "src_endpoint.ip",
        "src_endpoint.uid",
        "dst_endpoint.name",
        "service.name",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
        "unmapped.vendor_risk",
        "unmapped.network_kind",
    ),
    documentation="https://docs.snowflake.com/en/sql-reference/account-usage/login_history",
    recognise=recognise,
    parse=parse,
)
