"""How often a finding is right: precision and false positives, from verdicts.

Analysts look at the top of the list, and at a slice drawn at random. The first count for
themselves; each of the second stands for all the logins of its stratum that nobody looked at
(Horvitz and Thompson, JASA 1952). The interval is Wilson's, for as many verdicts as the uneven
weights are worth (Kish's effective sample size).
"""

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt

from msgspec import Struct

from quivive.model.verdict import FALSE_POSITIVE, TRUE_POSITIVE, VerdictKind

FEWEST = 10  # verdicts on findings, under which a share says nothing
Z = 1.96  # 95 %
MET = "finding"


class Judged(Struct, frozen=True):
    """A login with a verdict: its stratum (kind of identity and product), band of score, and
    whether it was drawn at random.
    """

    stratum: str
    band: str
    kind: VerdictKind
    at_random: bool


class Share(Struct, frozen=True):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


class Quality(Struct, frozen=True):
    """What verdicts say of some findings.

    precision: the share that were attacks (M9); false_positives: the share that were nothing at
    all (M2). What is left was odd and in order. Both None with fewer than ``FEWEST`` verdicts.
    """

    of: str
    verdicts: int
    findings: int
    precision: Share | None = None
    false_positives: Share | None = None

    @property
    def missing(self) -> str | None:
        """Why there is no share yet, in words."""
        if self.precision is not None:
            return None
        return f"too early to say how right they are: that takes {FEWEST} verdicts"


def wilson(successes: float, count: float) -> Share:
    """The share of successes with Wilson's interval; ``count`` may be an effective one, above 0."""
    share = successes / count
    square = Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return Share(share, max(0.0, middle - half), min(1.0, middle + half))


def quality(judged: Sequence[Judged], population: Mapping[tuple[str, str], int]) -> list[Quality]:
    """Precision and false positives among findings: of all, of each kind of identity, of each
    product. ``population`` is how many logins there are of each stratum and band.
    """
    strata = sorted({stratum for stratum, _ in population})
    named: dict[str, list[str]] = {"all": strata}
    for part in (0, 2):  # kinds of identity, then products
        for stratum in strata:
            name = stratum.partition("/")[part]
            if name:
                named.setdefault(name, []).append(stratum)
    return [_of(name, judged, population, frozenset(some)) for name, some in named.items()]


def weights(
    judged: Iterable[Judged], population: Mapping[tuple[str, str], int]
) -> list[tuple[Judged, float]]:
    """Each verdict with the number of logins it stands for."""
    cells: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        cells.setdefault((one.stratum, one.band), []).append(one)
    found = []
    for cell, ones in sorted(cells.items()):
        drawn = sum(one.at_random for one in ones)
        certain = len(ones) - drawn
        rest = max(drawn, population.get(cell, 0) - certain)
        found += [(one, rest / drawn if one.at_random else 1.0) for one in ones]
    return found


def _of(
    name: str,
    judged: Sequence[Judged],
    population: Mapping[tuple[str, str], int],
    strata: frozenset[str],
) -> Quality:
    findings = sum(n for (s, band), n in population.items() if band == MET and s in strata)
    mine = [one for one in judged if one.band == MET and one.stratum in strata]
    if len(mine) < FEWEST:
        return Quality(name, len(mine), findings)
    weighted = weights(mine, population)
    whole = sum(weight for _, weight in weighted)
    effective = whole * whole / sum(weight * weight for _, weight in weighted)

    def share(kind: VerdictKind) -> Share:
        part = sum(weight for one, weight in weighted if one.kind == kind) / whole
        return wilson(part * effective, effective)

    return Quality(name, len(mine), findings, share(TRUE_POSITIVE), share(FALSE_POSITIVE))
