"""``quivive drift``, what ``doctor`` says of it, and budgets on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from quivive.app.keeping import save_state
from quivive.app.scoring import decode_state, encode_state
from quivive.baseline.novelty import OrganisationEvent
from quivive.cli.main import cli
from quivive.engine.state import State
from quivive.learn.health import health
from quivive.model.ocsf import encode_event
from quivive.store.database import Store
from tests.scenario.company import PEOPLE, ordinary
from tests.unit.monitored import DAY, MONDAY, some, weeks


def quivive(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def kept(folder: Path, state: State) -> Path:
    with Store(folder) as store:
        save_state(store, state)
    return folder


def office(**changes: Any) -> OrganisationEvent:
    told: dict[str, Any] = {
        "domain": "place",
        "what": {"operator": ["3243"], "network": ["85.240.1.0/24"]},
        "operator": "MEO",
        "kind": "human",
        "first": MONDAY,
        "last": MONDAY + DAY,
        "identities": 12,
        "anchored": 11,
        "examples": ["dana@example.com"],
        "members": {},
        **changes,
    }
    return OrganisationEvent(**told)


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = State(monitor=weeks(change=some(0.5, mfa="single", device=None), since=35))
    state.novelty.events.append(office())
    return kept(tmp_path_factory.mktemp("drifted"), state)


def test_the_report_names_drift_gaps_and_events(drifted: Path) -> None:
    said = quivive("drift", "--state", drifted)
    assert said.exit_code == 0
    assert "MFA: single 9% → " in said.output
    assert "the device is missing in" in said.output
    assert "not evaluable: device" in said.output
    assert "operator AS3243 MEO, network 85.240.1.0/24: new to 12 people" in said.output
    assert "looks like a new office" in said.output


def test_the_report_as_json_is_the_same(drifted: Path) -> None:
    report = json.loads(quivive("drift", "--state", drifted, "--json").output)
    assert set(report) == {"since", "until", "drift", "gaps", "events"}
    assert [(d["feature"], d["severity"]) for d in report["drift"]] == [("mfa", "act")]
    assert [(g["field"], g["severity"]) for g in report["gaps"]] == [("device", "watch")]
    assert report["events"][0]["identities"] == 12


def test_strict_fails_on_what_asks_for_action_only(drifted: Path, tmp_path: Path) -> None:
    assert quivive("drift", "--state", drifted, "--strict").exit_code == 1
    calm = kept(tmp_path, State(monitor=weeks(28, people=10)))
    said = quivive("drift", "--state", calm, "--strict")
    assert said.exit_code == 0
    assert said.output.count("  none") == 3


def test_live_measures_silence_to_now(drifted: Path) -> None:
    said = quivive("drift", "--state", drifted, "--live", "--strict")
    assert said.exit_code == 1
    assert said.output.count(": silent for") == 2


def test_doctor_mentions_gaps(drifted: Path, tmp_path: Path) -> None:
    said = quivive("doctor", "--state", drifted).output
    assert "telemetry  Entra ID signIns: the device is missing" in said
    assert f"quivive drift --state {drifted}" in said
    calm = kept(tmp_path, State(monitor=weeks(28, people=10)))
    assert "telemetry  no gaps" in quivive("doctor", "--state", calm).output


def test_a_state_of_before_is_read_and_has_nothing_to_say(tmp_path: Path) -> None:
    import msgspec

    old = msgspec.msgpack.decode(encode_state(State()))
    for added in ("monitor", "novelty", "thresholds"):
        del old[added]
    state = decode_state(msgspec.msgpack.encode(old), "test")
    report = health(state.monitor, state.novelty)
    assert (report.until, report.drift, report.gaps, report.events) == (0, [], [], [])
    assert "Nothing was scored yet" in quivive("drift", "--state", kept(tmp_path, state)).output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"anchored": 2}, "make sure that it is yours"),
        ({"doubted": True}, "look at it as a campaign"),
        ({"domain": "client", "what": {"client": ["a/Windows/Edge"]}}, "that was rolled out"),
    ],
)
def test_an_event_says_how_sure_it_is(changes: dict[str, Any], words: str) -> None:
    state = State()
    state.novelty.events.append(office(**changes))
    (event,) = health(state.monitor, state.novelty).events
    assert event.text.endswith(words)


# --- budgets on the command line


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "month.jsonl"
    events = ordinary(0, 20, people=PEOPLE[:8])
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    return path


def test_a_budget_moves_findings_and_no_risk(log: Path, tmp_path: Path) -> None:
    lines = {}
    for budget in ("", "5%"):
        out = tmp_path / f"out-{budget}"
        options = ["--budget", budget] if budget else []
        said = quivive("score", "--source", "ocsf", *options, "--out", out, log)
        assert said.exit_code == 0, said.output
        lines[budget] = [json.loads(line) for line in out.read_text().splitlines()]
    plain, held = lines[""], lines["5%"]
    assert [line["risk_score"] for line in plain] == [line["risk_score"] for line in held]
    assert {line["threshold"] for line in plain} == {46.0}
    for line in (*plain, *held):
        assert line["finding"] <= (line["risk_score"] >= line["threshold"])
    share = sum(line["finding"] for line in held) / len(held)
    assert share == pytest.approx(0.05, rel=0.5)
    assert sum(line["finding"] for line in plain) < sum(line["finding"] for line in held)


def test_a_budget_not_understood_stops_before_any_work(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = quivive("score", "--budget", "few", "--out", out, log)
    assert said.exit_code != 0
    assert "budget 'few': not understood" in str(said.exception)
    assert not out.exists()


def test_too_little_history_is_not_called_calm(tmp_path: Path) -> None:
    young = kept(tmp_path, State(monitor=weeks(9, people=3)))
    assert "too early to tell: 9 days of logs" in quivive("drift", "--state", young).output
