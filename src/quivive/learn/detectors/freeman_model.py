"""The statistical model of Freeman et al., the reference of risk-based authentication.

Freeman, Jain, Dürmuth, Biggio and Giacinto, "Who Are You? A Statistical Approach to Measuring User
Authenticity", NDSS 2016, equation 7 (no attack data), with the features, the hierarchies and the
weights of Wiefling, Jørgensen, Thunem and Lo Iacono, "Pump Up Password Security!", TOPS 2022:

    risk(u, x) = prod over features f of  p(x_f) / p(x_f | u)   *   p(u | attack) / p(u | login)

A feature is a hierarchy from the value itself to ever coarser kinds of it (address, network,
country; user agent, browser, system, device), along which p backs off by linear interpolation.
Every user is attacked equally (p(u | attack) = 1/users); p(u | login) is the user's share of all
logins. Users without a login are not evaluable. Nothing is forgotten and nothing gated, as
published. A feature of which a login or all of the user's say nothing is left out.

Both known ways to interpolate are here, h being the levels and w their weights:

* ``InterpolatedFreeman``: p(x | u) = sum w_h p(x | h) p(h | u), with everybody's p(x | h). So p(x)
  cancels, and what is left of a feature is -ln sum w_h lift_h, where lift_h = p(h | u) / p(h) says
  how much more usual h is for the user than for everybody. A value nobody has shown lends nothing.
  A small root level, which everybody shares, keeps the sum above zero.
* ``PublishedFreeman``: p(x | u) = sum w_h p(h | u) and the same of p(x), whose finest level is
  smoothed for values nobody has shown; a user to whom every level is new gets p(x) / 4. This is
  what the public figures on the RBA data were made with. What is new on every level weighs less
  there than what is new on some: ln 4 at most.
"""

from collections import Counter
from collections.abc import Sequence
from math import log

from quivive.learn.detectors.detector import NOT_EVALUABLE

# Published for the public data: fitted to how well each level tells users apart.
ADDRESS_WEIGHTS = (0.6, 0.3, 0.1)
CLIENT_WEIGHTS = (0.5387, 0.2680, 0.1882, 0.0051)
ROOT_WEIGHT = 0.001
ALL_NEW = 0.25

# The levels of one feature of one login, finest first; None where it is not known.
Levels = tuple[str | None, ...]


class Counts:
    """How often each value of each level was shown, by one user or by everybody."""

    __slots__ = ("distinct", "features", "logins", "values")

    def __init__(self, features: int) -> None:
        self.logins = 0
        self.features = [0] * features  # logins that showed the feature at all
        self.values: Counter[tuple[int, int, str]] = Counter()  # by feature, level, value
        self.distinct: Counter[tuple[int, int]] = Counter()  # values, by feature and level

    def add(self, features: Sequence[Levels]) -> None:
        """Counts one login."""
        self.logins += 1
        for number, levels in enumerate(features):
            shown = False
            for level, value in enumerate(levels):
                if value is not None:
                    shown = True
                    key = (number, level, value)
                    self.values[key] += 1
                    if self.values[key] == 1:
                        self.distinct[number, level] += 1
            self.features[number] += shown


class InterpolatedFreeman:
    """Counts of logins, and the risk of one against them. Knows not where features come from."""

    def __init__(self, weights: Sequence[Sequence[float]]) -> None:
        """``weights``: of each feature, one a level, finest first; they sum to about 1."""
        self.weights = tuple(tuple(levels) for levels in weights)
        self.everyone = Counts(len(self.weights))
        self.users: dict[str, Counts] = {}

    def history(self, user: str) -> int:
        """How many logins of a user were learned."""
        own = self.users.get(user)
        return own.logins if own is not None else 0

    def risk(self, user: str, features: Sequence[Levels]) -> float:
        """ln risk(u, x), higher is riskier; ``NOT_EVALUABLE`` for a user without a login."""
        own = self.users.get(user)
        if own is None:
            return NOT_EVALUABLE
        # p(u | attack) / p(u | login) = (1 / users) / (own logins / all logins)
        total = log(self.everyone.logins / (len(self.users) * own.logins))
        for number, levels in enumerate(features):
            if own.features[number] and any(value is not None for value in levels):
                total += self.feature_risk(number, levels, own)
        return total

    def feature_risk(self, number: int, levels: Levels, own: Counts) -> float:
        """ln p(x) / p(x | u) of one feature that both the login and the user have shown."""
        everyone = self.everyone
        ratio = everyone.features[number] / own.features[number]
        lift = ROOT_WEIGHT
        for level, weight in enumerate(self.weights[number]):
            value = levels[level]
            if value is not None and (seen := own.values[number, level, value]):
                lift += weight * ratio * seen / everyone.values[number, level, value]
        return -log(lift)

    def learn(self, user: str, features: Sequence[Levels]) -> None:
        """Counts a login of a user."""
        own = self.users.get(user)
        if own is None:
            own = self.users[user] = Counts(len(self.weights))
        own.add(features)
        self.everyone.add(features)


class PublishedFreeman(InterpolatedFreeman):
    """The same with both probabilities interpolated apart, as in the public implementation."""

    def feature_risk(self, number: int, levels: Levels, own: Counts) -> float:
        """ln p(x) / p(x | u) of one feature that both the login and the user have shown."""
        everyone = self.everyone
        weights = self.weights[number]
        usual = of_user = 0.0
        for level, weight in enumerate(weights):
            value = levels[level]
            if value is None:
                continue
            key = (number, level, value)
            of_user += weight * own.values[key] / own.features[number]
            seen, of = everyone.values[key], everyone.features[number]
            if level == 0:
                # So many values may still come: one, and one more a coarser value known.
                unseen = 1 + sum(everyone.distinct[number, n] for n in range(1, len(weights)))
                seen, of = max(seen, 1), of + unseen
            usual += weight * seen / of
        if usual == 0.0:  # no finest level, and the coarser ones new to everybody
            return 0.0
        return log(usual / (of_user or usual * ALL_NEW))
