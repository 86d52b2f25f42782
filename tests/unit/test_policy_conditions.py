"""Conditions: what they may say, what is refused, and that what is proven of them is true."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quivive.model.assessment import Assessment
from quivive.model.event import AuthEvent, Endpoint
from quivive.policy import conditions
from quivive.policy.conditions import Condition, environment
from quivive.policy.environment import FACTS, Facts, Hours, variables
from quivive.policy.logic import alternatives, implied, least_risk
from quivive.policy.syntax import parse
from quivive.policy.tree import printed
from tests.unit import policies
from tests.unit.policies import assessed, event, login

Login = tuple[AuthEvent, object, Assessment]


def condition(text: str) -> Condition:
    found, flaws = conditions.read(text)
    assert found is not None, flaws
    return found


def facts_of(one: Login, kinds: frozenset[str] = frozenset()) -> Facts:
    what, seen, said = one
    return Facts(what, seen, said, said.undamped, False, kinds, (), Hours())  # type: ignore[arg-type]


def holds(text: str, one: Login, kinds: frozenset[str] = frozenset()) -> bool:
    found = condition(text)
    return found.holds(environment(variables(facts_of(one, kinds), found.fields)))


DEFAULT: Login = (event(), login(), assessed(70.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("assessment.risk >= 66", True),
        ("66 < assessment.risk && assessment.risk <= 70.0", True),
        ('assessment.level == "high"', True),
        ('assessment.level in ["low", "critical"]', False),
        ('event.src_endpoint.location.country == "RO"', True),
        ('event.src_endpoint.ip.startsWith("192.0.2.")', True),
        (r'event.src_endpoint.ip.matches("^192\\.0\\.2\\.\\d+$")', True),
        (r'event.src_endpoint.ip.matches(r"^10\.")', False),
        ("size(identity.name) > 3 && identity.name.size() < 99", True),
        ("time.hour == 12 && time.weekday == 0 && time.business_hours", True),
        ('"country" in assessment.signals', False),
        ('identity.kind == "human" ? login.accepted : false', True),
    ],
)
def test_a_condition_holds_or_not(text: str, expected: bool) -> None:
    assert holds(text, DEFAULT) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("event.device.is_managed", False),
        ("!event.device.is_managed", False),
        ('event.device.uid != "x"', False),
        ("has(event.device.is_managed)", False),
        ("!has(event.device.os.name)", True),
        ("event.device.is_managed || assessment.risk > 66", True),
        ("event.device.is_managed && assessment.risk > 66", False),
        ('event.device.uid == "x" ? true : true', False),
        ("!has(event.device.uid) || event.device.is_managed", True),
    ],
)
def test_what_is_absent_neither_passes_nor_raises(text: str, expected: bool) -> None:
    assert holds(text, DEFAULT) is expected


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("assesment.risk >= 66", 0, "did you mean assessment.risk"),
        ("assessment.risk >= 66 && identity.kindd == 'human'", 25, "did you mean identity.kind"),
        ("risk > 5", 0, "did you mean assessment.risk"),
        ("event.device == 'x'", 0, "has no value of its own"),
        ("assessment.risk > 'x'", 16, "a number is compared with a text"),
        ("assessment.level == 'hihg'", 20, "low, medium, high, critical"),
        ("identity.name < 'b'", 14, "only numbers have an order"),
        ("login.country", 0, "not true or false"),
        ("'x' in identity.name", 7, "wants a list"),
        ("identity.name == null", 17, "ask with has"),
        ("assessment.risk = 66", 16, "write =="),
        ("assessment.risk + 1 > 66", 16, "arithmetic"),
        ("event.user['name'] == 'x'", 0, "no such function, index or map"),
        ("1 < 2 < 3", 6, "two comparisons in a row"),
        ("identity.name.matches('(')", 22, "no regular expression"),
        ("identity.name.matches('(a{1000}){1000}')", 22, "too large"),
        ("identity.name.matches('" + "a" * 300 + "')", 22, "256 are the most"),
        ("identity.groups.map(g, g) == 'x'", 16, "lists cannot be built"),
        (
            "identity.groups.exists(g, identity.groups.exists(h, h == g))",
            42,
            "a loop within a loop",
        ),
        ("identity.groups.exists(for, for == 'x')", 16, "another name"),
        ("identity.name.exists(g, g == 'x')", 14, "is no list"),
        ("!" * 40 + "login.accepted", 16, "nested more than"),
        ("(" * 40 + "login.accepted" + ")" * 40, 16, "nested more than"),
        ("true||" * 300 + "true", 1200, "400 are the most"),
        ("true" + " " * 3000, 2000, "2,000 are the most"),
        ("login.asn in [" + ",".join(["'1'"] * 300) + "]", 805, "400 are the most"),
        ("login.accepted ==", 17, "a field or a value was expected"),
        ("'open", 0, "does not end"),
        ("9223372036854775808 > time.hour", 0, "too large"),
    ],
)
def test_a_condition_is_refused_where_it_is_wrong(text: str, at: int, says: str) -> None:
    found, flaws = conditions.read(text)
    assert found is None
    told = [f"{f.text}; {f.remedy}" for f in flaws if f.at == at]
    assert any(says in one for one in told), flaws


def test_facts_are_bounded_however_long_the_record() -> None:
    huge = event(src_endpoint=Endpoint(ip="192.0.2.7", intermediate_ips=("10.0.0.1",) * 5000))
    found = variables(facts_of((huge, login(identity="x" * 9999), assessed(70))), FACTS)
    assert len(found["event"]["src_endpoint"]["intermediate_ips"]) == 64  # type: ignore[index]
    assert len(found["identity"]["name"]) == 4096  # type: ignore[index]


@given(st.text(max_size=60) | st.text("abe.()[]{}!&|=<>?:'\"\\ 019", max_size=60))
@settings(max_examples=150)
def test_no_text_crashes(text: str) -> None:
    found, flaws = conditions.read(text)
    assert (found is None) == bool(flaws)
    assert all(0 <= f.at <= len(text) for f in flaws)


@given(policies.conditions(), policies.logins(), st.booleans())
@settings(max_examples=250)
def test_what_is_known_of_a_condition_is_true(text: str, one: Login, travelling: bool) -> None:
    found = condition(text)
    assert printed(parse(found.source)) == found.source
    kinds = frozenset(["travel"] if travelling else [])
    said = found.holds(environment(variables(facts_of(one, kinds), found.fields)))
    assert said == holds(f"!(!({text}))", one, kinds)
    risk = max(one[2].undamped, one[2].risk_score)
    if said:
        assert risk >= least_risk(found.tree, contexts=travelling)
        assert alternatives(found.tree)
    assert least_risk(found.tree, contexts=True) <= least_risk(found.tree, contexts=False)


@given(policies.conditions(), policies.conditions(), st.lists(policies.logins(), max_size=8))
@settings(max_examples=150)
def test_what_is_implied_follows(one: str, other: str, many: list[Login]) -> None:
    both = f"({one}) && ({other})"
    either = f"({one}) || ({other})"
    for first, second in ((one, other), (both, one), (one, either), (other, one)):
        ways = alternatives(condition(first).tree), alternatives(condition(second).tree)
        if implied(*ways):
            assert all(holds(second, x) for x in many if holds(first, x)), (first, second)


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        ("assessment.risk >= 80", "assessment.risk >= 66", True),
        ("assessment.risk >= 66", "assessment.risk > 66", False),
        ('assessment.level == "critical"', "assessment.risk >= 80", True),
        ("assessment.risk >= 80", 'assessment.level == "critical"', True),
        ('assessment.level in ["high", "critical"]', 'assessment.level != "low"', True),
        ('identity.kind == "human"', 'identity.kind != "service"', True),
        ('login.country == "RO"', 'login.country in ["RO", "DE"]', True),
        ('login.country == "RO"', "has(login.country)", True),
        ("has(login.country)", 'login.country == "RO"', False),
        ("!(assessment.risk < 66 || login.accepted)", "assessment.risk >= 66", True),
        ("assessment.risk > 50", "assessment.risk < 60 || assessment.risk >= 60", True),
        ('identity.name.startsWith("a") && login.accepted', 'identity.name.startsWith("a")', True),
        ("assessment.risk < 10 && assessment.risk > 20", "login.accepted", True),
    ],
)
def test_implication(one: str, other: str, follows: bool) -> None:
    ways = alternatives(condition(one).tree), alternatives(condition(other).tree)
    assert implied(*ways) is follows


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ('assessment.level != "low"', 46.0),
        ('!(assessment.level in ["low", "medium"])', 66.0),
        ("assessment.risk_score > 50 || assessment.risk >= 60", 50.0),
        ("!(assessment.risk < 70) && login.accepted", 70.0),
        ("context.travel", float("inf")),
        ("!context.travel && assessment.risk > 3", 3.0),
        ("login.accepted", float("-inf")),
    ],
)
def test_the_least_risk(text: str, risk: float) -> None:
    assert least_risk(condition(text).tree, contexts=False) == risk
