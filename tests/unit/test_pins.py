"""Pinned rules: a floor nothing lowers, and nothing learned under it."""

from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Evidence
from quivive.signals.signal import Signal
from tests.scenario.company import DANA, at, usual

FLOOR = 90.0
PIN = Signal(
    name="pinned",
    group="around",
    title="always",
    tells={"listed": "always"},
    attack=("T1078",),
    evidence=lambda login, scene, levels: [
        Evidence(signal="listed", weight=0.0, text="listed 1 time", pinned=FLOOR)
    ],
)


def test_a_floor_holds_for_an_identity_nobody_knows() -> None:
    scored = Engine(State(), Enricher(None, None), [PIN]).step(usual(DANA, at(0)))
    assert scored is not None
    assert scored.assessment.low_history
    assert scored.assessment.risk_score >= FLOOR
    assert scored.assessment.reasons[0].signal == "listed"


def test_a_login_under_a_pinned_rule_teaches_nothing() -> None:
    state = State()
    scored = Engine(state, Enricher(None, None), [PIN]).step(usual(DANA, at(0)))
    assert scored is not None
    profile = state.profiles[scored.login.identity]
    assert profile.successes == 0
    assert len(profile.held) == 1
