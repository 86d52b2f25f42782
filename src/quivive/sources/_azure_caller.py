"""Who made a call of Azure's control plane: people, service principals, managed identities."""

import re
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from quivive.model.event import Account, Actor, Session, User, UserType
from quivive.model.record import RejectError
from quivive.sources._azure_record import Call
from quivive.sources._microsoft import person
from quivive.sources.fields import email, field

_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_UPN, _NAME, _EMAIL = f"{_SOAP}upn", f"{_SOAP}name", f"{_SOAP}emailaddress"
_SERVICE_NAME = f"{_SOAP}spn"
_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_PROVIDER = "http://schemas.microsoft.com/identity/claims/identityprovider"
_METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
DEVICE = "http://schemas.microsoft.com/2012/01/devicecontext/claims/identifier"
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
# Microsoft's own clients for people, by the ids that they have in every tenant.
_CLIENTS = {
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
    "872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
    "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
}
# How an application proves itself to get its token.
_PROOFS = {"1": "client secret", "2": "client certificate"}
_OTHER = 99


class Caller(Struct, frozen=True):
    """What follows from the claims of a call's token.

    protocol: how an application got its token; None for people and managed identities.
    is_mfa: what the sign-in took that the token comes from; None where that is not said.
    """

    user: User
    actor: Actor | None = None
    protocol: str | None = None
    is_mfa: bool | None = None


def caller(call: Call) -> Caller | None:
    """The identity that called; None for a record that names nobody.

    Raises RejectError where there are claims and none of them is a name or an id.
    """
    claims, evidence = call.claims, call.evidence
    if type(call.identity) not in (dict, str, type(None)):
        raise RejectError("claims: not an object")
    kind = (field(evidence, "principalType") or "").lower()
    principal = field(evidence, "principalId")
    found = _caller(
        field(claims, _UPN),
        field(claims, _NAME),
        field(claims, _EMAIL),
        field(claims, "name"),
        field(claims, _OBJECT),
        field(claims, "appid") or field(claims, "azp"),
        field(claims, "appidacr") or field(claims, "azpacr"),
        field(claims, "idtyp"),
        field(claims, "xms_mirid"),
        field(claims, _PROVIDER),
        field(claims, _METHODS),
        call.caller or field(claims, _SERVICE_NAME),
        principal if kind in ("user", "serviceprincipal") else None,
        kind,
        call.tenant,
    )
    if found is None and claims:
        raise RejectError("claims: no name and no id of the caller")
    return found


@lru_cache(16384)
def _caller(
    upn: str | None,
    unique: str | None,
    mail: str | None,
    display: str | None,
    uid: str | None,
    app: str | None,
    proof: str | None,
    claimed_type: str | None,
    managed: str | None,
    provider: str | None,
    methods: str | None,
    stated: str | None,
    principal: str | None,
    kind: str,
    tenant: str | None,
) -> Caller | None:
    by_id = stated is not None and _ID.fullmatch(stated) is not None
    uid = uid or (_dashed(principal) if principal else None) or (stated if by_id else None)
    name = upn or unique or mail or (None if by_id else stated)
    account = Account(uid=tenant) if tenant else None
    is_app = claimed_type == "app" or managed is not None
    if claimed_type is None and not (name or display):  # before tokens said so
        is_app = is_app or kind == "serviceprincipal" or app is not None
    if is_app:
        user = User(
            name=managed.rpartition("/")[2] or None if managed else None,
            uid=uid or app or managed,
            uid_alt=app if uid and app != uid else None,
            type_id=UserType.SERVICE,
            account=account,
        )
        if user.uid is None and (name := name or display) is not None:
            user = replace(user, name=name)
        shown = None if managed else _PROOFS.get(proof or "")
        return Caller(user, protocol=shown) if user.uid or user.name else None
    name = name or display
    if name is None and uid is None:
        return None
    if by_id and name is None and not (app or principal):
        # An id alone may be anybody's.
        return Caller(User(uid=uid, account=account))
    if "@" not in (name or "@") and uid is None and app is None:
        # "Microsoft.Insights/autoscaleSettings": a service of Azure's own.
        return Caller(User(name=name, type_id=UserType.SYSTEM))
    guest = bool(provider and tenant and tenant not in provider)
    user = person(name, uid, display if display != name else None, guest=guest, account=account)
    # "live.com#ada@example.org"
    address = email(mail) or (email(name.rpartition("#")[2]) if guest and name else None)
    if address and (guest or user.email_addr is None):
        user = replace(user, email_addr=address)
    actor = Actor(app_name=_CLIENTS.get(app.lower()), app_uid=app) if app else None
    return Caller(user, actor, is_mfa=_is_mfa(methods))


def _dashed(principal: str) -> str:
    """An object id as everywhere else; the evidence leaves the dashes out."""
    if len(principal) != 32:
        return principal
    cuts = (0, 8, 12, 16, 20, 32)
    return "-".join(principal[start:end] for start, end in pairwise(cuts))


def _is_mfa(methods: str | None) -> bool | None:
    """Whether the sign-in was multifactor: "pwd,mfa". A key, a certificate or a federated sign-in
    may have been more than one factor; a password alone is one.
    """
    if methods is None:
        return None
    words = {word.strip() for word in methods.lower().split(",")}
    if not words.isdisjoint(("mfa", "ngcmfa", "mngcmfa")):
        return True
    return False if words == {"pwd"} else None


def session_of(call: Call) -> Session | None:
    """The sign-in's session and its token, by the ids that Entra ID's sign-in log has."""
    uid, token = field(call.claims, "sid"), field(call.claims, "uti")
    return Session(uid=uid, uid_alt=token) if uid or token else None
