"""A policy file: every line of it checked, all that is wrong said at once."""

import hashlib
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import NamedTuple

import yaml

from quivive.policy import conditions
from quivive.policy.actions import ACTIONS, MODES, TELLING
from quivive.policy.conditions import Condition, nearest
from quivive.policy.environment import Hours
from quivive.policy.marks import YamlProblem, compose, pairs, place, place_in, plain
from quivive.policy.problems import Level, Problem
from quivive.policy.rules import Policy, Rule
from quivive.policy.spending import Limit, parse_limit

MOST_RULES = 200
KEYS = (
    "name",
    "version",
    "description",
    "owner",
    "defaults",
    "business_hours",
    "privileged",
    "flags",
    "rules",
)
DEFAULTS = ("mode", "canary", "expires", "owner", "runbook")
RULE_KEYS = (
    "id",
    "description",
    "owner",
    "when",
    "action",
    "mode",
    "canary",
    "budget",
    "expires",
    "flag",
    "runbook",
    "attack",
    "also",
    "priority",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")

Place = Callable[[str, str, int], tuple[int, int]]


class Parsed(NamedTuple):
    """What a file came to. policy: only where no error stands among the problems.

    where: line and column of a rule's key (rule, key, character of its text).
    """

    policy: Policy | None
    problems: list[Problem]
    where: Place


def parse(text: str, *, label: str = "") -> Parsed:
    """The policy of a file's text, with everything that is wrong with it."""
    reader = _Reader()
    try:
        root = compose(text)
    except YamlProblem as found:
        return Parsed(None, [found.problem], reader.where)
    policy = reader.policy(root, hashlib.sha256(text.encode()).hexdigest(), label)
    problems = sorted(reader.problems, key=lambda p: (p.line, p.column))
    broken = any(p.level == "error" for p in problems)
    return Parsed(None if broken else policy, problems, reader.where)


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.nodes: dict[tuple[str, str], yaml.Node] = {}

    def where(self, rule: str, key: str, at: int = 0) -> tuple[int, int]:
        node = self.nodes.get((rule, key)) or self.nodes.get((rule, "id"))
        if node is None:
            return 1, 1
        return place_in(node, at) if at and isinstance(node, yaml.ScalarNode) else place(node)

    def flaw(
        self, node: yaml.Node, code: str, text: str, remedy: str, level: Level = "error"
    ) -> None:
        self.problems.append(Problem(*place(node), level, code, text, remedy))

    def mapping(self, node: yaml.Node, known: Collection[str], what: str) -> dict[str, yaml.Node]:
        """The known keys of a mapping; the others, and those given twice, are problems."""
        if not isinstance(node, yaml.MappingNode):
            self.flaw(node, "type", f"{what} is no mapping", "write key: value lines")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in pairs(node):
            if key.value not in known:
                hint = nearest(key.value, known, f"the keys of {what}: {', '.join(known)}")
                self.flaw(key, "unknown-key", f"{what} has no key {key.value!r}", hint)
            elif key.value in found:
                self.flaw(key, "twice", f"{key.value} is given twice", "leave one of them")
            else:
                found[key.value] = value
        return found

    def policy(self, root: yaml.Node, digest: str, label: str) -> Policy:
        found = self.mapping(root, KEYS, "the policy")
        defaults = (
            self.mapping(found["defaults"], DEFAULTS, "defaults") if "defaults" in found else {}
        )
        owner = self.text(found.get("owner"))
        name = self.id(found.get("name"), "name") or "policy"
        version = str(plain(found["version"])) if "version" in found else ""
        if not version:
            self.flaw(root, "version", "the policy has no version", "write version: 1")
        mode = self.one_of(defaults.get("mode"), MODES, "mode") or "shadow"
        rules = self.rules(found.get("rules", root), "rules" in found, defaults, owner)
        return Policy(
            name=name,
            version=version[:64],
            rules=tuple(sorted(rules, key=lambda r: -r.priority)),
            owner=owner,
            description=self.text(found.get("description")) or "",
            mode=mode,
            hours=self.hours(found.get("business_hours")),
            privileged=tuple(p.lower() for p in self.texts(found.get("privileged"), "privileged")),
            flags=self.flags(found.get("flags")),
            digest=digest,
            label=label or f"{name}@{version}",
        )

    def rules(
        self, node: yaml.Node, there: bool, defaults: dict[str, yaml.Node], owner: str | None
    ) -> list[Rule]:
        if not there or not isinstance(node, yaml.SequenceNode):
            self.flaw(node, "rules", "no list of rules", "write rules: and a list below it")
            return []
        if len(node.value) > MOST_RULES:
            self.flaw(node, "rules", f"{len(node.value)} rules", f"{MOST_RULES} are the most")
            return []
        rules: list[Rule] = []
        for item in node.value:
            rule = self.rule(item, defaults, owner)
            if rule is None:
                continue
            if any(rule.id == other.id for other in rules):
                line, column = self.where(rule.id, "id")
                text = f"a second rule {rule.id}"
                self.problems.append(
                    Problem(line, column, "error", "twice", text, "give every rule its own id")
                )
            rules.append(rule)
        return rules

    def rule(
        self, node: yaml.Node, defaults: dict[str, yaml.Node], owner: str | None
    ) -> Rule | None:
        keys = self.mapping(node, RULE_KEYS, "a rule")
        if not keys:
            return None
        before = len(self.problems)
        for key in ("id", "when", "action"):
            if key not in keys:
                self.flaw(node, "missing", f"the rule has no {key}", f"write {key}: …")
        name = self.id(keys.get("id"), "id")
        if name is not None:
            self.nodes |= {(name, key): value for key, value in keys.items()}
        when = self.condition(keys.get("when"))
        action = self.one_of(keys.get("action"), ACTIONS, "action")

        def given(key: str) -> yaml.Node | None:
            return keys.get(key, defaults.get(key))

        mode = self.one_of(given("mode"), MODES, "mode") or "shadow"
        share = self.share(given("canary"))
        also = self.flag(keys.get("also"), "also")
        if mode == "canary" and not share:
            self.flaw(node, "canary", "a canary without a share", "write canary: 5%")
        if also and action is not None and action not in TELLING:
            self.flaw(
                keys["also"],
                "also",
                f"also with {action}",
                f"only {', '.join(TELLING)} can come beside another action",
            )
        priority = plain(keys["priority"]) if "priority" in keys else 0
        if not isinstance(priority, int) or isinstance(priority, bool):
            self.flaw(keys["priority"], "type", "priority is no whole number", "write one")
            priority = 0
        expires, limit = self.date(given("expires")), self.limit(keys.get("budget"))
        flag = self.id(keys.get("flag"), "flag")
        attack = self.texts(keys.get("attack"), "attack")
        for technique in attack:
            if not _TECHNIQUE.fullmatch(technique):
                self.flaw(
                    keys["attack"], "attack", f"{technique!r} is no technique", "write T1078.004"
                )
        if name is None or when is None or action is None or len(self.problems) > before:
            return None
        return Rule(
            id=name,
            when=when,
            action=action,
            mode=mode,
            description=self.text(keys.get("description")) or "",
            owner=self.text(given("owner")) or owner,
            share=share,
            limit=limit,
            expires=expires,
            flag=flag,
            runbook=self.text(given("runbook")),
            attack=tuple(attack),
            also=also,
            priority=priority,
            line=place(node)[0],
        )

    def condition(self, node: yaml.Node | None) -> Condition | None:
        if node is None:
            return None
        value = plain(node)
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(node, yaml.ScalarNode) or not isinstance(value, str):
            self.flaw(node, "type", "when is no condition", 'write when: "assessment.risk >= 66"')
            return None
        found, flaws = conditions.read(value)
        for flaw in flaws:
            line, column = place_in(node, flaw.at)
            self.problems.append(
                Problem(line, column, "error", "condition", flaw.text, flaw.remedy)
            )
        return found

    def text(self, node: yaml.Node | None) -> str | None:
        if node is None:
            return None
        value = plain(node)
        if not isinstance(value, str) or not value.strip() or len(value) > 2000:
            self.flaw(node, "type", "not a text of 1 to 2,000 characters", "write one")
            return None
        odd = next((c for c in value if not c.isprintable() and c not in "\n\t"), None)
        if odd is not None:
            self.flaw(node, "type", f"a control character (U+{ord(odd):04X})", "leave it out")
            return None
        return " ".join(value.split())

    def id(self, node: yaml.Node | None, what: str) -> str | None:
        if node is None:
            return None
        value = str(plain(node))
        if not isinstance(node, yaml.ScalarNode) or not _ID.fullmatch(value):
            self.flaw(
                node,
                "id",
                f"{value[:40]!r} cannot be {what}",
                "small letters, digits, - _ and . ; 64 at most",
            )
            return None
        return value

    def one_of(self, node: yaml.Node | None, known: Collection[str], what: str) -> str | None:
        if node is None:
            return None
        value = str(plain(node))
        if value in known:
            return value
        hint = nearest(value, known, f"what there is: {', '.join(known)}")
        self.flaw(node, what, f"no {what} {value[:40]!r}", hint)
        return None

    def flag(self, node: yaml.Node | None, what: str) -> bool:
        value = plain(node) if node is not None else False
        if node is not None and not isinstance(value, bool):
            self.flaw(node, "type", f"{what} is neither true nor false", "write one of them")
        return value is True

    def texts(self, node: yaml.Node | None, what: str) -> list[str]:
        if node is None:
            return []
        value = plain(node)
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            self.flaw(node, "type", f"{what} is no list of texts", "write a list")
            return []
        return [str(v) for v in value]

    def share(self, node: yaml.Node | None) -> float:
        if node is None:
            return 0.0
        value = plain(node)
        read = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
        share = float(read[1]) / 100 if read else value
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            self.flaw(node, "canary", f"canary {value!r} is no share", "write 5% or 0.05")
            return 0.0
        return float(share)

    def limit(self, node: yaml.Node | None) -> Limit | None:
        if node is None:
            return None
        try:
            return parse_limit(str(plain(node)))
        except ValueError as error:
            what, _, remedy = str(error).partition("; ")
            text = f"budget {str(plain(node))[:40]!r}: {what}"
            self.flaw(node, "budget", text, remedy or 'write "5/hour, then page"')
            return None

    def date(self, node: yaml.Node | None) -> int | None:
        if node is None:
            return None
        text = str(plain(node))
        try:
            when = datetime.fromisoformat(text)
            if when.tzinfo is None:
                when = when.replace(tzinfo=UTC)
            return int(when.timestamp() * 1000)
        except (ValueError, OverflowError):
            self.flaw(node, "expires", f"{text[:40]!r} is no date", "write 2027-01-31")
            return None

    def flags(self, node: yaml.Node | None) -> dict[str, bool]:
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.flaw(node, "type", "flags is no mapping", "write name: on")
            return {}
        return {
            key.value: self.flag(value, f"flag {key.value}")
            for key, value in pairs(node)
            if self.id(key, "flag") is not None
        }

    def hours(self, node: yaml.Node | None) -> Hours:
        if node is None:
            return Hours()
        keys = self.mapping(node, ("from", "to", "days", "utc_offset"), "business_hours")
        numbers = {"from": 8.0, "to": 18.0, "utc_offset": 0.0}
        bounds = {"from": (0.0, 24.0), "to": (0.0, 24.0), "utc_offset": (-12.0, 14.0)}
        for key, (low, high) in bounds.items():
            if key in keys:
                value = plain(keys[key])
                if isinstance(value, int | float) and low <= value <= high:
                    numbers[key] = float(value)
                else:
                    self.flaw(
                        keys[key], "hours", f"{key}: {value!r}", f"hours from {low:g} to {high:g}"
                    )
        days = tuple(range(5))
        if "days" in keys:
            named = self.texts(keys["days"], "days")
            odd = next((d for d in named if d.lower()[:3] not in DAYS), None)
            if odd is not None:
                self.flaw(keys["days"], "hours", f"no day {odd!r}", f"of {', '.join(DAYS)}")
            days = tuple(
                sorted({DAYS.index(d.lower()[:3]) for d in named if d.lower()[:3] in DAYS})
            )
        return Hours(numbers["from"], numbers["to"], days, numbers["utc_offset"])
