"""Keycloak events: user and admin events, from the server's log and from the Admin API."""

from typing import Any

from quivive.model.event import (
    Account,
    Activity,
    Actor,
    AuthEvent,
    AuthFactor,
    Endpoint,
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
from quivive.sources._keycloak_log import Entry, entry_of
from quivive.sources._keycloak_words import (
    ACCEPTED,
    CHALLENGE,
    ENROLL,
    FACTORS,
    IMPERSONATION,
    LOGON,
    SECOND,
    SECURITY_KEY,
    X509,
    Kind,
    admin_kind,
    kind_of,
)
from quivive.sources.fields import field
from quivive.sources.source import Source

_PRODUCT = Product(name="Keycloak", vendor_name="Keycloak")
_KEYCLOAK = Service(name="Keycloak")
_NOTHING = Unmapped()
_SERVICE_ACCOUNT = "service-account-"
_ERROR = "_ERROR"
_PROTOCOLS: dict[str, tuple[str, int]] = {"openid-connect": ("OpenID", 4), "saml": ("SAML", 5)}
_OAUTH = ("OAUTH 2.0", 6)

_OTHER_LINE = Skip("another line of the server's log")
_NO_LOGIN = Skip("no authentication event")
_STEP = Skip("a step of a login that its own record tells")
_NO_USER = Skip("an attempt without a user")


def recognise(record: RawRecord) -> bool:
    """A line of a Keycloak server's log, or an event's own members."""
    return entry_of(record) is not None


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of a user event or of an administrator's change; a Skip for all else."""
    entry = entry_of(record)
    if entry is None:
        raise RejectError("record: no line of a Keycloak server and no event of its API")
    if entry.event is None:
        return _OTHER_LINE
    if "operationType" in entry.event:
        return _admin_event(record, entry, entry.event)
    return _user_event(record, entry, entry.event)


def _user_event(record: RawRecord, entry: Entry, event: dict[str, Any]) -> AuthEvent | Skip:
    event_type = field(event, "type")
    if event_type is None:
        raise RejectError("type: missing")
    details = entry.details
    credential = field(details, "credential_type") or ("otp" if "_TOTP" in event_type else None)
    kind = kind_of(
        event_type.removesuffix(_ERROR), credential, field(details, "custom_required_action")
    )
    if kind is None:
        return _NO_LOGIN
    error = field(event, "error")
    failed = error is not None or event_type.endswith(_ERROR)
    if kind.failures and not failed:
        return _STEP
    user, actor, role = _parties(event, details, kind)
    if user is None:
        if failed:
            return _NO_USER
        raise RejectError("userId: no name or id of the user")
    factor = _factor(details, credential)
    second = factor is not None and factor.factor_type in SECOND
    if kind is LOGON and failed and second:
        kind = CHALLENGE
    if kind is CHALLENGE or kind is LOGON:
        is_mfa = True if second and not failed else None
    else:
        is_mfa = None
        factor = factor if kind.name in ("Factor Enroll", "Factor Reset") else None
    protocol, protocol_id = _protocol(kind, details)
    client = field(event, "clientId")
    status = Status.FAILURE if failed else kind.status
    return AuthEvent(
        time=_time(record, entry),
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=status,
        status_code=error,
        status_detail=field(details, "reason") or field(details, "error_description"),
        user=user,
        actor=actor,
        service=_KEYCLOAK if client is None or kind.client else Service(name=client),
        src_endpoint=_source_endpoint(event),
        session=_session(event, details, kind, status),
        is_mfa=is_mfa,
        auth_factors=(factor,) if factor else None,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "id"),
            log_name="Keycloak events",
            original_time=entry.when,
            event_code=event_type,
            correlation_uid=field(details, "code_id"),
            tenant_uid=field(event, "realmId"),
        ),
        unmapped=_unmapped(kind, details, error, failed, second, role),
    )


