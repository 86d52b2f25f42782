"""Sigma rules from a folder, and what they say of the records that are read."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from msgspec.structs import replace

from quivive.app.errors import UsageError
from quivive.app.registry import sources
from quivive.model.event import AuthEvent, Unmapped
from quivive.model.record import RawRecord
from quivive.model.rule import RuleMatch
from quivive.model.words import counted
from quivive.policy.marks import MOST_BYTES, YamlProblem, compose, pairs, place, plain
from quivive.sigma import regex
from quivive.sigma.facts import ANYWHERE, Facts
from quivive.sigma.flaw import SigmaFlaw
from quivive.sigma.logsources import NORMALISED
from quivive.sigma.matching import Rules, usable
from quivive.sigma.records import finder
from quivive.sigma.rule import Rule, read_rule
from quivive.sources.source import Source

MOST_FILES = 10_000
MOST_RULES = 2_000  # that are used at once
SUFFIXES = (".yml", ".yaml")
_NOTHING = Unmapped()


class Left(NamedTuple):
    """A rule that cannot be used: where it stands, why, and what to do."""

    file: str
    line: int
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}; {self.remedy}"


class Found(NamedTuple):
    """What a folder holds: rules that can be used, by their ids in order, and those that cannot."""

    rules: tuple[Rule, ...]
    left: tuple[Left, ...]


class Marking:
    """Puts onto events which rules their records matched, and counts that.

    counts: logins by the rule's id, as ``count`` is told of them.
    """

    def __init__(self, found: Found) -> None:
        """For the rules that can be used."""
        self.found = found
        self.rules = Rules(found.rules, sources())
        self.counts: Counter[str] = Counter()
        self._repeatable: dict[str, bool] = {}

    @property
    def digest(self) -> str:
        """The same for the same rules in the same modes."""
        said = "|".join(f"{rule.match}{rule.digest}" for rule in self.found.rules)
        return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()

    def marked(self, event: AuthEvent, record: RawRecord, source: Source) -> AuthEvent:
        """The event with the rules that its record matched."""
        found = self.rules.matches(source.name, record, event)
        if found is None:
            return event
        return replace(event, unmapped=replace(event.unmapped or _NOTHING, sigma=found))

    def repeatable(self, source: Source) -> bool:
        """Whether a record like one before matches the same rules."""
        known = self._repeatable.get(source.name)
        if known is None:
            known = self._repeatable[source.name] = self.rules.repeatable(source)
        return known

    def count(self, events: Iterable[AuthEvent]) -> None:
        """Counts what events matched."""
        for event in events:
            for match in matched(event):
                self.counts[match.id] += 1

    def said(self) -> str:
        """What came of it, in a line for people."""
        logins = Counter[bool]()
        for rule in self.found.rules:
            logins[rule.match.shadow] += self.counts[rule.match.id]
        shadow = f", {counted(logins[True], 'match', 'matches')} in shadow" if logins[True] else ""
        left = f"; {len(self.found.left)} left out, see quivive sigma check"
        return (
            f"sigma: {counted(len(self.found.rules), 'rule')},"
            f" {counted(logins[False], 'match', 'matches')}{shadow}"
            f"{left if self.found.left else ''}"
        )


class Watching(Marking):
    """Marks, and notes which fields of rules the records of each source have."""

    def __init__(self, found: Found) -> None:
        """Nothing is seen yet."""
        super().__init__(found)
        self._unseen = {
            source: set().union(*(rule.fields for rule in rules)) - {ANYWHERE}
            for source, rules in by_source(found).items()
        }
        self._read: set[str] = set()

    def marked(self, event: AuthEvent, record: RawRecord, source: Source) -> AuthEvent:
        """The event with the rules that its record matched."""
        for name in (source.name, NORMALISED):
            unseen = self._unseen.get(name)
            if unseen is not None:
                self._read.add(name)
            if unseen:
                facts = Facts(finder(name, record, event))
                unseen -= {field for field in unseen if facts[field]}
        return super().marked(event, record, source)

    def repeatable(self, source: Source) -> bool:  # noqa: ARG002
        """Every record is looked at."""
        return False

    def unseen(self, rule: Rule) -> list[str]:
        """The fields of a rule that no record had; empty where none was of its log."""
        names = usable(rule, sources()) & self._read
        return sorted(
            field for field in rule.fields if names and all(field in self._unseen[n] for n in names)
        )


def matched(event: AuthEvent) -> tuple[RuleMatch, ...]:
    """The rules that the record of an event matched."""
    return (event.unmapped.sigma or ()) if event.unmapped is not None else ()


def marking(folder: str | Path, shadow: Iterable[str] = ()) -> Marking:
    """What marks events by the rules of a folder; ``shadow`` are ids of rules that only count.

    Raises UsageError for a folder without a rule that can be used, or an id that none has.
    """
    wanted = frozenset(shadow)
    found = read_folder(Path(folder), wanted)
    if not found.rules:
        why = f"; the first: {found.left[0]}" if found.left else ""
        raise UsageError(f"{folder}: no rule in it can be used{why}")
    if len(found.rules) > MOST_RULES:
        raise UsageError(f"{folder}: {len(found.rules):,} rules; {MOST_RULES:,} are the most")
    unknown = wanted - {rule.match.id for rule in found.rules}
    if unknown:
        raise UsageError(
            f"{folder}: no rule that can be used has the id {min(unknown)!r}, which is to be in"
            " shadow; see quivive sigma check"
        )
    return Marking(found)


def forget() -> None:
    """Forgets texts of records that are remembered."""
    regex.forget()


def read_folder(folder: Path, shadow: frozenset[str] = frozenset()) -> Found:
    """The rules of a folder and of those in it, by path. Raises UsageError when it is none."""
    if folder.is_file():
        files = [folder]
    else:
        try:
            files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror}; check the path") from None
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; name one with Sigma rules")
    if len(files) > MOST_FILES:
        raise UsageError(f"{folder}: {len(files):,} files; {MOST_FILES:,} are the most")
    rules: dict[str, Rule] = {}
    left: list[Left] = []
    for path in files:
        name = str(path)
        for rule in _read_file(path, name, shadow):
            if isinstance(rule, Left):
                left.append(rule)
                continue
            former = rules.get(rule.match.id)
            if former is None:
                rules[rule.match.id] = rule
                continue
            left.append(
                Left(
                    name,
                    rule.line,
                    f"id: {rule.match.id} is that of {former.file}:{former.line}, too",
                    "give it another",
                )
            )
    return Found(tuple(rules[number] for number in sorted(rules)), tuple(left))


def _read_file(path: Path, name: str, shadow: frozenset[str]) -> Iterator[Rule | Left]:
    try:
        with path.open("rb") as stream:
            body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            yield Left(name, 1, f"over {MOST_BYTES:,} bytes", "make several files of it")
            return
        text = body.decode("utf-8-sig")
    except OSError as error:
        yield Left(name, 1, f"cannot be read ({error.strerror})", "check the file")
        return
    except UnicodeDecodeError:
        yield Left(name, 1, "no UTF-8 text", "save it as UTF-8")
        return
    known = sources()
    for number, (begin, document) in enumerate(_documents(text)):
        otherwise = f"{path.stem}-{number + 1}" if number else path.stem
        try:
            rule = _read(document, begin, _plain_id(otherwise), shadow, known)
        except SigmaFlaw as flaw:
            yield Left(name, flaw.line, flaw.text, flaw.remedy)
        except YamlProblem as found:
            problem = found.problem
            yield Left(name, begin + problem.line, problem.text, problem.remedy)
        else:
            digest = hashlib.blake2b(document.encode(), digest_size=8).hexdigest()
            yield replace(rule, file=name, digest=digest)


def _plain_id(text: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
    return kept.strip("-")[:64] or "rule"


def _documents(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a YAML file, each with the number of lines before it."""
    begin, lines, any_yet = 0, list[str](), False
    for number, line in enumerate(text.splitlines()):
        if line.rstrip() == "---" or line.startswith("--- "):
            if _is_said(lines):
                yield begin, "\n".join(lines)
                any_yet = True
            begin, lines = number, [line[4:]]
        else:
            lines.append(line)
    if _is_said(lines) or not any_yet:
        yield begin, "\n".join(lines)


