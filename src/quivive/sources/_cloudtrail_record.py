"""CloudTrail records out of their carriers, and those of them that are no login."""

from typing import Any

import msgspec

from quivive.model.record import RawRecord, RejectError
from quivive.sources.fields import mapping, text

# Warehouses such as Athena and Snowflake write column names in lower case.
_SPELLINGS = (
    "eventTime eventSource eventName eventType eventID eventCategory awsRegion sourceIPAddress "
    "userAgent userIdentity requestParameters responseElements requestID additionalEventData "
    "serviceEventDetails errorCode errorMessage recipientAccountId tlsDetails principalId "
    "accountId accessKeyId userName invokedBy identityProvider sessionContext sessionIssuer "
    "mfaAuthenticated creationDate sourceIdentity roleArn serialNumber ConsoleLogin MFAUsed "
    "MFAIdentifier SamlProviderArn onBehalfOf userId credentialId sessionCredentialFromConsole"
)
_KEYS = {key.lower(): key for key in _SPELLINGS.split()}
_DEPTH = 4  # of userIdentity.sessionContext.attributes.mfaAuthenticated
_ANONYMOUS = frozenset({"anonymous", "anonymous_principal"})
_FIRST_FACTORS = frozenset({"PASSWORD", "SMARTCARD", "EXTERNAL_IDP"})


def unwrapped(fields: dict[str, Any]) -> dict[str, Any]:
    """The record inside an EventBridge envelope, with CloudTrail's own spelling of its keys."""
    detail = fields.get("detail")
    if type(detail) is dict and "eventName" in detail:
        return detail
    if "eventname" in fields and "eventName" not in fields:
        return _respelt(fields, _DEPTH)
    return fields


def _respelt(fields: dict[str, Any], depth: int) -> dict[str, Any]:
    return {
        _KEYS.get(key, key): _respelt(value, depth - 1) if depth and type(value) is dict else value
        for key, value in fields.items()
    }


def record_fields(record: RawRecord) -> dict[str, Any]:
    """The record's own fields, also from its JSON text in the output of lookup-events."""
    fields = unwrapped(record.fields or {})
    looked_up = fields.get("CloudTrailEvent")
    if type(looked_up) is not str:
        return fields
    try:
        inner = msgspec.json.decode(looked_up)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        inner = None
    if type(inner) is not dict:
        raise RejectError("CloudTrailEvent: no JSON object")
    return inner


def skip_reason(fields: dict[str, Any]) -> str | None:
    """Why the record is no customer's use of a credential, if it is none."""
    event_type = fields.get("eventType")
    if event_type == "AwsCloudTrailInsight" or fields.get("eventCategory") == "Insight":
        return "CloudTrail Insight"
    if "digestS3Bucket" in fields:
        return "CloudTrail digest"
    identity = mapping(fields, "userIdentity")
    kind = identity.get("type")
    if kind == "AWSService":
        return "call made by an AWS service"
    if kind is None and "userName" not in identity and "arn" not in identity:
        # "AwsServiceEvent"; the documentation also writes "AWSServiceEvent".
        if _lower(event_type) == "awsserviceevent":
            return "event of an AWS service, without a caller"
        if identity.get("invokedBy"):
            return "call made by an AWS service"
    principal = identity.get("principalId")
    caller = principal if kind == "Unknown" else identity.get("accountId") or principal
    if _lower(caller) in _ANONYMOUS:
        return "anonymous call, without a credential"
    if fields.get("eventName") == "CredentialChallenge":
        asked = text(fields, "additionalEventData", "CredentialType")
        if asked is None or asked in _FIRST_FACTORS:
            return "prompt for a first factor"
    return None


def _lower(value: Any) -> str | None:
    return value.lower() if type(value) is str else None
