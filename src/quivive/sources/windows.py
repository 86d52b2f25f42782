"""Windows Security events on logons, Kerberos and NTLM, as Winlogbeat, NXLog and XML carry them."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.event import (
    Activity,
    AuthEvent,
    AuthFactor,
    Device,
    DeviceType,
    Endpoint,
    FactorType,
    Product,
    Service,
    Session,
    Status,
    Unmapped,
    User,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources._windows_account import LOGON_SERVICE, account, actor, principal, word
from quivive.sources._windows_codes import (
    ACCEPTED_NTSTATUS,
    KDC_KEY_EXPIRED,
    KDC_PREAUTH_REQUIRED,
    KERBEROS_CODES,
    NTSTATUS,
)
from quivive.sources._windows_event import Entry, ntstatus, read_code, read_entry
from quivive.sources.fields import (
    ZERO_GUID,
    address,
    integer,
    metadata,
    port,
    text,
    timestamp,
)
from quivive.sources.source import Source

PRODUCT = Product(name="Windows", vendor_name="Microsoft")
WINDOWS = Service(name="Windows")

NOT_A_LOGIN = Skip("not a logon event")
NO_USER = Skip("an attempt without a user name")
NOT_SECURITY = Skip("not from the Security log")

ACCEPTED_CREDENTIAL = Unmapped(credential_accepted=True)
NON_INTERACTIVE = Unmapped(non_interactive=True)
PASSWORD = (AuthFactor(factor_type_id=FactorType.PASSWORD),)
CERTIFICATE = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="Certificate"),)


class _Kind(Struct, frozen=True, kw_only=True):
    """What one event id records. ``status`` is None where the record itself states it."""

    activity: Activity = Activity.LOGON
    activity_name: str | None = None
    status: Status | None = None
    kerberos: bool = False


KINDS: dict[int, _Kind] = {
    4624: _Kind(status=Status.SUCCESS),
    4625: _Kind(status=Status.FAILURE),
    4634: _Kind(activity=Activity.LOGOFF, status=Status.SUCCESS),
    4647: _Kind(activity=Activity.LOGOFF, status=Status.SUCCESS),
    4648: _Kind(status=Status.SUCCESS),
    4723: _Kind(activity=Activity.OTHER, activity_name="Password Change"),
    4724: _Kind(activity=Activity.OTHER, activity_name="Password Reset"),
    4740: _Kind(activity=Activity.OTHER, activity_name="Account Lock", status=Status.SUCCESS),
    4768: _Kind(activity=Activity.AUTHENTICATION_TICKET, kerberos=True),
    4769: _Kind(activity=Activity.SERVICE_TICKET, kerberos=True),
    4770: _Kind(activity=Activity.SERVICE_TICKET_RENEW, status=Status.SUCCESS, kerberos=True),
    4771: _Kind(activity=Activity.PREAUTH, status=Status.FAILURE, kerberos=True),
    4776: _Kind(),
}

# OCSF numbers its logon types as Windows does.
LOGON_TYPES = {
    0: "System",
    2: "Interactive",
    3: "Network",
    4: "Batch",
    5: "OS Service",
    7: "Unlock",
    8: "Network Cleartext",
    9: "New Credentials",
    10: "Remote Interactive",
    11: "Cached Interactive",
    12: "Cached Remote Interactive",
    13: "Cached Unlock",
}
LOGON_SYSTEM, LOGON_BATCH = 0, 4
REMOTE_LOGONS = frozenset({3, 8, 10, 12})

# Pre-authentication types: encrypted timestamp, FAST's encrypted challenge; PKINIT.
PREAUTH_FACTORS = {
    2: PASSWORD,
    138: PASSWORD,
    15: CERTIFICATE,
    16: CERTIFICATE,
    17: CERTIFICATE,
}

PROTOCOLS: dict[str, tuple[str, int]] = {
    "ntlm": ("NTLM", 1),
    "microsoft_authentication_package_v1_0": ("NTLM", 1),
    "kerberos": ("Kerberos", 2),
    "wdigest": ("Digest", 3),
}
KERBEROS = PROTOCOLS["kerberos"]
NTLM = PROTOCOLS["ntlm"]

# Logon ids that every computer gives its built-in sessions: System, network and local service.
FIXED_LOGON_IDS = frozenset({"0x0", "0x3e7", "0x3e4", "0x3e5", "0x3e3"})


# --- Outcome -----------------------------------------------------------------------------------


class _Outcome(Struct, frozen=True, kw_only=True):
    status: Status
    code: str | None = None
    detail: str | None = None
    accepted: bool = False


SUCCESS = _Outcome(status=Status.SUCCESS)
FAILURE = _Outcome(status=Status.FAILURE)
UNKNOWN = _Outcome(status=Status.UNKNOWN)


def _outcome(kind: _Kind, entry: Entry) -> _Outcome:
    if kind.status == Status.SUCCESS:
        return SUCCESS
    data = entry.data
    if kind.kerberos:
        code = read_code(data.get("Status"))
        return _stated(kind, entry) if code is None else _kerberos_outcome(kind, code)
    # SubStatus is the reason; it is 0x0 where Status itself says it.
    code = ntstatus(data.get("SubStatus")) or ntstatus(data.get("Status"))
    if code:
        return _nt_outcome(code)
    if code == 0 and kind.status is None:
        return _Outcome(status=Status.SUCCESS, code="0x0")
    return _stated(kind, entry)


def _stated(kind: _Kind, entry: Entry) -> _Outcome:
    """The outcome of an event without a status code."""
    if kind.status == Status.FAILURE or entry.failed:
        return FAILURE
    return UNKNOWN if entry.failed is None else SUCCESS


@lru_cache(maxsize=256)
def _nt_outcome(code: int) -> _Outcome:
    return _Outcome(
        status=Status.FAILURE,
        code=f"0x{code:08X}",
        detail=NTSTATUS.get(code),
        accepted=code in ACCEPTED_NTSTATUS,
    )


def _kerberos_outcome(kind: _Kind, code: int) -> _Outcome:
    if code == 0 and kind.status is None:
        status = Status.SUCCESS
    elif code == KDC_PREAUTH_REQUIRED:
        status = Status.OTHER
    else:
        status = Status.FAILURE
    return _Outcome(
        status=status,
        code=f"0x{code:X}" if code >= 0 else str(code),
        detail=KERBEROS_CODES.get(code),
        accepted=code == KDC_KEY_EXPIRED,
    )


# --- Events ------------------------------------------------------------------------------------


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one record. Raises RejectError for XML that cannot be read, and for a logon
    without its time or its user's field."""
    entry = read_entry(record)
    if entry.event_id is None:
        raise RejectError("EventID: missing")
    kind = KINDS.get(entry.event_id)
    if kind is None:
        return NOT_A_LOGIN
    if entry.channel is not None and entry.channel.lower() != "security":
        return NOT_SECURITY
    data = entry.data
    logon_type = integer(data, "LogonType")
    user = _event_user(entry, logon_type)
    if user is None:
        if "TargetUserName" in data:
            return NO_USER
        raise RejectError("TargetUserName: missing")
    outcome = _outcome(kind, entry)
    protocol, protocol_id = _protocol(kind, entry)
    unmapped = ACCEPTED_CREDENTIAL if outcome.accepted else None
    if unmapped is None and logon_type in (LOGON_SYSTEM, LOGON_BATCH, LOGON_SERVICE):
        unmapped = NON_INTERACTIVE
    return AuthEvent(
        time=timestamp(entry.time, entry.time_field, default=record.reference_time),
        activity_id=kind.activity,
        activity_name=kind.activity_name,
        status_id=outcome.status,
        status_code=outcome.code,
        status_detail=outcome.detail,
        user=user,
        actor=actor(data, user) if entry.event_id != 4740 else None,
        metadata=metadata(
            record,
            PRODUCT,
            uid=_uid(entry),
            log_name=entry.channel or "Security",
            original_time=entry.time,
            event_code=str(entry.event_id),
        ),
        service=_service(entry),
        dst_endpoint=_destination(entry),
        src_endpoint=_source(entry),
        device=_device(entry),
        session=_session(entry),
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        auth_factors=_factors(kind, data),
        logon_type=LOGON_TYPES.get(logon_type) if logon_type is not None else None,
        logon_type_id=logon_type if logon_type in LOGON_TYPES else None,
        is_remote=logon_type in REMOTE_LOGONS if logon_type in LOGON_TYPES else None,
        unmapped=unmapped,
    )


