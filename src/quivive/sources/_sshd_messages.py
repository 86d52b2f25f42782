"""What sshd's messages say.

A client chooses its user name freely, spaces and "from 192.0.2.1 port 22 ssh2" included. So the
patterns are anchored at both ends of the message, and the address of a failed attempt is the last
one: sshd writes it after the name.
"""

import re
from typing import Any

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status
from quivive.model.record import RejectError, Skip
from quivive.sources._syslog import Line

# sshd split into one program a phase: -session in OpenSSH 9.8, -auth in 10.0.
PROGRAMS = frozenset({"sshd", "sshd-session", "sshd-auth"})

NOT_A_LOGIN = Skip("not an authentication message")
UNFINISHED = Skip("authentication goes on: its outcome is a message of its own")
REPEATED = Skip("repeats what another message of the same login says")

PASSWORD = (AuthFactor(factor_type_id=FactorType.PASSWORD),)
PUBLIC_KEY = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="SSH public key"),)
HOST_KEY = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="SSH host key"),)
KERBEROS = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="Kerberos"),)
SECURITY_KEY = (AuthFactor(factor_type_id=FactorType.U2F, factor_type="FIDO security key"),)
ONE_TIME_CODE = (AuthFactor(factor_type_id=FactorType.OTP),)

# keyboard-interactive is left out: it asks whatever PAM wants, a password or a code or both.
FACTORS: dict[str, tuple[AuthFactor, ...]] = {
    "password": PASSWORD,
    "publickey": PUBLIC_KEY,
    "hostbased": HOST_KEY,
    "gssapi-with-mic": KERBEROS,
    "gssapi-keyex": KERBEROS,
}


class Attempt(Struct, frozen=True, kw_only=True):
    """What one sshd message says happened."""

    user: str | None
    code: str
    status: Status = Status.FAILURE
    activity: Activity = Activity.LOGON
    activity_name: str | None = None
    client: str | None = None
    port: str | None = None
    factors: tuple[AuthFactor, ...] | None = None
    credential: str | None = None
    certificate: str | None = None
    detail: str | None = None
    credential_accepted: bool = False
    count: str | None = None


# Only an account that exists is accepted, so there the first " from " ends the name, and the
# certificate's free text behind the address cannot pass for one. A failed name may hold anything.
_ACCEPTED = re.compile(r"(\S+) for ()(.*?) from (\S+) port (\d+) ssh\d?(?:: (.*))?")
_FAILED = re.compile(
    r"(\S+) for (invalid user |illegal user |)(.*) from (\S+) port (\d+) ssh\d?(?:: (.*))?"
)
# "ED25519-CERT SHA256:… ID alice (serial 7) CA RSA SHA256:…": key, fingerprint, certificate.
_KEY = re.compile(
    r"([A-Z0-9-]+)(?: ((?:SHA\d+|MD5):\S+|[0-9a-f]{2}(?::[0-9a-f]{2}){15}))?"
    r"(?: ID (.*) \(serial \d+\) CA .*)?(?:,.*)?"
)


def _login(code: str, pattern: re.Pattern[str], status: Status, rest: str) -> Attempt | Skip:
    """What follows Accepted, Partial or Failed: METHOD for USER from ADDRESS port N ssh2: KEY."""
    match = pattern.fullmatch(rest)
    if match is None:
        return NOT_A_LOGIN
    method, invalid, user, client, client_port, key = match.groups()
    factors = FACTORS.get(method)
    fingerprint = certificate = None
    if key and (shown := _KEY.fullmatch(key)):
        kind, fingerprint, certificate = shown.groups()
        if "-SK" in kind:
            factors = SECURITY_KEY
    return Attempt(
        user=user,
        code=f"{code} {method}",
        status=status,
        client=client,
        port=client_port,
        factors=factors,
        credential=fingerprint,
        certificate=certificate,
        detail="invalid user" if invalid else None,
        credential_accepted=status == Status.OTHER,
    )


def _failed(rest: str) -> Attempt | Skip:
    if rest.startswith("hostbased "):
        # What follows is the client's own claim of its user and host.
        rest = rest.partition(', client user "')[0]
    return _login("Failed", _FAILED, Status.FAILURE, rest)


_Form = tuple[re.Pattern[str], dict[str, Any]]


def _form(pattern: str, code: str, **constants: Any) -> _Form:
    """A message whose named groups and constants are the fields of its attempt."""
    return re.compile(pattern), {"code": code, **constants}


LOGOFF: dict[str, Any] = {"activity": Activity.LOGOFF, "status": Status.SUCCESS}
ABORTED = "connection closed before authentication"
MFA_CHALLENGE: dict[str, Any] = {
    "activity": Activity.OTHER,
    "activity_name": "MFA Challenge",
    "factors": ONE_TIME_CODE,
}

