"""Labels of an evaluation: which records an attacker caused, kept apart from all that learns."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import inf
from pathlib import Path

import msgspec
from msgspec import Struct

from quivive.learn.evaluation.rows import event_hash
from quivive.model.errors import ConfigurationError

UNKNOWN_KIND = "unknown"


class LabelError(ConfigurationError):
    """Labels that cannot be used; the message says which line, why, and what to do."""


class LabelLeakError(RuntimeError):
    """Something that learns asked for a label it must not know yet: a fault of the program."""


class _Line(Struct):
    """One line as it is read; further keys are ignored."""

    log: str | None = None
    sequence: int | None = None
    uid: str | None = None
    incident: str | None = None
    kind: str | None = None
    identity: str | None = None


class Label(Struct, frozen=True):
    """One record of an attacker.

    where: file and line; log, sequence: the input's name and 1-based record number, or uid: the
    vendor's event id. incident: all that one attacker did to one identity. kind: of the attack.
    """

    where: str
    log: str | None
    sequence: int | None
    uid: str | None
    incident: str
    kind: str

    @property
    def record(self) -> str:
        """The record in words."""
        if self.log is not None:
            return f"record {self.sequence} of {self.log}"
        return f"the record with uid {self.uid}"


class Labels:
    """All labels of one organisation, by record and by the vendor's id."""

    def __init__(self, labels: Sequence[Label]) -> None:
        """Raises LabelError when one record is labelled twice and differently."""
        self.by_record: dict[tuple[str, int], Label] = {}
        self.by_uid: dict[str, Label] = {}
        kinds: dict[str, Label] = {}
        for label in labels:
            first = kinds.setdefault(label.incident, label)
            if first.kind != label.kind:
                raise LabelError(
                    f"{label.where}: incident {label.incident} is of kind {label.kind!r} here and"
                    f" {first.kind!r} at {first.where}; an incident has one kind"
                )
            same = [self.by_uid.get(label.uid)] if label.uid is not None else []
            if label.log is not None and label.sequence is not None:
                same.append(self.by_record.get((label.log, label.sequence)))
                self.by_record[label.log, label.sequence] = label
            if label.uid is not None:
                self.by_uid[label.uid] = label
            for other in same:
                if other is not None and not _agree(other, label):
                    raise LabelError(
                        f"{label.where}: {label.record} is labelled differently at {other.where};"
                        " keep one of the two lines"
                    )

    def __iter__(self) -> Iterator[Label]:
        """Every label once, in the order of the file."""
        by_where = {label.where: label for label in self.by_uid.values()}
        by_where |= {label.where: label for label in self.by_record.values()}
        return iter(sorted(by_where.values(), key=_line_number))

    @cached_property
    def _by_event(self) -> dict[int, Label]:
        return {event_hash(uid): label for uid, label in self.by_uid.items()}

    @property
    def incidents(self) -> dict[str, str]:
        """The kind of each incident, in the order of the file."""
        return {label.incident: label.kind for label in self}

    def of(self, log: str, sequence: int, event: int) -> Label | None:
        """The label of a record, if it has one; ``event`` is the hash of its id."""
        return self.by_record.get((log, sequence)) or self._by_event.get(event)

    def until(self, time: float) -> "KnownLabels":
        """What may be known at ``time`` (ms UTC), for whatever learns."""
        return KnownLabels(self, time)


class KnownLabels:
    """Labels as a learner sees them: those of logins before a moment, and no others.

    To ask for a later one raises: a learner that does so would be told the answers.
    """

    def __init__(self, labels: Labels, until: float = inf) -> None:
        """``until``: ms UTC."""
        self._labels = labels
        self.until = until

    def of(self, time: int, log: str, sequence: int, event: int) -> Label | None:
        """The label of a record of that time. Raises LabelLeakError for one that is not past."""
        if time >= self.until:
            raise LabelLeakError(f"label of a login at {time} asked for by a learner, which knows "
                                 f"those before {self.until:.0f} alone")  # fmt: skip
        return self._labels.of(log, sequence, event)


def load_labels(path: Path, scored: Sequence[Path] = ()) -> Labels:
    """The labels of a file of JSON lines.

    Each line names its record by ``log`` and ``sequence`` or by ``uid``; ``incident`` and ``kind``
    group them (without an incident, all of an ``identity``, or else the record, is one). ``scored``
    are the files to be scored. Raises LabelError for a line that is no label, for a record labelled
    twice and differently, and for a file of labels that is scored itself.
    """
    refuse_scored(path, scored)
    found = []
    try:
        body = path.read_bytes()
    except OSError as error:
        raise LabelError(f"{path}: {error.strerror}; name the file of labels") from None
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            found.append(_label(line, f"{path}:{number}"))
    return Labels(found)


def refuse_scored(path: Path, scored: Sequence[Path]) -> None:
    """Raises LabelError when the file of labels is one of the files to be scored."""
    for other in scored:
        if other.exists() and path.exists() and path.samefile(other):
            raise LabelError(
                f"{path}: is among the logs to be scored, so that the answers would leak into"
                " scoring; keep labels in a file of their own"
            )


def check_named(
    labels: Labels, records: Mapping[str, int], logins: Mapping[str, int] | None = None
) -> None:
    """Raises LabelError for the first label whose record is not in the logs.

    records: how many records each log has, by its name. logins: the vendor ids that were met, for
    labels that name nothing else; those cannot be told from records that are no logins.
    """
    for label in labels:
        if label.log is not None:
            have = records.get(label.log)
            if have is None:
                names = ", ".join(sorted(records)) or "none"
                raise LabelError(f"{label.where}: there is no log {label.log!r}; scored: {names}")
            if not 1 <= (label.sequence or 0) <= have:
                raise LabelError(
                    f"{label.where}: {label.record} does not exist, the log has {have:,} records;"
                    " are these the labels of this log?"
                )
        elif logins is not None and label.uid not in logins:
            raise LabelError(
                f"{label.where}: no login of the logs has uid {label.uid!r};"
                " are these the labels of these logs?"
            )


def _label(line: bytes, where: str) -> Label:
    try:
        read = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise LabelError(f"{where}: not a label: {error}") from None
    if (read.log is None) != (read.sequence is None):
        raise LabelError(f"{where}: log and sequence name a record together; give both or uid")
    if read.log is None and read.uid is None:
        raise LabelError(f"{where}: names no record; give log and sequence, or uid")
    alone = f"{read.log}:{read.sequence}" if read.log is not None else read.uid
    return Label(
        where,
        read.log,
        read.sequence,
        read.uid,
        read.incident or read.identity or str(alone),
        read.kind or UNKNOWN_KIND,
    )


def _agree(one: Label, other: Label) -> bool:
    return (one.incident, one.kind) == (other.incident, other.kind)


def _line_number(label: Label) -> tuple[str, int]:
    path, _, number = label.where.rpartition(":")
    return path, int(number)
