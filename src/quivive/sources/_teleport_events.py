"""What the events of Teleport's audit log say of a login, by their names."""

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, OsType


class Kind(Struct, frozen=True, kw_only=True):
    """What an event is.

    mark: the group of events that are read alike; "" for those that need nothing of their own.
    name: the activity's name where it surrounds a login.
    use: the use of a certificate for something, whose holder Teleport knows already, so that a
        failure refuses what was asked for and not the credential.
    asked: no more than asked for, whatever the record says.
    """

    mark: str = ""
    activity: Activity = Activity.LOGON
    name: str | None = None
    use: bool = False
    asked: bool = False


def _around(name: str, *, asked: bool = False, mark: str = "") -> Kind:
    return Kind(activity=Activity.OTHER, name=name, asked=asked, mark=mark)


LOGIN = Kind(mark="login")
SESSION = Kind(mark="server", use=True)
KUBERNETES = Kind(mark="kubernetes", use=True)
DATABASE = Kind(mark="database", use=True)
APPLICATION = Kind(mark="application", use=True)
DESKTOP = Kind(mark="desktop", use=True)
CERTIFICATE = Kind(mark="certificate", use=True)
JOIN = Kind(mark="join")
MFA = _around("MFA Challenge", mark="mfa")
RECOVERY = _around("MFA Challenge", mark="recovery")
LOCK = _around("Account Lock", mark="lock")
FOR_ANOTHER = _around("Password Reset", asked=True, mark="name")
_ENROLL = _around("Factor Enroll", mark="factor")
_RESET = _around("Factor Reset", mark="factor")
_TOKEN = _around("Token Create", mark="token")

KINDS = {
    "user.login": LOGIN,
    "auth": Kind(mark="auth"),
    "session.rejected": SESSION,
    "session.start": SESSION,
    "session.join": SESSION,
    "exec": SESSION,
    "kube.request": KUBERNETES,
    "db.session.start": DATABASE,
    "app.session.start": APPLICATION,
    "mcp.session.start": APPLICATION,
    "saml.idp.auth": APPLICATION,
    "windows.desktop.session.start": DESKTOP,
    "linux.desktop.session.start": DESKTOP,
    "session.end": Kind(mark="server", activity=Activity.LOGOFF),
    "db.session.end": Kind(mark="database", activity=Activity.LOGOFF),
    "app.session.end": Kind(mark="application", activity=Activity.LOGOFF),
    "mcp.session.end": Kind(mark="application", activity=Activity.LOGOFF),
    "windows.desktop.session.end": Kind(mark="desktop", activity=Activity.LOGOFF),
    "linux.desktop.session.end": Kind(mark="desktop", activity=Activity.LOGOFF),
    "cert.create": CERTIFICATE,
    "cert.generation_mismatch": CERTIFICATE,
    "spiffe.svid.issued": Kind(mark="spiffe", use=True),
    "bot.join": JOIN,
    "instance.join": JOIN,
    "mfa_auth_challenge.validate": MFA,
    "mfa.add": _ENROLL,
    "mfa.delete": _RESET,
    "device.enroll": _ENROLL,
    "recovery_code.generated": _RESET,
    "recovery_code.used": RECOVERY,
    "recovery_token.create": FOR_ANOTHER,
    "reset_password_token.create": FOR_ANOTHER,
    "user.password_change": _around("Password Change"),
    "lock.created": LOCK,
    "bot_token.create": _TOKEN,
    "join_token.create": _TOKEN,
    "trusted_cluster_token.create": _TOKEN,
}
_INSIDE = ("session.", "db.session.", "app.session.", "mcp.session.", "desktop.", "http.")
_WITHIN = frozenset(
    "agent-forward client.disconnect port print resize scp sftp sftp_summary subsystem "
    "x11-forward file.transfer".split()
)

# A login shows its trusted device before or after; the sessions that follow name it.
BESIDE = frozenset({"device.authenticate", "device.authenticate.confirm"})

# Asked for with every login; whoever asks is the client itself, so that nobody is wearied by it.
PROMPT = "mfa_auth_challenge.create"

# The codes of logins that are not what their event's name says.
TEST_FLOW = frozenset({"T1010I", "T1011W"})
HEADLESS_ASKED = "T1012I"
HEADLESS_REJECTED = "T1014W"

METHODS = {
    "oidc": ("OpenID", 4),
    "saml": ("SAML", 5),
    "github": ("OAUTH 2.0", 6),
    "client.cert": ("Client certificate", 99),
}
FACTORS = {
    "totp": FactorType.OTP,
    "webauthn": FactorType.WEBAUTHN,
    "u2f": FactorType.U2F,
}
PASSWORD = AuthFactor(factor_type_id=FactorType.PASSWORD, factor_type="local")
RECOVERY_CODE = AuthFactor(factor_type_id=FactorType.OTHER, factor_type="recovery code")
# Of a trusted device: devicetrust.v1.OSType.
SYSTEMS = {
    1: ("Linux", OsType.LINUX),
    2: ("macOS", OsType.MACOS),
    3: ("Windows", OsType.WINDOWS),
    4: ("iOS", OsType.IOS),
    5: ("iPadOS", OsType.IPADOS),
}


def is_inside(event: str) -> bool:
    """Whether the event happens within a session that has a record of its start."""
    return event in _WITHIN or event.startswith(_INSIDE)
