"""What is said about a login: evidence, an assessment, a decision."""

from msgspec import Struct

FINDING = 46.0  # risk from which a login is worth telling: five in a thousand
HIGH = 66.0
CRITICAL = 80.0


def level_of(risk: float) -> str:
    """The word for a risk: low, medium, high or critical."""
    if risk >= CRITICAL:
        return "critical"
    if risk >= HIGH:
        return "high"
    return "medium" if risk >= FINDING else "low"


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """One signal's say about one login.

    weight: log-likelihood ratio in nats, attacker against identity; above 0 suspicious, below 0
        reassuring. ``text`` carries the counts behind it; ``attack`` its ATT&CK technique ids.
    pinned: a floor (0-100) under the risk, for high-precision rules outside the score.
    always: it is told whatever it weighs, and however low the risk is.
    """

    signal: str
    weight: float
    text: str
    attack: tuple[str, ...] = ()
    pinned: float | None = None
    always: bool = False


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A reason as it is told: part of the fixed output."""

    signal: str
    text: str
    weight: float
    attack: tuple[str, ...] = ()


class Assessment(Struct, frozen=True, kw_only=True, gc=False):
    """Every login's score.

    score: evidence in nats, attack stories against ordinary ones. looks_like and otherwise: the
        story on each side that explains the login best.
    risk_score: 0-100, where 60 is one login in a thousand. risk_level: low to critical.
    confidence: 0-1, how much history and how many signals stood behind it.
    repeated: how often it was told already, which lowers risk_score (as waiting at a prompt for
        another factor does) but not ``undamped``, on which policy decides.
    without_rules: ``undamped`` without the operator's rules, where any spoke.
    history: effective (decayed) logins of the identity that were known; low_history: fewer than
        five. newcomer: first seen days ago at most, so it is measured among newcomers.
    short_road: whether it was taken for as usual as the same login earlier in the hour.
    """

    score: float
    risk_score: float
    risk_level: str
    confidence: float
    reasons: tuple[Reason, ...]
    reassuring: tuple[Reason, ...]
    counterfactual: str | None
    looks_like: str
    otherwise: str
    not_evaluable: tuple[str, ...]
    low_history: bool
    repeated: int = 0
    undamped: float = 0.0
    without_rules: float | None = None
    history: float = 0.0
    newcomer: bool = False
    short_road: bool = False


class Ruled(Struct, frozen=True, kw_only=True, gc=False):
    """What one rule says beside the decision itself."""

    action: str
    mode: str
    rule: str


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What policy says to do, in which mode (shadow, canary, enforce), by which rule.

    In shadow nothing is done. policy: the version that decided; none where nothing was to do.
    would: what an earlier rule in shadow, or of a canary without this identity, would have done.
    also: what is told besides. contexts: the circumstances that applied; instead_of: the action
    before they, or the kind of identity, changed it. spent: the budget that was used up.
    runbook: what to read.
    """

    action: str
    mode: str
    rule: str
    policy: str | None = None
    would: Ruled | None = None
    also: tuple[Ruled, ...] = ()
    contexts: tuple[str, ...] = ()
    instead_of: str | None = None
    spent: str | None = None
    runbook: str | None = None
