"""From an assessment to a decision: the rules, then the circumstances, then the budget."""

from math import inf

from quivive.baseline.observation import Observation
from quivive.model.assessment import CRITICAL, Assessment, Decision, Ruled
from quivive.model.event import AuthEvent
from quivive.policy.actions import ALLOW, NOTIFY, STEP_UP
from quivive.policy.conditions import environment
from quivive.policy.contexts import NOTHING, RAISING, Contexts, Met, settle
from quivive.policy.environment import Facts, variables
from quivive.policy.logic import least_risk
from quivive.policy.rules import Policy, Rule
from quivive.policy.spending import Spent

MOST_ALSO = 4


class Decider:
    """Decides by one policy. Deterministic: time is the login's own."""

    def __init__(
        self, policy: Policy, contexts: Contexts | None = None, spent: Spent | None = None
    ) -> None:
        """``spent`` is changed in place, and kept with the engine's state."""
        self.policy = policy
        self.contexts = contexts or Contexts()
        self.spent = Spent() if spent is None else spent
        self.rules = policy.switched_on()
        self.fields = tuple(sorted({path for rule in self.rules for path in rule.when.fields}))
        # Below the first no rule holds, where no context applies; below the second none at all.
        self.least = self._least(contexts=False)
        self.least_in_context = self._least(contexts=True)
        # Below this only contexts that raise can make something of a login.
        self.quiet = min(self.least_in_context, CRITICAL)
        self.raising = Contexts(c for c in self.contexts.all if c.kind in RAISING)
        self.allow = Decision(action=ALLOW, mode=policy.mode, rule=f"{policy.name}/allow")

    def _least(self, *, contexts: bool) -> float:
        bounds = [least_risk(rule.when.tree, contexts=contexts) for rule in self.rules]
        return min(bounds, default=inf)

    def decide(self, event: AuthEvent, login: Observation, assessment: Assessment) -> Decision:
        """The decision on one login. The event carries the place it was judged by."""
        if self.allows(event, login, assessment):
            return self.allow
        met = self.contexts.met(event, login) if self.contexts.all else NOTHING
        return self.judge(event, login, assessment, met)

    def allows(self, event: AuthEvent, login: Observation, assessment: Assessment) -> bool:
        """Whether no rule can hold of a login, nor any context make something of it: then it is
        allowed, whatever was decided before.
        """
        risk = assessment.undamped
        if assessment.risk_score > risk:
            risk = assessment.risk_score
        if risk < self.quiet:
            return not self.raising.all or self.raising.met(event, login) is NOTHING
        if risk >= self.least:
            return False
        return not self.contexts.all or self.contexts.met(event, login) is NOTHING

    def judge(
        self, event: AuthEvent, login: Observation, assessment: Assessment, met: Met
    ) -> Decision:
        """The same the long way: every rule is asked."""
        decides, shadow, also = self._asked(event, login, assessment, met)
        rule = decides or shadow
        asked = rule.action if rule is not None else ALLOW
        action = self._fitting(asked, login)
        action = settle(action, met, login, assessment)
        spent = None
        if rule is not None and rule.limit is not None and action == rule.action:
            if not self.spent.spend(rule.id, rule.limit, login.time):
                action, spent = rule.limit.then, str(rule.limit)
        changed = action != asked and spent is None
        if action == ALLOW and not changed and not also and shadow is None and rule is None:
            return self.allow
        return Decision(
            action=action,
            mode=self._mode(rule, decides),
            rule=self._name(rule),
            policy=self.policy.label or None,
            would=self._ruled(shadow, "shadow") if decides is not None and shadow else None,
            also=tuple(
                self._ruled(r, r.mode if r.acts(login.identity) else "shadow") for r in also
            ),
            contexts=met.names,
            instead_of=asked if changed else None,
            spent=spent,
            runbook=rule.runbook if rule is not None else None,
        )

    def _asked(
        self, event: AuthEvent, login: Observation, assessment: Assessment, met: Met
    ) -> tuple[Rule | None, Rule | None, list[Rule]]:
        """The first rule that acts, the first before it that only would, and those beside."""
        policy = self.policy
        facts = Facts(
            event,
            login,
            assessment,
            max(0.0, assessment.undamped - met.margin) if met.margin else assessment.undamped,
            policy.is_privileged(login.identity, event),
            met.kinds,
            met.names,
            policy.hours,
        )
        asking = environment(variables(facts, self.fields))
        decides: Rule | None = None
        shadow: Rule | None = None
        also: list[Rule] = []
        for rule in self.rules:
            if rule.expires is not None and login.time >= rule.expires:
                continue
            if rule.also:
                if len(also) < MOST_ALSO and rule.when.holds(asking):
                    also.append(rule)
            elif decides is None:
                acts = rule.acts(login.identity)
                if (acts or shadow is None) and rule.when.holds(asking):
                    if acts:
                        decides = rule
                    else:
                        shadow = rule
        return decides, shadow, also

    def _fitting(self, action: str, login: Observation) -> str:
        """No machine can show another factor: its owner is told."""
        return NOTIFY if action == STEP_UP and login.kind != "human" else action

    def _mode(self, rule: Rule | None, decides: Rule | None) -> str:
        if rule is None:
            return self.policy.mode
        return rule.mode if decides is not None else "shadow"

    def _name(self, rule: Rule | None) -> str:
        return f"{self.policy.name}/{rule.id if rule is not None else ALLOW}"

    def _ruled(self, rule: Rule, mode: str) -> Ruled:
        return Ruled(action=rule.action, mode=mode, rule=self._name(rule))
