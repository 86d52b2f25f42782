"""Cloudflare: logins to Access, calls in the audit logs, requests with a user in Logpush."""

from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Activity,
    AuthEvent,
    AuthFactor,
    AutonomousSystem,
    Endpoint,
    FactorType,
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
from quivive.sources._access_log import (
    CERTIFICATE,
    TLS,
    operation_of,
    outcome,
    request_of,
    service_of,
)
from quivive.sources._cloudflare_audit import is_entry, parse_entry
from quivive.sources._proxy_caller import Caller, caller_of
from quivive.sources._proxy_entry import Entry, name_of
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="Cloudflare", vendor_name="Cloudflare")
_PIN = (AuthFactor(factor_type_id=FactorType.EMAIL),)
_PROTOCOLS: dict[str, tuple[str, int]] = {"saml": ("SAML", 5), "oidc": ("OpenID", 4)}
_ACTIVITIES = {"login": Activity.LOGON, "logout": Activity.LOGOFF}
_ACCESS = ("Allowed", "AppDomain")
_ACCESS_API = ("allowed", "app_domain")
_REQUEST = ("ClientIP", "RayID", "ClientRequestHost")
_VERIFIED = "ok"
_REFUSED = frozenset({"untrusted", "expired", "notyetvalid"})

_NO_LOGIN = Skip("no login to Access")
_SERVICE_TOKEN = Skip("a login whose user Access does not name")
_FIREWALL = Skip("a firewall event, which names no user")
_NOBODY = Skip("a request without a user")


