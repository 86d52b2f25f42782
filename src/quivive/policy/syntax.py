"""The part of CEL that conditions are written in, as a tree.

CEL (https://github.com/google/cel-spec) is read here for the sake of checking: the tree knows
where each part stands, so that an unknown field or an unreachable rule can be pointed at. What is
evaluated is printed from this tree, so both always mean the same. Arithmetic, indexing, maps and
the macros that build lists are left out: a condition needs none of them, and without them the
cost of a condition is bounded by its length.
"""

import re
from typing import NoReturn

from msgspec import Struct

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

MOST_TEXT = 2_000  # characters
MOST_TOKENS = 400
MOST_NESTED = 16
MOST_ITEMS = 256  # of a list
RELATIONS = ("==", "!=", "<", "<=", ">", ">=", "in")
METHODS = ("startsWith", "endsWith", "contains", "matches")
MACROS = ("exists", "all")
_REFUSED = {
    "map": "lists cannot be built; ask with exists or all",
    "filter": "lists cannot be built; ask with exists or all",
    "exists_one": "only exists and all go through a list",
}
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      |(?P<number>0[xX][0-9a-fA-F]+u?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?u?)
      |(?P<string>[rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
      |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "`": "`", "?": "?"}
_ESCAPED = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


class ConditionSyntaxError(Exception):
    """A condition that cannot be read: what is wrong, at which character (from 0), what to do."""

    def __init__(self, text: str, at: int, remedy: str) -> None:
        super().__init__(text)
        self.text, self.at, self.remedy = text, at, remedy


class _Token(Struct, frozen=True):
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """The tree of a condition. Raises ConditionSyntaxError."""
    if len(text) > MOST_TEXT:
        raise ConditionSyntaxError(
            f"a condition of {len(text):,} characters",
            MOST_TEXT,
            f"{MOST_TEXT:,} are the most; make two rules of it",
        )
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            what = text[at]
            if what in "\"'":
                raise ConditionSyntaxError(
                    "a string that does not end", at, f"close it with {what}"
                )
            remedy = {"=": "write == to compare", "&": "write &&", "|": "write ||"}
            raise ConditionSyntaxError(
                f"{what!r} is nothing here", at, remedy.get(what, "leave it out")
            )
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_Token(kind, match[0], at))
        at = match.end()
    if len(found) > MOST_TOKENS:
        raise ConditionSyntaxError(
            f"a condition of {len(found)} words",
            found[MOST_TOKENS].at,
            f"{MOST_TOKENS} are the most; make two rules of it, or a context of the list",
        )
    return [*found, _Token("end", "", len(text))]


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.next = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.choice()
        if self.peek().kind != "end":
            self.stop(f"{self.peek().text!r} after the end of the condition", "join with && or ||")
        return node

    def peek(self) -> _Token:
        return self.tokens[self.next]

    def take(self) -> _Token:
        token = self.tokens[self.next]
        self.next += token.kind != "end"
        return token

    def accept(self, *texts: str) -> _Token | None:
        token = self.peek()
        return self.take() if token.kind in ("sign", "name") and token.text in texts else None

    def expect(self, text: str) -> _Token:
        token = self.accept(text)
        if token is None:
            found = self.peek()
            said = repr(found.text) if found.text else "the end"
            self.stop(f"{said} where {text!r} was expected", f"write {text} here")
        return token

    def stop(self, text: str, remedy: str, at: int | None = None) -> NoReturn:
        raise ConditionSyntaxError(text, self.peek().at if at is None else at, remedy)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MOST_NESTED:
            self.stop(
                f"nested more than {MOST_NESTED} deep", "take brackets away, or make two rules"
            )

    def choice(self) -> Node:
        self.deeper()
        test = self.joined("||")
        mark = self.accept("?")
        if mark is not None:
            then = self.joined("||")
            self.expect(":")
            test = Choice(test, then, self.choice(), mark.at)
        self.depth -= 1
        return test

    def joined(self, op: str) -> Node:
        items = [self.joined("&&") if op == "||" else self.relation()]
        at = self.peek().at
        while self.accept(op) is not None:
            items.append(self.joined("&&") if op == "||" else self.relation())
        return items[0] if len(items) == 1 else Logic(op, tuple(items), at)

    def relation(self) -> Node:
        left = self.unary()
        found = self.accept(*RELATIONS)
        if found is None:
            if self.peek().text in ("+", "-", "*", "/", "%"):
                self.stop("arithmetic has no place in a condition", "compare with a number")
            return left
        right = self.unary()
        if self.peek().text in RELATIONS and self.peek().kind != "string":
            self.stop("two comparisons in a row", "join two comparisons with &&")
        return Relation(found.text, left, right, found.at)

    def unary(self) -> Node:
        mark = self.accept("!")
        if mark is not None:
            self.deeper()
            node: Node = Not(self.unary(), mark.at)
            self.depth -= 1
            return node
        minus = self.accept("-")
        if minus is not None:
            token = self.peek()
            if token.kind != "number":
                self.stop("a minus before something that is no number", "compare with a number")
            number = self.number(self.take())
            return Literal(-number, minus.at)
        return self.member()

    def member(self) -> Node:
        token = self.peek()
        if token.kind == "number":
            return Literal(self.number(self.take()), token.at)
        if token.kind == "string":
            return self.methods(Literal(_unquoted(self.take()), token.at))
        if self.accept("("):
            node = self.choice()
            self.expect(")")
            return node
        if self.accept("["):
            return self.items(token.at)
        if token.kind != "name":
            said = repr(token.text) if token.text else "the end"
            self.stop(f"{said} where a field or a value was expected", "name a field")
        self.take()
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.at)
        if token.text == "null":
            self.stop("null: no field ever is", "ask with has(field) or !has(field)", token.at)
        if token.text in ("has", "size") and self.accept("("):
            return self.function(token)
        return self.methods(self.path(token))

    def function(self, token: _Token) -> Node:
        if token.text == "size":
            node: Node = Size(self.member(), token.at)
        else:
            name = self.take()
            field = self.path(name) if name.kind == "name" else None
            if field is None or "." not in field.path:
                self.stop("has() asks for a field", "write has(event.device.uid)", name.at)
            node = Has(field.path, token.at)
        self.expect(")")
        return node

    def path(self, first: _Token) -> Field:
        parts = [first.text]
        while self.peek().text == "." and self.tokens[self.next + 1].kind == "name":
            if self.tokens[self.next + 2].text == "(":
                break
            self.take()
            parts.append(self.take().text)
        if self.peek().text in ("[", "{", "("):
            names = ", ".join((*METHODS, "has", "size", *MACROS))
            self.stop(
                f"{'.'.join(parts)}{self.peek().text}: no such function, index or map",
                f"there is {names}",
                first.at,
            )
        return Field(".".join(parts), first.at)

    def methods(self, node: Node) -> Node:
        while self.peek().text == ".":
            self.take()
            name = self.take()
            if name.kind != "name":
                self.stop("a dot that leads nowhere", "name a field or a function", name.at)
            self.expect("(")
            if name.text in METHODS:
                token = self.take()
                if token.kind != "string":
                    self.stop(f"{name.text}() wants a text in quotes", "write one", token.at)
                node = Call(name.text, node, Literal(_unquoted(token), token.at), name.at)
            elif name.text == "size":
                node = Size(node, name.at)
            elif name.text in MACROS and isinstance(node, Field):
                node = self.each(name, node)
            else:
                names = ", ".join((*METHODS, "size", *MACROS))
                remedy = _REFUSED.get(name.text, f"there is {names}")
                self.stop(f"{name.text}() cannot be used here", remedy, name.at)
            self.expect(")")
        return node

    def each(self, name: _Token, of: Field) -> Node:
        variable = self.take()
        if variable.kind != "name":
            self.stop(f"{name.text}() wants a name for the element", "write g", variable.at)
        self.expect(",")
        return Each(name.text == "all", of, variable.text, self.choice(), name.at)

    def items(self, at: int) -> Node:
        found: list[Literal] = []
        while not self.accept("]"):
            node = self.unary()
            if not isinstance(node, Literal):
                self.stop("a list holds texts and numbers only", "write them out", node.at)
            found.append(node)
            if len(found) > MOST_ITEMS:
                self.stop(f"a list of more than {MOST_ITEMS}", "make a context of it", node.at)
            if not self.accept(","):
                self.expect("]")
                break
        return Items(tuple(found), at)

    def number(self, token: _Token) -> float:
        text = token.text
        if text.endswith("u"):
            self.stop("an unsigned number", f"write {text[:-1]}", token.at)
        try:
            value: float = int(text, 0) if re.fullmatch(r"0[xX].*|\d+", text) else float(text)
        except ValueError:
            self.stop(f"{text} is no number", "write it without leading zeros", token.at)
        if not -(2**63) <= value < 2**63:
            self.stop(f"{text} is too large", "no field is ever as large", token.at)
        return value


def _unquoted(token: _Token) -> str:
    text = token.text
    if text[0] in "rR":
        return text[2:-1]

    def meant(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "xuU" and len(code) > 1:
            number = int(code[1:], 16)
            if number < 0x110000 and not 0xD800 <= number < 0xE000:
                return chr(number)
        elif code in _ESCAPES:
            return _ESCAPES[code]
        raise ConditionSyntaxError(
            f"\\{code} stands for nothing", token.at + 1 + match.start(), r"write \\ for one \ "
        )

    return _ESCAPED.sub(meant, text[1:-1])
