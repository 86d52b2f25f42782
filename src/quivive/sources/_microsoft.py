"""What the Microsoft sources (Entra ID, Microsoft 365) share: naming users, devices, addresses,
and the directory changes that surround a login."""

from functools import lru_cache
from typing import Any

import msgspec

from quivive.model.event import Account, Device, DeviceType, Endpoint, Os, OsType, User, UserType
from quivive.sources.fields import MAX_ADDRESS, address, clean, email, port

_decode = msgspec.json.Decoder(strict=False).decode
_EXTERNAL = "#ext#"

PASSWORD_RESET = "Password Reset"  # noqa: S105
PASSWORD_CHANGE = "Password Change"  # noqa: S105
FACTOR_ENROLL = "Factor Enroll"
FACTOR_RESET = "Factor Reset"
TOKEN_CREATE = "Token Create"  # noqa: S105
MFA_CHALLENGE = "MFA Challenge"

# Activities of the directory's audit log, without the full stop Microsoft 365 ends them with.
_DIRECTORY_CHANGES = {
    "reset password": PASSWORD_RESET,
    "reset password (by admin)": PASSWORD_RESET,
    "reset password (self-service)": PASSWORD_RESET,
    "reset user password": PASSWORD_RESET,
    "change password (self-service)": PASSWORD_CHANGE,
    "change user password": PASSWORD_CHANGE,
    "add fido2 security key": FACTOR_ENROLL,
    "add passwordless phone sign-in credential": FACTOR_ENROLL,
    "add platform credential": FACTOR_ENROLL,
    "add users strong authentication phone app detail": FACTOR_ENROLL,
    "add windows hello for business credential": FACTOR_ENROLL,
    "admin registered security info": FACTOR_ENROLL,
    "admin updated security info": FACTOR_ENROLL,
    "assign hardware oath token": FACTOR_ENROLL,
    "user registered security info": FACTOR_ENROLL,
    "user updated security info": FACTOR_ENROLL,
    "admin deleted security info": FACTOR_RESET,
    "delete fido2 security key": FACTOR_RESET,
    "delete fido2 security key(s)": FACTOR_RESET,
    "delete passwordless phone sign-in credential": FACTOR_RESET,
    "delete platform credential": FACTOR_RESET,
    "delete windows hello for business credential": FACTOR_RESET,
    "disable strong authentication": FACTOR_RESET,
    "remove users strong authentication phone app detail": FACTOR_RESET,
    "user deleted security info": FACTOR_RESET,
    "add service principal credentials": TOKEN_CREATE,
    "create application password for user": TOKEN_CREATE,
    "update application - certificates and secrets management": TOKEN_CREATE,
    # The user denies having asked for a multifactor prompt: somebody else has the password.
    "fraud reported - no action taken": MFA_CHALLENGE,
    "fraud reported - user is blocked for mfa": MFA_CHALLENGE,
    "suspicious activity reported": MFA_CHALLENGE,
}

_OS_FAMILIES = (
    ("windowsphone", "Windows Phone", OsType.WINDOWS_MOBILE),
    ("windows", "Windows", OsType.WINDOWS),
    ("macos", "macOS", OsType.MACOS),
    ("ipados", "iPadOS", OsType.IPADOS),
    ("ios", "iOS", OsType.IOS),
    ("android", "Android", OsType.ANDROID),
    ("linux", "Linux", OsType.LINUX),
    ("chromeos", "ChromeOS", OsType.OTHER),
)
_DEVICE_TYPES = {
    OsType.WINDOWS_MOBILE: DeviceType.MOBILE,
    OsType.IOS: DeviceType.MOBILE,
    OsType.ANDROID: DeviceType.MOBILE,
    OsType.IPADOS: DeviceType.TABLET,
}


def lower_keys(fields: dict[str, Any]) -> dict[str, Any]:
    """The object with lower-case names: Microsoft's exports differ in the case of theirs."""
    return {key.lower(): value for key, value in fields.items()}


def embedded(value: Any) -> Any:
    """A nested value, decoded where a log stores it as JSON text; None for broken JSON."""
    if type(value) is not str or value[:1] not in ("{", "["):
        return value
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def embedded_object(fields: Any, key: str) -> dict[str, Any]:
    """A nested object, decoded if it is JSON text, or an empty one."""
    value = fields.get(key) if type(fields) is dict else None
    if type(value) is str:
        value = embedded(value)
    return value if type(value) is dict else {}


def embedded_items(fields: Any, key: str) -> list[Any]:
    """A nested array, decoded if it is JSON text, or an empty one."""
    value = fields.get(key) if type(fields) is dict else None
    if type(value) is str:
        value = embedded(value)
    return value if type(value) is list else []


