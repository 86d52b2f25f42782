"""A company retrains: scored logins, verdicts, a candidate, its time in shadow, promotion, back."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from quivive.app.history import replay, stored
from quivive.app.models import active_model, in_use, model_of
from quivive.app.promoting import kept_state
from quivive.app.registry import signals
from quivive.cli.main import cli
from quivive.engine.beside import Scale, scale_of
from quivive.enrich.enricher import Enricher
from quivive.learn import trees
from quivive.model.errors import ConfigurationError
from quivive.model.event import AuthEvent
from quivive.model.verdict import FALSE_POSITIVE, TRUE_POSITIVE, Verdict
from quivive.policy.budget import Budgets
from quivive.scoring.model import SHIPPED, Model, encode_model
from quivive.scoring.trees import LIFT
from quivive.store.database import Batch, Store
from quivive.store.models import Author, Models
from quivive.store.verdicts import Given, Verdicts
from tests.scenario.company import (
    FAR,
    LISBON,
    PEOPLE,
    at,
    in_order,
    login,
    ordinary,
    usual,
    written,
)

STAFF = PEOPLE[:12]
FIRST, LAST = 0, 27  # days scored before the verdicts
SHADOWED = 44  # and until when it goes on beside the candidate


def attack(number: int, day: int) -> AuthEvent:
    """Somebody else, far away, with a machine of their own."""
    victim, place = STAFF[number], FAR[number % len(FAR)]
    return login(victim.name, at(day, 3.1), place, agent="python-requests/2.31.0", mfa=False,
                 uid=f"attack-{number}", app="SharePoint")  # fmt: skip


def journey(number: int, day: int) -> AuthEvent:
    """A colleague abroad, with her own laptop."""
    person = STAFF[number]
    return usual(person, at(day, 15.3), LISBON, uid=f"journey-{number}")


def days(first: int, last: int) -> list[AuthEvent]:
    """What the staff does, with twelve takeovers and six journeys in the first part."""
    events = [e for e in ordinary(0, last, people=STAFF) if e.time >= at(first)]
    if first == FIRST:
        events += [attack(n, 9 + (3 * n) // 2) for n in range(12)]
        events += [journey(6 + n, 10 + 2 * n) for n in range(6)]
    return sorted(events, key=lambda event: event.time)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@dataclass(frozen=True)
class Trained:
    """A state directory with a candidate in shadow, and the second part of the logs."""

    folder: Path
    later: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def copy(self, to: Path) -> "Trained":
        shutil.copytree(self.folder, to)
        return Trained(to, to / "later.jsonl")


def verdicts(store: Store) -> list[Given]:
    """What two analysts say: takeovers are attacks, journeys are not."""
    found: list[Given] = []
    for event_id, body in store.history():
        kind = TRUE_POSITIVE if event_id.startswith("attack") else None
        kind = FALSE_POSITIVE if event_id.startswith("journey") else kind
        if kind is not None:
            by = "ana" if len(found) % 2 else "bo"
            when = json.loads(body)["event"]["time"]
            verdict = Verdict(event_id=event_id, kind=kind, by=by, why="asked her", when=when)
            found.append(Given(len(found) + 1, verdict))
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Scored, judged, learned: v1 is in shadow. Tests take a copy."""
    found = Trained(tmp_path_factory.mktemp("retraining"), Path())
    found = Trained(found.folder, written(found.folder / "later.jsonl", days(LAST, SHADOWED)))
    first = written(found.folder / "first.jsonl", days(FIRST, LAST))
    assert run("score", "--state", found.state, "--out", "/dev/null", first).exit_code == 0
    with Store(found.state, create=False) as store:
        Verdicts(store).write(verdicts(store), [], [], {})
    learned = run("learn", "--state", found.state, "--by", "cron")
    assert learned.exit_code == 0, learned.output
    assert "18 verdicts, 12 confirmed incidents" in learned.output
    assert "kept as v1: shadow" in learned.output
    return found


@pytest.fixture
def org(trained: Trained, tmp_path: Path) -> Trained:
    return trained.copy(tmp_path / "org")