def _time(record: RawRecord, entry: Entry) -> int:
    when = entry.when
    if type(when) is str and when[2:3] == ":":
        raise RejectError(f"time: has no date: {when!r}")
    if type(when) is str:
        when = when.replace(",", ".")
    return fields.timestamp(when, "time", default=record.reference_time)


def _parties(
    event: dict[str, Any], details: dict[str, Any], kind: Kind
) -> tuple[User | None, Actor | None, str | None]:
    """The user, whoever acts as or for them, and the account that was taken on."""
    name, uid = field(details, "username"), field(event, "userId")
    client = field(event, "clientId")
    if kind.client:
        return _client(client, uid, name, event), None, None
    if name is None and kind.failures:
        name = field(details, "identity_provider_identity")
    by = field(details, "impersonator")
    # A token may be exchanged for another user's, too.
    taken = name or uid if kind is IMPERSONATION else field(details, "requested_subject")
    if kind is IMPERSONATION and by is None:
        raise RejectError("details.impersonator: missing, and it is who logs in")
    if by is not None and taken is not None:
        realm = field(details, "impersonator_realm")
        account = Account(name=realm) if realm else None
        return User(name=by, email_addr=fields.email(by), account=account), None, taken
    if name is None and uid is None:
        return None, None, None
    user = _user(event, details, name, uid)
    if by is not None and by != name:
        return user, Actor(user=User(name=by, email_addr=fields.email(by)), app_name=client), None
    return user, None, None


def _account(event: dict[str, Any]) -> Account | None:
    uid, name = field(event, "realmId"), field(event, "realmName")
    return Account(uid=uid, name=name) if uid or name else None


def _client(
    client: str | None, uid: str | None, name: str | None, event: dict[str, Any]
) -> User | None:
    """A client that authenticates as itself: by its client id, which a refusal has as well. What
    it may do hangs on a user of its own, "service-account-…"."""
    client = client or (name.removeprefix(_SERVICE_ACCOUNT) if name else None)
    if client is None and uid is None:
        return None
    return User(
        name=client,
        uid=uid,
        uid_alt=name if name != client else None,
        type_id=UserType.SERVICE,
        account=_account(event),
    )


def _user(
    event: dict[str, Any], details: dict[str, Any], name: str | None, uid: str | None
) -> User | None:
    if name is not None and name.startswith(_SERVICE_ACCOUNT):
        return _client(None, uid, name, event)
    return User(
        name=name,
        uid=uid,
        email_addr=fields.email(name) or fields.email(field(details, "email")),
        # A name that somebody typed need not be anybody's.
        type_id=UserType.USER if name is not None and uid is not None else None,
        credential_uid=field(details, "public_key_credential_id")
        or field(details, "x509_cert_serial_number"),
        account=_account(event),
    )


def _factor(details: dict[str, Any], credential: str | None) -> AuthFactor | None:
    """The factor a record names. A one-time password goes by the id of its credential."""
    if credential is not None:
        return FACTORS.get(credential)
    if "public_key_credential_id" in details:
        return SECURITY_KEY
    if "selected_credential_id" in details:
        return FACTORS["otp"]
    return X509 if "x509_cert_serial_number" in details else None


def _protocol(kind: Kind, details: dict[str, Any]) -> tuple[str | None, int | None]:
    if kind.activity != Activity.LOGON and kind is not CHALLENGE:
        return None, None
    if kind.grant or field(details, "grant_type") is not None:
        return _OAUTH
    return _PROTOCOLS.get(field(details, "auth_method") or "", (None, None))


def _source_endpoint(event: dict[str, Any]) -> Endpoint | None:
    ip = fields.address(event.get("ipAddress"))
    return Endpoint(ip=ip) if ip else None


