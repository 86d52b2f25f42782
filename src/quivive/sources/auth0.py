"""Auth0 tenant logs: objects of the Management API, and log streams in their envelopes."""

from typing import Any

from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    AuthFactor,
    HttpRequest,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._auth0_calls import (
    Deed,
    caller_of,
    deed_of,
    operation_of,
    status_code_of,
    token_of,
)
from quivive.sources._auth0_event import (
    client_of,
    client_words,
    device_of,
    factors_of,
    log_of,
    section,
    source_of,
    user_of,
)
from quivive.sources._auth0_types import (
    FACTORS,
    FAILED,
    KINDS,
    NO_LOGIN,
    OWN_METHOD,
    OWN_METHOD_REFUSED,
    SILENT_REFUSED,
    SKIPS,
    STRATEGIES,
    Kind,
)
from quivive.sources.fields import clean, field
from quivive.sources.source import Source

_PRODUCT = Product(name="Auth0", vendor_name="Okta")
_AUTH0 = Service(name="Auth0")
_NOTHING = Unmapped()
_NOBODY = Skip("names nobody: refused before anyone was known, or no session to end")
_LONGEST_TYPE = 64
_ID_LENGTHS = range(20, 80)
_HINTS = (
    *("client_id", "client_name", "connection_id", "details", "hostname", "tenant_name"),
    *("isMobile", "is_mobile", "strategy_type", "environment_name", "user_agent"),
)
# A silent login that needs the user after all; what an action or a rule of the tenant refuses
# when the user is known.
_INTERRUPTS = frozenset({"login_required", "consent_required", "interaction_required"})
_DENIALS = frozenset({"access_denied", "unauthorized"})
_BAD_TOKEN = "401"  # noqa: S105
# Auth0 says how much it trusts a login, which is the risk the other way round.
_RISKS = {"low": "high", "medium": "medium", "high": "low"}