def statuses(org: Trained) -> dict[str, str]:
    with Store(org.state, create=False) as store:
        return {version.name: version.status for version in Models(store).names()}


def scale(org: Trained) -> Scale:
    """What the active model's risks are measured by."""
    with Store(org.state, create=False) as store:
        state = kept_state(store)
        assert state is not None
        return scale_of(state)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_from_shadow_to_active_and_back(org: Trained, tmp_path: Path) -> None:
    early = run("models", "promote", "v1", "--state", org.state, "--by", "ana", "--why", "hurry")
    assert early.exit_code != 0
    assert "in shadow for 0.0 days, it takes 7" in early.output
    assert statuses(org) == {"v1": "shadow"}

    without = org.copy(tmp_path / "without")
    run("models", "retire", "v1", "--state", without.state, "--by", "ana", "--why", "to compare")
    run("score", "--state", without.state, "--out", without.folder / "out", without.later)
    run("score", "--state", org.state, "--out", org.folder / "out", org.later)
    plain, beside = lines(without.folder / "out"), lines(org.folder / "out")
    assert {line["shadow_model"] for line in beside} == {"v1"}
    said = ("shadow_model", "shadow_risk", "shadow_finding")
    assert [{k: v for k, v in line.items() if k not in said} for line in beside] == plain
    assert any(line["shadow_risk"] != line["risk_score"] for line in beside)
    assert scale(org) == scale(without)

    compared = run("models", "compare", "--state", org.state)
    assert "596 logins over 15.4 days" in compared.output
    assert "gate: ready" in compared.output

    before = scale(org)
    promoted = run(
        "models", "promote", "v1", "--state", org.state, "--by", "ana", "--why", "proven"
    )
    assert "v1 is active now" in promoted.output
    assert statuses(org) == {"v1": "active"}
    assert scale(org) != before
    with Store(org.state, create=False) as store:
        assert active_model(Models(store)).weights != SHIPPED.weights

    back = run("models", "rollback", "--state", org.state, "--by", "bo", "--why", "noise")
    assert "shipped is active again, in place of v1" in back.output
    assert statuses(org) == {"v1": "retired"}
    assert scale(org) == before
    with Store(org.state, create=False) as store:
        models = Models(store)
        assert active_model(models) == SHIPPED
        told = [(c.action, c.version, c.by, c.why, c.forced) for c in models.history()]
    assert told == [
        ("learned", "v1", "cron", "learned from 18 verdicts", False),
        ("promoted", "v1", "ana", "proven", False),
        ("replaced", "v1", "bo", "noise", False),
        ("rolled back to", "shipped", "bo", "noise", False),
    ]


def test_cron_promotes_what_has_proved_itself_and_then_learns_the_next(org: Trained) -> None:
    waits = run("learn", "--promote", "--state", org.state)
    assert "v1 stays in shadow; nothing new is learned meanwhile" in waits.output
    run("score", "--state", org.state, "--out", "/dev/null", org.later)
    ripe = run("learn", "--promote", "--state", org.state)
    assert "v1 is active now" in ripe.output
    assert "kept as v2: shadow" in ripe.output
    assert statuses(org) == {"v1": "active", "v2": "shadow"}


def test_force_passes_the_gate_and_is_remembered(org: Trained) -> None:
    bare = run("models", "promote", "v1", "--force", "--state", org.state, "--by", "ana")
    assert "--why" in bare.output
    forced = run(
        "models", "promote", "v1", "--force", "--state", org.state, "--by", "ana", "--why", "drill"
    )
    assert "active now past the gate" in forced.output
    shown = run("models", "show", "v1", "--state", org.state)
    assert "promoted, in place of shipped (forced past the gate)  by ana: drill" in shown.output


