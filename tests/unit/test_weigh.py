"""Weights of evidence under a model: what it scales, and that learning sees the engine's score."""

from math import log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.app import ingest
from quivive.app.evaluate import simulated
from quivive.app.geoip import open_places
from quivive.app.scoring import merged
from quivive.app.scoring import score as score_logins
from quivive.baseline.backoff import OPEN_CATEGORIES, Levels
from quivive.baseline.tables import DAY_MS, Level
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.learn.evidence import compiled, gradient, raw_of, score
from quivive.model.assessment import Evidence
from quivive.scoring.gathered import Gathered
from quivive.scoring.model import HEAVIEST, LIGHTEST, SHIPPED
from quivive.scoring.stories import Weight, read, score_of
from quivive.scoring.weigh import AS_COLLEAGUES, usual_of, weigh
from quivive.signals.signal import Feature
from quivive.sim.build import simulate

T0 = 1_760_000_000_000
factors = st.floats(LIGHTEST, HEAVIEST)
counts = st.floats(0, 200)


def levels(own: float, peers: float, everyone: float, others: float) -> Levels:
    """How often "x" was seen at each level, beside so many logins with "y"."""
    made = [Level(half * DAY_MS, 48) for half in (30, 60, 60)]
    for level, count in zip(made, (own, peers, everyone), strict=True):
        level.add("f", "y", others * level.scale(T0))
        if count:
            level.add("f", "x", count * level.scale(T0))
    return Levels(*made, *(level.scale(T0) for level in made))


features = st.builds(
    Feature,
    signal=st.just("country"),
    factor=st.just("f"),
    key=st.sampled_from(["x", "y", "new"]),
    categories=st.sampled_from([0, 4, 20]),
    attacker=st.sampled_from([None, 0.05, 0.4, 0.9]),
    alarms_only=st.booleans(),
)


@given(features, counts, counts, counts, counts, factors)
def test_a_model_scales_the_weight_and_what_is_explained_of_it(
    feature: Feature, own: float, peers: float, everyone: float, others: float, factor: float
) -> None:
    known = levels(own, peers, everyone, others)
    one, scaled = weigh(feature, known), weigh(feature, known, factor)
    assert scaled.weight == pytest.approx(factor * one.weight)
    assert scaled.explained == pytest.approx(factor * one.explained)
    assert (scaled.nats, scaled.ordinary) == (one.nats, one.ordinary)
    assert one.by(factor) == scaled
    assert 0 <= one.explained <= max(0.0, one.weight) + 1e-12
    assert -3 <= one.weight <= 6
    if feature.alarms_only:
        assert one.weight >= 0


@given(
    st.builds(
        Feature,
        signal=st.just("country"),
        factor=st.just("f"),
        key=st.sampled_from(["x", "y", "new"]),
        categories=st.sampled_from([0, 4, 20]),
        attacker=st.sampled_from([None, 0.05, 0.4, 0.9]),
        given=st.sampled_from([None, ("f", "y"), ("absent", "x")]),
        neighbours=st.sampled_from([None, (("x", 0.7), ("y", 0.3))]),
    ),
    counts,
    counts,
    counts,
    counts,
)
def test_the_weight_is_the_attackers_share_against_the_usual_one(
    feature: Feature, own: float, peers: float, everyone: float, others: float
) -> None:
    """The loop over a login's features is the plain formula, spelled out."""
    known = levels(own, peers, everyone, others)
    usual = usual_of(feature, known)
    attacker = feature.attacker or 0.5 / (feature.categories or 20) + 0.5 * usual.base
    nats = min(6.0, max(-3.0, log(attacker / usual.probability)))
    spread = 1 / (feature.categories or OPEN_CATEGORIES)
    colleagues = AS_COLLEAGUES * usual.base + (1 - AS_COLLEAGUES) * spread
    ordinary = max(0.0, nats - max(0.0, log(attacker / colleagues))) if nats > 0 else 0.0
    found = weigh(feature, known)
    assert found.nats == pytest.approx(nats)
    assert found.ordinary == pytest.approx(ordinary)


