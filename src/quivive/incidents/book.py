"""The incidents that are open or not long closed: findings join them, time closes them.

Pure: the time of events is the only clock. ``take`` says what a finding changes, ``tick`` what the
passing of time does; each answers with the changes that are to be told, and ``dirty`` names the
incidents that are to be kept anew.
"""

import hashlib
from collections.abc import Iterable, Sequence

from quivive.incidents.counting import count_in, merge
from quivive.incidents.priority import urgency, worse
from quivive.incidents.rules import DAY, Rules
from quivive.model.incident import MOST_NOTES, Change, Finding, Incident, Note

MOST_INCIDENTS = 5_000  # in memory; the store keeps all
MOST_IDENTITIES = 200_000
LATE = DAY  # a closed incident is kept this much longer, for findings that come late


class Book:
    """What is open, and the ways to it: by identity and by shared link."""

    def __init__(self, incidents: Iterable[Incident] = (), rules: Rules | None = None) -> None:
        """Goes on from kept incidents."""
        self.rules = rules or Rules()
        self.incidents: dict[str, Incident] = {}
        self.by_identity: dict[str, str] = {}
        self.by_link: dict[str, str] = {}
        self.by_finding: dict[str, str] = {}
        self.dirty: dict[str, Incident] = {}
        self.clock = 0
        self.touched = 0
        for incident in sorted(incidents, key=lambda i: (i.touched, i.id)):
            self.touched = max(self.touched, incident.touched)
            self.incidents[incident.id] = incident
            self.clock = max(self.clock, incident.last)
            if incident.merged_into is None:
                self._lead(incident)

    def take(self, finding: Finding) -> list[Change]:
        """A finding joins its incident, or opens one."""
        changes = self.tick(finding.time)
        if finding.id in self.by_finding:
            return changes
        own = self._of(self.by_identity.get(finding.identity))
        if own is not None and not self._goes_on(own, finding):
            own = None
        ways = [self._of(self.by_link.get(link)) for link in finding.links]
        shared = [i for i in ways if i is not None and self._near(i, finding)]
        others = {i.id: i for i in shared if i is not own}
        found = own or min(others.values(), key=lambda i: (i.opened, i.id), default=None)
        if found is None:
            found = Incident(id=_name(finding), opened=finding.time, last=finding.time)
            self.incidents[found.id] = found
        for other in others.values():
            if other is not found:
                found = self._merge(found, other)
        what = self._add(found, finding)
        if len(others) > 1 or (own and others):
            what = what or ("" if found.suppressed == found.count else "grew")
        if found.joined_by is None and found.campaign:
            found.joined_by = next((k for k in finding.links if found.links.get(k, 0) > 1), None)
        changes += self._tell(found, what, finding.time, finding.id)
        self._bound()
        return changes

    def going_on(self, identity: str) -> Incident | None:
        """The incident on an identity that is not closed."""
        found = self._of(self.by_identity.get(identity))
        return None if found is None or found.status == "closed" else found

    def tick(self, time: int) -> list[Change]:
        """Time passes: what is quiet closes, what nobody answered is told again."""
        if time <= self.clock:
            return []
        self.clock = time
        changes: list[Change] = []
        for _, incident in sorted(self.incidents.items()):
            if incident.status == "closed":
                if time - max(incident.closed_at, incident.last) > self.rules.reopen + LATE:
                    self._forget(incident)
                continue
            silent = time - incident.last
            answered = incident.status == "acknowledged" or incident.route == "ticket"
            if silent > (self.rules.quiet if answered else self.rules.at_most):
                end = incident.last + (self.rules.quiet if answered else self.rules.at_most)
                self._close(incident, end, "quiet" if answered else "nobody answered")
                changes += self._change(incident, "closed", end, incident.best)
            elif incident.due and time >= incident.due:
                changes += self._escalate(incident)
        return changes

    def acknowledge(self, incident_id: str, by: str, time: int, note: str = "") -> None:
        """Somebody takes an incident on: it is not told again unless it gets worse.

        Raises KeyError for an incident that is not open here.
        """
        incident = self._named(incident_id)
        incident.status, incident.due = "acknowledged", 0
        incident.acknowledged_by, incident.acknowledged_at = by, time
        self.note(incident.id, by, time, f"acknowledged: {note}" if note else "acknowledged")

    def close(self, incident_id: str, by: str, time: int, why: str) -> list[Change]:
        """Somebody closes an incident. Raises KeyError for one that is not open here."""
        incident = self._named(incident_id)
        self._close(incident, time, why)
        self.note(incident.id, by, time, f"closed: {why}")
        return self._change(incident, "closed", time, incident.best)

    def note(self, incident_id: str, by: str, time: int, text: str) -> None:
        """Keeps a note on an incident; the oldest go when there are too many."""
        incident = self.incidents[incident_id]
        incident.notes = [*incident.notes, Note(time=time, by=by, text=text)][-MOST_NOTES:]
        self.dirty[incident.id] = incident

    def judged(self, finding_id: str, kind: str, by: str, time: int) -> list[Change]:
        """A verdict on a finding: an incident closes when all its findings were in order.

        A true positive acknowledges it: somebody is at work.
        """
        incident = self.incidents.get(self.by_finding.get(finding_id, ""))
        if incident is None:
            return []
        incident.judged[finding_id] = kind
        self.note(incident.id, by, time, f"{finding_id}: {kind.replace('_', ' ')}")
        if incident.status == "closed":
            return []
        kinds = [incident.judged.get(each) for each in incident.findings]
        if "true_positive" in kinds:
            if incident.status == "open":
                self.acknowledge(incident.id, by, time, "a finding was confirmed")
            return []
        if None in kinds or incident.count > len(incident.findings):
            return []
        self._close(incident, time, "in order: every finding was judged so")
        return self._change(incident, "closed", time, incident.best)

    def containment_failed(self, finding_id: str, time: int, why: str) -> list[Change]:
        """A response to a finding has failed for good: the incident pages, whatever it was."""
        incident = self.incidents.get(self.by_finding.get(finding_id, ""))
        if incident is None or incident.status == "closed" or incident.containment_failed:
            return []
        incident.containment_failed = True
        if incident.status == "acknowledged":
            incident.status = "open"
        self.note(incident.id, "quivive", time, f"containment failed: {why}")
        return self._tell(incident, "raised", time, finding_id)

    # --- how a finding is taken in

    def _of(self, incident_id: str | None) -> Incident | None:
        """The incident of an id, or what it became part of."""
        incident = self.incidents.get(incident_id or "")
        while incident is not None and incident.merged_into is not None:
            incident = self.incidents.get(incident.merged_into)
        return incident

    def _goes_on(self, incident: Incident, finding: Finding) -> bool:
        """Whether a finding on an incident's own identity belongs to it: also, for a while, to one
        that was closed, because what comes back is a reason to look again.
        """
        if incident.status == "closed":
            return finding.time - incident.last <= self.rules.reopen
        return incident.status == "open" or finding.time <= incident.last + self.rules.quiet

    def _near(self, incident: Incident, finding: Finding) -> bool:
        """Whether a finding came the same way soon enough to be of one campaign."""
        within = self.rules.campaign
        return incident.opened - within <= finding.time <= incident.last + within

    def _add(self, incident: Incident, finding: Finding) -> str:
        """Counts a finding in, and says what that is: opened, reopened, grew, or "" for nothing."""
        known = self.by_identity.get(finding.identity) == incident.id
        what = count_in(incident, finding, known=known, same=self.rules.same)
        if len(self.by_identity) < MOST_IDENTITIES:
            self.by_identity[finding.identity] = incident.id
        self.touched = incident.touched = self.touched + 1
        self._lead(incident)
        self.dirty[incident.id] = incident
        return what

    def _merge(self, one: Incident, other: Incident) -> Incident:
        """Two incidents turn out to be one: the younger goes into the older."""
        if (other.opened, other.id) < (one.opened, one.id):
            one, other = other, one
        merge(other, one)
        self._close(other, one.last, f"part of {one.id}")
        self._lead(one)
        self.dirty |= {one.id: one, other.id: other}
        return one

    # --- what is told

    def _tell(self, incident: Incident, what: str, time: int, finding: str) -> list[Change]:
        """Sets the priority anew; tells what happened when it is worth a message of its own."""
        now = urgency(incident)
        incident.priority, incident.route = now.priority, now.route
        self.dirty[incident.id] = incident
        if not what and incident.told_times and incident.suppressed < incident.count:
            many = incident.count - incident.repeats >= 2 * max(1, incident.told_count)
            what = "grew" if many else ""
        if incident.told_times and worse(incident.priority, incident.told_priority):
            silent = incident.suppressed == incident.count
            what = what if silent or what == "reopened" else "raised"
            if incident.status == "acknowledged" and not silent:
                incident.status = "open"  # it got worse than what was taken on
        if not what:
            return []
        incident.told, incident.told_count = time, incident.count - incident.repeats
        incident.told_priority = incident.priority
        patience = self.rules.patience[incident.priority]
        incident.due = time + patience if patience and incident.status == "open" else 0
        return self._change(incident, what, time, finding)

    def _escalate(self, incident: Incident) -> list[Change]:
        """Nobody answered in time: told again, to the next in line, a limited number of times."""
        at = incident.due
        incident.escalated += 1
        more = incident.escalated < self.rules.reminders
        patience = self.rules.patience[incident.priority]
        incident.due = at + patience * 2**incident.escalated if more else 0
        return self._change(incident, "escalated", at, incident.best)

    def _change(self, incident: Incident, what: str, time: int, finding: str) -> list[Change]:
        if what == "closed" and not incident.told_times:
            return []
        incident.told_times += 1
        self.dirty[incident.id] = incident
        return [
            Change(
                key=f"{incident.id}:{incident.told_times}:{what}",
                incident=incident.id,
                what=what,
                time=time,
                priority=incident.priority,
                route=incident.route,
                finding=finding,
            )
        ]

    # --- how it stays small

    def _close(self, incident: Incident, time: int, why: str) -> None:
        incident.status, incident.due = "closed", 0
        incident.closed_at, incident.closed_because = time, why
        self.dirty[incident.id] = incident

    def _lead(self, incident: Incident) -> None:
        """Who asks for its identities or links finds it, and no longer what had them before."""
        for identity in incident.identities:
            self.by_identity[identity] = incident.id
        for link in incident.links:
            self.by_link[link] = incident.id
        for finding in incident.findings:
            self.by_finding[finding] = incident.id

    def _forget(self, incident: Incident) -> None:
        del self.incidents[incident.id]
        ways: Sequence[tuple[dict[str, str], Iterable[str]]] = (
            (self.by_identity, incident.identities),
            (self.by_link, incident.links),
            (self.by_finding, incident.findings),
        )
        for way, names in ways:
            for name in names:
                if way.get(name) == incident.id:
                    del way[name]
        if incident.more_identities:
            for name in [n for n, of in self.by_identity.items() if of == incident.id]:
                del self.by_identity[name]

    def _bound(self) -> None:
        """Forgets what matters least when there are too many: closed first, then by urgency."""
        if len(self.incidents) > MOST_INCIDENTS:
            order = sorted(
                self.incidents.values(),
                key=lambda i: (i.status != "closed", -ord(i.priority[1]), i.last, i.id),
            )
            for incident in order[: MOST_INCIDENTS // 10]:
                if incident.status != "closed":
                    self._close(incident, self.clock, "too many were open at once")
                self._forget(incident)

    def _named(self, incident_id: str) -> Incident:
        incident = self.incidents[incident_id]
        if incident.status == "closed":
            raise KeyError(incident_id)
        return incident


def _name(finding: Finding) -> str:
    """A short id, the same in every run over the same events."""
    told = f"{finding.identity}\n{finding.time}\n{finding.id}"
    return "INC-" + hashlib.sha256(told.encode()).hexdigest()[:10].upper()
