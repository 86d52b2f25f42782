"""What became of a CloudTrail call: the kind of event, its status, and the factors behind it."""

import re
from functools import lru_cache

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status
from quivive.sources._cloudtrail_call import FEDERATION, IDENTITY_CENTER, SIGN_IN, Call
from quivive.sources.fields import boolean, field, text

_LOGON, _LOGOFF = (Activity.LOGON, None), (Activity.LOGOFF, None)
_SIGN_IN_ACTIVITIES = {
    "CheckMfa": (Activity.OTHER, "MFA Challenge"),
    "CredentialChallenge": (Activity.OTHER, "MFA Challenge"),
    "PasswordUpdated": (Activity.OTHER, "Password Change"),
    "PasswordRecoveryRequested": (Activity.OTHER, "Password Reset"),
    "PasswordRecoveryCompleted": (Activity.OTHER, "Password Reset"),
}

# Any error of theirs is a failed login; with other services most errors come after it.
_LOGIN_SERVICES = frozenset({SIGN_IN, "sts.amazonaws.com"}) | IDENTITY_CENTER
# Names inside error codes, which services prefix and suffix ("Client.…", "…Exception").
_BAD_CREDENTIAL = re.compile(
    r"InvalidClientTokenId|SignatureDoesNotMatch|IncompleteSignature|InvalidSignature|AuthFailure"
    r"|ExpiredToken|RequestExpired|RequestTimeTooSkewed|InvalidAccessKeyId|InvalidToken"
    r"|TokenRefreshRequired|UnrecognizedClient|MissingAuthenticationToken|AuthenticationFailed"
)
_NOT_ALLOWED = re.compile(
    r"AccessDenied|Unauthorized|NotAuthorized|Forbidden|OptInRequired|AllAccessDisabled"
)


class Outcome(Struct, frozen=True):
    """The status, and whether an event without success proves the credential right."""

    status: Status
    credential_accepted: bool | None = None


_SUCCESS = Outcome(Status.SUCCESS)
_FAILURE = Outcome(Status.FAILURE)
_ACCEPTED = Outcome(Status.FAILURE, credential_accepted=True)
_INTERRUPTS = {
    "CheckMfa": Outcome(Status.OTHER),
    "CredentialChallenge": Outcome(Status.OTHER),
    # The login is complete with UserAuthentication only; further factors may be asked.
    "CredentialVerification": Outcome(Status.OTHER, credential_accepted=True),
}

_DEVICE_FACTORS = (
    (":u2f/", AuthFactor(factor_type_id=FactorType.U2F, factor_type="U2F MFA")),
    (":mfa/", AuthFactor(factor_type_id=FactorType.OTP, factor_type="Virtual MFA")),
    (":sms-mfa/", AuthFactor(factor_type_id=FactorType.SMS)),
)
_HARDWARE_MFA = AuthFactor(factor_type_id=FactorType.HARDWARE_TOKEN)
_SOME_MFA = AuthFactor(factor_type_id=FactorType.OTHER, factor_type="MFA")
_DIRECTORY_FACTORS = {
    "PASSWORD": AuthFactor(factor_type_id=FactorType.PASSWORD),
    "TOTP": AuthFactor(factor_type_id=FactorType.OTP),
    "RESYNC_TOTP": AuthFactor(factor_type_id=FactorType.OTP),
    "WEBAUTHN": AuthFactor(factor_type_id=FactorType.WEBAUTHN),
    "EMAIL_OTP": AuthFactor(factor_type_id=FactorType.EMAIL),
    "SMARTCARD": AuthFactor(factor_type_id=FactorType.HARDWARE_TOKEN, factor_type="Smart Card"),
}


class Mfa(Struct, frozen=True):
    """Whether more than one factor stood behind the call, and which were shown now."""

    is_mfa: bool | None = None
    by_claim: bool | None = None
    factors: tuple[AuthFactor, ...] | None = None


