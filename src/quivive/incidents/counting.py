"""What a finding adds to an incident, and one incident to another: counts, extremes, members.

Everything an incident names is bounded; what is no longer named is counted still.
"""

from typing import TypeVar

from quivive.incidents.priority import weight_of
from quivive.model.incident import MOST_FINDINGS, MOST_MEMBERS, Finding, Incident

_Value = TypeVar("_Value")


def count_in(incident: Incident, finding: Finding, *, known: bool, same: int) -> str:
    """Counts a finding in, and says what that is: opened, reopened, grew, or "" for nothing.

    known: whether its identity was of the incident before; same: ms within which one like it is a
    repeat.
    """
    new = incident.count == 0
    reopened = incident.status == "closed"
    if reopened:
        incident.status, incident.closed_at, incident.closed_because = "open", 0, None
        incident.reopened += 1
        incident.acknowledged_by, incident.escalated = None, 0
    kind = f"{finding.identity}|{finding.alike}"
    repeat = finding.time - incident.kinds.get(kind, -same) < same
    incident.repeats += repeat
    incident.count += 1
    incident.opened = min(incident.opened, finding.time)
    incident.last = max(incident.last, finding.time)
    served = finding.service in incident.services
    _put(incident.kinds, kind, max(finding.time, incident.kinds.get(kind, 0)))
    heavier = max(weight_of(finding), incident.identities.get(finding.identity, 0.0))
    if not _put(incident.identities, finding.identity, heavier) and not known:
        incident.more_identities += 1
    for members, names in (
        (incident.services, (finding.service,)),
        (incident.links, finding.links),
        (incident.signals, finding.signals),
    ):
        for name in names:
            _put(members, name, members.get(name, 0) + 1)
    if len(incident.findings) < MOST_FINDINGS:
        incident.findings.append(finding.id)
    silent = finding.suppressed is not None and not finding.pinned
    incident.suppressed += silent
    if silent:
        incident.suppressed_by = finding.suppressed
    incident.got_in |= finding.got_in
    incident.pinned |= finding.pinned
    incident.privileged |= finding.privileged
    incident.paged |= finding.paged
    incident.confidence = max(incident.confidence, finding.confidence)
    if finding.risk > incident.risk or not incident.best:
        incident.risk, incident.best = finding.risk, finding.id
    if silent:
        return ""
    if new or incident.told_times == 0:
        return "opened"
    if reopened:
        return "reopened"
    return "" if repeat or (known and served) else "grew"


def merge(other: Incident, one: Incident) -> None:
    """All of ``other`` counts in ``one`` from now on; ``other`` is to be closed."""
    one.last = max(one.last, other.last)
    for identity, weight in other.identities.items():
        _put(one.identities, identity, max(weight, one.identities.get(identity, 0.0)))
    for members, more in (
        (one.services, other.services),
        (one.links, other.links),
        (one.signals, other.signals),
    ):
        for name, count in more.items():
            _put(members, name, members.get(name, 0) + count)
    for kind, time in other.kinds.items():
        _put(one.kinds, kind, max(time, one.kinds.get(kind, 0)))
    one.findings += other.findings[: max(0, MOST_FINDINGS - len(one.findings))]
    one.judged |= other.judged
    one.count += other.count
    one.repeats += other.repeats
    one.suppressed += other.suppressed
    one.more_identities += other.more_identities
    if other.risk > one.risk:
        one.risk, one.best = other.risk, other.best
    one.confidence = max(one.confidence, other.confidence)
    one.got_in |= other.got_in
    one.pinned |= other.pinned
    one.privileged |= other.privileged
    one.paged |= other.paged
    one.containment_failed |= other.containment_failed
    one.told_times += other.told_times
    if one.status == "closed" and other.status != "closed":
        one.status, one.closed_at, one.closed_because = other.status, 0, None
    other.merged_into = one.id


def _put(into: dict[str, _Value], key: str, value: _Value) -> bool:
    """Sets a key unless there are too many others; says whether it did."""
    if key in into or len(into) < MOST_MEMBERS:
        into[key] = value
        return True
    return False
