"""The selections of a Sigma rule, compiled to closures over what a record says."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from operator import ge, gt, le, lt
from typing import Any

from msgspec import Struct

from quivive.sigma import patterns, regex
from quivive.sigma.facts import ANYWHERE, WRITTEN, Facts
from quivive.sigma.flaw import SigmaFlaw

Test = Callable[[Facts], bool]
Needs = Mapping[str, frozenset[str]]  # fields that must have one of some values, in lower case

TEXTS = ("contains", "startswith", "endswith")
COMPARISONS: dict[str, Callable[[float, float], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
KINDS = (*TEXTS, "re", "cidr", "exists", *COMPARISONS)
FLAGS = {"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s"}
MODIFIERS = (*KINDS, "all", "cased", "i", "m", "s")
MOST_VALUES = 2_000  # of one field
MOST_NAME = 200
MOST_DOTS = 12


class Selection(Struct, frozen=True):
    """A selection: what it asks, what it needs, and which fields it looks at ("": all values)."""

    test: Test
    needs: Needs
    fields: frozenset[str]


def compiled(value: Any) -> Selection:
    """A selection as it is written: fields with values, keywords, or a list of either.

    Raises SigmaFlaw.
    """
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        maps = [item for item in value if isinstance(item, dict)]
        words = [item for item in value if not isinstance(item, dict)]
        if not value:
            raise SigmaFlaw("an empty list", "write what it looks for")
        parts = [_mapping(item) for item in maps]
        if words:
            parts.append(_item("", words))
        return either(parts)
    return _item("", [value])


def both(parts: list[Selection]) -> Selection:
    """All of several."""
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.test for part in parts)
    needs: dict[str, frozenset[str]] = {}
    for part in parts:
        for field, values in part.needs.items():
            if field not in needs or len(values) < len(needs[field]):
                needs[field] = values
    return Selection(lambda facts: all(test(facts) for test in tests), needs, _fields(parts))


def either(parts: list[Selection]) -> Selection:
    """One of several."""
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.test for part in parts)
    first, *others = parts
    needs = {
        field: values.union(*(part.needs[field] for part in others))
        for field, values in first.needs.items()
        if all(field in part.needs for part in others)
    }
    return Selection(lambda facts: any(test(facts) for test in tests), needs, _fields(parts))


def neither(part: Selection) -> Selection:
    """Not one."""
    test = part.test
    return Selection(lambda facts: not test(facts), {}, part.fields)


def _fields(parts: Iterable[Selection]) -> frozenset[str]:
    return frozenset().union(*(part.fields for part in parts))


def _mapping(fields: dict[str, Any]) -> Selection:
    if not fields:
        raise SigmaFlaw("an empty selection", "write field: value")
    return both([_item(key, value) for key, value in fields.items()])


def _item(key: str, value: Any) -> Selection:
    """One ``field|modifier: value``."""
    field, *said = key.split("|")
    field, modifiers = field.strip(), [word.strip().lower() for word in said]
    where = field or "keywords"
    if len(field) > MOST_NAME or field.count(".") > MOST_DOTS or "\0" in field:
        raise SigmaFlaw(f"field {field[:40]!r}: no name of a field", "write the record's name")
    for word in modifiers:
        if word not in MODIFIERS and word not in FLAGS:
            raise SigmaFlaw(
                f"{where}: the modifier {word!r} is not read here",
                f"write it out with one of {', '.join(MODIFIERS)}",
            )
    kinds = [word for word in modifiers if word in KINDS]
    flags = "".join(dict.fromkeys(FLAGS[word] for word in modifiers if word in FLAGS))
    if len(kinds) > 1:
        raise SigmaFlaw(f"{where}: {' and '.join(kinds)} at once", "use one of them")
    kind = kinds[0] if kinds else ""
    if flags and kind != "re":
        raise SigmaFlaw(f"{where}: {said[-1]} is for re", "write |re before it")
    if not field and kind not in ("", "contains", "re"):
        raise SigmaFlaw(f"keywords: {kind} needs a field", f"write field|{kind}: value")
    values = value if isinstance(value, list) else [value]
    if not values or len(values) > MOST_VALUES:
        raise SigmaFlaw(f"{where}: {len(values):,} values", f"write 1 to {MOST_VALUES:,}")
    if any(isinstance(each, dict | list) for each in values):
        raise SigmaFlaw(f"{where}: values within values", "write a flat list of values")
    if kind == "exists":
        return _exists(field, values)
    cased = "cased" in modifiers
    every = "all" in modifiers
    name = field or ANYWHERE
    if kind == "re":
        for each in values:
            regex.check(_flagged(each, flags))
        tests = [_regex(_flagged(each, flags)) for each in values]
        return _joined(WRITTEN + name, name, tests, every=every)
    if kind == "cidr":
        nets = [_network(each, where) for each in values]
        return _joined(name, name, [_in_network(net) for net in nets], every=every)
    if kind in COMPARISONS:
        numbers = [_number(each, where) for each in values]
        compared = [_compared(COMPARISONS[kind], number) for number in numbers]
        return _joined(name, name, compared, every=every)
    return _texts(field, kind, values, cased=cased, every=every)


def _joined(key: str, name: str, tests: list[patterns.Match], *, every: bool) -> Selection:
    """Whether a value of the field passes one of the tests, or, with all, each has such a value."""
    fields = frozenset({name})
    if len(tests) == 1:
        (only,) = tests
        return Selection(_once(key, only), {}, fields)
    if every:
        return Selection(
            lambda facts: all(any(test(v) for v in facts[key]) for test in tests), {}, fields
        )
    return Selection(lambda facts: any(test(v) for v in facts[key] for test in tests), {}, fields)


def _once(key: str, matches: patterns.Match) -> Test:
    """Whether one of the field's values passes; most fields have one."""

    def holds(facts: Facts) -> bool:
        for value in facts[key]:  # noqa: SIM110 - twice as fast as any()
            if matches(value):
                return True
        return False

    return holds


