"""A model beside another, its file, and where versions are kept."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from quivive.app import ingest
from quivive.app.models import active_model, model_of
from quivive.app.registry import signals, sources
from quivive.app.snapshot import encode_state
from quivive.engine.beside import Beside, Scale, first_scale, measured_by, scale_of
from quivive.engine.engine import Engine
from quivive.engine.judged import Scored
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.model.assessment import FINDING, level_of
from quivive.model.ocsf import decode_event, encode_event
from quivive.policy.budget import Budget, Budgets, Threshold
from quivive.scoring.calibrate import Calibration
from quivive.scoring.model import SHIPPED, Model, ModelError, decode_model, encode_model
from quivive.scoring.shadow import Shadow
from quivive.scoring.trees import LIFT
from quivive.store.database import Store, StoreError
from quivive.store.models import Author, Models
from tests.conftest import DATA
from tests.scenario.company import FAR, PEOPLE, at, login, ordinary
from tests.unit.test_trees import SMALL

LOGINS = ordinary(0, 16, people=PEOPLE[:8])
ODD = [login("dana", at(15, 20 + n), FAR[n], agent="-/-", mfa=False) for n in range(3)]
AUTHOR = Author("ana", "because", 1)


def scored(
    model: Model = SHIPPED, beside: Beside | None = None, state: State | None = None
) -> list[Scored]:
    engine = Engine(state or State(), Enricher(None, None), signals(), model, None, beside)
    events = sorted([*LOGINS, *ODD], key=lambda event: event.time)
    return [found for found in map(engine.step, events) if found is not None]


# --- in shadow


def test_the_same_model_in_shadow_says_the_same() -> None:
    beside = Beside(SHIPPED, SHIPPED, Budgets(), Scale())
    for found in scored(beside=beside):
        assert found.shadow is not None
        assert found.shadow.risk == pytest.approx(found.assessment.risk_score, abs=1e-9)
        assert found.shadow.finding == found.finding


def test_another_model_in_shadow_says_what_it_would_say_as_the_active_one() -> None:
    """Up to the first login on which they part in what they learn or tell."""
    other = Model(
        version="v1", weights={**SHIPPED.weights, "os": 1.4, "client": 0.6, "travel": 2.0}
    )
    beside = Beside(other, SHIPPED, Budgets(), Scale())
    for shadow, active in list(zip(scored(beside=beside), scored(other), strict=True))[:120]:
        assert shadow.shadow is not None
        assert shadow.shadow.risk == pytest.approx(active.assessment.risk_score, abs=1e-6)


def test_a_model_in_shadow_changes_nothing() -> None:
    other = Model(version="v1", weights={"country": 5.0, "os": 0.05})
    plain, watched = State(), State()
    alone = scored(state=plain)
    beside = scored(beside=Beside(other, SHIPPED, Budgets(), Scale()), state=watched)
    assert [replace(found, shadow=None) for found in beside] == alone
    for profile in (*plain.profiles.values(), *watched.profiles.values()):
        profile.road = {}  # where what the shadow said of this hour's logins is kept
    assert encode_state(plain) == encode_state(watched)
    assert any(
        found.shadow is not None and abs(found.shadow.risk - found.assessment.risk_score) > 1
        for found in beside
    )


def test_evidence_is_weighed_anew_exactly() -> None:
    """From the weights 0.5 and 3 of one model to those of another and back."""
    heavy = Model(version="v1", weights={"os": 3.0, "hour": 0.5, "failures": 2.0})
    there = Shadow(heavy, SHIPPED, {})
    back = Shadow(SHIPPED, heavy, {})
    for found in scored():
        again = back.gathered(there.gathered(found.gathered))
        assert [w.weight for w in again.weighed] == pytest.approx(
            [w.weight for w in found.gathered.weighed]
        )
        assert [w.explained for w in again.weighed] == pytest.approx(
            [w.explained for w in found.gathered.weighed]
        )


# --- trees that are active


def test_active_trees_only_lift_findings() -> None:
    ranked = scored(replace(SHIPPED, version="v2", trees=SMALL))
    lifts = 0
    for plain, found in zip(scored(), ranked, strict=True):
        before, after = plain.assessment, found.assessment
        assert (found.finding, found.decision) == (plain.finding, plain.decision)
        assert before.risk_score <= after.risk_score <= min(100.0, before.risk_score + LIFT)
        assert after.risk_level == level_of(after.risk_score)
        if not plain.finding:
            assert after == before
        lifts += after.risk_score > before.risk_score
    assert lifts
    assert any(found.assessment.risk_score >= FINDING for found in ranked)


def test_trees_in_shadow_rank_what_is_told() -> None:
    beside = Beside(replace(SHIPPED, version="v2", trees=SMALL), SHIPPED, Budgets(), Scale())
    active = scored(replace(SHIPPED, version="v2", trees=SMALL))
    for found, would in zip(scored(beside=beside), active, strict=True):
        assert found.shadow is not None
        assert found.shadow.risk == pytest.approx(would.assessment.risk_score, abs=1e-9)


# --- scales


def test_a_scale_is_a_copy_and_comes_back_as_it_was() -> None:
    state = State()
    scored(state=state)
    state.thresholds.by_class["human"] = Threshold(44.0, Budget(5, True), 1, 1)
    kept = scale_of(state)
    body = msgspec.msgpack.encode(kept)
    model = Model(version="v1", calibrations={"human/signIns": Calibration()},
                  thresholds={"human": 51.0, "service": 60.0})  # fmt: skip
    measured_by(state, first_scale(model, state))
    assert state.thresholds.by_class["human"].value == 51.0
    assert set(state.thresholds.by_class) == {"human"}
    scored(state=state)
    assert msgspec.msgpack.encode(kept) == body
    assert model.calibrations["human/signIns"] == Calibration()


# --- the file of a model


def test_a_learned_model_comes_back_as_it_was() -> None:
    state = State()
    scored(state=state)
    model = Model(
        version="v7",
        weights={"country": 1.25},
        calibrations=state.calibrations,
        thresholds={"human": 44.5, "all": 40.0},
        trees=SMALL,
    )
    found = decode_model(encode_model(model), "m")
    assert replace(found, digest="") == model
    assert encode_model(model) == encode_model(found)


BAD = Calibration()
BAD.bins = {1: float("inf")}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"weights": {"country": 0.0}}, "weights.country: 0.0 is not within 0.05 to 5.0"),
        ({"thresholds": {"human": 101.0}}, "thresholds.human: 101.0 is not within 0 to 100"),
        ({"thresholds": {"robot": 50.0}}, "thresholds.robot: no class of identities"),
        ({"calibrations": {"robot/Okta": Calibration()}}, "calibrations.robot/Okta: no class"),
        (
            {"calibrations": {"human/Okta": Calibration(width=-1.0)}},
            "calibrations.human/Okta: no distribution",
        ),
        (
            {"calibrations": {"human/Okta": Calibration(bins={1: -2.0})}},
            "calibrations.human/Okta: no distribution",
        ),
        (
            {"calibrations": {"human/Okta": Calibration(body=[1.5])}},
            "calibrations.human/Okta: no distribution",
        ),
        (
            {"calibrations": {"human/Okta": Calibration(prior_mean=0.0)}},
            "calibrations.human/Okta: no distribution",
        ),
        ({"trees": "tree"}, "not a LightGBM text model"),
    ],
)
def test_what_is_out_of_bounds_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ModelError, match=f"^there: .*{says}.*learn it anew"):
        decode_model(encode_model(Model(**changes)), "there")


def test_no_byte_of_a_model_can_be_changed_unnoticed() -> None:
    body = encode_model(Model(version="v1", weights={"country": 1.5}, trees=SMALL))
    for place in range(0, len(body), 7):
        changed = bytearray(body)
        changed[place] = changed[place] ^ 1
        with pytest.raises(ModelError, match=r"^m: "):
            decode_model(bytes(changed), "m")


# --- where versions are kept


@pytest.fixture
def models(tmp_path: Path):
    with Store(tmp_path / "state") as store:
        yield Models(store)


def add(models: Models, status: str) -> str:
    name = models.next_name()
    models.add(name, encode_model(Model(version=name)), b"{}", 5, status, AUTHOR)
    return name


def test_versions_count_up_and_one_is_active(models: Models) -> None:
    assert active_model(models) == SHIPPED
    assert [add(models, "candidate") for _ in range(2)] == ["v1", "v2"]
    models.activate("v1", "shipped", "promoted", AUTHOR, {})
    models.activate("v2", "v1", "promoted", AUTHOR, {})
    assert [(v.name, v.status, v.created) for v in models.names()] == [
        ("v1", "retired", 5),
        ("v2", "active", 5),
    ]
    assert active_model(models).version == models.active() == "v2"
    assert models.before() == "v1"
    models.activate("v1", "v2", "rolled back to", AUTHOR, {})
    assert models.before() == "shipped"
    models.activate("shipped", "v1", "rolled back to", AUTHOR, {})
    assert active_model(models) == SHIPPED
    assert models.before() is None
    assert models.next_name() == "v3"


def test_what_was_compared_with_another_model_leaves_the_shadow(models: Models) -> None:
    first, second = add(models, "candidate"), add(models, "shadow")
    models.activate(first, "shipped", "promoted", AUTHOR, {})
    assert models.named("shadow") is None
    assert models.history()[-2].version == second
    assert models.history()[-2].why == "it was compared with shipped"


def test_only_one_is_in_shadow(models: Models) -> None:
    add(models, "shadow")
    with pytest.raises(StoreError, match="changed meanwhile"):
        add(models, "shadow")
    assert [v.status for v in models.names()] == ["shadow"]


def test_a_status_that_has_changed_meanwhile_is_left_alone(models: Models) -> None:
    name = add(models, "shadow")
    models.move(name, "shadow", "retired", "retired", AUTHOR)
    with pytest.raises(StoreError, match="changed meanwhile"):
        models.move(name, "shadow", "refused", "refused", AUTHOR)
    with pytest.raises(StoreError, match="changed meanwhile"):
        models.activate(name, "v9", "promoted", AUTHOR, {"engine": b"x"})
    assert models.store.load("engine") is None
    assert models.store.load("model") is None


def test_the_history_is_append_only(models: Models) -> None:
    add(models, "candidate")
    for statement in ("UPDATE model_history SET why = 'x'", "DELETE FROM model_history"):
        with (
            pytest.raises(StoreError, match="append-only"),
            models.store.transaction() as connection,
        ):
            connection.exec_driver_sql(statement)
    assert [change.why for change in models.history()] == ["because"]


@pytest.mark.parametrize("name", ["v9", "vx", "latest", ""])
def test_a_version_that_is_not_there_is_named(models: Models, name: str) -> None:
    with pytest.raises(StoreError, match=name or "''"):
        model_of(models, name)


def test_one_body_does_not_stand_for_another(models: Models) -> None:
    first, second = add(models, "candidate"), add(models, "candidate")
    with models.store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE models SET body = (SELECT body FROM models WHERE version = 2)"
        )
    assert model_of(models, second).version == second
    with pytest.raises(ModelError, match="model v1: its body is that of v2"):
        model_of(models, first)


def test_an_older_store_gets_its_tables(tmp_path: Path) -> None:
    with Store(tmp_path) as store, store.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE models")
        connection.exec_driver_sql("DROP TABLE model_history")
        connection.exec_driver_sql("DROP INDEX ix_assessments_plain")
        connection.exec_driver_sql("ALTER TABLE assessments DROP COLUMN plain")
        connection.exec_driver_sql("ALTER TABLE assessments DROP COLUMN source")
        connection.exec_driver_sql("DROP TABLE sources")
        connection.exec_driver_sql("UPDATE meta SET value = '4' WHERE key = 'version'")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
    with Store(tmp_path, create=False) as store:
        assert add(Models(store), "candidate") == "v1"


# --- what a store replays


@pytest.mark.parametrize("name", sorted(set(sources()) - {"mapped"}))
def test_events_survive_being_stored(name: str) -> None:
    """Every golden record: as it is stored, and as the source ``ocsf`` reads it again."""
    ocsf = sources()["ocsf"]
    seen = 0
    for path in sorted((DATA / "sources" / name / "raw").iterdir()):
        tally = ingest.Tally()
        for event in ingest.events(str(path), sources()[name], tally, 1_773_000_000_000):
            body = encode_event(event)
            assert decode_event(body) == event
            fields = msgspec.json.decode(body)
            record = ingest.RawRecord(
                log="x", sequence=event.metadata.sequence or 0, line=1, body=body, fields=fields
            )
            assert ocsf.parse(record) == event
            seen += 1
    assert seen >= 5
