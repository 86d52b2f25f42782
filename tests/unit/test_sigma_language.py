"""Sigma's language: conditions, modifiers, wildcards, as the specification has them."""

import re
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.sigma import condition, patterns, regex
from quivive.sigma.facts import ANYWHERE, Facts, dig, leaves
from quivive.sigma.flaw import SigmaFlaw
from quivive.sigma.rule import Rule, read_rule


def rule(detection: Any, **more: Any) -> Rule:
    """A rule around a detection, about Okta."""
    document = {
        "title": "A rule",
        "id": "r1",
        "level": "high",
        "logsource": {"product": "okta"},
        "detection": detection,
        **more,
    }
    return read_rule(document, lambda *_: 1, "file", frozenset())


def facts(record: dict[str, Any]) -> Facts:
    return Facts(lambda name: list(leaves(record)) if name == ANYWHERE else dig(record, name))


def holds(selection: Any, record: dict[str, Any], said: str = "s") -> bool:
    """Whether a record matches a rule of one selection, or of several with a condition."""
    named = selection if said != "s" else {"s": selection}
    return rule({**named, "condition": said}).test(facts(record))


# --- wildcards


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        (r"plain", ("plain",)),
        (r"a*b", ("a", patterns.Wild.MANY, "b")),
        (r"a?b", ("a", patterns.Wild.ONE, "b")),
        (r"a\*b", ("a*b",)),
        (r"a\\*b", ("a\\", patterns.Wild.MANY, "b")),
        (r"a\\\*b", (r"a\*b",)),
        (r"C:\Windows\x", (r"C:\Windows\x",)),
        (r"C:\\Windows", (r"C:\Windows",)),
        (r"\\\\host", (r"\\host",)),
        (r"ends\\"[:-1], ("ends\\",)),
        ("**", (patterns.Wild.MANY,)),
        ("", ()),
    ],
)
def test_wildcards_and_backslashes_are_read_as_the_specification_says(
    written: str, parts: patterns.Pattern
) -> None:
    assert patterns.parse(written) == parts


LETTERS = st.text(alphabet="ab*?\\.", max_size=8)


@given(st.lists(LETTERS, min_size=1, max_size=4), st.text(alphabet="ab*?\\.\n", max_size=12))
def test_patterns_match_what_a_regular_expression_of_them_does(
    written: list[str], text: str
) -> None:
    read = [patterns.parse(each) for each in written]

    def expression(pattern: patterns.Pattern) -> str:
        wild = {patterns.Wild.MANY: ".*", patterns.Wild.ONE: "."}
        return "".join(re.escape(p) if isinstance(p, str) else wild[p] for p in pattern)

    expected = any(re.fullmatch(expression(each), text, re.DOTALL) for each in read)
    assert patterns.any_of(read)(text) is bool(expected)


def test_a_hostile_pattern_and_text_take_no_time() -> None:
    matches = patterns.any_of([patterns.parse("*a" * 60 + "?b")])
    assert not matches("a" * 20_000)
    assert not regex.matches("(a|aa)+$", "a" * 15_000 + "b")


# --- selections


