"""What PostgreSQL's messages say of a login."""

import re
from typing import Any

from msgspec import Struct

from quivive.model.event import Activity, AuthFactor, FactorType, Status
from quivive.model.record import RejectError, Skip
from quivive.sources._postgresql_lines import Entry

NOT_A_LOGIN = Skip("no authentication event")
REPEATED = Skip("repeats what another message of the same login says")
UNNAMED = Skip("a connection that has not named its user yet")
_LONGEST_LOGGED = 2048  # the names of those who got in are of 63 bytes each
_TIMEOUT = "canceling authentication due to timeout"
_REFUSED = frozenset({"28000", "28P01"})

PASSWORD = (AuthFactor(factor_type_id=FactorType.PASSWORD),)
CERTIFICATE = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="client certificate"),)
KERBEROS = (AuthFactor(factor_type_id=FactorType.OTHER, factor_type="Kerberos"),)


class Method(Struct, frozen=True):
    """An authentication method: its protocol, as OCSF numbers them, and what is shown for it."""

    protocol: str | None = None
    protocol_id: int | None = None
    factors: tuple[AuthFactor, ...] | None = None


NONE = Method()
# Those that may authenticate an identity of another name than the database's user.
MAPPED = {
    "cert": Method("TLS client certificate", 99, CERTIFICATE),
    "gss": Method("Kerberos", 2, KERBEROS),
    "sspi": Method("SSPI", 99),
    "oauth": Method("OAUTH 2.0", 6),
    "peer": NONE,
    "ident": NONE,
}
_FAILED = {
    "password": Method(None, None, PASSWORD),
    "LDAP": Method("LDAP", 12, PASSWORD),
    "RADIUS": Method("RADIUS", 10),
    "PAM": Method("PAM", 99),
    "BSD": Method("BSD", 99),
    "GSSAPI": MAPPED["gss"],
    "SSPI": MAPPED["sspi"],
    "certificate": MAPPED["cert"],
    "OAuth bearer": MAPPED["oauth"],
}


class Attempt(Struct, frozen=True, kw_only=True):
    """What one message says happened.

    is_identity: ``user`` is whom a method authenticated; ``role`` the user it then is to the
    database, or wanted to be.
    """

    code: str
    status: Status = Status.FAILURE
    activity: Activity = Activity.LOGON
    user: str | None = None
    role: str | None = None
    is_identity: bool = False
    database: str | None = None
    host: str | None = None
    port: str | None = None
    application: str | None = None
    method: Method = NONE
    detail: str | None = None
    accepted: bool = False


_Form = tuple[re.Pattern[str], dict[str, Any]]


def _form(pattern: str, code: str, **constants: Any) -> _Form:
    """A message whose named groups and constants are the fields of its attempt."""
    return re.compile(pattern, re.DOTALL), {"code": code, **constants}


_AUTHORIZED = (
    _form(
        r"(?:replication )?connection authorized: user=(?P<user>.*?)"
        r"(?: database=(?P<database>.*?))?(?: application_name=(?P<application>.*?))?"
        r"(?: SSL enabled \([^()]*\))?(?: GSS \(.*\))?",
        "connection authorized",
        status=Status.SUCCESS,
    ),
)
_DISCONNECTED = (
    _form(
        r"disconnection: session time: \S+ user=(?P<user>.*) database=(?P<database>.*) "
        r"host=(?P<host>\S+)(?: port=(?P<port>\d+))?",
        "disconnection",
        status=Status.SUCCESS,
        activity=Activity.LOGOFF,
    ),
)
_UNMAPPED = (
    _form(
        r'no match in usermap ".*" for user "(?P<role>.*)" authenticated as "(?P<user>.*)"',
        "no match in usermap",
        detail="authenticated, but may not become this user",
        accepted=True,
        is_identity=True,
    ),
)
_HBA = r'"(?P<host>[^"]*)", user "(?P<user>.*?)"(?:, database "(?P<database>.*)")?(?:, [^"]*)?'
# Behind the message's first word, forms to try in turn.
_FATAL: dict[str, tuple[_Form, ...]] = {
    "no": (
        _form(
            rf"no pg_hba\.conf entry for (?:replication connection from )?host {_HBA}",
            "no pg_hba.conf entry",
            detail="no pg_hba.conf entry",
        ),
    ),
    "pg_hba.conf": (
        _form(
            rf"pg_hba\.conf rejects (?:replication )?connection for host {_HBA}",
            "pg_hba.conf rejects connection",
            detail="pg_hba.conf rejects the connection",
        ),
    ),
    "role": (
        # What follows authentication: the credential, where one was asked for, was right.
        _form(
            r'role "(?P<user>.*)" is not permitted to log in',
            "role is not permitted to log in",
            detail="role is not permitted to log in",
            accepted=True,
        ),
        _form(
            r'role "(?P<user>.*)" does not exist',
            "role does not exist",
            detail="role does not exist",
        ),
    ),
    "permission": (
        _form(
            r'permission denied for database "?(?P<database>.*?)"?',
            "permission denied for database",
            detail="permission denied for database",
            accepted=True,
        ),
    ),
    "database": (
        _form(
            r'database "(?P<database>.*)" does not exist',
            "database does not exist",
            detail="database does not exist",
            accepted=True,
        ),
        _form(
            r'database "(?P<database>.*)" is not currently accepting connections',
            "database is not accepting connections",
            detail="database is not accepting connections",
            accepted=True,
        ),
    ),
    "too": (
        _form(
            r'too many connections for role "(?P<user>.*)"',
            "too many connections for role",
            detail="too many connections for role",
            accepted=True,
        ),
        _form(
            r'too many connections for database "(?P<database>.*)"',
            "too many connections for database",
            detail="too many connections for database",
            accepted=True,
        ),
    ),
    "canceling": (
        _form(
            _TIMEOUT,
            "authentication timeout",
            detail="authentication timed out",
        ),
    ),
}
_AUTHENTICATION_FAILED = re.compile(
    r'(?:"?(?P<method>[\w ]+?)"? )?authentication failed for user "(?P<user>.*)"'
    r"(?:: (?P<detail>host rejected|invalid authentication method))?",
    re.DOTALL,
)
_IMITATED = re.compile(
    r"connection authorized:|disconnection:|authentication failed for user|pg_hba\.conf|in usermap"
)
_AUTHENTICATED = re.compile(
    r'connection authenticated: (identity|user)="(.*)" method=(\S+) \(.*:\d+\)', re.DOTALL
)
_REASONS = (
    ("does not exist.", "role does not exist"),
    ("has no password assigned.", "role has no password"),
    ("has an expired password.", "expired password"),
    ("does not have a valid SCRAM secret.", "role has no SCRAM secret"),
    ("Password does not match for user", "password does not match"),
)


