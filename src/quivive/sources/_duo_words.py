"""The words of Duo's logs: factors, results, reasons, and what administrators do."""

from functools import lru_cache

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status

_FACTOR_WORDS = {
    FactorType.PUSH: ("duo_push", "verified_duo_push", "push"),
    FactorType.PHONE_CALL: ("phone_call", "phone"),
    FactorType.SMS: ("sms_passcode", "sms"),
    FactorType.OTP: ("duo_mobile_passcode", "passcode", "duo_otp", "mobile_otp", "otp"),
    FactorType.HARDWARE_TOKEN: (
        *("hardware_token", "yubikey_code", "yubikey_passcode", "yubikey", "digipass_go_7_token"),
        "token",
    ),
    FactorType.U2F: ("u2f_token", "u2f", "security_key"),
    FactorType.WEBAUTHN: ("webauthn",),
    FactorType.OTHER: ("bypass_code",),
}
_FACTORS = {word: kind for kind, words in _FACTOR_WORDS.items() for word in words}
_FAMILIES = (
    ("webauthn", FactorType.WEBAUTHN),
    ("duo_mobile_passcode", FactorType.OTP),
    ("platform", FactorType.WEBAUTHN),
)
# In the place of a factor where none was shown.
NO_FACTOR = frozenset({"remembered_device", "trusted_network", "not_available", "n/a", "none"})
SENT = "sms_refresh"

RESULTS = {
    "success": Status.SUCCESS,
    "denied": Status.FAILURE,
    "failure": Status.FAILURE,
    "fraud": Status.FAILURE,
    "error": Status.FAILURE,
}
# The user did not answer the factor that was asked for.
UNANSWERED = frozenset({"no_response", "no_keys_pressed", "call_timed_out"})
# A factor was asked for, and refused by the user or wrong.
REFUSED = frozenset(
    {"user_marked_fraud", "user_cancelled", "user_mistake", "invalid_passcode", "anomalous_push"}
)
# Let in with no second factor: a policy, a trusted place, or a user freed of it.
WITHOUT_FACTOR = frozenset(
    {
        *("bypass_user", "allow_unenrolled_user", "allow_unenrolled_user_on_trusted_network"),
        *("trusted_network", "trusted_location", "allowed_by_policy"),
    }
)
REMEMBERED = "remembered_device"


def word_of(text: str | None) -> str | None:
    """A word of the second version for one of the first: "User approved" is user_approved."""
    return text.lower().replace(" ", "_") if text else None


@lru_cache(maxsize=1024)
def factor_of(text: str | None) -> AuthFactor | None:
    """The factor of a word; None where none was shown. One that is not known is OTHER."""
    word = word_of(text)
    if word is None or word in NO_FACTOR or word == SENT:
        return None
    kind = _FACTORS.get(word)
    if kind is None:
        kind = next((k for start, k in _FAMILIES if word.startswith(start)), FactorType.OTHER)
    return AuthFactor(factor_type_id=kind, factor_type=text)


class Deed(Struct, frozen=True, kw_only=True):
    """What an action of the administrator log means. own: it is the administrator's own login or
    account; else it is done to the user that ``object`` names.
    """

    activity: Activity = Activity.OTHER
    name: str | None = None
    status: Status = Status.SUCCESS
    own: bool = False
    accepted: bool = False
    mfa: bool = False
    enrols: bool = False


DEEDS = {
    "admin_login": Deed(activity=Activity.LOGON, own=True, mfa=True),
    "admin_login_error": Deed(activity=Activity.LOGON, own=True, status=Status.FAILURE),
    "admin_2fa_error": Deed(name="MFA Challenge", own=True, status=Status.FAILURE, accepted=True),
    "admin_lockout": Deed(name="Account Lock", own=True),
    "admin_reset_password": Deed(name="Password Reset", own=True),
    "admin_self_activate": Deed(name="Factor Enroll", own=True),
    "admin_activate_duo_push": Deed(name="Factor Enroll", own=True),
    "bypass_create": Deed(name="Factor Enroll"),
    "o2fa_user_provisioned": Deed(name="Factor Enroll", own=True, enrols=True),
    "o2fa_user_reenrolled": Deed(name="Factor Enroll", own=True, enrols=True),
    "o2fa_user_deprovisioned": Deed(name="Factor Reset", own=True, enrols=True),
}
# A user set free of the second factor, by user_update.
BYPASS = Deed(name="Factor Reset")
