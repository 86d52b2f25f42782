"""Duo authentication logs of the Admin API, both versions, and the logins of administrators."""

from typing import Any

from quivive.model.event import (
    Activity,
    AuthEvent,
    AuthFactor,
    Device,
    DeviceType,
    Endpoint,
    Group,
    HttpRequest,
    Location,
    Service,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._duo_admin import DUO, EMPTY, PRODUCT, administration, section, time_of
from quivive.sources._duo_words import (
    REFUSED,
    REMEMBERED,
    RESULTS,
    SENT,
    UNANSWERED,
    WITHOUT_FACTOR,
    factor_of,
    word_of,
)
from quivive.sources._systems import system_of
from quivive.sources.countries import country_code
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_NOTHING = Unmapped()
_TELEPHONY = Skip("a message or call, of no named user")
_ACTIVITY = Skip("the activity log: its logins are in the authentication and administrator logs")
_OTHER_KIND = Skip("no authentication event")
_MOST_GROUPS = 64
_KINDS = ("authentication", "enrollment")
_ADMINISTRATION = ("administrator", "offline_enrollment")
_TRUSTED = {"trusted": True, "not trusted": False}
_ENROL = "enrollment"


def recognise(record: RawRecord) -> bool:
    """The members of one of Duo's logs; DuoLogSync adds its kind and the API's host."""
    log = record.fields
    if log is None:
        return False
    if "factor" in log and "result" in log:
        if type(log.get("user")) is dict or type(log.get("application")) is dict:
            return log.get("event_type") in (*_KINDS, None) and (
                type(log.get("access_device")) is dict or type(log.get("auth_device")) is dict
            )
        return "integration" in log and "username" in log and "timestamp" in log
    if _is_telephony(log) or _is_activity(log):
        return True
    if type(log.get("action")) is not str or "username" not in log or "timestamp" not in log:
        return False
    return "isotimestamp" in log or log.get("eventtype") in _ADMINISTRATION


def _is_telephony(log: dict[str, Any]) -> bool:
    return "credits" in log and "context" in log and "phone" in log and "type" in log


def _is_activity(log: dict[str, Any]) -> bool:
    return "activity_id" in log and "akey" in log and "action" in log


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The second factor that was shown, refused or not asked for; an enrolment; what an
    administrator logs in to or frees somebody of.
    """
    log = record.fields or EMPTY
    if _is_telephony(log):
        return _TELEPHONY
    if _is_activity(log):
        return _ACTIVITY
    if "action" in log:
        return administration(record, log)
    kind = field(log, "event_type") or field(log, "eventtype") or "authentication"
    if kind not in _KINDS:
        return _OTHER_KIND
    return _authentication(record, log, kind)


def _authentication(record: RawRecord, log: dict[str, Any], kind: str) -> AuthEvent:
    written, time = time_of(record, log)
    user = _user(log)
    result = field(log, "result")
    reason = word_of(field(log, "reason"))
    factor = factor_of(field(log, "factor"))
    status = RESULTS.get(result.lower(), Status.OTHER) if result else Status.UNKNOWN
    asked = word_of(field(log, "factor"))
    name: str | None = None
    if kind == _ENROL or fields.boolean(log, "new_enrollment"):
        name = "Factor Enroll"
    elif status != Status.SUCCESS and (reason in REFUSED or reason in UNANSWERED or asked == SENT):
        # Blocked by a policy is no answer to a challenge.
        name = "MFA Challenge"
        if asked == SENT and reason not in UNANSWERED:
            status = Status.OTHER  # the answer will be a record of its own
    is_mfa, by_claim = (None, None) if name else _mfa(status, reason, factor)
    access = section(log.get("access_device"))
    src = _source_endpoint(log, access)
    agent = _browser(access)
    shown = factor is not None and (name is not None or status == Status.SUCCESS)
    return AuthEvent(
        time=time,
        activity_id=Activity.OTHER if name else Activity.LOGON,
        activity_name=name,
        status_id=status,
        status=result,
        status_code=field(log, "reason"),
        status_detail=_outdated(log, status),
        user=user,
        service=_service(log),
        src_endpoint=src,
        device=_device(log, access, src),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        is_mfa=is_mfa,
        auth_factors=(factor,) if shown and factor else None,
        metadata=fields.metadata(
            record,
            PRODUCT,
            uid=field(log, "txid"),
            log_name="Duo authentication log",
            original_time=written,
            event_code=kind,
            tenant_uid=field(log, "host"),
        ),
        unmapped=_unmapped(log, name, status, reason, by_claim),
    )


def _user(log: dict[str, Any]) -> User:
    """The user by name and key; the first version has but a name."""
    found = section(log.get("user"))
    name = field(found, "name") or field(log, "username")
    uid = field(found, "key")
    told = field(log, "email")
    mail = fields.email(told)
    if name is None and mail is not None:
        name = told
    if name is None and uid is None:
        raise RejectError("user: no name or id of the user")
    groups = tuple(
        Group(name=word)
        for item in fields.items(found, "groups")[:_MOST_GROUPS]
        if (word := clean(item))
    )
    return User(
        name=name,
        uid=uid,
        email_addr=mail or fields.email(name),
        groups=groups or None,
    )


def _mfa(
    status: Status, reason: str | None, factor: AuthFactor | None
) -> tuple[bool | None, bool | None]:
    """Whether a second factor stood behind the login, and whether one shown earlier did."""
    if status != Status.SUCCESS:
        return None, None
    if reason == REMEMBERED:
        return True, True
    if reason in WITHOUT_FACTOR:
        return False, None
    return True if factor else None, None


def _outdated(log: dict[str, Any], status: Status) -> str | None:
    """What was out of date where that is why the login was denied."""
    software = field(log, "ood_software")
    return f"out of date: {software}" if software and status != Status.SUCCESS else None


def _service(log: dict[str, Any]) -> Service:
    application = section(log.get("application"))
    name = field(application, "name") or field(log, "integration")
    uid = field(application, "key")
    return Service(name=name, uid=uid) if name or uid else DUO


def _source_endpoint(log: dict[str, Any], access: dict[str, Any]) -> Endpoint | None:
    """Where the login comes from; the telephone that answers (``auth_device``) is elsewhere."""
    ip = fields.address(access.get("ip")) or fields.address(log.get("ip"))
    place = _location(section(access.get("location") or log.get("location")))
    return Endpoint(ip=ip, location=place) if ip or place else None


def _location(place: dict[str, Any]) -> Location | None:
    found = Location(
        city=field(place, "city"),
        region=field(place, "state"),
        country=country_code(place.get("country")),
    )
    return found if found.country or found.city or found.region else None


def _browser(access: dict[str, Any]) -> str | None:
    browser, version = field(access, "browser"), field(access, "browser_version")
    return f"{browser} {version}" if browser and version else browser


def _device(log: dict[str, Any], access: dict[str, Any], src: Endpoint | None) -> Device | None:
    """The endpoint by Duo's key for it."""
    uid, host, words = field(access, "epkey"), field(access, "hostname"), field(access, "os")
    system = system_of(words, field(access, "os_version")) if words else None
    ip = src.ip if src else None
    if uid is None and host is None and (system is None or ip is None):
        return None
    trust = field(log, "trusted_endpoint_status") or field(access, "trusted_endpoint_status")
    return Device(
        type_id=DeviceType.UNKNOWN,
        uid=uid,
        hostname=host,
        ip=ip,
        os=system,
        is_trusted=_TRUSTED.get(trust.lower().replace("_", " ")) if trust else None,
    )


def _unmapped(
    log: dict[str, Any],
    name: str | None,
    status: Status,
    reason: str | None,
    by_claim: bool | None,
) -> Unmapped | None:
    found = Unmapped(
        # Duo is asked when the first factor was right.
        credential_accepted=True
        if status in (Status.FAILURE, Status.OTHER) and name != "Factor Enroll"
        else None,
        mfa_by_claim=by_claim,
        network_kind="vpn" if reason == "anonymous_ip" else None,
        vendor_risk=_risk(log, reason),
    )
    return None if found == _NOTHING else found


def _risk(log: dict[str, Any], reason: str | None) -> str | None:
    """What the user reported or Duo detected, or that it trusts the login little."""
    if reason == "user_marked_fraud" or word_of(field(log, "result")) == "fraud":
        return "fraud"
    if reason == "anomalous_push":
        return reason
    trust = fields.text(log, "adaptive_trust_assessments", "more_secure_auth", "trust_level")
    return "high" if trust and trust.upper() == "LOW" else None


SOURCE = Source(
    name="duo",
    title="Cisco Duo",
    reads=(
        "authentication logs of the Admin API, both versions, one an object, as DuoLogSync writes",
        "administrators' logins, bypass codes and offline enrolments of the administrator logs",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.groups",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "service.name",
        "device.uid",
        "device.hostname",
        "device.os",
        "device.is_trusted",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
        "unmapped.network_kind",
        "unmapped.vendor_risk",
    ),
    documentation="https://duo.com/docs/adminapi#authentication-logs",
    recognise=recognise,
    parse=parse,
)
