"""What an emitter is, and what emitters share."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from quivive.sim.action import Action


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log: ``uid`` is the vendor's event id, ``shown`` lines name the address."""

    text: str
    uid: str | None = None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Emitter:
    """One vendor's log: its file, the actions that it records, and how it writes one."""

    name: str
    file: str
    records: tuple[type[Action], ...]
    emit: Callable[[Any, Random], Iterator[Line]]


def stamp(time: float, digits: int = 0) -> str:
    """A UTC time as ISO 8601 with ``digits`` of a second."""
    text = datetime.fromtimestamp(time, UTC).isoformat(timespec="microseconds")
    return text[:19] + ("." + text[20 : 20 + digits] if digits else "") + "Z"


def encode(record: dict[str, Any]) -> str:
    """One JSON line."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
