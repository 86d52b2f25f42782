"""What happens in a simulated organisation, before any vendor writes it down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from quivive.sim.clients import Client
from quivive.sim.world import Spot


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCESS = "success"
    BAD_PASSWORD = "bad password"  # noqa: S105
    UNKNOWN_USER = "unknown user"
    LOCKED = "locked"
    DISABLED = "disabled"
    MFA_REQUIRED = "mfa required"
    MFA_DENIED = "mfa denied"
    MFA_TIMEOUT = "mfa timeout"
    KEEP_SIGNED_IN = "keep signed in"
    EXPIRED_TOKEN = "expired token"  # noqa: S105
    BLOCKED = "blocked by policy"
    BAD_SECRET = "bad secret"  # noqa: S105
    NOT_ALLOWED = "not allowed"


INTERRUPTS = frozenset({Outcome.MFA_REQUIRED, Outcome.KEEP_SIGNED_IN})
"""Outcomes that are neither a success nor a failure."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account as the identity provider knows it."""

    email: str
    uid: str
    name: str
    guest: bool = False


@dataclass(frozen=True, slots=True)
class App:
    """Something one signs in to. ``resource`` is whose data it reaches."""

    name: str
    uid: str
    resource: str = ""
    resource_uid: str = ""


@dataclass(slots=True, kw_only=True)
class Action:
    """One attempt to use a credential.

    ``identity`` names whose it is (an e-mail address or a service's name); ``incident`` is set
    on what an attacker does, and is read by nothing but the writer of the labels.
    """

    time: float
    identity: str
    spot: Spot
    outcome: Outcome = Outcome.SUCCESS
    incident: str = ""


@dataclass(slots=True, kw_only=True)
class SignIn(Action):
    """A person's login at the identity provider.

    ``factor`` is "" for a password alone, "claim" where an earlier login's MFA still counts,
    otherwise the second factor shown. ``protocol`` is browser, app, imap, pop, smtp or cli.
    """

    account: Account
    app: App
    client: Client
    factor: str = ""
    session: str = ""
    interactive: bool = True
    protocol: str = "browser"


@dataclass(slots=True, kw_only=True)
class ServiceSignIn(Action):
    """An application's own login at the identity provider, with a secret or certificate."""

    uid: str
    app_uid: str
    credential: str
    resource: App


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls a cloud API: an IAM user with a key, or a role's session."""

    kind: str
    name: str
    account: str
    uid: str
    key: str = ""
    session: str = ""
    mfa: bool = False
    since: float = 0.0
    issuer: str = ""


@dataclass(slots=True, kw_only=True)
class CloudCall(Action):
    """A cloud API call, console login or role change; ``operation`` is "s3:ListBuckets"."""

    principal: Principal
    operation: str
    agent: str
    region: str = "us-east-1"
    role: str = ""
    on: str = ""


@dataclass(slots=True, kw_only=True)
class ClusterCall(Action):
    """A request to a Kubernetes API server; ``operation`` is "list pods" or "create pods/exec"."""

    user: str
    groups: tuple[str, ...]
    operation: str
    namespace: str
    agent: str
    name: str = ""
    uid: str = ""
    pod: str = ""


@dataclass(slots=True, kw_only=True)
class ShellLogin(Action):
    """A login at a host's sshd. ``fingerprint`` is the key's, "" for a password."""

    user: str
    host: str
    fingerprint: str = ""


@dataclass(slots=True, kw_only=True)
class DirectoryChange(Action):
    """A change of somebody's password or factors in the directory.

    ``operation`` is its display name there, ``detail`` the result's words. ``by`` is the
    administrator who did it; None for the account's owner. ``spot`` is whoever acts.
    """

    account: Account
    operation: str
    detail: str = ""
    by: Account | None = None
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A credential of the code host: its ``kind`` in the host's words, its hash and number."""

    kind: str
    digest: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """An account at the code host. ``email`` is its owner's name at the identity provider."""

    name: str
    uid: int
    email: str = ""
    bot: bool = False


@dataclass(slots=True, kw_only=True)
class CodeAction(Action):
    """Something done at the code host.

    ``operation`` is its audit action ("git.clone"); ``by`` whose account it shows (a job shows
    whoever started it). ``token`` is None in the browser. ``details`` are further fields.
    """

    operation: str
    by: Login
    repo: str = ""
    token: Token | None = None
    agent: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
