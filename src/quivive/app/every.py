"""Everything that is wrong with some settings at once, where a conversion stops at the first."""

import copy
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

MOST = 50  # problems told of one section

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")


class Problem(NamedTuple):
    """What is wrong, and where: ".channels[2].name" below what was converted."""

    place: str
    what: str


class Converted(NamedTuple):
    """What could be converted (None where nothing could), what was wrong with the rest, and, by
    the place of each list, which of its elements are left.
    """

    value: Any
    problems: list[Problem]
    left: dict[str, list[int]]


def every(given: object, kind: Any) -> Converted:
    """Converts plain values, without each part that is wrong, until the rest will do."""
    value, problems, left = copy.deepcopy(given), list[Problem](), dict[str, list[int]]()
    dropped: set[tuple[str, str]] = set()
    while len(problems) < MOST:
        try:
            return Converted(msgspec.convert(value, kind), problems, left)
        except msgspec.ValidationError as error:
            what, _, at = str(error).partition(" - at `$")
            steps = list(_steps(at.rstrip("`")))
            missing, unknown = _MISSING.match(what), _UNKNOWN.match(what)
            try:
                place, _ = _walk(value, steps, left)
            except (KeyError, IndexError, TypeError):  # a key that is no name: what holds it, then
                steps, place = [], ""
            if missing is None or (place, missing[1]) not in dropped:
                problems.append(Problem(place, what))
            if unknown is not None:
                steps.append(unknown[1])
            if not steps or not _drop(value, steps, left, dropped):
                break
    return Converted(None, problems, left)


def _steps(at: str) -> Iterator[str | int]:
    for found in _STEP.finditer(at.partition("[...]")[0]):
        yield int(found[2]) if found[2] is not None else found[1]


def _walk(value: Any, steps: list[str | int], left: dict[str, list[int]]) -> tuple[str, Any]:
    """The place as it was given, and what is there now."""
    place, node = "", value
    for step in steps:
        if isinstance(step, int):
            place += f"[{_index(place, node, left)[step]}]"
        else:
            place += f".{step}"
        node = node[step]
    return place, node


def _index(place: str, node: Any, left: dict[str, list[int]]) -> list[int]:
    return left.setdefault(place, list(range(len(node))))


def _drop(
    value: Any,
    steps: list[str | int],
    left: dict[str, list[int]],
    dropped: set[tuple[str, str]],
) -> bool:
    """Takes out what is wrong; False where that is no part of anything."""
    *before, last = steps
    try:
        place, node = _walk(value, before, left)
        if isinstance(last, int):
            del _index(place, node, left)[last]
        else:
            dropped.add((place, last))
        del node[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
