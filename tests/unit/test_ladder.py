"""The built-in ladder: soft first, revocation only at high confidence, never on machines alone."""

from dataclasses import dataclass

import pytest

from quivive.model.assessment import Assessment, level_of
from quivive.policy.ladder import decide


def assessed(risk: float, confidence: float, repeated_off: float = 0.0) -> Assessment:
    return Assessment(
        score=5.0,
        risk_score=risk - repeated_off,
        risk_level=level_of(risk - repeated_off),
        confidence=confidence,
        reasons=(),
        reassuring=(),
        counterfactual=None,
        looks_like="",
        otherwise="",
        not_evaluable=(),
        low_history=False,
        undamped=risk,
    )


@dataclass
class Case:
    risk: float
    confidence: float
    kind: str
    action: str


@pytest.mark.parametrize(
    "case",
    [
        Case(10, 0.9, "human", "allow"),
        Case(50, 0.9, "human", "notify"),
        Case(70, 0.9, "human", "step_up"),
        Case(90, 0.9, "human", "revoke"),
        Case(90, 0.3, "human", "step_up"),
        Case(70, 0.9, "service", "notify"),
        Case(90, 0.9, "service", "rotate"),
        Case(90, 0.3, "service", "notify"),
    ],
    ids=str,
)
def test_the_ladder(case: Case) -> None:
    decision = decide(assessed(case.risk, case.confidence), case.kind)
    assert decision.action == case.action
    assert decision.mode == "shadow"


def test_having_told_already_lets_nobody_in() -> None:
    assert decide(assessed(90, 0.9, repeated_off=35), "human").action == "revoke"
