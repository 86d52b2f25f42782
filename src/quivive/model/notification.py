"""What people are told: an alert with all it takes to act on it, before any channel's form."""

from msgspec import Struct

from quivive.model.origin import Origin

RUNBOOKS = "docs/runbooks"  # what a runbook is named by until it is sent


class Side(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One login as it is shown beside another. Texts as the log has them: not to be trusted."""

    time: int
    place: str | None = None
    network: str | None = None
    ip: str | None = None
    device: str | None = None
    client: str | None = None
    service: str | None = None
    outcome: str | None = None


class Button(Struct, frozen=True, kw_only=True):
    """A link that asks for a verdict: its label, where it leads, which verdict."""

    label: str
    url: str
    verdict: str


class Notification(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert.

    key: idempotency key, the same however often it is sent. about: incident, slo, containment,
    canary or digest; what: opened, grew, raised, reopened, escalated, closed, burning, failed.
    thread: what alerts of one thing share (an incident's id), so that a channel can keep them
    together. priority: P1 to P4; route: page or ticket. time: ms UTC of the event it is about.
    title: one sentence; text: more of them. login, previous: the login and the identity's one
    before. decision: what policy says ("revoke (shadow, default/critical-revoke)"). event: the OCSF
    Authentication object as JSON. more: how many others a digest leaves out. told: how often it was
    told before without an answer; repeated: it may have arrived before. origin: the request that
    brought the login, if one did.
    """

    key: str
    about: str
    what: str
    thread: str
    priority: str
    route: str
    time: int
    title: str
    text: tuple[str, ...] = ()
    identity: str | None = None
    identity_kind: str | None = None
    identities: int = 1
    services: tuple[str, ...] = ()
    risk_score: float | None = None
    risk_level: str | None = None
    confidence: float | None = None
    reasons: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    looks_like: str | None = None
    otherwise: str | None = None
    counterfactual: str | None = None
    login: Side | None = None
    previous: Side | None = None
    decision: str | None = None
    runbook: str | None = None
    link: str | None = None
    event_id: str | None = None
    event: str | None = None
    findings: int = 1
    buttons: tuple[Button, ...] = ()
    more: int = 0
    told: int = 0
    repeated: bool = False
    origin: Origin | None = None
