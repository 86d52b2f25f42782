"""Every attack kind can be staged, and shows in the logs that it names."""

import json
from pathlib import Path

import pytest

from quivive.sim import organisation
from quivive.sim.action import Action
from quivive.sim.attacks import attacks
from quivive.sim.build import ordinary, simulate
from quivive.sim.organisation import Organisation
from quivive.sim.staging import stage
from quivive.sim.writing import VENDORS, emitters


@pytest.fixture(scope="module")
def org() -> Organisation:
    return organisation.build(11, 160, 16, 32)


@pytest.fixture(scope="module")
def usual(org: Organisation) -> list[Action]:
    return ordinary(org)


def test_there_are_kinds_enough() -> None:
    assert len(attacks()) >= 24


@pytest.mark.parametrize("kind", sorted(attacks()))
def test_every_kind_shows(kind: str, org: Organisation, usual: list[Action]) -> None:
    attack = attacks()[kind]
    actions, incidents = stage(org, usual, 3, [kind], VENDORS)
    assert incidents, "nobody fits"
    assert 1 <= len(actions) <= 3 * 45
    assert {action.incident for action in actions} == {incident.name for incident in incidents}
    assert all(org.begin <= action.time < org.end for action in actions)
    logs = {
        name
        for action in actions
        for name in VENDORS
        if any(isinstance(action, emitter.records) for emitter in emitters(name))
    }
    assert logs <= set(attack.logs)
    assert all(code.startswith("T1") for code in attack.techniques)


def test_every_use_case_and_scenario_is_attacked() -> None:
    wanted = {f"U{n}" for n in range(1, 11)} | {f"S{n}" for n in range(1, 7)}
    assert {code for attack in attacks().values() for code in attack.covers} == wanted


def test_one_incident_has_one_victim_in_any_order_of_hashing(
    org: Organisation, usual: list[Action]
) -> None:
    _, incidents = stage(org, usual, 30, None, VENDORS)
    assert len({incident.identity for incident in incidents}) == len(incidents) > 25


def test_default_mix_has_its_size(org: Organisation, usual: list[Action]) -> None:
    """160 people and 16 services over 32 days: somewhat less each than in the default one."""
    per_person_day = len([a for a in usual if "@" in a.identity]) / 160 / 32
    assert 2.0 < per_person_day < 5.0
    assert 16_000 < len(usual) < 30_000


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="vendors: no such log: gmail"):
        simulate(tmp_path, people=10, days=25, vendors=("gmail",))
    with pytest.raises(ValueError, match="kinds: no such attack: bribery"):
        simulate(tmp_path, people=10, days=25, kinds=["bribery"], vendors=("entra",))
    with pytest.raises(ValueError, match="days: 10 leave no time"):
        simulate(tmp_path, people=10, days=10, vendors=("entra",))


def test_only_wanted_kinds(tmp_path: Path) -> None:
    simulate(tmp_path, seed=5, people=20, services=2, days=26, incidents=3, kinds=["tor_login"],
             vendors=("entra",))  # fmt: skip
    lines = (tmp_path / "labels.jsonl").read_text().splitlines()
    assert {json.loads(line)["kind"] for line in lines} == {"tor_login"}
