"""What several questions about one CloudTrail record need of it, read once."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from quivive.model.record import RejectError
from quivive.sources.fields import boolean, clean, field, mapping

SIGN_IN = "signin.amazonaws.com"
IDENTITY_CENTER = frozenset({"sso.amazonaws.com", "sso-oauth.amazonaws.com"})
FEDERATION = {"AssumeRoleWithSAML": ("SAML", 5), "AssumeRoleWithWebIdentity": ("OpenID", 4)}

_CONSOLE_EVENTS = frozenset({"ConsoleLogin", "CheckMfa", "SwitchRole", "ExitRole", "RenewRole"})
_ARN_KINDS = {
    "user": "IAMUser",
    "root": "Root",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
}


class Arn(Struct, frozen=True):
    """What an IAM or STS principal's ARN says: arn:aws:sts::account:kind/name/session.

    ``role_arn`` is that of the role at the root path, since STS leaves the path out.
    """

    account: str
    kind: str
    name: str | None = None
    session: str | None = None
    role_arn: str | None = None


_NO_ARN = Arn("", "")


@lru_cache(maxsize=65536)
def parse_arn(value: str | None) -> Arn:
    """The parts of an ARN; empty ones for anything else."""
    parts = (value or "").split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] not in ("iam", "sts"):
        return _NO_ARN
    partition, account = parts[1], parts[4]
    kind, *path = parts[5].split("/")
    if kind == "assumed-role" and path:
        role_arn = f"arn:{partition}:iam::{account}:role/{path[0]}"
        return Arn(account, kind, path[0], "/".join(path[1:]) or None, role_arn)
    return Arn(account, kind, path[-1] if path else None)


class RoleSession(Struct, frozen=True):
    """The role behind temporary credentials, and the name its session was given."""

    name: str | None = None
    arn: str | None = None
    session: str | None = None


_NO_ROLE = RoleSession()


class Call(Struct, frozen=True):
    """One record: ``fields``, the words and nested objects of it, and what follows from them.

    sign_in: an event of the sign-in service.
    kind: the identity's type, by its ARN where the record does not say.
    client: what the user agent shows, see ``_client``.
    federated: an identity provider signed the caller in. What it asked for is unknown to AWS.
    mfa_claim: what the session's attributes say of MFA, where AWS can know.
    role: that of the role session which makes the call, an empty one for other callers.
    """

    fields: dict[str, Any]
    identity: dict[str, Any]
    additional: dict[str, Any]
    context: dict[str, Any]
    issuer: dict[str, Any]
    attributes: dict[str, Any]
    name: str
    source: str | None
    sign_in: bool
    agent: str | None
    client: str | None
    kind: str
    user_name: str | None
    arn: str | None
    parsed: Arn
    principal: str | None
    account: str | None
    key: str | None
    credential_id: str | None
    federated: bool
    mfa_claim: bool | None
    role: RoleSession


def read_call(fields: dict[str, Any]) -> Call:
    """The call of a record. Raises RejectError for one without an identity or a name."""
    name = field(fields, "eventName")
    identity = mapping(fields, "userIdentity")
    if not identity:
        raise RejectError("userIdentity: missing")
    if name is None:
        raise RejectError("eventName: missing")
    source = field(fields, "eventSource")
    additional = mapping(fields, "additionalEventData")
    sign_in = source == SIGN_IN or (source is None and name in _CONSOLE_EVENTS)
    if sign_in and name in ("SwitchRole", "ExitRole"):
        identity = _switching(field(additional, "SwitchFrom")) or identity
    context = mapping(identity, "sessionContext")
    issuer = mapping(context, "sessionIssuer")
    attributes = mapping(context, "attributes")
    arn = field(identity, "arn")
    parsed = parse_arn(arn)
    principal = field(identity, "principalId")
    kind = identity.get("type")  # not by text(): "Unknown" is a type here, no placeholder
    if type(kind) is not str:
        kind = _ARN_KINDS.get(parsed.kind, "")
    role = _role_session(issuer, parsed, principal) if kind == "AssumedRole" else _NO_ROLE
    agent = _agent(field(fields, "userAgent"))
    federated = "SamlProviderArn" in additional or is_identity_center_role(role.name)
    claim = boolean(attributes, "mfaAuthenticated") if attributes else None
    return Call(
        fields=fields,
        identity=identity,
        additional=additional,
        context=context,
        issuer=issuer,
        attributes=attributes,
        name=name,
        source=source,
        sign_in=sign_in,
        agent=agent,
        client=_client(agent),
        kind=kind,
        user_name=field(identity, "userName"),
        arn=arn,
        parsed=parsed,
        principal=principal,
        account=field(identity, "accountId"),
        key=field(identity, "accessKeyId"),
        credential_id=field(identity, "credentialId"),
        federated=federated,
        mfa_claim=None if federated and not claim else claim,
        role=role,
    )


def _switching(caller: str | None) -> dict[str, Any] | None:
    """Who switches role: the userIdentity of the record is the role already."""
    parsed = parse_arn(caller)
    return {"arn": caller, "accountId": parsed.account} if parsed.kind else None


def _role_session(issuer: dict[str, Any], parsed: Arn, principal: str | None) -> RoleSession:
    return RoleSession(
        name=field(issuer, "userName") or parsed.name,
        arn=field(issuer, "arn") or parsed.role_arn,
        session=parsed.session or (principal or "").partition(":")[2] or None,
    )


def is_identity_center_role(role: str | None) -> bool:
    """Identity Center names its roles so, and their sessions after the user."""
    return role is not None and role.startswith("AWSReservedSSO_")


def _agent(value: str | None) -> str | None:
    """The user agent without the brackets that some services set around it."""
    if value and value[0] == "[" and value[-1] == "]":
        return clean(value[1:-1])
    return value


@lru_cache(maxsize=65536)
def _client(agent: str | None) -> str | None:
    """What the user agent shows: a "console", a "machine", or an "sdk" of either's."""
    if agent is None:
        return None
    if "exec-env/CloudShell" in agent or agent.startswith(
        ("Mozilla/", "console.", SIGN_IN, "S3Console/")
    ):
        return "console"
    if "exec-env/AWS_Lambda" in agent or "exec-env/AWS_ECS" in agent:
        return "machine"
    if agent.startswith("amazon-ssm-agent"):
        return "machine"
    if agent.startswith(("Boto3/", "Botocore/", "aws-sdk-")) and "Terraform" not in agent:
        return "sdk"
    return None
