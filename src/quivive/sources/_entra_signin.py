"""One Entra ID sign-in, flattened to Graph's names, as an event."""

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
    person,
)
from quivive.sources.fields import (
    boolean,
    clean,
    field,
    metadata,
    remembered,
    text,
    timestamp,
    whole,
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
_LOGON = Activity.LOGON  # a look-up in an enumeration is slow
_SUCCESS = Status.SUCCESS


def parse_sign_in(record: RawRecord, row: dict[str, Any], log: str | None) -> AuthEvent:
    """The event of a sign-in; ``log`` is its category in lower case, None for one of Graph.

    Raises RejectError for one without a time or an identity.
    """
    original_time = row.get("createdDateTime") or row.get("time") or row.get("timeGenerated")
    time = timestamp(original_time, "createdDateTime", default=record.reference_time)
    kinds = embedded_items(row, "signInEventTypes")
    is_service = _is_service(row, log, kinds)
    user = _service_identity(row, log) if is_service else _user(row)
    if not (user.name or user.uid):
        raise RejectError("userPrincipalName: no user and no service principal")
    status = embedded_object(row, "status")
    code, outcome, detail = _status(
        status.get("errorCode"),
        row.get("resultType"),
        row.get("result"),
        row.get("resultSignature"),
        status.get("failureReason"),
        row.get("resultDescription"),
        status.get("additionalDetails"),
    )
    mfa = _NO_MFA if is_service else multifactor(row, status, outcome.status)
    source = source_of(row)
    protocol, protocol_id = _protocol(row.get("authenticationProtocol"), row.get("clientAppUsed"))
    details = embedded_object(row, "deviceDetail")
    background = log in _BACKGROUND_LOGS or "nonInteractiveUser" in kinds
    if not is_service and boolean(row, "isInteractive") is False:
        background = True
    return AuthEvent(
        time=time,
        activity_id=_LOGON,
        status_id=outcome.status,
        status_code=code,
        status_detail=detail,
        user=user,
        service=_service(row, is_service),
        src_endpoint=source,
        device=device_of(details, source),
        http_request=_request(row.get("userAgent"), details.get("browser")),
        session=_session(row),
        is_mfa=mfa.is_mfa,
        auth_factors=mfa.factors,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        logon_type=_logon_type(kinds, is_service, background),
        unmapped=_unmapped(
            outcome.credential_accepted,
            mfa.by_claim,
            None if is_service else row.get("resourceDisplayName"),
            network_kind_of(row),
            _risk(row),
            True if background else None,
        ),
        metadata=metadata(
            record,
            PRODUCT,
            uid=field(row, "id"),
            log_name=field(row, "type") or _category(record) or "signIns",
            original_time=original_time,
            event_code=field(row, "operationName"),
            correlation_uid=field(row, "correlationId"),
            tenant_uid=tenant(row),
        ),
    )


@remembered(16384)
def _unmapped(
    credential_accepted: bool | None,
    mfa_by_claim: bool | None,
    resource: Any,
    network_kind: str | None,
    vendor_risk: str | None,
    non_interactive: bool | None,
) -> Unmapped | None:
    found = Unmapped(
        credential_accepted=credential_accepted,
        mfa_by_claim=mfa_by_claim,
        resource=clean(resource),
        network_kind=network_kind,
        vendor_risk=vendor_risk,
        non_interactive=non_interactive,
    )
    return None if found == _NOTHING else found


@remembered(16384)
def _request(agent: Any, browser: Any) -> HttpRequest | None:
    found = text(agent) or text(browser)
    return HttpRequest(user_agent=found) if found else None


def tenant(row: dict[str, Any]) -> str | None:
    """The tenant that wrote the record; TenantId of Log Analytics is its workspace's id."""
    found = field(row, "aadTenantId") or field(row, "resourceTenantId")
    if found is None and "timeGenerated" not in row:
        found = field(row, "tenantId")
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
    if kinds or field(row, "userPrincipalName") or field(row, "userId"):
        return False
    return bool(field(row, "servicePrincipalId") or field(row, "servicePrincipalName"))


def _user(row: dict[str, Any]) -> User:
    return _person(
        row.get("userPrincipalName"),
        row.get("signInIdentifier"),
        row.get("alternateSignInName"),
        row.get("userDisplayName"),
        row.get("identity"),
        row.get("userId"),
        row.get("userType"),
        row.get("homeTenantId"),
    )


@remembered(16384)
def _person(
    principal: Any,
    typed: Any,
    alternate: Any,
    display: Any,
    identity: Any,
    user_id: Any,
    user_type: Any,
    home_tenant: Any,
) -> User:
    full_name, uid, home = text(display), text(user_id), text(home_tenant)
    # An unknown account has neither UPN nor id, but what was typed.
    name = text(principal) or text(typed) or text(alternate)
    if not (name or uid):
        name = full_name or text(identity)
    guest = (text(user_type) or "").lower() == "guest"
    account = Account(uid=home) if home else None
    return person(name, uid, full_name, guest=guest, account=account)


def _service_identity(row: dict[str, Any], log: str | None) -> User:
    app = field(row, "appId")
    uid = field(row, "servicePrincipalId") or app
    name = field(row, "servicePrincipalName") or field(row, "appDisplayName")
    return User(
        name=name or field(row, "identity"),
        uid=uid,
        uid_alt=app if app != uid else None,
        email_addr=email_of(name),
        type_id=UserType.SYSTEM if log == _PLATFORM_LOG else UserType.SERVICE,
        credential_uid=field(row, "servicePrincipalCredentialKeyId")
        or field(row, "servicePrincipalCredentialThumbprint")
        or field(row, "federatedCredentialId"),
    )


def _service(row: dict[str, Any], is_service: bool) -> Service:
    """The application a user signs in to; for a service principal the resource it calls."""
    if not is_service:
        return _application(row.get("appDisplayName"), row.get("appId"))
    uid = field(row, "resourceIdentity") or field(row, "resourceId")
    if uid is not None and uid.startswith("/"):  # of the envelope: the tenant's log
        uid = None
    return _application(row.get("resourceDisplayName"), uid)


@remembered(16384)
def _application(name: Any, uid: Any) -> Service:
    name, uid = text(name), text(uid)
    return Service(name=name, uid=uid) if name or uid else DIRECTORY


@remembered(16384)
def _status(
    error_code: Any,
    result_type: Any,
    result: Any,
    signature: Any,
    failure: Any,
    description: Any,
    additional: Any,
) -> tuple[str | None, aadsts.Outcome, str | None]:
    """The code, what it says, and the same in the vendor's words."""
    code = whole(error_code)
    if code is None:
        code = whole(result_type)
    outcome = aadsts.UNKNOWN
    if code is not None:
        outcome = aadsts.outcome(code)
    else:
        for value in (result_type, result, signature):
            word = text(value)
            if word is not None and word.lower() in _WORDS:
                outcome = _WORDS[word.lower()]
                break
    shown = None if code is None else str(code)
    further = text(additional)
    reason = text(failure) or text(description)
    if outcome.status == _SUCCESS or reason is None or reason.lower() in ("other", "other."):
        return shown, outcome, further
    return shown, outcome, f"{reason} {further}" if further and further != reason else reason


def _session(row: dict[str, Any]) -> Session | None:
    uid = field(row, "sessionId")
    token = field(row, "uniqueTokenIdentifier")
    return Session(uid=uid, uid_alt=token) if uid or token else None


@remembered(4096)
def _protocol(stated: Any, client_app: Any) -> tuple[str | None, int | None]:
    """The protocol, and its OCSF id."""
    protocol = text(stated)
    if protocol is None:
        app = text(client_app)
        if app is not None and app.lower() in _LEGACY_CLIENTS:
            protocol = app
    return protocol, _PROTOCOL_IDS.get(protocol.lower(), 99) if protocol else None


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
    level = field(row, "riskLevelDuringSignIn")
    if level is None and not row.get("riskEventTypes_v2") and not row.get("riskEventTypes"):
        return None
    if level is not None and level.lower() != "hidden":
        found.append(level)
    kinds = embedded_items(row, "riskEventTypes_v2") or embedded_items(row, "riskEventTypes")
    found.extend(word for kind in kinds if (word := clean(kind)))
    return ", ".join(found) or None