RECORD = {
    "eventType": "user.session.start",
    "outcome": {"result": "SUCCESS", "reason": None},
    "client": {"ipAddress": "203.0.113.9", "port": 443, "empty": ""},
    "target": [{"type": "App", "name": "Payroll"}, {"type": "User", "name": "Ann"}],
    "flat.name": "x",
    "isProxy": True,
    "path": r"C:\Temp\a",
    "v4": "::ffff:203.0.113.9",
}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"eventType": "USER.session.START"}, True),
        ({"eventtype": "user.session.start"}, True),
        ({"eventType|cased": "USER.session.START"}, False),
        ({"eventType|cased": "user.session.start"}, True),
        ({"eventType": ["no", "user.session.*"]}, True),
        ({"eventType": "user.session"}, False),
        ({"eventType|contains": ["sess", "no"]}, True),
        ({"eventType|contains|all": ["sess", "no"]}, False),
        ({"eventType|contains|all": ["sess", "user"]}, True),
        ({"eventType|startswith": "user."}, True),
        ({"eventType|endswith": ".end"}, False),
        ({"eventType|re": r"^user\.[a-z]+\.start$"}, True),
        ({"eventType|re": "^USER"}, False),
        ({"eventType|re|i": "^USER"}, True),
        ({"outcome.result": "success", "eventType": "nope"}, False),
        ({"target.name": "payroll"}, True),
        ({"target.name|all": ["payroll", "ann"]}, True),
        ({"flat.name": "x"}, True),
        ({"isProxy": True}, True),
        ({"isProxy": "true"}, True),
        ({"isProxy": False}, False),
        ({"client.port": 443}, True),
        ({"client.port": "443"}, True),
        ({"client.port|gt": 442}, True),
        ({"client.port|gte": 443, "client.port|lte": 443}, True),
        ({"client.port|lt": 443}, False),
        ({"eventType|gt": 1}, False),
        ({"client.ipAddress|cidr": "203.0.113.0/24"}, True),
        ({"v4|cidr": ["10.0.0.0/8", "203.0.113.0/24"]}, True),
        ({"eventType|cidr": "203.0.113.0/24"}, False),
        ({"outcome.reason": None}, True),
        ({"outcome.result": None}, False),
        ({"outcome.reason": [None, "x"]}, True),
        ({"client.empty": ""}, True),
        ({"client.nothing": ""}, False),
        ({"eventType": "*"}, True),
        ({"nothing": "*"}, False),
        ({"client.port|exists": True}, True),
        ({"client.ports|exists": True}, False),
        ({"client.ports|exists": False}, True),
        ({"path": r"c:\temp\\?"}, True),
        ({"path": r"c:\temp\?"}, False),
        ([{"eventType": "no"}, {"outcome.result": "SUCCESS"}], True),
        (["payroll"], True),
        (["pay?oll", "no"], True),
        ({"|all": ["payroll", "ann"]}, True),
        ({"|all": ["payroll", "bob"]}, False),
        ("nowhere", False),
    ],
)
def test_selections(selection: Any, expected: bool) -> None:
    assert holds(selection, RECORD) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("yes", True),
        ("no", False),
        ("not no", True),
        ("yes and not no", True),
        ("no or yes and no", False),
        ("(no or yes) and not (no and yes)", True),
        ("1 of them", True),
        ("all of them", False),
        ("any of sel*", True),
        ("all of sel*", True),
        ("1 of no* or all of sel*", True),
        ("NOT no AND yes", True),
    ],
)
def test_conditions(said: str, expected: bool) -> None:
    named = {
        "yes": {"isProxy": True},
        "no": {"isProxy": False},
        "sel_a": {"flat.name": "x"},
        "sel_b": {"flat.name": "x"},
        "_hidden": {"flat.name": "y"},
    }
    assert holds(named, RECORD, said) is expected


def test_a_list_of_conditions_is_any_of_them() -> None:
    found = rule({"a": {"x": 1}, "b": {"x": 2}, "condition": ["a", "b"]})
    assert found.test(facts({"x": 2}))
    assert not found.test(facts({"x": 3}))
    assert found.needs == {"x": frozenset({"1", "2"})}


# --- what is no rule here


@pytest.mark.parametrize(
    ("detection", "text"),
    [
        ({"s": {"a": 1}, "condition": "s | count() by x > 3"}, "aggregation"),
        ({"s": {"a": 1}, "condition": "s near t"}, "near"),
        ({"s": {"a": 1}, "condition": "t"}, "no selection is called t"),
        ({"s": {"a": 1}, "condition": "1 of t*"}, "no selection is called t*"),
        ({"s": {"a": 1}, "condition": "3 of them"}, "counts of selections"),
        ({"s": {"a": 1}, "condition": "(s"}, "does not close"),
        ({"s": {"a": 1}, "condition": "s and"}, "breaks off"),
        ({"s": {"a": 1}, "condition": "s s"}, "after its end"),
        ({"s": {"a": 1}, "condition": "not " * 40 + "s"}, "nested too deeply"),
        ({"s": {"a": 1}, "condition": "s or " * 2_000 + "s"}, "are the most"),
        ({"s": {"a": 1}}, "no condition"),
        ({"condition": "s"}, "0 selections"),
        ({"s": {"a|base64": "x"}, "condition": "s"}, "'base64' is not read"),
        ({"s": {"a|contains|re": "x"}, "condition": "s"}, "contains and re at once"),
        ({"s": {"a|re": "(?=x)"}, "condition": "s"}, "no regular expression"),
        ({"s": {"a|re": r"(x)\1"}, "condition": "s"}, "no regular expression"),
        ({"s": {"a|re": "x" * 1_001}, "condition": "s"}, "are the most"),
        ({"s": {"a|cidr": "300.1.1.0/8"}, "condition": "s"}, "no CIDR block"),
        ({"s": {"a|gt": "many"}, "condition": "s"}, "no number"),
        ({"s": {"a|exists": "x"}, "condition": "s"}, "exists is true or false"),
        ({"s": {"a|contains": None}, "condition": "s"}, "null with a modifier"),
        ({"s": {"a": []}, "condition": "s"}, "0 values"),
        ({"s": {"a": [[1]]}, "condition": "s"}, "values within values"),
        ({"s": {}, "condition": "s"}, "an empty selection"),
        ({"s": [], "condition": "s"}, "an empty list"),
        ({"s": {"a" + ".b" * 20: 1}, "condition": "s"}, "no name of a field"),
        ({"s": {"|cidr": "10.0.0.0/8"}, "condition": "s"}, "needs a field"),
        ("s", "detection: missing"),
    ],
)
def test_what_cannot_be_used_says_why_and_what_to_do(detection: Any, text: str) -> None:
    with pytest.raises(SigmaFlaw) as found:
        rule(detection)
    assert text in found.value.text or text in found.value.remedy
    assert found.value.remedy


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"title": ""}, "title"),
        ({"id": "a b"}, "id"),
        ({"level": "severe"}, "level"),
        ({"status": "deprecated"}, "deprecated"),
        ({"correlation": {}}, "correlation"),
        ({"filter": {}}, "filter"),
        ({"action": "global"}, "collection"),
        ({"logsource": None}, "logsource"),
        ({"quivive": {"mode": "quiet"}}, "quivive.mode"),
    ],
)
def test_the_head_of_a_rule_is_checked(more: dict[str, Any], text: str) -> None:
    with pytest.raises(SigmaFlaw, match=re.escape(text)):
        rule({"s": {"a": 1}, "condition": "s"}, **more)


