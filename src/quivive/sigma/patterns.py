"""Values of Sigma rules with wildcards, and what matches them in linear time.

``*`` stands for any characters, ``?`` for one. A backslash takes a wildcard, or a backslash, for
itself; before anything else it is a plain character (Sigma specification, "escaping").
"""

import re
from collections.abc import Callable, Iterable
from enum import Enum

from msgspec import Struct

Match = Callable[[str], bool]


class Wild(Enum):
    """A wildcard."""

    MANY = "*"
    ONE = "?"


Part = str | Wild
Pattern = tuple[Part, ...]


def parse(text: str) -> Pattern:
    """A value as plain texts and wildcards."""
    found: list[Part] = []
    plain: list[str] = []
    escaped = False

    def add(wild: Wild) -> None:
        if plain:
            found.append("".join(plain))
            plain.clear()
        if not (wild is Wild.MANY and found and found[-1] is Wild.MANY):
            found.append(wild)

    for character in text:
        if escaped:
            plain.append(character if character in "*?\\" else "\\" + character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in "*?":
            add(Wild(character))
        else:
            plain.append(character)
    if escaped:
        plain.append("\\")
    if plain:
        found.append("".join(plain))
    return tuple(found)


def lowered(pattern: Pattern) -> Pattern:
    """The same in lower case."""
    return tuple(part if isinstance(part, Wild) else part.lower() for part in pattern)


def widened(pattern: Pattern, *, before: bool, after: bool) -> Pattern:
    """The same with any characters before or after it."""
    parts = list(pattern)
    if before and (not parts or parts[0] is not Wild.MANY):
        parts.insert(0, Wild.MANY)
    if after and (not parts or parts[-1] is not Wild.MANY):
        parts.append(Wild.MANY)
    return tuple(parts)


def plain(pattern: Pattern) -> str | None:
    """The text that a pattern without wildcards is; None with one."""
    if not pattern:
        return ""
    first = pattern[0]
    return first if len(pattern) == 1 and isinstance(first, str) else None


class Group(Struct):
    """Patterns of which one has to match, sorted by how that is found out."""

    equal: set[str]
    starts: list[str]
    ends: list[str]
    inside: list[str]
    globs: list[Match]


def any_of(patterns: Iterable[Pattern]) -> Match:
    """Whether a text matches one of the patterns."""
    group = Group(set(), [], [], [], [])
    for pattern in patterns:
        _sort(pattern, group)
    equal, starts, ends = frozenset(group.equal), tuple(group.starts), tuple(group.ends)
    inside = tuple(group.inside)
    tests: list[Match] = list(group.globs)
    if inside:
        tests.insert(0, _holding(inside))
    if starts:
        tests.insert(0, lambda text: text.startswith(starts))
    if ends:
        tests.insert(0, lambda text: text.endswith(ends))
    if equal:
        tests.insert(0, lambda text: text in equal)
    if len(tests) == 1:
        return tests[0]
    return lambda text: any(test(text) for test in tests)


def _holding(words: tuple[str, ...]) -> Match:
    if len(words) == 1:
        (word,) = words
        return lambda text: word in text

    def holds(text: str) -> bool:
        for word in words:  # noqa: SIM110 - twice as fast as any()
            if word in text:
                return True
        return False

    return holds


def _sort(pattern: Pattern, group: Group) -> None:
    many = Wild.MANY
    match pattern:
        case ():
            group.equal.add("")
        case (str(text),):
            group.equal.add(text)
        case (first,) if first is many:
            group.inside.append("")
        case (str(text), last) if last is many:
            group.starts.append(text)
        case (first, str(text)) if first is many:
            group.ends.append(text)
        case (first, str(text), last) if first is many and last is many:
            group.inside.append(text)
        case _:
            group.globs.append(_glob(pattern))


def _glob(pattern: Pattern) -> Match:
    """Pieces of fixed length between the wildcards for many: each at the first place after the one
    before it, so that no text takes longer than its length times that of the pattern.
    """
    pieces: list[list[Part]] = [[]]
    for part in pattern:
        if part is Wild.MANY:
            pieces.append([])
        else:
            pieces[-1].append(part)
    compiled = [(_piece(piece), _length(piece)) for piece in pieces]
    if len(compiled) == 1:
        whole = compiled[0][0]
        return lambda text: whole.fullmatch(text) is not None
    (first, _), *middle, (last, length) = compiled

    def matches(text: str) -> bool:
        found = first.match(text)
        for piece, _ in middle:
            if found is None:
                return False
            found = piece.search(text, found.end())
        if found is None:
            return False
        begin = len(text) - length
        return begin >= found.end() and last.match(text, begin) is not None

    return matches


def _piece(parts: list[Part]) -> re.Pattern[str]:
    text = "".join(re.escape(part) if isinstance(part, str) else "." for part in parts)
    return re.compile(text, re.DOTALL)


def _length(parts: list[Part]) -> int:
    return sum(len(part) if isinstance(part, str) else 1 for part in parts)
