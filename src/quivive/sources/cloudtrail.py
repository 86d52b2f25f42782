"""AWS CloudTrail: console sign-ins, STS and Identity Center, and every use of a credential."""

import re
from functools import lru_cache
from typing import Any

from quivive.model.event import (
    Actor,
    AuthEvent,
    Device,
    DeviceType,
    Endpoint,
    HttpRequest,
    Location,
    Product,
    Service,
    Unmapped,
)
from quivive.model.record import RawRecord, Skip
from quivive.sources._cloudtrail_call import Call, parse_arn, read_call
from quivive.sources._cloudtrail_caller import IDENTITY_TYPES, session_of, user_of
from quivive.sources._cloudtrail_outcome import activity_of, mfa_of, outcome_of, protocol_of
from quivive.sources._cloudtrail_record import record_fields, skip_reason, unwrapped
from quivive.sources.fields import address, clean, field, mapping, metadata, text, timestamp
from quivive.sources.source import Source
from quivive.sources.varying import Varying

_PRODUCT = Product(name="CloudTrail", vendor_name="AWS")
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


def recognise(record: RawRecord) -> bool:
    """Whether the record is CloudTrail's: its event source, or its shape and identity type."""
    if record.fields is None:
        return False
    fields = unwrapped(record.fields)
    if "CloudTrailEvent" in fields:
        return "EventId" in fields and type(fields["CloudTrailEvent"]) is str
    if type(fields.get("eventName")) is not str:
        return "digestS3Bucket" in fields and "logFiles" in fields
    source = fields.get("eventSource")
    if type(source) is str and ".amazonaws." in source:
        return True
    event_type = fields.get("eventType")
    if type(event_type) is str and event_type.lower().startswith("aws"):
        return True
    kind = mapping(fields, "userIdentity").get("type")
    return type(kind) is str and kind in IDENTITY_TYPES


def parse(record: RawRecord) -> AuthEvent | Skip:
    """The event of one CloudTrail record."""
    fields = record_fields(record)
    if reason := skip_reason(fields):
        return Skip(reason)
    call = read_call(fields)
    written = fields.get("eventTime")
    time = timestamp(written, "eventTime", default=record.reference_time)
    code = field(fields, "errorCode")
    detail = field(fields, "errorMessage")
    outcome = outcome_of(call, code, detail)
    mfa = mfa_of(call)
    activity, activity_name = activity_of(call)
    protocol, protocol_id = protocol_of(call)
    details = mapping(fields, "serviceEventDetails")
    return AuthEvent(
        time=time,
        activity_id=activity,
        activity_name=activity_name,
        status_id=outcome.status,
        status_code=code,
        status_detail=detail,
        user=user_of(call),
        metadata=metadata(
            record,
            _PRODUCT,
            uid=field(fields, "eventID"),
            log_name="CloudTrail",
            original_time=written,
            event_code=call.name,
            correlation_uid=field(call.additional, "AuthWorkflowID") or field(fields, "requestID"),
            tenant_uid=field(fields, "recipientAccountId"),
        ),
        service=_service(call.source),
        dst_endpoint=_destination(call),
        src_endpoint=_client_endpoint(fields.get("sourceIPAddress")),
        actor=_invoker(field(call.identity, "invokedBy")),
        device=_instance(call.role.session),
        http_request=_request(call.agent),
        session=session_of(call),
        is_mfa=mfa.is_mfa,
        auth_factors=mfa.factors,
        auth_protocol=protocol,
        auth_protocol_id=protocol_id,
        unmapped=_unmapped(
            outcome.credential_accepted,
            mfa.by_claim,
            _operation(call.source, call.name),
            field(details, "account_id"),
            _role(call) or field(details, "role_name"),
            text(call.identity, "inScopeOf", "credentialsIssuedTo"),
        ),
    )


@lru_cache(maxsize=16384)
def _unmapped(
    credential_accepted: bool | None,
    mfa_by_claim: bool | None,
    operation: str,
    resource: str | None,
    role: str | None,
    runner: str | None,
) -> Unmapped:
    return Unmapped(
        credential_accepted=credential_accepted,
        mfa_by_claim=mfa_by_claim,
        operation=operation,
        resource=resource,
        role=role,
        runner=runner,
    )


def _role(call: Call) -> str | None:
    """The role assumed by this call, else the one whose session makes it."""
    if call.name.startswith("AssumeRole"):
        assumed = text(call.fields, "requestParameters", "roleArn")
        if assumed:
            return assumed
    if call.name == "SwitchRole" and call.sign_in:
        target = parse_arn(text(call.fields, "userIdentity", "arn"))
        if target.role_arn:
            return target.role_arn
    return call.role.arn


@lru_cache(maxsize=4096)
def _service(source: str | None) -> Service:
    return Service(name=source.partition(".")[0] if source else "aws")


@lru_cache(maxsize=16384)
def _operation(source: str | None, name: str) -> str:
    return f"{source.partition('.')[0]}:{name}" if source else name


def _destination(call: Call) -> Endpoint | None:
    """The service's endpoint: its name, the host the client asked for, and the AWS Region."""
    region = field(call.fields, "awsRegion")
    host = text(call.fields, "tlsDetails", "clientProvidedHostHeader")
    return _endpoint(call.source, host, region) if call.source or host else None


@lru_cache(maxsize=4096)
def _endpoint(service: str | None, host: str | None, region: str | None) -> Endpoint:
    location = Location(region=region) if region else None
    return Endpoint(svc_name=service, hostname=host, location=location)


def _client_endpoint(source: Any) -> Endpoint | None:
    """Where the call came from; for one made on the caller's behalf, the service's name."""
    ip = address(source)
    if ip:
        return Endpoint(ip=ip)
    name = clean(source)
    if name and (name == "AWS Internal" or ".amazonaws." in name):
        return Endpoint(svc_name=name)
    return None


@lru_cache(maxsize=4096)
def _invoker(name: str | None) -> Actor | None:
    return Actor(invoked_by=name) if name else None


@lru_cache(maxsize=16384)
def _instance(session: str | None) -> Device | None:
    """EC2 names the sessions of an instance profile after the instance."""
    if session and _INSTANCE.fullmatch(session):
        return Device(type_id=DeviceType.VIRTUAL, uid=session)
    return None


@lru_cache(maxsize=16384)
def _request(agent: str | None) -> HttpRequest | None:
    return HttpRequest(user_agent=agent) if agent else None


SOURCE = Source(
    name="cloudtrail",
    title="AWS CloudTrail",
    reads=(
        "console sign-ins, role switches and MFA checks",
        "STS calls: assumed roles, SAML and web identity federation, session tokens",
        "IAM Identity Center sign-ins",
        "every other API call, as a use of its access key or role session",
        "trail files, EventBridge envelopes and lookup-events output",
    ),
    gives=(
        "user.name",
        "user.uid",
        "user.email_addr",
        "user.type_id",
        "user.account.uid",
        "user.credential_uid",
        "src_endpoint.ip",
        "src_endpoint.svc_name",
        "http_request.user_agent",
        "service.name",
        "dst_endpoint.location.region",
        "actor.invoked_by",
        "device.uid",
        "session.uid",
        "session.created_time",
        "session.is_mfa",
        "is_mfa",
        "auth_factors",
        "auth_protocol",
        "status_code",
        "status_detail",
        "unmapped.operation",
        "unmapped.role",
        "unmapped.runner",
        "unmapped.credential_accepted",
        "unmapped.mfa_by_claim",
    ),
    documentation="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html",
    recognise=recognise,
    parse=parse,
    varying=Varying(time="eventTime", uid="eventID", correlation="requestID"),
)
