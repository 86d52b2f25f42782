"""Trees: read without LightGBM, trained from many unlike incidents alone, unable to veto."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quivive.app.registry import signals
from quivive.learn.trees import Example, TreesError, lacking, train
from quivive.model.assessment import FINDING
from quivive.scoring.model import Model, ModelError, decode_model, encode_model, usable_trees
from quivive.scoring.trees import FACTS, LIFT, lifted, read_trees

GROUPS = {told: s.group for s in signals() for told in s.tells}
# Which signals each kind of attack moves: what trees are shown of it, and nothing of the others.
KINDS = {
    "foreign": ("country", "network", "address"),
    "malware": ("client", "os", "device"),
    "spray": ("address_failures", "failures", "network"),
    "insider": ("application", "operation", "hour"),
    "token": ("session", "network_kind", "client"),
}


def evidence(rng: random.Random, moved: tuple[str, ...]) -> dict[str, float]:
    """The weights of a login: usual ones, and what an attack moves."""
    names = sorted({name for kind in KINDS.values() for name in kind})
    values = {name: rng.gauss(-0.4, 0.8) for name in names}
    for name in moved:
        values[name] = rng.gauss(3.0, 1.2)
    values["fact_human"] = 1.0
    values["fact_success"] = 1.0
    values["fact_history"] = rng.uniform(1, 5)
    return values


def verdicts(kinds: list[str], incidents: int = 120, ordinary: int = 200) -> list[Example]:
    """Confirmed incidents of some kinds, and logins in order that look a little odd."""
    rng = random.Random(7)
    odd = sorted({name for kind in KINDS.values() for name in kind})
    found = [
        Example(
            values=evidence(rng, KINDS[kinds[n % len(kinds)]]),
            attack=True,
            identity=f"victim{n}",
            incident=f"i{n}",
            shape=kinds[n % len(kinds)],
        )
        for n in range(incidents)
    ]
    found += [
        Example(evidence(rng, (rng.choice(odd),)), attack=False, identity=f"user{n}")
        for n in range(ordinary)
    ]
    return found


@pytest.fixture(scope="module")
def lightgbm() -> object:
    try:
        import lightgbm as found
    except (ImportError, OSError) as error:
        pytest.skip(f"LightGBM cannot be loaded here: {error}")
    return found


@pytest.fixture(scope="module")
def text(lightgbm: object) -> str:
    return train(verdicts(list(KINDS)))


def test_training_is_reproducible(text: str) -> None:
    assert train(verdicts(list(KINDS))) == text


def test_reads_the_probabilities_that_lightgbm_gives(lightgbm: object, text: str) -> None:
    booster = lightgbm.Booster(model_str=text)
    trees = read_trees(text)
    rng = random.Random(3)
    rows = [evidence(rng, KINDS[kind]) for kind in KINDS for _ in range(20)]
    rows += [evidence(rng, ()) for _ in range(50)]
    expected = booster.predict([[r.get(n, 0.0) for n in trees.features] for r in rows])
    found = [trees.probability(row) for row in rows]
    assert found == pytest.approx(list(expected), rel=1e-9)
    assert max(found) > 0.9 > 0.1 > min(found)


def test_more_evidence_never_lowers_the_probability(text: str) -> None:
    trees = read_trees(text)
    rng = random.Random(5)
    for _ in range(40):
        row = evidence(rng, KINDS["foreign"])
        name = rng.choice([n for n in trees.features if n not in FACTS])
        more = {**row, name: row.get(name, 0.0) + rng.uniform(0, 5)}
        assert trees.probability(more) >= trees.probability(row)


def test_trees_fall_where_a_kind_of_attack_is_new(text: str) -> None:
    """Why they stay in shadow: what they never saw they take for ordinary oddity."""
    rng = random.Random(11)
    insiders = [evidence(rng, KINDS["insider"]) for _ in range(60)]
    without = read_trees(train(verdicts([k for k in KINDS if k != "insider"])))
    seen = sum(read_trees(text).probability(row) > 0.5 for row in insiders)
    unseen = sum(without.probability(row) > 0.5 for row in insiders)
    assert seen >= 50
    assert unseen <= 20


@pytest.mark.parametrize(
    ("examples", "says"),
    [
        (verdicts(list(KINDS), incidents=99), "99 confirmed incidents of 100"),
        (verdicts(["foreign"]), "1 different strongest signal of 4"),
        (verdicts(["foreign"] * 20 + list(KINDS)), "look alike"),
        (verdicts(list(KINDS), ordinary=10), "10 logins found to be in order of 50"),
        (
            [
                Example(e.values, e.attack, "one" if e.attack else e.identity, e.incident, e.shape)
                for e in verdicts(list(KINDS))
            ],
            "1 identity among them of 30",
        ),
    ],
)
def test_asks_for_many_unlike_incidents(examples: list[Example], says: str) -> None:
    assert any(says in missing for missing in lacking(examples)), lacking(examples)
    with pytest.raises(TreesError, match="too little for trees"):
        train(examples)


def test_enough_lacks_nothing() -> None:
    assert lacking(verdicts(list(KINDS))) == []


@given(
    st.floats(0, 99.999), st.floats(0, 1), st.floats(0, 1), st.sampled_from([FINDING, 30.0, 70.0])
)
def test_a_lift_is_bounded_upward_and_among_findings(
    risk: float, low: float, high: float, threshold: float
) -> None:
    low, high = sorted((low, high))
    found = lifted(risk, high, threshold)
    assert risk <= lifted(risk, low, threshold) <= found <= min(100.0, risk + LIFT)
    if risk < threshold:
        assert found == risk


def test_a_model_keeps_its_trees(text: str) -> None:
    model = decode_model(encode_model(Model(version="v3", trees=text)), "m")
    assert model.trees == text
    known = dict.fromkeys(read_trees(text).features, "client")
    assert usable_trees(model, known) == read_trees(text)


def test_trees_of_a_signal_that_is_not_there_are_refused(text: str) -> None:
    with pytest.raises(ModelError, match="model v3: trees: no signal 'address' here"):
        usable_trees(Model(version="v3", trees=text), {"country": "place"})


SMALL = """tree
version=v4
num_class=1
objective=binary sigmoid:1
feature_names=country hour

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
threshold=1.5 0.25
decision_type=2 2
left_child=1 -1
right_child=-3 -2
leaf_value=-0.5 0.25 1
is_linear=0

