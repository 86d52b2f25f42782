"""Changing a rule in the text of a policy changes that and nothing else."""

import difflib

import pytest

from quivive.app.errors import UsageError
from quivive.app.policy_edit import Edit, edited
from quivive.app.policy_file import checked_text, shipped, shipped_text

RULES = shipped().rules
LIMITED = next(r for r in RULES if r.limit is not None)
UNLIMITED = next(r for r in RULES if r.limit is None)


def changed(text: str) -> list[str]:
    lines = difflib.ndiff(shipped_text().splitlines(), text.splitlines())
    return [line for line in lines if line[:1] in "+-"]


def test_nothing_to_change_leaves_every_byte() -> None:
    text = shipped_text()
    assert edited(text, [], RULES) == text
    same = [Edit(r.id, r.mode, r.limit.amount if r.limit else None) for r in RULES]
    assert edited(text, same, RULES) == text


def test_a_budget_is_replaced_where_it_stands() -> None:
    text = edited(shipped_text(), [Edit(LIMITED.id, amount=9)], RULES)
    assert [line[:1] for line in changed(text)] == ["-", "+"]
    policy = checked_text(text, "p").policy()
    found = next(r for r in policy.rules if r.id == LIMITED.id)
    assert found.limit is not None
    assert LIMITED.limit is not None
    assert (found.limit.amount, found.limit.window) == (9, LIMITED.limit.window)
    assert [r for r in policy.rules if r.id != LIMITED.id and r.limit != shipped_of(r.id)] == []


def shipped_of(rule: str) -> object:
    return next(r.limit for r in RULES if r.id == rule)


def test_what_is_not_there_is_added_as_lines_of_its_own() -> None:
    text = edited(shipped_text(), [Edit(UNLIMITED.id, "canary", 7, 25)], RULES)
    assert {line[:1] for line in changed(text)} == {"+"}
    found = next(r for r in checked_text(text, "p").policy().rules if r.id == UNLIMITED.id)
    assert (found.mode, found.share) == ("canary", 0.25)
    assert str(found.limit) == "7/hour, then page"
    again = edited(text, [Edit(UNLIMITED.id, "enforce", 8)], checked_text(text, "p").policy().rules)
    policy = checked_text(again, "p").parsed.policy
    assert policy is not None
    assert next(r for r in policy.rules if r.id == UNLIMITED.id).mode == "enforce"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (Edit("no-such-rule", "shadow"), "no rule"),
        (Edit(LIMITED.id, amount=0), "between 1 and"),
        (Edit(LIMITED.id, amount=10_000_000), "between 1 and"),
        (Edit(LIMITED.id, "enforced"), "one of"),
        (Edit(LIMITED.id, "canary", None, 0), "between 1 and 100"),
    ],
)
def test_what_cannot_be_is_refused(edit: Edit, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        edited(shipped_text(), [edit], RULES)


def test_a_rule_written_in_one_line_is_left_to_the_text() -> None:
    text = (
        "name: p\nversion: 1\nowner: me\nrules:\n"
        "  - {id: a, when: 'true', action: notify, mode: shadow}\n"
    )
    rules = checked_text(text, "p").parsed.policy
    assert rules is not None
    with pytest.raises(UsageError, match="one line"):
        edited(text, [Edit("a", "enforce")], rules.rules)
