"""Budgets of rules and what they have spent, in event time; part of the engine's state."""

import re

from msgspec import Struct, field

from quivive.policy.actions import PAGE, TELLING

RULES_KEPT = 400
WINDOWS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
MOST_SPENT = 1_000
_LIMIT = re.compile(
    r"(?P<amount>\d{1,9})\s*(?:/|an|a|per)\s*(?P<window>minute|hour|day|week)"
    r"(?:\s*,?\s*then\s+(?P<then>[a-z_]+))?",
    re.IGNORECASE,
)


class Limit(Struct, frozen=True):
    """At most ``amount`` times within ``window`` ms of event time; after that, ``then`` instead."""

    amount: int
    window: int
    then: str = PAGE

    def __str__(self) -> str:
        """As it is written in a policy."""
        word = next(w for w, ms in WINDOWS.items() if ms == self.window)
        return f"{self.amount}/{word}, then {self.then}"


def parse_limit(text: str) -> Limit:
    """The limit of "5/hour, then page". Raises ValueError saying what is wrong."""
    read = _LIMIT.fullmatch(text.strip())
    if read is None:
        raise ValueError('not understood; write "5/hour, then page"')
    amount, then = int(read["amount"]), (read["then"] or PAGE).lower()
    if not 1 <= amount <= MOST_SPENT:
        raise ValueError(f"between 1 and {MOST_SPENT:,} times")
    if then not in TELLING:
        raise ValueError(f"after it only a person can decide: then {', '.join(TELLING)}")
    return Limit(amount, WINDOWS[read["window"].lower()], then)


class Spent(Struct):
    """When each rule with a budget last acted: ms UTC, at most as many as its budget allows."""

    times: dict[str, list[int]] = field(default_factory=dict)

    def spend(self, rule: str, limit: Limit, time: int) -> bool:
        """Notes that a rule acts; False, with nothing noted, when its budget is used up.

        A late event counts where it belongs, so that the order of logs grants nothing.
        """
        since = time - limit.window
        kept = [t for t in self.times.pop(rule, ()) if t > since]
        lately = sum(t <= time for t in kept)
        granted = lately < limit.amount and len(kept) < MOST_SPENT
        if granted:
            kept.append(time)
        if kept:
            self.times[rule] = kept
        if len(self.times) > RULES_KEPT:
            self.times.pop(next(iter(self.times)))
        return granted
