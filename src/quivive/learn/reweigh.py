"""From verdicts to weights: a MAP logistic model around a prior one, guarded against poisoning.

P(attack | login) = 1 / (1 + exp(-(b + score(w)))) with w/prior ~ N(1, tau^2) for each signal, so
that few verdicts move little. tau grows from .35 at eight incidents to .7 at forty. Maximised by
Newton's method with the Gauss-Newton curvature, projected on the bounds that a model keeps.

Nobody's verdicts alone decide: those who gave them are put into at most three groups, and the
result with a group never differs from the result without it by more than ``STEP`` of the prior
weight, for any group. Defined from the smallest sets of groups up, so that it holds exactly:
results without one or without another group both lie within ``STEP`` of the result without both.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import exp, log1p, sqrt

from msgspec import Struct
from msgspec.structs import replace

from quivive.learn.evidence import Example, Item, compiled, gradient, score
from quivive.learn.linear import inverse_diagonal, solve
from quivive.model.words import counted
from quivive.scoring.model import HEAVIEST, LIGHTEST, Model

FEWEST_ATTACKS = 8  # incidents
FEWEST_BENIGN = 4
TIGHT, LOOSE = 0.35, 0.7  # tau
LOOSE_AT = 40  # incidents
INTERCEPT = -2.0
INTERCEPT_SPREAD = 5.0
STEP = 0.25  # of the prior weight
SOURCES = 3
MOST_STEPS = 40
HALVINGS = 20
CLOSE = 1e-7


class Moved(Struct, frozen=True, kw_only=True):
    """What became of one signal's weight.

    error: standard error of the weight. in_attacks, in_benign: its mean nats where it spoke, and
    how often that was. capped: whether the bound on single sources held it back.
    """

    signal: str
    prior: float
    weight: float
    error: float
    in_attacks: float
    attacks: int
    in_benign: float
    benign: int
    capped: bool

    def why(self) -> str:
        """The move as a sentence for an analyst."""
        way = "up" if self.weight > self.prior else "down"
        held = "; held back by the bound on single sources" if self.capped else ""
        return (
            f"{self.signal}: {way} from {self.prior:.2f} to {self.weight:.2f} (±{self.error:.2f}):"
            f" {self.in_attacks:+.1f} nats in {self.attacks} attack logins,"
            f" {self.in_benign:+.1f} in {self.benign} others{held}"
        )


class Reweighed(Struct, frozen=True, kw_only=True):
    """A model learned from verdicts, or the prior one with the reason why nothing was learned.

    moved: every signal that spoke, the furthest moved first. attacks, benign: incidents of either
    kind. intercept: the log odds of an attack among what was judged, where the score is 0.
    """

    model: Model
    learned: bool
    why: str
    attacks: int
    benign: int
    intercept: float = 0.0
    moved: tuple[Moved, ...] = ()


class _Case(Struct, frozen=True):
    items: tuple[Item, ...]
    kind: str
    attack: bool
    importance: float


def reweigh(examples: Sequence[Example], prior: Model) -> Reweighed:
    """The weights that the verdicts speak for, around those of ``prior``.

    ``prior`` should be the model that was never learned from these same verdicts, or they count
    twice. The same examples in another order give the same weights up to rounding.
    """
    attacks, benign = _incidents(examples)
    if attacks < FEWEST_ATTACKS or benign < FEWEST_BENIGN:
        why = (
            f"{counted(attacks, 'confirmed incident')} and {counted(benign, 'finding')} in order;"
            f" learning takes {FEWEST_ATTACKS} and {FEWEST_BENIGN}"
        )
        return Reweighed(model=prior, learned=False, why=why, attacks=attacks, benign=benign)
    names = sorted({e.signal for example in examples for e in example.evidence})
    start = [prior.weights.get(name, 1.0) for name in names]
    numbers = {name: n for n, name in enumerate(names)}
    groups = _grouped(examples)
    results: dict[tuple[int, ...], list[float]] = {(): start}
    intercept, free = INTERCEPT, start
    for size in range(1, len(groups) + 1):
        for chosen in combinations(range(len(groups)), size):
            some = [example for n in chosen for example in groups[n]]
            weights, intercept = _fit(some, numbers, start, (free, intercept))
            free = weights
            spared = [results[tuple(n for n in chosen if n != left)] for left in chosen]
            results[chosen] = [
                min(
                    max(weight, max(r[n] for r in spared) - STEP * start[n], LIGHTEST),
                    min(r[n] for r in spared) + STEP * start[n],
                    HEAVIEST,
                )
                for n, weight in enumerate(weights)
            ]
    final = results[tuple(range(len(groups)))]
    cases = _cases(examples, numbers)
    errors = _errors(cases, final, intercept, start, _tau(attacks))
    moved = [
        _moved(name, start[n], final[n], errors[n], examples, abs(free[n] - final[n]) > 1e-3)
        for name, n in numbers.items()
    ]
    moved.sort(key=lambda m: (-abs(m.weight / m.prior - 1), m.signal))
    learned = {**prior.weights, **{name: round(final[n], 4) for name, n in numbers.items()}}
    return Reweighed(
        model=replace(prior, version="learned", weights=learned, digest=""),
        learned=True,
        why=f"{counted(attacks, 'confirmed incident')} and {counted(benign, 'finding')} in order,"
        f" by {counted(len({e.source for e in examples}), 'source')}",
        attacks=attacks,
        benign=benign,
        intercept=intercept,
        moved=tuple(moved),
    )


def _incidents(examples: Sequence[Example]) -> tuple[int, int]:
    return (
        len({e.incident for e in examples if e.attack}),
        len({e.incident for e in examples if not e.attack}),
    )


def _grouped(examples: Sequence[Example]) -> list[list[Example]]:
    """The examples by who judged them; more than three share three groups by their names."""
    sources = sorted({e.source for e in examples})
    number = {source: n for n, source in enumerate(sources)}
    if len(sources) > SOURCES:
        number = {s: hashlib.sha256(s.encode()).digest()[0] % SOURCES for s in sources}
    groups: dict[int, list[Example]] = {}
    for example in examples:
        groups.setdefault(number[example.source], []).append(example)
    return [groups[n] for n in sorted(groups)]


def _tau(attacks: int) -> float:
    share = min(1.0, max(0.0, (attacks - FEWEST_ATTACKS) / (LOOSE_AT - FEWEST_ATTACKS)))
    return TIGHT + share * (LOOSE - TIGHT)


def _cases(examples: Sequence[Example], numbers: Mapping[str, int]) -> list[_Case]:
    """The examples by numbers: all logins of an incident together count as one."""
    size = Counter((e.attack, e.incident) for e in examples)
    return [
        _Case(compiled(e.evidence, numbers), e.kind, e.attack, 1 / size[e.attack, e.incident])
        for e in examples
    ]


def _fit(
    examples: Sequence[Example],
    numbers: Mapping[str, int],
    start: Sequence[float],
    near: tuple[Sequence[float], float],
) -> tuple[list[float], float]:
    """The most likely weights and intercept; the prior's where there are too few incidents.

    ``near`` is where to begin to look.
    """
    attacks, benign = _incidents(examples)
    if attacks < FEWEST_ATTACKS or benign < FEWEST_BENIGN:
        return list(start), INTERCEPT
    cases = _cases(examples, numbers)
    tau = _tau(attacks)
    weights, intercept = list(near[0]), near[1]
    value = loss(cases, weights, intercept, start, tau)
    for _ in range(MOST_STEPS):
        slope, curvature = slope_and_curvature(cases, weights, intercept, start, tau)
        free = [
            n
            for n in range(len(slope))
            if n == len(weights)
            or not (
                (weights[n] <= LIGHTEST and slope[n] > 0)
                or (weights[n] >= HEAVIEST and slope[n] < 0)
            )
        ]
        step = solve([[curvature[a][b] for b in free] for a in free], [slope[n] for n in free])
        fall = sum(s * slope[n] for s, n in zip(step, free, strict=True))
        length = 1.0
        for _ in range(HALVINGS):
            trial, other = list(weights), intercept
            for s, n in zip(step, free, strict=True):
                if n == len(weights):
                    other = intercept - length * s
                else:
                    trial[n] = min(HEAVIEST, max(LIGHTEST, weights[n] - length * s))
            tried = loss(cases, trial, other, start, tau)
            if tried <= value - 1e-4 * length * fall:
                break
            length /= 2
        else:
            break
        gained, weights, intercept, value = value - tried, trial, other, tried
        if gained < CLOSE:
            break
    return weights, intercept


def loss(
    cases: Sequence[_Case],
    weights: Sequence[float],
    intercept: float,
    start: Sequence[float],
    tau: float,
) -> float:
    """The negative log posterior, without its constants."""
    value = ((intercept - INTERCEPT) / INTERCEPT_SPREAD) ** 2 / 2
    value += sum((w / s - 1) ** 2 for w, s in zip(weights, start, strict=True)) / (2 * tau * tau)
    for case in cases:
        odds = intercept + score(case.items, weights, case.kind)
        value += case.importance * _softplus(-odds if case.attack else odds)
    return value


def slope_and_curvature(
    cases: Sequence[_Case],
    weights: Sequence[float],
    intercept: float,
    start: Sequence[float],
    tau: float,
) -> tuple[list[float], list[list[float]]]:
    """The gradient of ``loss`` by the weights and, last, the intercept; its Gauss-Newton matrix."""
    size = len(weights) + 1
    slope = [0.0] * size
    curvature = [[0.0] * size for _ in range(size)]
    for n, (w, s) in enumerate(zip(weights, start, strict=True)):
        slope[n] = (w / s - 1) / (s * tau * tau)
        curvature[n][n] = 1 / (s * tau) ** 2
    slope[-1] = (intercept - INTERCEPT) / INTERCEPT_SPREAD**2
    curvature[-1][-1] = 1 / INTERCEPT_SPREAD**2
    for case in cases:
        value, by = gradient(case.items, weights, case.kind)
        chance = _sigmoid(intercept + value)
        error = case.importance * (chance - case.attack)
        bend = case.importance * chance * (1 - chance)
        entries = [*by.items(), (size - 1, 1.0)]
        for a, found in entries:
            slope[a] += error * found
            row, share = curvature[a], bend * found
            for b, other in entries:
                row[b] += share * other
    return slope, curvature


def _errors(
    cases: Sequence[_Case],
    weights: Sequence[float],
    intercept: float,
    start: Sequence[float],
    tau: float,
) -> list[float]:
    _, curvature = slope_and_curvature(cases, weights, intercept, start, tau)
    return [sqrt(max(0.0, v)) for v in inverse_diagonal(curvature)[:-1]]


def _moved(
    name: str,
    prior: float,
    weight: float,
    error: float,
    examples: Sequence[Example],
    capped: bool,
) -> Moved:
    said: dict[bool, list[float]] = {True: [], False: []}
    for example in examples:
        nats = [e.nats for e in example.evidence if e.signal == name]
        if nats:
            said[example.attack].append(sum(nats))
    mean = {attack: sum(nats) / len(nats) if nats else 0.0 for attack, nats in said.items()}
    return Moved(
        signal=name,
        prior=prior,
        weight=weight,
        error=error,
        in_attacks=mean[True],
        attacks=len(said[True]),
        in_benign=mean[False],
        benign=len(said[False]),
        capped=capped,
    )


def _sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0


def _softplus(value: float) -> float:
    return max(0.0, value) + log1p(exp(-abs(value)))
