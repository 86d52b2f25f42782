"""Who made a request that a proxy passed on: a token's claims, a certificate, a header."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.event import Account, Actor, AuthFactor, Session, User, UserType
from quivive.model.record import RejectError
from quivive.sources import fields
from quivive.sources._access_log import CERTIFICATE, TLS, machine_of, names_of
from quivive.sources._proxy_entry import Entry
from quivive.sources.fields import clean, field

# What proxies and gateways call the headers, and operators the members, that hold the user.
_NAMES = (
    "remote_user",
    *("x_forwarded_preferred_username", "x_auth_request_preferred_username"),
    *("x_forwarded_user", "x_auth_request_user", "x_remote_user", "x_user", "x_user_name"),
    *("x_goog_authenticated_user_email", "cf_access_authenticated_user_email"),
    *("x_consumer_username", "x_user_id", "username", "user_name", "user"),
    *("authenticated_user", "principal", "sub", "subject", "user_id"),
)
_MAILS = ("x_forwarded_email", "x_auth_request_email", "x_user_email", "user_email", "email")
_KEYS = ("api_key_id", "key_id", "x_api_key_id", "credential_id", "x_credential_identifier")
_CLAIMED = ("preferred_username", "upn", "unique_name", "email", "username", "cognito_username")
_CLIENTS = ("azp", "client_id", "appid", "cid")
_MAX_NAME = 512
_BEARER = ("OAUTH 2.0", 6)


class Caller(Struct, frozen=True, kw_only=True):
    """Who it was and how that is known.

    proven: the proxy itself verified the token or the certificate; a header is only told.
    """

    user: User
    proven: bool
    actor: Actor | None = None
    session: Session | None = None
    is_mfa: bool | None = None
    factors: tuple[AuthFactor, ...] | None = None
    protocol: tuple[str, int] | None = None


def caller_of(entry: Entry, peer: Caller | None) -> Caller | None:
    """The end user of a token, else of a header, else the peer, whose certificate it was.

    Raises RejectError for a user that is no text.
    """
    through = peer.user if peer else None
    by_token = _by_claims(entry.claims, _key(entry), through) if entry.claims else None
    if by_token is not None:
        return by_token
    if (name := entry.word(*_NAMES)) is not None or (name := entry.word(*_MAILS)) is not None:
        name = name.rpartition("accounts.google.com:")[2][:_MAX_NAME]
        mail = entry.word(*_MAILS)
        return Caller(
            user=_user(name, None, fields.email(mail) or fields.email(name), _key(entry)),
            proven=False,
            actor=_through(through),
        )
    if peer is None and (damaged := entry.damaged(*_NAMES, *_MAILS)) is not None:
        raise RejectError(f"{damaged}: not a text")
    return peer


def _key(entry: Entry) -> str | None:
    """The id of an API key; the key itself has no place in a log."""
    return entry.word(*_KEYS)


def _by_claims(claims: dict[str, Any], key: str | None, peer: User | None) -> Caller | None:
    subject = field(claims, "sub")
    mail = None if claims.get("email_verified") in (False, "false") else field(claims, "email")
    client = next((found for name in _CLIENTS if (found := field(claims, name))), None)
    name = next(
        (
            found
            for claim in _CLAIMED
            if (found := mail if claim == "email" else field(claims, claim))
        ),
        subject or client,
    )
    if name is None:
        return None
    uid = field(claims, "oid") or subject
    tenant = field(claims, "tid")
    machine = _is_machine(claims, name, subject, client)
    if machine and name == subject and field(claims, "oid") is not None:
        name = client or name  # Entra's own subject of an application says nothing
    user = _user(
        name[:_MAX_NAME],
        uid if uid != name else None,
        fields.email(mail) or fields.email(name),
        key or _token(field(claims, "jti")),
        machine=machine,
        full_name=field(claims, "name"),
        tenant=tenant,
    )
    app = None if machine else client
    issuer, session = field(claims, "iss"), field(claims, "sid")
    return Caller(
        user=user,
        proven=True,
        actor=_through(peer, app),
        session=Session(uid=session, issuer=issuer) if session or issuer else None,
        is_mfa=_is_mfa(claims.get("amr")),
        protocol=_BEARER,
    )


def _token(jti: str | None) -> str | None:
    """A token's own id, marked as one that no other token bears."""
    return f"JTI={jti}" if jti else None


def _is_machine(claims: dict[str, Any], name: str, subject: str | None, client: str | None) -> bool:
    """Whether a client has the token for itself (RFC 9068: it is its own subject)."""
    return (
        (subject is not None and (subject == client or subject.endswith("@clients")))
        or field(claims, "gty") == "client-credentials"
        or field(claims, "idtyp") == "app"
        or name.startswith("service-account-")
        or (subject is None and name == client)
    )


def _is_mfa(methods: Any) -> bool | None:
    """By the methods of RFC 8176 that the token was got with."""
    if type(methods) is str:
        methods = methods.strip("[]").replace('"', "").replace(",", " ").split()
    if type(methods) is not list or not methods:
        return None
    if "mfa" in methods:
        return True
    return False if len(methods) == 1 else None


def _through(peer: User | None, app: str | None = None) -> Actor | None:
    """The workload and the OAuth client that the request came by."""
    workload = peer.name if peer else None
    return Actor(app_name=workload, app_uid=app) if workload or app else None


@lru_cache(maxsize=4096)
def workload(name: str) -> Caller:
    """The peer that a SPIFFE id names."""
    # Its certificates live for hours, so that none of them is worth remembering.
    user = User(name=name[:_MAX_NAME], type_id=UserType.SERVICE)
    return Caller(user=user, proven=True, factors=CERTIFICATE, protocol=TLS)


@lru_cache(maxsize=4096)
def certified(subject: str, key: str | None, proven: bool = True) -> Caller:
    """The peer that the subject of a certificate names; ``key`` is the certificate's own id."""
    names = names_of(subject)
    name = (names.get("cn") or names.get("uid") or subject)[:_MAX_NAME]
    user = User(
        name=name,
        uid=subject[:_MAX_NAME] if subject != name else None,
        email_addr=fields.email(names.get("emailaddress")) or fields.email(name),
        credential_uid=key,
    )
    return Caller(user=user, proven=proven, factors=CERTIFICATE, protocol=TLS)


@lru_cache(maxsize=4096)
def _user(
    name: str,
    uid: str | None,
    mail: str | None,
    key: str | None,
    machine: bool = False,
    full_name: str | None = None,
    tenant: str | None = None,
) -> User:
    return User(
        name=name,
        uid=uid,
        email_addr=None if machine else mail,
        full_name=full_name,
        type_id=UserType.SERVICE if machine else machine_of(name),
        credential_uid=clean(key),
        account=Account(uid=tenant) if tenant else None,
    )
