"""Logins of Microsoft 365, flattened to lower-case names, as events."""

from typing import Any

from quivive.model.event import (
    Activity,
    AuthEvent,
    Device,
    Endpoint,
    HttpRequest,
    Service,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError
from quivive.sources import aadsts
from quivive.sources._m365_record import (
    CLAIM,
    STATUS,
    UPN,
    WORKLOADS,
    first,
    ids,
    is_guid,
    metadata_of,
    pairs,
    source_of,
    time_of,
)
from quivive.sources._microsoft import (
    device,
    email_of,
    embedded_object,
    is_external,
)
from quivive.sources.fields import boolean, field, integer, text

_APPLICATIONS = {
    "00000002-0000-0000-c000-000000000000": "Windows Azure Active Directory",
    "00000002-0000-0ff1-ce00-000000000000": "Office 365 Exchange Online",
    "00000003-0000-0000-c000-000000000000": "Microsoft Graph",
    "00000003-0000-0ff1-ce00-000000000000": "Office 365 SharePoint Online",
    "00000006-0000-0ff1-ce00-000000000000": "Microsoft Office 365 Portal",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
    "1b730954-1685-4b74-9bfd-dac224a7b894": "Azure Active Directory PowerShell",
    "1fec8e78-bce4-4aaf-ab1b-5451cc387264": "Microsoft Teams",
    "27922004-5251-4030-b22d-91ecd9a37ea4": "Outlook Mobile",
    "29d9ed98-a469-4536-ade2-f981bc1d605e": "Microsoft Authentication Broker",
    "4765445b-32c6-49b0-83e6-1d93765276ca": "OfficeHome",
    "5e3ce6c0-2b1f-4285-8d4b-75ee78787346": "Microsoft Teams Web Client",
    "9199bf20-a13f-4107-85dc-02114787ef48": "One Outlook Web",
    "ab9b8c07-8f02-4f72-87fa-80105867a763": "OneDrive SyncEngine",
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
    "d3590ed6-52b3-4102-aeff-aad2292ab01c": "Microsoft Office",
    "fb78d390-0c51-40cd-8e17-fdbfab77341b": "Microsoft Exchange REST API Based PowerShell",
}
# UserType, as number in the API and as name in Log Analytics; 3 are datacenter administrators.
_USER_TYPES = {
    "2": UserType.ADMIN,
    "admin": UserType.ADMIN,
    "3": UserType.SYSTEM,
    "dcadmin": UserType.SYSTEM,
    "4": UserType.SYSTEM,
    "system": UserType.SYSTEM,
    "5": UserType.SERVICE,
    "application": UserType.SERVICE,
    "6": UserType.SERVICE,
    "serviceprincipal": UserType.SERVICE,
}
_GUESTS = frozenset({"10", "guest"})
_PROTOCOL_IDS = {"OAuth2": 6, "Saml2": 5}  # OCSF auth_protocol_id
_NOTHING = Unmapped()


def parse_login(record: RawRecord, row: dict[str, Any], operation: str) -> AuthEvent:
    """The event of a login.

    Raises RejectError for one without a time or a user.
    """
    extended = pairs(row, "extendedproperties")
    properties = pairs(row, "deviceproperties")
    source = source_of(row)
    code = integer(row, "errornumber")
    error = field(row, "logonerror")
    outcome = _outcome(row, operation, code, error)
    protocol = (field(extended, "RequestType") or "").partition(":")[0]
    user = _user(row)
    agent = (
        field(extended, "UserAgent")
        or field(row, "useragent")
        or field(row, "clientinfostring")
        or field(properties, "BrowserType")
    )
    unmapped = Unmapped(
        credential_accepted=outcome.credential_accepted, resource=_resource(row, user)
    )
    return AuthEvent(
        time=time_of(record, row),
        activity_id=Activity.LOGON,
        status_id=outcome.status,
        status_code=None if code is None else str(code),
        status_detail=error or field(extended, "ResultStatusDetail"),
        user=user,
        service=_service(row),
        src_endpoint=source,
        device=_device(properties, source),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=_session(row, properties),
        auth_protocol=protocol if protocol in _PROTOCOL_IDS else None,
        auth_protocol_id=_PROTOCOL_IDS.get(protocol),
        unmapped=None if unmapped == _NOTHING else unmapped,
        metadata=metadata_of(record, row, operation),
    )


def _outcome(
    row: dict[str, Any], operation: str, code: int | None, error: str | None
) -> aadsts.Outcome:
    """The operation tells whether a login failed; its error, whether it was an interrupt."""
    if code:
        return aadsts.outcome(code)
    if operation.lower() == "userloginfailed":
        return aadsts.outcome_of_name(error) if error else aadsts.FAILURE
    failed = STATUS.get((field(row, "resultstatus") or "").lower()) == Status.FAILURE
    return aadsts.FAILURE if failed else aadsts.SUCCESS


def _user(row: dict[str, Any]) -> User:
    """Whoever logs in: UserId, or the actor's UPN where that is a placeholder or a bare id."""
    name = field(row, "userid") or field(row, "userids") or field(row, "userprincipalname")
    key = field(row, "userkey")
    uid = key if is_guid(key) else first(ids(row, "actor", CLAIM))
    if name is None or is_guid(name):
        uid = uid or name
        name = first(ids(row, "actor", UPN))
    if name is None and uid is None:
        uid = key
    if name is None and uid is None:
        raise RejectError("UserId: missing, and neither UserKey nor Actor tells the user")
    kind = (field(row, "usertype") or "").lower()
    guest = kind in _GUESTS or is_external(name)
    return User(
        name=name,
        uid=uid if uid != name else None,
        uid_alt=key if key not in (uid, name) else None,
        email_addr=email_of(name),
        type_id=UserType.OTHER if guest else _USER_TYPES.get(kind, UserType.USER),
        type="Guest" if guest else None,
    )


def _service(row: dict[str, Any]) -> Service:
    uid = field(row, "applicationid") or field(row, "clientappid")
    name = _APPLICATIONS.get(uid) if uid else None
    if name is None:
        workload = field(row, "workload") or field(row, "service") or "Microsoft 365"
        name = WORKLOADS.get(workload.lower(), workload)
    return Service(name=name, uid=uid)


def _resource(row: dict[str, Any], user: User) -> str | None:
    """What was signed in to: somebody else's mailbox, or the resource behind the application."""
    owner = field(row, "mailboxownerupn")
    if owner is not None:
        return owner if owner != user.name else None
    found = field(row, "objectid")  # Teams puts the client's platform there
    return _APPLICATIONS.get(found, found) if found and is_guid(found) else None


def _device(properties: dict[str, Any], source: Endpoint | None) -> Device | None:
    return device(
        field(properties, "Id"),
        field(properties, "DisplayName"),
        field(properties, "OS"),
        source.ip if source else None,
        boolean(properties, "IsCompliantAndManaged") or None,
        boolean(properties, "IsCompliant"),
    )


def _session(row: dict[str, Any], properties: dict[str, Any]) -> Session | None:
    access = embedded_object(row, "appaccesscontext")
    uid = field(properties, "SessionId") or text(access, "AADSessionId") or field(row, "sessionid")
    token = text(access, "UniqueTokenId")
    return Session(uid=uid, uid_alt=token) if uid or token else None
