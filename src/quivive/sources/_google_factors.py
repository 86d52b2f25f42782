"""What a Google Workspace activity says of factors: shown, asked for, passed or not."""

from functools import lru_cache

from msgspec import Struct

from quivive.model.event import AuthFactor, FactorType, Status
from quivive.sources._google_words import KNOWLEDGE, METHODS, Kind

_CHALLENGES = {
    "challenge passed": Status.SUCCESS,
    "passed": Status.SUCCESS,
    "challenge failed": Status.FAILURE,
    "failed": Status.FAILURE,
}


class Told(Struct, frozen=True, kw_only=True):
    """What a record says of the factors.

    second: that this was the second one; by_password: that a Google password was given.
    """

    factors: tuple[AuthFactor, ...]
    second: bool
    by_password: bool

    @property
    def beyond_password(self) -> bool:
        """Whether anything but a password was shown."""
        return any(factor.factor_type_id != FactorType.PASSWORD for factor in self.factors)

    @property
    def after_first(self) -> bool:
        """Whether a factor came after another. A passkey alone may stand for the password."""
        kinds = {factor.factor_type_id for factor in self.factors}
        if FactorType.PASSWORD in kinds:
            return self.second or len(kinds) > 1
        return self.second or (self.by_password and bool(kinds - {FactorType.WEBAUTHN}))


def challenged(word: str | None) -> Status:
    """How a challenge ended: the documentation has "Challenge Passed." and "Challenge Failed.",
    and an empty text for what is not known.
    """
    return _CHALLENGES.get(word.lower().rstrip("."), Status.UNKNOWN) if word else Status.UNKNOWN


@lru_cache(maxsize=1024)
def factors_of(methods: tuple[str, ...]) -> tuple[AuthFactor, ...]:
    """The factors among challenge methods; methods that show none, or are new, are left out."""
    found = []
    for word in methods:
        kind = METHODS.get(word.lower())
        if kind is None and word.lower().startswith(KNOWLEDGE):
            kind = FactorType.SECURITY_QUESTION
        if kind is not None:
            found.append(AuthFactor(factor_type_id=kind, factor_type=word[:128]))
    return tuple(found[:16])


def is_mfa(kind: Kind, told: Told) -> bool | None:
    """Whether more than one factor stood behind a success; None where that is not told."""
    if told.after_first:
        return True
    if not told.factors or kind.name is not None or told.beyond_password:
        return None
    return False
