"""YAML with the place of everything: nodes to values, and characters of a text to line, column."""

from collections.abc import Iterator
from typing import NoReturn

import yaml

from quivive.policy.problems import Problem

MOST_BYTES = 1 << 20
MOST_NESTED = 12
MOST_NODES = 50_000


class YamlProblem(Exception):  # noqa: N818  (it carries a Problem)
    """Text that is not the YAML that is read here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def compose(text: str) -> yaml.Node:
    """The tree of one YAML document. Raises YamlProblem, for anchors and deep nesting too."""
    if len(text) > MOST_BYTES:
        _stop(1, 1, f"{len(text):,} characters", f"{MOST_BYTES:,} are the most")
    depth = nodes = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            mark = event.start_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            if isinstance(event, yaml.AliasEvent):
                _stop(line, column, "an alias (*)", "write it out")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            nodes += 1
            if depth > MOST_NESTED or nodes > MOST_NODES:
                _stop(line, column, "nested too deeply, or too long", "it is a flat list of rules")
        found = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        _stop(line, column, f"not YAML: {error.problem or error.context}", "mend it there")
    except yaml.YAMLError as error:
        _stop(1, 1, f"not YAML: {str(error).splitlines()[0]}", "save it as plain UTF-8 text")
    if found is None:
        _stop(1, 1, "nothing in it", "write rules: and a list of rules")
    return found


def _stop(line: int, column: int, text: str, remedy: str) -> NoReturn:
    raise YamlProblem(Problem(line, column, "error", "yaml", text, remedy))


def place(node: yaml.Node) -> tuple[int, int]:
    """Line and column of a node, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def place_in(node: yaml.ScalarNode, at: int) -> tuple[int, int]:
    """Line and column of a scalar's character ``at``, whatever the quoting and folding.

    YAML changes only white space, quotes and escapes, so the visible characters come in the same
    order in the file.
    """
    raw: str | None = node.start_mark.buffer
    if raw is None:
        return place(node)
    cursor = node.start_mark.index
    if node.style in ("|", ">"):
        cursor = raw.find("\n", cursor) + 1
    elif node.style in ("'", '"'):
        cursor += 1
    end = node.end_mark.index
    text = node.value
    at = min(at, len(text))
    wanted = text[:at].translate(_NO_SPACE)
    for character in wanted:
        found = raw.find(character, cursor, end)
        cursor = cursor if found < 0 else found + 1
    while cursor < end and at < len(text) and raw[cursor] != text[at]:
        cursor += 1
    line = raw.count("\n", 0, cursor)
    return line + 1, cursor - (raw.rfind("\n", 0, cursor) + 1) + 1


_NO_SPACE = {ord(c): None for c in " \t\r\n"}


def pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """A mapping's keys and values; keys that are no words are left out."""
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            yield key, value


def plain(node: yaml.Node) -> object:
    """The value of a node as YAML reads it; dates stay text."""
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in pairs(node)}
    tag = node.tag.rpartition(":")[2]
    text: str = node.value
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in ("true", "yes", "on")
    try:
        if tag == "int":
            return int(text.replace("_", ""), 10)
        if tag == "float":
            return float(text.replace("_", ""))
    except ValueError:
        return text
    return text