def test_what_a_match_says_is_taken_from_the_head() -> None:
    found = rule(
        {"s": {"a": 1}, "condition": "s"},
        tags=["attack.credential-access", "attack.t1110.003", "attack.T1078", "cve.2020.1"],
        falsepositives=["A test", 3],
        quivive={"mode": "shadow"},
    ).match
    assert found.attack == ("T1110.003", "T1078")
    assert found.falsepositives == ("A test",)
    assert found.shadow
    assert rule({"s": {"a": 1}, "condition": "s"}, level=None).match.level == "low"


DEEP: Any = "x"
for _ in range(2_000):
    DEEP = [DEEP]


ODD = {"deep": DEEP, "object": {"a": DEEP}, "digits": 10**5_000, "nan": float("nan"), "bytes": b""}


@pytest.mark.parametrize("kind", ODD)
def test_no_value_of_a_record_is_too_odd_to_be_asked(kind: str) -> None:
    value = ODD[kind]
    said = facts({"a": value, "b": {"c": [value, 1]}})
    for selection in ({"a": "x"}, {"b|contains": "1"}, {"b.c|gt": 0}, {"a|re": "^$"}, ["nowhere"]):
        rule({"s": selection, "condition": "s"}).test(said)
    assert holds({"b.c": 1}, {"b": {"c": [value, 1]}})


# --- the whole against a naive reading of it

VALUES = st.sampled_from(["a", "ab", "b", "*b", "?", 1, True, None])
ITEMS = st.dictionaries(
    st.sampled_from(["x", "y", "x|contains", "y|startswith", "x|endswith"]), VALUES, min_size=1
).filter(lambda m: all("|" not in k or v is not None for k, v in m.items()))
TREES = st.recursive(
    st.sampled_from(["s1", "s2", "s3"]).map(condition.Name),
    lambda inner: st.one_of(
        inner.map(condition.Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: condition.And(tuple(p))),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: condition.Or(tuple(p))),
    ),
    max_leaves=6,
)


def printed(tree: condition.Tree) -> str:
    match tree:
        case condition.Name(name=name):
            return name
        case condition.Not(of=inner):
            return f"not ({printed(inner)})"
        case condition.And(of=parts):
            return "(" + " and ".join(map(printed, parts)) + ")"
        case condition.Or(of=parts):
            return "(" + " or ".join(map(printed, parts)) + ")"


def naive(tree: condition.Tree, named: dict[str, Any], record: dict[str, Any]) -> bool:
    match tree:
        case condition.Name(name=name):
            return all(naive_item(k, v, record) for k, v in named[name].items())
        case condition.Not(of=inner):
            return not naive(inner, named, record)
        case condition.And(of=parts):
            return all(naive(part, named, record) for part in parts)
        case condition.Or(of=parts):
            return any(naive(part, named, record) for part in parts)


def naive_item(key: str, value: Any, record: dict[str, Any]) -> bool:
    field, _, how = key.partition("|")
    if value is None:
        return record.get(field) is None
    if record.get(field) is None:
        return False
    said = str(record[field])
    wanted = "true" if value is True else str(value)
    text = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    before = ".*" if how in ("contains", "endswith") else ""
    after = ".*" if how in ("contains", "startswith") else ""
    return re.fullmatch(before + text + after, said, re.DOTALL | re.IGNORECASE) is not None


@settings(max_examples=200)
@given(
    st.fixed_dictionaries({"s1": ITEMS, "s2": ITEMS, "s3": ITEMS}),
    TREES,
    st.fixed_dictionaries(
        {},
        optional={
            "x": st.one_of(st.text("aAbB*?", max_size=3), st.just(2), st.none()),
            "y": st.one_of(st.text(string.ascii_letters[:2], max_size=3), st.just(1.0)),
        },
    ),
)
def test_a_rule_means_what_a_naive_reading_says(
    named: dict[str, Any], tree: condition.Tree, record: dict[str, Any]
) -> None:
    plain = {k: 1 if v == 1.0 and type(v) is float else v for k, v in record.items()}
    found = rule({**named, "condition": printed(tree)})
    said = facts(record)
    expected = naive(tree, named, plain)
    assert found.test(said) is expected
    if expected:  # what it needs is there: no index rules it out
        for field, values in found.needs.items():
            assert values & set(said[field])
