"""Error codes of Microsoft's sign-in service (AADSTS) and what each says of the login.

Zero is success and every code missing here a plain failure. The table holds the others: the
interrupts, where the login has neither succeeded nor failed yet, and the failures that prove the
credential was right. First factors are checked before multifactor authentication, Conditional
Access, consent and assignment, so those interrupts and failures come with a right credential;
silent single sign-on and account selection end before any credential is shown.
"""

from typing import NamedTuple

from quivive.model.event import Status


class Outcome(NamedTuple):
    """The meaning of one code; ``credential_accepted`` is None where nothing proves it."""

    status: Status
    credential_accepted: bool | None = None


SUCCESS = Outcome(Status.SUCCESS)
FAILURE = Outcome(Status.FAILURE)
UNKNOWN = Outcome(Status.UNKNOWN)
INTERRUPTED = Outcome(Status.OTHER)
INTERRUPTED_ACCEPTED = Outcome(Status.OTHER, True)
FAILURE_ACCEPTED = Outcome(Status.FAILURE, True)

# Code: (name, as Microsoft 365 writes it in LogonError; meaning).
_CODES: dict[int, tuple[str, Outcome]] = {
    # Account selection and silent single sign-on: no credential was shown.
    16000: ("InteractionRequired", INTERRUPTED),
    16001: ("UserAccountSelectionInvalid", INTERRUPTED),
    16002: ("AppSessionSelectionInvalid", INTERRUPTED),
    16003: ("SsoUserAccountNotFoundInResourceTenant", INTERRUPTED),
    50058: ("UserInformationNotProvided", INTERRUPTED),
    50136: ("RedirectMsaSessionToApp", INTERRUPTED),
    50143: ("SessionMismatch", INTERRUPTED),
    50168: ("ChromeBrowserSsoInterruptRequired", INTERRUPTED),
    50180: ("WindowsIntegratedAuthMissing", INTERRUPTED),
    51005: ("TemporaryRedirect", INTERRUPTED),
    51006: ("ForceReauthDueToInsufficientAuth", INTERRUPTED),
    70016: ("AuthorizationPending", INTERRUPTED),
    160021: ("AppSessionSelectionInvalidSessionNotExist", INTERRUPTED),
    9002341: ("UserRequiredToPermitSso", INTERRUPTED),
    # Seamless single sign-on: the Kerberos ticket did not do, the user is asked for a password.
    81004: ("DesktopSsoIdentityInTicketIsNotAuthenticated", INTERRUPTED),
    81005: ("DesktopSsoAuthenticationPackageNotSupported", INTERRUPTED),
    81006: ("DesktopSsoNoAuthorizationHeader", INTERRUPTED),
    81007: ("DesktopSsoTenantIsNotOptIn", INTERRUPTED),
    81009: ("DesktopSsoAuthorizationHeaderValueWithBadFormat", INTERRUPTED),
    81010: ("DesktopSsoAuthTokenInvalid", INTERRUPTED),
    81011: ("DesktopSsoLookupUserBySidFailed", INTERRUPTED),
    81012: ("DesktopSsoMismatchBetweenTokenUpnAndChosenUpn", INTERRUPTED),
    81013: ("DesktopSsoAuthTokenInvalid", INTERRUPTED),
    81014: ("DesktopSsoAuthTokenInvalid", INTERRUPTED),
    # The password was right; it has to be changed or registered first.
    50055: ("InvalidPasswordExpiredPassword", INTERRUPTED_ACCEPTED),
    50125: ("PasswordResetRegistrationRequiredInterrupt", INTERRUPTED_ACCEPTED),
    50135: ("PasswordChangeCompromisedPassword", INTERRUPTED_ACCEPTED),
    50144: ("InvalidPasswordExpiredOnPremPassword", INTERRUPTED_ACCEPTED),
    # A further factor is due.
    50072: ("UserStrongAuthEnrollmentRequiredInterrupt", INTERRUPTED_ACCEPTED),
    50074: ("UserStrongAuthClientAuthNRequiredInterrupt", INTERRUPTED_ACCEPTED),
    50076: ("UserStrongAuthClientAuthNRequired", INTERRUPTED_ACCEPTED),
    50078: ("UserStrongAuthExpired", INTERRUPTED_ACCEPTED),
    50079: ("UserStrongAuthEnrollmentRequired", INTERRUPTED_ACCEPTED),
    50158: ("ExternalSecurityChallenge", INTERRUPTED_ACCEPTED),
    # Conditional Access asks for a device or a broker.
    50097: ("DeviceAuthenticationRequired", INTERRUPTED_ACCEPTED),
    50127: ("BrokerAppNotInstalled", INTERRUPTED_ACCEPTED),
    50129: ("DeviceIsNotWorkplaceJoined", INTERRUPTED_ACCEPTED),
    # Questions to somebody who has signed in: stay, right application, consent.
    50140: ("KmsiInterrupt", INTERRUPTED_ACCEPTED),
    50199: ("CmsiInterrupt", INTERRUPTED_ACCEPTED),
    52004: ("DelegationDoesNotExistForLinkedIn", INTERRUPTED_ACCEPTED),
    65001: ("DelegationDoesNotExist", INTERRUPTED_ACCEPTED),
    90094: ("AdminConsentRequired", INTERRUPTED_ACCEPTED),
    90095: ("AdminConsentRequiredRequestAccess", INTERRUPTED_ACCEPTED),
    1000002: ("BindCompleteInterruptError", INTERRUPTED_ACCEPTED),
    # The further factor failed or was denied.
    50087: ("SasRetryableError", FAILURE_ACCEPTED),
    50088: ("LimitOnTelecomMfaCallsReached", FAILURE_ACCEPTED),
    500121: ("AuthenticationFailedSasError", FAILURE_ACCEPTED),
    # Blocked by Conditional Access, security defaults or risk.
    50005: ("DevicePolicyError", FAILURE_ACCEPTED),
    50131: ("ConditionalAccessFailed", FAILURE_ACCEPTED),
    53000: ("DeviceNotCompliant", FAILURE_ACCEPTED),
    53001: ("DeviceNotDomainJoined", FAILURE_ACCEPTED),
    53002: ("ApplicationUsedIsNotAnApprovedApp", FAILURE_ACCEPTED),
    53003: ("BlockedByConditionalAccess", FAILURE_ACCEPTED),
    53004: ("ProofUpBlockedDueToRisk", FAILURE_ACCEPTED),
    53009: ("ApplicationUsedIsNotAppProtectionPolicyCompliant", FAILURE_ACCEPTED),
    53010: ("ProofUpBlockedDueToSecurityInfoAcr", FAILURE_ACCEPTED),
    53011: ("UserBlockedDueToRiskOnHomeTenant", FAILURE_ACCEPTED),
    530032: ("BlockedByConditionalAccessOnSecurityPolicy", FAILURE_ACCEPTED),
    530034: ("DelegatedAdminBlockedDueToSuspiciousActivity", FAILURE_ACCEPTED),
    530035: ("BlockedBySecurityDefaults", FAILURE_ACCEPTED),
    # Signed in, but not let in: no assignment to the application, consent declined.
    50105: ("EntitlementGrantsNotFound", FAILURE_ACCEPTED),
    65004: ("UserDeclinedConsent", FAILURE_ACCEPTED),
}
_BY_CODE = {0: SUCCESS} | {code: meaning for code, (_, meaning) in _CODES.items()}
_BY_NAME = {name.lower(): meaning for name, meaning in _CODES.values()}


def outcome(code: int) -> Outcome:
    """The meaning of an AADSTS number."""
    return _BY_CODE.get(code, FAILURE)


def outcome_of_name(name: str) -> Outcome:
    """The meaning of an AADSTS error name, for records that leave the number out."""
    return _BY_NAME.get(name.lower(), FAILURE)
