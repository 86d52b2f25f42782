"""Salesforce: login history, event log files and real-time events of logins and verifications."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Account,
    Activity,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    HttpRequest,
    Location,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._salesforce_record import (
    LOGIN,
    LOGIN_AS,
    LOGOUT,
    VERIFICATION,
    is_salesforce,
    kind_of,
    renamed,
    written_time,
)
from quivive.sources._salesforce_words import (
    Way,
    is_multiple,
    method_of,
    outcome_of,
    user_type,
    verification_of,
    way_of,
)
from quivive.sources._systems import system_of
from quivive.sources.fields import clean, field, mapping, metadata, timestamp
from quivive.sources.source import Source

_PRODUCT = Product(name="Salesforce", vendor_name="Salesforce")
_SERVICE = Service(name="Salesforce")
_NOTHING = Unmapped()
_NO_LOGIN = Skip("no authentication event")
_INSIDE = "Salesforce.com IP"
_NO_APPLICATION = frozenset({"browser", "n/a"})
_BLOCKS = frozenset({"block", "denied"})
# A way to verify who one is that is connected, or a new address to be reached at.
_ENROLMENTS = ("Connect", "EnableLL", "ChangeEmail")
_CONNECTED_APPLICATION = "ConnectedApp"
_ALONE = "passwordless"


def recognise(record: RawRecord) -> bool:
    """A row of an event log file, or an object or event with the fields of a login's."""
    return record.fields is not None and is_salesforce(record.fields)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, log-off, impersonation or verification of one record."""
    found = record.fields or {}
    kind = kind_of(found)
    if kind is None:
        return _NO_LOGIN
    row = renamed(found)
    if kind == VERIFICATION:
        return _verification(record, row)
    way = way_of(field(row, "LoginType"), field(row, "LoginSubType"))
    status, accepted, code = _status(row, kind)
    reference = field(row, "AuthMethodReference")
    multiple = reference is not None and is_multiple(reference)
    user = _user(row, way)
    role = None
    if kind == LOGIN_AS:
        role = user.name or user.uid
        user = _delegated(row)
    return _event(
        record,
        row,
        kind,
        user=user,
        activity=Activity.LOGOFF if kind == LOGOUT else Activity.LOGON,
        status=status,
        code=code,
        is_mfa=True if multiple else None,
        factors=way.factors if kind == LOGIN else None,
        way=way,
        unmapped=_unmapped(accepted, multiple or None, role, None),
    )


def _status(row: dict[str, Any], kind: str) -> tuple[Status, bool | None, str | None]:
    """The outcome, whether the credential was right, and the vendor's word for it."""
    if kind != LOGIN:
        return Status.SUCCESS, None, None
    word = field(row, "Status") or field(row, "LoginStatus")
    if word is None:
        return Status.UNKNOWN, None, None
    policy = field(row, "PolicyOutcome")
    outcome = outcome_of(word)
    if policy is not None and policy.lower() in _BLOCKS and outcome.status == Status.SUCCESS:
        return Status.FAILURE, True, policy
    return outcome.status, outcome.accepted, None if outcome.status == Status.SUCCESS else word


