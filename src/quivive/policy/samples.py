"""Sample logins for a policy: at, just above and just below every value its conditions name."""

from collections.abc import Iterator, Sequence
from math import prod

from quivive.model.assessment import CRITICAL, FINDING, HIGH, level_of
from quivive.policy.conditions import environment
from quivive.policy.environment import FACTS
from quivive.policy.logic import LEVEL, RISK
from quivive.policy.rules import Policy, Rule
from quivive.policy.tree import Call, Each, Field, Has, Items, Literal, Node, Relation, parts

MOST_SAMPLES = 2_000
STEP = 0.5
OTHER = "something else"
_MIX = 2_654_435_761  # Knuth's multiplicative hash: spreads samples over all combinations

Value = object | None


def samples(policy: Policy) -> Iterator[dict[str, Value]]:
    """Facts by field; None where a field is absent. All combinations, or an even choice of them."""
    values = values_of(policy)
    fields = sorted(values)
    total = prod(len(values[f]) for f in fields)
    count = min(total, MOST_SAMPLES)
    for number in range(count):
        rest = number if total == count else number * _MIX % total
        sample: dict[str, Value] = {}
        for field in fields:
            choices = values[field]
            sample[field] = choices[rest % len(choices)]
            rest //= len(choices)
        if LEVEL in sample or RISK in sample:
            risk = sample.get(RISK)
            sample[LEVEL] = level_of(risk if isinstance(risk, float) else 0.0)
        yield sample


def holding(rules: Sequence[Rule], sample: dict[str, Value]) -> list[Rule]:
    """The rules whose condition holds on a sample, in order."""
    nested: dict[str, object] = {}
    for path, value in sample.items():
        *parents, last = path.split(".")
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})  # type: ignore[assignment]
        if value is not None:
            inner[last] = value
    asking = environment(nested)
    return [rule for rule in rules if rule.when.holds(asking)]


def values_of(policy: Policy) -> dict[str, list[Value]]:
    """The values worth trying of each field that a policy's conditions name."""
    named: dict[str, set[object]] = {}
    for rule in policy.rules:
        for path in rule.when.fields:
            named.setdefault(path, set())
        for node in parts(rule.when.tree):
            _note(node, named)
    if LEVEL in named:
        named[RISK] = named.get(RISK, set()) | {FINDING, HIGH, CRITICAL}
        del named[LEVEL]
    return {path: _around(path, values) for path, values in named.items()}


def _note(node: Node, named: dict[str, set[object]]) -> None:
    match node:
        case Relation(left=Field(path=path), right=Literal(value=value)) if path in named:
            named[path].add(value)
        case Relation(left=Literal(value=value), right=Field(path=path)) if path in named:
            named[path].add(value)
        case Relation(left=Field(path=path), right=Items(items=items)) if path in named:
            named[path].update(i.value for i in items)
        case Call(name=name, of=Field(path=path), argument=literal) if path in named:
            if name != "matches":
                named[path].add(literal.value)
        case Each(of=Field(path=path), body=body):
            named[path].update(p.value for p in parts(body) if isinstance(p, Literal))
        case Has() | _:
            pass


def _around(path: str, values: set[object]) -> list[Value]:
    fact = FACTS[path]
    always = path.startswith(("assessment.", "identity.", "time.", "context."))
    absent: list[Value] = [] if always else [None]
    if fact.type == "bool":
        return [False, True, *absent]
    if fact.type == "number":
        numbers = {float(v) for v in values if isinstance(v, int | float)} | {0.0}
        if path == RISK:
            numbers |= {FINDING, HIGH, CRITICAL}
        near = {n + d for n in numbers for d in (-STEP, 0.0, STEP)}
        return [*sorted(near), *absent]
    words = sorted(str(v) for v in values)
    if fact.type == "list":
        return [[], *([w] for w in words), *absent]
    known = fact.values or (*words, OTHER)
    return [*known, *absent]
