"""One line of a field map made into a function that reads it from a record."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from quivive.model.errors import ConfigurationError
from quivive.model.record import RejectError
from quivive.sources import fields as read
from quivive.sources.map_words import FACTORS, WORDS, Word, factors_of, spellings, word_of

Scalar = str | bool | int | float
Find = Callable[[dict[str, Any]], Any]
Write = Callable[[dict[str, Any], dict[str, Any]], None]

ABSENT: Any = object()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT_MS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


class MapError(ConfigurationError):
    """A field map that cannot be used; the message names the place in it and what to write."""


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a value comes from.

    field: the record's field, or several of which the first with a value counts.
    values: what the field's values mean; any other value counts as absent.
    constant: the value when there is no field or it gives none.
    """

    field: str | tuple[str, ...] = ()
    values: dict[str | bool | int | None, Scalar] = {}
    constant: Scalar | None = None


class TimeRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the time comes from, and how it is written if not as ISO 8601 or epoch.

    format: for ``datetime.strptime``; unit: of an epoch number; utc_offset: "+02:00", for a
    format without one.
    """

    field: str
    format: str | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    utc_offset: Annotated[str, Meta(pattern=r"^[+-]\d\d:\d\d$")] | None = None


def finder(path: str) -> Find:
    """Looks a field up by its literal name, else as a dotted path; ABSENT without either."""
    keys = path.split(".")

    def find(fields: dict[str, Any]) -> Any:
        if path in fields:
            return fields[path]
        value: Any = fields
        for key in keys:
            if type(value) is not dict or key not in value:
                return ABSENT
            value = value[key]
        return value

    return find if len(keys) > 1 else lambda fields: fields.get(path, ABSENT)


def matcher(wanted: dict[str, tuple[Scalar, ...]]) -> Callable[[dict[str, Any]], bool]:
    """Whether every field named has one of its values."""
    tests = tuple(
        (finder(path), frozenset(word for value in values for word in spellings(value)))
        for path, values in wanted.items()
    )
    return lambda fields: all(word_of(find(fields)) in words for find, words in tests)


def writer(path: str, rule: str | Rule) -> Write:
    """Copies one field of a record to its place in an OCSF object. MapError for a bad rule."""
    if isinstance(rule, str):
        rule = Rule(field=rule)
    if not rule.field and rule.constant is None:
        raise MapError(f"fields.{path}: give a field or a constant")
    value_of = _value_of(rule)
    *parents, leaf = path.split(".")
    words = WORDS.get(path)
    if words is not None:
        _check_words(path, rule, words)

    def write(fields: dict[str, Any], ocsf: dict[str, Any]) -> None:
        value = value_of(fields)
        if value is None:
            return
        for parent in parents:
            ocsf = ocsf.setdefault(parent, {})
        if words is None:
            ocsf[leaf] = value
        elif words is FACTORS:
            ocsf[leaf] = factors_of(value)
        elif (assigned := words.get(word_of(value))) is not None:
            ocsf.update(assigned)

    return write


def _value_of(rule: Rule) -> Find:
    names = (rule.field,) if isinstance(rule.field, str) else rule.field
    finders = tuple(map(finder, names))
    if len(finders) == 1 and not rule.values and rule.constant is None:
        return _only(finders[0])
    meanings = {word: meant for key, meant in rule.values.items() for word in spellings(key)}

    def value_of(fields: dict[str, Any]) -> Any:
        for find in finders:
            value = find(fields)
            if value is ABSENT:
                continue
            if meanings:
                value = meanings.get(word_of(value))
            elif type(value) is str:
                value = read.clean(value)
            if value is not None:
                return value
        return rule.constant

    return value_of


def _only(find: Find) -> Find:
    def value_of(fields: dict[str, Any]) -> Any:
        value = find(fields)
        return None if value is ABSENT else value

    return value_of


def _check_words(path: str, rule: Rule, words: dict[str, Word]) -> None:
    constant = () if rule.constant is None else (rule.constant,)
    for value in (*rule.values.values(), *constant):
        if word_of(value) not in words:
            known = ", ".join(word for word in words if not word.isdecimal())
            raise MapError(f"fields.{path}: {value!r} is none of: {known}")


def time_reader(rule: str | TimeRule) -> Callable[[dict[str, Any], int | None], tuple[Any, int]]:
    """Gives a record's time as the record writes it, and in ms UTC; a default where it has none."""
    if isinstance(rule, str):
        rule = TimeRule(field=rule)
    if rule.format is not None and rule.unit is not None:
        raise MapError("time: give a format or a unit, not both")
    if rule.utc_offset is not None and rule.format is None:
        raise MapError("time.utc_offset: needs a format")
    field = rule.field
    find = finder(field)
    convert: Callable[[Any], float | None] | None = None
    if rule.format is not None:
        convert = _by_format(rule.format, rule.utc_offset or "+00:00")
    elif rule.unit is not None:
        convert = _by_unit(_UNIT_MS[rule.unit])

    def time(fields: dict[str, Any], default: int | None) -> tuple[Any, int]:
        value = find(fields)
        if value is ABSENT or value is None or value == "":
            return None, read.timestamp(None, field, default)
        if convert is None:
            return value, read.timestamp(value, field)
        ms = convert(value)
        if ms is None or not read.EARLIEST_MS <= ms < read.LATEST_MS:
            raise RejectError(f"{field}: no time from 2000 to 2099: {str(value)[:60]!r}")
        return value, round(ms)

    return time


def _by_unit(factor: float) -> Callable[[Any], float | None]:
    def convert(value: Any) -> float | None:
        number = read.number(value)
        return None if number is None else number * factor

    return convert


def _by_format(pattern: str, utc_offset: str) -> Callable[[Any], float | None]:
    _check_format(pattern)
    hours, minutes = utc_offset[1:].split(":")
    offset = int(hours) * 60 + int(minutes)
    zone = read.zone(-offset if utc_offset.startswith("-") else offset)

    def convert(value: Any) -> float | None:
        try:
            moment = datetime.strptime(str(value).strip()[:64], pattern)  # noqa: DTZ007
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return (moment - _EPOCH) // timedelta(milliseconds=1)

    return convert


_YEARS = ("%Y", "%y", "%G", "%c", "%x", "%D")


def _check_format(pattern: str) -> None:
    sample = datetime(2026, 2, 3, tzinfo=UTC)
    yearless = not any(year in pattern for year in _YEARS)
    checked = f"{pattern} %Y" if yearless else pattern
    try:
        back = datetime.strptime(sample.strftime(checked), checked)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        raise MapError(f"time.format: {error}") from None
    if yearless or back.year != sample.year:
        raise MapError("time.format: has no year")


def present(paths: Iterable[str]) -> Callable[[dict[str, Any]], bool]:
    """Whether a record has every field named, whatever its value."""
    finders = tuple(map(finder, paths))
    return lambda fields: all(find(fields) is not ABSENT for find in finders)
