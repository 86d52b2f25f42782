"""Google Workspace and Cloud Identity: the login, account, token, SAML and admin audit logs."""

from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    AutonomousSystem,
    Device,
    DeviceType,
    Endpoint,
    Location,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._google_activity import (
    Entry,
    entry_of,
    is_log_entry,
    is_report,
    is_table_row,
    parameters,
    person,
    words,
)
from quivive.sources._google_factors import Told, challenged, factors_of, is_mfa
from quivive.sources._google_words import (
    CHALLENGE,
    FAILURE,
    KINDS,
    NOT_ENTITLED,
    Kind,
)
from quivive.sources.fields import clean
from quivive.sources.source import Source

_PRODUCT = Product(name="Google Workspace", vendor_name="Google")
_WORKSPACE = Service(name="Google Workspace")
_NOTHING = Unmapped()
_OTHER_LOG = Skip("an activity of another application")
_NO_LOGIN = Skip("no authentication event")
_PASSWORD_ASKED = Skip("a password asked for, told by the record of its login")
_INVALID = "login_failure_invalid_password"
_LAST_ASN = 2**32 - 1


def recognise(record: RawRecord) -> bool:
    """An activity of the Reports API, of its BigQuery export, or shared with Cloud Logging."""
    row = record.fields
    if row is None:
        return False
    return is_report(row) or is_log_entry(row) or is_table_row(row)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one activity: the first of its events that bears on a login."""
    entry = entry_of(record.fields or {})
    if entry.application is None:
        raise RejectError("id.applicationName: missing")
    kinds = KINDS.get(entry.application)
    if kinds is None:
        return _OTHER_LOG
    if not entry.events:
        raise RejectError("events: no event with a name")
    found = next(((name, raw) for name, raw in entry.events if name in kinds), None)
    if found is None:
        return _NO_LOGIN
    name, raw = found
    given = parameters(raw)
    methods = words(given.get("login_challenge_method"))
    kind = kinds[name]
    if kind is CHALLENGE and methods == ["password"]:
        return _PASSWORD_ASKED
    return _event(record, entry, name, kind, given, methods)


def _event(
    record: RawRecord,
    entry: Entry,
    name: str,
    kind: Kind,
    given: dict[str, Any],
    methods: list[str],
) -> AuthEvent:
    time = fields.timestamp(entry.time, entry.time_field, default=record.reference_time)
    user, actor = _parties(entry, kind, given)
    factors = factors_of(tuple(methods))
    word = clean(given.get("login_challenge_status")) if kind.challenge else None
    status = challenged(word) if kind.challenge else kind.status
    code = clean(given.get("login_failure_type")) or clean(given.get("failure_type"))
    if code is None and status == Status.FAILURE:
        code = clean(given.get("saml_status_code"))
    told = Told(
        factors=factors,
        second=fields.boolean(given, "is_second_factor") is True,
        by_password=clean(given.get("login_type")) == "google_password",
    )
    session = clean(given.get("dusi"))
    device = clean(given.get("device_id"))
    protocol, protocol_id = kind.protocol, kind.protocol_id
    if clean(given.get("login_type")) == "saml":
        protocol, protocol_id = "SAML", 5
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=_activity_name(kind, actor),
        status_id=status,
        status=word,
        status_code=code,
        status_detail=_detail(status, given),
        user=user,
        actor=actor,
        service=_service(entry.application, given),
        src_endpoint=_source_endpoint(entry),
        device=Device(type_id=DeviceType.UNKNOWN, uid=device) if device else None,
        session=Session(uid=session) if session else None,
        is_mfa=is_mfa(kind, told) if status == Status.SUCCESS else None,
        auth_factors=factors if factors and status != Status.UNKNOWN else None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=entry.uid,
            log_name=f"Workspace {entry.application}",
            original_time=entry.time,
            event_code=name,
            tenant_uid=entry.tenant,
        ),
        unmapped=_unmapped(kind, status, given, code, told),
    )


def _parties(entry: Entry, kind: Kind, given: dict[str, Any]) -> tuple[User, Actor | None]:
    """Whose account it is about, and who acted where that is somebody else."""
    acting = entry.actor
    target = person(clean(given.get(kind.target))) if kind.target else None
    if target is None:
        if kind.owed:
            raise RejectError(f"events.parameters.{kind.target}: missing")
        if acting is None:
            raise RejectError("actor: no name or id of the user")
        return acting, entry.app
    if acting is None:
        return target, None
    if (acting.name or "").lower() == (target.name or "").lower():
        return acting, entry.app
    return target, Actor(user=acting)


def _activity_name(kind: Kind, actor: Actor | None) -> str | None:
    """An administrator who sets the own password changes it; that of others is reset."""
    if kind.name == "Password Reset" and (actor is None or actor.user is None):
        return "Password Change"
    return kind.name


def _detail(status: Status, given: dict[str, Any]) -> str | None:
    if status != Status.FAILURE:
        return None
    return clean(given.get("saml_second_level_status_code"))


def _service(application: str | None, given: dict[str, Any]) -> Service:
    """The application signed in to, or given access; Workspace itself for its own logins."""
    if application == "saml":
        name = clean(given.get("application_name"))
        return Service(name=name) if name else _WORKSPACE
    if application == "token":
        name, uid = clean(given.get("app_name")), clean(given.get("client_id"))
        return Service(name=name or uid, uid=uid) if name or uid else _WORKSPACE
    return _WORKSPACE


def _source_endpoint(entry: Entry) -> Endpoint | None:
    ip = fields.address(entry.ip)
    network = entry.network
    country = fields.country(network.get("regionCode"))
    numbers = network.get("ipAsn")
    number = fields.whole(numbers[0]) if type(numbers) is list and numbers else None
    if number is not None and not 0 < number <= _LAST_ASN:
        number = None
    if ip is None and country is None:
        return None
    region = clean(network.get("subdivisionCode"))
    return Endpoint(
        ip=ip,
        location=Location(country=country, region=region) if country else None,
        autonomous_system=AutonomousSystem(number=number) if number else None,
    )


def _unmapped(
    kind: Kind, status: Status, given: dict[str, Any], code: str | None, told: Told
) -> Unmapped | None:
    accepted = False
    if status != Status.SUCCESS:
        # What is asked after a password is asked of those who knew it.
        asked = kind.challenge or (kind is FAILURE and code != _INVALID)
        accepted = kind.accepted or code in NOT_ENTITLED or (asked and told.after_first)
    risk = kind.risk
    if risk is None and fields.boolean(given, "is_suspicious") is True:
        risk = "suspicious"
    scopes = words(given.get(kind.operation)) if kind.operation else []
    found = Unmapped(
        credential_accepted=accepted or None,
        operation=" ".join(scopes)[: fields.MAX_TEXT] or None,
        resource=clean(given.get(kind.resource)) if kind.resource else None,
        vendor_risk=risk,
        non_interactive=kind.non_interactive or None,
    )
    return None if found == _NOTHING else found


SOURCE = Source(
    name="google_workspace",
    title="Google Workspace audit logs",
    reads=(
        "login activities of the Admin SDK Reports API: logins, challenges, logouts, warnings",
        "user account activities: changed passwords, factors and ways of recovery",
        "OAuth token activities: access granted to an application, and its use",
        "SAML activities: logins to other applications with the Google account",
        "admin activities about an account's password, factors and sessions",
        "the same activities from Cloud Logging and from the BigQuery export",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "actor.user",
        "actor.app_name",
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "service.name",
        "service.uid",
        "session.uid",
        "device.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.credential_accepted",
        "unmapped.vendor_risk",
    ),
    documentation="https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login",
    recognise=recognise,
    parse=parse,
)