def recognise(record: RawRecord) -> bool:
    """An object with members of one of the logs, as the API or Logpush writes them."""
    row = record.fields
    if row is None:
        return False
    if is_entry(row) or _has(row, _REQUEST):
        return True
    if _has(row, _ACCESS):
        return "RayID" in row or "Connection" in row
    return _has(row, _ACCESS_API) and ("ray_id" in row or "app_uid" in row)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one record of any of the logs."""
    row = record.fields or {}
    if _has(row, _REQUEST):
        return _request(record, row)
    if _has(row, _ACCESS):
        return _access(record, row, _of_logpush(row))
    if _has(row, _ACCESS_API):
        return _access(record, row, row)
    if is_entry(row):
        return parse_entry(record, row)
    raise RejectError("record: none of Cloudflare's access, audit or request logs")


def _has(row: dict[str, Any], names: tuple[str, ...]) -> bool:
    return all(name in row for name in names)


def _of_logpush(row: dict[str, Any]) -> dict[str, Any]:
    """Logpush's members under the names of the API's."""
    return {
        "action": row.get("Action"),
        "allowed": row.get("Allowed"),
        "app_domain": row.get("AppDomain"),
        "app_uid": row.get("AppUUID"),
        "connection": row.get("Connection"),
        "country": row.get("Country"),
        "created_at": row.get("CreatedAt"),
        "user_email": row.get("Email"),
        "user_id": row.get("UserUID"),
        "ip_address": row.get("IPAddress"),
        "ray_id": row.get("RayID"),
    }


def _access(record: RawRecord, row: dict[str, Any], login: dict[str, Any]) -> AuthEvent | Skip:
    """A login to an application behind Access, through the identity provider it names."""
    action = (field(login, "action") or "login").lower()
    activity = _ACTIVITIES.get(action)
    if activity is None:
        return _NO_LOGIN
    mail, uid = field(login, "user_email"), field(login, "user_id")
    if mail is None and uid is None:
        if login.get("user_email"):
            raise RejectError("user_email: not a text")
        return _SERVICE_TOKEN
    allowed = fields.boolean(login, "allowed")
    if allowed is None:
        raise RejectError(f"allowed: neither true nor false: {str(login.get('allowed'))[:40]!r}")
    provider = field(login, "connection")
    way, way_id = _PROTOCOLS.get((provider or "").lower(), (None, None))
    ip = fields.address(login.get("ip_address"))
    place = fields.country(login.get("country"))
    key = "CreatedAt" if row is not login else "created_at"
    return AuthEvent(
        time=fields.timestamp(login.get("created_at"), key, default=record.reference_time),
        activity_id=activity,
        status_id=Status.SUCCESS if allowed else Status.FAILURE,
        user=_user(mail, uid),
        service=_application(
            field(login, "app_name") or field(login, "app_domain"), field(login, "app_uid")
        ),
        src_endpoint=Endpoint(ip=ip, location=Location(country=place) if place else None)
        if ip
        else None,
        session=Session(issuer=provider) if provider else None,
        auth_factors=_PIN if provider == "onetimepin" and activity == Activity.LOGON else None,
        auth_protocol=way,
        auth_protocol_id=way_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(login, "ray_id"),
            log_name="Cloudflare Access",
            original_time=login.get("created_at"),
            event_code=action,
        ),
        # The provider said who it is, and a policy of the application did not let them in.
        unmapped=Unmapped(credential_accepted=True) if not allowed and provider else None,
    )


@lru_cache(maxsize=4096)
def _user(mail: str | None, uid: str | None) -> User:
    return User(name=mail or uid, uid=uid if mail else None, email_addr=fields.email(mail))


@lru_cache(maxsize=4096)
def _application(name: str | None, uid: str | None) -> Service:
    return Service(name=name or "Cloudflare Access", uid=uid)


def _request(record: RawRecord, row: dict[str, Any]) -> AuthEvent | Skip:
    """A request in which a configured header names the user, or a certificate the client."""
    if "Kind" in row or ("Action" in row and "Source" in row):
        return _FIREWALL
    caller = _caller(row)
    if caller is None:
        return _NOBODY
    said = row.get("EdgeResponseStatus")
    code = fields.whole(said)
    if code is None and said not in (None, ""):
        raise RejectError(f"EdgeResponseStatus: not a number: {str(said)[:40]!r}")
    status, accepted = outcome(code, caller.proven)
    if field(row, "ClientMTLSAuthStatus") in _REFUSED and caller.protocol is TLS:
        status, accepted = Status.FAILURE, None
    key = "EdgeStartTimestamp" if row.get("EdgeStartTimestamp") else "Datetime"
    way, way_id = caller.protocol or (None, None)
    return AuthEvent(
        time=fields.timestamp(row.get(key), key, default=record.reference_time),
        activity_id=Activity.LOGON,
        status_id=status,
        status_code=None if code is None else str(code),
        status_detail=field(row, "ClientMTLSAuthStatus") if caller.protocol is TLS else None,
        user=caller.user,
        service=service_of(field(row, "ClientRequestHost"), "Cloudflare"),
        src_endpoint=_client(row),
        http_request=request_of(field(row, "ClientRequestUserAgent")),
        auth_factors=caller.factors,
        auth_protocol=way,
        auth_protocol_id=way_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(row, "RayID"),
            log_name="Cloudflare HTTP requests",
            original_time=row.get(key),
            event_code=field(row, "ClientRequestMethod"),
        ),
        unmapped=Unmapped(
            credential_accepted=accepted,
            operation=operation_of(
                field(row, "ClientRequestMethod"),
                field(row, "ClientRequestPath") or field(row, "ClientRequestURI"),
            )
            or "HTTP",
            tls_fingerprint=field(row, "JA4") or field(row, "JA3Hash"),
            network_kind="tor" if field(row, "ClientIPClass") == "tor" else None,
        ),
    )


def _caller(row: dict[str, Any]) -> Caller | None:
    shown = field(row, "ClientMTLSAuthCertFingerprint")
    status = field(row, "ClientMTLSAuthStatus")
    peer = _certified(shown, status == _VERIFIED) if shown else None
    told = {**fields.mapping(row, "Cookies"), **fields.mapping(row, "RequestHeaders")}
    if not told:
        return peer
    # Clients write them: nothing in a header is the claim of a verified token.
    return caller_of(Entry({name_of(key): value for key, value in told.items()}, {}), peer)


@lru_cache(maxsize=4096)
def _certified(fingerprint: str, proven: bool) -> Caller:
    user = User(uid=fingerprint, credential_uid=fingerprint)
    return Caller(user=user, proven=proven, factors=CERTIFICATE, protocol=TLS)


def _client(row: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(row.get("ClientIP"))
    if ip is None:
        return None
    number = fields.whole(row.get("ClientASN"))
    name = field(row, "ClientASNDescription")
    place = Location(
        city=field(row, "ClientCity"),
        region=field(row, "ClientRegionCode"),
        country=fields.country(row.get("ClientCountry")),
        lat=fields.number(row, "ClientLatitude"),
        long=fields.number(row, "ClientLongitude"),
    )
    return Endpoint(
        ip=ip,
        port=fields.port(row.get("ClientSrcPort")),
        location=place if place != Location() else None,
        autonomous_system=AutonomousSystem(number=number, name=name) if number or name else None,
    )


SOURCE = Source(
    name="cloudflare",
    title="Cloudflare",
    reads=(
        "Access: logins and logouts of applications, from the API and Logpush (access_requests)",
        "audit logs of both versions: every call as a use of a session, API token or key",
        "Logpush http_requests with a user in a configured header, or a client certificate",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.credential_uid",
        "user.account.uid",
        "src_endpoint.ip",
        "src_endpoint.port",
        "src_endpoint.location",
        "src_endpoint.autonomous_system",
        "http_request.user_agent",
        "service.name",
        "service.uid",
        "session.issuer",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.tls_fingerprint",
        "unmapped.network_kind",
        "unmapped.credential_accepted",
        "unmapped.non_interactive",
    ),
    documentation="https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/",
    recognise=recognise,
    parse=parse,
)
