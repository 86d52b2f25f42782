"""What an evaluation keeps of every login: columns of numbers, about 150 bytes a login in all.

No column says what was an attack: labels are joined to the rows after every score is there.
"""

from array import array
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from quivive.baseline.observation import Observation
from quivive.learn.evidence import Raw
from quivive.model.assessment import Assessment

QUIVIVE = "quivive"
TEXTS_ABOVE = 20.0  # risk from which the reasons are kept in words


def event_hash(event: str) -> int:
    """64 bits of an event's id. They break ties in a ranking too: by chance, whatever the label."""
    return int.from_bytes(blake2b(event.encode(), digest_size=8).digest(), "big")


class Names:
    """Strings as small numbers."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a name, new or old."""
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self.names)
            self.names.append(name)
        return found


class Rows:
    """The scored logins of one organisation in order, column by column.

    time: ms UTC; sequence: record number in its log; event: hash of the event's id (its uid, else
    log and sequence); service, cold (low history), got_in, finding: flags; undamped: the
    risk that policy sees; story: Quivive's score in nats; scores: by detector, higher being more
    suspicious.
    """

    def __init__(self, detectors: Sequence[str] = ()) -> None:
        """``detectors``: the names of those whose scores will be given, beside Quivive's own."""
        self.log_names, self.identity_names, self.reason_names = Names(), Names(), Names()
        self.time, self.sequence = array("q"), array("q")
        self.event = array("Q")
        self.log, self.identity, self.reason = array("l"), array("l"), array("l")
        self.service, self.cold = bytearray(), bytearray()
        self.got_in, self.finding = bytearray(), bytearray()
        self.undamped, self.story = array("d"), array("d")
        self.scores = {name: array("d") for name in (QUIVIVE, *detectors)}
        self.texts: dict[int, tuple[str, ...]] = {}
        self.evidence: list[bytes] = []

    def __len__(self) -> int:
        return len(self.time)

    def add(
        self, log: str, sequence: int, uid: str | None, login: Observation, assessment: Assessment
    ) -> None:
        """One more login, with Quivive's scores; the other detectors' come with ``judged``."""
        reasons = assessment.reasons
        if assessment.risk_score >= TEXTS_ABOVE:
            self.texts[len(self)] = tuple(reason.text for reason in reasons[:3])
        self.log.append(self.log_names.number(log))
        self.identity.append(self.identity_names.number(login.identity))
        self.reason.append(self.reason_names.number(" + ".join(r.signal for r in reasons[:3])))
        self.time.append(login.time)
        self.sequence.append(sequence)
        self.event.append(event_hash(uid if uid is not None else f"{log}:{sequence}"))
        self.service.append(login.kind == "service")
        self.cold.append(assessment.low_history)
        self.got_in.append(login.accepted)
        self.finding.append(assessment.risk_level != "low")
        self.undamped.append(assessment.undamped)
        self.story.append(assessment.score)
        self.scores[QUIVIVE].append(assessment.risk_score)

    def judged(self, detector: str, scores: Sequence[float]) -> None:
        """The scores of a detector for the next logins, in order."""
        self.scores[detector].extend(scores)

    def keep_evidence(self, evidence: tuple[Raw, ...]) -> None:
        """What was said of the login added last, for the learning of weights: some 800 bytes."""
        self.evidence.append(msgspec.msgpack.encode(evidence))

    def evidence_of(self, row: int) -> tuple[Raw, ...]:
        """What was said of a login, where that was kept of all of them."""
        return msgspec.msgpack.decode(self.evidence[row], type=tuple[Raw, ...])

    def identity_of(self, row: int) -> str:
        """The identity of a login."""
        return self.identity_names.names[self.identity[row]]

    def log_of(self, row: int) -> str:
        """The input that a login stands in."""
        return self.log_names.names[self.log[row]]

    def kind_of(self, row: int) -> str:
        """ "human" or "service"."""
        return "service" if self.service[row] else "human"

    def reasons_of(self, row: int) -> tuple[str, ...]:
        """The strongest reasons in words, or else the signals alone."""
        named = self.reason_names.names[self.reason[row]]
        return self.texts.get(row) or tuple(part for part in named.split(" + ") if part)
