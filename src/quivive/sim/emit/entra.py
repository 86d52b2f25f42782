"""Microsoft Entra ID sign-in logs, as Microsoft Graph exports them (``auditLogs/signIns``)."""

from collections.abc import Iterator
from random import Random
from typing import Any

from quivive.sim.action import Action, Outcome, ServiceSignIn, SignIn
from quivive.sim.clients import uuid
from quivive.sim.emit.emitter import Emitter, Line, encode, stamp
from quivive.sim.world import Spot

TENANT = "5f0e9c1a-7b2d-4e63-9a84-c1d7e2b3f490"

_ERRORS = {
    Outcome.SUCCESS: (0, "Other."),
    Outcome.BAD_PASSWORD: (
        50126,
        "Error validating credentials due to invalid username or password.",
    ),
    Outcome.UNKNOWN_USER: (50034, "The user account does not exist in the directory."),
    Outcome.LOCKED: (
        50053,
        "The account is locked, you've tried to sign in too many times.",
    ),
    Outcome.DISABLED: (50057, "The user account is disabled."),
    Outcome.MFA_REQUIRED: (50074, "Strong Authentication is required."),
    Outcome.MFA_DENIED: (500121, "Authentication failed during strong authentication request."),
    Outcome.MFA_TIMEOUT: (500121, "Authentication failed during strong authentication request."),
    Outcome.KEEP_SIGNED_IN: (
        50140,
        "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
    ),
    Outcome.EXPIRED_TOKEN: (
        700082,
        "The refresh token has expired due to inactivity.",
    ),
    Outcome.BLOCKED: (53003, "Access has been blocked by Conditional Access policies."),
    Outcome.BAD_SECRET: (7000215, "Invalid client secret is provided."),
    Outcome.NOT_ALLOWED: (
        50105,
        "The signed in user is not assigned to a role for the signed in app.",
    ),
}
_DETAILS = {
    Outcome.MFA_DENIED: "MFA denied; user declined the authentication",
    Outcome.MFA_TIMEOUT: "MFA denied; user did not respond to mobile app notification",
}
_METHODS = {
    "push": "Mobile app notification",
    "otp": "OATH verification code",
    "fido": "FIDO2 security key",
    "sms": "Text message",
}
_CLIENTS = {
    "browser": "Browser",
    "app": "Mobile Apps and Desktop clients",
    "cli": "Mobile Apps and Desktop clients",
    "device": "Mobile Apps and Desktop clients",
    "imap": "IMAP4",
    "pop": "POP3",
    "smtp": "Authenticated SMTP",
}
_PROTOCOLS = {"imap": "ropc", "pop": "ropc", "smtp": "ropc", "device": "deviceCode"}
_LEGACY = frozenset({"imap", "pop", "smtp"})
_RICH = frozenset({"Outlook Mobile", "Microsoft Teams", "OneDrive SyncEngine", "Microsoft Office"})
_NOT_PASSWORD = frozenset({Outcome.BAD_PASSWORD, Outcome.UNKNOWN_USER, Outcome.LOCKED})


def emit(action: Action, rng: Random) -> Iterator[Line]:
    """A sign-in of a person or of an application."""
    if isinstance(action, ServiceSignIn):
        yield _service(action, rng)
    elif isinstance(action, SignIn):
        yield _person(action, rng)


def _person(action: SignIn, rng: Random) -> Line:
    uid = uuid(rng)
    shown = action.client.device_id and (action.protocol != "browser" or _sends_device(action))
    mfa = bool(action.factor) or action.outcome in (Outcome.MFA_REQUIRED, *_DETAILS)
    record = {
        **_common(action, uid, rng),
        "userDisplayName": action.account.name,
        "userPrincipalName": action.account.email,
        "userId": action.account.uid,
        "userType": "guest" if action.account.guest else "member",
        "appId": action.app.uid,
        "appDisplayName": action.app.name,
        "resourceDisplayName": action.app.resource,
        "resourceId": action.app.resource_uid,
        "clientAppUsed": _CLIENTS[action.protocol],
        "userAgent": _agent(action),
        "isInteractive": action.interactive,
        "signInEventTypes": ["interactiveUser" if action.interactive else "nonInteractiveUser"],
        "authenticationProtocol": _PROTOCOLS.get(action.protocol, "none"),
        "incomingTokenType": "none" if action.interactive else "refreshToken",
        "sessionId": action.session or None,
        "authenticationRequirement": "multiFactorAuthentication"
        if mfa
        else "singleFactorAuthentication",
        "conditionalAccessStatus": "failure"
        if action.outcome is Outcome.BLOCKED
        else "success"
        if mfa
        else "notApplied",
        "authenticationDetails": _steps(action),
        "deviceDetail": _device(action, bool(shown)),
    }
    return Line(encode(record), uid)


def _sends_device(action: SignIn) -> bool:
    """Edge and Safari pass the device's identity on; Chrome does with an extension."""
    client = action.client
    return client.browser in ("Edge", "Safari", "Mobile Safari") or (
        client.browser == "Chrome" and client.device_id[-1] < "b"
    )