def _texts(field: str, kind: str, values: list[Any], *, cased: bool, every: bool) -> Selection:
    """Texts with wildcards; null for a field without a value."""
    name = field or ANYWHERE
    key = WRITTEN + name if cased else name
    given = [each for each in values if each is not None]
    nothing = len(given) < len(values)
    if nothing and (kind or every or not field):
        raise SigmaFlaw(f"{field or 'keywords'}: null with a modifier", "write field: null alone")
    read = [patterns.parse(_scalar(each)) for each in given]
    if kind or not field:
        before, after = kind != "startswith", kind != "endswith"
        read = [patterns.widened(each, before=before, after=after) for each in read]
    if not cased:
        read = [patterns.lowered(each) for each in read]
    if every and len(read) > 1:
        return _joined(key, name, [patterns.any_of([each]) for each in read], every=True)
    fields = frozenset({name})
    if not read:
        return Selection(lambda facts: not facts[key], {}, fields)
    matches = patterns.any_of(read)
    if nothing:
        return Selection(lambda facts: not facts[key] or any(map(matches, facts[key])), {}, fields)
    plain = [patterns.plain(each) for each in read]
    needs: dict[str, frozenset[str]] = {}
    if field and all(each is not None for each in plain):
        needs[name] = frozenset(each.lower() for each in plain if each is not None)
    return Selection(_once(key, matches), needs, fields)


def _exists(field: str, values: list[Any]) -> Selection:
    if len(values) != 1 or not isinstance(values[0], bool):
        raise SigmaFlaw(f"{field}: exists is true or false", f"write {field}|exists: true")
    wanted = values[0]
    return Selection(lambda facts: bool(facts[field]) is wanted, {}, frozenset({field}))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _flagged(pattern: Any, flags: str) -> str:
    return f"(?{flags}){_scalar(pattern)}" if flags else _scalar(pattern)


def _regex(pattern: str) -> patterns.Match:
    return lambda text: regex.matches(pattern, text)


def _network(value: Any, where: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value), strict=False)
    except ValueError:
        raise SigmaFlaw(f"{where}: {value!r} is no CIDR block", "write 203.0.113.0/24") from None


def _in_network(net: IPv4Network | IPv6Network) -> patterns.Match:
    def within(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return address in net

    return within


def _number(value: Any, where: str) -> float:
    try:
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise SigmaFlaw(f"{where}: {value!r} is no number", "write a number to compare with")


def _compared(compare: Callable[[float, float], bool], number: float) -> patterns.Match:
    def holds(text: str) -> bool:
        try:
            return compare(float(text), number)
        except ValueError:
            return False

    return holds
