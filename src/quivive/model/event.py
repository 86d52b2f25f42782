"""A normalised login: the OCSF Authentication class (3002), as far as Quivive reads it.

Field names and numbers are OCSF's (https://schema.ocsf.io, version 1.8). Absent fields are None
and are left out of the encoding. ``user`` is always the identity that authenticates (the caller
of an AssumeRole, the account of a sign-in); ``actor`` is whoever acted on it, where that is
somebody else.
"""

from enum import IntEnum

from msgspec import Struct
from msgspec.structs import force_setattr

from quivive.model.address import address_in, is_ocsf
from quivive.model.rule import RuleMatch

OCSF_VERSION = "1.8.0"


class Activity(IntEnum):
    """OCSF ``activity_id`` of an Authentication event."""

    UNKNOWN = 0
    LOGON = 1
    LOGOFF = 2
    AUTHENTICATION_TICKET = 3
    SERVICE_TICKET = 4
    SERVICE_TICKET_RENEW = 5
    PREAUTH = 6
    ACCOUNT_SWITCH = 7
    OTHER = 99


class Status(IntEnum):
    """OCSF ``status_id``. OTHER is an interrupted login: neither success nor failure."""

    UNKNOWN = 0
    SUCCESS = 1
    FAILURE = 2
    OTHER = 99


class UserType(IntEnum):
    """OCSF ``user.type_id``; a guest is OTHER with ``type`` "Guest"."""

    UNKNOWN = 0
    USER = 1
    ADMIN = 2
    SYSTEM = 3
    SERVICE = 4
    OTHER = 99


class FactorType(IntEnum):
    """OCSF ``auth_factor.factor_type_id``."""

    UNKNOWN = 0
    SMS = 1
    SECURITY_QUESTION = 2
    PHONE_CALL = 3
    BIOMETRIC = 4
    PUSH = 5
    HARDWARE_TOKEN = 6
    OTP = 7
    EMAIL = 8
    U2F = 9
    WEBAUTHN = 10
    PASSWORD = 11
    OTHER = 99


class DeviceType(IntEnum):
    """OCSF ``device.type_id``."""

    UNKNOWN = 0
    SERVER = 1
    DESKTOP = 2
    LAPTOP = 3
    TABLET = 4
    MOBILE = 5
    VIRTUAL = 6
    IOT = 7
    BROWSER = 8
    OTHER = 99


class OsType(IntEnum):
    """OCSF ``os.type_id``."""

    UNKNOWN = 0
    WINDOWS = 100
    WINDOWS_MOBILE = 101
    LINUX = 200
    ANDROID = 201
    MACOS = 300
    IOS = 301
    IPADOS = 302
    OTHER = 99


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """A place. ``country`` is ISO 3166-1 alpha-2; ``region`` a name or ISO 3166-2 code."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    lat: float | None = None
    long: float | None = None
    postal_code: str | None = None


class AutonomousSystem(
    Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False
):
    """The network operator an address belongs to."""

    number: int | None = None
    name: str | None = None


class Endpoint(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """One end of the login. ``ip`` is canonical text; IPv4-mapped IPv6 is written as IPv4.

    ``svc_name`` names a cloud service that called on the identity's behalf (no address then).
    ``intermediate_ips`` are forwarding proxies, nearest last.
    """

    ip: str | None = None
    port: int | None = None
    hostname: str | None = None
    name: str | None = None
    domain: str | None = None
    svc_name: str | None = None
    uid: str | None = None
    intermediate_ips: tuple[str, ...] | None = None
    location: Location | None = None
    autonomous_system: AutonomousSystem | None = None


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """The cloud account or tenant a user lives in."""

    uid: str | None = None
    name: str | None = None


class Group(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A group the user belongs to, as the record names it."""

    name: str | None = None
    uid: str | None = None