def _session(
    event: dict[str, Any], details: dict[str, Any], kind: Kind, status: Status
) -> Session | None:
    """Older servers give a session's id only as that of the code it began with."""
    uid = field(event, "sessionId")
    if uid is None and kind.activity == Activity.LOGON and status == Status.SUCCESS:
        uid = field(details, "code_id")
    return Session(uid=uid) if uid else None


def _unmapped(
    kind: Kind,
    details: dict[str, Any],
    error: str | None,
    failed: bool,
    second: bool,
    role: str | None,
) -> Unmapped | None:
    accepted = failed and kind.activity != Activity.LOGOFF and error in ACCEPTED
    operation = resource = None
    if kind.grant or kind.name == "Token Create":
        operation = field(details, "scope")
        resource = field(details, "audience") or field(details, "permission")
    elif kind is ENROLL:
        resource = field(details, "identity_provider") or field(details, "credential_user_label")
    found = Unmapped(
        credential_accepted=True if accepted or (kind is CHALLENGE and second) else None,
        operation=operation,
        resource=resource,
        role=role,
        non_interactive=kind.grant or None,
    )
    return None if found == _NOTHING else found


def _admin_event(record: RawRecord, entry: Entry, event: dict[str, Any]) -> AuthEvent | Skip:
    """What an administrator did to an account's credentials, or else a use of their own."""
    operation = field(event, "operationType")
    if operation is None:
        raise RejectError("operationType: missing")
    path = field(event, "resourcePath") or ""
    collection, _, rest = path.partition("/")
    target_uid, _, below = rest.partition("/")
    kind = admin_kind(operation, collection, below) or LOGON
    # A line of text has who acted among the rest, and does not name the realm acted upon.
    by = event.get("authDetails")
    by = event if by is None and entry.details else fields.mapping(by)
    uid = field(by, "userId")
    if uid is None:
        raise RejectError("authDetails.userId: no id of whoever acted")
    name = field(by, "username")
    admin = User(name=name, uid=uid, email_addr=fields.email(name), account=_account(by))
    error = field(event, "error")
    status = Status.FAILURE if error else kind.status
    if kind.activity == Activity.LOGON:
        user, actor = admin, None
    else:
        user, actor = _target(event, by, collection, target_uid), Actor(user=admin)
        if target_uid == uid:
            actor = None
    what = f"{operation} {field(event, 'resourceType') or collection}".rstrip()
    return AuthEvent(
        time=_time(record, entry),
        activity_id=kind.activity,
        activity_name=kind.name,
        status_id=status,
        status_code=error,
        user=user,
        actor=actor,
        service=_KEYCLOAK,
        src_endpoint=_source_endpoint(by),
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "id"),
            log_name="Keycloak admin events",
            original_time=entry.when,
            event_code=what,
            tenant_uid=None if by is event else field(event, "realmId"),
        ),
        unmapped=Unmapped(
            credential_accepted=True if error and kind.activity == Activity.LOGON else None,
            operation=what
            if kind is LOGON
            else f"{operation} {collection}/{below.partition('/')[0]}",
            resource=path or None if kind is LOGON else None,
            role=target_uid if kind is IMPERSONATION else None,
        ),
    )


def _target(event: dict[str, Any], by: dict[str, Any], collection: str, uid: str) -> User:
    if not uid:
        raise RejectError("resourcePath: names no account")
    account = None if by is event else _account(event)
    service = UserType.SERVICE if collection == "clients" else None
    return User(uid=uid, type_id=service, account=account)


SOURCE = Source(
    name="keycloak",
    title="Keycloak",
    reads=(
        "events in the server's log (jboss-logging), quoted or not, as lines or as JSON",
        "user events of the Admin REST API (/admin/realms/{realm}/events)",
        "admin events of the Admin REST API (/admin/realms/{realm}/admin-events)",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.account",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "service.name",
        "session.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
    ),
    documentation="https://www.keycloak.org/docs/latest/server_admin/"
    "#configuring-auditing-to-track-events",
    recognise=recognise,
    parse=parse,
)
