"""The words of OneLogin's events: numbers of event types, second factors, levels of risk."""

from functools import lru_cache

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Kind(Struct, frozen=True, kw_only=True):
    """What an event type means.

    by_actor: the identity is whoever acted, and the user of the record is what was acted on.
    by_client: the identity is the API credential, where the record names one.
    of_target: somebody else may do it to the user, and is then the actor.
    accepted: the credential before this step was right.
    mfa: a second factor was shown.
    operation: what the credential was used for; background: by a program, no person present.
    """

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS
    by_actor: bool = False
    by_client: bool = False
    of_target: bool = False
    accepted: bool = False
    mfa: bool = False
    operation: str | None = None
    background: bool = False
    protocol: str | None = None
    protocol_id: int | None = None


_FAILURE, _NEITHER = Status.FAILURE, Status.OTHER
_AROUND = Activity.OTHER


def _of(name: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(activity=_AROUND, name=name, status=status, of_target=True)


def _mfa(status: Status) -> Kind:
    passed = status == Status.SUCCESS
    return Kind(
        activity=_AROUND, name="MFA Challenge", status=status, accepted=not passed, mfa=passed
    )


def _call(operation: str, status: Status = Status.SUCCESS) -> Kind:
    return Kind(
        status=status,
        by_client=True,
        operation=operation,
        background=True,
        accepted=status == _FAILURE,
    )


def _token(status: Status = Status.SUCCESS, *, by_client: bool = False) -> Kind:
    return Kind(
        status=status, by_client=by_client, background=True, protocol="OAUTH 2.0", protocol_id=6
    )


# Equal ones are told apart by identity.
PLAIN = Kind()
REFUSED = Kind(status=_FAILURE)
LOGOFF = Kind(activity=Activity.LOGOFF)
LOGOFF_OF = Kind(activity=Activity.LOGOFF, of_target=True)
ASSUMED = Kind(by_actor=True)
PASSWORD_CHANGE = _of("Password Change")
PASSWORD_RESET = _of("Password Reset")
RESET_ASKED = _of("Password Reset", _NEITHER)
RESET_FAILED = _of("Password Reset", _FAILURE)
ENROL = _of("Factor Enroll")
FACTOR_RESET = _of("Factor Reset")
LOCK = _of("Account Lock")
PUSH_REFUSED = _mfa(_FAILURE)
REVEALED = Kind(by_actor=True, operation="reveal password")
NOTE = Kind(by_actor=True, operation="view secure note")
NEW_KEY = Kind(activity=_AROUND, name="Token Create", by_actor=True)

KINDS = {
    3: ASSUMED,
    5: PLAIN,
    6: REFUSED,
    7: LOGOFF,
    8: PLAIN,
    9: REFUSED,
    10: RESET_ASKED,
    11: PASSWORD_CHANGE,
    18: PASSWORD_RESET,
    19: LOCK,
    22: ENROL,
    24: FACTOR_RESET,
    29: LOGOFF,
    35: LOCK,
    36: FACTOR_RESET,
    68: Kind(protocol="RADIUS", protocol_id=10),
    69: Kind(status=_FAILURE, protocol="RADIUS", protocol_id=10),
    77: REFUSED,
    78: PLAIN,
    86: REFUSED,
    87: NOTE,
    90: Kind(status=_FAILURE, accepted=True),
    91: Kind(status=_NEITHER, protocol="RADIUS", protocol_id=10),
    106: _of("Password Change", _FAILURE),
    118: Kind(status=_FAILURE, protocol="SAML", protocol_id=5),
    122: PLAIN,
    123: REFUSED,
    129: Kind(status=_FAILURE, protocol="LDAP", protocol_id=12),
    130: Kind(protocol="LDAP", protocol_id=12),
    140: PLAIN,
    141: REFUSED,
    153: PLAIN,
    154: REFUSED,
    179: NEW_KEY,
    211: PASSWORD_RESET,
    # The password is right and has expired.
    238: Kind(status=_NEITHER, accepted=True),
    240: REVEALED,
    401: Kind(status=_FAILURE, by_client=True, operation="call the API", background=True),
    501: _call("list"),
    502: _call("read"),
    503: _call("change"),
    510: PASSWORD_RESET,
    511: PASSWORD_RESET,
    512: _call("set custom attributes"),
    513: _call("add roles"),
    514: _call("remove roles"),
    515: _token(by_client=True),
    516: LOGOFF_OF,
    517: RESET_FAILED,
    518: RESET_FAILED,
    519: _call("set custom attributes", _FAILURE),
    520: _call("add roles", _FAILURE),
    521: _call("remove roles", _FAILURE),
    522: _token(_FAILURE, by_client=True),
    524: _call("delete user", _FAILURE),
    527: _mfa(_FAILURE),
    528: _mfa(Status.SUCCESS),
    529: _call("update user"),
    530: _call("delete user"),
    531: LOCK,
    532: _call("update user", _FAILURE),
    533: _call("create user"),
    534: _call("create user", _FAILURE),
    # Whoever opens the link sets the password.
    535: RESET_ASKED,
    536: _call("list OTP devices"),
    537: ENROL,
    538: _of("Factor Enroll", _FAILURE),
    539: _mfa(_NEITHER),
    540: ENROL,
    546: RESET_ASKED,
    550: LOGOFF_OF,
    553: LOCK,
    555: ASSUMED,
    900: PLAIN,
    901: REFUSED,
    904: PLAIN,
    905: REFUSED,
    906: REFUSED,
    950: PUSH_REFUSED,
    1001: _mfa(_NEITHER),
    1002: _mfa(_FAILURE),
    1010: PLAIN,
    # A code for those who lost their device, which stands for the factor.
    1100: FACTOR_RESET,
    # Codes and recovery go to the number.
    1244: ENROL,
    1245: FACTOR_RESET,
    1400: _mfa(Status.SUCCESS),
    1600: FACTOR_RESET,
    1604: FACTOR_RESET,
    1608: PASSWORD_CHANGE,
    3001: Kind(protocol="OpenID", protocol_id=4),
    3002: Kind(status=_FAILURE, protocol="OpenID", protocol_id=4),
    3003: Kind(protocol="OpenID", protocol_id=4),
    3004: Kind(status=_FAILURE, protocol="OpenID", protocol_id=4),
    3005: _token(),
    3006: _token(_FAILURE),
    3007: _token(by_client=True),
    3008: _token(_FAILURE, by_client=True),
    3009: Kind(protocol="OAUTH 2.0", protocol_id=6),
    3010: Kind(status=_FAILURE, protocol="OAUTH 2.0", protocol_id=6),
    3011: _token(),
    3012: _token(_FAILURE),
}
# OAuth clients of the customer's own: an application is the identity, and not a credential.
CLIENTS = frozenset({3007, 3008})
PUSH = AuthFactor(factor_type_id=FactorType.PUSH, factor_type="push")
# What the names of OneLogin's factors hold; users may give their devices others.
_FACTOR_WORDS = (
    ("sms", FactorType.SMS),
    ("voice", FactorType.PHONE_CALL),
    ("email", FactorType.EMAIL),
    ("webauthn", FactorType.WEBAUTHN),
    ("fido2", FactorType.WEBAUTHN),
    ("u2f", FactorType.U2F),
    ("yubi", FactorType.HARDWARE_TOKEN),
    ("rsa securid", FactorType.HARDWARE_TOKEN),
    ("security question", FactorType.SECURITY_QUESTION),
    ("authenticator", FactorType.OTP),
    ("vip access", FactorType.OTP),
)
PROTOCOLS = (("via saml", ("SAML", 5)), ("via openid", ("OpenID", 4)), ("via oidc", ("OpenID", 4)))
# From 5 a login is of low risk, from 26 of medium, from 51 of high.
_LEVELS = ((51, "high"), (26, "medium"), (5, "low"))
_HIGHEST = 100


@lru_cache(maxsize=1024)
def factor_of(name: str) -> AuthFactor:
    """The factor by the name of its device or kind."""
    lower = name.lower()
    kind = next((kind for word, kind in _FACTOR_WORDS if word in lower), FactorType.OTHER)
    return AuthFactor(factor_type_id=kind, factor_type=name)


def risk_of(score: int | None) -> str | None:
    """The level of a risk score; None for no risk and for what is no score."""
    if score is None or not 0 <= score <= _HIGHEST:
        return None
    return next((level for least, level in _LEVELS if score >= least), None)
