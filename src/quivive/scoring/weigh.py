"""From the features of a login to weighed evidence."""

from math import log

from msgspec import Struct

from quivive.baseline.backoff import OPEN_CATEGORIES, Levels, Usual, surprise
from quivive.model.assessment import Evidence
from quivive.signals.signal import Feature

AS_COLLEAGUES = 0.7


class Weighed(Struct, frozen=True):
    """A feature with how usual it is and what it weighs (nats, attacker against identity).

    ``explained`` is the part of an alarming weight that an ordinary circumstance takes away.
    """

    feature: Feature
    usual: Usual
    weight: float
    explained: float

    def as_evidence(self) -> Evidence:
        """Evidence with its counts in words."""
        return Evidence(
            signal=self.feature.signal,
            weight=self.weight,
            text=text_of(self.feature, self.usual),
            attack=self.feature.attack,
        )


def weigh(feature: Feature, levels: Levels, factor: float = 1.0) -> Weighed:
    """How much rather an attacker than the identity shows this category.

    ``factor`` is the model's weight of the signal.
    """
    usual = levels.usual(
        feature.factor, feature.key, feature.categories, feature.given, feature.neighbours
    )
    return weigh_against(feature, usual, factor)


def weigh_against(feature: Feature, usual: Usual, factor: float = 1.0) -> Weighed:
    """The weight of a feature whose usual is known already, without looking it up again."""
    attacker = feature.attacker
    if attacker is None:
        attacker = 0.5 / (feature.categories or 20) + 0.5 * usual.base
    nats = surprise(usual, attacker)
    if nats <= 0:
        return Weighed(feature, usual, 0.0 if feature.alarms_only else nats * factor, 0.0)
    # In an ordinary circumstance people do what colleagues do, or something entirely their own.
    spread = feature.categories or OPEN_CATEGORIES
    ordinary = AS_COLLEAGUES * usual.base + (1 - AS_COLLEAGUES) / spread
    explained = max(0.0, nats - max(0.0, log(attacker / ordinary)))
    return Weighed(feature, usual, nats * factor, explained * factor)


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
