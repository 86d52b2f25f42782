"""What is asked of a vendor about an identity, and what came of it."""

import hashlib
from typing import Literal

from msgspec import Struct

from quivive.model.origin import Origin

CONTAINMENT = frozenset({"step_up", "block", "revoke", "disable", "rotate", "isolate"})
ACTIONS = (*sorted(CONTAINMENT), "ticket")

ResponseStatus = Literal["done", "dry_run", "nothing_to_do", "refused", "failed", "undone"]
SETTLED = frozenset({"done", "nothing_to_do", "dry_run", "undone"})


class Target(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The identity that a response is about, by the names that vendors know it under.

    identity: as Quivive joined it; kind: ``human`` or ``service``; product: the log's product, in
    whose words ``name``, ``uid`` and the other ids are. session, credential, role, resource: what
    the login showed of them. run: a CI job or pipeline. tenant: the vendor's tenant.
    """

    identity: str
    kind: str = "human"
    product: str | None = None
    name: str | None = None
    uid: str | None = None
    uid_alt: str | None = None
    email: str | None = None
    session: str | None = None
    credential: str | None = None
    account: str | None = None
    tenant: str | None = None
    role: str | None = None
    resource: str | None = None
    run: str | None = None


class ResponseRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One intended response.

    key: idempotency key, see ``response_key``. reason: why, in a sentence for people. time: of
    the login; decided: when it was decided; deadline: after which it is not begun any more; all ms
    UTC. dry_run: say what would be asked, and ask nothing. origin: the request that brought the
    login, if one did.
    """

    key: str
    action: str
    target: Target
    event_id: str
    rule: str
    reason: str
    time: int
    decided: int
    risk_score: float = 0.0
    risk_level: str = "critical"
    deadline: int | None = None
    dry_run: bool = False
    origin: Origin | None = None


class ResponseResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a request at one vendor.

    connection: the connection of the settings that was used. asked: in words, what the vendor was
    asked, in order; never a secret. vendor_request_id: the vendor's own id of the last answer.
    detail: what failed and what to do, or what is left to do. undo: what taking it back needs;
    None where it cannot be taken back. retry_after: seconds to wait before it is tried again; None
    when trying again is no use. started, ended: ms UTC.
    """

    key: str
    action: str
    connection: str
    status: ResponseStatus
    asked: tuple[str, ...] = ()
    vendor_request_id: str | None = None
    detail: str = ""
    undo: dict[str, object] | None = None
    retry_after: float | None = None
    started: int = 0
    ended: int = 0


def response_key(event_id: str, rule: str, action: str) -> str:
    """The idempotency key of a response: 32 hexadecimal digits, the same for the same three."""
    parts = "\x1f".join((event_id, rule, action))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
