"""AWS CloudTrail records, one a line."""

from collections.abc import Iterator
from random import Random
from typing import Any

from quivive.sim.action import CloudCall, Outcome, Principal
from quivive.sim.clients import uuid
from quivive.sim.emit.emitter import Emitter, Line, encode, stamp
from quivive.sim.services import letters

_READ = ("Get", "List", "Describe", "Lookup", "Filter", "Batch")


def emit(action: CloudCall, rng: Random) -> Iterator[Line]:
    """One API call, role change or console login."""
    service, _, name = action.operation.partition(":")
    uid = uuid(rng)
    console = name == "ConsoleLogin"
    record: dict[str, Any] = {
        "eventVersion": "1.11" if not console else "1.09",
        "userIdentity": _identity(action.principal, console),
        "eventTime": stamp(action.time),
        "eventSource": f"{'monitoring' if service == 'cloudwatch' else service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1" if service in ("iam", "signin") else action.region,
        "sourceIPAddress": action.spot.ip,
        "userAgent": action.agent,
    }
    if action.outcome is Outcome.NOT_ALLOWED:
        record["errorCode"] = "AccessDenied"
        record["errorMessage"] = (
            f"User: {_arn(action.principal)} is not authorized to perform: {action.operation} "
            "because no identity-based policy allows the action"
        )
    elif action.outcome is Outcome.BAD_PASSWORD:
        record["errorMessage"] = "Failed authentication"
    record |= _request(action, name, console)
    if not console:
        record["requestID"] = uuid(rng)
    record |= {
        "eventID": uid,
        "readOnly": name.startswith(_READ) or name.startswith("AssumeRole"),
        "eventType": "AwsConsoleSignIn" if console else "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": action.principal.account,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{action.region}.amazonaws.com",
        },
    }
    yield Line(encode(record), uid)


def _arn(who: Principal) -> str:
    if who.kind == "AssumedRole":
        return f"arn:aws:sts::{who.account}:assumed-role/{who.name}/{who.session}"
    return f"arn:aws:iam::{who.account}:user/{who.name}"


def _identity(who: Principal, console: bool) -> dict[str, Any]:
    if who.kind == "SAMLUser":
        return {
            "type": "SAMLUser",
            "principalId": f"{letters(Random(who.account), 24)}=:{who.name}",
            "userName": who.name,
            "identityProvider": f"{letters(Random(who.account), 24)}=",
        }
    if who.kind == "WebIdentityUser":
        return {
            "type": "WebIdentityUser",
            "principalId": f"arn:aws:iam::{who.account}:oidc-provider/{who.issuer}"
            f":sts.amazonaws.com:{who.name}",
            "userName": who.name,
            "identityProvider": f"arn:aws:iam::{who.account}:oidc-provider/{who.issuer}",
        }
    if who.kind == "AssumedRole":
        return {
            "type": "AssumedRole",
            "principalId": f"{who.uid}:{who.session}",
            "arn": _arn(who),
            "accountId": who.account,
            "accessKeyId": "" if console else who.key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": who.uid,
                    "arn": f"arn:aws:iam::{who.account}:role/{who.name}",
                    "accountId": who.account,
                    "userName": who.name,
                },
                "attributes": {
                    "creationDate": stamp(who.since),
                    "mfaAuthenticated": "true" if who.mfa else "false",
                },
            },
        }
    return {
        "type": "IAMUser",
        "principalId": who.uid,
        "arn": _arn(who),
        "accountId": who.account,
        "accessKeyId": "" if console else who.key,
        "userName": who.name,
    }


def _request(action: CloudCall, name: str, console: bool) -> dict[str, Any]:
    """Request parameters and response, for the calls whose content matters to a login."""
    if console:
        result = "Success" if action.outcome is Outcome.SUCCESS else "Failure"
        return {
            "requestParameters": None,
            "responseElements": {"ConsoleLogin": result},
            "additionalEventData": {
                "LoginTo": "https://console.aws.amazon.com/console/home",
                "MobileVersion": "No",
                "MFAUsed": "Yes" if action.on == "mfa" else "No",
            },
        }
    if not name.startswith("AssumeRole"):
        return {"requestParameters": None, "responseElements": None}
    who = action.principal
    arn = f"arn:aws:iam::{who.account}:role/{action.role}"
    session = who.session or who.name.replace("repo:", "").split(":")[0].replace("/", "-")
    denied = action.outcome is not Outcome.SUCCESS
    return {
        "requestParameters": {
            "roleArn": arn,
            "roleSessionName": session,
            "durationSeconds": 3600,
        },
        "responseElements": None
        if denied
        else {
            "credentials": {
                "accessKeyId": action.on,
                "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
                "expiration": stamp(action.time + 3600),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{'AROA' + letters(Random(action.role), 17)}:{session}",
                "arn": f"arn:aws:sts::{who.account}:assumed-role/{action.role}/{session}",
            },
        },
    }


EMITTER = Emitter("cloudtrail", "cloudtrail.jsonl", (CloudCall,), emit)