def recognise(record: RawRecord) -> bool:
    """A type code beside a log id of digits, or a known code among the members of a log."""
    log = log_of(record.fields)
    code = log.get("type")
    if type(code) is not str or not 0 < len(code) <= _LONGEST_TYPE or not code.isascii():
        return False
    if not code.replace("_", "").isalnum() or not ("ip" in log or "date" in log):
        return False
    hints = sum(name in log for name in _HINTS)
    for name in ("log_id", "_id"):
        uid = log.get(name)
        if type(uid) is str and len(uid) in _ID_LENGTHS and uid.isdecimal():
            return hints > 0
    return hints > 2 and (code in KINDS or code in SKIPS) and type(log.get("date")) is str


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, challenge, token, change of an account or API request that a log tells of."""
    log = log_of(record.fields)
    code = field(log, "type")
    if code is None:
        raise RejectError("type: missing")
    kind = KINDS.get(code)
    if kind is None:
        return SKIPS.get(code, NO_LOGIN)
    details = section(log.get("details"))
    written = log.get("date")
    time = fields.timestamp(written, "date", default=record.reference_time)
    request, response = section(details.get("request")), section(details.get("response"))
    deed = deed_of(request, response) if kind.call else None
    found = _parties(kind, log, details, request, deed)
    if isinstance(found, Skip):
        return found
    user, actor = found
    activity, name = _activity(kind, deed, details)
    failed = _failure(details) if kind.status != Status.SUCCESS else None
    status = kind.status
    if kind is SILENT_REFUSED and failed in _INTERRUPTS:
        status = Status.OTHER
    status_code = status_code_of(response) if kind.call else failed
    factors, is_mfa = factors_of(kind, code, details)
    protocol, protocol_id = _protocol(kind, log)
    src = source_of(log)
    agent, system = client_words(log, details)
    return AuthEvent(
        time=time,
        activity_id=activity,
        activity_name=name,
        status_id=status,
        status_code=status_code,
        status_detail=_words(log, details) if status != Status.SUCCESS else None,
        user=user,
        actor=actor,
        service=_service(kind, log),
        src_endpoint=src,
        device=device_of(log, src, system),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=_session(kind, details, request) if actor is None or actor.user is None else None,
        is_mfa=is_mfa,
        auth_factors=_own_factor(kind, details) or factors,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(log, "log_id") or field(log, "_id"),
            log_name="Auth0 tenant log",
            original_time=written,
            event_code=code,
            correlation_uid=field(details, "transaction_id")
            or clean(section(log.get("references")).get("correlation_id")),
            tenant_uid=field(log, "tenant_name") or field(log, "hostname"),
        ),
        unmapped=_unmapped(kind, log, details, status, status_code),
    )


def _parties(
    kind: Kind,
    log: dict[str, Any],
    details: dict[str, Any],
    request: dict[str, Any],
    deed: Deed | None,
) -> tuple[User, Actor | None] | Skip:
    """Whose credential or account it is, and who acted where that is somebody else."""
    if kind.machine:
        machine = client_of(log, details)
        if machine is None:
            raise RejectError("client_id: no name or id of the client")
        return machine, None
    if kind.call:
        caller = caller_of(request) or user_of(log, details) or client_of(log, details)
        if caller is None:
            raise RejectError("user_id: no name or id of the caller")
        if deed is None or deed.user is None or deed.user.uid == caller.uid:
            return caller, None
        return deed.user, Actor(user=caller)
    user = user_of(log, details)
    if user is None:
        if kind.status != Status.SUCCESS or kind.activity == Activity.LOGOFF:
            return _NOBODY
        raise RejectError("user_id: no name or id of the user")
    agent = field(log, "agent_id")
    return user, Actor(app_uid=agent) if agent else None


def _activity(
    kind: Kind, deed: Deed | None, details: dict[str, Any]
) -> tuple[Activity, str | None]:
    if deed is not None:
        return deed.activity, deed.name
    if kind is OWN_METHOD or kind is OWN_METHOD_REFUSED:
        told = f"{field(details, 'operation')} {fields.text(details, 'request', 'method')}".lower()
        gone = "delete" in told or "remove" in told
        return kind.activity, "Factor Reset" if gone else "Factor Enroll"
    return kind.activity, kind.name


def _own_factor(kind: Kind, details: dict[str, Any]) -> tuple[AuthFactor, ...] | None:
    """The method that a user enrolled or removed."""
    if kind is not OWN_METHOD and kind is not OWN_METHOD_REFUSED:
        return None
    word = field(details, "authentication_method")
    factor = FACTORS.get(word.lower()) if word else None
    return (factor,) if factor else None


def _failure(details: dict[str, Any]) -> str | None:
    """The OAuth error, which is the only code there is, or that of the second factor."""
    error = details.get("error")
    if type(error) is dict:
        return clean(error.get("oauthError")) or clean(error.get("type"))
    return clean(section(details.get("failure_details")).get("errorCode")) or clean(error)


def _words(log: dict[str, Any], details: dict[str, Any]) -> str | None:
    return field(log, "description") or fields.text(details, "error", "message")


def _service(kind: Kind, log: dict[str, Any]) -> Service:
    """The application that the user logs in to; for an application, the API it wants to call."""
    if kind.call:
        return _AUTH0
    if kind.machine:
        audience = field(log, "audience")
        return Service(name=audience) if audience else _AUTH0
    name, uid = field(log, "client_name"), field(log, "client_id")
    return Service(name=name, uid=uid) if name or uid else _AUTH0


def _session(kind: Kind, details: dict[str, Any], request: dict[str, Any]) -> Session | None:
    if kind.call:
        uid = token_of(request)
    else:
        uid = field(details, "session_id") or clean(
            section(details.get("refresh_token")).get("session_id")
        )
    if uid is None and kind.machine:
        uid = field(details, "access_token_jti")
    return Session(uid=uid) if uid else None


def _protocol(kind: Kind, log: dict[str, Any]) -> tuple[str | None, int | None]:
    if kind.exchange and kind is not SILENT_REFUSED and kind is not KINDS["ssa"]:
        return "OAUTH 2.0", 6
    if kind.activity != Activity.LOGON or kind.call:
        return None, None
    return STRATEGIES.get(field(log, "strategy") or "", (None, None))


def _unmapped(
    kind: Kind,
    log: dict[str, Any],
    details: dict[str, Any],
    status: Status,
    code: str | None,
) -> Unmapped | None:
    operation = resource = None
    accepted = kind.accepted and details.get("first_factor") is not True
    if kind.call:
        operation, resource = operation_of(section(details.get("request")))
        operation = operation or field(log, "description")
        accepted = status == Status.FAILURE and code is not None and code != _BAD_TOKEN
    elif kind.exchange:
        operation = _scope(log)
        resource = None if kind.machine else field(log, "audience")
    if status == Status.OTHER and kind is SILENT_REFUSED:
        accepted = code != "login_required"
    elif kind is FAILED and code in _DENIALS and field(log, "user_id"):
        accepted = True
    security = section(log.get("security_context"))
    found = Unmapped(
        credential_accepted=accepted or None,
        operation=operation,
        resource=resource,
        tls_fingerprint=clean(security.get("ja4")) or clean(security.get("ja3")),
        vendor_risk=kind.risk or _risk(details),
        non_interactive=True if kind.exchange and not kind.present else None,
    )
    return None if found == _NOTHING else found


def _scope(log: dict[str, Any]) -> str | None:
    scope = log.get("scope")
    if type(scope) is list:
        return " ".join(word for item in scope if (word := clean(item))) or None
    return clean(scope)


def _risk(details: dict[str, Any]) -> str | None:
    assessed = details.get("riskAssessment")
    if type(assessed) is not dict:
        return None
    trust = clean(assessed.get("confidence"))
    return _RISKS.get(trust.lower()) if trust else None


SOURCE = Source(
    name="auth0",
    title="Auth0 tenant logs",
    reads=(
        "tenant logs of the Management API (/api/v2/logs) and of auth0 logs list --json",
        "log streams: HTTP, Splunk and EventBridge events, with the log in their envelope",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.account",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.location",
        "src_endpoint.intermediate_ips",
        "service.name",
        "session.uid",
        "device.os",
        "http_request.user_agent",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "unmapped.credential_accepted",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.tls_fingerprint",
        "unmapped.vendor_risk",
    ),
    documentation="https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes",
    recognise=recognise,
    parse=parse,
)
