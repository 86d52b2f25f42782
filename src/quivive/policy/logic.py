"""What follows from a condition without asking it: the least risk it needs, what it implies.

Conditions are taken apart into alternatives, each a set of demands on single fields (an interval,
a set of values, presence) and of terms that are not looked into. Everything here is sound in
CEL's logic with errors: a comparison that holds, or whose opposite holds, had its field.
"""

from collections.abc import Sequence
from math import inf

from msgspec import Struct

from quivive.model.assessment import CRITICAL, FINDING, HIGH
from quivive.policy.environment import FACTS, LEVELS
from quivive.policy.tree import (
    Choice,
    Field,
    Has,
    Items,
    Literal,
    Logic,
    Node,
    Not,
    Relation,
    printed,
)

RISK, LEVEL = "assessment.risk", "assessment.level"
FLOORS = dict(zip(LEVELS, (-inf, FINDING, HIGH, CRITICAL), strict=True))
CEILINGS = dict(zip(LEVELS, (FINDING, HIGH, CRITICAL, inf), strict=True))
MOST_ALTERNATIVES = 64
MOST_CUTS = 16
_RISKS = (RISK, "assessment.risk_score")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def least_risk(node: Node, *, contexts: bool, holds: bool = True) -> float:
    """A risk below which the condition cannot hold (or, not ``holds``, cannot be false).

    ``contexts``: whether contexts may apply; without any, context.* are false. -inf where nothing
    is known, inf for a condition that cannot hold.
    """
    match node:
        case Literal(value=bool() as value):
            return -inf if value == holds else inf
        case Field(path=path):
            if path.startswith("context.") and not contexts:
                return inf if holds else -inf
            return -inf
        case Not(of=of):
            return least_risk(of, contexts=contexts, holds=not holds)
        case Logic(op=op, items=items):
            bounds = [least_risk(i, contexts=contexts, holds=holds) for i in items]
            return max(bounds) if (op == "&&") == holds else min(bounds)
        case Choice(test=test, then=then, other=other):
            return min(
                max(
                    least_risk(test, contexts=contexts),
                    least_risk(then, contexts=contexts, holds=holds),
                ),
                max(
                    least_risk(test, contexts=contexts, holds=False),
                    least_risk(other, contexts=contexts, holds=holds),
                ),
            )
        case Relation():
            return _least_of(node, holds)
    return -inf


def _least_of(node: Relation, holds: bool) -> float:
    found = _compared(node)
    if found is None:
        return -inf
    path, op, values = found
    if not holds:
        op = "not in" if op == "in" else _OPPOSITE.get(op, op)
    if path in _RISKS:
        numbers = [v for v in values if isinstance(v, int | float)]
        return min(numbers) if op in ("==", "in", ">", ">=") and numbers else -inf
    if path == LEVEL:
        levels = [w for w in LEVELS if (w in values) == (op in ("==", "in"))]
        return min((FLOORS[w] for w in levels), default=inf)
    return -inf


def _compared(node: Relation) -> tuple[str, str, tuple[object, ...]] | None:
    """A comparison of one field with written values: path, operator, values."""
    left, op, right = node.left, node.op, node.right
    if op == "in":
        if isinstance(left, Field) and isinstance(right, Items):
            return left.path, op, tuple(i.value for i in right.items)
        return None
    if isinstance(left, Literal) and isinstance(right, Field):
        left, op, right = right, _FLIPPED[op], left
    if isinstance(left, Field) and isinstance(right, Literal):
        return left.path, op, (right.value,)
    return None