def test_a_model_that_was_tampered_with_stops_scoring(org: Trained) -> None:
    run("models", "promote", "v1", "--force", "--state", org.state, "--by", "a", "--why", "drill")
    with Store(org.state, create=False) as store, store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE models SET body = replace(body, '\"country\":', '\"city\":')"
        )
    refused = run("score", "--state", org.state, "--out", "/dev/null", org.later)
    assert refused.exit_code != 0
    message = str(refused.exception)
    assert f"{org.state / 'quivive.sqlite'}: model v1: changed since it was written" in message
    assert f"quivive models rollback --state {org.state}" in message
    ill = run("doctor", "--state", org.state).output
    assert "model v1: changed since it was written" in ill
    assert "quivive models rollback" in ill

    assert run("models", "rollback", "--state", org.state).exit_code == 0
    assert "model shipped is active" in run("doctor", "--state", org.state).output
    assert run("score", "--state", org.state, "--out", "/dev/null", org.later).exit_code == 0


def test_a_shadow_of_another_format_says_how_to_go_on(org: Trained) -> None:
    with Store(org.state, create=False) as store, store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE models SET body = replace(body, '\"format\":1', '\"format\":2')"
        )
    refused = run("score", "--state", org.state, "--out", "/dev/null", org.later)
    message = str(refused.exception)
    assert "model v1: model format 2, this Quivive reads 1" in message
    assert "quivive models retire v1" in message
    run("models", "retire", "v1", "--state", org.state, "--by", "ana", "--why", "unreadable")
    assert run("score", "--state", org.state, "--out", "/dev/null", org.later).exit_code == 0


def test_a_promotion_refuses_a_run_that_began_before_it(org: Trained) -> None:
    with Store(org.state, create=False) as running:
        state = kept_state(running)
        assert state is not None
        models = in_use(running, state, Budgets())
        run("models", "promote", "v1", "--force", "--state", org.state, "--by", "a", "--why", "now")
        with pytest.raises(ConfigurationError, match="another run has written to it meanwhile"):
            running.commit(Batch(states=models.states()))


def test_a_run_refuses_a_promotion_that_began_before_it(org: Trained) -> None:
    with Store(org.state, create=False) as promoting:
        promoting.load("engine")
        promoting.load("model")
        run("score", "--state", org.state, "--out", "/dev/null", org.later)
        before = statuses(org)
        with pytest.raises(ConfigurationError, match="another run has written to it meanwhile"):
            Models(promoting).activate(
                "v1", "shipped", "promoted", Author("a", "b", 0), {"engine": b"stale"}
            )
    assert statuses(org) == before == {"v1": "shadow"}


def test_two_runs_do_not_learn_the_same_version(org: Trained) -> None:
    with Store(org.state, create=False) as one, Store(org.state, create=False) as other:
        name = Models(one).next_name()
        author = Author("a", "b", 0)
        Models(other).add(name, b"", b"{}", 0, "candidate", author)
        with pytest.raises(ConfigurationError, match="the models have changed meanwhile"):
            Models(one).add(name, b"", b"{}", 0, "candidate", author)


def test_too_few_verdicts_change_no_weight(org: Trained, tmp_path: Path) -> None:
    first = written(tmp_path / "first.jsonl", ordinary(0, 12, people=STAFF))
    run("score", "--state", tmp_path / "new", "--out", "/dev/null", first)
    nothing = run("learn", "--state", tmp_path / "new")
    assert nothing.exit_code == 0
    assert "weights stay as they are: 0 confirmed incidents" in nothing.output
    assert "learning takes 8" in nothing.output
    renewed = run("learn", "--recalibrate", "--state", tmp_path / "new")
    assert "kept as v1: shadow" in renewed.output
    with Store(tmp_path / "new", create=False) as store:
        model = model_of(Models(store), "v1")
    assert model.weights == SHIPPED.weights
    assert set(model.calibrations) == {
        "human/*",
        "human/*/new",
        "human/signIns",
        "human/signIns/new",
    }
    few = run("learn", "--trees", "--state", tmp_path / "new")
    assert "too little for trees: 0 confirmed incidents of 100" in str(few.exception)


def test_a_store_replays_to_what_was_said_live(org: Trained) -> None:
    with Store(org.state, create=False) as store:
        live = {i: json.loads(body)["risk_score"] for i, body in store.history()}
        found = replay(stored(store), Enricher(None, None), SHIPPED, Budgets(), {})
        again = {row.id: round(row.risk, 4) for row in found.rows}
        state = kept_state(store)
    assert again == live
    assert len(live) == 972
    assert state is not None
    assert found.state.calibrations == state.calibrations


