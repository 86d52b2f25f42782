"""The words of PingOne's audit log: types of action, and what each means for an account."""

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What a type of action means.

    status: the outcome whatever the record says, or None for what it says.
    only_failures: a success is a step of a sign-on that other records tell.
    of_user: only where the record is about a user; else it is about the environment.
    own: the name where users do it to their own account.
    by_actor: the identity is whoever acted.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    own: str | None = None
    status: Status | None = None
    only_failures: bool = False
    of_user: bool = False
    by_actor: bool = False
    accepted: bool = False
    factor: AuthFactor | None = None
    mfa: bool = False
    protocol: str | None = None
    protocol_id: int | None = None
    risk: str | None = None


_FAILURE = Status.FAILURE
_AROUND = Activity.OTHER
_PASSWORD = AuthFactor(factor_type_id=FactorType.PASSWORD, factor_type="password")
_OTP = AuthFactor(factor_type_id=FactorType.OTP, factor_type="OTP")
_FIDO = AuthFactor(factor_type_id=FactorType.WEBAUTHN, factor_type="FIDO2")
CHALLENGE = "MFA Challenge"


def _mfa(factor: AuthFactor | None = None, status: Status | None = None) -> Kind:
    return Kind(activity=_AROUND, name=CHALLENGE, status=status, factor=factor, mfa=True)


def _of(name: str, status: Status | None = None) -> Kind:
    return Kind(activity=_AROUND, name=name, status=status)


_MFA_STEP = Kind(activity=_AROUND, name=CHALLENGE, only_failures=True)
_PASSWORD_RESET = _of("Password Reset")
# A user who knows the old password sets a new one; an administrator needs none.
_PASSWORD_SET = Kind(activity=_AROUND, name="Password Reset", own="Password Change")
_ENROL = _of("Factor Enroll")
_ENROL_REFUSED = _of("Factor Enroll", _FAILURE)
_FACTOR_RESET = _of("Factor Reset")
_LOGOFF = Kind(activity=Activity.LOGOFF)
CALL = Kind(by_actor=True)
NEW_SECRET = Kind(activity=_AROUND, name="Token Create", by_actor=True)

KINDS = {
    "USER.ACCESS_ALLOWED": Kind(),
    "USER.ACCESS_DENIED": Kind(status=_FAILURE, accepted=True),
    "USER.KERBEROS_SUCCEEDED": Kind(protocol="Kerberos", protocol_id=2),
    "USER.KERBEROS_FAILED": Kind(status=_FAILURE, protocol="Kerberos", protocol_id=2),
    "PASSWORD.CHECK_SUCCEEDED": Kind(factor=_PASSWORD),
    "PASSWORD.CHECK_FAILED": Kind(status=_FAILURE),
    "SESSION.CREATED": Kind(),
    "RADIUS_SESSION.CREATED": Kind(protocol="RADIUS", protocol_id=10),
    "SESSION.DELETED": _LOGOFF,
    "USER.SLO_SUCCESS": _LOGOFF,
    "USER.SLO_PARTIAL_LOGOUT": _LOGOFF,
    "USER.SLO_FAILURE": Kind(activity=Activity.LOGOFF, status=_FAILURE),
    "OTP.CHECK_SUCCESS": _mfa(_OTP),
    "OTP.CHECK_FAILED": _mfa(_OTP, _FAILURE),
    "OTP.CHECK_INVALID": _mfa(_OTP, _FAILURE),
    "ASSERTION.CHECK_SUCCESS": _mfa(_FIDO),
    "ASSERTION.CHECK_FAILED": _mfa(_FIDO, _FAILURE),
    "AUTHENTICATION.CREATED": _MFA_STEP,
    "AUTHENTICATION.UPDATED": _MFA_STEP,
    "DEVICE.FRAUD_REPORTED": Kind(activity=_AROUND, name=CHALLENGE, status=_FAILURE, risk="fraud"),
    "DEVICE.CREATED": _ENROL,
    "DEVICE.ACTIVATED": _ENROL,
    "DEVICE.ACTIVATION_FAILED": _ENROL_REFUSED,
    "DEVICE.ACTIVATION_OTP_FAILED": _ENROL_REFUSED,
    "DEVICE.ACTIVATION_OTP_INVALID": _ENROL_REFUSED,
    "DEVICE.PAIRING_FAILED_COMPROMISED": _ENROL_REFUSED,
    "DEVICE.DELETED": _FACTOR_RESET,
    # Another identity provider that may vouch for the user is a way in, too.
    "ACCOUNT.LINKED": _ENROL,
    "ACCOUNT.UNLINKED": _FACTOR_RESET,
    "MFA_SETTINGS.UPDATED": Kind(activity=_AROUND, name="Factor Reset", of_user=True),
    "PASSWORD.RESET": _PASSWORD_SET,
    "PASSWORD.SET": _PASSWORD_SET,
    "PASSWORD.RECOVERY": _PASSWORD_RESET,
    "PASSWORD.FORCE_CHANGE": _PASSWORD_RESET,
    "USER.LOCKED": _of("Account Lock"),
    "SECRET.UPDATED": NEW_SECRET,
    "SECRET.READ": CALL,
}
# What only administrators and their programs do: a use of their credential.
ADMINISTRATION = frozenset(
    (
        *("APPLICATION", "CERTIFICATE", "ENVIRONMENT", "GATEWAY", "GATEWAY_INSTANCE", "GRANT"),
        *("GROUP", "IDENTITY_PROVIDER", "IDP_ATTRIBUTE", "KEY", "MEMBER_OF_GROUP"),
        *("ORGANIZATION", "POLICY", "POPULATION", "RESOURCE", "ROLE_ASSIGNMENT", "SCOPE"),
        *("DEVICE_AUTHENTICATION_POLICY", "FIDO_POLICY", "FLOW_POLICY_ASSIGNMENT"),
        *("RISK_POLICY_SET", "RISK_PREDICTOR", "SIGN_ON_POLICY_ASSIGNMENT", "SUBSCRIPTION"),
        *("ACTION", "FLOW_DEFINITION", "SAML_ATTRIBUTE", "RESOURCE_ATTRIBUTE"),
    )
)
# The parts of a sign-on, and what it shows, that no credential is used for.
STEPS = frozenset({"FLOW", "FLOW_EXECUTION", "DAVINCI_INTERACTION", "DEVICE_PAYLOAD"})
PROFILE = "USER.UPDATED"
ACCOUNTS = frozenset(
    {"USER.CREATED", PROFILE, "USER.DELETED", "USER.UNLOCKED", "PASSWORD.UNLOCKED"}
)
DEEDS = frozenset({"CREATED", "UPDATED", "DELETED", "READ", "PROMOTED", "DEMOTED"})
SUCCESSES = frozenset({"success", "succeeded"})
FAILURES = frozenset({"failed", "failure"})


def kind_of(action: str) -> Kind | None:
    """What a type of action means; None for what is not about authentication."""
    kind = KINDS.get(action)
    if kind is not None:
        return kind
    family, _, deed = action.partition(".")
    if action in ACCOUNTS or (family in ADMINISTRATION and deed in DEEDS):
        return CALL
    return None
