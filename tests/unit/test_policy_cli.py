"""``quivive policy`` and ``quivive context`` on a store: versions, rollback, flags, previews."""

import json
import shutil
from pathlib import Path

import pytest

from quivive.app import policies as app
from quivive.app.keeping import load_state
from quivive.app.policies import active, decider
from quivive.app.policy_file import read, shipped_text
from quivive.app.preview import preview
from quivive.model.context import Context
from quivive.model.errors import ConfigurationError
from quivive.model.verdict import Verdict
from quivive.store.audit import Trail
from quivive.store.database import Store
from quivive.store.models import Author
from quivive.store.policies import Policies
from quivive.store.verdicts import Given, Verdicts
from tests.scenario.company import (
    BUCHAREST,
    DANA,
    LISBON,
    PEOPLE,
    UNKNOWN_CLIENT,
    at,
    in_order,
    login,
    numbered,
    ordinary,
    usual,
    written,
)
from tests.unit.conftest import score
from tests.unit.policies import NOON

ANA = Author("ana", "a test", NOON)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks of six people, then an attacker on one of them and a move of another."""
    folder = tmp_path_factory.mktemp("policy")
    days = range(22, 25)
    moves = [usual(DANA, at(d, 15), LISBON, ip=LISBON.ip(9), device=None) for d in days]
    attacks = [login("eric", at(d, 3), BUCHAREST, agent=UNKNOWN_CLIENT, mfa=False) for d in days]
    events = in_order(
        numbered(ordinary(0, 22, people=PEOPLE[:6]), "o-"),
        numbered(moves, "m-"),
        numbered(attacks, "x-"),
    )
    score(folder / "state", written(folder / "log.ndjson", events))
    return folder / "state"


@pytest.fixture
def state(scored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored, tmp_path / "state"))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The shipped policy, stricter, with a flag."""
    file = tmp_path / "mine.yaml"
    text = shipped_text().replace("name: default", "name: mine")
    text = text.replace('assessment.level != "low"', "assessment.risk >= 20")
    text = text.replace("action: notify", "action: block\n    flag: blocking\n    budget: 900/week")
    file.write_text(text, encoding="utf-8")
    return file


def lines(state: Path) -> list[dict]:
    return [json.loads(line) for line in (state.parent / "out").read_text().splitlines()]


def test_a_preview_decides_as_the_run_did(state: Path, scored: Path) -> None:
    written: dict[str, int] = {}
    for line in lines(scored):
        action = line["decision"]["action"]
        written[action] = written.get(action, 0) + 1
    with Store(state) as store:
        found = preview(store, active(store), as_written=True)
    assert found.outcomes[0].actions == written
    assert found.logins == sum(written.values())
    assert written["allow"] < found.logins


