"""Golden pairs: ``tests/data/sources/<source>/raw/*`` beside ``expected/<same name>.jsonl``.

A line of the expected half is one record's outcome: ``{"sequence", "event"}`` with the OCSF
object, or ``{"sequence", "skip"}`` or ``{"sequence", "reject"}`` with the reason.
"""

import json
from pathlib import Path
from typing import Any

from quivive.app.registry import sources
from quivive.inputs.framing import frame
from quivive.model.ocsf import encode_event
from quivive.model.record import RawRecord, Reject, RejectError, Skip
from tests.conftest import DATA

# After every record in the golden files; the year of a record without one is found from it.
REFERENCE_TIME = 1_793_491_200_000  # 2026-11-01


def raw_files() -> list[tuple[str, Path]]:
    """Every raw golden file with its source's name."""
    return [
        (folder.name, raw)
        for folder in sorted((DATA / "sources").iterdir())
        for raw in sorted((folder / "raw").iterdir())
    ]


def records(path: Path) -> list[RawRecord | Reject]:
    """The framed records of one raw file."""
    with path.open("rb") as stream:
        return list(frame(stream, path.name, REFERENCE_TIME))


def outcomes(source: str, path: Path) -> list[dict[str, Any]]:
    """What the named source makes of each record of the file."""
    parse = sources()[source].parse
    found: list[dict[str, Any]] = []
    for record in records(path):
        outcome: dict[str, Any] = {"sequence": record.sequence}
        if isinstance(record, Reject):
            outcome["reject"] = record.reason
        else:
            try:
                event = parse(record)
            except RejectError as error:
                outcome["reject"] = str(error)
            else:
                if isinstance(event, Skip):
                    outcome["skip"] = event.reason
                else:
                    outcome["event"] = json.loads(encode_event(event))
        found.append(outcome)
    return found
