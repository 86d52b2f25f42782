"""Teleport audit events: logins, sessions on everything it protects, certificates, bots."""

import re
from typing import Any

from quivive.model.event import (
    Activity,
    AuthEvent,
    HttpRequest,
    Product,
    Status,
    Unmapped,
)
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources import fields
from quivive.sources._teleport_events import (
    BESIDE,
    CERTIFICATE,
    HEADLESS_ASKED,
    HEADLESS_REJECTED,
    JOIN,
    KINDS,
    KUBERNETES,
    LOCK,
    LOGIN,
    PROMPT,
    TEST_FLOW,
    Kind,
    is_inside,
)
from quivive.sources._teleport_record import (
    destination,
    device,
    factors,
    parties,
    protocol,
    service,
    session,
    source_endpoint,
)
from quivive.sources.fields import field, integer, mapping
from quivive.sources.source import Source

_PRODUCT = Product(name="Teleport", vendor_name="Gravitational")
_NOTHING = Unmapped()
_NO_LOGIN = Skip("no authentication event")
_WITHIN = Skip("inside a session whose start is recorded")
_BESIDE = Skip("a notice beside the record of the login")
_PROMPT = Skip("an MFA challenge whose answer is recorded apart")
_TEST = Skip("a test of a connector, which opens no session")
_HOST = Skip("a certificate of a server")
_NO_USER = Skip("a lock on no user")
_CODE = re.compile(r"[A-Z]{1,9}\d{2,5}[A-Z]")
_KNOWN = ("not in the set of valid principals", "access denied", "access to")
_FIRST = ("CHALLENGE_SCOPE_LOGIN", "CHALLENGE_SCOPE_PASSWORDLESS_LOGIN", "")


def recognise(record: RawRecord) -> bool:
    """The name of an event, and a code of Teleport's with the event's number or cluster."""
    event = record.fields
    if event is None or type(event.get("event")) is not str:
        return False
    code = event.get("code")
    if type(code) is not str or not _CODE.fullmatch(code.upper()):
        return False
    return "ei" in event or "cluster_name" in event or ("uid" in event and "time" in event)


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The login, the session or the change of a credential that an event tells of."""
    event = record.fields or {}
    name, code = field(event, "event"), (field(event, "code") or "").upper()
    if name is None:
        raise RejectError("event: missing")
    kind = KINDS.get(name)
    if name in BESIDE:
        return _BESIDE
    if name == PROMPT:
        return _PROMPT
    if kind is None:
        return _WITHIN if is_inside(name) else _NO_LOGIN
    if code in TEST_FLOW:
        return _TEST
    identity = mapping(event, "identity")
    if kind is CERTIFICATE and field(event, "cert_type") == "host":
        return _HOST
    if kind is LOCK and field(mapping(event, "target"), "user") is None:
        return _NO_USER
    time = fields.timestamp(event.get("time"), "time", default=record.reference_time)
    cluster = field(event, "cluster_name")
    user, actor = parties(event, identity, kind, cluster)
    status = _status(event, kind, code)
    is_mfa, shown = factors(event, kind, status)
    way, way_id = protocol(event, kind)
    src = source_endpoint(event, identity)
    agent = field(event, "user_agent")
    answer = integer(event, "response_code")
    rejected = code == HEADLESS_REJECTED
    return AuthEvent(
        time=time,
        # Whoever rejects a headless login was asked to confirm what somebody else began.
        activity_id=Activity.OTHER if rejected else kind.activity,
        activity_name="MFA Challenge" if rejected else kind.name,
        status_id=status,
        status_code=None if answer is None else str(answer),
        status_detail=field(event, "error") or field(event, "message") or field(event, "reason"),
        user=user,
        actor=actor,
        service=service(event, identity, kind, cluster),
        dst_endpoint=destination(event, kind),
        src_endpoint=src,
        device=device(event, src),
        http_request=HttpRequest(user_agent=agent) if agent else None,
        session=session(event),
        is_mfa=is_mfa,
        auth_factors=shown,
        auth_protocol=way,
        auth_protocol_id=way_id,
        metadata=fields.metadata(
            record,
            _PRODUCT,
            uid=field(event, "uid"),
            log_name="Teleport audit log",
            original_time=event.get("time"),
            event_code=code or name,
            tenant_uid=cluster,
        ),
        unmapped=_unmapped(event, kind, status, name),
    )


def _status(event: dict[str, Any], kind: Kind, code: str) -> Status:
    """By the code's last letter (I: done, W, E and L: not), and by what the record says."""
    if kind.asked or code == HEADLESS_ASKED:
        return Status.OTHER
    if kind is KUBERNETES:
        answer = integer(event, "response_code")
        return Status.FAILURE if answer is not None and answer >= 400 else Status.SUCCESS
    if kind is LOGIN and type(event.get("success")) is bool:
        return Status.SUCCESS if event["success"] else Status.FAILURE
    if code.endswith(("W", "E", "L")) or event.get("success") is False:
        return Status.FAILURE
    return Status.SUCCESS


