"""Conditions: checked when they are read, compiled once, bounded when they are asked.

The ``cel`` package evaluates them (its regular expressions are RE2's kind: linear time). A field
that is absent makes the comparison with it an error, which CEL's own ``&&`` and ``||`` absorb
where the other side decides; a condition that ends in an error does not hold.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from msgspec import Struct

from quivive.policy import tree
from quivive.policy.environment import FACTS, Type
from quivive.policy.syntax import ConditionSyntaxError, parse
from quivive.policy.tree import (
    Call,
    Choice,
    Each,
    Field,
    Has,
    Items,
    Literal,
    Logic,
    Node,
    Not,
    Relation,
    Size,
)

if TYPE_CHECKING:
    import cel

# Words that CEL keeps for itself.
RESERVED = frozenset(
    "as break const continue else false for function if import in let loop namespace null package"
    " return true var void while has size".split()
)
MOST_PATTERN = 256  # characters of a regular expression
# What cel raises where a condition comes to no answer: absent, of the wrong type, overflow.
NO_ANSWER = (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError)


class Flaw(Struct, frozen=True):
    """What is wrong with a condition: at which character, and what to do."""

    at: int
    text: str
    remedy: str


class Condition:
    """A condition that was found right."""

    def __init__(self, text: str, parsed: Node) -> None:
        self.text, self.tree = text, parsed
        self.source = tree.printed(parsed)
        names = {p.name for p in tree.parts(parsed) if isinstance(p, Each)}
        self.fields = tuple(
            sorted({p.path for p in tree.parts(parsed) if isinstance(p, Field | Has)} - names)
        )
        self._program: cel.Program | None = None

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def holds(self, context: "cel.Context") -> bool:
        """Whether it holds. A condition that comes to no answer does not."""
        program = self._program
        if program is None:
            import cel

            program = self._program = cel.compile(self.source)
        try:
            return program.execute(context) is True
        except NO_ANSWER:
            return False


def environment(variables: Mapping[str, object]) -> "cel.Context":
    """What conditions are asked against, made once a login."""
    import cel

    return cel.Context(variables=dict(variables))


def read(text: str) -> tuple[Condition | None, list[Flaw]]:
    """A condition, or everything that is wrong with it."""
    try:
        parsed = parse(text)
    except ConditionSyntaxError as problem:
        return None, [Flaw(problem.at, problem.text, problem.remedy)]
    flaws: list[Flaw] = []
    found = _Checker(flaws).type_of(parsed)
    if found not in ("bool", None):
        flaws.append(
            Flaw(0, f"the condition is a {found}, not true or false", "compare it with something")
        )
    return (None, flaws) if flaws else (Condition(text, parsed), [])


class _Checker:
    """Finds the type of every part; None where a flaw was found below."""

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = flaws
        self.element: str | None = None  # the name that exists or all gives a list's element

    def flaw(self, node: Node, text: str, remedy: str) -> None:
        self.flaws.append(Flaw(node.at, text, remedy))

    def type_of(self, node: Node) -> Type | None:
        match node:
            case Literal(value=value):
                if isinstance(value, bool):
                    return "bool"
                return "text" if isinstance(value, str) else "number"
            case Field():
                return self.field(node)
            case Has(path=path):
                self.field(Field(path, node.at))
                return "bool"
            case Not(of=of):
                self.want(of, "bool", "!")
                return "bool"
            case Logic(op=op, items=items):
                for item in items:
                    self.want(item, "bool", op)
                return "bool"
            case Choice(test=test, then=then, other=other):
                for part in (test, then, other):
                    self.want(part, "bool", "? :")
                return "bool"
            case Relation():
                return self.relation(node)
            case Call():
                return self.call(node)
            case Size(of=of):
                found = self.type_of(of)
                if found in ("bool", "number"):
                    self.flaw(of, f"size() of a {found}", "ask it of a text or a list")
                return "number"
            case Each():
                return self.each(node)
            case Items():
                self.flaw(node, "a list alone says nothing", 'write field in ["a", "b"]')
                return None

    def want(self, node: Node, type_: Type, where: str) -> None:
        found = self.type_of(node)
        if found not in (type_, None):
            self.flaw(node, f"a {found} beside {where}", f"{where} joins what is true or false")

    def field(self, node: Field) -> Type | None:
        if node.path == self.element:
            return "text"
        fact = FACTS.get(node.path)
        if fact is not None:
            return fact.type
        below = sorted(name for name in FACTS if name.startswith(node.path + "."))
        if below:
            shown = ", ".join(below[:4]) + (" …" if len(below) > 4 else "")
            self.flaw(node, f"{node.path} has no value of its own", f"name one of {shown}")
            return None
        self.flaw(
            node,
            f"no field {node.path}",
            nearest(node.path, FACTS, "the reference page Policy for the fields"),
        )
        return None

    def relation(self, node: Relation) -> Type:
        if node.op == "in":
            self.membership(node)
            return "bool"
        left, right = self.type_of(node.left), self.type_of(node.right)
        if left is None or right is None:
            return "bool"
        if left != right:
            self.flaw(
                node, f"a {left} is compared with a {right}", "it would never hold; mend one side"
            )
        elif node.op not in ("==", "!=") and left != "number":
            self.flaw(node, f"{node.op} between two of type {left}", "only numbers have an order")
        elif left == "list":
            self.flaw(node, "two lists are compared", 'write "x" in list')
        else:
            for field, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(other, Literal):
                    self.value(field, other)
        return "bool"

    def membership(self, node: Relation) -> None:
        item = self.type_of(node.left)
        if isinstance(node.right, Items):
            for literal in node.right.items:
                found = self.type_of(literal)
                if item is not None and found != item:
                    self.flaw(literal, f"a {found} in a list for a {item}", "mend the list")
                else:
                    self.value(node.left, literal)
            if not node.right.items:
                self.flaw(node.right, "an empty list holds nothing", "fill it, or drop the rule")
            return
        found = self.type_of(node.right)
        if found not in ("list", None):
            self.flaw(node.right, f"in wants a list, not a {found}", 'write in ["a", "b"]')
        elif item not in ("text", None):
            self.flaw(node.left, f"a {item} in a list of texts", "it would never hold")

    def value(self, field: Node, literal: Literal) -> None:
        """Whether a field that is one of a few words can be this one."""
        fact = FACTS.get(field.path) if isinstance(field, Field) else None
        if fact is None or not fact.values or literal.value in fact.values:
            return
        self.flaw(
            literal,
            f"{literal.value!r} is never the value of {getattr(field, 'path', '')}",
            f"it is one of {', '.join(fact.values)}",
        )

    def call(self, node: Call) -> Type:
        found = self.type_of(node.of)
        if found not in ("text", None):
            remedy = 'write "x" in list' if found == "list" else "it is a function of texts"
            self.flaw(node, f"{node.name}() of a {found}", remedy)
        if node.name == "matches":
            self.pattern(node.argument)
        return "bool"

    def pattern(self, literal: Literal) -> None:
        import cel

        text = str(literal.value)
        if len(text) > MOST_PATTERN:
            self.flaw(
                literal,
                f"a regular expression of {len(text)} characters",
                f"{MOST_PATTERN} are the most; use a list or a context",
            )
            return
        try:
            cel.evaluate("''.matches(pattern)", {"pattern": text})
        except NO_ANSWER:
            self.flaw(
                literal,
                f"{text!r} is no regular expression, or too large a one",
                "use RE2's syntax, without look-around and back-references",
            )

    def each(self, node: Each) -> Type:
        if self.element is not None:
            self.flaw(node, "a loop within a loop", "use one exists or all, or two rules")
            return "bool"
        if self.type_of(node.of) not in ("list", None):
            self.flaw(node, f"{node.of.path} is no list", "go through a list's field")
        if node.name in RESERVED or node.name in {name.partition(".")[0] for name in FACTS}:
            self.flaw(node, f"the element is called {node.name}", "give it another name, such as g")
            return "bool"
        self.element = node.name
        self.want(node.body, "bool", "exists")
        self.element = None
        return "bool"


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """ "Did you mean…" by spelling, or by the last word; else another hint."""
    names = list(known)
    close = get_close_matches(name, names, 2, 0.7)
    if not close:
        last = name.rpartition(".")[2]
        close = [n for n in names if n.rpartition(".")[2] == last][:2]
    return f"did you mean {' or '.join(close)}?" if close else f"see {otherwise}"