def _is_said(lines: Iterable[str]) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def _read(
    text: str, begin: int, otherwise: str, shadow: frozenset[str], known: Mapping[str, Source]
) -> Rule:
    root = compose(text)
    lines: dict[tuple[str, ...], int] = {}
    _note(root, (), begin, lines)

    def line(*path: str) -> int:
        while path not in lines:
            path = path[:-1]
        return lines[path]

    rule = read_rule(plain(root), line, otherwise, shadow)
    try:
        usable(rule, known)
    except SigmaFlaw as flaw:  # it is right, but about no log that is read
        flaw.line = line("logsource" if flaw.text.startswith("logsource") else "detection")
        raise
    return rule


def _note(
    node: yaml.Node, path: tuple[str, ...], begin: int, lines: dict[tuple[str, ...], int]
) -> None:
    lines.setdefault(path, begin + place(node)[0])
    if isinstance(node, yaml.MappingNode) and len(path) < 2:
        for key, value in pairs(node):
            inner, line = (*path, key.value), begin + place(key)[0]
            if inner in lines:
                raise SigmaFlaw(f"{'.'.join(inner)} is there twice", "give one another name", line)
            lines[inner] = line
            _note(value, inner, begin, lines)


def by_source(found: Found) -> Mapping[str, list[Rule]]:
    """The rules by the names of the sources that they are about."""
    grouped: dict[str, list[Rule]] = {}
    for rule in found.rules:
        for name in sorted(usable(rule, sources())):
            grouped.setdefault(name, []).append(rule)
    return dict(sorted(grouped.items()))
