"""Query parameters and headers as values; what is wrong with them in the words of the API."""

from typing import Any

import msgspec
from msgspec import inspect

MOST_SHOWN = 60  # characters of what was given


def wrong(given: dict[str, str], kind: type) -> list[str]:
    """What is wrong with each parameter of a query that is to become ``kind``: its name, what was
    given, and what is allowed.
    """
    fields = {field.encode_name: field.type for field in inspect.type_info(kind).fields}  # type: ignore[attr-defined]
    types = msgspec.structs.fields(kind)
    declared = {field.encode_name: field.type for field in types}
    problems = []
    for name, text in given.items():
        if name not in fields:
            others = ", ".join(fields)
            there = f"there are {others}" if others else "there are none here"
            problems.append(f"{_shown(name)}: no such parameter; {there}")
            continue
        try:
            msgspec.convert(text, declared[name], strict=False)
        except msgspec.ValidationError:
            problems.append(value_wrong(name, text, declared[name]))
    return problems or ["its values do not go together"]


def value_wrong(name: str, text: str, declared: Any) -> str:
    """ "limit: 'many' was given; a whole number from 1 to 1,000 is wanted"."""
    what = f"'{_shown(text)}' was given" if text else "nothing was given"
    return f"{name}: {what}; {wanted(declared)} is wanted"


def wanted(declared: Any) -> str:
    """What values of a type are, in words."""
    return _wanted(inspect.type_info(declared))


def _wanted(found: inspect.Type) -> str:
    match found:
        case inspect.UnionType(types=types):
            return " or ".join(_wanted(t) for t in types if not isinstance(t, inspect.NoneType))
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            said = (extra or {}).get("description")
            return f"{_wanted(inner)} ({said})" if said else _wanted(inner)
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.EnumType(cls=cls):
            return f"one of {', '.join(str(one.value) for one in cls)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=low, le=high):
            return f"a whole number{_range(low, high)}"
        case inspect.FloatType(ge=low, le=high):
            return f"a number{_range(low, high)}"
        case inspect.StrType(min_length=least, max_length=most) if least or most:
            return f"a text of{_length(least, most)} characters"
    return "a text"


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low:,}"
    return f" of at most {high:,}" if low is None else f" from {low:,} to {high:,}"


def _length(least: int | None, most: int | None) -> str:
    return _range(least, most).removeprefix(" of").replace(" from", "", 1)


def _shown(text: str) -> str:
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: MOST_SHOWN + 1])
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
