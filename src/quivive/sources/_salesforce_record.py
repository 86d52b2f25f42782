"""One Salesforce record by the names of its event, whichever of the three forms it came in."""

from typing import Any

from quivive.sources.fields import field, mapping

LOGIN, LOGOUT, LOGIN_AS, VERIFICATION = "Login", "Logout", "LoginAs", "Verification"
# Objects of the API and of event streams.
_OBJECTS = {
    "LoginHistory": LOGIN,
    "LoginEvent": LOGIN,
    "LoginEventLog": LOGIN,
    "LogoutEvent": LOGOUT,
    "LogoutEventLog": LOGOUT,
    "LoginAsEvent": LOGIN_AS,
    "LoginAsEventLog": LOGIN_AS,
    "IdentityVerificationEvent": VERIFICATION,
    "VerificationHistory": VERIFICATION,
}
_FILES = {"Login": LOGIN, "Logout": LOGOUT, "LoginAs": LOGIN_AS}
# The columns of event log files, by the names of the objects' fields.
_COLUMNS = {
    "EventDate": ("TIMESTAMP_DERIVED", "TIMESTAMP"),
    "UserId": ("USER_ID_DERIVED", "USER_ID"),
    "Username": ("USER_NAME", "USERNAME"),
    "UserType": ("USER_TYPE",),
    "SourceIp": ("SOURCE_IP", "CLIENT_IP"),
    "ForwardedForIp": ("FORWARDED_FOR_IP",),
    "Status": ("LOGIN_STATUS",),
    "LoginType": ("LOGIN_TYPE",),
    "LoginSubType": ("LOGIN_SUB_TYPE",),
    "LoginKey": ("LOGIN_KEY",),
    "SessionKey": ("SESSION_KEY",),
    "Browser": ("BROWSER_TYPE",),
    "CountryIso": ("COUNTRY_CODE",),
    "AuthMethodReference": ("AUTHENTICATION_METHOD_REFERENCE",),
    "DelegatedUserId": ("DELEGATED_USER_ID_DERIVED", "DELEGATED_USER_ID"),
    "DelegatedUsername": ("DELEGATED_USER_NAME",),
    "RequestIdentifier": ("REQUEST_ID",),
    "OrganizationId": ("ORGANIZATION_ID",),
}


def is_salesforce(row: dict[str, Any]) -> bool:
    """Whether a record is a row of an event log file, an object of the API or an event."""
    if "EVENT_TYPE" in row:
        return "USER_ID" in row and ("ORGANIZATION_ID" in row or "REQUEST_ID" in row)
    row = opened(row)
    kind = mapping(row, "attributes").get("type")
    if type(kind) is str and kind in _OBJECTS:
        return True
    if "EventIdentifier" in row and "EventDate" in row:
        return "LoginKey" in row or "SessionKey" in row
    if "LoginTime" in row:
        return "LoginType" in row and ("SourceIp" in row or "LoginUrl" in row)
    return "VerificationTime" in row and "VerificationMethod" in row


def opened(row: dict[str, Any]) -> dict[str, Any]:
    """The event inside what a stream wraps it in."""
    data = row["data"] if type(row.get("data")) is dict else row
    payload = data.get("payload")
    return payload if type(payload) is dict and "EventDate" in payload else row


def kind_of(row: dict[str, Any]) -> str | None:
    """What a record is about; None for what is no login."""
    if "EVENT_TYPE" in row:
        return _FILES.get(field(row, "EVENT_TYPE") or "")
    inner = opened(row)
    kind = mapping(inner, "attributes").get("type")
    if type(kind) is str:
        return _OBJECTS.get(kind)
    if "VerificationMethod" in inner:
        return VERIFICATION
    if "DelegatedUsername" in inner:
        return LOGIN_AS
    if "LoginType" in inner:
        return LOGIN
    # A log-off has no field of its own.
    stream = field(row, "channel") or ""
    return LOGOUT if "LogoutEvent" in stream else None


def renamed(row: dict[str, Any]) -> dict[str, Any]:
    """The record with the objects' names of its fields."""
    if "EVENT_TYPE" not in row:
        return opened(row)
    found: dict[str, Any] = {}
    for name, columns in _COLUMNS.items():
        for column in columns:
            value = row.get(column)
            if value is not None and value != "":
                found[name] = value
                break
    return found


def written_time(row: dict[str, Any]) -> Any:
    """The time; the files' own, "20260304080211.102", as ISO 8601."""
    value = row.get("EventDate") or row.get("LoginTime") or row.get("VerificationTime")
    value = value or row.get("Timestamp")
    if type(value) is str and value[:14].isdecimal() and value[14:15] in (".", ""):
        day, clock = value[:8], value[8:14]
        if len(clock) == 6:
            date = f"{day[:4]}-{day[4:6]}-{day[6:]}"
            return f"{date}T{clock[:2]}:{clock[2:4]}:{clock[4:]}{value[14:]}Z"
    return value
