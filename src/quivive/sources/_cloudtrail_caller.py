"""Who made a CloudTrail call: the user behind each type of identity, and the session used."""

import re
from functools import lru_cache

from quivive.model.event import Account, Session, User, UserType
from quivive.model.record import RejectError
from quivive.sources._cloudtrail_call import IDENTITY_CENTER, Call, is_identity_center_role
from quivive.sources.fields import boolean, clean, email, field, text, timestamp

# Session names that a platform gives, and those that an SDK makes up (also for a person's CLI).
_MACHINE_SESSION = re.compile(
    r"i-[0-9a-f]{8,17}|GitHubActions|AWSCodeBuild-.+|awslambda_.+|eks-.+-.+"
)
_SDK_SESSION = re.compile(r"botocore-session-\d+|aws-go-sdk-\d+|aws-sdk-.+|\d{10,}")
_MACHINE_ISSUER = re.compile(
    r"token\.actions\.githubusercontent\.com|oidc\.eks\.|gitlab|app\.terraform\.io|circleci"
    r"|buildkite|vstoken\.dev\.azure\.com|api\.bitbucket\.org"
)
# Subjects of GitHub's and GitLab's jobs: the repository first, then branch, tag or environment.
_REPOSITORIES = ("repo:", "project_path:")
_MACHINE_SUBJECTS = (*_REPOSITORIES, "system:serviceaccount:")
# A look-up in an enumeration is slow.
_USER, _SERVICE = UserType.USER, UserType.SERVICE


def user_of(call: Call) -> User:
    """The identity that calls. Raises RejectError where the record has no name or id of it."""
    user = _USERS.get(call.kind, _named)(call)
    if user.name is None and user.uid is None:
        raise RejectError("userIdentity: neither a name nor an id")
    return user


def _made(
    call: Call,
    name: str | None,
    uid: str | None,
    uid_alt: str | None = None,
    type_id: UserType | None = None,
    mail: str | None = None,
) -> User:
    return _user(name, uid, uid_alt, type_id, mail, call.key or call.credential_id, call.account)


@lru_cache(maxsize=65536)
def _user(
    name: str | None,
    uid: str | None,
    uid_alt: str | None,
    type_id: UserType | None,
    mail: str | None,
    credential: str | None,
    account: str | None,
) -> User:
    return User(
        name=name,
        uid=uid,
        uid_alt=uid_alt,
        email_addr=mail or email(name),
        type_id=type_id,
        credential_uid=credential,
        account=Account(uid=account) if account else None,
    )


def _root(call: Call) -> User:
    return _made(call, "root", call.arn or call.account, call.principal, UserType.ADMIN)


def _named(call: Call) -> User:
    """IAM, federated and unknown users: their name, else the one in the ARN."""
    name = call.user_name or call.parsed.name
    uid = call.arn or (call.principal if name is None else None)
    alt = call.principal if call.principal != uid else None
    return _made(call, name, uid, alt, _USER if _is_person(call) else None)


def _role_session(call: Call) -> User:
    """A person's session by its name; any other session by its role, which is what is stable."""
    role = call.role
    source_identity = field(call.context, "sourceIdentity")
    session_mail = email(role.session)
    mail = session_mail or email(source_identity)
    if mail or (role.session and is_identity_center_role(role.name)):
        person = role.session if session_mail or mail is None else source_identity
        uid = call.arn or call.principal
        return _made(call, person, uid, call.principal, _USER, mail)
    principal = field(call.issuer, "principalId") or call.principal
    stable = principal.partition(":")[0] if principal else None
    return _made(
        call,
        role.name or call.user_name,
        role.arn or stable,
        stable if role.arn else None,
        _session_type(call),
    )


def _session_type(call: Call) -> UserType | None:
    """The kind of identity behind a role session, where the record leaves no doubt."""
    if call.role.name and call.role.name.startswith("AWSServiceRoleFor"):
        return UserType.SYSTEM
    if (
        call.client == "machine"
        or "inScopeOf" in call.identity
        or "ec2RoleDelivery" in call.context
        or "ec2RoleDelivery" in call.attributes
        or _is_machine_session(call.role.session, call.client)
        or _is_machine_issuer(text(call.context, "webIdFederationData", "federatedProvider"))
    ):
        return _SERVICE
    return _USER if _is_person(call) else None


