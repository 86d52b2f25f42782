"""From the features of a login to weighed evidence."""

from collections.abc import Iterable, Mapping
from math import log

from msgspec import Struct

from quivive.baseline.backoff import (
    ALPHA,
    BETA,
    GAMMA,
    LEAST_SURPRISE,
    MOST_SURPRISE,
    OPEN_CATEGORIES,
    Levels,
    Usual,
)
from quivive.model.assessment import Evidence
from quivive.signals.signal import Feature

AS_COLLEAGUES = 0.7
NO_FACTORS: Mapping[str, float] = {}


class Weighed(Struct, frozen=True, gc=False):
    """A feature with what it weighs (nats, attacker against identity).

    ``explained`` is the part of an alarming weight that an ordinary circumstance takes away.
    ``nats`` and ``ordinary`` are the two before the model's factor.
    """

    feature: Feature
    weight: float
    explained: float
    nats: float
    ordinary: float

    def by(self, factor: float) -> "Weighed":
        """The same under another factor."""
        return Weighed(
            self.feature, self.nats * factor, self.ordinary * factor, self.nats, self.ordinary
        )

    def as_evidence(self, levels: Levels) -> Evidence:
        """Evidence with its counts in words; ``levels`` as they were when it was weighed."""
        return Evidence(
            signal=self.feature.signal,
            weight=self.weight,
            text=text_of(self.feature, usual_of(self.feature, levels)),
            attack=self.feature.attack,
        )


def usual_of(feature: Feature, levels: Levels) -> Usual:
    """How usual a feature is, with its counts."""
    return levels.usual(
        feature.factor, feature.key, feature.categories, feature.given, feature.neighbours
    )


def weigh(feature: Feature, levels: Levels, factor: float = 1.0) -> Weighed:
    """How much rather an attacker than the identity shows this category.

    ``factor`` is the model's weight of the signal.
    """
    return weigh_all((feature,), levels, {feature.signal: factor})[0]


def weigh_all(
    features: Iterable[Feature], levels: Levels, factors: Mapping[str, float] = NO_FACTORS
) -> list[Weighed]:
    """Every feature that is to be weighed, weighed; ``factors`` are the model's, by signal.

    The estimate is that of ``Levels.usual``, spelled out here: these lines run for every feature of
    every login.
    """
    own, peers, everyone = levels.own.tables, levels.peers.tables, levels.everyone.tables
    own_scale, peers_scale, everyone_scale = (
        levels.own_scale,
        levels.peers_scale,
        levels.everyone_scale,
    )
    found: list[Weighed] = []
    totals: dict[tuple[str, str], tuple[float, float, float]] = {}
    for feature in features:
        if not feature.weigh:
            continue
        factor, key, given, size = feature.factor, feature.key, feature.given, feature.categories
        o, p, e = own.get(factor), peers.get(factor), everyone.get(factor)
        if feature.neighbours is None:
            o_count = o.values.get(key, 0.0) / own_scale if o is not None else 0.0
            p_count = p.values.get(key, 0.0) / peers_scale if p is not None else 0.0
            e_count = e.values.get(key, 0.0) / everyone_scale if e is not None else 0.0
        else:
            o_count = p_count = e_count = 0.0
            near = feature.neighbours
            if o is not None:
                get = o.values.get
                o_count = sum([w * get(k, 0.0) for k, w in near]) / own_scale
            if p is not None:
                get = p.values.get
                p_count = sum([w * get(k, 0.0) for k, w in near]) / peers_scale
            if e is not None:
                get = e.values.get
                e_count = sum([w * get(k, 0.0) for k, w in near]) / everyone_scale
        if given is None:
            o_total = o.total / own_scale if o is not None else 0.0
            p_total = p.total / peers_scale if p is not None else 0.0
            e_total = e.total / everyone_scale if e is not None else 0.0
        else:
            known = totals.get(given)
            if known is None:
                parent, condition = given
                table = own.get(parent)
                o_total = table.values.get(condition, 0.0) / own_scale if table else 0.0
                table = peers.get(parent)
                p_total = table.values.get(condition, 0.0) / peers_scale if table else 0.0
                table = everyone.get(parent)
                e_total = table.values.get(condition, 0.0) / everyone_scale if table else 0.0
                totals[given] = (o_total, p_total, e_total)
            else:
                o_total, p_total, e_total = known
            if o_total < o_count:
                o_total = o_count
            if p_total < p_count:
                p_total = p_count
            if e_total < e_count:
                e_total = e_count
        if not size:
            size = max(len(e.values) + 1, 2) if e is not None else 2
        base = (e_count + GAMMA / size) / (e_total + GAMMA)
        group = (p_count + BETA * base) / (p_total + BETA)
        probability = (o_count + ALPHA * group) / (o_total + ALPHA)
        attacker = feature.attacker
        if attacker is None:
            attacker = 0.5 / (feature.categories or 20) + 0.5 * base
        nats = log(attacker / probability)
        ordinary = 0.0
        if nats <= 0.0:
            if feature.alarms_only:
                nats = 0.0
            elif nats < LEAST_SURPRISE:
                nats = LEAST_SURPRISE
        else:
            if nats > MOST_SURPRISE:
                nats = MOST_SURPRISE
            # In an ordinary circumstance people do what colleagues do, or something of their own.
            spread = feature.categories or OPEN_CATEGORIES
            odd = log(attacker / (AS_COLLEAGUES * base + (1 - AS_COLLEAGUES) / spread))
            ordinary = nats if odd <= 0.0 else nats - odd if odd < nats else 0.0
        times = factors.get(feature.signal, 1.0)
        found.append(Weighed(feature, nats * times, ordinary * times, nats, ordinary))
    return found


_WITHIN = {
    "log": "in this log",
    "country": "from this country",
    "os": "on this system",
    "asn": "over this operator",
    "application": "in this application",
}


def text_of(feature: Feature, usual: Usual) -> str:
    """The category with its counts at the three levels.

    "country NG: 0 of its 212 logins, 0 of 1.4k by peers, 3 of 90k in the organisation"; for a
    member of an open set: "device never seen: so it was with 3 of its 212 logins, …".
    """
    within = (
        f" {_WITHIN[feature.given[0]]}" if feature.given and feature.given[0] in _WITHIN else ""
    )
    so = "as with " if feature.factor.endswith("?") else ""
    return (
        f"{feature.label}: {so}{_short(usual.own)} of its {_short(usual.own_total)} logins{within},"
        f" {_short(usual.peers)} of {_short(usual.peers_total)} by peers, "
        f"{_short(usual.everyone)} of {_short(usual.everyone_total)} in the organisation"
    )


def _short(value: float) -> str:
    if value >= 9_950:
        return f"{value / 1000:.0f}k"
    if value >= 995:
        return f"{value / 1000:.1f}k"
    return f"{value:.0f}"
