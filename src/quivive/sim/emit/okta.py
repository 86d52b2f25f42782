"""Okta System Log events for the applications that are behind Okta."""

from collections.abc import Iterator
from random import Random
from typing import Any

from quivive.sim.action import Outcome, SignIn
from quivive.sim.clients import uuid
from quivive.sim.emit.emitter import Emitter, Line, encode, stamp
from quivive.sim.world import Spot

_LOGIN = ("user.session.start", "User login to Okta", "FAILURE")
_EVENTS: dict[Outcome, tuple[str, str, str, str | None]] = {
    Outcome.SUCCESS: ("user.authentication.sso", "User single sign on to app", "SUCCESS", None),
    Outcome.BAD_PASSWORD: (*_LOGIN, "INVALID_CREDENTIALS"),
    Outcome.UNKNOWN_USER: (
        "user.session.start",
        "User login to Okta",
        "FAILURE",
        "VERIFICATION_ERROR",
    ),
    Outcome.LOCKED: (*_LOGIN, "LOCKED_OUT"),
    Outcome.DISABLED: (
        "user.session.start",
        "User login to Okta",
        "FAILURE",
        "INVALID_CREDENTIALS",
    ),
    Outcome.MFA_DENIED: (
        "user.authentication.auth_via_mfa",
        "Authentication of user via MFA",
        "FAILURE",
        "User rejected Okta push verify",
    ),
    Outcome.MFA_TIMEOUT: (
        "user.authentication.auth_via_mfa",
        "Authentication of user via MFA",
        "FAILURE",
        "OKTA_VERIFY_PUSH_TIMEOUT",
    ),
    Outcome.NOT_ALLOWED: (
        "user.authentication.sso",
        "User single sign on to app",
        "FAILURE",
        "User is not assigned to this application",
    ),
    Outcome.BLOCKED: (
        "policy.evaluate_sign_on",
        "Evaluation of sign-on policy",
        "DENY",
        "Sign-on policy evaluation resulted in DENY",
    ),
}
_MFA = ("user.authentication.auth_via_mfa", "Authentication of user via MFA", "SUCCESS", None)
_START = ("user.session.start", "User login to Okta", "SUCCESS", None)
_SYSTEMS = {
    "Windows10": "Windows 10",
    "Windows11": "Windows 11",
    "MacOs": "Mac OS X",
    "Linux": "Linux",
    "": "Unknown",
}
_FACTORS = {
    "push": "OKTA_VERIFY_PUSH",
    "otp": "GOOGLE_AUTH",
    "fido": "FIDO_WEBAUTHN",
    "sms": "SMS_FACTOR",
}


def emit(action: SignIn, rng: Random) -> Iterator[Line]:
    """The events of one login: session and factor where they are fresh, then the application."""
    if action.outcome in (Outcome.MFA_REQUIRED, Outcome.KEEP_SIGNED_IN, Outcome.EXPIRED_TOKEN):
        return
    fresh = action.outcome is Outcome.SUCCESS and action.factor != "claim" and action.interactive
    if fresh:
        yield _line(action, _START, rng)
        if action.factor:
            yield _line(action, _MFA, rng)
    yield _line(action, _EVENTS[action.outcome], rng)


def _line(action: SignIn, event: tuple[str, str, str, str | None], rng: Random) -> Line:
    uid = uuid(rng)
    kind = event[0]
    target: list[dict[str, Any]] = []
    if kind == "user.authentication.sso":
        target.append(
            {
                "id": "0oa" + action.app.uid.replace("-", "")[:17],
                "type": "AppInstance",
                "alternateId": action.app.name,
                "displayName": action.app.name,
            }
        )
    return Line(encode(_record(action, uid, event, target, rng)), uid)


def _record(
    action: SignIn,
    uid: str,
    event: tuple[str, str, str, str | None],
    target: list[dict[str, Any]],
    rng: Random,
) -> dict[str, Any]:
    kind, words, result, reason = event
    client, time = action.client, action.time
    factor = _FACTORS.get(action.factor) if "mfa" in kind else None
    place = _place(action.spot, time)
    number = action.spot.prefix.network.number if action.spot.prefix else None
    name = action.spot.prefix.network.name if action.spot.prefix else None
    return {
        "actor": {
            "id": "00u" + action.account.uid.replace("-", "")[:17],
            "type": "User",
            "alternateId": action.account.email,
            "displayName": action.account.name,
        },
        "client": {
            "userAgent": {
                "rawUserAgent": client.agent(time),
                "os": _SYSTEMS.get(client.os, client.os),
                "browser": client.browser.upper() or "UNKNOWN",
            },
            "zone": "null",
            "device": "Mobile" if client.kind == "phone" else "Computer",
            "ipAddress": action.spot.ip,
            "geographicalContext": place,
        },
        "device": {
            "id": "guo" + client.device_id.replace("-", "")[:17],
            "name": client.device_name,
            "managed": client.managed,
            "registered": True,
        }
        if client.device_id
        else None,
        "authenticationContext": {
            "authenticationProvider": "FACTOR_PROVIDER" if factor else None,
            "credentialType": factor,
            "externalSessionId": "102" + action.session.replace("-", "")[:21]
            if action.session
            else "unknown",
        },
        "displayMessage": words,
        "eventType": kind,
        "outcome": {"result": result, "reason": reason},
        "published": stamp(time, 3),
        "securityContext": {
            "asNumber": number,
            "asOrg": name,
            "isp": name,
            "domain": None,
            "isProxy": False,
        },
        "severity": "INFO" if result == "SUCCESS" else "WARN",
        "debugContext": {"debugData": {"requestUri": "/idp/idx/identify"}},
        "legacyEventType": None,
        "transaction": {"type": "WEB", "id": f"a{rng.getrandbits(80):020x}", "detail": {}},
        "uuid": uid,
        "version": "0",
        "request": {
            "ipChain": [
                {
                    "ip": action.spot.ip,
                    "geographicalContext": place,
                    "version": "V6" if ":" in action.spot.ip else "V4",
                    "source": None,
                }
            ]
        },
        "target": target,
    }


def _place(spot: Spot, time: float) -> dict[str, Any] | None:
    if spot.prefix is None:
        return None
    city = spot.prefix.said(time)
    return {
        "city": city.name,
        "state": city.region,
        "country": city.country,
        "postalCode": city.postcode,
        "geolocation": {"lat": city.lat, "lon": city.long},
    }


EMITTER = Emitter("okta", "okta.jsonl", (SignIn,), emit)