def test_history_may_come_from_files(org: Trained) -> None:
    first = org.folder / "first.jsonl"
    found = run("learn", "--state", org.state, first)
    assert "972 events, 0 skipped, 0 rejected" in found.output
    assert "18 verdicts, 12 confirmed incidents" in found.output
    assert "kept as v2: candidate" in found.output
    shadow = run("models", "shadow", "v2", "--state", org.state, "--by", "a", "--why", "newer")
    assert "v1 is in shadow: promote or retire it first" in str(shadow.exception)
    with Store(org.state, create=False) as store:
        assert model_of(Models(store), "v2").weights == model_of(Models(store), "v1").weights
    run("models", "promote", "v1", "--force", "--state", org.state, "--by", "a", "--why", "drill")
    late = run("models", "shadow", "v2", "--state", org.state, "--by", "a", "--why", "newer")
    assert "it was compared with shipped, and v1 is active now: learn anew" in str(late.exception)
    assert "read more than once" in str(run("learn", "--state", org.state, "-").exception)


def test_a_version_that_misses_an_attack_in_shadow_is_never_promoted(org: Trained) -> None:
    """As a stolen analyst's account might make one: the gate on history is no longer asked."""
    with Store(org.state, create=False) as store:
        models = Models(store)
        author = Author("mallory", "", 0)
        report = models.comparison("v1")
        models.move("v1", "shadow", "retired", "retired", author)
        every = (told for signal in signals() for told in signal.tells)
        deaf = Model(version="v2", weights=dict.fromkeys(every, 0.05))
        models.add("v2", encode_model(deaf), report, 0, "shadow", author)
    takeover = replace(attack(3, LAST + 16), metadata=replace(attack(3, 0).metadata, uid="new"))
    later = written(org.folder / "more.jsonl", in_order(days(LAST, SHADOWED), [takeover]))
    run("score", "--state", org.state, "--out", "/dev/null", later)
    command = ("models", "promote", "v2", "--state", org.state, "--by", "m", "--why", "better")
    with Store(org.state, create=False) as store:
        line = json.loads(store.assessment("new") or b"{}")
        assert line["finding"], line
        assert not line["shadow_finding"]
        said = Verdicts(store)
        verdict = Verdict(event_id="new", kind=TRUE_POSITIVE, by="ana", why="not her", when=at(50))
        said.write([Given(said.next_id(), verdict)], [], [], {})
    refused = run(*command)
    assert "gate: refused" in refused.output
    assert "1 confirmed incident that the active model finds would be missed" in refused.output
    assert statuses(org) == {"v1": "retired", "v2": "shadow"}
    cron = run("learn", "--promote", "--state", org.state)
    assert "v2 is out of shadow" in cron.output
    assert statuses(org) == {"v1": "retired", "v2": "refused", "v3": "shadow"}


def test_trees_change_ranks_alone(org: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightgbm", exc_type=(ImportError, OSError))
    for name, few in (("INCIDENTS", 12), ("IDENTITIES", 12), ("SHAPES", 1), ("LARGEST_SHAPE", 1.0),
                      ("REFUSALS", 6)):  # fmt: skip
        monkeypatch.setattr(trees, name, few)
    monkeypatch.setitem(trees.PARAMETERS, "min_data_in_leaf", 3)
    found = run("learn", "--trees", "--state", org.state)
    assert "weights as they were" in found.output
    assert "new findings: 0" in found.output
    assert "findings gone: 0" in found.output
    assert "kept as v2: candidate" in found.output
    with Store(org.state, create=False) as store:
        ranking = model_of(Models(store), "v2")
        events = list(stored(store))
    assert ranking.trees
    plain = replay(events, Enricher(None, None), SHIPPED, Budgets(), {}).rows
    ranked = replay(events, Enricher(None, None), ranking, Budgets(), {}).rows
    assert [row.finding for row in plain] == [row.finding for row in ranked]
    lifts = [after.risk - before.risk for before, after in zip(plain, ranked, strict=True)]
    assert min(lifts) == 0.0
    assert 0.0 < max(lifts) <= LIFT