@lru_cache(maxsize=65536)
def _is_machine_session(session: str | None, client: str | None) -> bool:
    if session is None:
        return False
    if _MACHINE_SESSION.fullmatch(session):
        return True
    return client == "sdk" and _SDK_SESSION.fullmatch(session) is not None


@lru_cache(maxsize=4096)
def _is_machine_issuer(issuer: str | None) -> bool:
    return issuer is not None and _MACHINE_ISSUER.search(issuer) is not None


def _is_person(call: Call) -> bool:
    """Whether somebody signed in to the console, showed an MFA device or sat at a browser."""
    return (
        call.sign_in
        or call.client == "console"
        or call.mfa_claim is True
        or boolean(call.fields, "sessionCredentialFromConsole") is True
    )


def _saml_user(call: Call) -> User:
    return _made(call, call.user_name, call.principal, type_id=_USER)


def _web_identity(call: Call) -> User:
    """A token's subject: a CI job's repository, a Kubernetes service account, an app's user."""
    subject = call.user_name
    if repository := _repository(subject):
        return _made(call, repository, repository, type_id=_SERVICE)
    machine = _is_machine_issuer(field(call.identity, "identityProvider")) or (
        subject is not None and subject.startswith(_MACHINE_SUBJECTS)
    )
    return _made(call, subject, call.principal, type_id=_SERVICE if machine else None)


def _repository(subject: str | None) -> str | None:
    """The "repo:org/repo" that a CI job's subject begins with; each branch has its own subject."""
    if subject is None or not subject.startswith(_REPOSITORIES):
        return None
    kind, repository, *_ = subject.split(":", 2)
    return f"{kind}:{repository}" if repository else None


def _directory_user(call: Call) -> User:
    """A user of IAM Identity Center; older records have the account as principal."""
    name = call.user_name or field(call.additional, "UserName")
    principal = call.principal if call.principal != call.account else None
    uid = text(call.identity, "onBehalfOf", "userId")
    if uid is None:
        uid, principal = principal, None
    known = call.kind == "IdentityCenterUser" or call.sign_in or call.source in IDENTITY_CENTER
    return _made(call, name, uid, principal, _USER if known else None)


def _foreign(call: Call) -> User:
    """A caller of another account: only the principal's id is disclosed, and a role's session."""
    principal = call.principal or call.account or ""
    stable, _, session = principal.partition(":")
    if email(session):
        return _made(call, session, principal, type_id=_USER)
    machine = _is_machine_session(session, None)
    return _made(call, None, stable or None, type_id=_SERVICE if machine else None)


_USERS = {
    "Root": _root,
    "AssumedRole": _role_session,
    "SAMLUser": _saml_user,
    "WebIdentityUser": _web_identity,
    "IdentityCenterUser": _directory_user,
    "Unknown": _directory_user,
    "Directory": _directory_user,
    "AWSAccount": _foreign,
}  # all others are ``_named``
IDENTITY_TYPES = frozenset(_USERS) | {"IAMUser", "FederatedUser", "AWSService"}


def session_of(call: Call) -> Session | None:
    """The temporary credential's session, or a CI job's subject; a long-lived key has none."""
    if call.kind == "WebIdentityUser" and _repository(call.user_name):
        return Session(uid_alt=call.user_name, issuer=field(call.identity, "identityProvider"))
    temporary = call.key is not None and call.key.startswith("ASIA")
    uid = call.key if temporary else call.credential_id
    alt = call.arn if call.parsed.session else None
    if uid is None and alt is None and not call.attributes:
        return None
    return Session(
        uid=uid,
        uid_alt=alt,
        issuer=field(call.issuer, "arn"),
        created_time=_created(clean(call.attributes.get("creationDate"))),
        is_mfa=call.mfa_claim,
    )


@lru_cache(maxsize=16384)
def _created(value: str | None) -> int | None:
    try:
        return timestamp(value, "creationDate")
    except RejectError:
        return None
