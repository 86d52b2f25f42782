"""Writes a simulation down: every log, the address plan and, apart, what was an attack."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from quivive.sim.action import INTERRUPTS, Action, Outcome, SignIn
from quivive.sim.apps import SAAS
from quivive.sim.emit import cloudtrail, entra, entra_audits, github, kubernetes, okta, sshd
from quivive.sim.emit.emitter import Emitter, encode
from quivive.sim.organisation import Organisation
from quivive.sim.staging import Incident

VENDORS = ("entra", "cloudtrail", "kubernetes", "sshd", "github")
EMITTERS = {
    emitter.name: emitter
    for emitter in (
        entra.EMITTER,
        entra_audits.EMITTER,
        okta.EMITTER,
        cloudtrail.EMITTER,
        kubernetes.EMITTER,
        sshd.EMITTER,
        sshd.EMITTER_3164,
        github.EMITTER,
    )
}
"""Every log by name. Most vendors have one, called as ``--vendors`` calls them."""


def emitters(vendor: str) -> list[Emitter]:
    """The logs that a vendor writes. Empty for an unknown one."""
    return [emitter for emitter in EMITTERS.values() if (emitter.vendor or emitter.name) == vendor]


@dataclass(slots=True)
class Summary:
    """What was written: records by log, incidents, and labelled records."""

    folder: Path
    records: dict[str, int] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    labelled: int = 0


def write(
    out: Path,
    org: Organisation,
    actions: Iterable[Action],
    incidents: list[Incident],
    vendors: Sequence[str],
) -> Summary:
    """Write every log in event-time order, the address plan, and the labels."""
    out.mkdir(parents=True, exist_ok=True)
    org.world.write(out)
    summary = Summary(out, incidents=incidents)
    by_name = {incident.name: incident for incident in incidents}
    ordered = sorted(actions, key=attrgetter("time"))
    labels: list[dict[str, object]] = []
    for name in vendors:
        for emitter in emitters(name):
            labels += _log(out, org, emitter, ordered, by_name, summary, vendors)
    _lines(out / "labels.jsonl", labels)
    counts = Counter(label["incident"] for label in labels)
    for incident in incidents:
        incident.events = counts[incident.name]
    _lines(
        out / "incidents.jsonl",
        (
            {
                "incident": i.name,
                "kind": i.kind,
                "attack": list(i.techniques),
                "identity": i.identity,
                "first": int(i.first * 1000),
                "last": int(i.last * 1000),
                "events": i.events,
            }
            for i in incidents
        ),
    )
    summary.labelled = len(labels)
    return summary


def _log(
    out: Path,
    org: Organisation,
    emitter: Emitter,
    ordered: Sequence[Action],
    incidents: dict[str, Incident],
    summary: Summary,
    vendors: Sequence[str],
) -> list[dict[str, object]]:
    rng = org.rng("emit", emitter.name)
    labels: list[dict[str, object]] = []
    sequence = 0
    shared = {"okta", "entra"} <= set(vendors)
    with (out / emitter.file).open("w", encoding="utf-8", newline="\n") as log:
        for action in ordered:
            if not isinstance(action, emitter.records):
                continue
            if shared and _elsewhere(action, emitter):
                continue
            for line in emitter.emit(action, rng):
                sequence += 1
                log.write(line.text + "\n")
                if action.incident and line.shown:
                    incident = incidents[action.incident]
                    labels.append(
                        {
                            "log": emitter.file,
                            "sequence": sequence,
                            "uid": line.uid,
                            "incident": incident.name,
                            "kind": incident.kind,
                            "attack": list(incident.techniques),
                            "identity": action.identity,
                            "outcome": _outcome(action),
                        }
                    )
    if not emitter.dated:
        # Its lines have no year: readers take it from the file's own time.
        os.utime(out / emitter.file, (org.end, org.end))
    summary.records[emitter.file] = sequence
    return labels


def _elsewhere(action: Action, emitter: Emitter) -> bool:
    """Whether the other identity provider has this sign-in: Okta has the bought software."""
    if not isinstance(action, SignIn):
        return False
    return (action.app.name in SAAS) != (emitter.name == "okta")


def _outcome(action: Action) -> str:
    if action.outcome is Outcome.SUCCESS:
        return "success"
    return "interrupted" if action.outcome in INTERRUPTS else "failure"


def _lines(path: Path, records: Iterable[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(encode(record) + "\n" for record in records)