class User(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """An identity. At least one of ``name`` and ``uid`` is set.

    ``name`` is the login name as the vendor writes it (a UPN, a DOMAIN account, a Linux user,
    an IAM user or role session); ``email_addr`` only if the record states or the name is one. An
    address that OCSF's schema refuses (one with other letters than ASCII's) is the name instead.
    ``uid`` is the vendor's own stable id (object id, SID, ARN, principal id); ``uid_alt`` a
    second one. ``credential_uid`` names the key, certificate or token that was used.
    """

    name: str | None = None
    uid: str | None = None
    uid_alt: str | None = None
    email_addr: str | None = None
    full_name: str | None = None
    domain: str | None = None
    type_id: int | None = None
    type: str | None = None
    credential_uid: str | None = None
    account: Account | None = None
    groups: tuple[Group, ...] | None = None

    def __post_init__(self) -> None:
        """Keeps out of ``email_addr`` what OCSF refuses there."""
        given = self.email_addr
        if given is not None and not is_ocsf(given):
            if self.name is None or self.name.lower() != given:
                force_setattr(self, "name", given)
            force_setattr(self, "email_addr", None)

    @property
    def address(self) -> str | None:
        """The e-mail address or UPN, wherever it stands."""
        return self.email_addr or address_in(self.name)


class Actor(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Whoever acted, when it is not the authenticating user: an administrator, an application."""

    user: User | None = None
    app_name: str | None = None
    app_uid: str | None = None
    invoked_by: str | None = None


class Os(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """An operating system: family name and OCSF type."""

    name: str
    type_id: int
    version: str | None = None


class Device(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """The device that logs in. One of ``uid``, ``name``, ``hostname``, ``ip`` is set."""

    type_id: int
    uid: str | None = None
    name: str | None = None
    hostname: str | None = None
    ip: str | None = None
    os: Os | None = None
    is_managed: bool | None = None
    is_compliant: bool | None = None
    is_trusted: bool | None = None


class HttpRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """What the client said of itself."""

    user_agent: str | None = None
    x_forwarded_for: tuple[str, ...] | None = None


class Service(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """What was logged in to: an application, a cloud service, a cluster, a daemon."""

    name: str | None = None
    uid: str | None = None


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The session or token the login opened or used. Times in ms UTC."""

    uid: str | None = None
    uid_alt: str | None = None
    issuer: str | None = None
    created_time: int | None = None
    is_mfa: bool | None = None


class AuthFactor(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One factor shown in this login (fresh, not satisfied by an earlier claim)."""

    factor_type_id: int
    factor_type: str | None = None


class Product(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who wrote the log."""

    name: str
    vendor_name: str | None = None


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where the event comes from.

    ``uid`` is the vendor's event id where there is one. ``sequence`` is the 1-based record
    number in the input, ``original_time`` the timestamp as the record writes it, ``log_name``
    the vendor's name of this log, ``event_code`` its code or name of this kind of event;
    ``logged_time`` when whoever collected the log took the event in, in ms UTC.
    """

    version: str
    product: Product
    uid: str | None = None
    log_name: str | None = None
    sequence: int | None = None
    original_time: str | None = None
    event_code: str | None = None
    correlation_uid: str | None = None
    tenant_uid: str | None = None
    logged_time: int | None = None


class Unmapped(Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True, gc=False):
    """What Quivive uses and OCSF Authentication has no place for.

    credential_accepted: the credential was right although the event is no success (MFA still
        due, blocked by a policy, call not authorised): an attacker holding it looks like this.
    mfa_by_claim: MFA was satisfied by an earlier session's claim, not by a fresh factor.
    operation: what the credential was used for ("s3:ListBuckets", "list secrets").
    resource: what it was used on, where the operation alone does not say.
    role: the role assumed or switched to.
    runner: the CI runner or job a machine credential was used on.
    tls_fingerprint: JA4 or JA3 of the client.
    network_kind: hosting, vpn, tor, mobile, residential or corporate, as the vendor says it.
    vendor_risk: the vendor's own verdict ("high", "anonymizedIPAddress").
    non_interactive: no person was present (token refresh, background sync).
    sigma: the operator's rules that the record matched; never read from a record.
    """

    credential_accepted: bool | None = None
    mfa_by_claim: bool | None = None
    operation: str | None = None
    resource: str | None = None
    role: str | None = None
    runner: str | None = None
    tls_fingerprint: str | None = None
    network_kind: str | None = None
    vendor_risk: str | None = None
    non_interactive: bool | None = None
    sigma: tuple[RuleMatch, ...] | None = None


class AuthEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One normalised login or other authentication event. ``time`` is ms UTC."""

    time: int
    activity_id: int
    status_id: int
    user: User
    metadata: Metadata
    service: Service | None = None
    dst_endpoint: Endpoint | None = None
    src_endpoint: Endpoint | None = None
    actor: Actor | None = None
    device: Device | None = None
    http_request: HttpRequest | None = None
    session: Session | None = None
    is_mfa: bool | None = None
    auth_factors: tuple[AuthFactor, ...] | None = None
    auth_protocol: str | None = None
    auth_protocol_id: int | None = None
    logon_type: str | None = None
    logon_type_id: int | None = None
    is_remote: bool | None = None
    activity_name: str | None = None
    status: str | None = None
    status_code: str | None = None
    status_detail: str | None = None
    count: int | None = None
    unmapped: Unmapped | None = None