def _verification(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    """An attempt to verify an identity, as a second factor or to connect one."""
    sought, word = field(row, "Activity"), field(row, "Status")
    method = field(row, "VerificationMethod")
    status = verification_of(word) if word else Status.UNKNOWN
    enrolment = sought is not None and sought.startswith(_ENROLMENTS)
    enrolment = enrolment and not (sought or "").startswith(_CONNECTED_APPLICATION)
    passed = status == Status.SUCCESS and not enrolment
    alone = _ALONE in (field(row, "Policy") or "").lower()
    return _event(
        record,
        row,
        "IdentityVerification",
        user=_user(row, Way()),
        activity=Activity.OTHER,
        name="Factor Enroll" if enrolment else "MFA Challenge",
        status=status,
        code=None if status == Status.SUCCESS else word,
        detail=field(row, "Remarks"),
        is_mfa=True if passed and not alone else None,
        # Of one that is only asked for, nothing was shown.
        factors=(method_of(method),) if method and status != Status.OTHER else None,
        way=Way(),
        unmapped=_unmapped(
            True if status in (Status.FAILURE, Status.OTHER) and not enrolment else None,
            None,
            None,
            sought,
        ),
    )


def _event(
    record: RawRecord,
    row: dict[str, Any],
    log: str,
    *,
    user: User,
    activity: Activity,
    status: Status,
    code: str | None,
    is_mfa: bool | None,
    factors: Any,
    way: Way,
    unmapped: Unmapped | None,
    name: str | None = None,
    detail: str | None = None,
) -> AuthEvent:
    written = written_time(row)
    key, session = field(row, "LoginKey"), field(row, "SessionKey")
    url = field(row, "LoginUrl")
    ip = fields.address(row.get("SourceIp"))
    return AuthEvent(
        time=timestamp(written, "EventDate", default=record.reference_time),
        activity_id=activity,
        activity_name=name,
        status_id=status,
        status_code=code,
        status_detail=detail,
        user=user,
        service=_SERVICE,
        src_endpoint=_source(row, ip),
        dst_endpoint=Endpoint(hostname=url[:255]) if url else None,
        device=_device(field(row, "Platform"), ip),
        http_request=_request(row),
        session=Session(uid=key, uid_alt=session) if key or session else None,
        is_mfa=is_mfa,
        auth_factors=factors,
        auth_protocol=way.protocol,
        auth_protocol_id=way.protocol_id,
        logon_type=way.name,
        metadata=metadata(
            record,
            _PRODUCT,
            uid=field(row, "EventIdentifier") or field(row, "Id"),
            log_name=log,
            original_time=written,
            correlation_uid=field(row, "LoginHistoryId") or field(row, "RequestIdentifier"),
            tenant_uid=field(row, "OrganizationId"),
        ),
        unmapped=unmapped,
    )


@lru_cache(1024)
def _unmapped(
    accepted: bool | None, by_claim: bool | None, role: str | None, operation: str | None
) -> Unmapped | None:
    found = Unmapped(
        credential_accepted=accepted, mfa_by_claim=by_claim, role=role, operation=operation
    )
    return None if found == _NOTHING else found


def _user(row: dict[str, Any], way: Way) -> User:
    """The user of a record; login history has the id alone, unless the query asked for more."""
    name = field(row, "Username") or field(mapping(row, "User"), "Username")
    kind = field(row, "UserType")
    return _named(name, field(row, "UserId"), user_type(kind, way), field(row, "OrganizationId"))


def _delegated(row: dict[str, Any]) -> User:
    """The administrator who logs in as somebody else."""
    name = field(row, "DelegatedUsername") or field(row, "DelegatedUserName")
    uid = field(row, "DelegatedUserId") or field(row, "DelegatedUserIdentifier")
    return _named(name, uid, UserType.ADMIN, field(row, "OrganizationId"))


@lru_cache(16384)
def _named(name: str | None, uid: str | None, kind: UserType | None, tenant: str | None) -> User:
    if name is None and uid is None:
        raise RejectError("UserId: no name and no id of the user")
    return User(
        name=name,
        uid=uid,
        email_addr=fields.email(name),
        type_id=kind,
        type="Guest" if kind == UserType.OTHER else None,
        account=Account(uid=tenant) if tenant else None,
    )


def _source(row: dict[str, Any], ip: str | None) -> Endpoint | None:
    """The client and where Salesforce places it; its own services have a name for an address."""
    if ip is None:
        return Endpoint(svc_name=_INSIDE) if row.get("SourceIp") == _INSIDE else None
    place = row if "City" in row or "Subdivision" in row else mapping(row, "LoginGeo") or row
    lat, long = _degrees(place, "Latitude", 90), _degrees(place, "Longitude", 180)
    if lat is None or long is None:
        lat = long = None
    found = Location(
        city=field(place, "City"),
        region=field(place, "Subdivision"),
        country=fields.country(place.get("CountryIso")) or fields.country(row.get("CountryIso")),
        lat=lat,
        long=long,
        postal_code=field(place, "PostalCode"),
    )
    # OCSF has no place of coordinates alone.
    stated = found.country or found.city or found.region or found.postal_code
    return Endpoint(ip=ip, location=found if stated else None)


def _degrees(place: dict[str, Any], name: str, limit: int) -> float | None:
    value = fields.number(place, f"Login{name}")
    if value is None:
        value = fields.number(place, name)
    return value if value is not None and abs(value) <= limit else None


@lru_cache(1024)
def _device(platform: str | None, ip: str | None) -> Device | None:
    system = system_of(platform) if platform else None
    return Device(type_id=DeviceType.UNKNOWN, ip=ip, os=system) if system and ip else None


def _request(row: dict[str, Any]) -> HttpRequest | None:
    """The browser, else the application that names itself; what a client says of its way here."""
    agent, application = field(row, "Browser"), field(row, "Application")
    if application and application.lower() not in _NO_APPLICATION and agent is None:
        version = field(row, "ClientVersion")
        agent = f"{application}/{version}" if version else application
    forwarded = clean(row.get("ForwardedForIp"))
    if agent is None and forwarded is None:
        return None
    hops = tuple(hop.strip() for hop in forwarded.split(",")[:16]) if forwarded else None
    return HttpRequest(user_agent=agent, x_forwarded_for=hops)


SOURCE = Source(
    name="salesforce",
    title="Salesforce",
    reads=(
        "LoginHistory and VerificationHistory of the API, as JSON or CSV",
        "event log files: Login, Logout and LoginAs",
        "real-time events: LoginEvent, LogoutEvent, LoginAsEvent, IdentityVerificationEvent",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.account.uid",
        "src_endpoint.ip",
        "src_endpoint.svc_name",
        "src_endpoint.location",
        "dst_endpoint.hostname",
        "service.name",
        "device.os",
        "http_request.user_agent",
        "http_request.x_forwarded_for",
        "session.uid",
        "session.uid_alt",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "logon_type",
        "status_code",
        "status_detail",
        "unmapped.role",
        "unmapped.operation",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
    ),
    documentation="https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_loginhistory.htm",
    recognise=recognise,
    parse=parse,
)
