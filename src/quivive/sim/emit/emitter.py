"""What an emitter is, and what emitters share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from quivive.sim.action import Action


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log: ``uid`` is the vendor's event id, ``shown`` lines name the address."""

    text: str
    uid: str | None = None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Emitter:
    """One of a vendor's logs: its file, the actions that it records, and how it writes one.

    ``vendor`` is whose log it is, where that is not its name; ``dated`` is False where lines have
    no year.
    """

    name: str
    file: str
    records: tuple[type[Action], ...]
    emit: Callable[[Any, Random], Iterator[Line]]
    vendor: str = ""
    dated: bool = True


def stamp(time: float, digits: int = 0) -> str:
    """A UTC time as ISO 8601 with ``digits`` of a second."""
    moment = datetime.fromtimestamp(time, UTC)
    if not digits:
        return moment.isoformat(timespec="seconds")[:19] + "Z"
    return moment.isoformat(timespec="microseconds")[: 20 + digits] + "Z"


def encode(record: dict[str, Any]) -> str:
    """One JSON line."""
    return _JSON.encode(record).decode()


_JSON = msgspec.json.Encoder()