def _common(action: Action, uid: str, rng: Random) -> dict[str, Any]:
    code, reason = _ERRORS[action.outcome]
    return {
        "id": uid,
        "createdDateTime": stamp(action.time),
        "correlationId": uuid(rng),
        "ipAddress": action.spot.ip,
        "autonomousSystemNumber": action.spot.prefix.network.number if action.spot.prefix else 0,
        "location": _location(action.spot, action.time),
        "status": {
            "errorCode": code,
            "failureReason": reason,
            "additionalDetails": _DETAILS.get(action.outcome),
        },
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "homeTenantId": TENANT,
        "resourceTenantId": TENANT,
        "crossTenantAccessType": "none",
        "tokenIssuerType": "AzureAD",
    }


def _location(spot: Spot, time: float) -> dict[str, Any]:
    if spot.prefix is None:
        return {"city": "", "state": "", "countryOrRegion": "", "geoCoordinates": {}}
    city = spot.prefix.said(time)
    return {
        "city": city.name,
        "state": city.region,
        "countryOrRegion": city.country,
        "geoCoordinates": {"altitude": None, "latitude": city.lat, "longitude": city.long},
    }


def _agent(action: SignIn) -> str:
    if action.protocol in _LEGACY:
        return "BAV2ROPC"
    if not _rich(action):
        return action.client.agent(action.time)
    if action.client.os.startswith("Ios"):
        return f"{action.app.name.partition(' ')[0]}/2.0 CFNetwork/1568.300.101 Darwin/24.2.0"
    if action.client.os.startswith("Android"):
        return f"Dalvik/2.1.0 (Linux; U; {action.client.os}; Build/AP3A.240905.015)"
    return "Mozilla/5.0 (compatible; MSAL 1.0)"


def _rich(action: SignIn) -> bool:
    """Whether an application and not a browser renews the token."""
    return action.protocol == "app" and bool(action.client.os) and action.app.name in _RICH


def _device(action: SignIn, shown: bool) -> dict[str, Any]:
    client, legacy = action.client, action.protocol in _LEGACY
    browser = client.label(action.time)
    if _rich(action):
        browser = "" if client.kind == "phone" else "Rich Client 4.61.3"
    return {
        "deviceId": client.device_id if shown else "",
        "displayName": client.device_name if shown else "",
        "operatingSystem": "" if legacy else client.os,
        "browser": "" if legacy else browser,
        "isCompliant": client.managed and shown,
        "isManaged": client.managed and shown,
        "trustType": ""
        if not shown
        else "Azure AD registered"
        if client.kind == "phone"
        else "Azure AD joined",
    }


def _steps(action: SignIn) -> list[dict[str, Any]]:
    if not action.interactive:
        return []
    when = stamp(action.time)
    right = action.outcome not in _NOT_PASSWORD
    claim = action.factor == "claim"
    steps: list[dict[str, Any]] = [
        {
            "authenticationStepDateTime": when,
            "authenticationMethod": "Previously satisfied" if claim else "Password",
            "authenticationMethodDetail": None if claim else "Password Hash Sync",
            "succeeded": right,
            "authenticationStepResultDetail": "First factor requirement satisfied by claim in "
            "the token"
            if claim
            else "Correct password"
            if right
            else "Incorrect password",
            "authenticationStepRequirement": "Primary authentication",
        }
    ]
    if claim:
        steps.append(
            {
                "authenticationStepDateTime": when,
                "authenticationMethod": "Previously satisfied",
                "authenticationMethodDetail": None,
                "succeeded": True,
                "authenticationStepResultDetail": "MFA requirement satisfied by claim in the token",
                "authenticationStepRequirement": "",
            }
        )
    elif action.factor:
        steps.append(
            {
                "authenticationStepDateTime": when,
                "authenticationMethod": _METHODS[action.factor],
                "authenticationMethodDetail": None,
                "succeeded": action.outcome not in _DETAILS,
                "authenticationStepResultDetail": _DETAILS.get(
                    action.outcome, "MFA completed in Azure AD"
                ),
                "authenticationStepRequirement": "",
            }
        )
    return steps


def _service(action: ServiceSignIn, rng: Random) -> Line:
    uid = uuid(rng)
    record = {
        **_common(action, uid, rng),
        "appId": action.app_uid,
        "appDisplayName": action.identity,
        "servicePrincipalId": action.uid,
        "servicePrincipalName": action.identity,
        "servicePrincipalCredentialKeyId": action.credential,
        "clientCredentialType": "clientSecret",
        "resourceDisplayName": action.resource.resource,
        "resourceId": action.resource.resource_uid,
        "userPrincipalName": "",
        "userId": "00000000-0000-0000-0000-000000000000",
        "isInteractive": False,
        "signInEventTypes": ["servicePrincipal"],
        "authenticationProtocol": "none",
        "incomingTokenType": "none",
        "clientAppUsed": "",
        "userAgent": "",
        "authenticationDetails": [],
        "conditionalAccessStatus": "notApplied",
    }
    return Line(encode(record), uid)


EMITTER = Emitter("entra", "entra.jsonl", (SignIn, ServiceSignIn), emit)
