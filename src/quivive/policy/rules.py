"""A policy as data: its rules in the order in which they are asked."""

import hashlib
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from quivive.model.errors import ConfigurationError
from quivive.model.event import AuthEvent
from quivive.policy.conditions import Condition
from quivive.policy.environment import Hours, is_admin
from quivive.policy.spending import Limit


class PolicyError(ConfigurationError):
    """A policy that cannot be used; the message says where and what to do."""


class Rule(Struct, frozen=True, kw_only=True):
    """One rule. share: of the identities that a canary acts on (0-1). expires: the first ms (UTC)
    at which it no longer holds. also: it tells beside the rule that decides. line: in the file.
    """

    id: str
    when: Condition
    action: str
    mode: str
    description: str = ""
    owner: str | None = None
    share: float = 0.0
    limit: Limit | None = None
    expires: int | None = None
    flag: str | None = None
    runbook: str | None = None
    attack: tuple[str, ...] = ()
    also: bool = False
    priority: int = 0
    line: int = 0

    def acts(self, identity: str) -> bool:
        """Whether it acts on an identity, or only says what it would do."""
        if self.mode == "enforce":
            return True
        return self.mode == "canary" and in_cohort(identity, self.id, self.share)


class Policy(Struct, frozen=True, kw_only=True):
    """A whole policy. digest: SHA-256 of its text; label: how decisions name this version."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    owner: str | None = None
    description: str = ""
    mode: str = "shadow"
    hours: Hours = Hours()
    privileged: tuple[str, ...] = ()
    flags: dict[str, bool] = {}
    digest: str = ""
    label: str = ""

    def is_privileged(self, identity: str, event: AuthEvent) -> bool:
        """Whether an identity can do much harm: by the record, by name, or by group:NAME."""
        if is_admin(event):
            return True
        if not self.privileged:
            return False
        names = [identity, *(f"group:{g.name}".lower() for g in event.user.groups or () if g.name)]
        return any(fnmatchcase(name, p) for p in self.privileged for name in names)

    def with_flags(self, flags: dict[str, bool]) -> "Policy":
        """The same policy with some flags switched."""
        return replace(self, flags=self.flags | flags)

    def switched_on(self) -> tuple[Rule, ...]:
        """The rules whose flag is not off."""
        return tuple(r for r in self.rules if r.flag is None or self.flags.get(r.flag, True))

    def enforced(self) -> "Policy":
        """The same policy with every rule in force: what it would do were it trusted."""
        return replace(
            self, mode="enforce", rules=tuple(replace(r, mode="enforce") for r in self.rules)
        )


def in_cohort(identity: str, rule: str, share: float) -> bool:
    """Whether an identity is among the share (0-1) that a rule's canary acts on.

    By a hash, so that it is always the same identities, and a larger share keeps those it had.
    """
    digest = hashlib.blake2b(f"{rule}\0{identity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64
