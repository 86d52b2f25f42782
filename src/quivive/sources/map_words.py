"""The words that a field map may write where OCSF has numbers."""

from enum import IntEnum
from typing import Any

from quivive.model.event import Activity, DeviceType, FactorType, OsType, UserType
from quivive.sources.ocsf_object import ACTIVITY_WORDS, STATUS_WORDS
from quivive.sources.ocsf_values import USER_TYPES

# What a word sets, beside each other: {"type_id": 99, "type": "Guest"}.
Word = dict[str, Any]

NAMED_ACTIVITIES = (
    "MFA Challenge",
    "Password Reset",
    "Password Change",
    "Factor Enroll",
    "Factor Reset",
    "Account Lock",
    "Token Create",
)
# A key of these in YAML is a truth value, and means whichever way the log spells it.
_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off")
_MORE_FACTORS = {
    "totp": FactorType.OTP,
    "phone": FactorType.PHONE_CALL,
    "passkey": FactorType.WEBAUTHN,
    "fido2": FactorType.WEBAUTHN,
}


def word_of(value: Any) -> str:
    """A record's value as a map's word for it: lower case, without surrounding space."""
    if type(value) is str:
        return value.strip().lower()
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (int, float) else ""


def spellings(key: str | bool | float | None) -> tuple[str, ...]:
    """The words that a key of a map stands for."""
    if key is None:
        return ("null", "")
    if key is True:
        return _TRUE
    if key is False:
        return _FALSE
    return (word_of(key),)


def _captions(numbers: type[IntEnum]) -> dict[str, int]:
    return {number.name.lower().replace("_", " "): int(number) for number in numbers}


def _words(field: str, words: dict[str, int]) -> dict[str, Word]:
    """Each word, and each number itself, as what it sets."""
    numbers = {str(int(number)): {field: int(number)} for number in words.values()}
    return {word: {field: int(number)} for word, number in words.items()} | numbers


def _activities() -> dict[str, Word]:
    named = {
        name.lower(): {"activity_id": int(Activity.OTHER), "activity_name": name}
        for name in NAMED_ACTIVITIES
    }
    return _words("activity_id", dict(ACTIVITY_WORDS)) | named


def factors_of(value: Any) -> list[Word]:
    """The factors named by one word, by several between commas, or by a list of them."""
    named = value.split(",") if type(value) is str else value if type(value) is list else ()
    return [FACTORS[word] for word in map(word_of, named) if word in FACTORS]


_USERS = _words("type_id", dict(USER_TYPES)) | {
    "guest": {"type_id": int(UserType.OTHER), "type": "Guest"}
}

FACTORS = _words("factor_type_id", _captions(FactorType) | _MORE_FACTORS)
WORDS: dict[str, dict[str, Word]] = {
    "status_id": _words("status_id", dict(STATUS_WORDS)),
    "activity_id": _activities(),
    "user.type_id": _USERS,
    "actor.user.type_id": _USERS,
    "device.type_id": _words("type_id", _captions(DeviceType)),
    "device.os.type_id": _words("type_id", _captions(OsType)),
    "auth_factors": FACTORS,
}
