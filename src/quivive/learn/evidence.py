"""The score as a function of the signals' weights, with its exact gradient.

The score is a mixture of stories (``scoring/stories.py``), not a sum. With r the raw nats of a
piece of evidence and w the weight of its signal,

    score(w) = ln sum_k prior_k exp(A_k(w)) - ln sum_j prior_j exp(O_j(w)),

where the attack story k leaves out what reassures in the groups it explains, and the ordinary
story j takes away the explained part, w (r - R), of what alarms in its groups. R is what is odd
even for a colleague in that circumstance, between 0 and r. The derivative of each
logarithm is the expectation over its stories' posteriors; so a reassuring r counts for w as much as
the attackers who cannot copy it, an alarming one as much as the circumstances that do not
explain it.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from msgspec import Struct

from quivive.scoring.gathered import Gathered
from quivive.scoring.stories import ATTACKS, GROUPS, ORDINARY, Story


class Raw(Struct, frozen=True, array_like=True):
    """One piece of evidence as it was before any model weighed it.

    nats: its weight at factor 1. explained: how much of that an ordinary story takes away.
    """

    signal: str
    group: str
    nats: float
    explained: float


class Example(Struct, frozen=True, kw_only=True):
    """One login with a verdict.

    kind: "human" or "service"; attack: whether it was somebody else's; source: who says so, whose
    influence is bounded; incident: logins of one incident count as one.
    """

    evidence: tuple[Raw, ...]
    kind: str
    attack: bool
    source: str
    incident: str


def raw_of(gathered: Gathered, factors: Mapping[str, float]) -> tuple[Raw, ...]:
    """What the signals said, without the ``factors`` of the model that weighed it."""
    found = []
    for weighed in gathered.weighed:
        feature = weighed.feature
        if weighed.weight == 0.0:
            continue
        group = feature.group or gathered.groups[feature.signal]
        found.append(Raw(feature.signal, group, weighed.nats, weighed.ordinary))
    for said in gathered.evidence:
        if said.weight != 0.0:
            nats = said.weight / factors.get(said.signal, 1.0)
            found.append(Raw(said.signal, gathered.groups[said.signal], nats, max(0.0, nats)))
    return tuple(found)


class Item(NamedTuple):
    """A piece of evidence by numbers: its signal, its group, its nats, what stays odd of them."""

    signal: int
    group: int
    nats: float
    residual: float


_ORDER = {group: n for n, group in enumerate(GROUPS)}
_Stories = tuple[tuple[float, tuple[int, ...]], ...]


def _stories(stories: Sequence[Story]) -> _Stories:
    return tuple((log(s.prior), tuple(_ORDER[g] for g in s.explains)) for s in stories)


def compiled(evidence: Sequence[Raw], signals: Mapping[str, int]) -> tuple[Item, ...]:
    """The evidence by numbers; ``signals`` says which number a signal has."""
    return tuple(
        Item(signals[e.signal], _ORDER[e.group], e.nats, max(0.0, e.nats - e.explained))
        for e in evidence
    )


def score(items: Sequence[Item], weights: Sequence[float], kind: str) -> float:
    """The score of a login under some weights of the signals."""
    return _read(items, weights, kind)[0]


def gradient(
    items: Sequence[Item], weights: Sequence[float], kind: str
) -> tuple[float, dict[int, float]]:
    """The score, and its derivative by the weight of each signal that speaks."""
    value, attackers, ordinary = _read(items, weights, kind)
    found: dict[int, float] = {}
    for signal, group, nats, residual in items:
        if nats <= 0:
            slope = nats * (1 - attackers[group])
        else:
            slope = nats - (nats - residual) * ordinary[group]
        found[signal] = found.get(signal, 0.0) + slope
    return value, found


def _read(
    items: Sequence[Item], weights: Sequence[float], kind: str
) -> tuple[float, list[float], list[float]]:
    """The score, and for each group how likely the stories that explain it are, on either side."""
    explained, reassuring = [0.0] * len(GROUPS), [0.0] * len(GROUPS)
    everything = 0.0
    for signal, group, nats, residual in items:
        weight = weights[signal] * nats
        everything += weight
        if nats <= 0:
            reassuring[group] += weight
        else:
            explained[group] += weights[signal] * (nats - residual)
    attack, attackers = _mixture(_ATTACKS[kind], [-value for value in reassuring])
    excuse, ordinary = _mixture(_ORDINARY[kind], explained)
    return everything + attack - excuse, attackers, ordinary


def _mixture(stories: _Stories, by_group: Sequence[float]) -> tuple[float, list[float]]:
    values = [prior + sum(by_group[g] for g in groups) for prior, groups in stories]
    top = max(values)
    shares = [exp(value - top) for value in values]
    whole = sum(shares)
    explains = [0.0] * len(GROUPS)
    for share, (_, groups) in zip(shares, stories, strict=True):
        for group in groups:
            explains[group] += share / whole
    return top + log(whole), explains


_ATTACKS = {kind: _stories(stories) for kind, stories in ATTACKS.items()}
_ORDINARY = {kind: _stories(stories) for kind, stories in ORDINARY.items()}
