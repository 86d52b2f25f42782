"""Joining the names of one person across vendors into one identity.

An e-mail address or UPN is the identity where a record has one; ids (SID, object id) seen beside
it lead to it later, and those seen beside another name to that, where a record has the id alone.
Vendors count users each for itself: a short id counts only within its product and tenant. A bare
name ("a.meyer" in sshd) joins the one e-mail of the organisation's own domain with that local part.
An operator's alias file beats all of it.
"""

import re
from hashlib import blake2b

from msgspec import Struct, field

from quivive.model.event import AuthEvent, User, UserType

# Accounts that many people or programs share under the same name on every machine.
SHARED_NAMES = frozenset(
    "root admin administrator ubuntu ec2-user centos debian fedora opc azureuser vagrant pi git "
    "postgres mysql oracle nginx www-data backup test guest user ftp nobody operator support "
    "kubernetes-admin default anonymous daemon sa info sales postmaster webmaster".split()
)
_SERVICE_NAME = re.compile(
    r"(^|[-_.:/@])(svc|service|srv|bot|ci|cd|cicd|deploy|deployer|backup|cron|job|robot|automation|"
    r"pipeline|runner|agent|sync|terraform|ansible|jenkins|gitlab|github|argocd|prometheus|etl|"
    r"monitor|monitoring|lambda|sa|app|api|batch|worker|scanner|exporter|replicator|rsync)"
    r"($|[-_.:/@0-9])",
    re.IGNORECASE,
)
IDS_KEPT = 200_000
MOST_NAME = 256  # characters of an identity, and of what leads to one: anybody can send a long name
SHARED_ID = ""
_SERVICES = (UserType.SERVICE, UserType.SYSTEM)
UNIQUE = 18  # characters: ids so long are drawn so that no other vendor's is the same
_UNIQUE = ("S-1-", "arn:")  # SIDs and ARNs, however short
_OF = "\x1f"  # between whose id it is and the id


class Directory(Struct):
    """Known ids and names, and the identities they lead to.

    ids: to e-mail addresses; names: to the names of records that have no address.
    """

    aliases: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    by_local_part: dict[str, list[str]] = field(default_factory=dict)
    domains: dict[str, int] = field(default_factory=dict)
    bare: dict[str, bool] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def resolve(self, event: AuthEvent) -> str:
        """The identity of the event's user: its name, or of one that is longer than a database's
        index takes the beginning, with a digest of all of it.
        """
        name = self._resolve(event)
        if len(name) <= MOST_NAME:
            return name
        digest = blake2b(name.encode("utf-8", "replace"), digest_size=8).hexdigest()
        return f"{name[: MOST_NAME - 20]}… {digest}"

    def _resolve(self, event: AuthEvent) -> str:
        user = event.user
        if self.aliases:
            for spelled in (user.address, user.name, user.uid, user.uid_alt):
                if spelled is not None:
                    known = self.aliases.get(spelled.lower())
                    if known is not None:
                        return known
        email = user.address
        if email is not None:
            self._meet(email)
            for uid in (user.uid, user.uid_alt):
                if uid is not None:
                    _lead(self.ids, _within(uid, event), email)
            return email
        for uid in (user.uid, user.uid_alt):
            known = self._known(uid, event) if uid is not None else None
            if known:
                return known
        name = (user.name or "").lower()
        if name:
            identity = self._called(name, event)
            whole = name in SHARED_NAMES or "@" in name or user.type_id in _SERVICES
            called = identity if whole else name.rpartition("\\")[2]
            for uid in (user.uid, user.uid_alt):
                if uid is not None:
                    _lead(self.names, _within(uid, event), called)
            return identity
        for uid in (user.uid, user.uid_alt):
            known = self.names.get(_within(uid, event)) if uid is not None else None
            if known:
                return self._called(known, event)
        return self._called((user.uid or "").lower(), event)

    def _known(self, uid: str, event: AuthEvent) -> str | None:
        """The e-mail address that was seen beside an id."""
        within = _within(uid, event)
        known = self.ids.get(within)
        # A state of before knows short ids without whose they are.
        return self.ids.get(uid) if known is None and within is not uid else known

    def _called(self, name: str, event: AuthEvent) -> str:
        """The identity of a name that is no address of its own."""
        user = event.user
        if "@" in name:
            # OIDC user names carry their provider: "oidc:a@b.example", "https://issuer#a@b.example".
            bare = name.rpartition("#")[2].rpartition(":")[2]
            if bare.count("@") == 1:
                self._meet(bare)
                return bare
        if user.type_id in _SERVICES:
            return name
        if name in SHARED_NAMES:
            account = user.account.uid if user.account else None
            return f"{name} ({account or event.metadata.log_name or event.metadata.product.name})"
        bare = name.rpartition("\\")[2]
        emails = self.by_local_part.get(bare)
        if emails is not None:
            at_home = emails if len(emails) == 1 else [e for e in emails if self._is_home(e)]
            if len(at_home) == 1:
                return at_home[0]
        if len(self.bare) < IDS_KEPT and len(bare) <= MOST_NAME:
            self.bare[bare] = True
        return bare or name

    def _meet(self, email: str) -> None:
        local, _, domain = email.partition("@")
        known = self.by_local_part.get(local)
        if len(email) > MOST_NAME:
            return
        if known is None:
            if len(self.by_local_part) < IDS_KEPT:
                self.by_local_part[local] = [email]
                self.domains[domain] = self.domains.get(domain, 0) + 1
        elif email not in known and len(known) < 4:
            known.append(email)
            self.domains[domain] = self.domains.get(domain, 0) + 1

    def _is_home(self, email: str) -> bool:
        return self.domains.get(email.partition("@")[2], 0) == max(self.domains.values())

    def former_name(self, identity: str) -> str | None:
        """A bare name under which this identity was kept before its e-mail was first seen."""
        local, at, _ = identity.partition("@")
        if at and self.bare.pop(local, False) and self.by_local_part.get(local) == [identity]:
            return local
        return None


def _within(uid: str, event: AuthEvent) -> str:
    """An id as far as it counts: a short one with the product and tenant that gave it."""
    if len(uid) >= UNIQUE or uid.startswith(_UNIQUE):
        return uid
    metadata = event.metadata
    return f"{metadata.product.name}{_OF}{metadata.tenant_uid or ''}{_OF}{uid}"


def id_of(within: str) -> str:
    """The id of one with its product and tenant, as a directory keeps it."""
    return within.rpartition(_OF)[2]


def _lead(known: dict[str, str], uid: str, name: str) -> None:
    """An id seen beside a name leads to it, unless several have the id."""
    found = known.get(uid)
    if found is None:
        if len(known) < IDS_KEPT and len(uid) <= MOST_NAME >= len(name):
            known[uid] = name
    elif found != name:
        known[uid] = SHARED_ID


def kind_of(user: User, identity: str, tool: bool) -> str | None:
    """Whether a record's user is a "human" or a "service"; None where it does not say.

    ``identity`` is what the user resolved to; ``tool`` says that the client is a program.
    """
    if user.type_id in _SERVICES:
        return "service"
    if user.type_id in (UserType.USER, UserType.ADMIN, UserType.OTHER):
        return "human"
    if _SERVICE_NAME.search((user.name or user.uid or "").partition("@")[0]):
        return "service"
    if "@" in identity:
        return "human"
    if tool and user.credential_uid is not None and user.credential_uid.startswith("AKIA"):
        return "service"
    if user.uid is not None and (":role/" in user.uid or user.uid.startswith("AIDA")):
        return "service"  # a role taken by no named person, a principal of another account
    return None