def is_external(name: str | None) -> bool:
    """Whether a UPN is that of a guest ("bob_partner.org#EXT#@example.onmicrosoft.com")."""
    return name is not None and _EXTERNAL in name.lower()


@lru_cache(maxsize=16384)
def email_of(name: str | None) -> str | None:
    """The e-mail address in a UPN; for a guest the one of the home organisation."""
    if name is None or not is_external(name):
        return email(name)
    local, _, domain = name.lower().partition(_EXTERNAL)[0].rpartition("_")
    return email(f"{local}@{domain}")


def person(
    name: str | None,
    uid: str | None,
    full_name: str | None = None,
    *,
    guest: bool = False,
    account: Account | None = None,
) -> User:
    """A user of the directory, a guest where the record or the name says so."""
    guest = guest or is_external(name)
    return User(
        name=name,
        uid=uid,
        email_addr=email_of(name),
        full_name=full_name,
        type_id=UserType.OTHER if guest else UserType.USER,
        type="Guest" if guest else None,
        account=account,
    )


def same_user(one: User | None, other: User) -> bool:
    """Whether both name one identity."""
    if one is None:
        return False
    if one.uid and other.uid:
        return one.uid == other.uid
    return one.name is not None and one.name == other.name


def client(value: Any) -> Endpoint | None:
    """The endpoint of an address that may carry a port ("[2001:db8::1]:443")."""
    return _client(value) if type(value) is str and len(value) <= MAX_ADDRESS else None


@lru_cache(maxsize=65536)
def _client(value: str) -> Endpoint | None:
    ip = address(value)
    if ip is None:
        return None
    head, colon, tail = value.strip().rpartition(":")
    if colon and (head.endswith("]") or ":" not in head):
        return Endpoint(ip=ip, port=port(tail))
    return Endpoint(ip=ip)


@lru_cache(maxsize=16384)
def device(
    uid: str | None,
    name: str | None,
    os_text: str | None,
    ip: str | None,
    is_managed: bool | None = None,
    is_compliant: bool | None = None,
    is_trusted: bool | None = None,
) -> Device | None:
    """The device a record describes; one without identity stands under its address."""
    system = _operating_system(os_text) if os_text else None
    known = bool(uid or name)
    if not known and (system is None or ip is None):
        return None
    return Device(
        type_id=_DEVICE_TYPES.get(OsType(system.type_id), DeviceType.UNKNOWN)
        if system
        else DeviceType.UNKNOWN,
        uid=uid,
        name=name,
        ip=None if known else ip,
        os=system,
        is_managed=is_managed,
        is_compliant=is_compliant,
        is_trusted=is_trusted,
    )


@lru_cache(maxsize=4096)
def _operating_system(text: str) -> Os:
    """An operating system in Microsoft's spelling: "Windows 10", "Windows10", "MacOs", "Ios 17"."""
    packed = text.replace(" ", "").lower()
    for prefix, name, type_id in _OS_FAMILIES:
        if packed.startswith(prefix):
            return Os(name=name, type_id=type_id, version=packed[len(prefix) :] or None)
    return Os(name=text, type_id=OsType.OTHER)


def directory_change(operation: str, modified: list[Any]) -> str | None:
    """The activity name of a directory audit record, None for changes that are no concern.

    ``modified`` are the record's changed properties, which alone tell whether "Update user"
    touched the user's factors.
    """
    name = operation.replace("\u2013", "-").rstrip(". ").lower()
    if name != "update user":
        return _DIRECTORY_CHANGES.get(name)
    for entry in modified:
        if type(entry) is dict and (change := _factor_change(lower_keys(entry))) is not None:
            return change
    return None


def _factor_change(entry: dict[str, Any]) -> str | None:
    kind = clean(entry.get("displayname")) or clean(entry.get("name"))
    if kind not in (
        "StrongAuthenticationMethod",
        "StrongAuthenticationPhoneAppDetail",
        "StrongAuthenticationUserDetails",
    ):
        return None
    old = _methods(entry, "oldvalue", kind)
    new = _methods(entry, "newvalue", kind)
    if len(new) != len(old):
        return FACTOR_ENROLL if len(new) > len(old) else FACTOR_RESET
    # The phone app's entry changes with every use (its last authentication), so only its
    # number of entries counts.
    if new == old or kind == "StrongAuthenticationPhoneAppDetail":
        return None
    return FACTOR_ENROLL


def _methods(entry: dict[str, Any], key: str, kind: str) -> list[Any]:
    found = embedded_items(entry, key)
    if kind != "StrongAuthenticationMethod":
        return found
    # Which method is the default may change without a method coming or going.
    return sorted(str(entry.get("MethodType")) for entry in found if type(entry) is dict)