def _event_user(entry: Entry, logon_type: int | None) -> User | None:
    data = entry.data
    if entry.event_id in (4769, 4770):
        return principal(data)
    if entry.event_id == 4740:
        # TargetDomainName is the caller's computer here; the domain is the reporting one's.
        return account(data, "Target", domain=word(data, "SubjectDomainName"))
    credential = word(data, "CertThumbprint") if entry.event_id in (4768, 4771) else None
    return account(data, "Target", logon_type=logon_type, credential=credential)


def _uid(entry: Entry) -> str | None:
    """A record number is unique in one computer's channel."""
    if entry.computer is None or entry.record_id is None:
        return None
    return f"{entry.computer}:{entry.channel or 'Security'}:{entry.record_id}"


def _service(entry: Entry) -> Service:
    name = text(entry.data, "ServiceName") if entry.event_id in (4769, 4770) else None
    if name is None:
        return WINDOWS
    return Service(name=name, uid=word(entry.data, "ServiceSid"))


def _destination(entry: Entry) -> Endpoint | None:
    """The computer that wrote the event, save for credentials it used on another one."""
    target = text(entry.data, "TargetServerName") if entry.event_id == 4648 else None
    if target is None or target.lower() == "localhost":
        target = entry.computer
    return _host(target) if target else None