def _unmapped(event: dict[str, Any], kind: Kind, status: Status, name: str) -> Unmapped | None:
    operation = resource = role = None
    if kind.use:
        operation = name
    if kind is KUBERNETES:
        verb = (field(event, "verb") or "").lower()
        what = (
            field(event, "resource_kind") or (field(event, "request_path") or "").partition("?")[0]
        )
        operation = f"{verb} {what}".strip() or name
        parts = (field(event, "resource_namespace"), field(event, "resource_name"))
        resource = "/".join(part for part in parts if part) or None
    elif kind is JOIN:
        workflow = field(mapping(event, "attributes"), "job_workflow_ref")
        resource = workflow.partition("@")[0] if workflow else None
        role = field(event, "role")
    elif kind.mark == "database":
        resource, role = field(event, "db_name"), field(event, "db_user")
    elif kind.mark == "desktop":
        role = field(event, "windows_user") or field(event, "linux_user") or field(event, "login")
    elif kind.mark == "application":
        role = field(event, "aws_role_arn") or field(event, "gcp_service_account")
        role = role or field(event, "azure_identity")
    elif kind.mark in ("server", "auth"):
        role = field(event, "login")
    elif kind.mark == "spiffe":
        resource = field(event, "spiffe_id")
    elif kind.mark == "token":
        resource = field(event, "name")
    elif kind.mark == "factor":
        resource = field(event, "mfa_device_name")
    accepted = status == Status.FAILURE and _accepted(event, kind)
    machine = kind is CERTIFICATE or kind is JOIN or kind.mark == "spiffe"
    found = Unmapped(
        credential_accepted=accepted or None,
        operation=operation,
        resource=resource,
        role=role,
        non_interactive=machine or None,
    )
    return None if found == _NOTHING else found


def _accepted(event: dict[str, Any], kind: Kind) -> bool:
    """Whether a failure shows that the credential was right."""
    if kind is KUBERNETES:
        return integer(event, "response_code") != 401
    if kind.use:
        return True
    if kind is LOGIN:
        # The identity provider said who it is, and Teleport found no roles.
        return bool(mapping(event, "attributes"))
    if kind.mark == "mfa":
        return (field(event, "challenge_scope") or "") not in _FIRST
    if kind.mark == "auth":
        said = (field(event, "error") or "").lower()
        return any(words in said for words in _KNOWN)
    return False


SOURCE = Source(
    name="teleport",
    title="Teleport audit log",
    reads=(
        "logins, local and by single sign-on, headless ones, and MFA challenges",
        "sessions on servers, Kubernetes, databases, applications and desktops, and their end",
        "certificates issued, bots and servers that join, SPIFFE ids",
        "factors, recovery codes, resets, locks and join tokens",
    ),
    gives=(
        "user.name",
        "user.email_addr",
        "user.type_id",
        "user.account.uid",
        "user.credential_uid",
        "actor.user",
        "src_endpoint.ip",
        "src_endpoint.port",
        "dst_endpoint.hostname",
        "service.name",
        "device.uid",
        "device.is_trusted",
        "http_request.user_agent",
        "session.uid",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.resource",
        "unmapped.role",
        "unmapped.credential_accepted",
        "unmapped.non_interactive",
    ),
    documentation="https://goteleport.com/docs/reference/audit-events/",
    recognise=recognise,
    parse=parse,
)
