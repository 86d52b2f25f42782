"""One Entra ID sign-in, flattened to lower-case names, as an event."""

from typing import Any

from quivive.model.event import (
    Account,
    Activity,
    AuthEvent,
    HttpRequest,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError
from quivive.sources import aadsts
from quivive.sources._entra_client import device_of, network_kind_of, source_of
from quivive.sources._entra_mfa import Mfa, multifactor
from quivive.sources._microsoft import (
    email_of,
    embedded_items,
    embedded_object,
    field,
    is_external,
)
from quivive.sources.fields import (
    boolean,
    clean,
    integer,
    metadata,
    text,
    timestamp,
)

PRODUCT = Product(name="Entra ID", vendor_name="Microsoft")
DIRECTORY = Service(name="Microsoft Entra ID")

_SERVICE_LOGS = frozenset(
    {
        "serviceprincipalsigninlogs",
        "aadserviceprincipalsigninlogs",
        "managedidentitysigninlogs",
        "aadmanagedidentitysigninlogs",
        "microsoftserviceprincipalsigninlogs",
    }
)
_PLATFORM_LOG = "microsoftserviceprincipalsigninlogs"  # sign-ins of Microsoft's own services
_BACKGROUND_LOGS = frozenset({"noninteractiveusersigninlogs", "aadnoninteractiveusersigninlogs"})
_WORDS = {
    "success": aadsts.SUCCESS,
    "succeeded": aadsts.SUCCESS,
    "failure": aadsts.FAILURE,
    "failed": aadsts.FAILURE,
}
_PROTOCOL_IDS = {"oauth2": 6, "saml20": 5}  # OCSF auth_protocol_id; any other is 99
# Clients that cannot be asked for a second factor; sign-ins with them name no protocol.
_LEGACY_CLIENTS = frozenset(
    {
        "authenticated smtp",
        "autodiscover",
        "exchange activesync",
        "exchange online powershell",
        "exchange web services",
        "imap4",
        "mapi over http",
        "offline address book",
        "other clients",
        "outlook anywhere (rpc over http)",
        "pop3",
        "reporting web services",
    }
)
_NO_MFA = Mfa()
_NOTHING = Unmapped()


def parse_sign_in(record: RawRecord, row: dict[str, Any], log: str | None) -> AuthEvent:
    """The event of a sign-in; ``log`` is its category in lower case, None for one of Graph.

    Raises RejectError for one without a time or an identity.
    """
    original_time = row.get("createddatetime") or row.get("time") or row.get("timegenerated")
    time = timestamp(original_time, "createdDateTime", default=record.reference_time)
    kinds = embedded_items(row, "signineventtypes")
    is_service = _is_service(row, log, kinds)
    user = _service_identity(row, log) if is_service else _user(row)
    if not (user.name or user.uid):
        raise RejectError("userPrincipalName: no user and no service principal")
    status = embedded_object(row, "status")
    code = integer(status, "errorCode")
    if code is None:
        code = integer(row, "resulttype")
    outcome = _outcome(row, code)
    mfa = _NO_MFA if is_service else multifactor(row, status, outcome.status)
    source = source_of(row)
    protocol = _protocol(row)
    details = embedded_object(row, "devicedetail")
    agent = field(row, "useragent") or field(details, "browser")
    background = log in _BACKGROUND_LOGS or "nonInteractiveUser" in kinds
    if not is_service and boolean(row, "isinteractive") is False:
        background = True
    unmapped = Unmapped(
        credential_accepted=outcome.credential_accepted,
        mfa_by_claim=mfa.by_claim,
        resource=None if is_service else field(row, "resourcedisplayname"),
        network_kind=network_kind_of(row),
        vendor_risk=_risk(row),
        non_interactive=True if background else None,
    )
    return AuthEvent(
        time=time,
        activity_id=Activity.LOGON,
        status_id=outcome.status,
        status_code=None if code is None else str(code),
        status_detail=_detail(row, status, outcome.status),
        user=user,
        service=_service(row, is_service),
        src_endpoint=source,
        device=device_of(details, source),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=_session(row),
        is_mfa=mfa.is_mfa,
        auth_factors=mfa.factors,
        auth_protocol=protocol,
        auth_protocol_id=_PROTOCOL_IDS.get(protocol.lower(), 99) if protocol else None,
        logon_type=_logon_type(kinds, is_service, background),
        unmapped=None if unmapped == _NOTHING else unmapped,
        metadata=metadata(
            record,
            PRODUCT,
            uid=field(row, "id"),
            log_name=field(row, "type") or _category(record) or "signIns",
            original_time=original_time,
            event_code=field(row, "operationname"),
            correlation_uid=field(row, "correlationid"),
            tenant_uid=tenant(row),
        ),
    )


def tenant(row: dict[str, Any]) -> str | None:
    """The tenant that wrote the record; TenantId of Log Analytics is its workspace's id."""
    found = field(row, "aadtenantid") or field(row, "resourcetenantid")
    if found is None and "timegenerated" not in row:
        found = field(row, "tenantid")
    return found


def _category(record: RawRecord) -> str | None:
    """The envelope's category, which ``properties`` may have overlaid."""
    fields = record.fields
    return text(fields, "category") or text(fields, "Category")


def _is_service(row: dict[str, Any], log: str | None, kinds: list[Any]) -> bool:
    if log is not None and log in _SERVICE_LOGS:
        return True
    if "servicePrincipal" in kinds or "managedIdentity" in kinds:
        return True
    if kinds or field(row, "userprincipalname") or field(row, "userid"):
        return False
    return bool(field(row, "serviceprincipalid") or field(row, "serviceprincipalname"))


def _user(row: dict[str, Any]) -> User:
    full_name = field(row, "userdisplayname")
    uid = field(row, "userid")
    # An unknown account has neither UPN nor id, but what was typed.
    name = field(row, "userprincipalname") or field(row, "signinidentifier")
    name = name or field(row, "alternatesigninname")
    if not (name or uid):
        name = full_name or field(row, "identity")
    home = field(row, "hometenantid")
    guest = (field(row, "usertype") or "").lower() == "guest" or is_external(name)
    return User(
        name=name,
        uid=uid,
        email_addr=email_of(name),
        full_name=full_name,
        type_id=UserType.OTHER if guest else UserType.USER,
        type="Guest" if guest else None,
        account=Account(uid=home) if home else None,
    )


def _service_identity(row: dict[str, Any], log: str | None) -> User:
    app = field(row, "appid")
    uid = field(row, "serviceprincipalid") or app
    name = field(row, "serviceprincipalname") or field(row, "appdisplayname")
    return User(
        name=name or field(row, "identity"),
        uid=uid,
        uid_alt=app if app != uid else None,
        email_addr=email_of(name),
        type_id=UserType.SYSTEM if log == _PLATFORM_LOG else UserType.SERVICE,
        credential_uid=field(row, "serviceprincipalcredentialkeyid")
        or field(row, "serviceprincipalcredentialthumbprint")
        or field(row, "federatedcredentialid"),
    )


def _service(row: dict[str, Any], is_service: bool) -> Service:
    """The application a user signs in to; for a service principal the resource it calls."""
    if is_service:
        name = field(row, "resourcedisplayname")
        uid = field(row, "resourceidentity") or field(row, "resourceid")
        if uid is not None and uid.startswith("/"):  # of the envelope: the tenant's log
            uid = None
    else:
        name, uid = field(row, "appdisplayname"), field(row, "appid")
    return Service(name=name, uid=uid) if name or uid else DIRECTORY


def _outcome(row: dict[str, Any], code: int | None) -> aadsts.Outcome:
    if code is not None:
        return aadsts.outcome(code)
    for key in ("resulttype", "result", "resultsignature"):
        word = field(row, key)
        if word is not None and word.lower() in _WORDS:
            return _WORDS[word.lower()]
    return aadsts.UNKNOWN


def _detail(row: dict[str, Any], status: dict[str, Any], result: Status) -> str | None:
    reason = field(status, "failureReason") or field(row, "resultdescription")
    further = field(status, "additionalDetails")
    if result == Status.SUCCESS or reason is None or reason.lower() in ("other", "other."):
        return further
    return f"{reason} {further}" if further and further != reason else reason


def _session(row: dict[str, Any]) -> Session | None:
    uid = field(row, "sessionid")
    token = field(row, "uniquetokenidentifier")
    return Session(uid=uid, uid_alt=token) if uid or token else None


def _protocol(row: dict[str, Any]) -> str | None:
    protocol = field(row, "authenticationprotocol")
    if protocol is None:
        app = field(row, "clientappused")
        if app is not None and app.lower() in _LEGACY_CLIENTS:
            return app
    return protocol


def _logon_type(kinds: list[Any], is_service: bool, background: bool) -> str:
    for kind in kinds:
        if (word := clean(kind)) is not None:
            return word
    if is_service:
        return "servicePrincipal"
    return "nonInteractiveUser" if background else "interactiveUser"


def _risk(row: dict[str, Any]) -> str | None:
    """The risk level and the detections, "high, anonymizedIPAddress"."""
    found = []
    level = field(row, "risklevelduringsignin")
    if level is not None and level.lower() != "hidden":
        found.append(level)
    kinds = embedded_items(row, "riskeventtypes_v2") or embedded_items(row, "riskeventtypes")
    found.extend(word for kind in kinds if (word := clean(kind)))
    return ", ".join(found) or None
