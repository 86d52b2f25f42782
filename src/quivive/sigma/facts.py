"""What a record says, by the names that rules have for it; looked up once for all rules."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

WRITTEN = "\0"  # before a name: the values as they are written, not in lower case
ANYWHERE = ""  # the name for all values of a record
DEEPEST = 16
MOST_VALUES = 1_000

Find = Callable[[str], Any]


class Facts(dict[str, tuple[str, ...]]):
    """The values of a record by field name, as texts; empty where it says nothing.

    In lower case, unless the name begins with WRITTEN.
    """

    __slots__ = ("_find",)

    def __init__(self, find: Find) -> None:
        """``find`` gives a field's value, of any JSON type, None where there is none."""
        super().__init__()
        self._find = find

    def __missing__(self, name: str) -> tuple[str, ...]:
        if name.startswith(WRITTEN):
            found = texts(self._find(name[1:]))
        else:
            found = tuple([value.lower() for value in self[WRITTEN + name]])
        self[name] = found
        return found


def texts(value: Any, depth: int = 0) -> tuple[str, ...]:
    """A JSON value as the texts that patterns are held against: those of a list each, an object
    as compact JSON.
    """
    if type(value) is str:
        return (value,)
    if value is None:
        return ()
    if type(value) is list or type(value) is tuple:
        if depth == DEEPEST:
            return ()
        return tuple([text for item in value[:MOST_VALUES] for text in texts(item, depth + 1)])
    return (_text(value),)


def _text(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer():
        return str(int(value))
    try:
        return msgspec.json.encode(value).decode() if type(value) is dict else str(value)
    except (ValueError, RecursionError):  # numbers of thousands of digits, objects as deep
        return ""


def leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """Every single value within a JSON value, as text."""
    if type(value) is dict or type(value) is list or type(value) is tuple:
        if depth < DEEPEST:
            inner = value.values() if type(value) is dict else value
            for item in inner:
                yield from leaves(item, depth + 1)
    elif value is not None:
        yield _text(value)


def dig(fields: dict[str, Any], name: str) -> Any:
    """A field by its dotted name, whole or through inner objects and lists of them; the case of
    letters matters only where a name differs from another by it.
    """
    found = fields.get(name)
    if found is not None:
        return found
    head, dot, rest = name.partition(".")
    while dot:
        inner = _member(fields, head)
        if type(inner) is str and inner[:1] in ("{", "["):
            inner = _embedded(inner)
        if type(inner) is dict:
            found = dig(inner, rest)
            if found is not None:
                return found
        elif type(inner) is list:
            each = [dig(item, rest) for item in inner[:MOST_VALUES] if type(item) is dict]
            each = [value for value in each if value is not None]
            if each:
                return each
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return _member(fields, name)


def _member(fields: dict[str, Any], name: str) -> Any:
    found = fields.get(name)
    if found is not None:
        return found
    low = name.lower()
    for key, value in fields.items():
        if len(key) == len(low) and key.lower() == low:
            return value
    return None


def _embedded(text: str) -> Any:
    """JSON in a text: tables keep inner objects like that."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
