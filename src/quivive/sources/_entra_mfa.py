"""Multifactor authentication in an Entra ID sign-in: fresh, by an earlier claim, or not at all."""

from functools import lru_cache
from typing import Any, NamedTuple

from quivive.model.event import AuthFactor, FactorType, Status
from quivive.sources._microsoft import embedded_items, embedded_object
from quivive.sources.fields import boolean, field, text

_FACTORS = {
    "password": FactorType.PASSWORD,
    "text message": FactorType.SMS,
    "sms": FactorType.SMS,
    "phone call": FactorType.PHONE_CALL,
    "phone call approval": FactorType.PHONE_CALL,
    "voice": FactorType.PHONE_CALL,
    "mobile app notification": FactorType.PUSH,
    "microsoft authenticator app": FactorType.PUSH,
    "authenticator app": FactorType.PUSH,
    "passwordless phone sign-in": FactorType.PUSH,
    "passwordless microsoft authenticator": FactorType.PUSH,
    "mobile app verification code": FactorType.OTP,
    "oath verification code": FactorType.OTP,
    "software oath token": FactorType.OTP,
    "temporary access pass": FactorType.OTP,
    "hardware oath token": FactorType.HARDWARE_TOKEN,
    "email": FactorType.EMAIL,
    "email otp": FactorType.EMAIL,
    "fido2 security key": FactorType.WEBAUTHN,
    "passkey": FactorType.WEBAUTHN,
    "passkey (device-bound)": FactorType.WEBAUTHN,
    "passkey (synced)": FactorType.WEBAUTHN,
    "passkey (microsoft authenticator)": FactorType.WEBAUTHN,
    "windows hello for business": FactorType.OTHER,
}
# Methods that are two factors in one gesture: a key on the device and its PIN or biometrics.
_TWO_IN_ONE = frozenset(
    {
        "fido2 security key",
        "passkey",
        "passkey (device-bound)",
        "passkey (synced)",
        "passkey (microsoft authenticator)",
        "passwordless phone sign-in",
        "passwordless microsoft authenticator",
        "windows hello for business",
    }
)
_NO_FACTOR = frozenset({"previously satisfied", "satisfied by token"})
_BY_CLAIM = ("mfa requirement satisfied by claim", "mfa requirement skipped due to remembered")
_COMPLETED = ("mfa completed", "mfa successfully")
_SUCCESS = Status.SUCCESS  # a look-up in an enumeration is slow
_SKIPPED = "mfa requirement skipped"


class Mfa(NamedTuple):
    """What a sign-in tells of its factors; ``factors`` are those shown now."""

    is_mfa: bool | None = None
    by_claim: bool | None = None
    factors: tuple[AuthFactor, ...] | None = None


def multifactor(row: dict[str, Any], status: dict[str, Any], result: Status) -> Mfa:
    """Whether more than one factor stood behind the sign-in, and which were shown now.

    ``authenticationRequirement`` is what the sign-in asked for, so it proves factors only for a
    success; the steps prove them for any outcome.
    """
    requirement = (field(row, "authenticationRequirement") or "").lower()
    succeeded = result == _SUCCESS
    factors: dict[str, AuthFactor] = {}
    claimed = skipped = completed = reused = False
    for step in embedded_items(row, "authenticationDetails"):
        done = boolean(step, "succeeded")
        if not (succeeded if done is None else done):
            continue
        detail = (text(step, "authenticationStepResultDetail") or "").lower()
        if by_claim := detail.startswith(_BY_CLAIM):
            claimed = True
        elif detail.startswith(_COMPLETED):
            completed = True
        elif detail.startswith(_SKIPPED):
            skipped = True
        method = text(step, "authenticationMethod")
        if method is None:
            continue
        name = method.lower()
        if name in _NO_FACTOR:
            reused = True
        elif not by_claim:
            factors[name] = _factor(method)
    if requirement != "singlefactorauthentication":
        further = (field(status, "additionalDetails") or "").lower()
        claimed = claimed or further.startswith(_BY_CLAIM)
        skipped = skipped or further.startswith(_SKIPPED)
        method = text(embedded_object(row, "mfaDetail"), "authMethod")
        if method is not None and succeeded and not claimed:
            completed = True
            factors.setdefault(method.lower(), _factor(method))
    multi = requirement == "multifactorauthentication"
    shown = completed or len(factors) > 1 or not _TWO_IN_ONE.isdisjoint(factors)
    by_claim = not shown and (claimed or (reused and multi and succeeded))
    is_mfa: bool | None = None
    if shown or by_claim:
        is_mfa = True
    elif skipped or requirement == "singlefactorauthentication":
        is_mfa = False
    elif multi and succeeded:
        is_mfa = True
    elif multi and factors:  # the further factor is still due, or failed
        is_mfa = False
    return Mfa(is_mfa, True if by_claim else None, tuple(factors.values()) or None)


@lru_cache(maxsize=1024)
def _factor(method: str) -> AuthFactor:
    kind = _FACTORS.get(method.lower(), FactorType.OTHER)
    return AuthFactor(factor_type_id=kind, factor_type=method)
