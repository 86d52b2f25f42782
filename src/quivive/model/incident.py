"""Findings that belong together, and what was done about them.

Everything here is event time, ms UTC, and bounded, so that an incident of ten thousand findings is
as small as one of ten.
"""

from typing import Literal

from msgspec import Struct

Priority = Literal["P1", "P2", "P3", "P4"]
Route = Literal["page", "ticket"]
Status = Literal["open", "acknowledged", "closed"]
PRIORITIES: tuple[Priority, ...] = ("P1", "P2", "P3", "P4")  # most urgent first
MOST_MEMBERS = 64  # identities, services, links and kinds of findings named an incident
MOST_FINDINGS = 200  # event ids named an incident; all are counted, and kept in the store
MOST_NOTES = 50


class Finding(Struct, frozen=True, kw_only=True):
    """A finding as incidents see it.

    id: the event id; kind: "human" or "service"; reach: how many applications, roles and resources
    the identity is known to use; alike: what makes two findings of an identity the same (place,
    operator, client, application); links: what it may share with findings on others, such as
    "address 192.0.2.7"; suppressed: the context that asks for silence, such as a maintenance
    window; pinned: a rule stands behind it that no context silences; paged: policy asks for a
    person.
    """

    id: str
    time: int
    identity: str
    kind: str
    risk: float
    confidence: float
    service: str
    alike: str
    links: tuple[str, ...] = ()
    privileged: bool = False
    guest: bool = False
    got_in: bool = True
    reach: int = 1
    paged: bool = False
    signals: tuple[str, ...] = ()
    suppressed: str | None = None
    pinned: bool = False


class Note(Struct, frozen=True, kw_only=True):
    """One thing that was done or happened: by whom (or "quivive"), and in words."""

    time: int
    by: str
    text: str


class Incident(Struct, kw_only=True):
    """Findings grouped: on one identity, or on several that share a way in (a campaign).

    opened, last: event times of the first and newest finding. identities: with the largest weight
    of their class and reach, by name; services: findings of each. kinds: when each kind of finding
    was last seen (what repeats is counted, not told). best: the finding with the largest risk, and
    ``risk`` that risk. told: when it was last told, and how many findings there were then.
    escalated: how often nobody answered. judged: the verdicts on its findings, by event id.
    touched: its place in the order of the latest changes.
    """

    id: str
    opened: int
    last: int
    status: Status = "open"
    priority: Priority = "P4"
    route: Route = "ticket"
    identities: dict[str, float] = {}
    more_identities: int = 0
    services: dict[str, int] = {}
    links: dict[str, int] = {}
    kinds: dict[str, int] = {}
    signals: dict[str, int] = {}
    findings: list[str] = []
    count: int = 0
    repeats: int = 0
    suppressed: int = 0
    suppressed_by: str | None = None
    risk: float = 0.0
    confidence: float = 0.0
    best: str = ""
    got_in: bool = False
    pinned: bool = False
    privileged: bool = False
    paged: bool = False
    containment_failed: bool = False
    joined_by: str | None = None
    told: int = 0
    told_count: int = 0
    told_priority: Priority | None = None
    told_times: int = 0
    escalated: int = 0
    due: int = 0
    acknowledged_by: str | None = None
    acknowledged_at: int = 0
    closed_at: int = 0
    closed_because: str | None = None
    reopened: int = 0
    merged_into: str | None = None
    judged: dict[str, str] = {}
    notes: list[Note] = []
    touched: int = 0

    @property
    def campaign(self) -> bool:
        """Whether it is about several identities."""
        return len(self.identities) + self.more_identities > 1


class Change(Struct, frozen=True, kw_only=True):
    """Something about an incident that is to be told.

    what: opened, grew, raised, reopened, escalated, reminded, closed. key: the same for the same
    change in every run, so that it is told once. finding: the event id of the finding it is about.
    """

    key: str
    incident: str
    what: str
    time: int
    priority: Priority
    route: Route
    finding: str
