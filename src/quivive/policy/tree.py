"""Conditions as a tree, and the tree as CEL again."""

from collections.abc import Iterator

from msgspec import Struct


class Literal(Struct, frozen=True):
    """A string, a number, true or false."""

    value: str | float | bool
    at: int


class Field(Struct, frozen=True):
    """A field by its dotted path; inside exists and all also the name of the element."""

    path: str
    at: int


class Items(Struct, frozen=True):
    """A list that is written out."""

    items: tuple[Literal, ...]
    at: int


class Has(Struct, frozen=True):
    """Whether a field is there."""

    path: str
    at: int


class Not(Struct, frozen=True):
    """The opposite."""

    of: "Node"
    at: int


class Logic(Struct, frozen=True):
    """``op`` "&&" or "||" between two or more."""

    op: str
    items: tuple["Node", ...]
    at: int


class Relation(Struct, frozen=True):
    """A comparison: ``op`` is one of RELATIONS."""

    op: str
    left: "Node"
    right: "Node"
    at: int


class Choice(Struct, frozen=True):
    """``test ? then : other``."""

    test: "Node"
    then: "Node"
    other: "Node"
    at: int


class Call(Struct, frozen=True):
    """A method of a string with one string: ``name`` is one of METHODS."""

    name: str
    of: "Node"
    argument: Literal
    at: int


class Size(Struct, frozen=True):
    """How long a string or a list is."""

    of: "Node"
    at: int


class Each(Struct, frozen=True):
    """``list.exists(name, body)`` or, where ``every``, ``list.all(name, body)``."""

    every: bool
    of: Field
    name: str
    body: "Node"
    at: int


Node = Literal | Field | Items | Has | Not | Logic | Relation | Choice | Call | Size | Each


def printed(node: Node) -> str:
    """The condition as CEL again, with every bracket that matters."""
    match node:
        case Literal(value=bool() as value):
            return "true" if value else "false"
        case Literal(value=str() as value):
            return _quoted(value)
        case Literal(value=value):
            return repr(value)
        case Field(path=path):
            return path
        case Items(items=items):
            return f"[{', '.join(printed(i) for i in items)}]"
        case Has(path=path):
            return f"has({path})"
        case Not(of=of):
            return f"!({printed(of)})"
        case Logic(op=op, items=parts):
            return "(" + f" {op} ".join(printed(i) for i in parts) + ")"
        case Relation(op=op, left=left, right=right):
            return f"({printed(left)} {op} {printed(right)})"
        case Choice(test=test, then=then, other=other):
            return f"({printed(test)} ? {printed(then)} : {printed(other)})"
        case Call(name=name, of=of, argument=argument):
            return f"{printed(of)}.{name}({printed(argument)})"
        case Size(of=of):
            return f"size({printed(of)})"
        case Each(every=every, of=of, name=name, body=body):
            return f"{of.path}.{'all' if every else 'exists'}({name}, {printed(body)})"


def _quoted(text: str) -> str:
    kept = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in kept) + '"'


def parts(node: Node) -> Iterator[Node]:
    """A tree's nodes, itself first."""
    yield node
    match node:
        case Not(of=of) | Size(of=of) | Call(of=of):
            yield from parts(of)
        case Logic(items=items):
            for item in items:
                yield from parts(item)
        case Relation(left=left, right=right):
            yield from parts(left)
            yield from parts(right)
        case Choice(test=test, then=then, other=other):
            for part in (test, then, other):
                yield from parts(part)
        case Each(of=field, body=body):
            yield field
            yield from parts(body)