def read_attempt(entry: Entry) -> Attempt | Skip:
    """What an entry says of a login; a Skip for the many that say nothing of one.

    Raises RejectError where a name in the line imitates a message of a login.
    """
    message = entry.message
    if entry.is_forged and entry.severity in ("LOG", "FATAL") and _IMITATED.search(message):
        raise RejectError("message: two in one line: a name in it imitates the log")
    if entry.context is not None:  # raised by a function, which may say anything
        return NOT_A_LOGIN
    if entry.severity == "LOG":
        return _logged(entry, message)
    if entry.severity != "FATAL":
        return NOT_A_LOGIN
    if match := _AUTHENTICATION_FAILED.fullmatch(message):
        return _failed(entry, match)
    if message == _TIMEOUT and entry.user is None:
        return UNNAMED
    found = _match(_FATAL.get(message.partition(" ")[0], ()), message)
    if found is NOT_A_LOGIN and entry.code in _REFUSED and entry.user is not None:
        # In another language, or of a method that is not known.
        return Attempt(code="authentication failed", detail=message[:200])
    return found


def _logged(entry: Entry, message: str) -> Attempt | Skip:
    if len(message) > _LONGEST_LOGGED:
        return NOT_A_LOGIN
    if message.startswith(("connection authorized:", "replication connection authorized:")):
        return _match(_AUTHORIZED, message)
    if message.startswith("disconnection:"):
        return _match(_DISCONNECTED, message)
    if message.startswith("connection authenticated:"):
        return _authenticated(entry, message)
    if message.startswith("connection received:"):
        return UNNAMED
    if message.startswith("no match in usermap"):
        return _match(_UNMAPPED, message)
    return REPEATED if message.startswith("provided user name (") else NOT_A_LOGIN


def _match(forms: tuple[_Form, ...], message: str) -> Attempt | Skip:
    for pattern, constants in forms:
        if match := pattern.fullmatch(message):
            found: dict[str, Any] = match.groupdict()
            return Attempt(**found, **constants)
    return NOT_A_LOGIN


def _authenticated(entry: Entry, message: str) -> Attempt | Skip:
    """An identity that took a database user of another name; else the authorization says it all."""
    match = _AUTHENTICATED.fullmatch(message)
    if match is None:
        return NOT_A_LOGIN
    kind, identity, word = match.groups()
    method = MAPPED.get(word)
    if kind != "identity" or method is None or identity == entry.user:
        return REPEATED
    return Attempt(
        code="connection authenticated",
        status=Status.SUCCESS,
        user=identity,
        is_identity=True,
        role=entry.user,
        method=method,
    )


def _failed(entry: Entry, match: re.Match[str]) -> Attempt:
    word = match["method"]
    reason = match["detail"]
    if reason is None and entry.detail is not None:
        first = entry.detail.partition("\n")[0]
        reason = next((words for mark, words in _REASONS if mark in first), None)
    return Attempt(
        code=f"{word} authentication failed" if word else "authentication failed",
        user=match["user"],
        method=_FAILED.get(word, NONE) if word else NONE,
        detail=reason or (f"{word} authentication failed" if word else "authentication failed"),
    )