def test_a_preview_counts_known_good_and_attacks_and_what_changes(
    run, state: Path, mine: Path
) -> None:
    with Store(state) as store:
        given = [
            Given(n, Verdict(event_id=i, kind=kind, by="ana", why="asked", when=at(30)))  # type: ignore[arg-type]
            for n, (i, kind) in enumerate(
                [("x-0", "true_positive"), ("m-0", "false_positive"), ("o-0", "false_positive")], 1
            )
        ]
        Verdicts(store).write(given, [], [], {})
    ran = run("policy", "preview", "--policy", mine, "--state", state, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    first, second = found["policies"]
    assert (first["policy"], second["policy"]) == ("mine@1", "default@1")
    assert (found["known_good"], found["attacks"]) == (2, 1)
    touched = [first[k] for k in ("challenged", "stopped", "told")]
    assert sum(t["attacks"] for t in touched) == 1
    assert first["stopped"]["logins"] > second["stopped"]["logins"]
    assert first["rules"]["mine/medium-notify"]["identities"] >= 1
    who = first["stopped"]["who"]
    assert len(who) == first["stopped"]["identities"]
    assert sum(one["logins"] for one in who) == first["stopped"]["logins"]
    assert sum(one["known_good"] for one in who) == first["stopped"]["known_good"]
    changed = {(c["from"], c["to"]): c for c in found["changes"]}
    assert ("allow", "block") in changed
    assert all(c["logins"] and c["examples"] for c in changed.values())
    told = run("policy", "preview", "--policy", mine, "--state", state)
    assert "what changes from default@1 to mine@1" in told.out
    assert f"{who[0]['identity']} ({who[0]['logins']}" in told.out
    assert "allow -> block" in told.out
    alike = run("policy", "preview", "--policy", mine, "--against", mine, "--state", state)
    assert "decides every login as" in alike.out


def test_contexts_of_the_store_count_in_a_preview(state: Path) -> None:
    with Store(state) as store:
        former = preview(store, active(store)).outcomes[0]
        safe = Context(
            id="c9", kind="safelist", reason="r", owner="o", begins=0, ends=2**52,
            identities=("@example.com",),
        )  # fmt: skip
        Policies(store).add([safe], ANA, app.record)
        later = preview(store, active(store)).outcomes[0]
    assert later.by_context > 0
    assert later.actions["allow"] > former.actions["allow"]


def test_versions_are_activated_and_rolled_back(run, state: Path, mine: Path) -> None:
    assert run("policy", "activate", mine, "--state", state, "--by", "ana").code == 0
    second = mine.with_name("second.yaml")
    second.write_text(mine.read_text().replace("version: 1", "version: 2"))
    run("policy", "activate", second, "--state", state, "--by", "bob", "--why", "stricter")
    with Store(state) as store:
        assert active(store).label == "p2"
        assert Policies(store).version("p1").body == mine.read_text()
    back = run("policy", "rollback", "--state", state, "--by", "ana")
    assert "p1 is active again, in place of p2" in back.out
    assert "shipped is active again" in run("policy", "rollback", "--state", state).out
    refused = run("policy", "rollback", "--state", state)
    assert (refused.code, "none to roll back to" in refused.err) == (2, True)
    assert "p2 is active again" in run("policy", "rollback", "--state", state, "--to", "p2").out
    assert "no policy 'p9'" in run("policy", "rollback", "--state", state, "--to", "p9").err
    listed = run("policy", "list", "--state", state, "--history").out
    assert "p2       active" in listed
    assert "by bob: stricter" in listed
    shown = run("policy", "show", "p1", "--state", state).out
    assert shown == mine.read_text()
    again = run("policy", "activate", mine, "--state", state, "--by", "ana")
    assert "p1 is active now" in again.out  # the same text keeps its version


def test_what_is_wrong_is_refused_and_changes_nothing(run, state: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: x\nversion: 1\nrules:\n  - {id: a, when: nix, action: block}\n")
    ran = run("policy", "activate", broken, "--state", state, "--by", "ana")
    assert ran.code == 2
    assert "broken.yaml:4:19: error: no field nix" in ran.err
    assert run("policy", "check", broken).code == 1
    assert run("policy", "check", tmp_path / "none.yaml").code == 2
    with Store(state) as store:
        assert Policies(store).history() == []


def test_a_flag_works_at_once(run, state: Path, mine: Path) -> None:
    run("policy", "activate", mine, "--state", state, "--by", "ana")
    with Store(state) as store:
        before, rules = Policies(store).revision(), len(decider(store).rules)
    off = run("policy", "flag", "blocking", "off", "--state", state, "--by", "ana")
    assert off.out == "blocking is off: medium-notify\n"
    assert "flag blocking: off" in run("policy", "list", "--state", state).out
    unknown = run("policy", "flag", "blockng", "off", "--state", state)
    assert (unknown.code, "there is blocking" in unknown.err) == (2, True)
    with Store(state) as store:
        assert Policies(store).revision() != before
        assert len(decider(store).rules) == rules - 1
        assert decider(store).allow.rule == "mine/allow"


def test_every_change_stands_in_the_trail_and_hooks_are_called(
    state: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(app, "ON_CHANGE", [lambda _, change: told.append(change.action)])
    with Store(state) as store:
        app.activate(store, mine, ANA)
        app.switch(store, "blocking", False, ANA)
        vip = Context(
            id="", kind="vip", reason="r", owner="o", begins=NOON, ends=NOON + 9, identities=("a",)
        )
        Policies(store).add([vip], ANA, app.record)
        Policies(store).end("c1", ANA, app.record)
        app.roll_back(store, ANA)
        recorded = [
            (r.actor, r.action, r.subject) for r in Trail(store).records() if r.actor == "ana"
        ]
    assert told == ["activate", "flag-off", "context-add", "context-end", "rollback"]
    assert recorded == [
        ("ana", "policy:activate", "p1"),
        ("ana", "policy:flag-off", "blocking"),
        ("ana", "context:add", "c1"),
        ("ana", "context:end", "c1"),
        ("ana", "policy:rollback", "shipped"),
    ]


def test_a_change_that_cannot_be_recorded_is_none(state: Path, mine: Path) -> None:
    def refuse(*_: object) -> None:
        raise ConfigurationError("the trail is closed")

    with Store(state) as store:
        with pytest.raises(ConfigurationError, match="closed"):
            Policies(store).activate(mine.read_text(), "d", ANA, refuse)
        assert Policies(store).versions() == []
        assert Policies(store).active() == "shipped"


def test_contexts_are_added_listed_ended_and_imported(run, state: Path, tmp_path: Path) -> None:
    add = ("context", "add", "safelist", "--state", state, "--by", "ana", "--reason", "office")
    assert run(*add, "--address", "198.51.100.0/24", "--until", "90d").out.startswith("c1 holds")
    assert run(*add, "--id", "lab", "--address", "192.0.2.1").code == 0
    taken = run(*add, "--id", "lab", "--address", "192.0.2.1")
    assert (taken.code, "context lab already" in taken.err) == (2, True)
    empty = run(*add)
    assert (empty.code, "has to name" in empty.err) == (2, True)
    file = tmp_path / "contexts.yaml"
    file.write_text("- {kind: vip, identities: [ceo@example.com], reason: r, owner: o}\n")
    assert "1 contexts added: c3" in run("context", "import", file, "--state", state).out
    listed = run("context", "list", "--state", state, "--learned").out
    assert listed.index("lab") < listed.index("c1")  # the first to end on top
    assert "198.51.100.0/24  (ana: office)" in listed
    assert "identities" in listed.partition("learned:")[2]
    assert run("context", "end", "lab", "--state", state, "--by", "ana").out == "lab has ended\n"
    assert run("context", "end", "lab", "--state", state).code == 2
    rows = [
        json.loads(r)
        for r in run("context", "list", "--state", state, "--json").out.split("\n")
        if r
    ]
    assert [r["id"] for r in rows] == ["c3", "c1"]
    everything = run("context", "list", "--state", state, "--all").out
    assert "lab          safelist     ended" in everything


def test_a_decider_comes_from_a_file_or_the_store(state: Path, mine: Path) -> None:
    with Store(state) as store:
        assert decider(store).policy.name == "default"
        app.activate(store, mine, ANA)
        assert decider(store).policy.label == "p1"
        assert decider(store, read(mine).policy()).policy.label == "mine@1"
        assert load_state(store) is not None


def test_score_decides_by_the_policy_named_or_the_active_one(
    run, scored: Path, mine: Path, tmp_path: Path
) -> None:
    log, folder = scored.parent / "log.ndjson", tmp_path / "fresh"
    alone = run("score", "--policy", mine, log).out.splitlines()
    rules = {json.loads(line)["decision"]["rule"] for line in alone}
    assert "mine/medium-notify" in rules
    one = next(json.loads(line) for line in alone if '"mine/medium-notify"' in line)
    assert one["decision"]["policy"] == "mine@1"
    assert one["decision"]["action"] == "block"
    for flag in (True, False):
        with Store(folder) as store:
            app.activate(store, mine, ANA)
            app.switch(store, "blocking", flag, ANA)
        out = run("score", "--state", folder, log).out.splitlines()
        kept = {json.loads(line)["decision"]["rule"] for line in out}
        assert ("mine/medium-notify" in kept) is flag
        assert "mine/high-step-up" in kept
        with Store(folder) as store:
            state = load_state(store)
            assert state is not None
            assert bool(state.spent.times.get("medium-notify")) is flag
        shutil.rmtree(folder)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("rules: []\n")
    refused = run("score", "--policy", wrong, log)
    assert (refused.code, "the policy has no version" in refused.err) == (2, True)


def test_in_force_the_shipped_policy_stops_the_attacker_and_nobody_else(state: Path) -> None:
    with Store(state) as store:
        found = preview(store, active(store)).outcomes[0]
    touched = found.challenged.identities | found.stopped.identities
    assert set(touched) == {"eric@example.com"}


def test_versions_flags_and_contexts_on_both_databases(where: str) -> None:
    with Store(where) as store:
        kept = Policies(store)
        assert kept.activate("a", "d1", ANA, app.record) == "p1"
        assert kept.activate("b", "d2", ANA, app.record) == "p2"
        assert kept.roll_back(None, ANA, app.record) == ("p2", "p1")
        kept.switch("f", False, ANA, app.record)
        kept.switch("f", True, ANA, app.record)
        trip = Context(
            id="", kind="travel", reason="r", owner="o", begins=0, ends=NOON + 9,
            identities=("a",), countries=("RO",),
        )  # fmt: skip
        (added,) = kept.add([trip], ANA, app.record)
        assert kept.end("c1", ANA, app.record).ends == NOON
    with Store(where) as store:
        kept = Policies(store)
        assert (kept.active(), kept.flags(), kept.revision()) == ("p1", {"f": True}, 7)
        assert [c.id for c in kept.contexts()] == [added.id]
        with (
            pytest.raises(ConfigurationError, match="append-only"),
            store.transaction() as connection,
        ):
            connection.exec_driver_sql("DELETE FROM policy_history")
