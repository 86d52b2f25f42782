"""The budget of cost: steps that are declared, taken one at a time, told and taken back."""

import json
from pathlib import Path

import pytest

from quivive.app.audit import verify
from quivive.model.assessment import FINDING
from quivive.scoring.assess import QUIET
from quivive.server.guardrail import CALM, LOGINS, STEPS, Guardrail
from quivive.server.settings import ServerSettings
from quivive.store.audit import Filters, Trail
from quivive.store.database import Store
from tests.unit.serving import Served, login


def dear(guardrail: Guardrail, times: int = 1) -> None:
    guardrail.note(LOGINS, LOGINS * 300e-6 * times)


def test_steps_are_taken_one_at_a_time_and_taken_back_when_it_is_calm() -> None:
    guardrail = Guardrail(budget=100.0)
    for level, step in enumerate(STEPS, 1):
        dear(guardrail)
        change = guardrail.look()
        assert change is not None
        assert (change.step, change.taken, change.level) == (step, True, level)
        assert change.cost == pytest.approx(300)
        assert guardrail.in_force == STEPS[:level]
    dear(guardrail)
    assert guardrail.look() is None  # there is nothing else to leave out: what is found stays
    changes = []
    for _ in range(4 * CALM + 4):
        guardrail.note(LOGINS, LOGINS * 10e-6)
        changes.append(guardrail.look())
    back = [change for change in changes if change is not None]
    assert [change.step for change in back] == list(reversed(STEPS))
    assert not any(change.taken for change in back)
    assert guardrail.in_force == ()


def test_a_few_logins_say_nothing_and_near_the_budget_nothing_changes() -> None:
    guardrail = Guardrail(budget=300.0)
    guardrail.note(LOGINS - 1, 10.0)
    assert guardrail.look() is None
    assert guardrail.cost is None
    guardrail = Guardrail(budget=300.0)
    for _ in range(3 * CALM):
        guardrail.note(LOGINS, LOGINS * 270e-6)  # below the budget, without room to spare
        assert guardrail.look() is None
    assert guardrail.cost == pytest.approx(270)


def test_without_a_budget_the_cost_is_measured_only_and_one_taken_away_ends_the_steps() -> None:
    guardrail = Guardrail()
    dear(guardrail, times=100)
    assert guardrail.look() is None
    assert guardrail.cost == pytest.approx(30_000)
    guardrail.budget = 10.0
    dear(guardrail)
    assert guardrail.look() is not None
    guardrail.budget = None
    dear(guardrail)
    change = guardrail.look()
    assert change is not None
    assert not change.taken


def test_what_a_step_leaves_out_of_judging() -> None:
    guardrail = Guardrail(budget=1.0)
    assert guardrail.thrift == (True, QUIET)
    for _ in STEPS:
        dear(guardrail)
        guardrail.look()
    assert guardrail.thrift == (False, FINDING)


def test_a_server_says_what_it_leaves_out_and_finds_the_same(tmp_path: Path) -> None:
    served = Served(tmp_path / "thrifty", ServerSettings(cost_seconds=0.001))
    plain = Served(tmp_path / "plain")
    try:
        lines = []
        for one in (served, plain):
            for _ in STEPS:
                one.server.figures.guardrail.note(LOGINS, 1.0)
                one.runner.run(one.server.weigh_cost())
            answer = one.ask("POST", "/v1/assess", json=login(1)).json()
            lines.append({name: answer[name] for name in ("risk_score", "decision", "finding")})
        assert lines[0] == lines[1]
        names = [step.name for step in STEPS]
        assert served.ask("GET", "/readyz").json()["spares"] == names
        assert "spares" not in plain.ask("GET", "/readyz").json()
        text = served.ask("GET", "/metrics").text
        assert 'quivive_guardrail{step="words"} 1.0' in text
        assert "quivive_cost_seconds_per_million_logins 5000.0" in text
        assert "quivive_cost_budget_seconds_per_million_logins 0.001" in text
        assert "quivive_short_road_logins_total 0.0" in text
        assert served.server.judge.judging._engine.words_from == FINDING
        assert plain.server.judge.judging._engine.words_from == QUIET
    finally:
        served.close()
        plain.close()
    with Store(tmp_path / "thrifty") as store:
        assert verify(store, None).broken is None
        told = list(Trail(store).records(Filters(action="guardrail")))
    assert [record.subject for record in told] == names
    assert [json.loads(record.details)["steps_in_force"] for record in told] == [1, 2, 3]
