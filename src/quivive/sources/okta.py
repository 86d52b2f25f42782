"""Okta System Log: the LogEvent objects of /api/v1/logs, log streaming and event hooks."""

from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from quivive.model.event import (
    AuthEvent,
    AutonomousSystem,
    Device,
    DeviceType,
    Endpoint,
    FactorType,
    HttpRequest,
    Location,
    Os,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    UserType,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._okta_event import (
    EMPTY,
    Log,
    factors_shown,
    member,
    parties,
    section,
    sections,
)
from quivive.sources._okta_words import (
    ADMIN_CONSOLE,
    DEVICES,
    GRANT,
    IMPERSONATION,
    LOGON,
    MFA,
    SIGN_ON_MODES,
    STATUS,
    SYSTEMS,
    TOKEN_CREATE,
    UNANSWERED,
    Kind,
    kind_of,
)
from quivive.sources.countries import country_code
from quivive.sources.fields import clean
from quivive.sources.source import Source

_PRODUCT = Product(name="Okta", vendor_name="Okta")
_OKTA = Service(name="Okta")
_NOTHING = Unmapped()
_LAST_ASN = 2**32 - 1
_HINTS = (
    *("client", "target", "outcome", "transaction", "published", "uuid", "severity"),
    *("displayMessage", "debugContext", "securityContext", "authenticationContext"),
)


def recognise(record: RawRecord) -> bool:
    """A dotted event type together with the sections of a LogEvent."""
    event = record.fields
    if event is None:
        return False
    event_type = member(event, "eventType")
    if type(event_type) is not str or "." not in event_type or " " in event_type:
        return False
    actor = event.get("actor")
    if type(actor) is dict and ("alternateId" in actor or "displayName" in actor):
        return True
    if member(event, "legacyEventType") is not None:
        return True
    return sum(member(event, name) is not None for name in _HINTS) >= 4


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one LogEvent; a Skip for the many that are about something else."""
    event = record.fields or EMPTY
    event_type = clean(member(event, "eventType"))
    if event_type is None:
        raise RejectError("eventType: missing")
    kind = kind_of(event_type)
    if kind is None:
        return Skip("no authentication event")
    published = event.get("published")
    time = fields.timestamp(published, "published", default=record.reference_time)
    log = sections(event)
    user, actor = parties(kind, log)
    factors, is_mfa, by_claim = factors_shown(log, time)
    if kind is MFA and len(factors) == 1 and factors[0].factor_type_id == FactorType.PASSWORD:
        # The Identity Engine writes the password, too, as a factor that was verified.
        kind = LOGON
    result = clean(log.outcome.get("result"))
    status = _status(kind, result)
    if status == Status.SUCCESS:
        if kind.name == "MFA Challenge":
            is_mfa = True
        elif kind is ADMIN_CONSOLE:
            user = replace(user, type_id=UserType.ADMIN)
    app = log.target("AppInstance")
    protocol, protocol_id = _protocol(kind, app)
    code, detail = _reason(log)
    src = _source_endpoint(log)
    agent = clean(section(log.client.get("userAgent")).get("rawUserAgent"))
    return AuthEvent(
        time=time,
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=status,
        status=result,
        status_code=code,
        status_detail=detail,
        user=user,
        actor=actor,
        service=_service(app),
        src_endpoint=src,
        device=_device(log, src),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=_session(log.context),
        is_mfa=is_mfa,
        auth_factors=None if kind.prompt else factors or None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=clean(event.get("uuid")),
            log_name="System Log",
            original_time=published,
            event_code=event_type,
            correlation_uid=fields.text(event, "transaction", "id"),
        ),
        unmapped=_unmapped(kind, log, status, by_claim),
    )


def _status(kind: Kind, result: str | None) -> Status:
    if kind.status is not None:
        return kind.status
    if kind is MFA and result in UNANSWERED:
        return Status.FAILURE  # that was the answer
    status = STATUS.get(result.upper(), Status.OTHER) if result else Status.UNKNOWN
    return Status.OTHER if kind.prompt and status == Status.SUCCESS else status


def _reason(log: Log) -> tuple[str | None, str | None]:
    """Code and words: Okta gives either in outcome.reason, a push answer in debugData."""
    reason = clean(log.outcome.get("reason"))
    answer = clean(log.debug.get("pushOnlyResponseType"))
    if reason and " " in reason:
        return answer, reason
    return reason, answer


def _protocol(kind: Kind, app: dict[str, Any]) -> tuple[str | None, int | None]:
    mode = clean(section(app.get("detailEntry")).get("signOnModeType"))
    if mode is None:
        return kind.protocol, kind.protocol_id
    return SIGN_ON_MODES.get(mode, (mode, 99))


def _session(context: dict[str, Any]) -> Session | None:
    uid = clean(context.get("externalSessionId"))
    if uid is None:
        return None
    root = clean(context.get("rootSessionId"))
    return Session(uid=uid, uid_alt=root if root != uid else None)


def _service(app: dict[str, Any]) -> Service:
    if not app:
        return _OKTA
    name = clean(app.get("displayName")) or clean(app.get("alternateId"))
    uid = clean(app.get("id"))
    return Service(name=name, uid=uid) if name or uid else _OKTA


def _source_endpoint(log: Log) -> Endpoint | None:
    """The client; ipChain is the client and then the proxies its request came through."""
    chain = [ip for hop in log.hops if (ip := fields.address(hop.get("ip")))]
    ip = fields.address(log.client.get("ipAddress")) or (chain[0] if chain else None)
    if ip is None:
        return None
    geo = section(log.client.get("geographicalContext"))
    if not geo and log.hops:
        geo = section(log.hops[0].get("geographicalContext"))
    number = fields.integer(log.security, "asNumber")
    if number is not None and not 0 < number <= _LAST_ASN:
        number = None
    organisation = clean(log.security.get("asOrg")) or clean(log.security.get("isp"))
    domain = clean(log.security.get("domain"))
    after = chain[chain.index(ip) + 1 :] if ip in chain else ()
    return Endpoint(
        ip=ip,
        domain=domain if domain != "." else None,
        intermediate_ips=tuple(hop for hop in after if hop != ip) or None,
        location=_location(geo) if geo else None,
        autonomous_system=AutonomousSystem(number=number, name=organisation)
        if number or organisation
        else None,
    )


def _degrees(value: Any, limit: int) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) <= limit else None


def _location(geo: dict[str, Any]) -> Location | None:
    point = section(geo.get("geolocation"))
    found = Location(
        city=clean(geo.get("city")),
        region=clean(geo.get("state")),
        country=country_code(geo.get("country")),
        lat=_degrees(point.get("lat"), 90),
        long=_degrees(point.get("lon"), 180),
        postal_code=clean(geo.get("postalCode")),
    )
    # OCSF has no place of coordinates alone.
    return found if found.country or found.city or found.region or found.postal_code else None


@lru_cache(maxsize=1024)
def _system(words: str) -> Os | None:
    """The family and version of "Mac OS 14.4.1 (Sonoma)"."""
    lower = words.lower()
    for prefix, name, type_id in SYSTEMS:
        if lower.startswith(prefix):
            version = next((word for word in words.split() if word[0].isdigit()), None)
            return Os(name=name, type_id=type_id, version=version)
    return None


def _device(log: Log, src: Endpoint | None) -> Device | None:
    """The device Okta Verify registered, else the browser by its device token."""
    device = log.device
    uid = (
        clean(device.get("id"))
        or clean(log.debug.get("dtHash"))
        or clean(log.debug.get("deviceFingerprint"))
    )
    name = clean(device.get("name"))
    words = clean(section(log.client.get("userAgent")).get("os")) or clean(
        device.get("os_platform")
    )
    system = _system(words) if words else None
    ip = src.ip if src else None
    if uid is None and name is None and (system is None or ip is None):
        return None
    return Device(
        type_id=DEVICES.get(clean(log.client.get("device")) or "", DeviceType.UNKNOWN),
        uid=uid,
        name=name,
        ip=ip,
        os=system,
        is_managed=fields.boolean(device, "managed"),
    )


def _unmapped(kind: Kind, log: Log, status: Status, by_claim: bool | None) -> Unmapped | None:
    accepted = status in (Status.FAILURE, Status.OTHER) and (
        kind.accepted
        # A method verified earlier in this session, or a password verified but expired.
        or log.debug.get("authMethodFirstType") is not None
        or log.outcome.get("reason") == "PASSWORD_EXPIRED"
    )
    role = operation = resource = None
    if kind is IMPERSONATION:
        role = clean(log.target("User").get("alternateId"))
    elif kind is GRANT:
        operation = clean(log.debug.get("grantedScopes")) or clean(log.debug.get("requestedScopes"))
    elif kind is TOKEN_CREATE:
        resource = clean(log.target("Token").get("displayName"))
    found = Unmapped(
        credential_accepted=accepted or None,
        mfa_by_claim=by_claim,
        operation=operation,
        resource=resource,
        role=role,
        network_kind=_network_kind(log),
        vendor_risk=_risk(log),
        non_interactive=kind is GRANT or None,
    )
    return None if found == _NOTHING else found


def _network_kind(log: Log) -> str | None:
    """Okta flags anonymising proxies, and lists tunnels with operator, type and anonymity."""
    if log.security.get("isProxy") is True:
        return "vpn"
    return "vpn" if '"anonymous":true' in (clean(log.debug.get("tunnels")) or "") else None


def _risk(log: Log) -> str | None:
    if fields.boolean(log.debug, "threatSuspected"):
        return "threatSuspected"
    level = fields.text(log.security, "risk", "level")
    if level is None:
        # "{reasons=Anomalous Location, level=HIGH}"
        level = _after(clean(log.debug.get("risk")), "level=")
    if level is None:
        data = log.debug.get("logOnlySecurityData")
        level = fields.text(data, "risk", "level") or _after(clean(data), '"level":"')
    return level.lower() if level else None


def _after(words: str | None, mark: str) -> str | None:
    """The word of letters that follows the mark."""
    if words is None:
        return None
    rest = words.partition(mark)[2]
    end = 0
    while end < len(rest) and (rest[end].isalpha() or rest[end] == "_"):
        end += 1
    return rest[:end] or None


SOURCE = Source(
    name="okta",
    title="Okta System Log",
    reads=(
        "LogEvent objects of the System Log API (/api/v1/logs)",
        "LogEvents of log streaming and event hooks, one an object",
    ),
    gives=(
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "src_endpoint.intermediate_ips",
        "user.email_addr",
        "user.uid",
        "user.type_id",
        "service.name",
        "session.uid",
        "device.uid",
        "device.os",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "unmapped.vendor_risk",
        "unmapped.network_kind",
    ),
    documentation="https://developer.okta.com/docs/reference/api/system-log/",
    recognise=recognise,
    parse=parse,
)