class Demand(Struct, frozen=True):
    """What is demanded of one field. allowed: None for any; present: False demands absence."""

    low: float = -inf
    low_open: bool = False
    high: float = inf
    high_open: bool = False
    allowed: frozenset[object] | None = None
    excluded: frozenset[object] = frozenset()
    present: bool = True

    def empty(self) -> bool:
        """Whether nothing can meet it."""
        if self.allowed is not None:
            return not any(self.takes(v) for v in self.allowed)
        if self.low == self.high:
            return self.low_open or self.high_open or self.low in self.excluded
        return self.low > self.high

    def takes(self, value: object) -> bool:
        """Whether a value meets it."""
        if value in self.excluded or (self.allowed is not None and value not in self.allowed):
            return False
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        above = value > self.low or (value == self.low and not self.low_open)
        return above and (value < self.high or (value == self.high and not self.high_open))

    def within(self, other: "Demand") -> bool:
        """Whether all that meets this one meets the other."""
        if self.present != other.present:
            return False
        if self.allowed is not None:
            return all(other.takes(v) for v in self.allowed if self.takes(v))
        if other.allowed is not None or any(self.takes(v) for v in other.excluded):
            return False
        low = (self.low, self.low_open) >= (other.low, other.low_open)
        return low and (self.high, not self.high_open) <= (other.high, not other.high_open)

    def both(self, other: "Demand") -> "Demand":
        """What meets both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        allowed = self.allowed
        if other.allowed is not None:
            allowed = other.allowed if allowed is None else allowed & other.allowed
        if self.present != other.present:
            allowed = frozenset()  # there and not there
        return Demand(
            low, low_open, high, not closed, allowed, self.excluded | other.excluded, self.present
        )


class Alternative(Struct, frozen=True):
    """One way in which a condition can hold. opaque: terms that are not looked into."""

    demands: dict[str, Demand]
    opaque: frozenset[str] = frozenset()

    def both(self, other: "Alternative") -> "Alternative | None":
        """Both at once; None where they exclude each other."""
        demands = dict(self.demands)
        for path, demand in other.demands.items():
            demands[path] = demands[path].both(demand) if path in demands else demand
            if demands[path].empty():
                return None
        opaque = self.opaque | other.opaque
        if any(f"!{term}" in opaque for term in opaque):
            return None
        return Alternative(demands, opaque)

    def implies(self, other: "Alternative") -> bool:
        """Whether the other holds whenever this one does."""
        return other.opaque <= self.opaque and all(
            path in self.demands and self.demands[path].within(demand)
            for path, demand in other.demands.items()
        )


ALWAYS = (Alternative({}),)


def alternatives(node: Node, holds: bool = True) -> Sequence[Alternative]:
    """The ways in which a condition can hold (or be false); none where it cannot."""
    match node:
        case Literal(value=bool() as value):
            return ALWAYS if value == holds else ()
        case Not(of=of):
            return alternatives(of, not holds)
        case Logic(op=op, items=items):
            sets = [alternatives(i, holds) for i in items]
            if (op == "&&") != holds:
                found = [a for s in sets for a in s]
            else:
                found = list(ALWAYS)
                for some in sets:
                    pairs = [(one, other) for one in found for other in some]
                    if len(pairs) > MOST_ALTERNATIVES:
                        return _opaque(node, holds)
                    both = (one.both(other) for one, other in pairs)
                    found = [b for b in both if b is not None]
            return found if len(found) <= MOST_ALTERNATIVES else _opaque(node, holds)
        case Choice(test=test, then=then, other=other):
            either = Logic(
                "||",
                (
                    Logic("&&", (test, then if holds else Not(then, node.at)), node.at),
                    Logic(
                        "&&",
                        (Not(test, node.at), other if holds else Not(other, node.at)),
                        node.at,
                    ),
                ),
                node.at,
            )
            return alternatives(either)
        case Field(path=path):
            return _one(path, Demand(allowed=frozenset([holds])))
        case Has(path=path):
            return _one(path, Demand(present=holds))
        case Relation():
            return _relation(node, holds)
    return _opaque(node, holds)


def _opaque(node: Node, holds: bool) -> Sequence[Alternative]:
    return (Alternative({}, frozenset([("" if holds else "!") + printed(node)])),)


def _one(path: str, demand: Demand) -> Sequence[Alternative]:
    return (Alternative({path: demand}),)


def _relation(node: Relation, holds: bool) -> Sequence[Alternative]:
    found = _compared(node)
    if found is None:
        return _opaque(node, holds)
    path, op, values = found
    if op == "in":
        op = "==" if holds else "!="
    elif not holds:
        op = _OPPOSITE[op]
    if path == LEVEL:
        levels = [w for w in LEVELS if (w in values) == (op == "==")]
        return tuple(
            Alternative({RISK: Demand(FLOORS[w], high=CEILINGS[w], high_open=CEILINGS[w] != inf)})
            for w in levels
        )
    first = values[0]
    number = float(first) if isinstance(first, int | float) else 0.0
    known = FACTS[path].values if path in FACTS else ()
    match op:
        case "==":
            return _one(path, Demand(allowed=frozenset(values)))
        case "!=" if known or isinstance(first, bool):
            rest = frozenset(known or (True, False)) - frozenset(values)
            return _one(path, Demand(allowed=rest)) if rest else ()
        case "!=":
            return _one(path, Demand(excluded=frozenset(values)))
        case ">" | ">=":
            return _one(path, Demand(number, low_open=op == ">"))
        case _:
            return _one(path, Demand(high=number, high_open=op == "<"))


def implied(some: Sequence[Alternative], others: Sequence[Alternative]) -> bool:
    """Whether, provably, one of the others holds whenever one of these does."""
    return all(any(one.implies(other) for other in others) for one in _split(some, others))


def _split(some: Sequence[Alternative], others: Sequence[Alternative]) -> list[Alternative]:
    """Alternatives cut at the others' bounds of risk, so that two may cover one together."""
    cuts = {
        (value, is_open)
        for other in others
        if (demand := other.demands.get(RISK)) is not None
        for value, is_open in ((demand.low, demand.low_open), (demand.high, not demand.high_open))
        if abs(value) != inf
    }
    found = list(some)
    for value, is_open in sorted(cuts)[:MOST_CUTS]:
        below = Alternative({RISK: Demand(high=value, high_open=not is_open)})
        above = Alternative({RISK: Demand(value, low_open=is_open)})
        halves = [half for one in found for half in (one.both(below), one.both(above))]
        found = [half for half in halves if half is not None]
    return found