_FROM = r"(?P<client>\S+) port (?P<port>\d+)"
_INVALID = _form(r"user (?P<user>.*) from (?P<client>\S+)(?: port (?P<port>\d+))?", "Invalid user")
_CLOSED = (
    _form(
        rf"(?:closed by|reset by|from) (?:authenticating|invalid) user (?P<user>.*) {_FROM}",
        "Connection closed",
        detail=ABORTED,
    ),
    _form(
        rf"from (?:authenticating|invalid) user (?P<user>.*) {_FROM}: (?P<detail>[^:]*)",
        "Connection broken",
    ),
    _form(
        rf"(?:closed by|reset by|from|client not responding from) user (?P<user>.*) {_FROM}",
        "Disconnected",
        **LOGOFF,
    ),
)
# Behind the message's first word, forms to try in turn.
_FORMS: dict[str, tuple[_Form, ...]] = {
    "Invalid": (_INVALID,),
    "Illegal": (_INVALID,),
    "Connection": _CLOSED,
    "Disconnected": _CLOSED,
    "Timeout,": _CLOSED,
    "Disconnecting": (
        # The reason may quote a second user name: with two addresses neither is believed.
        _form(
            rf"(?:authenticating|invalid) user (?P<user>(?:(?! port ).)*) {_FROM}: "
            r"(?P<detail>[^:]*)(?:(?! port ).)*",
            "Disconnecting",
        ),
    ),
    "User": (
        _form(
            r"(?P<user>.+?)(?: from (?P<client>\S+))? not allowed because (?P<detail>.+)",
            "User not allowed",
        ),
    ),
    "maximum": (
        _form(
            r"authentication attempts exceeded for (?:invalid user |illegal user )?"
            rf"(?P<user>.*) from {_FROM} ssh\d?",
            "maximum authentication attempts exceeded",
            detail="maximum authentication attempts exceeded",
        ),
    ),
    # PermitRootLogin is looked at only once the credential has proved right.
    "ROOT": (
        _form(
            r"LOGIN REFUSED FROM (?P<client>\S+)(?: port (?P<port>\d+))?",
            "ROOT LOGIN REFUSED",
            user="root",
            detail="root may not log in",
            credential_accepted=True,
        ),
    ),
    "PAM:": (
        _form(
            r"(?P<detail>.+?) for (?:illegal user |invalid user )?(?P<user>.*) "
            r"from (?P<client>\S+)(?: via \S+)?",
            "PAM",
        ),
    ),
    # PAM's account phase runs after authentication has succeeded.
    "Access": (
        _form(
            r"denied for user (?P<user>.+) by PAM account configuration",
            "Access denied",
            detail="denied by PAM account configuration",
            credential_accepted=True,
        ),
    ),
}
# What PAM modules write on sshd's behalf, behind "pam_unix(sshd:auth): ".
_PAM_FORMS = (
    _form(
        r"(?:PAM (?P<count>\d{1,9}) more )?authentication failures?; logname=\S* uid=\S* "
        r"euid=\S* tty=\S* ruser=\S* rhost=(?P<client>\S*)(?:\s+user=(?P<user>.*))?",
        "pam authentication failure",
    ),
    _form(r"session closed for user (?P<user>.+?)(?:\(uid=\d+\))?", "pam session closed", **LOGOFF),
    _form(
        r"Consecutive login failures for user (?P<user>.+) account temporarily locked.*",
        "pam account locked",
        activity=Activity.OTHER,
        activity_name="Account Lock",
        status=Status.SUCCESS,
    ),
    _form(
        r"Accepted google_authenticator for (?P<user>.+)",
        "Accepted google_authenticator",
        status=Status.SUCCESS,
        **MFA_CHALLENGE,
    ),
    _form(
        r"Invalid verification code for (?P<user>.+)",
        "Invalid verification code",
        detail="invalid verification code",
        **MFA_CHALLENGE,
    ),
)
_PAM = re.compile(r"pam_\w+\(\w+:\w+\): (.*)")
_REPEAT = re.compile(r"message repeated (\d{1,9}) times: \[ ?(.*)\]", re.DOTALL)


def _match(forms: tuple[_Form, ...], rest: str) -> Attempt | Skip:
    for pattern, constants in forms:
        if match := pattern.fullmatch(rest):
            found: dict[str, Any] = match.groupdict()
            return Attempt(**found, **constants)
    return NOT_A_LOGIN


def _pam(rest: str) -> Attempt | Skip:
    if rest.startswith(("session opened ", "authentication success;")):
        return REPEATED
    return _match(_PAM_FORMS, rest)


def _read(message: str) -> Attempt | Skip:
    message = message.removesuffix(" [preauth]")
    word, _, rest = message.partition(" ")
    if word in ("error:", "fatal:", "ssh_dispatch_run_fatal:"):
        word, _, rest = rest.partition(" ")
    if word == "Accepted":
        return _login(word, _ACCEPTED, Status.SUCCESS, rest)
    if word == "Failed":
        return _failed(rest)
    if word == "Partial":  # one method of AuthenticationMethods succeeded, the next is due
        return _login(word, _ACCEPTED, Status.OTHER, rest)
    if word == "Postponed":
        return UNFINISHED
    if word == "input_userauth_request:":
        return REPEATED
    if forms := _FORMS.get(word):
        return _match(forms, rest)
    if word == "PAM":  # "PAM 2 more authentication failures; …"
        return _pam(message)
    if word.startswith("pam_") and (match := _PAM.fullmatch(message)):
        return _pam(match.group(1))
    return NOT_A_LOGIN


def of_sshd(line: Line) -> bool:
    """Whether the server wrote it, in one of its processes."""
    return line.program.rpartition("/")[2].partition("(")[0] in PROGRAMS


def read_attempt(line: Line) -> tuple[Attempt | Skip, int | None]:
    """What the line says, and how often rsyslog says it happened."""
    if not of_sshd(line):
        return Skip(f"another program's line: {line.program[:40]}"), None
    module = line.program.partition("(")[2]
    if line.message is None:
        raise RejectError("MESSAGE: missing")
    if module.startswith("pam_"):  # "sshd(pam_unix)[123]: …", as some PAM modules name themselves
        return _pam(line.message), None
    if match := _REPEAT.fullmatch(line.message):
        return _read(match.group(2).rstrip()), int(match.group(1))
    return _read(line.message), None
