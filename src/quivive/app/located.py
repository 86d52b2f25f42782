"""Errors in settings, with the line they are on and the name that was meant."""

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import yaml

from quivive.app.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")

_AT = re.compile(r" - at `\$([^`]*)`")
_PLACE = re.compile(r"[a-z_]+(?:\.[A-Za-z_]\w*|\[\d+\])*")
_CHANNEL = re.compile(r"notify: channel ([^:]+):(?: settings:)?")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")
_STEP = re.compile(r"\w+")


def located(*known: type) -> Callable[[Callable[[Path], R]], Callable[[Path], R]]:
    """For a function that reads a YAML file of settings: its UsageError "FILE: setting: …" becomes
    "FILE:LINE: setting: …". known: structs whose fields are proposed for a name that is none.
    """
    names = sorted({name for struct in known for name in struct.__struct_fields__})  # type: ignore[attr-defined]

    def decorate(reads: Callable[[Path], R]) -> Callable[[Path], R]:
        @wraps(reads)
        def read(path: Path) -> R:
            try:
                return reads(path)
            except UsageError as error:
                raise UsageError(with_line(path, str(error), names)) from None

        return read

    return decorate


def with_line(path: Path, said: str, names: Iterable[str]) -> str:
    """ "FILE: setting: …" as "FILE:LINE: setting: …", with the name that was meant of ``names``."""
    start = f"{path}: "
    if not said.startswith(start):
        return said
    text = said.removeprefix(start)
    unknown = _UNKNOWN.search(text)
    meant = get_close_matches(unknown[1], names, 1) if unknown else []
    if unknown and meant:
        text = text.replace(unknown[0], f"{unknown[0]}; is {meant[0]} meant?")
    line = _line(path, text, unknown[1] if unknown else None)
    return f"{start}{text}" if line is None else f"{path}:{line}: {text}"


def _line(path: Path, text: str, unknown: str | None) -> int | None:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    steps: list[str] = []
    if (place := _PLACE.match(text)) is not None:
        steps = _STEP.findall(place[0])
    if (at := _AT.search(text)) is not None:
        steps += _STEP.findall(at[1])
    if (section := re.match(r"no section '(.+?)'", text)) is not None:
        steps = [section[1]]
    if unknown is not None:
        steps.append(unknown)
    node: yaml.Node | None = root
    line: int | None = None
    if (channel := _CHANNEL.match(text)) is not None:
        node, line = _channel(root, channel[1])
        steps = ["settings", *steps[1:]] if channel[0].endswith("settings:") else []
    for step in steps:
        found = _below(node, step)
        if found is None:
            break
        node, line = found
    return line


def _below(node: yaml.Node | None, step: str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        value = node.value[int(step)]
        return value, value.start_mark.line + 1
    return None


def _channel(root: yaml.Node | None, name: str) -> tuple[yaml.Node | None, int | None]:
    for each in _channels(root):
        found = _below(each, "name")
        if found is not None and found[0].value == name:
            return each, found[1]
    return None, None


def _channels(root: yaml.Node | None) -> Iterator[yaml.Node]:
    notify = _below(root, "notify")
    channels = _below(notify[0], "channels") if notify is not None else None
    if channels is not None and isinstance(channels[0], yaml.SequenceNode):
        yield from channels[0].value
