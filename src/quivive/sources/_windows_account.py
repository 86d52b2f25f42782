"""Accounts in Windows events: who they are and of what kind."""

from functools import lru_cache
from typing import Any

from quivive.model.event import Actor, User, UserType
from quivive.sources.fields import email

MAX_NAME = 256
LOGON_SERVICE = 5
NULL_SID = "S-1-0-0"
# LocalSystem, LocalService, NetworkService, Anonymous; window manager, font driver, Hyper-V.
SYSTEM_SIDS = frozenset({"S-1-5-7", "S-1-5-18", "S-1-5-19", "S-1-5-20"})
REPORTING_SIDS = (NULL_SID, "S-1-5-18")
SYSTEM_SID_FAMILIES = ("S-1-5-83-", "S-1-5-90-", "S-1-5-96-")
SERVICE_SID_FAMILIES = ("S-1-5-80-", "S-1-5-82-")  # NT SERVICE\…, IIS APPPOOL\…
SYSTEM_DOMAINS = frozenset(
    {"nt authority", "window manager", "font driver host", "nt virtual machine"}
)
SERVICE_DOMAINS = frozenset({"nt service", "iis apppool"})


def word(data: dict[str, Any], name: str) -> str | None:
    """A name or SID as it stands; a user may well be called "null", so only "-" is empty."""
    value = data.get(name)
    if type(value) is int:
        return str(value)
    if type(value) is not str:
        return None
    value = value.strip()
    return value[:MAX_NAME] if value and value not in ("-", "%%1793", NULL_SID) else None


def account(
    data: dict[str, Any],
    role: str,
    *,
    domain: str | None = None,
    logon_type: int | None = None,
    credential: str | None = None,
) -> User | None:
    """The account in a role of the event, "Target" or "Subject"; None if it has no name."""
    name = word(data, f"{role}UserName")
    sid = word(data, f"{role}UserSid") or word(data, f"{role}Sid")
    if name is None and sid is None:
        return None
    domain = domain or word(data, f"{role}DomainName")
    type_id, type_name = _account_type(name or "", sid or "", (domain or "").lower(), logon_type)
    return User(
        name=name,
        uid=sid,
        domain=domain,
        email_addr=email(name),
        type_id=type_id,
        type=type_name,
        credential_uid=credential,
    )


@lru_cache(maxsize=65536)
def _account_type(
    name: str, sid: str, domain: str, logon_type: int | None
) -> tuple[UserType, str | None]:
    """Machine and managed service accounts end in "$"; RID 500 is the built-in administrator,
    501 the guest and 502 the ticket service, whatever they were renamed to."""
    name = name.lower()
    relative = sid.rpartition("-")[2] if sid.startswith("S-1-5-21-") else ""
    if (
        sid in SYSTEM_SIDS
        or sid.startswith(SYSTEM_SID_FAMILIES)
        or domain in SYSTEM_DOMAINS
        or name.partition("@")[0].endswith("$")
        or name == "anonymous logon"
        or relative == "502"
    ):
        return UserType.SYSTEM, None
    if sid.startswith(SERVICE_SID_FAMILIES) or domain in SERVICE_DOMAINS:
        return UserType.SERVICE, None
    if relative == "500" or name == "administrator":
        return UserType.ADMIN, None
    if relative == "501" or name == "guest":
        return UserType.OTHER, "Guest"
    return (UserType.SERVICE if logon_type == LOGON_SERVICE else UserType.USER), None


def principal(data: dict[str, Any]) -> User | None:
    """The client of a ticket request, "alice@EXAMPLE.COM": account and realm. A realm is spelled
    as the domain's DNS name, so the two make up a UPN."""
    written = word(data, "TargetUserName")
    if written is None or "@" not in written:
        return account(data, "Target")
    name, _, realm = written.rpartition("@")
    type_id, type_name = _account_type(name, "", realm.lower(), None)
    return User(
        name=name or written,
        domain=realm or None,
        email_addr=email(written) if type_id != UserType.SYSTEM else None,
        type_id=type_id,
        type=type_name,
    )


def actor(data: dict[str, Any], user: User) -> Actor | None:
    """The subject, where a person or service other than the user itself; the computer's own
    account merely reports most logons."""
    if data.get("SubjectUserSid") in REPORTING_SIDS:
        return None
    subject = account(data, "Subject")
    if subject is None or subject.type_id == UserType.SYSTEM:
        return None
    if subject.uid == user.uid if subject.uid and user.uid else subject.name == user.name:
        return None
    return Actor(user=subject)
