"""The policy in force: from a file, from the store, or the one that comes with Quivive."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quivive.app.errors import UsageError
from quivive.app.policy_file import checked_text, read, shipped, shipped_text
from quivive.model.audit import Entry
from quivive.model.context import Context
from quivive.policy.contexts import Contexts
from quivive.policy.decider import Decider
from quivive.policy.file import parse
from quivive.policy.rules import Policy, PolicyError
from quivive.policy.spending import Spent
from quivive.store import audit
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.policies import SHIPPED_NAME, Change, Policies

if TYPE_CHECKING:
    import sqlalchemy as sa

# Called in the transaction of every change of policy, flags and contexts.
ON_CHANGE: list[Callable[["sa.Connection", Change], None]] = []


def version(store: Store, name: str) -> Policy:
    """A version of the store, with the flags as they stand. Raises StoreError, PolicyError."""
    kept = Policies(store)
    if name == SHIPPED_NAME:
        found = shipped()
    else:
        body = kept.version(name).body
        # What one version took for an error a later one may not, and the other way round: a
        # version that was activated stays readable as long as its text is.
        parsed = parse(body, label=name)
        if parsed.policy is None:
            raise PolicyError("\n".join(p.said(name) for p in parsed.problems))
        found = parsed.policy
    return found.with_flags(kept.flags())


def active(store: Store) -> Policy:
    """The active policy of a store."""
    return version(store, Policies(store).active())


def decider(store: Store, policy: Policy | None = None, spent: Spent | None = None) -> Decider:
    """What decides: the policy given, else the store's active one (the shipped one, until another
    was made so); with the flags and contexts of the store.

    ``spent`` is what budgets have used, kept with the engine's state and changed in place. Raises
    PolicyError and StoreError.
    """
    kept = Policies(store)
    found = policy.with_flags(kept.flags()) if policy is not None else active(store)
    return Decider(found, Contexts(kept.contexts()), spent)


class InForce:
    """What decides on a store, for whoever judges on and on: it changes meanwhile.

    file: decides in place of the store's active policy, where one is given.
    """

    def __init__(self, store: Store, file: Path | None = None) -> None:
        """Nothing is read yet."""
        self.file = file
        self._store = store
        self._kept = Policies(store)
        self._taken: tuple[int, int] | None = None

    def decider(self, spent: Spent) -> Decider:
        """What decides now. Raises PolicyError and StoreError; what has changed is taken for seen
        all the same.
        """
        self._taken = self._marks()
        given = read(self.file).policy() if self.file is not None else None
        return decider(self._store, given, spent)

    def contexts(self) -> list[Context]:
        """The contexts of the store."""
        return self._kept.contexts()

    @property
    def changed(self) -> bool:
        """Whether the policy, a flag or a context has changed since ``decider``."""
        return self._marks() != self._taken

    def _marks(self) -> tuple[int, int]:
        file = self.file
        written = file.stat().st_mtime_ns if file is not None and file.exists() else 0
        return self._kept.revision(), written


def activate(store: Store, path: Path, author: Author) -> str:
    """Makes a file the active policy; gives its version. Raises PolicyError for any error in it."""
    found = read(path, author.at)
    policy = found.policy()
    return Policies(store).activate(found.text, policy.digest, author, record)


def activate_text(store: Store, text: str, author: Author) -> str:
    """Makes a text the active policy; gives its version. Raises PolicyError for any error in it."""
    policy = checked_text(text, "policy", author.at).policy()
    return Policies(store).activate(text, policy.digest, author, record)


def active_text(store: Store) -> str:
    """The text of the active policy, with its comments."""
    kept = Policies(store)
    name = kept.active()
    return shipped_text() if name == SHIPPED_NAME else kept.version(name).body


def roll_back(store: Store, author: Author, to: str | None = None) -> tuple[str, str]:
    """Returns to what was active before; gives the former version and the one now active."""
    if to is not None:
        version(store, to)
    return Policies(store).roll_back(to, author, record)


def switch(store: Store, flag: str, on: bool, author: Author) -> list[str]:
    """Switches a flag; gives the ids of the active policy's rules that it concerns.

    Raises UsageError for a flag that no rule has.
    """
    policy = active(store)
    rules = [r.id for r in policy.rules if r.flag == flag]
    if not rules:
        known = sorted({r.flag for r in policy.rules if r.flag is not None})
        there = f"there is {', '.join(known)}" if known else "write flag: NAME into a rule first"
        raise UsageError(f"no rule of the active policy has a flag {flag!r}; {there}")
    Policies(store).switch(flag, on, author, record)
    return rules


def record(connection: "sa.Connection", change: Change) -> None:
    """Writes a change to the audit trail, and tells whoever asked to be told."""
    kind = change.action.partition("-")[0]
    kind = kind if kind in ("context", "budget") else "policy"
    details: dict[str, object] = {"why": change.why}
    if change.replaced is not None:
        details["replaced"] = change.replaced
    action = f"{kind}:{change.action.removeprefix(f'{kind}-')}"
    entry = Entry(
        time=change.at, actor=change.by, action=action, subject=change.subject, details=details
    )
    audit.append(connection, [entry])
    for told in ON_CHANGE:
        told(connection, change)