Tree=1
num_leaves=1
num_cat=0
leaf_value=0.125

end of trees
"""


def test_walks_a_tree_written_by_hand() -> None:
    first, second = read_trees(SMALL).trees
    assert first.value([2.0, 0.0]) == 1.0
    assert first.value([1.5, 0.25]) == -0.5
    assert first.value([1.5, 0.26]) == 0.25
    assert second.value([0.0, 0.0]) == 0.125


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("tree\nversion", "bush\nversion", "not a LightGBM text model"),
        ("objective=binary", "objective=regression", "not binary"),
        ("country hour", "country country", "named twice"),
        ("left_child=1 -1", "left_child=0 -1", "leads nowhere"),
        ("left_child=1 -1", "left_child=1 -9", "leads nowhere"),
        ("split_feature=0 1", "split_feature=0 7", "not named"),
        ("threshold=1.5 0.25", "threshold=1.5 nan", "not finite"),
        ("threshold=1.5 0.25", "threshold=1.5", "differ in length"),
        ("leaf_value=-0.5 0.25 1", "leaf_value=-0.5 0.25", "2 leaves"),
        ("leaf_value=-0.5 0.25 1", "leaf_value=-0.5 0.25 x", "could not convert"),
        ("decision_type=2 2", "decision_type=2 3", "kind of split"),
        ("decision_type=2 2", "decision_type=2 6", "kind of split"),
        ("num_cat=0\nsplit", "num_cat=1\nsplit", "categorical"),
    ],
)
def test_says_what_is_wrong_with_trees(old: str, new: str, says: str) -> None:
    changed = SMALL.replace(old, new, 1)
    assert changed != SMALL
    with pytest.raises(ValueError, match=says):
        read_trees(changed)
    with pytest.raises(ModelError, match=r"m: .*; learn it anew"):
        decode_model(encode_model(Model(trees=changed)), "m")
