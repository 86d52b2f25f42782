"""How urgent an incident is: risk times the class of identity times the blast radius."""

from math import log2

from msgspec import Struct

from quivive.model.canary import is_canary
from quivive.model.incident import PRIORITIES, Finding, Incident, Priority, Route

CLASS_WEIGHTS = {"privileged": 1.5, "service": 1.2, "human": 1.0, "guest": 0.9}
REACH_STEP = 0.05  # weight a doubling of what the identity reaches
REACH_MOST = 1.3
CAMPAIGN_STEP = 0.15  # weight a doubling of the identities
CAMPAIGN_MOST = 1.6
LEVELS: dict[Priority, float] = {"P1": 90.0, "P2": 75.0, "P3": 58.0, "P4": 0.0}
PAGE_CONFIDENCE = 0.3  # under it a person is not woken, unless a rule is pinned


class Urgency(Struct, frozen=True):
    """A priority, how it is told, and the number behind both."""

    priority: Priority
    route: Route
    points: float


def class_of(finding: Finding) -> str:
    """The class of identity: privileged, service, guest or human."""
    if finding.privileged:
        return "privileged"
    if finding.kind == "service":
        return "service"
    return "guest" if finding.guest else "human"


def weight_of(finding: Finding) -> float:
    """What the class of the identity and its blast radius make of its risk: 0.9 to 1.95."""
    blast = min(REACH_MOST, 1.0 + REACH_STEP * log2(max(1, finding.reach)))
    return CLASS_WEIGHTS[class_of(finding)] * blast


def urgency(incident: Incident) -> Urgency:
    """Priority and route of an incident as it stands.

    P1, P2, privileged identities and what policy asks a person for are paged, the rest is a ticket.
    An incident whose containment failed is P1 whatever its risk. Where too little is known to be
    sure, nobody is woken. The canary's own are what is least urgent.
    """
    identities = len(incident.identities) + incident.more_identities
    many = min(CAMPAIGN_MOST, 1.0 + CAMPAIGN_STEP * log2(max(1, identities)))
    heaviest = max(incident.identities.values(), default=1.0)
    points = incident.risk * heaviest * many
    names = incident.identities
    if names and not incident.more_identities and all(map(is_canary, names)):
        return Urgency("P4", "ticket", points)
    if incident.containment_failed:
        return Urgency("P1", "page", points)
    priority = next(p for p in PRIORITIES if points >= LEVELS[p])
    sure = incident.pinned or incident.paged or incident.confidence >= PAGE_CONFIDENCE
    urgent = priority in ("P1", "P2") or incident.privileged or incident.paged
    return Urgency(priority, "page" if urgent and sure else "ticket", points)


def worse(one: Priority, other: Priority | None) -> bool:
    """Whether ``one`` is more urgent than ``other``; anything is, than None."""
    return other is None or PRIORITIES.index(one) < PRIORITIES.index(other)
