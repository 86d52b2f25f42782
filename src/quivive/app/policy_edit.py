"""Changing a rule's mode or budget in the text of a policy, and nothing else of it.

Comments, order and spelling stay: only the one value is put in, or one line is added.
"""

from typing import NamedTuple

import yaml

from quivive.app.errors import UsageError
from quivive.policy.actions import MODES
from quivive.policy.marks import YamlProblem, compose, pairs
from quivive.policy.rules import Rule
from quivive.policy.spending import MOST_SPENT, WINDOWS, Limit

CANARY = 10  # percent, where a rule becomes a canary and none is said


class Edit(NamedTuple):
    """What to change of one rule; None for as it is. amount: times a window of its budget; share:
    percent of identities that a canary acts on.
    """

    rule: str
    mode: str | None = None
    amount: int | None = None
    share: int | None = None


class _Change(NamedTuple):
    """Characters of the text to replace."""

    start: int
    end: int
    text: str


def edited(text: str, edits: list[Edit], rules: tuple[Rule, ...]) -> str:
    """The text with some edits; ``rules`` are those that it holds.

    Raises UsageError for a rule that is not there, a value that cannot be, or a text that is not
    written rule by rule, line by line.
    """
    if not edits:
        return text
    try:
        nodes = _rules(compose(text))
    except YamlProblem as found:
        raise UsageError(found.problem.said("policy")) from None
    known = {rule.id: rule for rule in rules}
    changes: list[_Change] = []
    for edit in edits:
        node, rule = nodes.get(edit.rule), known.get(edit.rule)
        if node is None or rule is None:
            raise UsageError(f"the policy has no rule {edit.rule!r}; load the page again")
        if node.flow_style:
            raise UsageError(f"rule {edit.rule} is written in one line: change it in the text")
        changes += _changes(text, edit, node, rule)
    for change in sorted(changes, reverse=True):
        text = text[: change.start] + change.text + text[change.end :]
    return text


def _changes(text: str, edit: Edit, node: yaml.MappingNode, rule: Rule) -> list[_Change]:
    given = {key.value: (key, value) for key, value in pairs(node)}
    found: list[_Change] = []
    lines: list[str] = []

    def put(name: str, value: str) -> None:
        if name in given:
            mine = given[name][1]
            found.append(_Change(mine.start_mark.index, mine.end_mark.index, value))
        else:
            lines.append(f"{name}: {value}")

    if edit.mode is not None and edit.mode != rule.mode:
        if edit.mode not in MODES:
            raise UsageError(f"mode {edit.mode!r}: one of {', '.join(MODES)}")
        put("mode", edit.mode)
    mode = edit.mode or rule.mode
    if mode == "canary" and (edit.share is not None or not rule.share):
        share = CANARY if edit.share is None else edit.share
        if not 1 <= share <= 100:
            raise UsageError(f"canary {share} %: between 1 and 100 % of identities")
        if round(rule.share * 100) != share:
            put("canary", f"{share}%")
    if edit.amount is not None and (rule.limit is None or edit.amount != rule.limit.amount):
        if not 1 <= edit.amount <= MOST_SPENT:
            raise UsageError(f"budget of {edit.rule}: between 1 and {MOST_SPENT:,} times")
        limit = rule.limit or Limit(1, WINDOWS["hour"])
        put("budget", str(Limit(edit.amount, limit.window, limit.then)))
    if lines:
        key, value = given["action"]
        end = text.find("\n", value.end_mark.index)
        end = len(text) if end < 0 else end
        indent = " " * key.start_mark.column
        found.append(_Change(end, end, "".join(f"\n{indent}{line}" for line in lines)))
    return found


def _rules(root: yaml.Node) -> dict[str, yaml.MappingNode]:
    if not isinstance(root, yaml.MappingNode):
        return {}
    for key, value in pairs(root):
        if key.value == "rules" and isinstance(value, yaml.SequenceNode):
            return {
                inner.value: node
                for node in value.value
                if isinstance(node, yaml.MappingNode)
                for name, inner in pairs(node)
                if name.value == "id"
            }
    return {}
