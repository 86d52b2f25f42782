"""Faults of this program, and how they are told."""

import traceback
from pathlib import Path


class FaultError(Exception):
    """A login could not be judged, through a fault of this program."""


def where(error: BaseException) -> list[str]:
    """Where an error was raised, without what it says: that may be personal."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
