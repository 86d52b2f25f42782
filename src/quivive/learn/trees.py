"""Boosted trees from analysts' verdicts: only for shadow, only from many unlike incidents.

Trees trained on few incidents know those incidents: with a kind of attack held out, ones that
looked best found 4 of 43 logins of it (docs/adr, "promotion gate"). So they are trained from a
hundred incidents on, can never make a login less of a finding, and are read without LightGBM
(``scoring/trees.py``). LightGBM: Ke et al., NIPS 2017; monotone in every weight of evidence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from quivive.model.errors import ConfigurationError
from quivive.model.words import counted
from quivive.scoring.trees import FACTS

INCIDENTS = 100
IDENTITIES = 30
SHAPES = 4
LARGEST_SHAPE = 0.6  # share of the incidents that may have the same shape
REFUSALS = 50
ROUNDS = 60
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 8,
    "min_data_in_leaf": 10,
    "lambda_l2": 1.0,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
    "monotone_constraints_method": "basic",
}


class TreesError(ConfigurationError):
    """Trees cannot be trained; the message says what is missing and what to do."""


class Example(Struct, frozen=True):
    """A login with a verdict, as trees are shown it (``scoring.trees.values_of``).

    incident: the confirmed incident it belongs to, empty for a login that was in order. shape: its
    strongest signal, by which incidents are told apart.
    """

    values: Mapping[str, float]
    attack: bool
    identity: str
    incident: str = ""
    shape: str = ""


def lacking(examples: Sequence[Example]) -> list[str]:
    """What these verdicts lack for trees, in words; empty when there is enough."""
    first = {e.incident: e for e in examples if e.attack}
    identities = {e.identity for e in first.values()}
    shapes = Counter(e.shape for e in first.values())
    ordinary = sum(not e.attack for e in examples)
    found = []
    if len(first) < INCIDENTS:
        found.append(f"{counted(len(first), 'confirmed incident')} of {INCIDENTS}")
    if len(identities) < IDENTITIES:
        found.append(
            f"{counted(len(identities), 'identity', 'identities')} among them of {IDENTITIES}"
        )
    if len(shapes) < SHAPES:
        found.append(f"{counted(len(shapes), 'different strongest signal')} of {SHAPES}")
    if shapes and max(shapes.values()) > LARGEST_SHAPE * len(first):
        signal, count = shapes.most_common(1)[0]
        found.append(f"{count} of {len(first)} incidents look alike ({signal})")
    if ordinary < REFUSALS:
        found.append(f"{counted(ordinary, 'login')} found to be in order of {REFUSALS}")
    return found


def train(examples: Sequence[Example]) -> str:
    """The LightGBM text of trees trained on verdicts: the same examples give the same text.

    An incident counts once, however many logins it has, and so does an identity's ordinary logins.
    Raises TreesError when there are too few or too similar incidents, or LightGBM is not there.
    """
    if missing := lacking(examples):
        raise TreesError(f"too little for trees: {'; '.join(missing)}")
    lightgbm = _lightgbm()
    import numpy as np

    names = sorted({name for example in examples for name in example.values} | set(FACTS))
    alike = Counter((e.attack, e.incident or e.identity) for e in examples)
    data = lightgbm.Dataset(
        np.array([[e.values.get(name, 0.0) for name in names] for e in examples]),
        label=np.array([float(e.attack) for e in examples]),
        weight=np.array([1.0 / alike[e.attack, e.incident or e.identity] for e in examples]),
        feature_name=names,
        params={"verbosity": -1},
    )
    monotone = [0 if name in FACTS else 1 for name in names]
    parameters = {**PARAMETERS, "monotone_constraints": monotone}
    text: str = lightgbm.train(parameters, data, num_boost_round=ROUNDS).model_to_string()
    return text


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError:
        raise TreesError("LightGBM is not installed: pip install 'quivive[trees]'") from None
    except OSError as error:
        raise TreesError(
            f"LightGBM cannot be loaded ({error}): install libgomp1 (apt-get install libgomp1)"
        ) from None
    return lightgbm