@lru_cache(maxsize=4096)
def _host(name: str) -> Endpoint:
    return Endpoint(hostname=name)


def _source(entry: Entry) -> Endpoint | None:
    ip = address(entry.client)
    return Endpoint(ip=ip, port=port(entry.client_port)) if ip else None


def _device(entry: Entry) -> Device | None:
    """The workstation as the client named itself."""
    if entry.event_id == 4776:
        name = text(entry.data, "Workstation") or entry.workstation
    elif entry.event_id == 4740:
        name = text(entry.data, "TargetDomainName")
    else:
        name = entry.workstation
    name = name.lstrip("\\") if name else None
    return Device(type_id=DeviceType.UNKNOWN, hostname=name) if name else None


def _session(entry: Entry) -> Session | None:
    """A logon id is unique on one computer until it restarts; a logon GUID is so everywhere and
    also names the ticket request on the domain controller."""
    logon_id = word(entry.data, "TargetLogonId")
    if logon_id is not None and logon_id.lower() in FIXED_LOGON_IDS:
        logon_id = None
    # The LogonGuid of 4648 is that of the subject's own logon.
    guid_field = "TargetLogonGuid" if entry.event_id == 4648 else "LogonGuid"
    guid = (text(entry.data, guid_field) or "").strip("{}")
    if guid == ZERO_GUID:
        guid = ""
    if logon_id is None and not guid:
        return None
    return Session(uid=f"{entry.computer}:{logon_id}" if logon_id else None, uid_alt=guid or None)


def _protocol(kind: _Kind, entry: Entry) -> tuple[str | None, int | None]:
    if kind.kerberos:
        return KERBEROS
    if entry.event_id == 4776:
        return NTLM
    package = text(entry.data, "AuthenticationPackageName")
    if package is None:
        return None, None
    if package == "Negotiate" and (text(entry.data, "LmPackageName") or "").startswith("NTLM"):
        return NTLM
    return PROTOCOLS.get(package.lower()) or (package, 99)


def _factors(kind: _Kind, data: dict[str, Any]) -> tuple[AuthFactor, ...] | None:
    if not kind.kerberos:
        return None
    preauth = integer(data, "PreAuthType")
    return None if preauth is None else PREAUTH_FACTORS.get(preauth)


def recognise(record: RawRecord) -> bool:
    """Whether this is a Windows event, from any of its logs."""
    fields = record.fields
    if fields is None:
        return record.body.startswith(b"<Event") and b"<EventID" in record.body
    winlog = fields.get("winlog")
    if type(winlog) is dict:
        return "event_id" in winlog or "channel" in winlog
    return "EventID" in fields and (
        "Channel" in fields or "SourceName" in fields or "ProviderGuid" in fields
    )


SOURCE = Source(
    name="windows",
    title="Windows Security log",
    reads=(
        "Winlogbeat events (7 and 8, with or without its security module)",
        "NXLog JSON of im_msvistalog",
        "rendered event XML",
        "events 4624, 4625, 4634, 4647, 4648, 4723, 4724, 4740, 4768 to 4771 and 4776",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.domain",
        "user.type_id",
        "actor.user.name",
        "src_endpoint.ip",
        "src_endpoint.port",
        "dst_endpoint.hostname",
        "device.hostname",
        "session.uid",
        "logon_type",
        "auth_protocol",
        "auth_factors",
        "status_code",
        "status_detail",
    ),
    documentation=(
        "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/"
        "threat-protection/auditing/basic-audit-logon-events"
    ),
    recognise=recognise,
    parse=parse,
)
