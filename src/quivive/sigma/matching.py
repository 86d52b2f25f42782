"""Which rules of a set a record matches: those alone are asked that an index does not rule out."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord
from quivive.model.rule import LEVELS, RuleMatch
from quivive.sigma.facts import ANYWHERE, Facts
from quivive.sigma.flaw import SigmaFlaw
from quivive.sigma.logsources import NORMALISED, resolve
from quivive.sigma.records import ALIASES, MESSAGE, finder
from quivive.sigma.rule import Rule
from quivive.sources.source import Source

MOST_NEEDED = 256  # values of a field by which a rule is looked up
MOST_MATCHES = 16  # rules that are carried with a login; the gravest come first
# Logs that are lines of text: what their records have for names.
LINES: dict[str, frozenset[str]] = {"sshd": frozenset({MESSAGE})}

_GRAVITY = {level: -place for place, level in enumerate(LEVELS)}


class _Set(Struct, frozen=True):
    """The rules of one source: ``index`` has those that need a value of a field."""

    always: tuple[Rule, ...]
    index: tuple[tuple[str, dict[str, tuple[Rule, ...]]], ...]
    fields: frozenset[str]  # the last word of every field that is looked at, in lower case


class Rules:
    """Rules that can be used, by the sources whose records they are about."""

    def __init__(self, rules: Iterable[Rule], sources: Mapping[str, Source]) -> None:
        """Raises SigmaFlaw for a rule about no source: ask ``usable`` before."""
        self.all = tuple(rules)
        by_source: dict[str, list[Rule]] = {}
        for rule in self.all:
            for name in usable(rule, sources):
                by_source.setdefault(name, []).append(rule)
        self._by_source = {name: _indexed(own) for name, own in by_source.items()}

    def matches(
        self, source: str, record: RawRecord, event: AuthEvent
    ) -> tuple[RuleMatch, ...] | None:
        """What a record of a source matches, the gravest first; None for nothing."""
        found: dict[str, RuleMatch] = {}
        for name in (source, NORMALISED):
            own = self._by_source.get(name)
            if own is not None:
                facts = Facts(finder(name, record, event))
                for rule in _asked(own, facts):
                    if rule.match.id not in found and rule.test(facts):
                        found[rule.match.id] = rule.match
        if not found:
            return None
        gravest = sorted(found.values(), key=lambda match: (_GRAVITY[match.level], match.id))
        return tuple(gravest[:MOST_MATCHES])

    def repeatable(self, source: Source) -> bool:
        """Whether records that differ in nothing but what varies match the same rules."""
        varying = source.varying
        if varying is None:
            return True
        members = (varying.time, varying.uid, varying.correlation, varying.second, *varying.unread)
        looked = {name.lower() for name in members if name} | {ANYWHERE}
        own, normal = self._by_source.get(source.name), self._by_source.get(NORMALISED)
        if normal is not None and not normal.fields.isdisjoint(_OF_VARYING):
            return False
        return own is None or own.fields.isdisjoint(looked)


# What varies in a record is the time and ids of its event.
_OF_VARYING = frozenset(
    {"", "time", "uid", "original_time", "correlation_uid", "uid_alt", "sequence", "metadata"}
)


def _asked(own: _Set, facts: Facts) -> Iterable[Rule]:
    yield from own.always
    for field, table in own.index:
        for value in facts[field]:
            yield from table.get(value, ())


def _indexed(rules: list[Rule]) -> _Set:
    always: list[Rule] = []
    index: dict[str, dict[str, tuple[Rule, ...]]] = {}
    for rule in rules:
        needs = {f: v for f, v in rule.needs.items() if len(v) <= MOST_NEEDED}
        if not needs:
            always.append(rule)
            continue
        field = min(needs, key=lambda name: (len(needs[name]), name))
        table = index.setdefault(field, {})
        for value in needs[field]:
            table[value] = (*table.get(value, ()), rule)
    looked = {name for rule in rules for name in rule.fields}
    for aliases in ALIASES.values():
        looked |= {alias for name in looked for alias in aliases.get(name.lower(), ())}
    last = frozenset(name.rpartition(".")[2].lower() for name in looked)
    return _Set(tuple(always), tuple(index.items()), last)


def usable(rule: Rule, sources: Mapping[str, Source]) -> frozenset[str]:
    """The sources that a rule is about. Raises SigmaFlaw where none can ever match it."""
    names = resolve(rule.logsource, sources)
    fields = sorted(rule.fields - {ANYWHERE})
    for name in fields:
        if names == {NORMALISED} and name not in event_fields():
            raise SigmaFlaw(
                f"no login has a field {name}",
                "category authentication is matched by the names of OCSF, such as user.name;"
                " name a product for the vendor's own",
            )
        if all(own in LINES and name.lower() not in LINES[own] for own in names):
            raise SigmaFlaw(
                f"lines of {', '.join(sorted(names))} have no field {name}",
                "write keywords, a list of texts without a field; or message|contains",
            )
    return names


_event_fields: frozenset[str] | None = None


def event_fields() -> frozenset[str]:
    """The dotted names that a normalised event can have."""
    global _event_fields
    if _event_fields is None:
        _event_fields = frozenset(_names(AuthEvent))
    return _event_fields


def _names(kind: type[Struct], before: str = "", depth: int = 0) -> Iterable[str]:
    for field in msgspec.structs.fields(kind):
        name = f"{before}{field.encode_name}"
        yield name
        inner = _struct_in(field.type)
        if inner is not None and depth < 4:
            yield from _names(inner, f"{name}.", depth + 1)


def _struct_in(kind: object) -> type[Struct] | None:
    if isinstance(kind, type):
        return kind if issubclass(kind, Struct) else None
    for part in getattr(kind, "__args__", ()):
        found = _struct_in(part)
        if found is not None:
            return found
    return None