_UNSAID = Mfa()
_ONE_FACTOR = Mfa(is_mfa=False)
_BY_CLAIM = Mfa(is_mfa=True, by_claim=True)


def activity_of(call: Call) -> tuple[Activity, str | None]:
    """The kind of event, with a name for what only surrounds a login."""
    if call.sign_in and call.name in _SIGN_IN_ACTIVITIES:
        return _SIGN_IN_ACTIVITIES[call.name]
    if call.name == "Logout" and (call.sign_in or call.source in IDENTITY_CENTER):
        return _LOGOFF
    return _LOGON


def outcome_of(call: Call, code: str | None, detail: str | None) -> Outcome:
    """The outcome of a call with this error code and message."""
    if call.source not in _LOGIN_SERVICES and not call.sign_in:
        return _by_code(code)
    if code or detail or _stated_result(call) == "Failure":
        proven = code is not None and _NOT_ALLOWED.search(code) is not None
        return (
            _ACCEPTED if proven and not call.sign_in and call.name not in FEDERATION else _FAILURE
        )
    return _INTERRUPTS.get(call.name, _SUCCESS)


@lru_cache(maxsize=4096)
def _by_code(code: str | None) -> Outcome:
    """Any error is a failed call; unless it is about the credential, it proves that one right."""
    if code is None:
        return _SUCCESS
    return _FAILURE if _BAD_CREDENTIAL.search(code) else _ACCEPTED


def _stated_result(call: Call) -> str | None:
    return text(call.fields, "responseElements", call.name) or text(
        call.fields, "serviceEventDetails", call.name
    )


def mfa_of(call: Call) -> Mfa:
    """MFA as the event shows it, else as the caller's session claims it."""
    if call.sign_in:
        if shown := field(call.additional, "CredentialType"):
            return _directory_mfa(call.name, shown)
        if call.name == "CheckMfa":
            return _UNSAID
    elif call.name in ("AssumeRole", "GetSessionToken"):
        if serial := text(call.fields, "requestParameters", "serialNumber"):
            return _device_mfa(serial)
    used = boolean(call.additional, "MFAUsed") if call.additional else None
    if used:
        return _device_mfa(field(call.additional, "MFAIdentifier"))
    if call.mfa_claim:
        return _BY_CLAIM
    if call.federated or (used is None and call.mfa_claim is None):
        return _UNSAID
    return _ONE_FACTOR


@lru_cache(maxsize=4096)
def _directory_mfa(name: str, shown: str) -> Mfa:
    """Identity Center: the factors of a whole login, or the one of a challenge."""
    if name == "CredentialChallenge":
        return _UNSAID
    kinds = [kind.strip() for kind in shown.split(",")]
    factors = tuple(_DIRECTORY_FACTORS[kind] for kind in kinds if kind in _DIRECTORY_FACTORS)
    is_mfa = None
    if name == "UserAuthentication" and "EXTERNAL_IDP" not in kinds:
        is_mfa = len(factors) > 1
    return Mfa(is_mfa=is_mfa, factors=factors or None)


@lru_cache(maxsize=4096)
def _device_mfa(identifier: str | None) -> Mfa:
    return Mfa(is_mfa=True, factors=(_device_factor(identifier),))


def _device_factor(identifier: str | None) -> AuthFactor:
    """The factor of an MFA device: an ARN of a virtual one or a key, or a serial number."""
    if identifier is None:
        return _SOME_MFA
    for part, factor in _DEVICE_FACTORS:
        if part in identifier:
            return factor
    return _HARDWARE_MFA


def protocol_of(call: Call) -> tuple[str | None, int | None]:
    """The protocol of a federated login, by OCSF's name and number."""
    if call.name in FEDERATION:
        return FEDERATION[call.name]
    if "SamlProviderArn" in call.additional:
        return FEDERATION["AssumeRoleWithSAML"]
    return None, None
