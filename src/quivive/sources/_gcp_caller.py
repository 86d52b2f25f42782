"""Who made a Google Cloud call: people, service accounts and their keys, federated workloads."""

import re
from functools import lru_cache
from typing import Any

from quivive.model.event import Account, Actor, User, UserType
from quivive.model.record import RejectError
from quivive.sources import fields
from quivive.sources.fields import clean, field

_SERVICE_ACCOUNT = re.compile(r"[^@]+@([a-z][a-z0-9-]{4,28}[a-z0-9])\.iam\.gserviceaccount\.com")
# Google's agents act in a project by its number, whoever asked for it.
_AGENT = re.compile(
    r"service-\d+@.*\.gserviceaccount\.com|\d+@cloudservices\.gserviceaccount\.com|.*@prod\.google\.com"
)
_ROBOTS = ".gserviceaccount.com"
_KUBERNETES = "system:"
_KUBERNETES_ACCOUNT = "system:serviceaccount:"
_WORKFORCE = "/workforcePools/"
# Subjects of GitHub's and GitLab's jobs: the repository first, then branch, tag or environment.
_REPOSITORIES = ("repo:", "project_path:")


def caller(payload: dict[str, Any]) -> User | None:
    """The principal of a call with the key it used; None where the log names nobody.

    Raises RejectError where the place for it holds something else.
    """
    info = payload.get("authenticationInfo")
    if info is None or info == {}:
        return None
    if type(info) is not dict:
        raise RejectError("protoPayload.authenticationInfo: not an object")
    email, subject = field(info, "principalEmail"), field(info, "principalSubject")
    mapped = fields.text(payload, "metadata", "mapped_principal")
    if email is None and subject is None and mapped is None:
        if info.get("principalEmail") or info.get("principalSubject"):
            raise RejectError("protoPayload.authenticationInfo.principalEmail: not a text")
        return None
    return _user(email, mapped or subject, subject, _key(field(info, "serviceAccountKeyName")))


def behind(payload: dict[str, Any]) -> Actor | None:
    """Whoever acts through the caller: the first to delegate, and the OAuth client."""
    info = fields.mapping(payload, "authenticationInfo")
    client = fields.text(info, "oauthInfo", "oauthClientId")
    for link in fields.items(info, "serviceAccountDelegationInfo"):
        party = fields.mapping(link, "firstPartyPrincipal")
        email = field(party, "principalEmail")
        subject = fields.text(link, "principalSubject") or field(party, "principalSubject")
        if email is None and subject is None:
            continue
        user = _user(email, subject, None, None)
        if user.type_id == UserType.SYSTEM:
            return Actor(invoked_by=user.name, app_uid=client)
        return Actor(user=user, app_uid=client)
    return Actor(app_uid=client) if client else None


@lru_cache(maxsize=4096)
def _user(
    email: str | None, subject: str | None, token_subject: str | None, key: str | None
) -> User:
    """The identity as IAM writes it: an address, or "principal://…/subject/…" for outsiders."""
    kind, _, rest = (subject or "").partition(":")
    if email is None and kind in ("user", "serviceAccount", "group") and "@" in rest:
        email, subject = rest, None
    if email is not None:
        kind_id = _type_of(email)
        owned = _SERVICE_ACCOUNT.fullmatch(email) if kind_id == UserType.SERVICE else None
        return User(
            name=email,
            email_addr=fields.email(email),
            type_id=kind_id,
            credential_uid=key,
            account=Account(uid=owned[1]) if owned else None,
        )
    if subject is None:
        raise RejectError("protoPayload.authenticationInfo: no name of the caller")
    name = subject.rpartition("/subject/")[2]
    repository = name.startswith(_REPOSITORIES)
    if repository:
        name = ":".join(name.split(":", 2)[:2])
    federated = kind in ("principal", "principalSet")
    return User(
        name=name,
        uid=subject if federated else None,
        uid_alt=token_subject if token_subject not in (None, subject, name) else None,
        email_addr=fields.email(name),
        type_id=_outsider(subject, repository=repository) if federated else None,
        credential_uid=key,
    )


def _type_of(name: str) -> UserType:
    if name.startswith(_KUBERNETES):
        account = name.startswith(_KUBERNETES_ACCOUNT)
        return UserType.SERVICE if account else UserType.SYSTEM
    if _AGENT.fullmatch(name):
        return UserType.SYSTEM
    return UserType.SERVICE if name.endswith(_ROBOTS) else UserType.USER


def _outsider(subject: str, *, repository: bool) -> UserType:
    """People come through a workforce pool, workloads through the pools of a project."""
    people = _WORKFORCE in subject and not repository
    return UserType.USER if people else UserType.SERVICE


def _key(name: str | None) -> str | None:
    """The key's id: "//iam.googleapis.com/projects/…/serviceAccounts/…/keys/0a1b…"."""
    return name.rpartition("/")[2] or None if name else None


def assumed(payload: dict[str, Any]) -> str | None:
    """The service account that credentials were made for: GenerateAccessToken, SignJwt…"""
    name = fields.text(payload, "request", "name") or clean(payload.get("resourceName"))
    if name is None or "/serviceAccounts/" not in name:
        return None
    return name.rpartition("/serviceAccounts/")[2].partition("/")[0].partition(":")[0] or None
