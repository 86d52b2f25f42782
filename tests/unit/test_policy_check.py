"""Policy files: everything wrong is found at its line and column, whatever the file."""

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.app.policy_file import read, shipped_text
from quivive.model.errors import ConfigurationError
from quivive.policy.check import CODES, check
from quivive.policy.file import parse
from quivive.policy.rules import PolicyError
from quivive.policy.spending import parse_limit
from tests.unit import policies
from tests.unit.policies import DAY, NOON

FOLDER = Path(__file__).parent.parent / "data" / "policies"


@pytest.mark.parametrize("name", ["clashing", "broken", "good"])
def test_a_golden_policy_has_these_problems(name: str) -> None:
    file = FOLDER / f"{name}.yaml"
    said = [p.said(file.name) for p in read(file, NOON).problems]
    expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert said == expected


def test_the_shipped_policy_is_without_fault() -> None:
    assert check(parse(shipped_text()), NOON) == []


def test_a_policy_with_errors_is_no_policy() -> None:
    with pytest.raises(PolicyError, match=r"broken.yaml:4:1: error: the policy has no key 'ownr'"):
        read(FOLDER / "broken.yaml").policy()


def test_a_policy_keeps_what_it_says() -> None:
    made = read(FOLDER / "good.yaml").policy()
    rule = made.rules[0]
    assert (made.label, made.owner) == ("good@2026-11-02", "identity team")
    assert (rule.owner, rule.runbook, rule.line) == ("identity team", "takeover.md", 10)
    assert str(rule.limit) == "5/hour, then page"
    assert made.hours.business(NOON)
    assert not made.hours.business(NOON + 7 * 3_600_000)  # 20:00 where they are
    assert not made.hours.business(NOON + 5 * DAY)


HEAD = "name: x\nversion: 1\nrules:\n"


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ("  - {id: a, action: notify, when: login.acepted}\n", 4, 35),
        ('  - id: a\n    action: notify\n    when: "!login.acepted"\n', 6, 13),
        ("  - id: a\n    action: notify\n    when: |\n      true\n      && nix\n", 8, 10),
        ("  - id: a\n    action: notify\n    when: >-  # why\n      true\n\n      || nix\n", 9, 10),
        ("  - id: a\n    action: notify\n    when: 'true && ''it'' == nix'\n", 6, 30),
        ('  - id: a\n    action: notify\n    when: "identity.name == \\"n\\" && nix"\n', 6, 38),
    ],
)
def test_a_place_in_a_condition_survives_quoting_and_folding(
    body: str, line: int, column: int
) -> None:
    (problem,) = parse(HEAD + body).problems
    assert (problem.line, problem.column) == (line, column), problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing in it"),
        ("rules: [", "not YAML"),
        ("a: &x [1]\nb: *x\n", "an alias"),
        ("[" * 4000, "nested too deeply"),
        ("- just\n- a list\n", "the policy is no mapping"),
        ("name: x\nversion: 1\nrules: nothing\n", "no list of rules"),
        ("name: x\nrules: []\n", "no version"),
        ("\x00", "not YAML"),
        ("name: x\nversion: 1\nrules: []\n" + "#" * (1 << 20), "are the most"),
        (HEAD + "  - {id: a, action: notify, when: true}\n" * 201, "200 are the most"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, says: str) -> None:
    parsed = parse(text)
    assert parsed.policy is None
    assert any(says in p.text or says in p.remedy for p in parsed.problems), parsed.problems


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9\n")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read(tmp_path / "latin.yaml")


@pytest.mark.parametrize("text", ["5", "0/hour", "5000/hour", "5/hour, then block", "5/aeon", ""])
def test_a_budget_that_cannot_be_held(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_limit(text)


@given(
    st.lists(
        st.tuples(
            policies.conditions(),
            st.sampled_from(("block", "notify", "revoke", "step_up")),
            st.sampled_from(("shadow", "enforce", "canary")),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25)
def test_any_policy_can_be_checked(rules: list[tuple[str, str, str]]) -> None:
    import yaml

    body = {
        "name": "any",
        "version": 1,
        "rules": [
            {"id": f"r{n}", "when": when, "action": action, "mode": mode, "canary": 0.5}
            for n, (when, action, mode) in enumerate(rules)
        ],
    }
    text = yaml.safe_dump(body)
    found = check(parse(text), NOON)
    lines = text.splitlines()
    for problem in found:
        assert problem.code in CODES, problem
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


@given(st.text(string.printable, max_size=200))
@settings(max_examples=100)
def test_no_text_crashes_the_reader(text: str) -> None:
    assert parse(text).policy is None or parse(text).problems == []
