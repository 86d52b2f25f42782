"""Pinned rules: a floor nothing lowers, and nothing learned under it."""

import pytest

from quivive.baseline.observation import Observation
from quivive.baseline.profile import AddressState, Organisation, Profile, Scene
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import Evidence
from quivive.signals.pinned import GUESSED
from quivive.signals.pinned import SIGNAL as PINNED
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


@pytest.mark.parametrize(
    ("failures", "at_home", "outcome", "told"),
    [
        (GUESSED, 0, "success", True),
        (GUESSED - 1, 0, "success", False),
        (GUESSED, 1, "success", False),
        (GUESSED, 0, "failure", False),
    ],
)
def test_success_after_many_guesses_from_one_address(
    failures: int, at_home: int, outcome: str, told: bool
) -> None:
    time, address, state = at(40, 3), AddressState(), State()
    for n in range(failures):
        address.failures.add(time - n * 1000)
        address.failing.add("deploy", time - n * 1000)
    for n in range(at_home):
        address.welcome(f"n{n}", time)
    login = Observation(
        time=time, identity="deploy", kind="service", log="sshd", outcome=outcome,
        accepted=outcome == "success", hour=3, weekday=5, ip="198.51.100.9",
    )  # fmt: skip
    scene, levels = state.scene(login, Profile())
    scene = Scene(scene.profile, address, None, Organisation())
    assert PINNED.evidence is not None
    found = {e.signal for e in PINNED.evidence(login, scene, levels)}
    assert ("guessing_success" in found) is told
