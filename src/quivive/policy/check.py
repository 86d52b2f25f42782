"""What a policy that can be read still gets wrong: rules that never act, clash, or act unowned.

What follows from the conditions alone is proven (``logic``). What cannot be proven is looked for
on sample logins made from the values that the policy itself names; then it is only witnessed, and
says so.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf

from quivive.policy.actions import HARD, STEP_UP
from quivive.policy.file import Parsed
from quivive.policy.logic import Alternative, Demand, alternatives, implied, least_risk
from quivive.policy.problems import Level, Problem
from quivive.policy.rules import Policy, Rule
from quivive.policy.samples import holding, samples

_KIND = "identity.kind"
PERSON = (Alternative({_KIND: Demand(allowed=frozenset(["human"]))}),)
MACHINE = (Alternative({_KIND: Demand(allowed=frozenset(["service"]))}),)

CODES = {
    "yaml": "The text is not the YAML that is read: no aliases, no deep nesting.",
    "unknown-key": "A key that no policy has; the nearest known one is named.",
    "condition": "An unknown field, a comparison of two types, a loop that is not bounded, too much"
    " text or nesting.",
    "unreachable": "Earlier rules take every login that the rule could decide on.",
    "shadowed": "The same, seen on sample logins but not proven.",
    "contradiction": "Two rules say the same of when, and different things of what to do.",
    "never": "The condition cannot hold.",
    "expired": "The rule no longer holds.",
    "no-owner": "A rule acts, and nobody answers for it.",
    "no-budget": "A rule acts hard, and nothing stops it from doing so a thousand times.",
    "machine-step-up": "Step-up of a machine: its owner would be notified instead.",
    "any-risk": "A rule acts hard at any risk.",
    "flag-off": "The rule's flag is off.",
}


def check(parsed: Parsed, now: int | None = None) -> list[Problem]:
    """Everything that is wrong with a policy file, by line. ``now``: ms UTC, for what expired."""
    policy = parsed.policy
    if policy is None:
        return parsed.problems
    found = [*parsed.problems, *_Check(policy, parsed, now).run()]
    return sorted(found, key=lambda p: (p.line, p.column, p.code))


class _Check:
    def __init__(self, policy: Policy, parsed: Parsed, now: int | None) -> None:
        self.policy, self.parsed, self.now = policy, parsed, now
        self.problems: list[Problem] = []
        self.ways = {r.id: alternatives(r.when.tree) for r in policy.rules}

    def add(
        self, rule: Rule, key: str, code: str, text: str, remedy: str, level: Level = "error"
    ) -> None:
        line, column = self.parsed.where(rule.id, key, 0)
        self.problems.append(Problem(line, column, level, code, text, remedy))

    def run(self) -> list[Problem]:
        for rule in self.policy.rules:
            self.alone(rule)
        suspects = self.hidden()
        if suspects:
            self.witnessed(suspects)
        return self.problems

    def alone(self, rule: Rule) -> None:
        acts = rule.mode != "shadow" and not rule.also
        if rule.expires is not None and self.now is not None and self.now >= rule.expires:
            day = datetime.fromtimestamp(rule.expires / 1000, UTC).date()
            text = f"rule {rule.id} expired on {day}"
            self.add(rule, "expires", "expired", text, "renew it, or take it out", "warning")
        if acts and rule.owner is None and rule.action in (*HARD, STEP_UP):
            text = f"rule {rule.id} is to {rule.action} ({rule.mode}) and has no owner"
            self.add(rule, "mode", "no-owner", text, "write owner: who answers for it")
        if acts and rule.limit is None and rule.action in HARD:
            text = f"rule {rule.id} is to {rule.action} without a budget"
            remedy = "write budget: 5/hour, then page"
            self.add(rule, "action", "no-budget", text, remedy, "warning")
        least = least_risk(rule.when.tree, contexts=True)
        if rule.action in HARD and least == -inf and self.ways[rule.id]:
            text = f"rule {rule.id} is to {rule.action} at any risk"
            remedy = "join assessment.risk or assessment.level with &&, unless that is meant"
            self.add(rule, "when", "any-risk", text, remedy, "warning")
        if rule.flag is not None and not self.policy.flags.get(rule.flag, True):
            text = f"rule {rule.id} is asleep: its flag {rule.flag} is off"
            self.add(rule, "flag", "flag-off", text, "switch it on when it is wanted", "warning")
        if rule.action == STEP_UP and not implied(self.ways[rule.id], PERSON):
            machine = bool(self.ways[rule.id]) and implied(self.ways[rule.id], MACHINE)
            text = (
                f"rule {rule.id} asks {'a machine' if machine else 'machines, too,'} for a factor"
            )
            remedy = 'join identity.kind == "human" with &&; for machines rotate or notify'
            self.add(
                rule, "when", "machine-step-up", text, remedy, "error" if machine else "warning"
            )

    def hidden(self) -> list[Rule]:
        """Reports rules that cannot act, proven; gives those that still might not."""
        suspects: list[Rule] = []
        before: list[Rule] = []
        for rule in self.policy.rules:
            ways = self.ways[rule.id]
            if not ways:
                text = f"the condition of rule {rule.id} cannot hold"
                self.add(rule, "when", "never", text, "two of its parts exclude each other")
                continue
            if rule.also:
                continue
            clash = next((e for e in before if self.contradicts(e, rule)), None)
            hiding = [e for e in before if stops(e, rule)]
            if clash is not None:
                text = (
                    f"rule {rule.id} is to {rule.action} exactly when {clash.id}"
                    f" (line {clash.line}) is to {clash.action}"
                )
                self.add(
                    rule, "when", "contradiction", text, "keep one of them, or tell them apart"
                )
            elif hiding and implied(ways, [a for e in hiding for a in self.ways[e.id]]):
                taking = [e for e in hiding if self.overlap(ways, e)]
                named = ", ".join(f"{e.id} (line {e.line})" for e in taking[:3])
                text = f"rule {rule.id} can never act, after {named}"
                self.add(
                    rule, "when", "unreachable", text, "move it up, or narrow what is before it"
                )
            elif hiding:
                suspects.append(rule)
            before.append(rule)
        return suspects

    def overlap(self, ways: Sequence[Alternative], other: Rule) -> bool:
        return any(one.both(way) for one in ways for way in self.ways[other.id])

    def contradicts(self, one: Rule, other: Rule) -> bool:
        if one.action == other.action or one.action not in HARD or other.action not in HARD:
            return False
        first, second = self.ways[one.id], self.ways[other.id]
        return implied(first, second) and implied(second, first)

    def witnessed(self, suspects: Sequence[Rule]) -> None:
        """Reports suspects that some sample logins meet, all of them taken by earlier rules."""
        rules = [r for r in self.policy.rules if not r.also]
        met = dict.fromkeys((r.id for r in suspects), 0)
        acted: set[str] = set()
        for sample in samples(self.policy):
            held = holding(rules, sample)
            for at, rule in enumerate(held):
                if rule.id in met:
                    met[rule.id] += 1
                    if not any(stops(e, rule) for e in held[:at]):
                        acted.add(rule.id)
        for rule in suspects:
            if met[rule.id] and rule.id not in acted:
                text = (
                    f"rule {rule.id} met {met[rule.id]} sample logins, and earlier rules took all"
                    " of them (witnessed, not proven)"
                )
                remedy = "preview it over your history, move it up, or narrow what is before it"
                self.add(rule, "when", "shadowed", text, remedy, "warning")


def stops(earlier: Rule, later: Rule) -> bool:
    """Whether the later rule has no say on a login that both hold for."""
    if earlier.flag is not None and earlier.flag != later.flag:
        return False
    if earlier.expires is not None and (later.expires is None or later.expires > earlier.expires):
        return False
    return earlier.mode == "enforce" or later.mode == "shadow"