def test_sums_of_gathered_evidence_are_those_of_its_weights() -> None:
    feature = Feature(signal="country", factor="f", key="x", categories=20, attacker=0.05)
    weighed = [weigh(feature, levels(n, n, 60, 140)) for n in (0, 90)]
    evidence = [Evidence(signal="travel", weight=2.0, text="")]
    groups = {"country": "place", "travel": "journey"}
    plain = [Weight("place", one.weight, one.explained) for one in weighed]
    plain.append(Weight("journey", 2.0, 2.0))
    gathered = Gathered(weighed, evidence, [], groups)
    assert score_of(gathered.sums(), "human") == pytest.approx(read(plain, "human").score)
    alone = score_of(gathered.sums(["travel"]), "human")
    assert alone == pytest.approx(read(plain[:2], "human").score)


def test_what_colleagues_do_is_explained_and_what_nobody_does_is_not() -> None:
    feature = Feature(signal="country", factor="f", key="x", categories=20, attacker=0.05)
    usual = weigh(feature, levels(0, 0, 60, 140))
    unheard = weigh(feature, levels(0, 0, 0, 200))
    assert usual.weight > 0
    assert usual.explained == usual.weight
    assert unheard.explained < unheard.weight


@given(
    st.lists(st.tuples(features, counts, counts, factors), max_size=6),
    st.lists(st.tuples(st.floats(-2, 5), factors), max_size=4),
    st.sampled_from(["human", "service"]),
)
def test_raw_evidence_gives_back_the_score_it_came_from(
    said: list[tuple[Feature, float, float, float]], own: list[tuple[float, float]], kind: str
) -> None:
    """raw_of and score are read's inverse: for any model, at its own weights."""
    applied: dict[str, float] = {}
    weighed, groups = [], {}
    for n, (feature, count, others, factor) in enumerate(said):
        name = f"w{n}"
        renamed = Feature(
            signal=name, factor="f", key=feature.key, categories=feature.categories,
            attacker=feature.attacker, alarms_only=feature.alarms_only,
        )  # fmt: skip
        applied[name], groups[name] = factor, ("place", "client", "time")[n % 3]
        weighed.append(weigh(renamed, levels(count, count, others, others), factor))
    evidence = []
    for n, (nats, factor) in enumerate(own):
        name = f"e{n}"
        applied[name], groups[name] = factor, ("around", "journey")[n % 2]
        evidence.append(Evidence(signal=name, weight=nats * factor, text=""))
    gathered = Gathered(weighed, evidence, [], groups)
    raw = raw_of(gathered, applied)
    assert all(0 <= one.explained <= max(0.0, one.nats) + 1e-9 for one in raw)
    names = {name: n for n, name in enumerate(applied)}
    found = score(compiled(raw, names), [applied[name] for name in names], kind)
    assert found == pytest.approx(score_of(gathered.sums(), kind), abs=1e-9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks of a small organisation with incidents, in several logs."""
    out: Path = tmp_path_factory.mktemp("org")
    simulate(out, seed=4, people=6, services=2, days=23, incidents=3)
    return out


def test_learning_sees_the_score_of_every_login_of_an_organisation(folder: Path) -> None:
    found = simulated(folder)
    enricher = Enricher(open_places([Path(path) for path in found.geoip]))
    names = {name: n for n, name in enumerate(sorted(SHIPPED.weights))}
    weights = [SHIPPED.weights[name] for name in names]
    kinds, products, heard, logins = set(), set(), set(), 0
    events = merged(found.logs, None, ingest.Tally(), lambda _: None)
    for _, scored in score_logins(events, State(), enricher, SHIPPED, shortens=False):
        raw = raw_of(scored.gathered, SHIPPED.weights)
        for one in raw:
            if one.signal not in names:
                names[one.signal] = len(weights)
                weights.append(1.0)
        items = compiled(raw, names)
        assert score(items, weights, scored.login.kind) == pytest.approx(
            scored.assessment.score, abs=1e-9
        )
        if not logins % 50:
            value, slopes = gradient(items, weights, scored.login.kind)
            assert value == pytest.approx(scored.assessment.score, abs=1e-9)
            assert set(slopes) == {names[one.signal] for one in raw}
        logins += 1
        kinds.add(scored.login.kind)
        products.add(scored.event.metadata.product.name)
        heard |= {one.signal for one in raw}
    assert logins > 500
    assert kinds == {"human", "service"}
    assert len(products) >= 3
    assert len(heard) > 20
