"""What Snowflake calls the factors of a login, and the errors behind the first of them."""

from functools import lru_cache

from msgspec import Struct

from quivive.model.event import AuthFactor, FactorType, Status


class First(Struct, frozen=True):
    """A first factor: what of it was shown now, and whether there was only that one.

    An identity provider that vouches for the user may have asked for more than Snowflake knows.
    """

    factor: AuthFactor | None = None
    alone: bool = False
    protocol: str | None = None
    protocol_id: int | None = None


class Stop(Struct, frozen=True):
    """Where a login ends behind the first factor, which was right then: an error by its name.

    challenge: at the second factor itself, and not for want of one.
    """

    name: str
    challenge: bool = True
    status: Status = Status.FAILURE


def _factor(kind: FactorType, word: str) -> AuthFactor:
    return AuthFactor(factor_type_id=kind, factor_type=word)


FIRST = {
    "PASSWORD": First(_factor(FactorType.PASSWORD, "PASSWORD"), alone=True),
    "RSA_KEYPAIR": First(_factor(FactorType.OTHER, "RSA_KEYPAIR"), alone=True),
    "PROGRAMMATIC_ACCESS_TOKEN": First(
        _factor(FactorType.OTHER, "PROGRAMMATIC_ACCESS_TOKEN"), alone=True
    ),
    "SAML2_ASSERTION": First(None, False, "SAML", 5),
    "OAUTH_ACCESS_TOKEN": First(None, False, "OAUTH 2.0", 6),
    # What an earlier single sign-on left on the client, and an open session of the browser.
    "ID_TOKEN": First(),
    "WEB_SESSION": First(),
    "WORKLOAD_IDENTITY": First(_factor(FactorType.OTHER, "WORKLOAD_IDENTITY")),
}
CACHED = "MFA_TOKEN"
SECOND = {
    "DUO_PUSH": FactorType.PUSH,
    "TOTP": FactorType.OTP,
    "OTP": FactorType.OTP,
    "PASSCODE": FactorType.OTP,
    "DUO_PASSCODE": FactorType.OTP,
    "PASSKEY": FactorType.WEBAUTHN,
}
# Duo is asked once the password has proved right.
STOPS = {
    "390120": Stop("EXT_AUTHN_DENIED"),
    "390121": Stop("EXT_AUTHN_PENDING", status=Status.OTHER),
    "390122": Stop("EXT_AUTHN_NOT_ENROLLED", challenge=False),
    "390123": Stop("EXT_AUTHN_LOCKED"),
    "390124": Stop("EXT_AUTHN_REQUESTED", status=Status.OTHER),
    "390125": Stop("EXT_AUTHN_SMS_SENT", status=Status.OTHER),
    "390126": Stop("EXT_AUTHN_TIMEOUT"),
    "390127": Stop("EXT_AUTHN_INVALID"),
    "390129": Stop("EXT_AUTHN_EXCEPTION", challenge=False),
    "390132": Stop("EXT_AUTHN_DUO_PUSH_DISABLED", challenge=False),
}
STOPS |= {stop.name: stop for stop in STOPS.values()}


@lru_cache(256)
def first_factor(word: str) -> First:
    """What a first factor means; one that is not known is a factor of its own name."""
    return FIRST.get(word) or First(_factor(FactorType.OTHER, word))


def is_mfa(first: First, second: str | None) -> bool | None:
    """Whether a login that succeeded took more than one factor; None where others know."""
    return True if second else False if first.alone else None


@lru_cache(256)
def factors_shown(first: First, second: str | None) -> tuple[AuthFactor, ...] | None:
    """What was shown now: a cached second factor was shown before."""
    shown = [first.factor] if first.factor else []
    if second and second != CACHED:
        shown.append(_factor(SECOND.get(second, FactorType.OTHER), second))
    return tuple(shown) or None
