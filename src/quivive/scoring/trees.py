"""Boosted trees that rank findings among themselves, read from LightGBM's text and walked here.

They never decide what is a finding: where trees stand in a model, a finding gains up to ten points
of risk by their probability, and nothing ever loses any (docs/adr, "promotion gate"). Reading the
text here keeps LightGBM, and any parser in C, out of the way of a login; ``learn/trees.py`` trains
with it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import exp, isfinite, log1p

from msgspec import Struct

from quivive.baseline.observation import Observation
from quivive.model.assessment import FINDING
from quivive.scoring.gathered import Gathered

MOST_TREES = 300
MOST_LEAVES = 64
LIFT = 10.0  # points of risk that the trees may add to a finding
FACTS = ("fact_human", "fact_success", "fact_interactive", "fact_fresh_factor", "fact_history")
_CATEGORICAL = 1
_ZERO_IS_MISSING = 1


class Tree(Struct, frozen=True):
    """One tree: inner nodes as parallel lists. A child below 0 is the leaf ``-1 - child``."""

    features: Sequence[int]
    thresholds: Sequence[float]
    left: Sequence[int]
    right: Sequence[int]
    leaves: Sequence[float]

    def value(self, row: Sequence[float]) -> float:
        """The leaf a row falls into."""
        node = 0 if self.features else -1
        while node >= 0:
            small = row[self.features[node]] <= self.thresholds[node]
            node = self.left[node] if small else self.right[node]
        return self.leaves[-1 - node]


class Trees(Struct, frozen=True):
    """A boosted binary classifier: the features it reads, in order, and its trees."""

    features: tuple[str, ...]
    trees: tuple[Tree, ...]

    def probability(self, values: Mapping[str, float]) -> float:
        """0 to 1 that a login of these feature values is an attacker's; an absent value is 0."""
        row = [values.get(name, 0.0) for name in self.features]
        total = sum(tree.value(row) for tree in self.trees)
        return 1 / (1 + exp(-max(-60.0, min(60.0, total))))


@lru_cache(maxsize=4)
def read_trees(text: str) -> Trees:
    """The trees of a LightGBM text model. Raises ValueError saying what cannot be used in it."""
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    top = _fields(head)
    if not head.startswith("tree\n") or not blocks:
        raise ValueError("not a LightGBM text model")
    if not top.get("objective", "").startswith("binary") or "average_output" in head:
        raise ValueError("trees: the objective is not binary boosting")
    features = tuple(top.get("feature_names", "").split())
    if len(set(features)) != len(features):
        raise ValueError("trees: a feature is named twice")
    if len(blocks) > MOST_TREES:
        raise ValueError(f"trees: {len(blocks)} of them, at most {MOST_TREES}")
    return Trees(features, tuple(_tree(block, n, len(features)) for n, block in enumerate(blocks)))


def check_features(trees: Trees, signals: Mapping[str, str]) -> None:
    """Raises ValueError naming a feature that neither a signal nor a fact of a login gives."""
    for name in trees.features:
        if name not in signals and name not in FACTS:
            raise ValueError(f"trees: no signal {name!r} here")


def values_of(
    login: Observation, gathered: Gathered, history: float, factors: Mapping[str, float]
) -> dict[str, float]:
    """What trees are shown of a login: every signal's weight before any model, in nats, and a few
    facts. ``history`` is the effective logins known, ``factors`` the weights that were applied.
    """
    found: dict[str, float] = {}
    for said in gathered.weighed:
        name = said.feature.signal
        found[name] = found.get(name, 0.0) + said.nats
    for evidence in gathered.evidence:
        weight = evidence.weight / factors.get(evidence.signal, 1.0)
        found[evidence.signal] = found.get(evidence.signal, 0.0) + weight
    found["fact_human"] = float(login.kind == "human")
    found["fact_success"] = float(login.outcome == "success")
    found["fact_interactive"] = float(login.interactive)
    found["fact_fresh_factor"] = float(login.mfa in ("fresh", "phishing-resistant"))
    found["fact_history"] = log1p(history)
    return found


def lifted(risk: float, probability: float, threshold: float = FINDING) -> float:
    """The risk of a finding after the trees: up to ten points more, never 100, never less.

    Monotone in both; what is no finding (below ``threshold``) stays as it is.
    """
    if risk < threshold:
        return risk
    return risk + min(LIFT, 100.0 - risk) * probability


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, equals, value in pairs if equals}


def _tree(block: str, number: int, features: int) -> Tree:
    fields = _fields(block)
    where = f"tree {number}"
    if fields.get("num_cat", "0") != "0" or fields.get("is_linear", "0") != "0":
        raise ValueError(f"{where}: categorical or linear trees are not read")
    try:
        tree = Tree(
            [int(part) for part in fields.get("split_feature", "").split()],
            [float(part) for part in fields.get("threshold", "").split()],
            [int(part) for part in fields.get("left_child", "").split()],
            [int(part) for part in fields.get("right_child", "").split()],
            [float(part) for part in fields["leaf_value"].split()],
        )
        kinds = [int(part) for part in fields.get("decision_type", "").split()]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
    inner = len(tree.features)
    if not len(tree.thresholds) == len(tree.left) == len(tree.right) == len(kinds) == inner:
        raise ValueError(f"{where}: its lists differ in length")
    if len(tree.leaves) != inner + 1 or len(tree.leaves) > MOST_LEAVES:
        raise ValueError(f"{where}: {len(tree.leaves)} leaves")
    if not all(map(isfinite, (*tree.thresholds, *tree.leaves))):
        raise ValueError(f"{where}: a value that is not finite")
    if any(not 0 <= feature < features for feature in tree.features):
        raise ValueError(f"{where}: splits on a feature that is not named")
    if any(kind & _CATEGORICAL or kind >> 2 == _ZERO_IS_MISSING for kind in kinds):
        raise ValueError(f"{where}: a kind of split that is not read")
    for node, children in enumerate(zip(tree.left, tree.right, strict=True)):
        # A child comes after its parent: so every walk ends.
        if any(not (node < child < inner or -inner <= child + 1 <= 0) for child in children):
            raise ValueError(f"{where}: node {node} leads nowhere")
    return tree
