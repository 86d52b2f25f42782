"""The words of 1Password's Events API: what came of a sign-in, and what is done to an account."""

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status


class Outcome(Struct, frozen=True, kw_only=True):
    """What the category of a sign-in attempt says. mfa: it was asked for a second factor, which is
    asked for after the first.
    """

    status: Status = Status.FAILURE
    mfa: bool = False


CATEGORIES = {
    "success": Outcome(status=Status.SUCCESS),
    "firewall_reported_success": Outcome(status=Status.SUCCESS),
    "credentials_failed": Outcome(),
    "mfa_failed": Outcome(mfa=True),
    "sso_failed": Outcome(),
    "firewall_failed": Outcome(),
    "firewall_prevented": Outcome(),
    "modern_version_failed": Outcome(),
    "modern_version_required": Outcome(),
}
REPORTED = "firewall_reported_success"
MFA_OK = "mfa_ok"
ANONYMOUS = "anonymous_blocked"
_UNANSWERED = ("_timeout", "_timout", "_missing")  # the specification spells one of them so


def is_unanswered(kind: str | None) -> bool:
    """Whether the second factor was asked for and not shown, by the type of the attempt."""
    return kind is not None and kind.endswith(_UNANSWERED)


_FACTORS = {
    "totp": FactorType.OTP,
    "u2f": FactorType.U2F,
    "duo": FactorType.OTHER,
    "code": FactorType.OTP,
    "platform_secret": FactorType.OTHER,
}
_OF_WORD = {
    word: AuthFactor(factor_type_id=kind, factor_type=word) for word, kind in _FACTORS.items()
}


def factor_of(kind: str | None) -> AuthFactor | None:
    """The second factor that a type names: "totp_bad", "duo_native_bad"."""
    return next((f for word, f in _OF_WORD.items() if kind and kind.startswith(word)), None)


class Deed(Struct, frozen=True, kw_only=True):
    """What an audit event means. name: None for what a session is used for."""

    activity: Activity = Activity.LOGON
    name: str | None = None
    status: Status = Status.SUCCESS


def _around(name: str, status: Status = Status.SUCCESS) -> Deed:
    return Deed(activity=Activity.OTHER, name=name, status=status)


USE = Deed()
# By action and type of object.
DEEDS = {
    ("enblmfa", "user"): _around("Factor Enroll"),
    ("updatmfa", "user"): _around("Factor Reset"),
    ("disblmfa", "user"): _around("Factor Reset"),
    ("changesk", "user"): _around("Factor Reset"),
    ("changemp", "user"): _around("Password Change"),
    ("beginr", "user"): _around("Password Reset", Status.OTHER),
    ("completr", "user"): _around("Password Reset"),
    ("suspend", "user"): _around("Account Lock"),
    ("create", "satoken"): _around("Token Create"),
    ("create", "sa"): USE,
    ("export", "vault"): USE,
    # Access to a vault, to a person or a group, and who is in a group.
    ("grant", "uva"): USE,
    ("grant", "gva"): USE,
    ("join", "gm"): USE,
    ("role", "gm"): USE,
    ("updatfw", "account"): USE,
    ("disblmfa", "account"): USE,
    ("updatmfa", "account"): USE,
    ("disblduo", "account"): USE,
    ("updatduo", "account"): USE,
}
_SSO = frozenset({"enblsso", "disblsso", "chngpsso", "chngasso", "chngdsso", "addgsso", "delgsso"})


def deed_of(action: str, about: str) -> Deed | None:
    """What an action on an object of that type means; None for what is no matter of logins."""
    return USE if action in _SSO else DEEDS.get((action, about))


BROWSERS = frozenset({"chrome", "firefox", "safari", "edge", "brave", "opera", "arc", "chromium"})
SERVICE_ACCOUNT = "@1passwordserviceaccounts.com"
