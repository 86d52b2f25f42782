"""What a policy would have done: stored history decided anew, login by login.

Every stored login is read once and let go; what is kept are counts, and the identities each rule
would have touched. Rules are taken as if all were in force, unless asked otherwise.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from quivive.engine.observe import observe
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Assessment, Decision, Reason
from quivive.model.event import AuthEvent
from quivive.policy.actions import ALLOW, HARD, STEP_UP, TELLING
from quivive.policy.contexts import Contexts
from quivive.policy.decider import Decider
from quivive.policy.rules import Policy
from quivive.store.database import Store, StoreError
from quivive.store.policies import Policies
from quivive.store.verdicts import Verdicts

IDENTITIES_COUNTED = 100_000  # of a rule; more are not told apart
IDENTITIES_NAMED = 1_000
EXAMPLES = 10


class Hit(Struct):
    """What one rule, or one kind of action, would have touched.

    identities: how many logins of each. known_good: logins that a verdict calls in order; attacks:
    that a verdict calls an attack. good: identities of those in order.
    """

    logins: int = 0
    identities: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)
    known_good: int = 0
    attacks: int = 0

    def add(self, identity: str, verdict: bool | None) -> None:
        """Counts a login; ``verdict``: an attack, in order, or nobody said."""
        self.logins += 1
        if identity in self.identities or len(self.identities) < IDENTITIES_COUNTED:
            self.identities[identity] += 1
            self.good[identity] += verdict is False
        self.known_good += verdict is False
        self.attacks += verdict is True

    def row(self) -> dict[str, int]:
        """As JSON: counts only."""
        return {
            "logins": self.logins,
            "identities": len(self.identities),
            "known_good": self.known_good,
            "attacks": self.attacks,
        }

    def who(self) -> list[dict[str, object]]:
        """Whom it would have touched: those in order first, then those with the most logins."""
        order = sorted(self.identities, key=lambda n: (-self.good[n], -self.identities[n], n))
        return [
            {"identity": n, "logins": self.identities[n], "known_good": self.good[n]}
            for n in order[:IDENTITIES_NAMED]
        ]


class Outcome(Struct):
    """What one policy would have done. challenged: step-up; stopped: anything harder; told:
    notifications, tickets and pages. by_context: decisions that a context changed.
    """

    policy: str
    challenged: Hit = field(default_factory=Hit)
    stopped: Hit = field(default_factory=Hit)
    told: Hit = field(default_factory=Hit)
    rules: dict[str, Hit] = field(default_factory=dict)
    actions: Counter[str] = field(default_factory=Counter)
    by_context: int = 0
    over_budget: int = 0

    def add(self, decision: Decision, identity: str, verdict: bool | None) -> None:
        """Counts a decision."""
        self.actions[decision.action] += 1
        self.by_context += decision.instead_of is not None and bool(decision.contexts)
        self.over_budget += decision.spent is not None
        for ruled in decision.also:
            self.rules.setdefault(ruled.rule, Hit()).add(identity, verdict)
        if decision.action == ALLOW:
            return
        self.rules.setdefault(decision.rule, Hit()).add(identity, verdict)
        if decision.action == STEP_UP:
            self.challenged.add(identity, verdict)
        elif decision.action in HARD:
            self.stopped.add(identity, verdict)
        elif decision.action in TELLING:
            self.told.add(identity, verdict)

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "policy": self.policy,
            "challenged": {**self.challenged.row(), "who": self.challenged.who()},
            "stopped": {**self.stopped.row(), "who": self.stopped.who()},
            "told": self.told.row(),
            "actions": dict(sorted(self.actions.items())),
            "rules": {name: hit.row() for name, hit in sorted(self.rules.items())},
            "changed_by_context": self.by_context,
            "over_budget": self.over_budget,
        }


class Changed(Struct):
    """Logins that two policies decide differently, with the ids of the first few."""

    hit: Hit = field(default_factory=Hit)
    examples: list[str] = field(default_factory=list)


class Preview(Struct):
    """The whole answer. first and last: times of the oldest and newest login (ms UTC)."""

    logins: int = 0
    first: int = 0
    last: int = 0
    known_good: int = 0
    attacks: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    changes: dict[tuple[str, str], Changed] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """As JSON. The first policy is the one that was asked about."""
        return {
            "logins": self.logins,
            "first": self.first,
            "last": self.last,
            "known_good": self.known_good,
            "attacks": self.attacks,
            "policies": [outcome.row() for outcome in self.outcomes],
            "changes": [
                {"from": was, "to": now, **c.hit.row(), "examples": c.examples}
                for (was, now), c in sorted(self.changes.items())
            ],
        }


class _Line(Struct, frozen=True):
    """What is read of a stored line; the event only where a rule may ask for it."""

    event: msgspec.Raw
    risk_score: float
    risk_level: str
    confidence: float
    reasons: tuple[Reason, ...]
    identity: str
    identity_kind: str
    score: float = 0.0
    looks_like: str = ""
    otherwise: str = ""
    low_history: bool = False
    repeated: int = 0
    undamped: float | None = None

    def assessment(self) -> Assessment:
        return Assessment(
            score=self.score,
            risk_score=self.risk_score,
            risk_level=self.risk_level,
            confidence=self.confidence,
            reasons=self.reasons,
            reassuring=(),
            counterfactual=None,
            looks_like=self.looks_like,
            otherwise=self.otherwise,
            not_evaluable=(),
            low_history=self.low_history,
            repeated=self.repeated,
            undamped=self.risk_score if self.undamped is None else self.undamped,
        )


class _Time(Struct, frozen=True):
    time: int


_lines = msgspec.json.Decoder(_Line)
_events = msgspec.json.Decoder(AuthEvent)
_times = msgspec.json.Decoder(_Time)


def preview(
    store: Store,
    policy: Policy,
    against: Policy | None = None,
    *,
    as_written: bool = False,
    since: int | None = None,
) -> Preview:
    """Decides a store's history by a policy, and by another beside it; all of it, or what came
    since a time (ms UTC).

    The store's contexts apply, each at its own time. ``as_written``: rules in shadow stay in
    shadow. Raises StoreError naming a login that is damaged.
    """
    contexts = Contexts(Policies(store).contexts())
    asked = [policy] if against is None else [policy, against]
    deciders = [Decider(p if as_written else p.enforced(), contexts) for p in asked]
    verdicts = {i: g.verdict.attack for i, g in Verdicts(store).standing().items()}
    found = Preview(outcomes=[Outcome(p.label) for p in asked])
    enricher = Enricher(None, None)
    for event_id, body in store.history(since):
        try:
            line = _lines.decode(body)
            time = _times.decode(line.event).time
            decisions = _decided(line, deciders, enricher)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(
                f"{store.given}: login {event_id}: damaged: {error}; restore the store"
            ) from None
        _count(found, event_id, line, time, decisions, verdicts)
    return found


def _decided(line: _Line, deciders: list[Decider], enricher: Enricher) -> list[Decision]:
    risk = max(line.risk_score, line.undamped or 0.0)
    if all(not d.contexts.all and risk < d.least for d in deciders):
        return [d.allow for d in deciders]
    event = _events.decode(line.event)
    login = replace(
        observe(event, enricher.enrich(event), State()),
        identity=line.identity,
        kind=line.identity_kind,
    )
    assessment = line.assessment()
    return [d.decide(event, login, assessment) for d in deciders]


def _count(
    found: Preview,
    event_id: str,
    line: _Line,
    time: int,
    decisions: list[Decision],
    verdicts: Mapping[str, bool],
) -> None:
    verdict = verdicts.get(event_id)
    found.logins += 1
    found.first, found.last = found.first or time, time
    found.known_good += verdict is False
    found.attacks += verdict is True
    for outcome, decision in zip(found.outcomes, decisions, strict=True):
        outcome.add(decision, line.identity, verdict)
    if len(decisions) == 2 and decisions[0].action != decisions[1].action:
        key = (decisions[1].action, decisions[0].action)
        changed = found.changes.setdefault(key, Changed())
        changed.hit.add(line.identity, verdict)
        if len(changed.examples) < EXAMPLES:
            changed.examples.append(event_id)
